#include "meanfield/theory_of.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "meanfield/lif_circuit.hpp"
#include "meanfield/mesoscopic_circuit.hpp"
#include "meanfield/transfer_theory.hpp"

namespace triscale::meanfield {

namespace {

const LifNetwork& network_of(const CircuitTheory& theory) {
  return dynamic_cast<const LifTheory&>(*theory.theory).network();
}

const TransferTheory& transfer_of(const CircuitTheory& theory) {
  return dynamic_cast<const TransferTheory&>(*theory.theory);
}

/// Share of a population's cells outside the range that their transfer function was fitted on.
double outside_fit(const CircuitTheory& theory, std::size_t population, const Eigen::VectorXd& rates_hz) {
  const PopulationModel& model = theory.model->populations()[population];
  return share_outside_hull(model, statistics_of(model, transfer_of(theory).input_at(population, rates_hz)));
}

}  // namespace

CircuitTheory theory_of(const network::Circuit& circuit) {
  CircuitTheory result;
  const double end_ms = circuit.run.duration_ms;
  if (is_lif_circuit(circuit)) {
    const auto lif = std::make_shared<LifCircuit>(circuit);
    result.theory = std::make_unique<LifTheory>(lif->network_during(0, end_ms));
    result.input_unit = "mV";
    result.warnings = lif->warnings();
    result.lif = lif;
    return result;
  }
  if (is_mesoscopic_circuit(circuit)) {
    throw core::InputError({"", "cell_types", "gif with current synapses",
                            "has no theory of stationary states and spectra; it runs as populations of finite size",
                            "triscale run --tier meanfield"});
  }
  const auto model = std::make_shared<Model>(circuit);
  result.theory = std::make_unique<TransferTheory>(*model, 0, end_ms);
  result.input_unit = "nA";
  result.model = model;
  return result;
}

std::vector<RateDistribution> distributions_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz) {
  if (theory.lif) return rate_distributions(network_of(theory), rates_hz);
  std::vector<RateDistribution> result;
  for (std::size_t i = 0; i < theory.theory->size(); ++i) {
    const PopulationModel& population = theory.model->populations()[i];
    const PopulationInput input = transfer_of(theory).input_at(i, rates_hz);
    std::vector<double> shares, rates;
    for (const CellClass& cells : population.classes) {
      shares.push_back(cells.share);
      rates.push_back(transfer_rate(population.transfer, statistics_of(population, cells, input)));
    }
    result.push_back(distribution_over(std::move(shares), std::move(rates)));
  }
  return result;
}

double extrapolated_share(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz) {
  double largest = 0;
  if (theory.lif) return largest;
  for (std::size_t i = 0; i < theory.theory->size(); ++i) {
    largest = std::max(largest, outside_fit(theory, i, rates_hz));
  }
  return largest;
}

std::vector<ValidityFinding> findings_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz) {
  if (theory.lif) return check_lif_state(network_of(theory), rates_hz);
  constexpr double kSaturation = 0.3;
  std::vector<ValidityFinding> findings;
  for (std::size_t i = 0; i < theory.theory->size(); ++i) {
    const std::string name = theory.theory->name(i);
    const double outside = outside_fit(theory, i, rates_hz);
    if (outside > 0) {
      findings.push_back(
          {name, "extrapolation", outside, 0,
           fmt::format("{:.0f} % of the cells work outside the range that the transfer function was fitted on",
                       100 * outside),
           "unknown; fit again over a wider range of input"});
    }
    const double saturation = rates_hz[static_cast<Eigen::Index>(i)] / theory.theory->highest_rate_hz(i);
    if (saturation > kSaturation) {
      findings.push_back(
          {name, "saturation", saturation, kSaturation,
           fmt::format("cells fire at {:.0f} % of the fastest rate they can", 100 * saturation),
           "sources no longer fire Poisson spikes; the state may belong to the template, not to the cells"});
    }
  }
  return findings;
}

std::vector<double> cv_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz) {
  std::vector<double> result;
  if (!theory.lif) return result;
  const std::vector<LifInput> inputs = inputs_at(network_of(theory), rates_hz);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    result.push_back(lif_cv(network_of(theory).populations[i].cell, inputs[i]));
  }
  return result;
}

std::vector<InputEffects> input_effects_at(const CircuitTheory& theory, const std::vector<RateDistribution>& rates,
                                           const Linearisation* linear) {
  if (!theory.lif) return {};
  return input_effects(network_of(theory), rates, linear);
}

std::vector<JumpDensity> jump_densities_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz) {
  if (!theory.lif) return {};
  return jump_densities(network_of(theory), rates_hz);
}

std::optional<SecondOrderState> second_order_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz) {
  if (!theory.model) return std::nullopt;
  const std::vector<PopulationModel>& populations = theory.model->populations();
  Eigen::VectorXd cells(rates_hz.size());
  for (std::size_t i = 0; i < populations.size(); ++i) {
    if (populations[i].time_constant_ms != populations[0].time_constant_ms) return std::nullopt;
    cells[static_cast<Eigen::Index>(i)] =
        static_cast<double>(theory.model->circuit().populations[populations[i].population].size);
  }
  const SecondOrder equations(*theory.theory, cells, populations[0].time_constant_ms);
  try {
    return equations.settle({rates_hz, Eigen::MatrixXd::Zero(rates_hz.size(), rates_hz.size())});
  } catch (const core::NumericalError&) {
    return std::nullopt;
  }
}

void scale_weights(network::Projection& projection, double factor) {
  if (auto* edges = std::get_if<network::ExplicitEdges>(&projection.connectivity)) {
    for (double& weight : edges->weights) weight *= factor;
    return;
  }
  network::Distribution& weight = std::get<network::ConnectionRule>(projection.connectivity).weight;
  for (double* value : {&weight.mean, &weight.sd, &weight.low, &weight.high}) *value *= factor;
}

}  // namespace triscale::meanfield

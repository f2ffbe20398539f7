#include "meanfield/known_input.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <variant>

#include "network/edges.hpp"

namespace triscale::meanfield {

namespace {

/// One step of tau dx/dt = u - x with constant u; returns the average of x over the step, so that nothing of the input
/// is lost however short tau is.
double low_pass(double& x, double u, double tau_ms, double step_ms) {
  const double decay = tau_ms > 0 ? std::exp(-step_ms / tau_ms) : 0.0;
  const double average = u + (x - u) * (tau_ms / step_ms) * (1 - decay);
  x = u + (x - u) * decay;
  return average;
}

/// Over which the mean of the rate is held: long against the membrane, short against a run.
constexpr double kMemory_ms = 2000;

/// Total conductance of a class, mean of the recurrent and of all external input included.
double conductance_uS(const PopulationModel& population, const CellClass& cells, const PopulationInput& input) {
  double G_uS = population.transfer.g_L_uS;
  for (std::size_t c = 0; c < population.channels.size(); ++c) {
    G_uS +=
        population.receptors[population.channels[c].receptor].area_ms * cells.weight_uS[c] * input.source_hz[c] / 1000;
  }
  return G_uS;
}

}  // namespace

KnownInput::KnownInput(const Model& model, double step_ms)
    : model_(model),
      step_ms_(step_ms),
      targets_(model.populations().size()),
      extra_hz_(model.populations().size(), 0.0) {
  const network::Circuit& circuit = model.circuit();
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (population.is_virtual && std::holds_alternative<network::SpikeTrains>(population.source)) sources_.push_back(p);
  }
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    targets_[i].deviations.resize(model.populations()[i].classes.size());
  }
  for (std::size_t index = 0; index < circuit.projections.size(); ++index) {
    const network::Projection& projection = circuit.projections[index];
    const bool known = std::find(sources_.begin(), sources_.end(), projection.source) != sources_.end();
    if (!known || circuit.populations[projection.target].is_virtual) continue;
    const std::size_t i = model.index_of(projection.target);
    add_projection(model, index, targets_[i], i);
  }
}

void KnownInput::add_projection(const Model& model, std::size_t index, Target& target, std::size_t population) {
  const network::Circuit& circuit = model.circuit();
  const network::Projection& projection = circuit.projections[index];
  const PopulationModel& of = model.populations()[population];
  const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
  const double gain = type.meanfield ? type.meanfield->gain : 1.0;
  const network::PointEdgeList edges = network::point_edges_of(circuit, index, network::edges_of(circuit, index));
  const auto& receptors = std::get<network::PointSynapse>(*type.point).receptors;
  const std::size_t sources = circuit.populations[projection.source].size, classes = of.classes.size();
  std::vector<double> cells(classes, 0.0);
  for (const std::size_t k : of.class_of_cell) cells[k] += 1;
  const auto weights_through = [&](auto&& wanted) {
    std::vector<double> weight_uS(sources * classes, 0.0);
    for (std::size_t e = 0; e < edges.targets.size(); ++e) {
      if (!wanted(edges.receptors[e])) continue;
      const std::size_t k = of.class_of_cell[edges.targets[e]];
      weight_uS[edges.sources[e] * classes + k] += gain * edges.weights[e] / cells[k];
    }
    return weight_uS;
  };
  const std::vector<double> all = weights_through([](std::uint32_t) { return true; });
  const std::vector<double> relative =
      relative_cell_rates(circuit.populations[projection.source], circuit.run.duration_ms);
  std::size_t next = 0;  // channels of a projection stand in the order of its receptors that are in use
  for (std::size_t r = 0; r < receptors.size(); ++r) {
    if (std::find(edges.receptors.begin(), edges.receptors.end(), r) == edges.receptors.end()) continue;
    while (of.channels[next].projection != index) ++next;
    Drive drive{next++,
                projection.source,
                weights_through([r](std::uint32_t receptor) { return receptor == r; }),
                std::vector<double>(classes, 0.0),
                std::vector<double>(classes, 0.0),
                std::vector<double>(classes, 0.0),
                network::SpikeSourceReader(circuit, projection.source, 0, sources)};
    for (std::size_t j = 0; j < sources; ++j) {
      for (std::size_t k = 0; k < classes; ++k) {
        const std::size_t at = j * classes + k;
        drive.weight2_uS2[k] += relative[j] * drive.weight_uS[at] * all[at];
      }
    }
    target.drives.push_back(std::move(drive));
  }
}

void KnownInput::filter(const PopulationModel& population, Drive& drive, const std::vector<double>& mass_uS) {
  const Receptor& receptor = population.receptors[population.channels[drive.channel].receptor];
  for (std::size_t k = 0; k < mass_uS.size(); ++k) {
    const double x = low_pass(drive.x[k], mass_uS[k] / step_ms_, receptor.tau_rise_ms, step_ms_);
    low_pass(drive.y[k], x, receptor.tau_decay_ms, step_ms_);
  }
}

void KnownInput::advance(const PopulationModel& population, Target& target, double t_ms, const PopulationInput& input) {
  const std::size_t classes = population.classes.size();
  for (Drive& drive : target.drives) {
    const double until_ms = t_ms - population.channels[drive.channel].delay_ms + step_ms_;
    std::vector<double> mass_uS(classes, 0.0);
    if (until_ms > 0) {
      drive.spikes.clear();
      drive.reader.take_until(until_ms, drive.spikes);
      for (const network::SourceSpike& spike : drive.spikes) {
        const double* weight_uS = drive.weight_uS.data() + spike.cell * classes;
        for (std::size_t k = 0; k < classes; ++k) mass_uS[k] += weight_uS[k];
      }
      const double expected = input.source_hz[drive.channel] / 1000 * step_ms_;
      for (std::size_t k = 0; k < classes; ++k) {
        mass_uS[k] -= expected * population.classes[k].weight_uS[drive.channel];
      }
    }
    filter(population, drive, mass_uS);
  }
}

double KnownInput::extra_of(const PopulationModel& population, Target& target, const PopulationInput& input) {
  double extra_hz = 0;
  std::array<double, 10> P_mV = population.transfer.P_mV;
  for (std::size_t k = 0; k < population.classes.size(); ++k) {
    const CellClass& cells = population.classes[k];
    const MembraneStatistics<double> all = statistics_of(population, cells, input);
    const double G_uS = conductance_uS(population, cells, input), tau_m_ms = population.transfer.C_m_nF / G_uS;
    double drive_mV = 0, variance_mV2 = 0;
    for (const Drive& drive : target.drives) {
      const Receptor& receptor = population.receptors[population.channels[drive.channel].receptor];
      const double q = receptor.area_ms * (receptor.E_rev_mV - all.mu_mV) / G_uS;
      drive_mV += q * drive.y[k];
      variance_mV2 += drive.weight2_uS2[k] * input.source_hz[drive.channel] / 1000 * q * q *
                      squared_cascade_integral(receptor.tau_rise_ms, receptor.tau_decay_ms, tau_m_ms);
    }
    Deviation& deviation = target.deviations[k];
    low_pass(deviation.delta_mV, drive_mV, tau_m_ms, step_ms_);
    deviation.variance_mV2 = std::min(variance_mV2, all.sigma_mV * all.sigma_mV);
    MembraneStatistics<double> rest = all;
    rest.mu_mV += deviation.delta_mV;
    rest.sigma_mV = std::sqrt(all.sigma_mV * all.sigma_mV - deviation.variance_mV2);
    const double V_eff_mV = effective_threshold(P_mV, threshold_basis(population.transfer, all));
    const double unknown_hz = transfer_rate(V_eff_mV, all, population.transfer.t_ref_ms);
    const double known_hz = transfer_rate(V_eff_mV, rest, population.transfer.t_ref_ms);
    if (!deviation.started) deviation.mean_known_hz = deviation.mean_unknown_hz = unknown_hz;
    deviation.started = true;
    low_pass(deviation.mean_known_hz, known_hz, kMemory_ms, step_ms_);
    low_pass(deviation.mean_unknown_hz, unknown_hz, kMemory_ms, step_ms_);
    const bool fires = deviation.mean_known_hz > 0;
    extra_hz +=
        cells.share * (fires ? known_hz * deviation.mean_unknown_hz / deviation.mean_known_hz - unknown_hz : 0.0);
  }
  return extra_hz;
}

void KnownInput::advance(double t_ms, const std::vector<PopulationInput>& inputs) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    if (targets_[i].drives.empty()) continue;
    const PopulationModel& population = model_.populations()[i];
    advance(population, targets_[i], t_ms, inputs[i]);
    extra_hz_[i] = extra_of(population, targets_[i], inputs[i]);
  }
}

}  // namespace triscale::meanfield

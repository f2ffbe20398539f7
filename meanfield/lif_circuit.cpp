#include "meanfield/lif_circuit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>
#include <variant>

#include "meanfield/rate_history.hpp"
#include "meanfield/stationary_states.hpp"
#include "network/edges.hpp"

namespace triscale::meanfield {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

const network::LifModel* lif_of(const network::Circuit& circuit, std::size_t population) {
  const network::CellType& type = circuit.cell_types.at(circuit.populations.at(population).cell_type);
  return type.point ? std::get_if<network::LifModel>(&type.point->model) : nullptr;
}

const network::CurrentSynapse* current_synapse_of(const network::Circuit& circuit, std::size_t projection) {
  const network::SynapseType& type = circuit.synapse_types.at(circuit.projections[projection].synapse_type);
  return type.point ? std::get_if<network::CurrentSynapse>(&*type.point) : nullptr;
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

bool is_lif_circuit(const network::Circuit& circuit) {
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (!population.is_virtual && !circuit.cell_types.at(population.cell_type).meanfield && lif_of(circuit, p))
      return true;
  }
  return false;
}

std::vector<core::Problem> missing_for_lif(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (circuit.populations[p].is_virtual || lif_of(circuit, p)) continue;
    problems.push_back({"", fmt::format("populations.{}", circuit.populations[p].name), "",
                        "must be leaky integrate-and-fire cells like the others of this circuit",
                        "the mean-field tier does not mix them with other models"});
  }
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    const network::Projection& projection = circuit.projections[k];
    if (circuit.populations.at(projection.target).is_virtual) continue;
    const network::CurrentSynapse* synapse = current_synapse_of(circuit, k);
    const std::string place = fmt::format("projections.{}", projection.name);
    if (synapse == nullptr) {
      problems.push_back({"", place, "", "must have current synapses, as its target's model needs", ""});
    } else if (synapse->shape == network::CurrentSynapse::Shape::alpha) {
      problems.push_back(
          {"", place, "current_alpha", "has no mean-field theory", "exponential currents and jumps have"});
    }
  }
  for (const network::SynapseType& type : circuit.synapse_types) {
    if (!type.release && !type.plasticity) continue;
    problems.push_back({"", fmt::format("synapse_types.{}.{}", type.name, type.release ? "release" : "plasticity"), "",
                        "is not supported by the mean-field tier", "run a spiking tier, or leave it out"});
  }
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    const std::string place = fmt::format("inputs.{}", clamp.name);
    if (std::holds_alternative<network::NoiseCurrent>(clamp.waveform)) {
      problems.push_back(
          {"", place, "noise", "has no mean-field theory for leaky cells", "give Poisson input instead"});
    }
    if (!clamp.cells.empty() && clamp.cells.size() != circuit.populations.at(clamp.population).size) {
      problems.push_back({"", place, "cells", "must go to all cells of a population on the mean-field tier",
                          "make the cells that get it a population of their own"});
    }
  }
  return problems;
}

ProjectionMeans LifCircuit::means_of(std::size_t index, const LifCircuitOptions& options, bool list_edges) {
  const network::Projection& projection = circuit_->projections[index];
  ProjectionMeans means = projection_means(*circuit_, index, list_edges ? &edge_hash_ : nullptr);
  synapses_ += means.synapses;
  if (options.pairs_act_together && !circuit_->populations[projection.source].is_virtual) {
    const double per_pair = means.in_degree / static_cast<double>(circuit_->populations[projection.source].size);
    means.weight.mean_square += means.weight.mean * means.weight.mean * per_pair;
  }
  return means;
}

LifCircuit::LifCircuit(const network::Circuit& circuit, const LifCircuitOptions& options) : circuit_(&circuit) {
  const std::vector<core::Problem> problems = missing_for_lif(circuit);
  if (!problems.empty()) throw core::InputError(problems);
  index_of_.assign(circuit.populations.size(), kNone);
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    external_.push_back(population.is_virtual ? rate_of_source(population, circuit.run.duration_ms, options.bin_ms)
                                              : PiecewiseRate{});
    if (!population.is_virtual) add_population(p);
  }
  const auto n = static_cast<Eigen::Index>(network_.size());
  for (Eigen::MatrixXd* matrix :
       {&network_.in_degree, &network_.psp_mV, &network_.psp2_mV2, &network_.delay_ms, &network_.delay_sd_ms}) {
    *matrix = Eigen::MatrixXd::Zero(n, n);
  }
  const bool list_edges = expected_synapses(circuit) <= options.max_edges;
  if (list_edges) edge_hash_ = network::kEdgeHashStart;
  shares_.resize(network_.size());
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) add_projection(k, options, list_edges);
  set_synaptic_time_constants();
}

void LifCircuit::add_population(std::size_t index) {
  const network::LifModel& model = *lif_of(*circuit_, index);
  index_of_[index] = populations_.size();
  populations_.push_back(index);
  LifPopulation& population = network_.populations.emplace_back();
  population.name = circuit_->populations[index].name;
  population.cells = static_cast<double>(circuit_->populations[index].size);
  population.cell = {model.C_m_nF / model.g_L_uS, model.t_ref_ms, model.V_threshold_mV - model.E_L_mV,
                     model.V_reset_mV - model.E_L_mV, 0};
  cells_ += circuit_->populations[index].size;
}

void LifCircuit::add_projection(std::size_t index, const LifCircuitOptions& options, bool list_edges) {
  const network::Projection& projection = circuit_->projections[index];
  if (index_of_[projection.target] == kNone) return;
  const ProjectionMeans means = means_of(index, options, list_edges);
  if (!(means.in_degree > 0)) return;
  const std::size_t target = index_of_[projection.target];
  const network::CurrentSynapse& synapse = *current_synapse_of(*circuit_, index);
  const bool jump = synapse.shape == network::CurrentSynapse::Shape::delta;
  const double mV_per_weight = jump ? 1.0 : synapse.tau_ms / lif_of(*circuit_, projection.target)->C_m_nF;
  const double psp_mV = synapse.sign * mV_per_weight * means.weight.mean;
  const double psp2_mV2 = mV_per_weight * mV_per_weight * means.weight.mean_square;
  const bool external = circuit_->populations[projection.source].is_virtual;
  constexpr double kNominal_Hz = 5;
  const double rate_hz = external ? external_[projection.source].mean(0, circuit_->run.duration_ms) : kNominal_Hz;
  shares_[target].push_back({jump ? 0 : synapse.tau_ms, means.in_degree * psp2_mV2 * rate_hz});
  if (external) {
    drives_.push_back({target, projection.source, means.in_degree, psp_mV, psp2_mV2, means.delay_ms.mean});
    return;
  }
  // Several projections between the same populations act as one with the averages over all of their synapses.
  const auto i = static_cast<Eigen::Index>(target), j = static_cast<Eigen::Index>(index_of_[projection.source]);
  const double before = network_.in_degree(i, j), all = before + means.in_degree;
  const auto blend = [&](double& old, double added) { old = (before * old + means.in_degree * added) / all; };
  blend(network_.psp_mV(i, j), psp_mV);
  blend(network_.psp2_mV2(i, j), psp2_mV2);
  blend(network_.delay_ms(i, j), means.delay_ms.mean);
  const double variance = std::max(0.0, means.delay_ms.mean_square - means.delay_ms.mean * means.delay_ms.mean);
  blend(network_.delay_sd_ms(i, j), std::sqrt(variance) < 1e-9 * means.delay_ms.mean ? 0.0 : std::sqrt(variance));
  network_.in_degree(i, j) = all;
}

void LifCircuit::set_synaptic_time_constants() {
  for (std::size_t i = 0; i < network_.size(); ++i) {
    double power = 0, weighted = 0, shortest = 1e300, longest = 0;
    for (const SynapticShare& share : shares_[i]) {
      power += share.power;
      weighted += share.power * share.tau_ms;
      shortest = std::min(shortest, share.tau_ms);
      longest = std::max(longest, share.tau_ms);
    }
    if (!(power > 0)) continue;
    network_.populations[i].cell.tau_syn_ms = weighted / power;
    if (longest - shortest <= 1e-9 * longest) {
      network_.populations[i].cell.tau_syn_ms = longest;
    } else {
      warnings_.push_back(
          {"", fmt::format("populations.{}", network_.populations[i].name),
           fmt::format("{:.3g} to {:.3g} ms", shortest, longest),
           fmt::format("has synapses of different time constants; the theory uses {:.3g} ms for all", weighted / power),
           "expect errors of the rate of up to 10 % where they differ much"});
    }
  }
}

LifNetwork LifCircuit::network_during(double begin_ms, double end_ms) const {
  LifNetwork network = network_;
  set_external(network, begin_ms, end_ms);
  return network;
}

void LifCircuit::set_external(LifNetwork& network, double begin_ms, double end_ms) const {
  for (LifPopulation& population : network.populations) {
    population.mu_external_mV = population.sigma2_external_mV2 = population.jump3_external_mV3_per_ms = 0;
  }
  for (const LifExternalDrive& drive : drives_) {
    const double from_ms = begin_ms > 0 ? begin_ms - drive.delay_ms : begin_ms;
    const double to_ms = begin_ms > 0 ? end_ms - drive.delay_ms : end_ms;
    const double rate_hz = to_ms > 0 ? external_[drive.source].mean(from_ms, to_ms) : 0;
    add_poisson_input(network.populations[drive.target], drive.synapses, drive.psp_mV, drive.psp2_mV2, rate_hz);
  }
  for (const network::CurrentClamp& clamp : circuit_->current_clamps) {
    const std::size_t target = index_of_[clamp.population];
    if (target == kNone) continue;
    network.populations[target].mu_external_mV +=
        mean_current_nA(clamp, begin_ms, end_ms) / lif_of(*circuit_, clamp.population)->g_L_uS;
  }
}

double LifCircuit::longest_delay_ms() const {
  double longest = network_.size() > 0 ? network_.delay_ms.maxCoeff() : 0;
  for (const LifExternalDrive& drive : drives_) longest = std::max(longest, drive.delay_ms);
  return longest;
}

double low_pass_time_constant_ms(const LifCell& cell, const LifInput& input) {
  constexpr int kFrequencies = 50;
  constexpr double kHighest_Hz = 500;
  const LifResponder responder(cell, input);
  const double static_gain = responder.rate().d_mu_hz_per_mV;
  if (!(static_gain > 0) || !(input.sigma_mV > 0)) return cell.tau_m_ms;
  std::vector<double> omegas, gains;
  for (int k = 1; k <= kFrequencies; ++k) {
    const double omega = 2 * std::numbers::pi * kHighest_Hz / 1000 * k / kFrequencies;
    const std::complex<double> lambda(0, omega);
    omegas.push_back(omega);
    gains.push_back(std::abs(responder.at(lambda).d_mu_hz_per_mV / (1.0 + lambda * cell.tau_syn_ms)) / static_gain);
  }
  const auto misfit = [&](double log_tau) {
    const double tau = std::exp(log_tau);
    double sum = 0;
    for (std::size_t k = 0; k < omegas.size(); ++k) {
      const double model = 1 / std::sqrt(1 + omegas[k] * omegas[k] * tau * tau);
      sum += (gains[k] - model) * (gains[k] - model);
    }
    return sum;
  };
  // Golden section over 0.05 to 100 ms.
  double low = std::log(0.05), high = std::log(100);
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  for (int step = 0; step < 60; ++step) {
    const double a = high - ratio * (high - low), b = low + ratio * (high - low);
    if (misfit(a) < misfit(b)) {
      high = b;
    } else {
      low = a;
    }
  }
  return std::exp(0.5 * (low + high));
}

namespace {

/// The rate equations of a LifCircuit over time.
class LifTimeCourse {
 public:
  LifTimeCourse(const LifCircuit& circuit, const LifNetwork& network, std::vector<double> time_constants_ms,
                double step_ms)
      : circuit_(circuit),
        network_(network),
        time_constants_ms_(std::move(time_constants_ms)),
        step_ms_(step_ms),
        history_(network.size(), circuit.longest_delay_ms(), step_ms) {}

  void derivative(const State& state, State& slope, double t_ms) const {
    for (std::size_t i = 0; i < network_.size(); ++i) {
      const LifPopulation& target = network_.populations[i];
      const auto row = static_cast<Eigen::Index>(i);
      double mu = 0, sigma2 = 0;
      for (std::size_t j = 0; j < network_.size(); ++j) {
        const auto column = static_cast<Eigen::Index>(j);
        if (network_.in_degree(row, column) == 0) continue;
        const double delay_ms = network_.delay_ms(row, column);
        const bool delayed = delay_ms >= step_ms_ * (1 - 1e-9);
        const double events = network_.in_degree(row, column) * (delayed ? history_.at(j, t_ms - delay_ms) : state[j]);
        mu += events * network_.psp_mV(row, column);
        sigma2 += events * network_.psp2_mV2(row, column);
      }
      const double tau_s = target.cell.tau_m_ms / 1000;
      const LifInput input{target.mu_external_mV + tau_s * mu,
                           std::sqrt(std::max(0.0, target.sigma2_external_mV2 + tau_s * sigma2))};
      slope[i] = (lif_rate(target.cell, input).rate_hz - state[i]) / time_constants_ms_[i];
    }
  }

  void accept(const State& state, double t_ms) {
    circuit_.set_external(network_, t_ms, t_ms + step_ms_);
    State slope(state.size());
    derivative(state, slope, t_ms);
    history_.push(state, slope);
  }

 private:
  const LifCircuit& circuit_;
  LifNetwork network_;
  std::vector<double> time_constants_ms_;
  double step_ms_;
  RateHistory history_;
};

std::vector<double> time_constants(const LifNetwork& network) {
  SearchOptions search;
  search.all = false;
  const StationaryPoints found = find_stationary_points(LifTheory(network), search);
  std::vector<double> result;
  const std::vector<LifInput> inputs =
      found.points.empty() ? std::vector<LifInput>{} : inputs_at(network, found.points.front().rates_hz);
  for (std::size_t i = 0; i < network.size(); ++i) {
    const LifCell& cell = network.populations[i].cell;
    result.push_back(inputs.empty() ? cell.tau_m_ms : low_pass_time_constant_ms(cell, inputs[i]));
  }
  return result;
}

double lif_step_ms(const LifCircuit& circuit, const LifNetwork& network, const std::vector<double>& taus,
                   double output_ms, double longest_ms) {
  constexpr double kStepsPerTimeConstant = 5;
  double limit_ms = std::min(longest_ms, output_ms);
  for (const double tau : taus) limit_ms = std::min(limit_ms, tau / kStepsPerTimeConstant);
  for (Eigen::Index k = 0; k < network.delay_ms.size(); ++k) {
    const double delay_ms = network.delay_ms.data()[k];
    if (delay_ms > 0) limit_ms = std::min(limit_ms, std::max(delay_ms, circuit.circuit().run.dt_ms));
  }
  return output_ms / std::ceil(output_ms / limit_ms - 1e-9);
}

}  // namespace

core::RunStatistics simulate_lif(const network::Circuit& circuit, double longest_step_ms, core::Recorder& recorder,
                                 core::Progress& progress, std::vector<core::Problem>& warnings) {
  constexpr double kOutputInterval_ms = 1.0;
  constexpr std::size_t kProgressInterval = 100;
  const auto setup_start = std::chrono::steady_clock::now();
  const LifCircuit model(circuit);
  warnings.insert(warnings.end(), model.warnings().begin(), model.warnings().end());
  const LifNetwork mean_network = model.network_during(0, circuit.run.duration_ms);
  const std::vector<double> taus = time_constants(mean_network);
  const double output_ms = std::max(kOutputInterval_ms, circuit.run.dt_ms);
  const double step_ms = lif_step_ms(model, mean_network, taus, output_ms, longest_step_ms);
  const auto per_output = static_cast<std::size_t>(std::lround(output_ms / step_ms));
  const auto outputs = static_cast<std::size_t>(std::ceil(circuit.run.duration_ms / output_ms - 1e-9));
  LifTimeCourse course(model, mean_network, taus, step_ms);
  core::RunStatistics statistics;
  statistics.cells = model.cells();
  statistics.synapses = model.synapses();
  statistics.edge_hash = model.edge_hash();
  statistics.setup_s = seconds_since(setup_start);

  const auto loop_start = std::chrono::steady_clock::now();
  State state(mean_network.size(), 0.0);
  std::size_t step = 0;
  std::vector<double> rates_hz(circuit.populations.size());
  const StepObserver observe = [&](double, const State& now) {
    const double t_ms = static_cast<double>(step) * step_ms;
    course.accept(now, t_ms);
    if (step % per_output == 0) {
      for (std::size_t p = 0; p < rates_hz.size(); ++p) {
        if (circuit.populations[p].is_virtual) rates_hz[p] = model.external(p).at(t_ms);
      }
      for (std::size_t i = 0; i < now.size(); ++i) rates_hz[model.population(i)] = now[i];
      recorder.record_rates(t_ms, rates_hz);
      const std::size_t output = step / per_output;
      if (output % kProgressInterval == 0 || output == outputs) progress.advance(t_ms, circuit.run.duration_ms);
    }
    ++step;
  };
  const ComponentName name = [&](std::size_t i) {
    return fmt::format("rate of population {}", mean_network.populations[i].name);
  };
  integrate_fixed([&](const State& x, State& dx, double t) { course.derivative(x, dx, t); }, state, 0,
                  static_cast<double>(outputs) * output_ms, outputs * per_output, observe, name);
  statistics.wall_s = seconds_since(loop_start);
  return statistics;
}

}  // namespace triscale::meanfield

#include "meanfield/mesoscopic_circuit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <variant>

#include "meanfield/external_input.hpp"
#include "meanfield/projection_means.hpp"
#include "network/edges.hpp"

namespace triscale::meanfield {

namespace {

constexpr std::size_t kNone = static_cast<std::size_t>(-1);

const network::GifModel* gif_of(const network::Circuit& circuit, std::size_t population) {
  const network::CellType& type = circuit.cell_types.at(circuit.populations.at(population).cell_type);
  return type.point ? std::get_if<network::GifModel>(&type.point->model) : nullptr;
}

const network::CurrentSynapse* current_synapse_of(const network::Circuit& circuit, std::size_t projection) {
  const network::SynapseType& type = circuit.synapse_types.at(circuit.projections[projection].synapse_type);
  return type.point ? std::get_if<network::CurrentSynapse>(&*type.point) : nullptr;
}

std::vector<MesoKernel> kernels(const std::vector<network::ExponentialKernel>& from, double factor) {
  std::vector<MesoKernel> result;
  for (const network::ExponentialKernel& kernel : from) result.push_back({factor * kernel.amplitude, kernel.tau_ms});
  return result;
}

MesoPopulation population_of(const network::Population& population, const network::GifModel& model) {
  MesoPopulation p;
  p.name = population.name;
  p.cells = population.size;
  p.tau_m_ms = model.C_m_nF / model.g_L_uS;
  p.t_ref_ms = model.t_ref_ms;
  p.u_threshold_mV = model.V_threshold_mV - model.E_L_mV;
  p.u_reset_mV = model.V_reset_mV - model.E_L_mV;
  p.Delta_u_mV = model.Delta_V_mV;
  p.c_Hz = model.lambda_0_Hz;
  p.mu_mV = 0;
  p.eta_mV = kernels(model.eta_nA, 1 / model.g_L_uS);
  p.gamma_mV = kernels(model.gamma_mV, 1);
  return p;
}

/// Synapses from a virtual population.
struct Drive {
  std::size_t target, source;
  double gain_mV_per_Hz, delay_ms;
};

/// The circuit's populations, connections and inputs.
class MesoCircuit {
 public:
  explicit MesoCircuit(const network::Circuit& circuit) : circuit_(circuit) {
    index_of_.assign(circuit.populations.size(), kNone);
    for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
      const network::Population& population = circuit.populations[p];
      external_.push_back(population.is_virtual ? rate_of_source(population, circuit.run.duration_ms)
                                                : PiecewiseRate{});
      if (population.is_virtual) continue;
      index_of_[p] = populations_.size();
      populations_.push_back(p);
      network_.populations.push_back(population_of(population, *gif_of(circuit, p)));
      statistics_.cells += population.size;
    }
    const bool list_edges = expected_synapses(circuit) <= kMostListedEdges;
    if (list_edges) statistics_.edge_hash = network::kEdgeHashStart;
    for (std::size_t k = 0; k < circuit.projections.size(); ++k) add(k, list_edges);
  }

  const MesoNetwork& network() const { return network_; }
  const core::RunStatistics& statistics() const { return statistics_; }
  std::size_t population(std::size_t i) const { return populations_[i]; }
  const PiecewiseRate& external(std::size_t population) const { return external_[population]; }
  bool has_drives() const { return !drives_.empty(); }

  /// Currents and external spikes of a step.
  void add_input(double t_ms, double dt_ms, std::vector<double>& mu_mV) const {
    for (const Drive& drive : drives_) {
      const double begin_ms = t_ms - drive.delay_ms;
      if (begin_ms + dt_ms > 0) {
        mu_mV[drive.target] +=
            drive.gain_mV_per_Hz * external_[drive.source].mean(std::max(0.0, begin_ms), begin_ms + dt_ms);
      }
    }
    for (const network::CurrentClamp& clamp : circuit_.current_clamps) {
      const std::size_t target = index_of_[clamp.population];
      if (target == kNone) continue;
      const double resistance = 1 / gif_of(circuit_, clamp.population)->g_L_uS;
      mu_mV[target] += resistance * mean_current_nA(clamp, t_ms, t_ms + dt_ms);
    }
  }

 private:
  void add(std::size_t index, bool list_edges) {
    const network::Projection& projection = circuit_.projections[index];
    const std::size_t target = index_of_[projection.target];
    if (target == kNone) return;
    const ProjectionMeans means = projection_means(circuit_, index, list_edges ? &statistics_.edge_hash : nullptr);
    statistics_.synapses += means.synapses;
    const network::CurrentSynapse& synapse = *current_synapse_of(circuit_, index);
    const bool jump = synapse.shape == network::CurrentSynapse::Shape::delta;
    const double per_weight = jump ? 1 : synapse.tau_ms / gif_of(circuit_, projection.target)->C_m_nF;
    const double psp_mV = synapse.sign * per_weight * means.weight.mean;
    if (circuit_.populations[projection.source].is_virtual) {
      const double tau_m_s = network_.populations[target].tau_m_ms / 1000;
      drives_.push_back({target, projection.source, tau_m_s * means.in_degree * psp_mV, means.delay_ms.mean});
      return;
    }
    network_.connections.push_back({target, index_of_[projection.source], means.in_degree, psp_mV,
                                    jump ? 0 : synapse.tau_ms, means.delay_ms.mean});
  }

  const network::Circuit& circuit_;
  MesoNetwork network_;
  std::vector<std::size_t> populations_, index_of_;
  std::vector<PiecewiseRate> external_;
  std::vector<Drive> drives_;
  core::RunStatistics statistics_;
};

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

bool is_mesoscopic_circuit(const network::Circuit& circuit) {
  bool any = false;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (circuit.populations[p].is_virtual) continue;
    if (circuit.cell_types.at(circuit.populations[p].cell_type).meanfield || gif_of(circuit, p) == nullptr)
      return false;
    any = true;
  }
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    if (circuit.populations.at(circuit.projections[k].target).is_virtual) continue;
    if (current_synapse_of(circuit, k) == nullptr) return false;
    any = true;
  }
  return any;
}

std::vector<core::Problem> missing_for_mesoscopic(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (circuit.populations[p].is_virtual) continue;
    const std::string place = fmt::format("populations.{}", circuit.populations[p].name);
    const network::GifModel* model = gif_of(circuit, p);
    if (model == nullptr) {
      problems.push_back({"", place, "", "must be of the model gif to be a mesoscopic population", ""});
    } else if (!(model->Delta_V_mV > 0)) {
      problems.push_back({"", place + ".Delta_V_mV", fmt::format("{}", model->Delta_V_mV),
                          "must be > 0: a mesoscopic population needs escape noise", ""});
    } else if (!model->currents.empty() || !model->eta_uS.empty() || !model->threshold_follows.empty() ||
               model->V_filter_ms > 0 || model->dendrite) {
      problems.push_back({"", place, "",
                          "must have no currents, spike-triggered conductances, threshold_follows, V_filter_ms or "
                          "dendrite to be mesoscopic",
                          "the theory has the published model: a linear membrane and a threshold that spikes move"});
    }
  }
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    const network::Projection& projection = circuit.projections[k];
    if (circuit.populations.at(projection.target).is_virtual) continue;
    const network::CurrentSynapse* synapse = current_synapse_of(circuit, k);
    if (synapse == nullptr || synapse->shape == network::CurrentSynapse::Shape::alpha) {
      problems.push_back({"", fmt::format("projections.{}", projection.name), "",
                          "must have current_exponential or current_delta synapses to be mesoscopic",
                          "conductances change the membrane's time constant, which the mesoscopic theory leaves out"});
    }
  }
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    if (!clamp.cells.empty() && clamp.cells.size() != circuit.populations.at(clamp.population).size) {
      problems.push_back({"", fmt::format("inputs.{}", clamp.name), "", "must drive all cells of its population",
                          "the cells of a mesoscopic population are alike"});
    }
  }
  return problems;
}

core::RunStatistics simulate_mesoscopic_circuit(const network::Circuit& circuit, core::Recorder& recorder,
                                                core::Progress& progress, std::vector<core::Problem>& warnings) {
  if (std::vector<core::Problem> problems = missing_for_mesoscopic(circuit); !problems.empty()) {
    throw core::InputError(std::move(problems));
  }
  constexpr std::size_t kProgressInterval = 100;
  const auto setup_start = std::chrono::steady_clock::now();
  const MesoCircuit model(circuit);
  if (model.has_drives()) {
    warnings.push_back({"", "projections from virtual populations", "",
                        "act on mesoscopic populations by their mean only; the noise of single spikes is left out",
                        "fluctuations and rates are too low where cells sit below threshold"});
  }
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    if (!std::holds_alternative<network::NoiseCurrent>(clamp.waveform)) continue;
    warnings.push_back({"", fmt::format("inputs.{}", clamp.name), "",
                        "acts on mesoscopic populations by its mean only; its noise is left out", ""});
  }
  core::RunStatistics statistics = model.statistics();
  statistics.setup_s = seconds_since(setup_start);
  const auto loop_start = std::chrono::steady_clock::now();
  const double dt_ms = circuit.run.dt_ms;
  const auto per_output = static_cast<std::size_t>(std::max(1l, std::lround(1 / dt_ms)));
  const std::size_t n = model.network().populations.size();
  std::vector<double> rates_hz(circuit.populations.size(), 0.0), sums(n, 0.0);
  std::size_t step = 0;
  recorder.record_rates(0, rates_hz);
  const MesoObserver observe = [&](double t_ms, const std::vector<double>& activity_hz) {
    for (std::size_t i = 0; i < n; ++i) sums[i] += activity_hz[i];
    if (++step % per_output != 0) return;
    for (std::size_t p = 0; p < rates_hz.size(); ++p) {
      if (circuit.populations[p].is_virtual) rates_hz[p] = model.external(p).at(t_ms);
    }
    for (std::size_t i = 0; i < n; ++i) {
      rates_hz[model.population(i)] = sums[i] / static_cast<double>(per_output);
      sums[i] = 0;
    }
    recorder.record_rates(t_ms, rates_hz);
    if (step / per_output % kProgressInterval == 0) progress.advance(t_ms, circuit.run.duration_ms);
  };
  simulate_mesoscopic(model.network(), circuit.run.duration_ms, {dt_ms, true, circuit.run.seed}, observe,
                      [&](double t_ms, std::vector<double>& mu_mV) { model.add_input(t_ms, dt_ms, mu_mV); });
  progress.advance(circuit.run.duration_ms, circuit.run.duration_ms);
  statistics.wall_s = seconds_since(loop_start);
  return statistics;
}

}  // namespace triscale::meanfield

#include "bridges/meanfield/transfer_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/shared_progress.hpp"
#include "detailed/simulate.hpp"
#include "meanfield/external_input.hpp"
#include "network/edges.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale::bridges {

namespace {

constexpr double kLargestMix = 3.0;  // sources are mixed at up to this factor from the circuit's mix

struct PointParameters {
  network::TransferFunction transfer;  ///< membrane and slow currents of adaptation
  std::vector<network::ExponentialKernel> slow_threshold_mV;
  double V_threshold_mV = 0, threshold_noise_mV = 0;
};

/// Kernels that outlast the membrane; shorter ones act like refractoriness, which the transfer function has built in.
std::vector<network::ExponentialKernel> slow(const std::vector<network::ExponentialKernel>& kernels) {
  constexpr double kSlow_ms = 20;
  std::vector<network::ExponentialKernel> result;
  for (const network::ExponentialKernel& kernel : kernels) {
    if (kernel.tau_ms >= kSlow_ms && kernel.amplitude != 0) result.push_back(kernel);
  }
  return result;
}

network::TransferFunction membrane(double C_m_nF, double g_L_uS, double E_L_mV, double t_ref_ms) {
  network::TransferFunction transfer;
  transfer.C_m_nF = C_m_nF;
  transfer.g_L_uS = g_L_uS;
  transfer.E_L_mV = E_L_mV;
  transfer.t_ref_ms = t_ref_ms;
  return transfer;
}

/// With escape noise the threshold is where the hazard is 100 Hz: lambda_0 exp((V - V_T) / Delta_V) = 100 Hz; two
/// Delta_V below, it is 14 Hz.
PointParameters parameters_of(const network::GifModel& m) {
  constexpr double kLikely_Hz = 100.0;
  const double softness_mV = m.Delta_V_mV > 0 ? m.Delta_V_mV * std::log(kLikely_Hz / m.lambda_0_Hz) : 0.0;
  // A dendrite is strongly coupled to its soma: both together are one membrane.
  const double C_nF = m.C_m_nF + (m.dendrite ? m.dendrite->C_nF : 0.0);
  const double g_L_uS = m.g_L_uS + (m.dendrite ? m.dendrite->g_L_uS : 0.0);
  PointParameters p{membrane(C_nF, g_L_uS, m.E_L_mV, m.t_ref_ms), {}, m.V_threshold_mV + softness_mV, 2 * m.Delta_V_mV};
  p.transfer.adaptation_nA = slow(m.eta_nA);
  p.slow_threshold_mV = slow(m.gamma_mV);
  return p;
}
PointParameters parameters_of(const network::AdExModel& m) {
  PointParameters p{membrane(m.C_m_nF, m.g_L_uS, m.E_L_mV, m.t_ref_ms), {}, m.V_T_mV, 0};
  p.transfer.adaptation_nA = slow({{m.b_nA, m.tau_w_ms}});
  return p;
}
/// All other models.
template <class Model>
PointParameters parameters_of(const Model&) {
  throw core::InputError({"", "point model", std::string(Model::kName), "has no fitted transfer function",
                          "the mean-field bridge takes gif and adex cells with conductance synapses"});
}

PointParameters parameters_of(const network::CellType& type) {
  if (!type.point) {
    throw core::InputError({"", fmt::format("cell_types.{}", type.name), "", "must have a point description",
                            "derive it from the detailed description, or give one"});
  }
  return std::visit([](const auto& model) { return parameters_of(model); }, type.point->model);
}

/// Counts spikes of population 0 by segment and cell, without the first settle_ms of each segment.
class SegmentCounter : public core::NullRecorder {
 public:
  SegmentCounter(std::size_t segments, std::size_t cells, double settle_ms, double measure_ms)
      : counts(segments, std::vector<SpikeCount>(cells)),
        last_(cells, {-1e300, 0}),
        settle_ms_(settle_ms),
        segment_ms_(settle_ms + measure_ms) {}
  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    if (population != 0) return;
    const auto segment = static_cast<std::size_t>(t_ms / segment_ms_);
    if (segment >= counts.size() || t_ms - static_cast<double>(segment) * segment_ms_ < settle_ms_) return;
    const double begin_ms = static_cast<double>(segment) * segment_ms_ + settle_ms_;
    for (const std::uint32_t cell : cells) {
      SpikeCount& spikes = counts[segment][cell];
      Trace& last = last_[cell];
      if (last.t_ms < begin_ms) last = {t_ms, 0};
      last = {t_ms, last.before * std::exp((last.t_ms - t_ms) / SpikeCount::kFollow_ms)};
      spikes.followers += last.before;
      last.before += 1;
      ++spikes.count;
    }
  }
  std::vector<std::vector<SpikeCount>> counts;

 private:
  struct Trace {
    double t_ms, before;  ///< the last spike; those of the segment up to it, each exp(-distance / kFollow_ms)
  };
  std::vector<Trace> last_;
  double settle_ms_, segment_ms_;
};

/// Cells of a type, spread evenly over its populations: index within the experiment by (population, cell).
std::map<std::pair<std::size_t, std::uint32_t>, std::uint32_t> choose_cells(const network::Circuit& circuit,
                                                                            std::size_t cell_type, std::size_t count) {
  std::vector<std::pair<std::size_t, std::uint32_t>> all;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (population.is_virtual || population.cell_type != cell_type) continue;
    for (std::uint32_t cell = 0; cell < population.size; ++cell) all.emplace_back(p, cell);
  }
  const std::size_t n = std::min(count, all.size());
  std::map<std::pair<std::size_t, std::uint32_t>, std::uint32_t> chosen;
  for (std::size_t i = 0; i < n; ++i) chosen.emplace(all[i * all.size() / n], static_cast<std::uint32_t>(i));
  return chosen;
}

}  // namespace

double SpikeCount::poisson_followers(double observed_ms) {
  const double x = kFollow_ms / observed_ms;
  return x * (1 - x * (1 - std::exp(-1 / x)));
}

network::Circuit with_placeholder_meanfield(const network::Circuit& circuit) {
  network::Circuit copy = circuit;
  for (network::CellType& type : copy.cell_types) {
    type.meanfield.reset();
    const bool can_be_fitted = type.point && (std::holds_alternative<network::GifModel>(type.point->model) ||
                                              std::holds_alternative<network::AdExModel>(type.point->model));
    if (!can_be_fitted) continue;
    const PointParameters p = std::visit([](const auto& model) { return parameters_of(model); }, type.point->model);
    network::MeanfieldCell cell;
    cell.transfer = p.transfer;
    type.meanfield = cell;
  }
  return copy;
}

// ------------------------------------------------------------------------------------------------ experiment --------

TransferExperiment::TransferExperiment(const network::Circuit& circuit, std::size_t cell_type, std::size_t cells,
                                       MeasuredOn tier)
    : tier_(tier) {
  const network::CellType& type = circuit.cell_types.at(cell_type);
  const PointParameters p = parameters_of(type);
  V_threshold_mV_ = p.V_threshold_mV;
  threshold_noise_mV_ = p.threshold_noise_mV;

  circuit_.run = circuit.run;
  circuit_.cell_types = with_placeholder_meanfield(circuit).cell_types;
  circuit_.synapse_types = circuit.synapse_types;
  const auto chosen = choose_cells(circuit, cell_type, cells);
  network::Population population;
  population.name = "cells";
  population.size = chosen.size();
  population.cell_type = cell_type;
  circuit_.populations.push_back(std::move(population));

  std::map<std::size_t, std::size_t> copies;  // of source populations, by population
  // Source cells that reach a chosen cell, renumbered: a large circuit has many more.
  std::map<std::size_t, std::map<std::uint32_t, std::uint32_t>> reaching;
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    const network::Projection& projection = circuit.projections[k];
    const network::Population& target = circuit.populations[projection.target];
    if (target.is_virtual || target.cell_type != cell_type) continue;
    const network::EdgeList all = network::edges_of(circuit, k);
    network::ExplicitEdges edges;
    for (std::size_t e = 0; e < all.size(); ++e) {
      const auto found = chosen.find({projection.target, all.targets[e]});
      if (found == chosen.end()) continue;
      auto& of_source = reaching[projection.source];
      const auto next = static_cast<std::uint32_t>(of_source.size());
      edges.sources.push_back(of_source.try_emplace(all.sources[e], next).first->second);
      edges.targets.push_back(found->second);
      edges.weights.push_back(all.weights[e]);
      edges.delays_ms.push_back(all.delays_ms[e]);
      edges.sites.push_back(all.sites.empty() ? network::Site{} : all.sites[e]);
    }
    if (edges.targets.empty()) continue;
    const auto [copy, is_new] = copies.try_emplace(projection.source, circuit_.populations.size());
    if (is_new) add_source(circuit, projection.source);
    network::Projection onto = projection;
    onto.source = copy->second;
    onto.target = 0;
    onto.connectivity = std::move(edges);
    circuit_.projections.push_back(std::move(onto));
  }
  for (const auto& [source, copy] : copies) circuit_.populations[copy].size = reaching.at(source).size();
  if (tier_ == MeasuredOn::detailed) {
    const std::vector<core::Problem> problems = detailed::missing(circuit_);
    if (!problems.empty()) throw core::InputError(problems);
  }
  population_ = meanfield::Model(circuit_, {0, 0}).populations().front();
  classify_sources(type);
  WorkingPoint usual;
  for (const Source& source : sources_) usual.source_hz.push_back(source.base_hz);
  const double G_uS = mean_conductance_uS(solve_for_k(usual, 1));
  for (const network::ExponentialKernel& kernel : p.slow_threshold_mV) {
    population_.transfer.adaptation_nA.push_back({kernel.amplitude * G_uS, kernel.tau_ms});
  }
  // What does not oppose firing could sustain it: no rate would be sure to fit itself.
  if (!(meanfield::adaptation_nA_per_hz(population_.transfer) > 0)) population_.transfer.adaptation_nA.clear();
}

double TransferExperiment::mean_conductance_uS(const WorkingPoint& point) const {
  double G_uS = population_.transfer.g_L_uS;
  for (std::size_t c = 0; c < population_.channels.size(); ++c) {
    const meanfield::Channel& channel = population_.channels[c];
    G_uS += population_.receptors[channel.receptor].area_ms * mean_cell_.weight_uS[c] *
            point.source_hz[channel.source - 1] / 1000;
  }
  return G_uS;
}

/// A virtual population that stands for a population of the circuit.
void TransferExperiment::add_source(const network::Circuit& circuit, std::size_t population) {
  const network::Population& original = circuit.populations[population];
  const double duration_ms = circuit.run.duration_ms;
  const double given_hz =
      original.is_virtual ? meanfield::rate_of_source(original, duration_ms, 0).mean(0, duration_ms) : 0;
  sources_.push_back({population, given_hz > 0 ? given_hz : kNominalRate_Hz, true});
  network::Population source;
  source.name = "source " + original.name;
  source.size = original.size;
  source.is_virtual = true;
  source.cell_type = original.cell_type;
  source.source = network::PoissonTrains{{0}, {0}};
  circuit_.populations.push_back(std::move(source));
}

/// A source excites if its conductances, together, depolarise. Weights are averaged over the cells for mean_cell_.
void TransferExperiment::classify_sources(const network::CellType& type) {
  std::vector<double> drive(sources_.size(), 0.0);
  const std::size_t channels = population_.channels.size();
  mean_cell_.share = 1;
  mean_cell_.weight_uS.assign(channels, 0.0);
  mean_cell_.weight2_uS2.assign(channels, 0.0);
  double total_uS = 0;
  for (std::size_t c = 0; c < channels; ++c) {
    for (const meanfield::CellClass& cell : population_.classes) {
      mean_cell_.weight_uS[c] += cell.weight_uS[c] / static_cast<double>(cells());
      mean_cell_.weight2_uS2[c] += cell.weight2_uS2[c] / static_cast<double>(cells());
    }
    const meanfield::Channel& channel = population_.channels[c];
    const meanfield::Receptor& receptor = population_.receptors[channel.receptor];
    drive[channel.source - 1] +=
        mean_cell_.weight_uS[c] * receptor.area_ms * (receptor.E_rev_mV - network::kExcitatoryAbove_mV);
    total_uS += mean_cell_.weight_uS[c];
  }
  if (!(total_uS > 0)) {
    throw core::InputError({"", fmt::format("cell_types.{}", type.name), "", "must receive synaptic input",
                            "a transfer function describes the response to synapses; connect the cells"});
  }
  for (std::size_t s = 0; s < sources_.size(); ++s) sources_[s].excitatory = drive[s] > 0;
}

meanfield::StatisticsAtRate TransferExperiment::statistics(const meanfield::CellClass& cell,
                                                           const WorkingPoint& point) const {
  meanfield::PopulationInput input;
  for (const meanfield::Channel& channel : population_.channels) {
    input.source_hz.push_back(point.source_hz[channel.source - 1]);
  }
  input.current_nA = point.current_nA;
  return meanfield::StatisticsAtRate(population_, cell, input);
}

/// Scales the excitation until mu + k noise of the mean cell meets the threshold (bisection on the logarithm).
WorkingPoint TransferExperiment::solve_for_k(const WorkingPoint& mixed, double k) const {
  const bool by_current = std::none_of(sources_.begin(), sources_.end(), [](const Source& s) { return s.excitatory; });
  const auto scaled = [&](double log_scale) {
    WorkingPoint point = mixed;
    point.k = k;
    for (std::size_t s = 0; s < sources_.size(); ++s) {
      if (sources_[s].excitatory) point.source_hz[s] *= std::exp(log_scale);
    }
    if (by_current) point.current_nA = std::exp(log_scale) * population_.transfer.g_L_uS;
    return point;
  };
  double low = -14, high = 14;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const auto s = mean_statistics(scaled(middle));
    const double noise_mV = std::hypot(s.sigma_mV, threshold_noise_mV_);
    (s.mu_mV + k * noise_mV < V_threshold_mV_ ? low : high) = middle;
  }
  return scaled((low + high) / 2);
}

std::vector<WorkingPoint> TransferExperiment::draw(std::size_t count, double k_low, double k_high,
                                                   double inhibition_max, core::RandomStream random) const {
  std::vector<WorkingPoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    const double stratum = (static_cast<double>(i) + random.next_uniform()) / static_cast<double>(count);
    const double inhibition = inhibition_max * std::pow(random.next_uniform(), 1.5);  // denser where circuits work
    WorkingPoint point;
    for (const Source& source : sources_) {
      const double mix = std::pow(kLargestMix, 2 * random.next_uniform() - 1);
      point.source_hz.push_back(source.base_hz * mix * (source.excitatory ? 1.0 : inhibition));
    }
    points.push_back(solve_for_k(point, k_high + stratum * (k_low - k_high)));
  }
  return points;
}

std::vector<WorkingPoint> TransferExperiment::draw_about(std::size_t count, const std::vector<double>& rates_hz,
                                                         double spread, core::RandomStream random) const {
  std::vector<WorkingPoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    WorkingPoint point;
    for (const Source& source : sources_) {
      point.source_hz.push_back(rates_hz.at(source.population) * std::pow(spread, 2 * random.next_uniform() - 1));
    }
    const auto s = mean_statistics(point);
    point.k = (V_threshold_mV_ - s.mu_mV) / std::hypot(s.sigma_mV, threshold_noise_mV_);
    points.push_back(std::move(point));
  }
  return points;
}

std::vector<std::vector<SpikeCount>> TransferExperiment::measure_in_one_run(std::span<const WorkingPoint> points,
                                                                            double settle_ms, double measure_ms,
                                                                            std::uint64_t run,
                                                                            core::Progress& progress) const {
  const double segment_ms = settle_ms + measure_ms;
  network::Circuit circuit = circuit_;
  circuit.run.duration_ms = static_cast<double>(points.size()) * segment_ms;
  circuit.run.seed =
      core::RandomStream(circuit_.run.seed, core::Purpose::transfer_grid, ~run).next_below(std::uint64_t{1} << 53);
  for (std::size_t s = 0; s < sources_.size(); ++s) {
    network::PoissonTrains trains{{}, {}};
    for (std::size_t i = 0; i < points.size(); ++i) {
      trains.times_ms.push_back(static_cast<double>(i) * segment_ms);
      trains.rates_hz.push_back(points[i].source_hz[s]);
    }
    circuit.populations[s + 1].source = std::move(trains);
  }
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (points[i].current_nA == 0) continue;
    network::CurrentClamp clamp;
    clamp.name = fmt::format("point {}", i);
    const double begin_ms = static_cast<double>(i) * segment_ms;
    clamp.waveform =
        network::CurrentSegment{begin_ms, begin_ms + segment_ms, points[i].current_nA, points[i].current_nA};
    circuit.current_clamps.push_back(clamp);
  }
  SegmentCounter counter(points.size(), cells(), settle_ms, measure_ms);
  if (tier_ == MeasuredOn::detailed) {
    detailed::simulate(circuit, 1, counter, progress);
  } else {
    pointneuron::simulate(circuit, 1, counter, progress);
  }
  return std::move(counter.counts);
}

std::vector<std::vector<SpikeCount>> TransferExperiment::measure(std::span<const WorkingPoint> points, double settle_ms,
                                                                 double measure_ms, std::uint64_t run,
                                                                 std::size_t threads, core::Progress& progress) const {
  std::vector<std::vector<SpikeCount>> counts(points.size());
  core::SharedProgress shared(progress, static_cast<double>(points.size()));
  core::ThreadPool pool(threads);
  pool.run([&](std::size_t part) {  // each run on one thread: a few dozen cells are not worth a barrier per step
    for (std::size_t r = part; r < kRuns; r += pool.size()) {
      std::vector<WorkingPoint> mine;
      for (std::size_t i = r; i < points.size(); i += kRuns) mine.push_back(points[i]);
      if (mine.empty()) continue;
      core::PartProgress part_progress(shared, static_cast<double>(mine.size()));
      auto spikes = measure_in_one_run(mine, settle_ms, measure_ms, run * kRuns + r, part_progress);
      for (std::size_t i = 0; i < mine.size(); ++i) counts[r + i * kRuns] = std::move(spikes[i]);
    }
  });
  return counts;
}

}  // namespace triscale::bridges

#include "bridges/transfer_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/parallel.hpp"
#include "core/shared_progress.hpp"
#include "network/validate.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale::bridges {

namespace {

constexpr double kNominalRate_Hz = 5.0;
constexpr double kExcitatoryAbove_mV = -45.0;
constexpr double kLargestMix = 3.0;  ///< excitatory groups are mixed at up to this factor from the circuit's mix

struct PointParameters {
  meanfield::Membrane membrane;
  double t_ref_ms = 0, V_threshold_mV = 0, threshold_noise_mV = 0;
};

/// With escape noise the threshold is where the hazard is 100 Hz: lambda_0 exp((V - V_T) / Delta_V) = 100 Hz; two
/// Delta_V below, it is 14 Hz.
PointParameters parameters_of(const network::GifModel& m) {
  constexpr double kLikely_Hz = 100.0;
  const double softness_mV = m.Delta_V_mV > 0 ? m.Delta_V_mV * std::log(kLikely_Hz / m.lambda_0_Hz) : 0.0;
  return {{m.C_m_nF, m.g_L_uS, m.E_L_mV}, m.t_ref_ms, m.V_threshold_mV + softness_mV, 2 * m.Delta_V_mV};
}
PointParameters parameters_of(const network::AdExModel& m) {
  return {{m.C_m_nF, m.g_L_uS, m.E_L_mV}, m.t_ref_ms, m.V_T_mV, 0};
}
PointParameters parameters_of(const network::IntFire1Model&) {
  throw core::InputError({"", "point model", "IntFire1", "has no transfer function", "it has no conductance input"});
}

PointParameters parameters_of(const network::LifModel&) {
  throw core::InputError(
      {"", "point model", "lif", "has no fitted transfer function", "its synapses are currents, not conductances"});
}

meanfield::MembraneStatistics<double> statistics_at(const TransferExperiment& experiment,
                                                    const std::vector<double>& rate_per_ms, double scale,
                                                    double current_nA) {
  std::vector<meanfield::PoissonDrive<double>> drives(experiment.receptors.size());
  for (std::size_t g = 0; g < rate_per_ms.size(); ++g) {
    const InputGroup& group = experiment.groups[g];
    drives[group.receptor].rate_weight_uS_per_ms += rate_per_ms[g] * scale * group.mean_weight_uS;
    drives[group.receptor].rate_weight2_uS2_per_ms += rate_per_ms[g] * scale * scale * group.mean_weight2_uS2;
  }
  return meanfield::membrane_statistics<double>(experiment.membrane, experiment.receptors, drives, current_nA);
}

/// Scales the excitation until mu + k noise meets the threshold (bisection on the logarithm of the scale).
WorkingPoint solve_for_k(const TransferExperiment& experiment, const std::vector<double>& rate_per_ms,
                         double weight_scale, double k) {
  const bool driven_by_current = std::none_of(experiment.groups.begin(), experiment.groups.end(),
                                              [](const InputGroup& group) { return group.excitatory; });
  const auto scaled = [&](double log_scale) {
    const double scale = std::exp(log_scale);
    WorkingPoint point{rate_per_ms, 0, weight_scale, k, {}};
    for (std::size_t g = 0; g < rate_per_ms.size(); ++g) {
      if (experiment.groups[g].excitatory) point.rate_per_ms[g] *= scale;
    }
    if (driven_by_current) point.current_nA = scale * experiment.membrane.g_L_uS;
    point.statistics = statistics_at(experiment, point.rate_per_ms, weight_scale, point.current_nA);
    return point;
  };
  double low = -14, high = 14;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    const auto s = scaled(middle).statistics;
    const double noise_mV = std::hypot(s.sigma_mV, experiment.threshold_noise_mV);
    (s.mu_mV + k * noise_mV < experiment.V_threshold_mV ? low : high) = middle;
  }
  return scaled((low + high) / 2);
}

double nominal_rate_hz(const meanfield::Model& model, const network::Circuit& circuit, std::size_t source) {
  const bool external = circuit.populations[source].is_virtual;
  const double given_hz = external ? model.external(source).mean(0, circuit.run.duration_ms) : 0;
  return given_hz > 0 ? given_hz : kNominalRate_Hz;
}

/// Range of TransferExperiment::weight_scale over the cells of a type, widened by 30 % to either side.
std::array<double, 2> weight_spread(const meanfield::Model& model, const network::Circuit& circuit,
                                    std::size_t cell_type) {
  constexpr double kLargest = 4, kMargin = 1.3;
  std::vector<std::array<double, 2>> cells;  // sums of w and w^2
  double total = 0, total2 = 0;
  for (const auto& population : model.populations()) {
    if (circuit.populations[population.population].cell_type != cell_type) continue;
    for (const meanfield::CellClass& cell : population.classes) {
      double sum = 0, sum2 = 0;
      for (std::size_t c = 0; c < population.channels.size(); ++c) {
        const meanfield::Channel& channel = population.channels[c];
        if (!(population.receptors[channel.receptor].E_rev_mV > kExcitatoryAbove_mV)) continue;
        sum += nominal_rate_hz(model, circuit, channel.source) * cell.weight_uS[c];
        sum2 += nominal_rate_hz(model, circuit, channel.source) * cell.weight2_uS2[c];
      }
      if (!(sum > 0)) continue;
      cells.push_back({sum, sum2});
      total += sum;
      total2 += sum2;
    }
  }
  std::array<double, 2> range{1, 1};
  for (const auto& [sum, sum2] : cells) {
    const double scale = std::clamp((sum2 / sum) / (total2 / total), 1 / kLargest, kLargest);
    range = {std::min(range[0], scale), std::max(range[1], scale)};
  }
  return {range[0] / kMargin, range[1] * kMargin};
}

/// Two weights w_high > w_low >= 0 and the probability of the high one, with given first and second moment.
struct TwoWeights {
  double high, low, probability_high;
};
TwoWeights two_weights(double mean, double mean2) {
  const double sd = std::sqrt(std::max(0.0, mean2 - mean * mean));
  if (!(sd > 1e-6 * mean)) return {mean, mean, 1};
  const double a = std::max(1.0, 2 * sd / mean);  // w_low = mean - sd / a >= mean / 2
  return {mean + sd * a, mean - sd / a, 1 / (1 + a * a)};
}

class SegmentCounter : public core::NullRecorder {
 public:
  SegmentCounter(std::size_t segments, double settle_ms, double measure_ms)
      : counts(segments, 0), settle_ms_(settle_ms), segment_ms_(settle_ms + measure_ms) {}
  void record_spikes(std::size_t, double t_ms, std::span<const std::uint32_t> cells) override {
    const auto segment = static_cast<std::size_t>(t_ms / segment_ms_);
    if (segment >= counts.size()) return;
    if (t_ms - static_cast<double>(segment) * segment_ms_ >= settle_ms_) counts[segment] += cells.size();
  }
  std::vector<std::uint64_t> counts;

 private:
  double settle_ms_, segment_ms_;
};

/// Adds a private Poisson source for every cell of population 0.
void add_source(network::Circuit& circuit, std::size_t synapse_type, double weight_uS, double share,
                std::span<const WorkingPoint> points, std::size_t group, double segment_ms) {
  network::PoissonTrains trains;
  trains.times_ms.clear();
  trains.rates_hz.clear();
  for (std::size_t i = 0; i < points.size(); ++i) {
    trains.times_ms.push_back(static_cast<double>(i) * segment_ms);
    trains.rates_hz.push_back(1000 * share * points[i].rate_per_ms[group]);
  }
  network::Population source;
  source.name = fmt::format("source {}", circuit.populations.size());
  source.size = circuit.populations[0].size;
  source.is_virtual = true;
  source.source = std::move(trains);
  network::Projection projection;
  projection.name = source.name;
  projection.source = circuit.populations.size();
  projection.synapse_type = synapse_type;
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::one_to_one;
  rule.weight.mean = weight_uS;
  rule.delay_ms.mean = circuit.run.dt_ms;
  projection.connectivity = rule;
  circuit.populations.push_back(std::move(source));
  circuit.projections.push_back(std::move(projection));
}

}  // namespace

network::Circuit with_placeholder_meanfield(const network::Circuit& circuit) {
  network::Circuit copy = circuit;
  for (network::CellType& type : copy.cell_types) {
    type.meanfield.reset();
    const bool has_conductances = type.point && !std::holds_alternative<network::IntFire1Model>(type.point->model) &&
                                  !std::holds_alternative<network::LifModel>(type.point->model);
    if (!has_conductances) continue;
    const PointParameters p = std::visit([](const auto& model) { return parameters_of(model); }, type.point->model);
    network::MeanfieldCell cell;
    cell.transfer.C_m_nF = p.membrane.C_m_nF;
    cell.transfer.g_L_uS = p.membrane.g_L_uS;
    cell.transfer.E_L_mV = p.membrane.E_L_mV;
    cell.transfer.t_ref_ms = p.t_ref_ms;
    type.meanfield = cell;
  }
  return copy;
}

TransferExperiment transfer_experiment(const network::Circuit& circuit, std::size_t cell_type) {
  const network::CellType& type = circuit.cell_types.at(cell_type);
  if (!type.point) {
    throw core::InputError({"", fmt::format("cell_types.{}", type.name), "", "must have a point description",
                            "derive it from the detailed description, or give one"});
  }
  const PointParameters p = std::visit([](const auto& model) { return parameters_of(model); }, type.point->model);
  TransferExperiment experiment;
  experiment.cell = *type.point;
  experiment.membrane = p.membrane;
  experiment.t_ref_ms = p.t_ref_ms;
  experiment.V_threshold_mV = p.V_threshold_mV;
  experiment.threshold_noise_mV = p.threshold_noise_mV;
  experiment.dt_ms = circuit.run.dt_ms;
  experiment.seed = circuit.run.seed;

  const network::Circuit readable = with_placeholder_meanfield(circuit);
  const meanfield::Model model(readable);
  double cells = 0;
  for (const auto& population : model.populations()) {
    if (circuit.populations[population.population].cell_type != cell_type) continue;
    const auto size = static_cast<double>(circuit.populations[population.population].size);
    cells += size;
    for (const meanfield::Channel& channel : population.channels) {
      const meanfield::Receptor& receptor = population.receptors[channel.receptor];
      const bool external = circuit.populations[channel.source].is_virtual;
      const double events = size * channel.connections * nominal_rate_hz(model, circuit, channel.source) / 1000;
      std::size_t k = 0;
      while (k < experiment.receptors.size() && !(experiment.receptors[k].tau_rise_ms == receptor.tau_rise_ms &&
                                                  experiment.receptors[k].tau_decay_ms == receptor.tau_decay_ms &&
                                                  experiment.receptors[k].E_rev_mV == receptor.E_rev_mV)) {
        ++k;
      }
      if (k == experiment.receptors.size()) {
        experiment.receptors.push_back(receptor);
        experiment.synapses.push_back({receptor.tau_rise_ms, receptor.tau_decay_ms, receptor.E_rev_mV});
      }
      auto group = std::find_if(experiment.groups.begin(), experiment.groups.end(),
                                [&](const InputGroup& g) { return g.receptor == k && g.external == external; });
      if (group == experiment.groups.end()) {
        experiment.groups.push_back({k, external, receptor.E_rev_mV > kExcitatoryAbove_mV, 0, 0, 0});
        group = experiment.groups.end() - 1;
      }
      group->base_rate_per_ms += events;  // sums first, means below
      group->mean_weight_uS += events * channel.mean_weight_uS;
      group->mean_weight2_uS2 += events * channel.mean_weight2_uS2;
    }
  }
  for (InputGroup& group : experiment.groups) {
    group.mean_weight_uS /= group.base_rate_per_ms;
    group.mean_weight2_uS2 /= group.base_rate_per_ms;
    group.base_rate_per_ms /= cells;
  }
  experiment.weight_scale = weight_spread(model, circuit, cell_type);
  std::erase_if(experiment.groups, [](const InputGroup& g) { return !(g.mean_weight_uS > 0); });
  if (experiment.groups.empty()) {
    throw core::InputError({"", fmt::format("cell_types.{}", type.name), "", "must receive synaptic input",
                            "a transfer function describes the response to synapses; connect the cells"});
  }
  return experiment;
}

std::vector<WorkingPoint> draw_working_points(const TransferExperiment& experiment, std::size_t count, double k_low,
                                              double k_high, double inhibition_max, core::RandomStream random) {
  std::vector<WorkingPoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    const double stratum = (static_cast<double>(i) + random.next_uniform()) / static_cast<double>(count);
    const double u = random.next_uniform();
    const double inhibition = inhibition_max * std::pow(u, 1.5);  // denser at low rates, where circuits work
    std::vector<double> rate_per_ms;
    for (const InputGroup& group : experiment.groups) {
      const double mix = std::pow(kLargestMix, 2 * random.next_uniform() - 1);
      rate_per_ms.push_back(group.base_rate_per_ms * mix * (group.excitatory ? 1.0 : inhibition));
    }
    const double position = (static_cast<double>(i % kRuns) + 0.5) / static_cast<double>(kRuns);
    const double scale =
        experiment.weight_scale[0] * std::pow(experiment.weight_scale[1] / experiment.weight_scale[0], position);
    points.push_back(solve_for_k(experiment, rate_per_ms, scale, k_high + stratum * (k_low - k_high)));
  }
  return points;
}

namespace {

std::vector<std::uint64_t> measure_in_one_run(const TransferExperiment& experiment,
                                              std::span<const WorkingPoint> points, std::size_t cells, double settle_ms,
                                              double measure_ms, std::uint64_t run, core::Progress& progress) {
  const double segment_ms = settle_ms + measure_ms;
  network::Circuit circuit;
  circuit.run.dt_ms = experiment.dt_ms;
  circuit.run.duration_ms = static_cast<double>(points.size()) * segment_ms;
  circuit.run.seed = core::RandomStream(experiment.seed, core::Purpose::transfer_grid, ~run).next_below(1ull << 53);
  network::CellType type;
  type.name = "cell";
  type.point = experiment.cell;
  circuit.cell_types.push_back(type);
  for (std::size_t k = 0; k < experiment.synapses.size(); ++k) {
    network::SynapseType synapse;
    synapse.name = fmt::format("receptor {}", k);
    synapse.point = network::PointSynapse{{experiment.synapses[k]}, {}};
    circuit.synapse_types.push_back(synapse);
  }
  network::Population population;
  population.name = "cells";
  population.size = cells;
  circuit.populations.push_back(population);
  for (std::size_t g = 0; g < experiment.groups.size(); ++g) {
    const InputGroup& group = experiment.groups[g];
    const double scale = points[0].weight_scale;
    const TwoWeights w = two_weights(scale * group.mean_weight_uS, scale * scale * group.mean_weight2_uS2);
    add_source(circuit, group.receptor, w.high, w.probability_high, points, g, segment_ms);
    if (w.high > w.low) add_source(circuit, group.receptor, w.low, 1 - w.probability_high, points, g, segment_ms);
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
  SegmentCounter counter(points.size(), settle_ms, measure_ms);
  pointneuron::simulate(circuit, 1, counter, progress);
  return counter.counts;
}

}  // namespace

std::vector<std::uint64_t> measure_spikes(const TransferExperiment& experiment, std::span<const WorkingPoint> points,
                                          std::size_t cells, double settle_ms, double measure_ms, std::uint64_t run,
                                          std::size_t threads, core::Progress& progress) {
  std::vector<std::uint64_t> counts(points.size(), 0);
  core::SharedProgress shared(progress, static_cast<double>(points.size()));
  core::ThreadPool pool(threads);
  pool.run([&](std::size_t part) {  // each run on one thread: a few dozen cells are not worth a barrier per step
    for (std::size_t r = part; r < kRuns; r += pool.size()) {
      std::vector<WorkingPoint> mine;
      for (std::size_t i = r; i < points.size(); i += kRuns) mine.push_back(points[i]);
      if (mine.empty()) continue;
      core::PartProgress part_progress(shared, static_cast<double>(mine.size()));
      const auto spikes =
          measure_in_one_run(experiment, mine, cells, settle_ms, measure_ms, run * kRuns + r, part_progress);
      for (std::size_t i = 0; i < mine.size(); ++i) counts[r + i * kRuns] = spikes[i];
    }
  });
  return counts;
}

}  // namespace triscale::bridges

#include "bridges/checks/convergence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "core/random.hpp"
#include "core/time_grid.hpp"
#include "detailed/simulate.hpp"

namespace triscale::bridges {

using network::Circuit;

namespace {

constexpr double kSample_ms = 0.5;         // of the somatic potential
constexpr std::size_t kSampledCells = 50;  // of a population
constexpr double kAroundSpike_ms = 5.0;    // left out of the potential's rms

bool is_detailed(const Circuit& circuit, std::size_t population) {
  const network::Population& p = circuit.populations[population];
  return !p.is_virtual && circuit.cell_types[p.cell_type].detailed.has_value();
}

/// Replaces noise by its samples at the configured step, a clamp a cell, so that a finer run sees the same current.
void freeze_noise(Circuit& circuit) {
  const double dt_ms = circuit.run.dt_ms;
  const auto steps = static_cast<std::size_t>(core::TimeGrid{dt_ms, circuit.run.duration_ms}.steps());
  std::vector<network::CurrentClamp> frozen;
  for (std::size_t k = 0; k < circuit.current_clamps.size(); ++k) {
    network::CurrentClamp& clamp = circuit.current_clamps[k];
    const auto* noise = std::get_if<network::NoiseCurrent>(&clamp.waveform);
    if (noise == nullptr) {
      frozen.push_back(clamp);
      continue;
    }
    std::vector<std::uint32_t> cells = clamp.cells;
    if (cells.empty()) {
      cells.resize(circuit.populations[clamp.population].size);
      std::iota(cells.begin(), cells.end(), 0u);
    }
    const double keep = std::exp(-dt_ms / noise->tau_ms), kick = noise->sd_nA * std::sqrt(1.0 - keep * keep);
    for (const std::uint32_t cell : cells) {
      core::RandomStream stream(circuit.run.seed, core::Purpose::current_noise, (std::uint64_t{k} << 32) | cell);
      network::SampledCurrent samples{0, dt_ms, std::vector<double>(steps, 0.0)};
      double deviation_nA = noise->sd_nA * stream.next_normal();
      for (std::size_t step = 0; step < steps; ++step) {
        const double middle_ms = (static_cast<double>(step) + 0.5) * dt_ms;
        if (middle_ms >= noise->begin_ms && middle_ms < noise->end_ms)
          samples.values_nA[step] = noise->mean_nA + deviation_nA;
        deviation_nA = keep * deviation_nA + kick * stream.next_normal();
      }
      frozen.push_back({clamp.name, clamp.population, {cell}, clamp.site, std::move(samples)});
    }
  }
  circuit.current_clamps = std::move(frozen);
}

/// Only the potential of some somata is recorded. Returns the population of each probe.
std::vector<std::size_t> set_probes(Circuit& circuit) {
  std::vector<std::size_t> populations;
  circuit.probes.clear();
  circuit.field_probes.clear();
  const double dt_ms = circuit.run.dt_ms * std::max(1.0, std::round(kSample_ms / circuit.run.dt_ms));
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (!is_detailed(circuit, p)) continue;
    network::Probe probe;
    probe.name = circuit.populations[p].name;
    probe.population = p;
    probe.dt_ms = dt_ms;
    for (std::size_t cell = 0; cell < std::min(circuit.populations[p].size, kSampledCells); ++cell)
      probe.cells.push_back(static_cast<std::uint32_t>(cell));
    circuit.probes.push_back(std::move(probe));
    populations.push_back(p);
  }
  return populations;
}

class Collector : public core::Recorder {
 public:
  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    for (const std::uint32_t cell : cells) spikes[{population, cell}].push_back(t_ms);
  }
  void record_probe(std::size_t probe, double t_ms, std::span<const double> values) override {
    if (potentials.size() <= probe) potentials.resize(probe + 1);
    potentials[probe].emplace_back(t_ms, std::vector<double>(values.begin(), values.end()));
  }
  void record_rates(double, std::span<const double>) override {}

  const std::vector<double>& train(std::size_t population, std::uint32_t cell) const {
    static const std::vector<double> none;
    const auto found = spikes.find({population, cell});
    return found == spikes.end() ? none : found->second;
  }

  std::map<std::pair<std::size_t, std::uint32_t>, std::vector<double>> spikes;
  std::vector<std::vector<std::pair<double, std::vector<double>>>> potentials;  // [probe][sample]
  std::size_t compartments = 0;
};

/// Reports a part of the three runs.
class PartOfProgress : public core::Progress {
 public:
  PartOfProgress(core::Progress& whole, double begin, double share) : whole_(whole), begin_(begin), share_(share) {}
  void advance(double done_ms, double total_ms) override {
    whole_.advance((begin_ + share_ * done_ms / total_ms) * total_ms, total_ms);
  }

 private:
  core::Progress& whole_;
  double begin_, share_;
};

Collector run(const Circuit& circuit, std::size_t threads, core::Progress& progress) {
  Collector collector;
  collector.compartments = detailed::simulate(circuit, threads, collector, progress).compartments;
  return collector;
}

bool near_spike(const std::vector<double>& train, double t_ms) {
  const auto next = std::lower_bound(train.begin(), train.end(), t_ms - kAroundSpike_ms);
  return next != train.end() && *next <= t_ms + kAroundSpike_ms;
}

/// Distances of the spikes that have a partner, in order.
std::vector<double> shifts(const std::vector<double>& train, const std::vector<double>& other) {
  std::vector<double> result;
  std::size_t j = 0;
  for (const double t : train) {
    while (j < other.size() && other[j] < t - kMatch_ms) ++j;
    // The next one may be nearer.
    while (j + 1 < other.size() && std::abs(other[j + 1] - t) < std::abs(other[j] - t)) ++j;
    if (j < other.size() && std::abs(other[j] - t) <= kMatch_ms) result.push_back(std::abs(other[j++] - t));
  }
  return result;
}

class Comparison {
 public:
  Comparison(const Circuit& circuit, const std::vector<std::size_t>& probed) : circuit_(circuit), probed_(probed) {}

  std::vector<ConvergenceOfType> compare(const Collector& base, const Collector& refined) const {
    std::map<std::size_t, Sums> sums;  // by cell type
    for (std::size_t probe = 0; probe < probed_.size(); ++probe) {
      Sums& s = sums[circuit_.populations[probed_[probe]].cell_type];
      add_spikes(probed_[probe], base, refined, s);
      add_potentials(probe, base, refined, s);
    }
    std::vector<ConvergenceOfType> result;
    for (auto& [type, s] : sums) {
      ConvergenceOfType& t = s.type;
      t.cell_type = circuit_.cell_types[type].name;
      const double cell_seconds = 1e-3 * circuit_.run.duration_ms * static_cast<double>(t.cells);
      t.rate_hz = static_cast<double>(t.spikes) / cell_seconds;
      t.refined_rate_hz = static_cast<double>(t.refined_spikes) / cell_seconds;
      t.matched = s.shifts.size();
      if (!s.shifts.empty()) {
        const auto middle = s.shifts.begin() + static_cast<std::ptrdiff_t>(s.shifts.size() / 2);
        std::nth_element(s.shifts.begin(), middle, s.shifts.end());
        t.median_shift_ms = *middle;
        t.largest_shift_ms = *std::max_element(s.shifts.begin(), s.shifts.end());
      }
      if (s.samples > 0) t.V_rms_mV = std::sqrt(s.squares / static_cast<double>(s.samples));
      result.push_back(std::move(t));
    }
    return result;
  }

 private:
  struct Sums {
    ConvergenceOfType type;
    std::vector<double> shifts;
    double squares = 0;
    std::size_t samples = 0;
  };

  void add_spikes(std::size_t population, const Collector& base, const Collector& refined, Sums& s) const {
    s.type.cells += circuit_.populations[population].size;
    for (std::uint32_t cell = 0; cell < circuit_.populations[population].size; ++cell) {
      const std::vector<double>&a = base.train(population, cell), &b = refined.train(population, cell);
      s.type.spikes += a.size();
      s.type.refined_spikes += b.size();
      const std::vector<double> found = shifts(a, b);
      s.shifts.insert(s.shifts.end(), found.begin(), found.end());
    }
  }

  void add_potentials(std::size_t probe, const Collector& base, const Collector& refined, Sums& s) const {
    const auto &a = base.potentials.at(probe), &b = refined.potentials.at(probe);
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
      for (std::uint32_t cell = 0; cell < a[i].second.size(); ++cell) {
        const double t_ms = a[i].first;
        if (near_spike(base.train(probed_[probe], cell), t_ms) || near_spike(refined.train(probed_[probe], cell), t_ms))
          continue;
        const double change = a[i].second[cell] - b[i].second[cell];
        s.squares += change * change;
        ++s.samples;
      }
    }
  }

  const Circuit& circuit_;
  const std::vector<std::size_t>& probed_;
};

/// Halves the compartments of the circuit; says what it did.
std::string refine_compartments(network::CompartmentRule& rule) {
  if (rule.kind == network::CompartmentRule::Kind::d_lambda) {
    rule.d_lambda *= 0.5;
    return fmt::format("compartments of {:g} instead of {:g} length constants", rule.d_lambda, 2 * rule.d_lambda);
  }
  rule.max_length_um *= 0.5;
  return fmt::format("compartment rule max_length {:g} instead of {:g} um", rule.max_length_um, 2 * rule.max_length_um);
}

}  // namespace

Convergence check_convergence(const Circuit& configured, std::size_t threads, core::Progress& progress) {
  Circuit circuit = configured;
  freeze_noise(circuit);
  const std::vector<std::size_t> probed = set_probes(circuit);
  const Comparison comparison(circuit, probed);
  constexpr double kShares[] = {0.2, 0.4, 0.4};  // of the work

  PartOfProgress first(progress, 0, kShares[0]);
  const Collector base = run(circuit, threads, first);

  Circuit half_step = circuit;
  half_step.run.dt_ms *= 0.5;
  PartOfProgress second(progress, kShares[0], kShares[1]);
  const Collector in_time = run(half_step, threads, second);

  Circuit short_pieces = circuit;
  const std::string rule = refine_compartments(short_pieces.run.compartments);
  PartOfProgress third(progress, kShares[0] + kShares[1], kShares[2]);
  const Collector in_space = run(short_pieces, threads, third);

  Convergence result;
  result.duration_ms = circuit.run.duration_ms;
  result.time = {fmt::format("dt {:g} instead of {:g} ms", half_step.run.dt_ms, circuit.run.dt_ms),
                 circuit.run.scheme == network::TimeScheme::second_order ? 2.0 : 1.0, base.compartments,
                 in_time.compartments, comparison.compare(base, in_time)};
  result.space = {rule, 2.0, base.compartments, in_space.compartments, comparison.compare(base, in_space)};
  return result;
}

double remaining_error(double difference, double order) {
  return difference / (1.0 - std::pow(2.0, -order));
}

}  // namespace triscale::bridges

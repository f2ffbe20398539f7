#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "bridges/checks/population_checks.hpp"
#include "measure/pair_correlations.hpp"
#include "measure/spike_statistics.hpp"

namespace triscale::bridges {

namespace {

using measure::ConsistencyCheck;
using measure::PairCorrelations;

/// Cells whose pairs are looked at: 435 pairs give the mean to 0.005 where a single correlation is uncertain by 0.1.
constexpr std::size_t kMostCells = 30;
/// Of a cell in the analysed time: below, its count is nearly always 0 and correlates with nothing.
constexpr double kLeastSpikes = 10;

constexpr const char* kMean = "pair_correlation";
constexpr const char* kDistribution = "pair_correlation_distribution";
constexpr const char* kDecay = "pair_correlation_decay";

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Every k-th of the cells that fire enough in both tiers.
std::vector<std::uint32_t> chosen_cells(const Judge& judge, const TierPair& pair) {
  const auto finer_hz = pair.finer.cell_rates_hz(judge.original()),
             coarser_hz = pair.coarser.cell_rates_hz(judge.original());
  std::vector<std::uint32_t> active;
  for (std::uint32_t cell = 0; cell < finer_hz.size(); ++cell) {
    if (std::min(finer_hz[cell], coarser_hz[cell]) * judge.window_s() >= kLeastSpikes) active.push_back(cell);
  }
  if (active.size() <= kMostCells) return active;
  std::vector<std::uint32_t> chosen;
  for (std::size_t k = 0; k < kMostCells; ++k) chosen.push_back(active[k * active.size() / kMostCells]);
  return chosen;
}

/// Indices of the nearest and of the farthest third of the pairs.
struct ByDistance {
  std::vector<std::size_t> near, far;
  double near_um = 0, far_um = 0;  ///< mean distances
};

/// nullopt where positions are unknown or all the same.
std::optional<ByDistance> by_distance(const PairCorrelations& pairs,
                                      const std::vector<std::array<double, 3>>& positions_um) {
  if (positions_um.empty()) return std::nullopt;
  std::vector<double> distance_um;
  for (const PairCorrelations::Pair& pair : pairs.pairs()) {
    const auto &a = positions_um[pair.a], &b = positions_um[pair.b];
    distance_um.push_back(std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]));
  }
  std::vector<std::size_t> order(distance_um.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return distance_um[a] < distance_um[b]; });
  const auto third = static_cast<std::ptrdiff_t>(order.size() / 3);
  ByDistance result{{order.begin(), order.begin() + third}, {order.end() - third, order.end()}};
  for (const std::size_t k : result.near) result.near_um += distance_um[k] / static_cast<double>(third);
  for (const std::size_t k : result.far) result.far_um += distance_um[k] / static_cast<double>(third);
  if (!(result.far_um > result.near_um)) return std::nullopt;
  return result;
}

double near_minus_far(const std::vector<double>& correlations, const ByDistance& groups) {
  double near = 0, far = 0;
  for (const std::size_t k : groups.near) near += correlations[k];
  for (const std::size_t k : groups.far) far += correlations[k];
  return (near - far) / static_cast<double>(groups.near.size());
}

/// What the checks look at, of the data or of one replicate.
struct Outcome {
  double finer_mean = 0, coarser_mean = 0;
  double distance = 0;
  double finer_decay = 0, coarser_decay = 0;
};

Outcome look(const PairCorrelations& finer, const PairCorrelations& coarser, const std::optional<ByDistance>& groups,
             Multiplicity m) {
  const std::vector<double> of_finer = finer.of(m), of_coarser = coarser.of(m);
  Outcome outcome{mean_of(of_finer), mean_of(of_coarser), measure::ks_distance(of_finer, of_coarser).value_or(0.0)};
  if (!groups) return outcome;
  outcome.finer_decay = near_minus_far(of_finer, *groups);
  outcome.coarser_decay = near_minus_far(of_coarser, *groups);
  return outcome;
}

void file_mean(Judge& judge, const TierPair& pair, const Outcome& outcome, std::size_t pairs,
               const Replicates& differences) {
  const ConsistencyTolerances& tolerances = judge.options().tolerances;
  ConsistencyCheck check = judge.begin_check(
      pair.subject, kMean,
      std::max(tolerances.pair_correlation, tolerances.pair_correlation_relative * outcome.finer_mean));
  check.finer_value = outcome.finer_mean;
  check.coarser_value = outcome.coarser_mean;
  check.difference = outcome.coarser_mean - outcome.finer_mean;
  check.note = fmt::format("mean over {} pairs, spike counts in {:.0f} ms", pairs, judge.options().bin_ms);
  judge.decide(std::move(check), judge.interval_of(differences));
}

void file_distance(Judge& judge, const TierPair& pair, const Outcome& outcome, Replicates distances) {
  const double bias = distances.values.empty() ? 0.0 : distances.mean() - outcome.distance;
  distances.shift(-2 * bias);
  for (double& value : distances.values) value = std::clamp(value, 0.0, 1.0);
  ConsistencyCheck check = judge.begin_check(pair.subject, kDistribution, judge.options().tolerances.ks_distance);
  check.finer_value = 0.0;
  check.coarser_value = std::clamp(outcome.distance - bias, 0.0, 1.0);
  check.difference = check.coarser_value;
  check.note = fmt::format("distance of the two distributions; {:.3f} before the correction for sampling noise",
                           outcome.distance);
  judge.decide(std::move(check), judge.interval_of(distances));
}

void file_decay(Judge& judge, const TierPair& pair, const Outcome& outcome, const std::optional<ByDistance>& groups,
                const Replicates& differences) {
  if (!groups) {
    return judge.omit(pair.subject, kDecay, "the circuit does not say where the cells are, or they are in one place");
  }
  ConsistencyCheck check = judge.begin_check(pair.subject, kDecay, judge.options().tolerances.pair_correlation);
  check.finer_value = outcome.finer_decay;
  check.coarser_value = outcome.coarser_decay;
  check.difference = outcome.coarser_decay - outcome.finer_decay;
  check.note = fmt::format("nearest third of the pairs ({:.0f} um) minus farthest third ({:.0f} um)", groups->near_um,
                           groups->far_um);
  judge.decide(std::move(check), judge.interval_of(differences));
}

void omit_all(Judge& judge, const TierPair& pair, const std::string& reason) {
  for (const char* name : {kMean, kDistribution, kDecay}) judge.omit(pair.subject, name, reason);
}

}  // namespace

void check_pairs(Judge& judge, const TierPair& pair) {
  if (!pair.finer.spiking() || !pair.coarser.spiking()) {
    return omit_all(judge, pair, "a mean-field model has no pairs of cells");
  }
  const std::vector<std::uint32_t> cells = chosen_cells(judge, pair);
  if (cells.size() < judge.options().min_cells) {
    return omit_all(judge, pair,
                    fmt::format("{} cells fire {:.0f} or more spikes in both tiers; {} are needed", cells.size(),
                                kLeastSpikes, judge.options().min_cells));
  }
  const PairCorrelations finer(pair.finer_tier.runs, judge.grid(), cells);
  const PairCorrelations coarser(pair.coarser_tier.runs, judge.grid(), cells);
  const std::optional<ByDistance> groups = by_distance(finer, pair.finer_tier.runs.front()->positions_um);
  const Outcome outcome = look(finer, coarser, groups, judge.original());
  const std::vector<Replicates> replicates = judge.replicates_of(3, [&](Multiplicity m) {
    const Outcome o = look(finer, coarser, groups, m);
    return std::vector<std::optional<double>>{o.coarser_mean - o.finer_mean, o.distance,
                                              o.coarser_decay - o.finer_decay};
  });
  file_mean(judge, pair, outcome, finer.pairs().size(), replicates[0]);
  file_distance(judge, pair, outcome, replicates[1]);
  file_decay(judge, pair, outcome, groups, replicates[2]);
}

}  // namespace triscale::bridges

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "bridges/checks/population_checks.hpp"
#include "measure/spike_statistics.hpp"

namespace triscale::bridges {

namespace {

using measure::BlockedPopulation;
using measure::ConsistencyCheck;
using CellStatistic = std::function<std::optional<double>(const BlockedPopulation&, Multiplicity)>;

constexpr double kTopFraction = 0.1;

/// Conditions that rate_distribution and top10_share share. Files the outcome and returns false where they are not met.
bool enough_for_distributions(Judge& judge, const TierPair& pair, const ConsistencyCheck& check) {
  if (!pair.finer.has_cell_rates() || !pair.coarser.has_cell_rates()) {
    judge.omit(pair.subject, check.statistic, "the mean-field model gives one rate for all cells");
    return false;
  }
  if (pair.finer.cells() < judge.options().min_cells) {
    judge.omit(pair.subject, check.statistic,
               fmt::format("a distribution over {} cells says little; {} are needed", pair.finer.cells(),
                           judge.options().min_cells));
    return false;
  }
  const auto original = judge.original();
  const double finer_hz = pair.finer.mean_rate_hz(original), coarser_hz = pair.coarser.mean_rate_hz(original);
  if (!(finer_hz > 0) && !(coarser_hz > 0)) {
    judge.omit(pair.subject, check.statistic, "the population does not fire in either tier");
    return false;
  }
  const double per_cell = std::max(finer_hz, coarser_hz) * judge.window_s();
  if (per_cell < judge.options().min_spikes_per_cell) {
    const double factor = std::min(judge.options().min_spikes_per_cell / per_cell, kMaxExtrapolation);
    judge.undecided(check,
                    fmt::format("{:.1f} spikes per cell: the spread of the counts is mostly chance; {:.0f} are needed",
                                per_cell, judge.options().min_spikes_per_cell),
                    factor * judge.grid().end_ms());
    return false;
  }
  return true;
}

Statistic between_spiking(const TierPair& pair) {
  return [&pair](Multiplicity m) {
    return measure::ks_distance(pair.finer.cell_rates_hz(m), pair.coarser.cell_rates_hz(m));
  };
}

/// Of the finer tier's spike counts from those that Poisson firing at the mean-field's rates would give: a rate of
/// 0.001 Hz is no disagreement with a cell that stayed silent.
Statistic to_expected_counts(const Judge& judge, const TierPair& pair) {
  const auto counts = [&judge, &pair](Multiplicity m) {
    std::vector<double> values = pair.finer.cell_rates_hz(m);
    for (double& value : values) value *= judge.window_s();
    return values;
  };
  std::vector<double> expected = pair.coarser.cell_rates_hz(judge.original());
  for (double& value : expected) value *= judge.window_s();
  double most = 10;
  for (const double value : counts(judge.original())) most = std::max(most, value);
  for (const double value : expected) most = std::max(most, value);
  const std::vector<double> cdf = measure::poisson_mixture_cdf(expected, static_cast<std::size_t>(2 * most));
  return [counts, cdf](Multiplicity m) { return measure::ks_distance_to_cdf(counts(m), cdf); };
}

void check_distance(Judge& judge, const TierPair& pair) {
  ConsistencyCheck check = judge.begin_check(pair.subject, "rate_distribution", judge.options().tolerances.ks_distance);
  if (!enough_for_distributions(judge, pair, check)) return;
  const Statistic distance = pair.coarser.spiking() ? between_spiking(pair) : to_expected_counts(judge, pair);
  const double observed = distance(judge.original()).value_or(0.0);
  Replicates replicates = judge.replicates_of(distance);
  const double bias = replicates.values.empty() ? 0.0 : replicates.mean() - observed;
  replicates.shift(-2 * bias);
  for (double& value : replicates.values) value = std::clamp(value, 0.0, 1.0);
  check.finer_value = 0.0;
  check.coarser_value = std::clamp(observed - bias, 0.0, 1.0);
  check.difference = check.coarser_value;
  check.note =
      fmt::format("distance of the two distributions; {:.3f} before the correction for counting noise", observed);
  judge.decide(std::move(check), judge.interval_of(replicates));
}

/// A statistic of the rates of single cells, each tier's value corrected for the bias that resampling shows.
void check_cells(Judge& judge, const TierPair& pair, const char* name, double tolerance,
                 const CellStatistic& statistic) {
  ConsistencyCheck check = judge.begin_check(pair.subject, name, tolerance);
  if (!enough_for_distributions(judge, pair, check)) return;
  const auto of = [&](const BlockedPopulation& population) -> Statistic {
    return [&](Multiplicity m) { return statistic(population, m); };
  };
  const Statistic finer = of(pair.finer), coarser = of(pair.coarser);
  const auto finer_value = finer(judge.original()), coarser_value = coarser(judge.original());
  if (!finer_value || !coarser_value) {
    return judge.undecided(std::move(check), "one of the two tiers does not fire", 2 * judge.grid().end_ms());
  }
  const Replicates finer_replicates = judge.replicates_of(finer), coarser_replicates = judge.replicates_of(coarser);
  Replicates differences = judge.replicates_of([&](Multiplicity m) -> std::optional<double> {
    const auto x = finer(m), y = coarser(m);
    if (!x || !y) return std::nullopt;
    return *y - *x;
  });
  if (differences.values.empty()) return judge.undecided(std::move(check), "too few spikes", 2 * judge.grid().end_ms());
  check.finer_value = std::clamp(2 * *finer_value - finer_replicates.mean(), 0.0, 1.0);
  check.coarser_value = std::clamp(2 * *coarser_value - coarser_replicates.mean(), 0.0, 1.0);
  check.difference = *check.coarser_value - *check.finer_value;
  differences.shift(*check.difference - differences.mean());
  judge.decide(std::move(check), judge.interval_of(differences));
}

}  // namespace

std::optional<double> silent_fraction(const BlockedPopulation& population, Multiplicity multiplicity, double window_s) {
  const std::vector<double> rates_hz = population.cell_rates_hz(multiplicity);
  if (population.spiking()) return measure::silent_fraction(rates_hz);
  if (rates_hz.empty()) return std::nullopt;
  double silent = 0;
  for (const double rate_hz : rates_hz) silent += std::exp(-rate_hz * window_s);
  return silent / static_cast<double>(rates_hz.size());
}

std::optional<double> top10_share(const BlockedPopulation& population, Multiplicity multiplicity) {
  return measure::top_share(population.cell_rates_hz(multiplicity), kTopFraction);
}

void check_distributions(Judge& judge, const TierPair& pair) {
  const ConsistencyTolerances& tolerances = judge.options().tolerances;
  check_distance(judge, pair);
  check_cells(judge, pair, "top10_share", tolerances.top10_share, top10_share);
  check_cells(judge, pair, "silent_fraction", tolerances.silent_fraction,
              [&judge](const BlockedPopulation& p, Multiplicity m) { return silent_fraction(p, m, judge.window_s()); });
}

}  // namespace triscale::bridges

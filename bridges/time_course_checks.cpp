#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bridges/population_checks.hpp"

namespace triscale::bridges {

namespace {

using measure::BlockedPopulation;
using measure::ConsistencyCheck;

/// A rate whose standard deviation over time is below this share of its mean has no time course.
constexpr double kConstantRate = 0.02;

/// The tier was given external input, and all of it at constant rates.
bool has_constant_input(const measure::Activity& rates) {
  bool any = false;
  for (const measure::PopulationActivity& population : rates.populations) {
    if (!population.is_virtual || population.rates_hz.empty()) continue;
    const auto [low, high] = std::minmax_element(population.rates_hz.begin(), population.rates_hz.end());
    if (*high - *low > 1e-9 * *high) return false;
    any = true;
  }
  return any;
}

}  // namespace

void check_rate_correlation(Judge& judge, const TierPair& pair) {
  constexpr const char* kName = "rate_correlation";
  const BlockedPopulation &finer = pair.finer, &coarser = pair.coarser;
  if (!finer.spiking()) return judge.omit(pair.subject, kName, "needs a spiking tier to compare with");
  if (finer.cells() < judge.options().min_cells) {
    return judge.omit(
        pair.subject, kName,
        fmt::format("chance cannot be told from signal with fewer than {} cells", judge.options().min_cells));
  }
  const Multiplicity all = judge.original();
  const bool constant = std::sqrt(coarser.rate_variance(all)) < kConstantRate * coarser.mean_rate_hz(all);
  if (!coarser.spiking() && constant && has_constant_input(pair.coarser_tier)) {
    return judge.omit(pair.subject, kName,
                      "the mean-field rate is constant, as its external input is: there is no time course to compare. "
                      "Fluctuations that finite numbers of cells and of input spikes make are not part of it");
  }
  // Either tier may be the one whose rate moves: a rhythm that only one of them has is a disagreement.
  const auto expected = [&](Multiplicity m) {
    const double shared_finer = finer.shared_rate_variance(m).value_or(0.0);
    if (coarser.spiking()) return std::max(shared_finer, coarser.shared_rate_variance(m).value_or(0.0));
    const double variance = finer.rate_variance(m);
    const double moving = variance > 0 ? std::min(1.0, coarser.rate_variance(m) / variance) : 0.0;
    return std::sqrt(std::max(shared_finer, moving));
  };
  const auto correlation = [&](Multiplicity m) {
    return BlockedPopulation::rate_correlation(finer, coarser, m).value_or(0.0);  // a constant follows nothing
  };
  const double reachable = expected(all);
  if (reachable < judge.options().min_expected_correlation) {
    return judge.omit(
        pair.subject, kName,
        fmt::format("the rate in bins of {:.0f} ms varies by chance: a perfect copy would correlate by {:.2f}",
                    judge.options().bin_ms, reachable));
  }
  ConsistencyCheck check = judge.begin_check(pair.subject, kName, judge.options().tolerances.correlation_shortfall);
  check.finer_value = reachable;
  check.coarser_value = correlation(all);
  check.difference = *check.coarser_value - reachable;
  check.note =
      "finer value: the correlation that a perfect copy with its own chance would reach; only falling short counts";
  judge.decide(std::move(check), judge.interval_of(judge.replicates_of([&](Multiplicity m) {
    return std::optional(correlation(m) - expected(m));
  })),
               Judge::Sides::shortfall);
}

}  // namespace triscale::bridges

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "bridges/checks/population_checks.hpp"

namespace triscale::bridges {

namespace {

using measure::BlockedPopulation;
using measure::ConsistencyCheck;

/// A rate whose standard deviation over time is below this share of its mean has no time course.
constexpr double kConstantRate = 0.02;

bool is_constant(const BlockedPopulation& population, Multiplicity m) {
  return std::sqrt(population.rate_variance(m)) < kConstantRate * population.mean_rate_hz(m);
}

/// Share of the variance that a tier's cells have in common; of a mean-field all, because it has no chance.
double shared_variance(const BlockedPopulation& population, Multiplicity m) {
  return population.spiking() ? population.shared_rate_variance(m).value_or(0.0) : 1.0;
}

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
  if (!coarser.spiking() && is_constant(coarser, all) && pair.coarser_tier.constant_input) {
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

/// In bins as short as a membrane time constant chance dominates, so the correlation is corrected for it (Spearman
/// 1904, Am. J. Psychol. 15:72): 1 is then perfect for any amount of chance.
void check_fine_correlation(Judge& judge, const TierPair& pair) {
  constexpr const char* kName = "rate_correlation_10ms";
  const BlockedPopulation &finer = pair.finer_tier.fine_blocks, &coarser = pair.coarser_tier.fine_blocks;
  if (!finer.spiking()) return judge.omit(pair.subject, kName, "needs a spiking tier to compare with");
  if (finer.cells() < judge.options().min_cells) {
    return judge.omit(
        pair.subject, kName,
        fmt::format("chance cannot be told from signal with fewer than {} cells", judge.options().min_cells));
  }
  const auto reachable = [&](Multiplicity m) {
    return std::sqrt(shared_variance(finer, m) * shared_variance(coarser, m));
  };
  const double expected = reachable(judge.original());
  if (expected < judge.options().min_expected_correlation) {
    return judge.omit(
        pair.subject, kName,
        fmt::format("the rate in bins of {:.0f} ms varies by chance: a perfect copy would correlate by {:.2f}",
                    judge.options().fine_bin_ms, expected));
  }
  if (!coarser.spiking() && pair.coarser_tier.constant_input && is_constant(coarser, judge.original())) {
    return judge.omit(pair.subject, kName,
                      "the mean-field rate is constant, as its external input is: there is no time course to compare");
  }
  const auto corrected = [&](Multiplicity m) -> std::optional<double> {
    const double expected_here = reachable(m);
    if (!(expected_here > 0)) return std::nullopt;
    return BlockedPopulation::rate_correlation(finer, coarser, m).value_or(0.0) / expected_here;
  };
  ConsistencyCheck check =
      judge.begin_check(pair.subject, kName, judge.options().tolerances.fine_correlation_shortfall);
  check.finer_value = 1.0;
  check.coarser_value = corrected(judge.original());
  check.difference = *check.coarser_value - 1.0;
  check.note = fmt::format("corrected for chance: {:.2f} before, where chance allows {:.2f}; only falling short counts",
                           *check.coarser_value * expected, expected);
  Replicates replicates = judge.replicates_of(corrected);
  replicates.shift(-1.0);
  judge.decide(std::move(check), judge.interval_of(replicates), Judge::Sides::shortfall);
}

}  // namespace

void check_time_courses(Judge& judge, const TierPair& pair) {
  check_rate_correlation(judge, pair);
  check_fine_correlation(judge, pair);
}

}  // namespace triscale::bridges

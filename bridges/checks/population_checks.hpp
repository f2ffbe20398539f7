/// The checks of one population between two neighbouring tiers; bridges/checks/consistency.hpp says what each compares.
/// Each files its outcome with the judge: a check, or an omission with the reason.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "bridges/checks/judge.hpp"
#include "measure/activity.hpp"
#include "measure/blocked_activity.hpp"

namespace triscale::bridges {

/// One population in one tier, in all runs.
struct TierPopulation {
  measure::Activity::Kind kind;
  std::vector<const measure::PopulationActivity*> runs;
  measure::BlockedPopulation blocks;
  measure::BlockedPopulation fine_blocks;  ///< the same blocks in finer bins
  bool constant_input = false;             ///< the tier was given external rates, and all of them constant

  bool spiking() const { return kind == measure::Activity::Kind::spikes; }
};

/// One population in two neighbouring tiers.
struct TierPair {
  CheckSubject subject;
  const TierPopulation& finer_tier;
  const TierPopulation& coarser_tier;
  const measure::BlockedPopulation& finer;  ///< finer_tier.blocks
  const measure::BlockedPopulation& coarser;
};

void check_mean_rate(Judge& judge, const TierPair& pair);
void check_cv(Judge& judge, const TierPair& pair);
/// rate_distribution, top10_share and silent_fraction.
void check_distributions(Judge& judge, const TierPair& pair);
/// rate_correlation and rate_correlation_10ms.
void check_time_courses(Judge& judge, const TierPair& pair);
/// pair_correlation, pair_correlation_distribution and pair_correlation_decay.
void check_pairs(Judge& judge, const TierPair& pair);
/// The power_... statistics.
void check_power(Judge& judge, const TierPair& pair);

/// Cells with enough intervals for a coefficient of variation.
std::vector<std::uint32_t> cells_with_intervals(const measure::BlockedPopulation& population, std::size_t least);
/// Share of cells without a spike in the window; of a mean-field, what Poisson firing at the cells' rates would give.
std::optional<double> silent_fraction(const measure::BlockedPopulation& population, Multiplicity multiplicity,
                                      double window_s);
/// Share of the spikes that the most active tenth of the cells fires.
std::optional<double> top10_share(const measure::BlockedPopulation& population, Multiplicity multiplicity);

}  // namespace triscale::bridges

/// Do neighbouring tiers agree? Statistics of every population are compared between each tier and the next coarser one,
/// and judged by equivalence testing (Schuirmann 1987, J. Pharmacokinet. Biopharm. 15:657): with the interval of the
/// difference from a block bootstrap over time (measure/bootstrap.hpp) and a tolerance that says which difference still
/// counts as agreement,
///   consistent    the whole interval lies within the tolerance,
///   inconsistent  the whole interval lies outside,
///   undecided     neither; the width shrinks with 1 / sqrt(simulated time), which tells how much time would decide.
/// A missing difference is thus never taken for agreement, and a significant but harmless one never for disagreement.
///
/// mean_rate: spikes per cell and second.
///
/// cv_isi: coefficient of variation of inter-spike intervals, mean over the cells that have enough intervals in both
/// tiers.
///
/// rate_distribution: Kolmogorov-Smirnov distance D between the rates of single cells. Counting noise makes D too
/// large, and resampling adds as much noise again, so 2 D - mean(D*) removes most of it (the bootstrap's bias
/// correction). A mean-field's cells count as firing Poisson numbers of spikes at their rates.
///
/// top10_share: share of all spikes that the most active 10 % of the cells fire, each tier's value corrected likewise.
///
/// silent_fraction: share of cells without a spike in the analysed time, corrected likewise; of a mean-field, what
/// Poisson firing at the rates that it expects of its cells would give.
///
/// rate_correlation: Pearson's correlation of the population's rates in bins. Two tiers that follow the same signal,
/// but have independent chance, correlate by a = the share of variance that cells have in common
/// (measure::shared_variance) if both spike, by sqrt(a) if the coarser one is a mean-field. This is `finer_value`; the
/// correlation itself is `coarser_value`, and only falling short of what can be expected counts. Where chance dominates
/// (a small) there is nothing to correlate.
///
/// rate_correlation_10ms: the same in bins as short as a membrane time constant, divided by what chance allows, so that
/// 1 is perfect.
///
/// pair_correlation, pair_correlation_distribution, pair_correlation_decay: correlation of the spike counts of pairs of
/// cells (measure/pair_correlations.hpp), the same pairs in both tiers: its mean, the Kolmogorov-Smirnov distance of
/// its distributions, and by how much the nearest third of the pairs is more correlated than the farthest.
///
/// power_below_15_hz, power_15_to_40_hz, power_40_to_150_hz: power density of the population's rate in a band, in dB
/// re 1 Hz^2/Hz. To a mean-field's goes what finite populations add (bridges/checks/finite_size_noise.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "measure/activity.hpp"
#include "measure/consistency_result.hpp"

namespace triscale::bridges {

/// The difference that still counts as agreement.
struct ConsistencyTolerances {
  /// Mean rate: 10 % of the finer tier's rate, a difference that hardly anybody builds a conclusion on, but not less
  /// than 0.2 Hz: one spike in five seconds is as good as silence.
  double rate_relative = 0.1;
  double rate_hz = 0.2;
  /// 0.1 separates regular (0.3), irregular (0.8 to 1) and bursting (> 1.2) firing with room to spare.
  double cv = 0.1;
  /// At no rate do the shares of cells below it differ by more than a fifth.
  double ks_distance = 0.2;
  /// The top 10 % of equal cells fire 10 % of the spikes, of lognormal cortical cells 30 to 50 %.
  double top10_share = 0.05;
  /// One cell in twenty: with that, who is silent is nearly the same question in both tiers.
  double silent_fraction = 0.05;
  /// Shortfall of the correlation: with no chance at work, it has to reach 0.8.
  double correlation_shortfall = 0.2;
  /// Of the correlation corrected for chance: it has to reach 0.95.
  double fine_correlation_shortfall = 0.05;
  /// A mean correlation r makes the variance of a pooled rate of n cells (1 + (n - 1) r) times that of independent
  /// cells: 0.02 is a fifth more for ten cells, and less than two recordings of one area differ by. For strongly
  /// correlated cells, a tenth of the finer tier's value.
  double pair_correlation = 0.02;
  double pair_correlation_relative = 0.1;
  /// Half or twice the power, the half-power point of every filter; an amplitude within 40 %.
  double power_db = 3;
};

struct ConsistencyOptions {
  ConsistencyTolerances tolerances;
  /// Ignored at the beginning, where the initial state still shows: a tenth of the run, but not more than this.
  double max_settle_ms = 500;
  double settle_fraction = 0.1;
  double min_block_ms = 250;  ///< longer than membrane and synaptic time constants and most adaptation
  double bin_ms = 50;
  double fine_bin_ms = 10;     ///< has to divide bin_ms
  std::size_t min_blocks = 5;  ///< fewer give no interval worth the name
  std::size_t replicates = 1000;
  double confidence = 0.95;
  std::size_t min_intervals = 10;         ///< of a cell, for its coefficient of variation
  double min_spikes_per_cell = 10;        ///< on average, for distributions over cells
  std::size_t min_cells = 10;             ///< for distributions over cells and for shared variance
  double min_expected_correlation = 0.3;  ///< below, rate time courses are left out: chance dominates them
  std::uint64_t seed = 1;
};

class Judge;  // bridges/checks/judge.hpp
/// Checks that a caller adds, of signals for instance: files its outcomes with the judge.
using ExtraChecks = std::function<void(Judge&)>;

/// What all tiers did in one run, from the finest to the coarsest.
using Run = std::vector<measure::Activity>;

/// The verdict on one run, or on several of the same circuit with other noise: their blocks are pooled, and a spread
/// between runs that the blocks do not explain widens the intervals. With fewer than two tiers there is nothing to
/// check and the verdict is undecided. Throws InputError if the activities do not describe the same populations, or
/// hold values that are not finite.
measure::Consistency check_consistency(const std::vector<Run>& runs, const ConsistencyOptions& options = {},
                                       const std::vector<ExtraChecks>& extra = {});
measure::Consistency check_consistency(const Run& run, const ConsistencyOptions& options = {},
                                       const std::vector<ExtraChecks>& extra = {});

}  // namespace triscale::bridges

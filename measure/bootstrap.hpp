/// Block bootstrap over simulated time (Kuensch 1989, Ann. Statist. 17:1217; Efron & Tibshirani 1993, ch. 8).
///
/// A run is cut into blocks longer than the memory of the activity. A replicate draws as many blocks as there are, with
/// replacement; a statistic of the replicate counts every block as often as it was drawn. The spread over replicates
/// shows how much the statistic depends on which stretch of time happened to be simulated.
///
/// What is resampled, and what is not:
/// - The same blocks are drawn for all tiers and populations. The tiers share external input and connectivity, so a
///   stretch with more input raises the rate of both; in the paired difference this common part cancels, as it should.
/// - Cells are not resampled. The tiers simulate the same cells with the same edges, all of them: they are the
///   population and not a sample from it. Resampling them would ask how another network would behave.
/// - Several runs with other noise (seeds): a block is drawn in all runs at once, so the blocks that are averages over
///   runs are what is resampled. That is right whether the runs were given the same external spikes or not. A spread
///   between runs that their blocks do not explain widens the interval (widened_for_runs).
/// - Intervals between spikes are made once, from the unbroken trains, and belong to the block they begin in; joining
///   blocks would make intervals that no cell ever showed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "measure/spike_statistics.hpp"

namespace triscale::measure {

/// How a run is cut. The last block ends with the run; what is left over at the beginning joins the settling time.
struct BlockGrid {
  double begin_ms = 0;
  double block_ms = 0;
  std::size_t blocks = 0;
  double bin_ms = 0;
  std::size_t bins_per_block = 0;

  double end_ms() const { return begin_ms + block_ms * static_cast<double>(blocks); }
  Window window() const { return {begin_ms, end_ms()}; }
};

/// Blocks of at least `min_block_ms`, longer for long runs (one fortieth), a whole number of bins each. A run too short
/// for one block of that length is one block; zero blocks if it is too short for one bin.
BlockGrid make_block_grid(double duration_ms, double settle_ms, double min_block_ms, double bin_ms);

/// How often each block is drawn in each replicate: a pure function of (seed, replicate). With several runs, the
/// blocks of all stand one after the other.
class BlockResampler {
 public:
  BlockResampler(std::size_t blocks, std::size_t replicates, std::uint64_t seed, std::size_t runs = 1);
  std::size_t replicates() const { return replicates_; }
  std::size_t runs() const { return runs_; }
  std::span<const double> multiplicity(std::size_t replicate) const {
    return {multiplicity_.data() + replicate * original_.size(), original_.size()};
  }
  /// Every block once: the data as they are.
  std::span<const double> original() const { return original_; }
  /// The blocks of all runs but one, scaled up to the weight of all. Needs at least 2 runs.
  std::vector<double> without_run(std::size_t run) const;

 private:
  std::size_t blocks_, replicates_, runs_;
  std::vector<double> multiplicity_;
  std::vector<double> original_;
};

struct Interval {
  double low = 0, high = 0;
};

/// Percentile interval of the replicates' values, expanded for the small number of blocks (Hesterberg 2015, Am.
/// Statistician 69:371, section 5.3): tail probability Phi(-sqrt(n/(n-1)) t_(alpha/2, n-1)) in place of alpha/2, n =
/// blocks. Without this, ten blocks give intervals that are too short. nullopt for fewer than 2 blocks or no values.
std::optional<Interval> percentile_interval(std::vector<double> values, std::size_t blocks, double confidence);

/// The interval of a statistic that was pooled over runs, widened if the runs differ by more than their blocks explain.
/// The variance of the pooled statistic is the larger of v, that of the replicates, and of the jackknife over runs,
///   V = (n - 1) / n sum_r (s_r - mean(s))^2,   s_r: the statistic without run r     (Efron & Tibshirani 1993, ch. 11),
/// and t quantiles have the degrees of freedom of the sum v + (V - v) (Satterthwaite 1946, Biometrics Bull. 2:110).
Interval widened_for_runs(Interval interval, const std::vector<double>& replicates,
                          const std::vector<double>& without_run, std::size_t blocks, double confidence);

}  // namespace triscale::measure

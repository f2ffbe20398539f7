/// Correlations of the spike counts of pairs of cells, as sums over blocks of time from which those of every bootstrap
/// replicate follow. With the counts x_i of cell i in bins,
///
///   r_ij = Cov(x_i, x_j) / sqrt(Var(x_i) Var(x_j)),
///
/// Pearson's "noise correlation" of electrophysiology (Cohen & Kohn 2011, Nat. Neurosci. 14:811), mean, variance and
/// covariance being taken over the bins of the replicate.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "measure/activity.hpp"
#include "measure/bootstrap.hpp"

namespace triscale::measure {

class PairCorrelations {
 public:
  /// Of all pairs of `cells` (indices within the population), over all runs.
  PairCorrelations(std::span<const PopulationActivity* const> runs, const BlockGrid& grid,
                   std::vector<std::uint32_t> cells);

  struct Pair {
    std::uint32_t a, b;  ///< indices within the population
  };
  const std::vector<Pair>& pairs() const { return pairs_; }

  /// In the order of pairs(); 0 for a pair of which a cell's count never varies.
  std::vector<double> of(std::span<const double> multiplicity) const;

 private:
  void count(const PopulationActivity& population, const BlockGrid& grid, std::size_t first_block);

  std::vector<std::uint32_t> cells_;
  std::vector<Pair> pairs_;
  std::size_t blocks_, bins_per_block_;
  std::vector<double> sums_;      ///< [block][cell]: sum of x_i over the block's bins
  std::vector<double> squares_;   ///< [block][cell]: of x_i^2
  std::vector<double> products_;  ///< [block][pair]: of x_i x_j
};

}  // namespace triscale::measure

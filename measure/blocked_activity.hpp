/// One population's activity, in one run or in several of equal length, cut into blocks of time, as sums from which
/// every statistic of a bootstrap replicate follows without touching the spikes again. `multiplicity` says how often
/// each block counts (BlockResampler).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "measure/activity.hpp"
#include "measure/bootstrap.hpp"

namespace triscale::measure {

class BlockedPopulation {
 public:
  /// The blocks of all runs stand one after the other: grid.blocks for each.
  BlockedPopulation(std::span<const PopulationActivity* const> runs, Activity::Kind kind, const BlockGrid& grid);

  using Multiplicity = std::span<const double>;

  bool spiking() const { return spiking_; }
  std::size_t cells() const { return cells_; }
  double spikes() const { return spikes_; }  ///< in the whole window, of all runs
  bool has_cell_rates() const { return spiking_ || !expected_rates_hz_.empty(); }
  /// Number of complete intervals of a cell in the whole window.
  double intervals(std::size_t cell) const;

  double mean_rate_hz(Multiplicity multiplicity) const;
  /// Per cell; a mean-field's expected rates do not depend on the blocks. Empty if there are none.
  std::vector<double> cell_rates_hz(Multiplicity multiplicity) const;
  /// Mean over the listed cells of the coefficient of variation of their intervals; cells with fewer than 2 intervals
  /// in the replicate are passed over. nullopt if that is all of them.
  std::optional<double> cv_isi(Multiplicity multiplicity, std::span<const std::uint32_t> of_cells) const;
  /// Variance over bins of the population's rate, Hz^2.
  double rate_variance(Multiplicity multiplicity) const;
  /// See shared_variance(); spiking populations only.
  std::optional<double> shared_rate_variance(Multiplicity multiplicity) const;

  /// Correlation of two populations' rates in bins; nullopt if one of them does not vary.
  static std::optional<double> rate_correlation(const BlockedPopulation& a, const BlockedPopulation& b,
                                                Multiplicity multiplicity);

 private:
  void count_spikes(const PopulationActivity& population, const BlockGrid& grid, std::size_t first_block);
  void add_expected_rates(const std::vector<double>& rates_hz, double share);
  std::size_t at(std::size_t cell, std::size_t block) const { return cell * blocks_ + block; }

  struct IntervalSums {
    double n = 0, sum = 0, squares = 0;
  };

  bool spiking_;
  std::size_t cells_, blocks_, bins_per_block_;
  double block_ms_, bin_ms_;
  double spikes_ = 0;
  std::vector<double> bin_rates_hz_;        ///< blocks * bins_per_block
  std::vector<double> counts_;              ///< [cell][block]
  std::vector<IntervalSums> intervals_;     ///< [cell][block]
  std::vector<double> squared_bin_counts_;  ///< per block: sum over cells and bins of count^2
  std::vector<double> expected_rates_hz_;
};

}  // namespace triscale::measure

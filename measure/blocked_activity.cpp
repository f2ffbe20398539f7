#include "measure/blocked_activity.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace triscale::measure {

namespace {
constexpr double kMsPerS = 1000.0;
}

BlockedPopulation::BlockedPopulation(std::span<const PopulationActivity* const> runs, Activity::Kind kind,
                                     const BlockGrid& grid)
    : spiking_(kind == Activity::Kind::spikes),
      cells_(runs.empty() ? 0 : runs.front()->cells),
      blocks_(grid.blocks * runs.size()),
      bins_per_block_(grid.bins_per_block),
      block_ms_(grid.block_ms),
      bin_ms_(grid.bin_ms) {
  if (spiking_) {
    counts_.assign(cells_ * blocks_, 0.0);
    intervals_.assign(cells_ * blocks_, {});
    squared_bin_counts_.assign(blocks_, 0.0);
  }
  for (std::size_t run = 0; run < runs.size(); ++run) {
    const std::vector<double> course = rate_time_course_hz(*runs[run], kind, grid.window(), grid.bin_ms);
    bin_rates_hz_.insert(bin_rates_hz_.end(), course.begin(), course.end());
    bin_rates_hz_.resize((run + 1) * grid.blocks * bins_per_block_, 0.0);
    if (spiking_) {
      count_spikes(*runs[run], grid, run * grid.blocks);
    } else {
      add_expected_rates(runs[run]->cell_rates_hz, 1.0 / static_cast<double>(runs.size()));
    }
  }
}

void BlockedPopulation::add_expected_rates(const std::vector<double>& rates_hz, double share) {
  expected_rates_hz_.resize(rates_hz.size(), 0.0);
  for (std::size_t cell = 0; cell < rates_hz.size(); ++cell) expected_rates_hz_[cell] += share * rates_hz[cell];
}

void BlockedPopulation::count_spikes(const PopulationActivity& population, const BlockGrid& grid,
                                     std::size_t first_block) {
  struct Last {
    double t_ms = 0;
    std::size_t block = 0, bin = 0;
    double in_bin = 0;  ///< spikes of the cell in that bin so far
    bool started = false;
  };
  std::vector<Last> last(cells_);
  const std::size_t bins = grid.blocks * bins_per_block_;
  for (std::size_t k = 0; k < population.spike_times_ms.size(); ++k) {
    const double t_ms = population.spike_times_ms[k];
    if (!grid.window().contains(t_ms)) continue;
    const std::size_t bin = std::min(bins - 1, static_cast<std::size_t>((t_ms - grid.begin_ms) / bin_ms_));
    const std::size_t block = first_block + bin / bins_per_block_;
    const std::size_t cell = population.spike_cells[k];
    spikes_ += 1;
    counts_[at(cell, block)] += 1;
    Last& previous = last[cell];
    if (previous.started) {
      IntervalSums& sums = intervals_[at(cell, previous.block)];
      const double interval = t_ms - previous.t_ms;
      sums.n += 1;
      sums.sum += interval;
      sums.squares += interval * interval;
    }
    const double in_bin = previous.started && previous.bin == bin ? previous.in_bin + 1 : 1;
    squared_bin_counts_[block] += 2 * in_bin - 1;  // n^2 - (n - 1)^2
    previous = {t_ms, block, bin, in_bin, true};
  }
}

double BlockedPopulation::intervals(std::size_t cell) const {
  double n = 0;
  if (spiking_) {
    for (std::size_t block = 0; block < blocks_; ++block) n += intervals_[at(cell, block)].n;
  }
  return n;
}

double BlockedPopulation::mean_rate_hz(Multiplicity multiplicity) const {
  double sum = 0;
  for (std::size_t bin = 0; bin < bin_rates_hz_.size(); ++bin) {
    sum += multiplicity[bin / bins_per_block_] * bin_rates_hz_[bin];
  }
  return sum / static_cast<double>(bin_rates_hz_.size());
}

std::vector<double> BlockedPopulation::cell_rates_hz(Multiplicity multiplicity) const {
  if (!spiking_) return expected_rates_hz_;
  std::vector<double> rates(cells_, 0.0);
  const double scale = kMsPerS / (block_ms_ * static_cast<double>(blocks_));
  for (std::size_t cell = 0; cell < cells_; ++cell) {
    const double* counts = counts_.data() + at(cell, 0);
    rates[cell] = scale * std::inner_product(multiplicity.begin(), multiplicity.end(), counts, 0.0);
  }
  return rates;
}

std::optional<double> BlockedPopulation::cv_isi(Multiplicity multiplicity,
                                                std::span<const std::uint32_t> of_cells) const {
  if (!spiking_) return std::nullopt;
  double total = 0, counted = 0;
  for (const std::uint32_t cell : of_cells) {
    IntervalSums sums;
    for (std::size_t block = 0; block < blocks_; ++block) {
      const IntervalSums& part = intervals_[at(cell, block)];
      sums.n += multiplicity[block] * part.n;
      sums.sum += multiplicity[block] * part.sum;
      sums.squares += multiplicity[block] * part.squares;
    }
    if (sums.n < 2 || !(sums.sum > 0)) continue;
    const double mean = sums.sum / sums.n;
    total += std::sqrt(std::max(0.0, (sums.squares - sums.n * mean * mean) / (sums.n - 1))) / mean;
    counted += 1;
  }
  if (!(counted > 0)) return std::nullopt;
  return total / counted;
}

double BlockedPopulation::rate_variance(Multiplicity multiplicity) const {
  const double mean = mean_rate_hz(multiplicity);
  double squares = 0;
  for (std::size_t bin = 0; bin < bin_rates_hz_.size(); ++bin) {
    squares += multiplicity[bin / bins_per_block_] * (bin_rates_hz_[bin] - mean) * (bin_rates_hz_[bin] - mean);
  }
  return squares / static_cast<double>(bin_rates_hz_.size());
}

std::optional<double> BlockedPopulation::shared_rate_variance(Multiplicity multiplicity) const {
  if (!spiking_ || cells_ == 0) return std::nullopt;
  const double bins = static_cast<double>(bin_rates_hz_.size());
  const double squares = std::inner_product(multiplicity.begin(), multiplicity.end(), squared_bin_counts_.begin(), 0.0);
  double squared_means = 0;
  for (std::size_t cell = 0; cell < cells_; ++cell) {
    const double* counts = counts_.data() + at(cell, 0);
    const double mean = std::inner_product(multiplicity.begin(), multiplicity.end(), counts, 0.0) / bins;
    squared_means += mean * mean;
  }
  const double sum_of_variances = squares / bins - squared_means;
  const double counts_per_hz = static_cast<double>(cells_) * bin_ms_ / kMsPerS;
  return shared_variance(static_cast<double>(cells_), sum_of_variances,
                         rate_variance(multiplicity) * counts_per_hz * counts_per_hz);
}

std::optional<double> BlockedPopulation::rate_correlation(const BlockedPopulation& a, const BlockedPopulation& b,
                                                          Multiplicity multiplicity) {
  const double mean_a = a.mean_rate_hz(multiplicity), mean_b = b.mean_rate_hz(multiplicity);
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t bin = 0; bin < a.bin_rates_hz_.size(); ++bin) {
    const double weight = multiplicity[bin / a.bins_per_block_];
    const double da = a.bin_rates_hz_[bin] - mean_a, db = b.bin_rates_hz_[bin] - mean_b;
    aa += weight * da * da;
    bb += weight * db * db;
    ab += weight * da * db;
  }
  if (!(aa > 0) || !(bb > 0)) return std::nullopt;
  return std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0);
}

}  // namespace triscale::measure

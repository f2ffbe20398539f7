#include "measure/pair_correlations.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace triscale::measure {

namespace {

/// sums[k] = sum over blocks of multiplicity[block] * values[block][k].
std::vector<double> weighted(const std::vector<double>& values, std::size_t width,
                             std::span<const double> multiplicity) {
  std::vector<double> sums(width, 0.0);
  for (std::size_t block = 0; block < multiplicity.size(); ++block) {
    if (multiplicity[block] == 0) continue;
    const double* row = values.data() + block * width;
    for (std::size_t k = 0; k < width; ++k) sums[k] += multiplicity[block] * row[k];
  }
  return sums;
}

}  // namespace

PairCorrelations::PairCorrelations(std::span<const PopulationActivity* const> runs, const BlockGrid& grid,
                                   std::vector<std::uint32_t> cells)
    : cells_(std::move(cells)), blocks_(grid.blocks * runs.size()), bins_per_block_(grid.bins_per_block) {
  for (std::size_t a = 0; a < cells_.size(); ++a) {
    for (std::size_t b = a + 1; b < cells_.size(); ++b) pairs_.push_back({cells_[a], cells_[b]});
  }
  sums_.assign(blocks_ * cells_.size(), 0.0);
  squares_.assign(blocks_ * cells_.size(), 0.0);
  products_.assign(blocks_ * pairs_.size(), 0.0);
  for (std::size_t run = 0; run < runs.size(); ++run) count(*runs[run], grid, run * grid.blocks);
}

void PairCorrelations::count(const PopulationActivity& population, const BlockGrid& grid, std::size_t first_block) {
  constexpr std::size_t kNotWanted = static_cast<std::size_t>(-1);
  std::vector<std::size_t> place(population.cells, kNotWanted);
  for (std::size_t k = 0; k < cells_.size(); ++k) place[cells_[k]] = k;
  const std::size_t n = cells_.size(), bins = grid.blocks * bins_per_block_;
  std::vector<double> counts(bins * n, 0.0);
  for (std::size_t k = 0; k < population.spike_times_ms.size(); ++k) {
    const double t_ms = population.spike_times_ms[k];
    const std::size_t cell = place[population.spike_cells[k]];
    if (cell == kNotWanted || !grid.window().contains(t_ms)) continue;
    counts[std::min(bins - 1, static_cast<std::size_t>((t_ms - grid.begin_ms) / grid.bin_ms)) * n + cell] += 1;
  }
  for (std::size_t bin = 0; bin < bins; ++bin) {
    const double* x = counts.data() + bin * n;
    const std::size_t block = first_block + bin / bins_per_block_;
    double* product = products_.data() + block * pairs_.size();
    for (std::size_t a = 0; a < n; ++a) {
      if (x[a] != 0) {  // most bins of most cells are empty
        sums_[block * n + a] += x[a];
        squares_[block * n + a] += x[a] * x[a];
        for (std::size_t b = a + 1; b < n; ++b) product[b - a - 1] += x[a] * x[b];
      }
      product += n - a - 1;
    }
  }
}

std::vector<double> PairCorrelations::of(std::span<const double> multiplicity) const {
  const std::size_t n = cells_.size();
  double bins = 0;
  for (const double m : multiplicity) bins += m * static_cast<double>(bins_per_block_);
  std::vector<double> mean = weighted(sums_, n, multiplicity), deviation = weighted(squares_, n, multiplicity);
  for (std::size_t k = 0; k < n; ++k) {
    mean[k] /= bins;
    deviation[k] = std::sqrt(std::max(0.0, deviation[k] / bins - mean[k] * mean[k]));
  }
  std::vector<double> r = weighted(products_, pairs_.size(), multiplicity);
  std::size_t pair = 0;
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b, ++pair) {
      const double scale = deviation[a] * deviation[b];
      r[pair] = scale > 0 ? std::clamp((r[pair] / bins - mean[a] * mean[b]) / scale, -1.0, 1.0) : 0.0;
    }
  }
  return r;
}

}  // namespace triscale::measure

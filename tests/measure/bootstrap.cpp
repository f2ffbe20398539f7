#include "measure/bootstrap.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/random.hpp"
#include "measure/blocked_activity.hpp"
#include "tests/measure/point_processes.hpp"

namespace triscale::measure {
namespace {

TEST(BlockGrid, HoldsWholeBinsAndEndsWithTheRun) {
  const BlockGrid grid = make_block_grid(3000, 300, 250, 50);
  EXPECT_EQ(grid.blocks, 10u);
  EXPECT_DOUBLE_EQ(grid.block_ms, 250);
  EXPECT_DOUBLE_EQ(grid.begin_ms, 500);
  EXPECT_DOUBLE_EQ(grid.end_ms(), 3000);
  EXPECT_EQ(make_block_grid(60000, 0, 250, 50).block_ms, 1500);  // long runs: forty blocks
  EXPECT_EQ(make_block_grid(120, 0, 250, 50).blocks, 1u);        // two bins, one block
  EXPECT_EQ(make_block_grid(40, 0, 250, 50).blocks, 0u);
  EXPECT_EQ(make_block_grid(100, 100, 250, 50).blocks, 0u);
}

TEST(BlockResampler, DrawsAsManyBlocksAsThereAreAndDependsOnTheSeedOnly) {
  const BlockResampler a(7, 20, 1), b(7, 20, 1), other(7, 20, 2);
  bool differs = false;
  for (std::size_t r = 0; r < 20; ++r) {
    const auto m = a.multiplicity(r);
    EXPECT_DOUBLE_EQ(std::accumulate(m.begin(), m.end(), 0.0), 7.0);
    EXPECT_TRUE(std::equal(m.begin(), m.end(), b.multiplicity(r).begin()));
    differs = differs || !std::equal(m.begin(), m.end(), other.multiplicity(r).begin());
  }
  EXPECT_TRUE(differs);
}

TEST(PercentileInterval, IsExpandedForFewBlocks) {
  std::vector<double> values(100001);
  core::RandomStream random(1, core::Purpose::test, 0);
  for (double& value : values) value = random.next_normal();
  // Many blocks: the plain normal quantile. Ten blocks: sqrt(10/9) t_(0.975, 9) = 1.0541 * 2.2622.
  EXPECT_NEAR(percentile_interval(values, 100000, 0.95)->high, 1.960, 0.03);
  EXPECT_NEAR(percentile_interval(values, 10, 0.95)->high, 2.385, 0.04);
  EXPECT_NEAR(percentile_interval(values, 10, 0.95)->low, -2.385, 0.04);
  EXPECT_FALSE(percentile_interval(values, 1, 0.95));
  EXPECT_FALSE(percentile_interval({}, 10, 0.95));
}

/// Share of seeds for which the 95 % interval of the mean rate covers the truth.
double coverage(double duration_ms, const std::function<PopulationActivity(std::uint64_t)>& make, double truth_hz) {
  constexpr int kRuns = 300;
  const BlockGrid grid = make_block_grid(duration_ms, 0, 250, 50);
  int covered = 0;
  for (int run = 0; run < kRuns; ++run) {
    const PopulationActivity population = make(100 + static_cast<std::uint64_t>(run));
    const PopulationActivity* runs[] = {&population};
    const BlockedPopulation blocked(runs, Activity::Kind::spikes, grid);
    const BlockResampler resampler(grid.blocks, 400, static_cast<std::uint64_t>(run));
    std::vector<double> values;
    for (std::size_t r = 0; r < resampler.replicates(); ++r)
      values.push_back(blocked.mean_rate_hz(resampler.multiplicity(r)));
    const auto interval = percentile_interval(values, grid.blocks, 0.95);
    covered += interval->low <= truth_hz && truth_hz <= interval->high ? 1 : 0;
  }
  return covered / static_cast<double>(kRuns);
}

TEST(Bootstrap, IntervalOfARateCoversTheTruthForPoissonTrains) {
  const auto make = [](std::uint64_t seed) { return testing::poisson_population("E", 20, 2500, 8, seed); };
  const double covered = coverage(2500, make, 8);
  EXPECT_GT(covered, 0.92);  // binomial sd over 300 runs: 0.013
  EXPECT_LT(covered, 0.985);
}

TEST(Bootstrap, IntervalOfARateCoversTheTruthWhenAllCellsShareASlowSignal) {
  // The common rate is redrawn every 100 ms, so cells are correlated: counting spikes as independent would cover far
  // too rarely.
  const auto make = [](std::uint64_t seed) {
    const core::RandomStream signal(seed, core::Purpose::test, 1u << 20);
    const auto rate = [signal](std::size_t, double t_ms) {
      return 16 * signal.uniform(static_cast<std::uint64_t>(t_ms / 100));
    };
    return testing::gamma_population("E", 20, 5000, rate, 16, 1, seed);
  };
  const double covered = coverage(5000, make, 8);
  EXPECT_GT(covered, 0.90);
  EXPECT_LT(covered, 0.985);
}

TEST(BlockedPopulation, GivesThePlainStatisticsWhenEveryBlockCountsOnce) {
  const auto population = testing::poisson_population("E", 30, 10000, 12, 4, 3);
  const BlockGrid grid = make_block_grid(10000, 0, 250, 50);
  const PopulationActivity* runs[] = {&population};
  const BlockedPopulation blocked(runs, Activity::Kind::spikes, grid);
  const BlockResampler resampler(grid.blocks, 1, 1);
  const auto once = resampler.original();
  EXPECT_NEAR(blocked.mean_rate_hz(once), mean_rate_hz(population, Activity::Kind::spikes, grid.window()).value(),
              1e-9);
  const auto rates = cell_rates_hz(population, grid.window());
  const auto blocked_rates = blocked.cell_rates_hz(once);
  for (std::size_t cell = 0; cell < rates.size(); ++cell) EXPECT_NEAR(blocked_rates[cell], rates[cell], 1e-9);
  std::vector<std::uint32_t> all(30);
  std::iota(all.begin(), all.end(), 0);
  EXPECT_NEAR(blocked.cv_isi(once, all).value(), cv_isi(population, grid.window(), 2).value(), 1e-9);
}

TEST(BlockedPopulation, SharedVarianceEqualsBruteForceOverCells) {
  const auto rate = [](std::size_t, double t_ms) { return 10 + 8 * std::sin(t_ms / 150); };
  const auto population = testing::gamma_population("E", 25, 4000, rate, 18, 1, 6);
  const BlockGrid grid = make_block_grid(4000, 0, 250, 50);
  const PopulationActivity* runs[] = {&population};
  const BlockedPopulation blocked(runs, Activity::Kind::spikes, grid);
  const BlockResampler resampler(grid.blocks, 1, 1);

  const std::size_t bins = 80;
  std::vector<std::vector<double>> counts(26, std::vector<double>(bins, 0.0));  // the last row is the sum
  for (std::size_t k = 0; k < population.spike_times_ms.size(); ++k) {
    const auto bin = static_cast<std::size_t>(population.spike_times_ms[k] / 50);
    counts[population.spike_cells[k]][bin] += 1;
    counts[25][bin] += 1;
  }
  const auto variance = [&](const std::vector<double>& x) {
    double sum = 0, squares = 0;
    for (const double value : x) sum += value, squares += value * value;
    return squares / bins - sum * sum / (bins * bins);
  };
  double of_cells = 0;
  for (std::size_t cell = 0; cell < 25; ++cell) of_cells += variance(counts[cell]);
  const double expected = 25.0 / 24.0 * (1 - of_cells / variance(counts[25]));
  EXPECT_NEAR(blocked.shared_rate_variance(resampler.original()).value(), expected, 1e-9);
  EXPECT_GT(expected, 0.5);
}

}  // namespace
}  // namespace triscale::measure

#include "measure/spike_statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/random.hpp"
#include "tests/measure/point_processes.hpp"

namespace triscale::measure {
namespace {

PopulationActivity hand_made() {
  PopulationActivity population;
  population.cells = 3;
  population.spike_times_ms = {10, 20, 40, 50, 70, 90, 110};
  population.spike_cells = {0, 0, 0, 1, 0, 1, 0};
  return population;
}

TEST(SpikeStatistics, MeanRateCountsSpikesOfTheWindowOnly) {
  // 6 spikes in [0, 100) of 3 cells: 20 Hz. The one at 110 ms is outside.
  EXPECT_DOUBLE_EQ(mean_rate_hz(hand_made(), Activity::Kind::spikes, {0, 100}).value(), 20.0);
  // A window contains its begin and not its end: spikes at 20, 40, 50, 70.
  EXPECT_DOUBLE_EQ(mean_rate_hz(hand_made(), Activity::Kind::spikes, {20, 90}).value(), 4 * 1000.0 / (3 * 70));
  EXPECT_FALSE(mean_rate_hz(PopulationActivity{}, Activity::Kind::spikes, {0, 100}));
}

TEST(SpikeStatistics, CellRatesSayWhoFiredAndWhoWasSilent) {
  const auto rates = cell_rates_hz(hand_made(), {0, 100});
  EXPECT_EQ(rates, (std::vector<double>{40, 20, 0}));
  EXPECT_DOUBLE_EQ(silent_fraction(rates).value(), 1.0 / 3);
}

TEST(SpikeStatistics, MeanOfSampledRatesIsTheIntegralOverTheWindow) {
  PopulationActivity ramp;
  ramp.cells = 10;
  ramp.rate_times_ms = {0, 50, 100};
  ramp.rates_hz = {0, 5, 10};
  EXPECT_DOUBLE_EQ(mean_rate_hz(ramp, Activity::Kind::rates, {0, 100}).value(), 5.0);
  EXPECT_DOUBLE_EQ(mean_rate_hz(ramp, Activity::Kind::rates, {20, 40}).value(), 3.0);
  // Constant outside the samples.
  EXPECT_DOUBLE_EQ(mean_rate_hz(ramp, Activity::Kind::rates, {100, 200}).value(), 10.0);
  const auto course = rate_time_course_hz(ramp, Activity::Kind::rates, {0, 100}, 20);
  ASSERT_EQ(course.size(), 5u);
  for (std::size_t k = 0; k < 5; ++k) EXPECT_NEAR(course[k], 1.0 + 2.0 * static_cast<double>(k), 1e-12);
}

TEST(SpikeStatistics, CvIsTheMeanOverCellsWithEnoughIntervals) {
  // Cell 0 in [0, 100): 10, 20, 40, 70: intervals 10, 20, 30, mean 20, sd 10. Cell 1 has one interval: does not count.
  EXPECT_NEAR(cv_isi(hand_made(), {0, 100}, 2).value(), 0.5, 1e-12);
  EXPECT_FALSE(cv_isi(hand_made(), {0, 100}, 4));
  EXPECT_FALSE(cv_isi(PopulationActivity{}, {0, 100}, 2));
}

TEST(SpikeStatistics, CvOfPoissonTrainsIsOneAndOfGammaTrainsOneOverRootShape) {
  for (const int shape : {1, 4, 9}) {
    const auto population = testing::poisson_population("E", 100, 60000, 10, 3, shape);
    EXPECT_NEAR(cv_isi(population, {0, 60000}).value(), 1 / std::sqrt(shape), 0.01) << "shape " << shape;
    EXPECT_NEAR(mean_rate_hz(population, Activity::Kind::spikes, {0, 60000}).value(), 10.0, 0.2);
  }
}

TEST(SpikeStatistics, TopShareCountsCellsInPart) {
  const std::vector<double> equal(17, 3.0);
  EXPECT_NEAR(top_share(equal, 0.1).value(), 0.1, 1e-12);
  EXPECT_NEAR(top_share(std::vector<double>(30, 1.0), 0.1).value(), 0.1, 1e-12);
  // 15 cells: the most active one and half of the next.
  std::vector<double> skewed(15, 1.0);
  skewed[4] = 10;
  skewed[9] = 4;
  EXPECT_NEAR(top_share(skewed, 0.1).value(), (10 + 0.5 * 4) / (10 + 4 + 13), 1e-12);
  EXPECT_NEAR(top_share(skewed, 1.0).value(), 1.0, 1e-12);
  EXPECT_FALSE(top_share(std::vector<double>(5, 0.0), 0.1));
  EXPECT_FALSE(top_share(std::vector<double>{}, 0.1));
}

double brute_force_ks(const std::vector<double>& a, const std::vector<double>& b) {
  const auto below = [](const std::vector<double>& values, double x) {
    double n = 0;
    for (const double value : values) n += value <= x ? 1 : 0;
    return n / static_cast<double>(values.size());
  };
  double distance = 0;
  for (const auto* sample : {&a, &b}) {
    for (const double x : *sample) distance = std::max(distance, std::abs(below(a, x) - below(b, x)));
  }
  return distance;
}

TEST(SpikeStatistics, KsDistanceEqualsBruteForceWithManyTies) {
  core::RandomStream random(5, core::Purpose::test, 0);
  for (int trial = 0; trial < 200; ++trial) {
    std::vector<double> a(1 + random.next_below(30)), b(1 + random.next_below(30));
    const std::uint64_t levels = 2 + random.next_below(20);
    for (double& value : a) value = static_cast<double>(random.next_below(levels));
    for (double& value : b) value = static_cast<double>(random.next_below(levels));
    EXPECT_DOUBLE_EQ(ks_distance(a, b).value(), brute_force_ks(a, b));
  }
  EXPECT_DOUBLE_EQ(ks_distance({1, 1, 1}, {1, 1}).value(), 0.0);
  EXPECT_DOUBLE_EQ(ks_distance({1, 2}, {3, 4}).value(), 1.0);
  EXPECT_FALSE(ks_distance({}, {1}));
}

TEST(SpikeStatistics, CorrelationOfKnownPairs) {
  EXPECT_NEAR(correlation(std::vector<double>{1, 2, 3}, std::vector<double>{2, 4, 6}).value(), 1.0, 1e-12);
  EXPECT_NEAR(correlation(std::vector<double>{1, 2, 3}, std::vector<double>{3, 2, 1}).value(), -1.0, 1e-12);
  EXPECT_NEAR(correlation(std::vector<double>{1, 0, 1, 0}, std::vector<double>{1, 1, 0, 0}).value(), 0.0, 1e-12);
  EXPECT_FALSE(correlation(std::vector<double>{1, 1, 1}, std::vector<double>{1, 2, 3}));
}

TEST(SpikeStatistics, SharedVarianceIsNoneForIndependentAndAllForIdenticalCells) {
  EXPECT_NEAR(shared_variance(5, 5 * 2.0, 5 * 2.0).value(), 0.0, 1e-12);   // Var(sum) = sum of variances
  EXPECT_NEAR(shared_variance(5, 5 * 2.0, 25 * 2.0).value(), 1.0, 1e-12);  // Var(sum) = n^2 variance
  EXPECT_FALSE(shared_variance(1, 1, 1));
  EXPECT_FALSE(shared_variance(5, 0, 0));
}

TEST(SpikeStatistics, SpectrumIntegratesToTheVarianceAndPeaksAtTheRhythm) {
  constexpr double kBinMs = 2, kFrequencyHz = 40;
  std::vector<double> rates(8192);
  for (std::size_t k = 0; k < rates.size(); ++k) {
    rates[k] = 20 + 5 * std::sin(2 * std::numbers::pi * kFrequencyHz * static_cast<double>(k) * kBinMs / 1000);
  }
  const Spectrum spectrum = power_spectrum(rates, kBinMs, 500);
  double integral = 0;
  std::size_t peak = 0;
  for (std::size_t f = 0; f < spectrum.power.size(); ++f) {
    integral += spectrum.power[f] * spectrum.frequency_hz[1];
    if (spectrum.power[f] > spectrum.power[peak]) peak = f;
  }
  EXPECT_NEAR(integral, 12.5, 0.05);
  EXPECT_DOUBLE_EQ(spectrum.frequency_hz[peak], kFrequencyHz);
  EXPECT_TRUE(power_spectrum(std::vector<double>{1.0}, kBinMs, 500).power.empty());
}

TEST(SpikeStatistics, SpectrumOfPoissonSpikesIsFlatAtTwiceRateOverCells) {
  constexpr std::size_t kCells = 50;
  const auto population = testing::poisson_population("E", kCells, 100000, 8, 11);
  const auto course = rate_time_course_hz(population, Activity::Kind::spikes, {0, 100000}, 2);
  const Spectrum spectrum = power_spectrum(course, 2, 256);
  double low = 0, high = 0;
  const std::size_t half = spectrum.power.size() / 2;
  for (std::size_t f = 2; f < half; ++f) low += spectrum.power[f] / static_cast<double>(half - 2);
  for (std::size_t f = half; f + 1 < spectrum.power.size(); ++f) {
    high += spectrum.power[f] / static_cast<double>(spectrum.power.size() - 1 - half);
  }
  const double expected = 2 * 8.0 / kCells;  // one-sided: 2 nu / N
  EXPECT_NEAR(low, expected, 0.05 * expected);
  EXPECT_NEAR(high, expected, 0.05 * expected);
}

}  // namespace
}  // namespace triscale::measure

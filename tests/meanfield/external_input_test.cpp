#include "meanfield/external_input.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/random.hpp"

namespace triscale::meanfield {
namespace {

/// Poisson spikes of all cells together, rate_hz(t) per cell, by thinning.
template <typename Rate>
network::SpikeTrains poisson(std::size_t cells, double duration_ms, double max_hz, Rate rate_hz) {
  core::RandomStream random(5, core::Purpose::test, 1);
  network::SpikeTrains trains;
  const double per_ms = max_hz * static_cast<double>(cells) / 1000;
  for (double t = random.next_exponential() / per_ms; t < duration_ms; t += random.next_exponential() / per_ms) {
    const auto cell = static_cast<std::uint32_t>(random.next_below(cells));
    if (random.next_uniform() * max_hz > rate_hz(t)) continue;
    trains.times_ms.push_back(t);
    trains.cells.push_back(cell);
  }
  return trains;
}

double counted(const PiecewiseRate& rate, std::size_t cells, double duration_ms) {
  return rate.mean(0, duration_ms) * duration_ms / 1000 * static_cast<double>(cells);
}

TEST(ExternalInput, RatesConserveTheNumberOfSpikes) {
  const auto trains = poisson(30, 1234.5, 20, [](double) { return 20.0; });
  for (const double bin_ms : {0.0, 5.0, 7.3, 5000.0}) {
    const PiecewiseRate rate = rate_of_spikes(trains, 30, 1234.5, bin_ms);
    EXPECT_NEAR(counted(rate, 30, 1234.5), static_cast<double>(trains.times_ms.size()), 1e-6) << bin_ms;
  }
}

TEST(ExternalInput, SpikesAtTheBordersCountAndSpikesOutsideTheRunDoNot) {
  const network::SpikeTrains trains{{0, 50, 100, 100.1}, {0, 1, 0, 1}};
  EXPECT_NEAR(counted(rate_of_spikes(trains, 2, 100, 10), 2, 100), 3, 1e-12);
}

TEST(ExternalInput, StationarySpikesGiveANearlyConstantRateAndASteppedOneKeepsItsStep) {
  const auto flat = rate_of_spikes(poisson(100, 10000, 32, [](double) { return 32.0; }), 100, 10000);
  for (const double rate_hz : flat.rates_hz) EXPECT_NEAR(rate_hz, 32, 3);
  const auto step_at_half = [](double t) { return t < 5000 ? 5.0 : 40.0; };
  const auto stepped = rate_of_spikes(poisson(100, 10000, 40, step_at_half), 100, 10000);
  EXPECT_NEAR(stepped.mean(0, 4500), 5, 0.5);
  EXPECT_NEAR(stepped.mean(5500, 10000), 40, 2);
  const auto wave = [](double t) { return 20 * (1 + std::sin(t / 20)); };  // period 126 ms
  const auto waving = rate_of_spikes(poisson(100, 10000, 40, wave), 100, 10000);
  EXPECT_GT(waving.times_ms.size(), 10000.0 / 60);
}

TEST(ExternalInput, RelativeCellRatesAverageToOne) {
  const network::SpikeTrains trains{{1, 2, 3, 4}, {0, 0, 0, 2}};
  network::Population population;
  population.size = 4;
  population.is_virtual = true;
  population.source = trains;
  const std::vector<double> relative = relative_cell_rates(population, 10);
  EXPECT_EQ(relative, (std::vector<double>{3, 0, 1, 0}));
  population.source = network::PoissonTrains{{0}, {5}};
  EXPECT_EQ(relative_cell_rates(population, 10), std::vector<double>(4, 1.0));
}

TEST(ExternalInput, PiecewiseRatesHoldFromTheirTimesOn) {
  const PiecewiseRate rate{{10, 20}, {3, 7}};
  EXPECT_EQ(rate.at(9.99), 0);
  EXPECT_EQ(rate.at(10), 3);
  EXPECT_EQ(rate.at(25), 7);
  EXPECT_DOUBLE_EQ(rate.mean(0, 40), (3 * 10 + 7 * 20) / 40.0);
}

TEST(ExternalInput, CurrentsAreAveragedOverTheInterval) {
  network::CurrentClamp clamp;
  clamp.waveform = network::CurrentSegment{10, 20, 0.0, 1.0};
  EXPECT_EQ(mean_current_nA(clamp, 8, 10), 0);
  EXPECT_DOUBLE_EQ(mean_current_nA(clamp, 14, 16), 0.5);
  EXPECT_DOUBLE_EQ(mean_current_nA(clamp, 0, 40), 5.0 / 40);
  clamp.waveform = network::SampledCurrent{5, 0.5, {1, 2, 3}};
  EXPECT_EQ(mean_current_nA(clamp, 4, 5), 0);
  EXPECT_DOUBLE_EQ(mean_current_nA(clamp, 5.25, 5.75), 1.5);
  EXPECT_DOUBLE_EQ(mean_current_nA(clamp, 0, 10), 0.3);
  clamp.waveform = network::NoiseCurrent{0, 50, 0.2, 0.1, 3};
  EXPECT_DOUBLE_EQ(mean_current_nA(clamp, 40, 60), 0.1);
}

}  // namespace
}  // namespace triscale::meanfield

#include "meanfield/spike_trains.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "core/random.hpp"

namespace triscale::meanfield {
namespace {

/// Spike times of intervals d + exponential.
std::vector<double> train_ms(double rate_hz, double dead_time_ms, double duration_ms) {
  core::RandomStream random(1, core::Purpose::test, 7);
  std::vector<double> times;
  for (double t = 0; t < duration_ms;) {
    t += dead_time_ms - (1000 / rate_hz - dead_time_ms) * std::log(1 - random.next_uniform());
    times.push_back(t);
  }
  return times;
}

/// Variance of the train after a filter with the impulse response exp(-t / tau), relative to nu tau / 2.
double filtered_variance(const std::vector<double>& times, double rate_hz, double tau_ms) {
  constexpr double kStep_ms = 0.5;
  double x = 0, sum = 0, squares = 0, samples = 0;
  std::size_t next = 0;
  for (double t = kStep_ms; t < times.back(); t += kStep_ms) {
    x *= std::exp(-kStep_ms / tau_ms);
    for (; next < times.size() && times[next] < t; ++next) x += std::exp((times[next] - t) / tau_ms);
    sum += x;
    squares += x * x;
    ++samples;
  }
  const double mean = sum / samples;
  return (squares / samples - mean * mean) / (rate_hz / 1000 * tau_ms / 2);
}

TEST(SpikeTrains, AMembraneSeesAsMuchVarianceOfADrawnTrainAsTheFormulaSays) {
  for (const auto& [rate_hz, dead_time_ms] : {std::pair{20.0, 9.0}, std::pair{3.0, 13.0}, std::pair{60.0, 12.0}}) {
    const std::vector<double> times = train_ms(rate_hz, dead_time_ms, 2e6);
    const double measured = filtered_variance(times, rate_hz, 10);
    // A Poisson train of as many spikes would give 1 to about 1 %.
    EXPECT_NEAR(relative_variance(rate_hz, dead_time_ms, 10), measured, 0.03 * measured) << rate_hz;
    EXPECT_LT(measured, 0.96);
  }
}

TEST(SpikeTrains, VarianceIsTheIntegralOfTheSpectrum) {
  const double rate_hz = 25, dead_time_ms = 8, tau_ms = 12;
  double integral = 0;
  const double df = 2e-5;  // 1/ms
  for (double f = df / 2; f < 5; f += df) {
    const std::complex<double> lambda(0, 2 * std::numbers::pi * f);
    integral += 2 * df * dead_time_spectrum_hz(rate_hz, dead_time_ms, lambda) / std::norm(1.0 + lambda * tau_ms);
  }
  // int |1/(1 + i w tau)|^2 df = 1 / (2 tau); above 5 per ms the spectrum is flat
  const double beyond = 2 * rate_hz / (4 * std::numbers::pi * std::numbers::pi * tau_ms * tau_ms * 5);
  EXPECT_NEAR((integral + beyond) * 2 * tau_ms / rate_hz, relative_variance(rate_hz, dead_time_ms, tau_ms), 1e-4);
}

TEST(SpikeTrains, PowerAtFrequencyZeroIsTheLimitOfTheSpectrumAndWhatSlowFiltersSee) {
  const double rate_hz = 30, dead_time_ms = 10;
  EXPECT_NEAR(dead_time_spectrum_hz(rate_hz, dead_time_ms, {0, 1e-5}) / rate_hz,
              relative_power_at_0(rate_hz, dead_time_ms), 1e-6);
  EXPECT_NEAR(relative_variance(rate_hz, dead_time_ms, 1e6), relative_power_at_0(rate_hz, dead_time_ms), 1e-4);
  EXPECT_NEAR(relative_variance(rate_hz, dead_time_ms, 1e-3), 1, 1e-4) << "fast filters see single spikes";
}

TEST(SpikeTrains, NothingIsTakenFromPoissonTrainsAndNoMoreThanThereIs) {
  EXPECT_EQ(relative_variance(20, 0, 10), 1);
  EXPECT_EQ(relative_variance(0, 9, 10), 1);
  EXPECT_EQ(relative_power_at_0(20, 0), 1);
  EXPECT_NEAR(relative_variance(1e-9, 9, 10), 1, 1e-9);
  EXPECT_GT(relative_variance(500, 9, 10), 0) << "faster than the dead time allows: a clock";
  EXPECT_LT(relative_variance(500, 9, 10), 0.2);
  EXPECT_EQ(relative_power_at_0(500, 9), 0);
}

TEST(SpikeTrains, BeyondTheRefractoryPeriodTheDeadTimeGoesWithTheInverseOfTheRate) {
  network::TransferFunction transfer;
  transfer.t_ref_ms = 5;
  transfer.dead_time_ms = 11;
  EXPECT_EQ(DeadTime(transfer).at(0.1), 11) << "without a rate: at any";
  transfer.dead_time_at_hz = 10;
  const DeadTime dead_time(transfer);
  EXPECT_DOUBLE_EQ(dead_time.at(10), 11);
  EXPECT_DOUBLE_EQ(dead_time.at(20), 8);
  EXPECT_DOUBLE_EQ(dead_time.at(5), 17);
  EXPECT_EQ(dead_time.at(0), 11);
  EXPECT_NEAR(relative_variance(1e-6, dead_time.at(1e-6), 10), 1, 0.2) << "60,000 s: not a number otherwise";
  transfer.dead_time_ms = 3;
  EXPECT_EQ(DeadTime(transfer).at(20), 3) << "less than the refractory period: trains with bursts";
  EXPECT_EQ(DeadTime().at(20), 0);
}

TEST(SpikeTrains, TheDeadTimeIsFoundFromTheSpikesThatFollowASpike) {
  constexpr double kTau_ms = 10;
  const double rate_hz = 20, d_ms = 9;
  const std::vector<double> times = train_ms(rate_hz, d_ms, 4e5);
  double followers = 0, before = 0;
  for (std::size_t i = 0; i + 1 < times.size(); ++i) {
    before = (before + 1) * std::exp((times[i] - times[i + 1]) / kTau_ms);
    followers += before;
  }
  const double poisson = rate_hz / 1000 * kTau_ms;
  const double relative = followers / static_cast<double>(times.size()) / poisson;
  EXPECT_NEAR(dead_time_ms(rate_hz, relative, kTau_ms), d_ms, 0.5);
  EXPECT_NEAR(dead_time_ms(rate_hz, 1, kTau_ms), 0, 1e-9);
  EXPECT_NEAR(dead_time_ms(rate_hz, 1.3, kTau_ms), 0, 1e-9) << "bursts";
}

}  // namespace
}  // namespace triscale::meanfield

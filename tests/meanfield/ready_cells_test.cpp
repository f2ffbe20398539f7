#include "meanfield/ready_cells.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace triscale::meanfield {
namespace {

/// One class of cells whose dead time is 12 ms at 20 Hz and below, of which 4 ms are refractory.
PopulationModel population() {
  PopulationModel model;
  model.transfer.t_ref_ms = 4;
  model.transfer.dead_time_ms = 12;
  model.transfer.dead_time_at_hz = 20;
  model.classes.push_back({1, {}, {}, {}});
  model.ready = DeadTime(model.transfer);
  return model;
}

TEST(ReadyCells, ConstantInputGivesTheRateOfTheTransferFunctionWhateverTheDeadTime) {
  const PopulationModel model = population();
  for (const double nu_hz : {0.5, 20.0, 90.0, 240.0}) {
    ReadyCells ready(model, 0.2);
    std::vector<double> rates_hz;
    for (int k = 0; k < 5000; ++k) {
      rates_hz = {nu_hz};
      ready.step(rates_hz);
    }
    EXPECT_NEAR(rates_hz[0], nu_hz, 1e-6 * nu_hz) << nu_hz;
  }
}

TEST(ReadyCells, WithoutADeadTimeTheRateIsTheTransferFunctions) {
  PopulationModel model = population();
  model.transfer.dead_time_ms = model.transfer.t_ref_ms = 0;
  model.ready = DeadTime(model.transfer);
  ReadyCells ready(model, 0.2);
  for (const double nu_hz : {10.0, 500.0, 3.0}) {
    std::vector<double> rates_hz = {nu_hz};
    ready.step(rates_hz);
    EXPECT_EQ(rates_hz[0], nu_hz);
  }
}

TEST(ReadyCells, AStrongPulseFallsToTheCellsThatAreLeftAndNoCellFiresTwiceWithinItsDeadTime) {
  const PopulationModel model = population();
  const double dt = 0.1, before_hz = 20;
  ReadyCells ready(model, dt);
  std::vector<double> rates_hz;
  for (int k = 0; k < 5000; ++k) {
    rates_hz = {before_hz};
    ready.step(rates_hz);
  }
  const double nu_hz = 300;
  std::vector<double> pulse_hz;
  for (int k = 1; k <= 100; ++k) {
    rates_hz = {nu_hz};
    ready.step(rates_hz);
    pulse_hz.push_back(rates_hz[0]);
  }
  const double highest_hz = *std::max_element(pulse_hz.begin(), pulse_hz.end());
  EXPECT_NEAR(pulse_hz[0], nu_hz, 0.03 * nu_hz) << "a fast change finds the ready cells of before";
  EXPECT_LT(*std::min_element(pulse_hz.begin(), pulse_hz.end()), 0.5 * highest_hz) << "the input is still on";
  for (std::size_t k = 40; k < pulse_hz.size(); ++k) {
    double fired = 0;  // within the 4 ms of the refractory period
    for (std::size_t j = k - 40; j < k; ++j) fired += pulse_hz[j] * dt / 1000;
    EXPECT_LT(fired, 1) << k;
  }
}

TEST(ReadyCells, SmallModulationsGoThroughAsTheLinearResponseSays) {
  const PopulationModel model = population();
  const double mean_hz = 40, amplitude_hz = 0.01, dt = 0.05;
  double largest = 0;
  for (const double frequency_hz : {5.0, 20.0, 50.0, 125.0}) {
    const double omega = 2 * std::numbers::pi * frequency_hz / 1000;
    ReadyCells ready(model, dt);
    const auto cycle = static_cast<int>(std::lround(1000 / frequency_hz / dt));
    const int settle = cycle * static_cast<int>(std::ceil(300 * frequency_hz / 1000));
    std::complex<double> response = 0;
    for (int k = 0; k < settle + cycle; ++k) {
      std::vector<double> rates_hz = {mean_hz + amplitude_hz * std::sin(omega * (k + 1) * dt)};
      ready.step(rates_hz);
      if (k >= settle) response += rates_hz[0] * std::exp(std::complex<double>(0, -omega * (k + 1) * dt));
    }
    response *= std::complex<double>(0, 2) / (cycle * amplitude_hz);
    const std::complex<double> expected = ready_response(mean_hz, ready_dead_time_ms(model, mean_hz), {0, omega});
    EXPECT_LT(std::abs(response - expected), 5e-3) << frequency_hz;
    largest = std::max(largest, std::abs(expected - 1.0));
  }
  EXPECT_GT(largest, 0.05) << "else nothing is tested";
  EXPECT_NEAR(std::abs(ready_response(mean_hz, 8, 1e-9) - 1.0), 0, 1e-6) << "slow changes go through the function";
  EXPECT_EQ(ready_response(mean_hz, 8, 0), 1.0);
}

TEST(ReadyCells, StepErrorIsOfFirstOrder) {
  const PopulationModel model = population();
  const auto after = [&](double dt) {
    ReadyCells ready(model, dt);
    std::vector<double> rates_hz;
    for (int k = 1; k <= std::lround(100 / dt); ++k) {
      rates_hz = {30 + 25 * std::sin(k * dt / 4)};
      ready.step(rates_hz);
    }
    return rates_hz[0];
  };
  const double exact = after(0.005), coarse = std::abs(after(1) - exact), fine = std::abs(after(0.5) - exact);
  EXPECT_LT(coarse, 0.6);
  EXPECT_LT(fine, 0.65 * coarse);
}

/// Cells with adaptation whose recovery is known: the spikes that would follow a spike make the measured dead time.
TEST(ReadyCells, WhatAdaptationKeepsFromFollowingIsNotCountedAsRecovery) {
  PopulationModel model = population();
  model.transfer.P_mV = {-50, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  model.transfer.C_m_nF = 0.2;
  model.transfer.g_L_uS = 0.02;
  model.transfer.E_L_mV = -55;
  model.receptors.emplace_back(network::BiexponentialSynapse{0.5, 5, 0});
  model.channels.resize(1);
  model.classes = {{1, {0.0}, {2e-5}, {}}};
  const PopulationInput input{{100}, {}, {}, {}, 0};
  EXPECT_EQ(ready_dead_time(model, input).at(20), 12) << "no adaptation";

  const double b_nA = 0.06, tau_ms = 80, G_uS = 0.02, tau_m_ms = 10, recovery_ms = 9;
  model.transfer.adaptation_nA = {{b_nA, tau_ms}};
  const MembraneStatistics<double> at = statistics_of(model, model.classes[0], input);
  double followers = 0;
  for (double t = recovery_ms + 0.005; t < 150; t += 0.01) {
    MembraneStatistics<double> then = at;
    then.mu_mV -= b_nA / G_uS * tau_ms / (tau_ms - tau_m_ms) * (std::exp(-t / tau_ms) - std::exp(-t / tau_m_ms));
    followers += 0.001 * std::exp(-t / 10) * transfer_rate(model.transfer, then) / transfer_rate(model.transfer, at);
  }
  model.transfer.dead_time_ms = -10 * std::log(followers);
  EXPECT_GT(model.transfer.dead_time_ms, 11) << "else nothing is tested";
  EXPECT_NEAR(ready_dead_time(model, input).at(20), recovery_ms, 0.15);
  model.transfer.dead_time_ms = 4.5;
  EXPECT_EQ(ready_dead_time(model, input).at(20), 4) << "not less than the refractory period";
}

}  // namespace
}  // namespace triscale::meanfield

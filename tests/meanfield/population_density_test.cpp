#include "meanfield/population_density.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "tests/meanfield/reference.hpp"

namespace triscale::meanfield {
namespace {

TEST(PopulationDensity, StationaryRateIsSiegertsInTheDiffusionLimit) {
  for (const LifInput input : {LifInput{10, 5}, LifInput{14, 3}, LifInput{20, 6}}) {
    for (const double tau_syn_ms : {0.0, 0.5}) {
      const LifCell cell{10, 2, 15, 0, tau_syn_ms};
      PopulationDensity coarse(cell, {0.1, -25}), fine(cell, {0.05, -25});
      const double exact = lif_rate(cell, input).rate_hz;
      const double far = coarse.settle({input, {}}) / exact - 1, near = fine.settle({input, {}}) / exact - 1;
      EXPECT_NEAR(near, 0, 1e-3);
      EXPECT_LT(std::abs(near), 0.6 * std::abs(far) + 1e-6);
    }
  }
}

TEST(PopulationDensity, StepsEndInTheStationaryStateAndConserveMass) {
  const LifCell cell{10, 2, 15, 0, 0};
  const DensityInput input{{12, 4}, {{200, 0.5}, {100, -0.7}}};
  PopulationDensity moving(cell, {0.2, -20}), settled(cell, {0.2, -20});
  const double rate = settled.settle(input);
  EXPECT_NEAR(settled.mass(), 1, 1e-12);
  double last = 0;
  for (int step = 0; step < 1200; ++step) {
    last = moving.step(input, 0.25);
    ASSERT_NEAR(moving.mass(), 1, 1e-12);
    ASSERT_GE(moving.density().minCoeff(), -1e-15);
  }
  EXPECT_NEAR(last / rate, 1, 1e-8);
}

TEST(PopulationDensity, RateUnderExcitatoryJumpsConvergesToTheExactOne) {
  TRISCALE_REFERENCE(reference);
  const LifCell cell{20, 0, 20, 0, 0};
  const DensityInput input{{0, 0}, {{100, 5}}};
  // Drift without diffusion is upwind: the error falls with the width, and is extrapolated away.
  PopulationDensity coarse(cell, {0.04, -10}), fine(cell, {0.02, -10});
  const auto& exact = reference.at("dipde").at("event_driven_exact");
  const double found = 2 * fine.settle(input) - coarse.settle(input);
  EXPECT_NEAR(found, exact.at("rate").get<double>(), 0.003 + 3 * exact.at("sem").get<double>());
}

/// Jumps up and down whose mean and variance are those of white noise: single cells simulated event by event.
TEST(PopulationDensity, JumpsInTheTailGiveTheSimulatedRateWhereDiffusionFails) {
  TRISCALE_REFERENCE(reference);
  const LifCell cell{20, 2, 20, 10, 0};
  for (const auto& c : reference.at("diffusion_approximation_validity").at("cases")) {
    const double mu = c.at("mu_mV"), sigma = c.at("sigma_mV");
    for (const auto& sim : c.at("sims")) {
      const double J = sim.at("J_mV"), rate = sim.at("rate"), error = sim.at("sem");
      if (J < 0.2 || !(rate > 0)) continue;  // small jumps are expensive and show nothing
      // sigma^2 = tau_m J^2 (r_+ + r_-), mu = tau_m J (r_+ - r_-).
      const double sum_hz = 1000 * sigma * sigma / (J * J * cell.tau_m_ms), bias_hz = 1000 * mu / (J * cell.tau_m_ms);
      const DensityInput input{{0, 0}, {{(sum_hz + bias_hz) / 2, J}, {(sum_hz - bias_hz) / 2, -J}}};
      // Drift without diffusion is upwind: extrapolate its first-order error away.
      PopulationDensity coarse(cell, {J / 20, -15}), fine(cell, {J / 40, -15});
      const double found = 2 * fine.settle(input) - coarse.settle(input);
      std::printf("mu %4.1f sigma %3.1f J %4.2f: density %8.4f, simulated %8.4f +- %.4f, Siegert %8.4f Hz\n", mu, sigma,
                  J, found, rate, error, c.at("siegert_Hz").get<double>());
      EXPECT_NEAR(found, rate, 4 * error + 0.03 * rate);
    }
  }
}

TEST(PopulationDensity, GridThatDoesNotFitIsRefused) {
  EXPECT_THROW(PopulationDensity(LifCell{}, {0.1, 5}), core::InputError);
}

}  // namespace
}  // namespace triscale::meanfield

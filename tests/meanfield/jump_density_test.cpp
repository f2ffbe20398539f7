// Distributions of the potential with inputs of finite size, from the description of a network.
#include "meanfield/jump_density.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "tests/meanfield/reference.hpp"

namespace triscale::meanfield {
namespace {

const LifCell kCell{20, 2, 20, 10, 0};

/// A population that hears two others, one cell each, of jumps +J and -J.
LifNetwork heard_by(double J_mV) {
  LifNetwork n;
  n.populations = {{"up", 1, kCell}, {"down", 1, kCell}, {"target", 1, kCell}};
  n.in_degree = n.psp_mV = n.psp2_mV2 = n.delay_ms = n.delay_sd_ms = Eigen::MatrixXd::Zero(3, 3);
  n.in_degree.row(2) << 1, 1, 0;
  n.psp_mV.row(2) << J_mV, -J_mV, 0;
  n.psp2_mV2.row(2) << J_mV * J_mV, J_mV * J_mV, 0;
  return n;
}

/// Rates of "up" and "down" that make the target's input mu and sigma.
Eigen::Vector3d rates_for(const LifInput& input, double J_mV) {
  const double sum_hz = 1000 * input.sigma_mV * input.sigma_mV / (J_mV * J_mV * kCell.tau_m_ms);
  const double bias_hz = 1000 * input.mu_mV / (J_mV * kCell.tau_m_ms);
  return {(sum_hz + bias_hz) / 2, (sum_hz - bias_hz) / 2, 1};
}

TEST(JumpDensity, GivesTheSimulatedRateWhereDiffusionFails) {
  TRISCALE_REFERENCE(reference);
  std::size_t cases = 0;
  for (const auto& c : reference.at("diffusion_approximation_validity").at("cases")) {
    const LifInput input{c.at("mu_mV"), c.at("sigma_mV")};
    for (const auto& sim : c.at("sims")) {
      const double J = sim.at("J_mV"), rate = sim.at("rate"), error = sim.at("sem");
      if (J < 0.2 || !(rate > 0)) continue;
      const JumpDensity d = jump_densities(heard_by(J), rates_for(input, J))[2];
      EXPECT_NEAR(d.rate_hz, rate, 4 * error + 0.03 * rate) << J;
      EXPECT_NEAR(d.diffusion_rate_hz / lif_rate(kCell, input).rate_hz, 1, 0.01) << J;
      EXPECT_NEAR(d.largest_jump_mV, J, 1e-12);
      ++cases;
    }
  }
  EXPECT_GT(cases, 2u);
}

TEST(JumpDensity, SmallJumpsAreDiffusion) {
  const LifInput input{12, 5};
  const JumpDensity d = jump_densities(heard_by(0.05), rates_for(input, 0.05))[2];
  EXPECT_NEAR(d.rate_hz / lif_rate(kCell, input).rate_hz, 1, 0.02);
}

TEST(JumpDensity, InputFromOutsideCountsAsInputFromAPopulation) {
  const double J = 0.6, rate_hz = 1100;
  LifNetwork inside = heard_by(J), outside = heard_by(J);
  add_poisson_input(outside.populations[2], 1, J, J * J, rate_hz);
  outside.populations[2].mu_external_mV += 3;
  inside.populations[2].mu_external_mV = 3;
  const JumpDensity a = jump_densities(inside, Eigen::Vector3d(rate_hz, 0, 0))[2];
  const JumpDensity b = jump_densities(outside, Eigen::Vector3d(0, 0, 0))[2];
  ASSERT_GT(a.rate_hz, 0.1);
  EXPECT_NEAR(a.rate_hz, b.rate_hz, 1e-9 * a.rate_hz);
  EXPECT_NEAR(a.largest_jump_mV, b.largest_jump_mV, 1e-12);
}

TEST(JumpDensity, UnequalWeightsAreFewerAndLargerJumps) {
  constexpr double kJ = 0.5, kExcess = 1.2;  // <J^2> / <J>^2
  LifNetwork unequal = heard_by(kJ), equal = heard_by(kExcess * kJ);
  unequal.psp2_mV2 *= kExcess;
  equal.in_degree /= kExcess;
  const Eigen::Vector3d rates = rates_for({12, 3}, kJ);
  const JumpDensity a = jump_densities(unequal, rates)[2], b = jump_densities(equal, rates)[2];
  ASSERT_GT(a.rate_hz, 0.05);
  EXPECT_NEAR(a.rate_hz, b.rate_hz, 1e-9 * b.rate_hz);
  EXPECT_NEAR(a.diffusion_rate_hz, b.diffusion_rate_hz, 1e-9 * b.diffusion_rate_hz);
}

TEST(JumpDensity, IsNormalisedToTheCellsThatAreNotRefractory) {
  const JumpDensity d = jump_densities(heard_by(0.5), rates_for({16, 4}, 0.5))[2];
  const double width_mV = d.potential_mV[1] - d.potential_mV[0];
  const double share = 1 - d.diffusion_rate_hz * kCell.t_ref_ms / 1000;
  EXPECT_NEAR(width_mV * std::accumulate(d.by_diffusion.begin(), d.by_diffusion.end(), 0.0), share, 1e-3);
  EXPECT_LT(d.potential_mV.back(), kCell.V_threshold_mV);
  EXPECT_GT(d.potential_mV.back(), kCell.V_threshold_mV - 2 * width_mV);
}

}  // namespace
}  // namespace triscale::meanfield

#include "meanfield/input_effects.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "meanfield/population_density.hpp"

namespace triscale::meanfield {
namespace {

/// Jumps up, and twice as many down of half the size: without mean, of variance 4.5 mV^2 in the convention of sigma.
std::vector<JumpInput> jumps_of(double up_mV) {
  const double rate_hz = 4.5 / (0.010 * 1.5 * up_mV * up_mV);
  return {{rate_hz, up_mV}, {2 * rate_hz, -up_mV / 2}};
}

/// Two populations: 0 receives from outside, and from the 1000 cells of population 1. From outside comes a mean of 9 mV
/// and noise of 3 mV, half of its power white and half as jumps.
LifNetwork network(double jump_mV, double source_mu_mV, double source_sigma_mV) {
  LifNetwork result;
  result.populations.resize(2);
  const LifCell cell{10, 2, 15, 0, 0};
  for (LifPopulation& population : result.populations) {
    population.cells = 1000;
    population.cell = cell;
  }
  LifPopulation& target = result.populations[0];
  for (const JumpInput& jump : jumps_of(jump_mV)) {
    add_poisson_input(target, 1, jump.size_mV, jump.size_mV * jump.size_mV, jump.rate_hz);
  }
  target.mu_external_mV = 9;
  target.sigma2_external_mV2 = 9;
  result.populations[1].mu_external_mV = source_mu_mV;
  result.populations[1].sigma2_external_mV2 = source_sigma_mV * source_sigma_mV;
  for (Eigen::MatrixXd* m :
       {&result.in_degree, &result.psp_mV, &result.psp2_mV2, &result.delay_ms, &result.delay_sd_ms}) {
    *m = Eigen::MatrixXd::Zero(2, 2);
  }
  return result;
}

void connect(LifNetwork& network, double in_degree, double psp_mV) {
  network.in_degree(0, 1) = in_degree;
  network.psp_mV(0, 1) = psp_mV;
  network.psp2_mV2(0, 1) = psp_mV * psp_mV;
  network.delay_ms(0, 1) = 1;
}

std::vector<InputEffects> effects_of(const LifNetwork& network, bool with_response = false) {
  const LifTheory theory(network);
  Eigen::VectorXd rates(2);
  rates << 0, 0;
  for (int k = 0; k < 2; ++k) rates = theory.transfer_hz(rates, nullptr);  // no loop: two passes are exact
  HeterogeneityOptions equal;
  equal.in_degree_fano = 0;
  const auto distributions = rate_distributions(network, rates, equal);
  const auto linear = theory.linearise(rates);
  return input_effects(network, distributions, with_response ? linear.get() : nullptr);
}

/// The density under the jumps themselves against the density under white noise of the same mean and variance. The
/// expansion is for jumps that synapses smooth; it leaves out the layer below the threshold from which bare jumps
/// leave, 19 to 28 % of the effect here.
TEST(InputEffects, JumpsChangeTheRateAsTheDensityUnderJumpsDoes) {
  for (const double jump_mV : {0.2, 0.4}) {
    const LifNetwork net = network(jump_mV, 5, 3);
    PopulationDensity white(net.populations[0].cell, {0.025, -20}), jumps(net.populations[0].cell, {0.025, -20});
    const double without = white.settle({{9, 3}, {}});
    const double with = jumps.settle({{9, std::sqrt(4.5)}, jumps_of(jump_mV)});
    const double expected = with / without - 1;
    EXPECT_GT(std::abs(expected), 0.005);
    EXPECT_NEAR(effects_of(net)[0].jumps / expected, 1, 0.35) << jump_mV << ": " << expected;
  }
}

/// Sources that fire like Poisson processes (CV near 1) change nothing; regular ones do, the more of them the more.
TEST(InputEffects, RegularSourcesCountAndPoissonLikeOnesDoNot) {
  LifNetwork regular = network(0.2, 17, 1.5), irregular = network(0.2, 2, 6.5), fewer = regular;
  connect(regular, 200, 0.1);
  connect(fewer, 100, 0.1);
  connect(irregular, 200, 0.1);
  // The target is to work at the same point in all three.
  for (LifNetwork* net : {&regular, &irregular, &fewer}) {
    const double source_hz = lif_rate(net->populations[1].cell, {net->populations[1].mu_external_mV,
                                                                 std::sqrt(net->populations[1].sigma2_external_mV2)})
                                 .rate_hz;
    net->populations[0].mu_external_mV -= 0.010 * net->in_degree(0, 1) * 0.1 * source_hz;
  }
  const double by_regular = effects_of(regular)[0].colour, by_fewer = effects_of(fewer)[0].colour;
  EXPECT_GT(std::abs(by_regular), 0.005);
  EXPECT_LT(std::abs(effects_of(irregular)[0].colour), 0.3 * std::abs(by_regular));
  EXPECT_GT(by_regular / by_fewer, 1.2);
}

/// Common sources: 100 of 1000 cells onto each, so that all cells of the target see the population's fluctuations.
TEST(InputEffects, FluctuationsNeedALinearResponseAndVanishWithoutLoops) {
  LifNetwork net = network(0.25, 8, 5);
  connect(net, 100, 0.15);
  EXPECT_FALSE(effects_of(net)[0].fluctuations.has_value());
  ASSERT_TRUE(effects_of(net, true)[0].fluctuations.has_value());
  EXPECT_NEAR(*effects_of(net, true)[0].fluctuations, 0, 1e-12) << "the source is driven by nothing but its own noise";
  net.in_degree(1, 1) = 100;  // excites itself: its fluctuations grow beyond those of independent cells
  net.psp_mV(1, 1) = 0.1;
  net.psp2_mV2(1, 1) = 0.01;
  net.delay_ms(1, 1) = 1;
  net.populations[1].cells = 100;
  EXPECT_GT(*effects_of(net, true)[0].fluctuations, 1e-3);
}

TEST(InputEffects, CellsWithoutNoiseGetNoEffects) {
  const LifNetwork net = network(0.25, 20, 0);
  const auto effects = effects_of(net);
  ASSERT_EQ(effects.size(), 2u);
  EXPECT_EQ(effects[0].jumps, 0);
  EXPECT_EQ(effects[1].cv, 0);
}

}  // namespace
}  // namespace triscale::meanfield

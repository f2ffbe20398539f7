// Adaptive exponential integrate-and-fire neuron: order of convergence, fixed points, adaptation, guarded upstroke.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

/// Brette & Gerstner 2005, regular adaptation.
network::AdExModel adex() {
  network::AdExModel model;
  model.C_m_nF = 0.281;
  model.g_L_uS = 0.03;
  model.E_L_mV = -70.6;
  model.V_T_mV = -50.4;
  model.Delta_T_mV = 2;
  model.V_peak_mV = 20;
  model.V_reset_mV = -70.6;
  model.t_ref_ms = 2;
  model.a_uS = 0.004;
  model.b_nA = 0.0805;
  model.tau_w_ms = 144;
  return model;
}

double V_at_32_ms(double dt) {
  network::Circuit circuit = testing::cells_of(adex(), 1, 32 + 1e-6, dt);
  testing::add_step_current(circuit, 0, 1e9, 0.45);
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{0.0, 8.0, 16.0}, {0, 0, 0}});
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{1, 4, 0}}), {{0}, {0}, {0.004}, {2.0}, {}});
  testing::add_probe(circuit, "v");
  const auto samples = testing::run(circuit).probes[0];
  for (const auto& [t, V] : samples) {
    if (std::abs(t - 32) < 1e-9) return V[0];
  }
  return std::nan("");
}

TEST(AdEx, PotentialConvergesWithSecondOrder) {
  const double reference = V_at_32_ms(0.4 / 128);
  double previous = std::abs(V_at_32_ms(0.4) - reference);
  ASSERT_GT(previous, 1e-6);
  for (double dt : {0.2, 0.1, 0.05}) {
    const double error = std::abs(V_at_32_ms(dt) - reference);
    const double order = std::log2(previous / error);
    RecordProperty("order_at_dt_" + std::to_string(dt), std::to_string(order));
    EXPECT_NEAR(order, 2.0, 0.2) << "dt " << dt << ", error " << error;
    previous = error;
  }
}

TEST(AdEx, RestsAtTheFixedPointOfItsEquations) {
  network::Circuit circuit = testing::cells_of(adex(), 1, 3000, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 0.5);
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "w");
  auto recorder = testing::run(circuit);
  EXPECT_TRUE(recorder.spikes.empty());
  const network::AdExModel m = adex();
  const double V = recorder.probes[0].back().second[0];
  const double w = recorder.probes[1].back().second[0];
  EXPECT_NEAR(w, m.a_uS * (V - m.E_L_mV), 1e-9);
  EXPECT_NEAR(-m.g_L_uS * (V - m.E_L_mV) + m.g_L_uS * m.Delta_T_mV * std::exp((V - m.V_T_mV) / m.Delta_T_mV) - w + 0.5,
              0, 1e-6);
}

TEST(AdEx, SpikeTimesConvergeToThoseOfASmallStep) {
  const auto times_with = [](double dt) {
    network::Circuit circuit = testing::cells_of(adex(), 1, 300, dt);
    testing::add_step_current(circuit, 0, 1e9, 1.0);
    return testing::run(circuit).times_of(0);
  };
  const auto reference = times_with(0.001);
  ASSERT_GT(reference.size(), 4u);
  for (double dt : {0.1, 0.02}) {
    const auto times = times_with(dt);
    ASSERT_EQ(times.size(), reference.size());
    // Every interval is late by up to dt, because spikes are on the grid; a tenth more for the upstroke.
    for (std::size_t n = 0; n < times.size(); ++n) {
      EXPECT_NEAR(times[n], reference[n], 1.1 * dt * static_cast<double>(n + 1));
    }
  }
}

TEST(AdEx, IntervalsGrowThroughAdaptationAndWJumpsByB) {
  network::Circuit circuit = testing::cells_of(adex(), 1, 400, 0.05);
  testing::add_step_current(circuit, 0, 1e9, 1.0);
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "w");
  auto recorder = testing::run(circuit);
  const auto times = recorder.times_of(0);
  ASSERT_GT(times.size(), 4u);
  EXPECT_GT(times[2] - times[1], 1.1 * (times[1] - times[0]));
  const auto k = static_cast<std::size_t>(std::llround(times[0] / 0.05));
  EXPECT_NEAR(recorder.probes[1][k].second[0] - recorder.probes[1][k - 1].second[0], 0.0805, 2e-4);
  for (std::size_t i = k; i <= k + 40; ++i) EXPECT_EQ(recorder.probes[0][i].second[0], -70.6);
  EXPECT_GT(recorder.probes[0][k + 41].second[0], -70.6);
}

/// A current that moves V by several Delta_T within a step: the exponential current of the middle is then not that of
/// the beginning times a small change.
TEST(AdEx, FastMovesOfThePotentialAreFollowedInPieces) {
  const auto V_at_2_ms = [](double dt) {
    network::Circuit circuit = testing::cells_of(adex(), 1, 0.2 + 1e-6, dt);
    testing::add_step_current(circuit, 0, 1e9, 40);
    testing::add_probe(circuit, "v");
    const auto samples = testing::run(circuit).probes[0];
    for (const auto& [t, V] : samples) {
      if (std::abs(t - 0.2) < 1e-9) return V[0];
    }
    return std::nan("");
  };
  const double exact = V_at_2_ms(1e-4);
  ASSERT_GT(exact, adex().V_T_mV + 2 * adex().Delta_T_mV) << "the exponential current must matter";
  ASSERT_LT(exact, adex().V_peak_mV);
  EXPECT_NEAR(V_at_2_ms(0.1), exact, 0.02);
}

TEST(AdEx, SharpUpstrokeDoesNotOverflow) {
  network::AdExModel sharp = adex();
  sharp.Delta_T_mV = 0.05;  // exp((V_peak - V_T) / Delta_T) is not a finite number
  sharp.b_nA = 0;
  network::Circuit circuit = testing::cells_of(sharp, 1, 200, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 1.0);
  EXPECT_GT(testing::run(circuit).spikes.size(), 5u);
}

}  // namespace
}  // namespace triscale

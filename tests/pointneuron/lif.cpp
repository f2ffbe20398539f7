// The leaky integrate-and-fire neuron, special case of pointneuron/gif.hpp, against its closed-form solution.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

network::GifModel lif() {
  network::GifModel model;
  model.C_m_nF = 0.2;
  model.g_L_uS = 0.01;  // tau_m = 20 ms
  model.E_L_mV = -70;
  model.V_reset_mV = -65;
  model.V_threshold_mV = -50;
  model.t_ref_ms = 3;
  return model;
}

/// Time from V_0 to the threshold under constant current.
double time_to_threshold(const network::GifModel& m, double V_0, double I_nA) {
  const double V_inf = m.E_L_mV + I_nA / m.g_L_uS;
  return m.C_m_nF / m.g_L_uS * std::log((V_inf - V_0) / (V_inf - m.V_threshold_mV));
}

TEST(Lif, SpikeTimesUnderConstantCurrentAreTheClosedFormOnesOnTheGrid) {
  for (double dt : {0.5, 0.1, 0.05}) {
    for (double I_nA : {0.21, 0.3, 0.7}) {
      network::Circuit circuit = testing::cells_of(lif(), 1, 500, dt);
      testing::add_step_current(circuit, 0, 1e9, I_nA);
      const auto times = testing::run(circuit).times_of(0);
      const double first = std::ceil(time_to_threshold(lif(), lif().E_L_mV, I_nA) / dt) * dt;
      const double interval = std::ceil(time_to_threshold(lif(), lif().V_reset_mV, I_nA) / dt) * dt + lif().t_ref_ms;
      ASSERT_EQ(times.size(), static_cast<std::size_t>(std::floor((500 - first) / interval + 1e-9)) + 1);
      for (std::size_t n = 0; n < times.size(); ++n) {
        EXPECT_NEAR(times[n], first + static_cast<double>(n) * interval, 1e-9) << "dt " << dt << ", I " << I_nA;
      }
    }
  }
}

TEST(Lif, PotentialUnderConstantCurrentIsExactForAnyStep) {
  for (double dt : {0.1, 5.0}) {
    network::Circuit circuit = testing::cells_of(lif(), 1, 100, dt);
    testing::add_step_current(circuit, 0, 1e9, 0.15);
    const std::size_t probe = testing::add_probe(circuit, "v");
    for (const auto& [t, V] : testing::samples_of(circuit, probe)) {
      EXPECT_NEAR(V[0], -70 + 15 * (1 - std::exp(-t / 20)), 1e-10);
    }
  }
}

TEST(Lif, CurrentStepBetweenGridPointsDeliversItsExactCharge) {
  // A pulse inside one step: afterwards V has relaxed from the charge it brought, to first order in its length.
  network::Circuit circuit = testing::cells_of(lif(), 1, 10, 0.1);
  testing::add_step_current(circuit, 1.03, 1.07, 1.0);
  const std::size_t probe = testing::add_probe(circuit, "v");
  const auto samples = testing::samples_of(circuit, probe);
  EXPECT_EQ(samples.size(), 100u);
  EXPECT_EQ(samples[10].second[0], -70);
  EXPECT_NEAR(samples[60].second[0], -70 + 0.04 / 0.2 * std::exp(-(6.0 - 1.05) / 20), 1e-5);
}

TEST(Lif, PotentialIsHeldAtResetDuringRefractoriness) {
  network::Circuit circuit = testing::cells_of(lif(), 1, 100, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 1.0);
  const std::size_t probe = testing::add_probe(circuit, "v");
  auto recorder = testing::run(circuit);
  const double spike = recorder.times_of(0).front();
  for (const auto& [t, V] : recorder.probes[probe]) {
    if (t > spike - 0.05 && t < spike + 3.05) {
      EXPECT_EQ(V[0], -65) << t;
    } else if (t > spike && t < spike + 3.15) {
      EXPECT_GT(V[0], -65);
    }
  }
}

TEST(Lif, NoIntervalIsShorterThanTheRefractoryTime) {
  network::Circuit circuit = testing::cells_of(lif(), 1, 100, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 1000.0);
  const auto times = testing::run(circuit).times_of(0);
  ASSERT_GT(times.size(), 10u);
  for (std::size_t n = 1; n < times.size(); ++n) EXPECT_NEAR(times[n] - times[n - 1], 3.1, 1e-9);
}

TEST(Lif, StateThatIsNotFiniteStopsTheRunAndNamesThePlace) {
  network::GifModel broken = lif();
  broken.g_L_uS = std::numeric_limits<double>::quiet_NaN();
  const network::Circuit circuit = testing::cells_of(broken, 3, 10, 0.1);
  try {
    testing::run(circuit);
    FAIL() << "ran on a NaN parameter";
  } catch (const core::NumericalError& error) {
    const std::string text = error.what();
    for (const char* part : {"point", "cells", "cell 0", "v ", "0.1 ms"}) {
      EXPECT_NE(text.find(part), std::string::npos) << part << " in " << text;
    }
  }
}

TEST(Lif, CircuitWithoutPointDescriptionIsRefusedWithAllReasons) {
  network::Circuit circuit = testing::cells_of(lif(), 1, 10, 0.1);
  circuit.cell_types[0].point.reset();
  network::SynapseType bare;
  bare.name = "bare";
  circuit.synapse_types.push_back(bare);
  testing::add_edges(circuit, 0, 0, 0, {});
  EXPECT_EQ(pointneuron::missing(circuit).size(), 2u);
  EXPECT_THROW(testing::run(circuit), core::InputError);
}

TEST(Lif, ProbeThatThisTierDoesNotHaveIsNamed) {
  network::Circuit circuit = testing::cells_of(lif(), 1, 10, 0.1);
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "cai");
  const auto problems = pointneuron::left_out(circuit);
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].value, "cai");
  EXPECT_EQ(testing::run(circuit).probes.size(), 1u);
}

}  // namespace
}  // namespace triscale

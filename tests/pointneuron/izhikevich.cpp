// Izhikevich's simple model: the Riccati step against closed forms, order of convergence, published firing patterns.
#include "pointneuron/izhikevich.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

TEST(Izhikevich, RiccatiStepIsTheClosedSolution) {
  // y' = 1 + y^2: y = tan(t + atan y0);  y' = y^2 - 1: y = -tanh(t - atanh y0) for |y0| < 1;  y' = y^2: y0 / (1 - y0 t)
  for (const double t : {1e-4, 0.01, 0.3, 1.0}) {
    EXPECT_NEAR(pointneuron::riccati_step(0.2, 1, 0, 1, t), std::tan(t + std::atan(0.2)), 1e-13);
    EXPECT_NEAR(pointneuron::riccati_step(0.2, 1, 0, -1, t), -std::tanh(t - std::atanh(0.2)), 1e-13);
    EXPECT_NEAR(pointneuron::riccati_step(0.2, 1, 0, 0, t), 0.2 / (1 - 0.2 * t), 1e-13);
    // Moved by 3: z = y + 3, z' = (z - 3)^2 + 1 = z^2 - 6 z + 10
    EXPECT_NEAR(pointneuron::riccati_step(3.2, 1, -6, 10, t), 3 + std::tan(t + std::atan(0.2)), 1e-12);
  }
  EXPECT_TRUE(std::isinf(pointneuron::riccati_step(0, 1, 0, 1, 1.6))) << "pole at pi/2";
  EXPECT_TRUE(std::isinf(pointneuron::riccati_step(2, 1, 0, 0, 0.51))) << "pole at 1/2";
}

double V_at_20_ms(double dt) {
  network::Circuit circuit = testing::cells_of(network::IzhikevichModel{}, 1, 20 + 1e-6, dt);
  testing::add_step_current(circuit, 0, 1e9, 0.06);
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{0.0, 8.0}, {0, 0}});
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{1, 4, 0}}), {{0}, {0}, {0.001}, {2.0}, {}});
  testing::add_probe(circuit, "v");
  const auto samples = testing::run(circuit).probes[0];
  for (const auto& [t, V] : samples) {
    if (std::abs(t - 20) < 1e-9) return V[0];
  }
  return std::nan("");
}

TEST(Izhikevich, PotentialConvergesWithSecondOrder) {
  const double reference = V_at_20_ms(0.5 / 64);
  double previous = std::abs(V_at_20_ms(0.5) - reference);
  ASSERT_GT(previous, 1e-6);
  for (const double dt : {0.25, 0.125}) {
    const double error = std::abs(V_at_20_ms(dt) - reference);
    EXPECT_NEAR(std::log2(previous / error), 2.0, 0.25) << "dt " << dt << ", error " << error;
    previous = error;
  }
}

/// The form of 2003 in the units of izhikevich.hpp.
network::IzhikevichModel of_2003(double a, double b, double c, double d) {
  network::IzhikevichModel m;
  m.C_m_nF = 1e-3;
  m.k_uS_per_mV = 4e-5;
  m.V_rest_mV = (-(5 - b) - std::sqrt((5 - b) * (5 - b) - 4 * 0.04 * 140)) / 0.08;
  m.V_T_mV = -125 - m.V_rest_mV;
  m.V_peak_mV = 30;
  m.c_mV = c;
  m.a_per_ms = a;
  m.b_uS = 1e-3 * b;
  m.d_nA = 1e-3 * d;
  return m;
}

/// Spikes of the published equations by small explicit steps of their own variables.
std::vector<double> published(double a, double b, double c, double d, double I, double duration_ms) {
  const double dt = 0.001;
  double v = (-(5 - b) - std::sqrt((5 - b) * (5 - b) - 4 * 0.04 * 140)) / 0.08, u = b * v;
  std::vector<double> times;
  const auto dv = [&](double x, double y) { return 0.04 * x * x + 5 * x + 140 - y + I; };
  for (int k = 0; k * dt < duration_ms; ++k) {
    const double vm = v + 0.5 * dt * dv(v, u), um = u + 0.5 * dt * a * (b * v - u);
    v += dt * dv(vm, um);
    u += dt * a * (b * vm - um);
    if (v < 30) continue;
    times.push_back((k + 1) * dt);
    v = c;
    u += d;
  }
  return times;
}

TEST(Izhikevich, FiringPatternsOf2003AreThePublishedEquations) {
  struct Pattern {
    const char* name;
    double a, b, c, d, I;
  };
  // Regular spiking, intrinsically bursting, chattering, fast spiking (Izhikevich 2003, Fig. 2).
  for (const Pattern& p : {Pattern{"RS", 0.02, 0.2, -65, 8, 10}, Pattern{"IB", 0.02, 0.2, -55, 4, 10},
                           Pattern{"CH", 0.02, 0.2, -50, 2, 10}, Pattern{"FS", 0.1, 0.2, -65, 2, 10}}) {
    network::Circuit circuit = testing::cells_of(of_2003(p.a, p.b, p.c, p.d), 1, 200, 0.01);
    testing::add_step_current(circuit, 0, 1e9, 1e-3 * p.I);
    const auto times = testing::run(circuit).times_of(0);
    const auto expected = published(p.a, p.b, p.c, p.d, p.I, 200);
    ASSERT_EQ(times.size(), expected.size()) << p.name;
    ASSERT_GT(times.size(), 3u) << p.name;
    // Both grids delay every spike by up to their step.
    for (std::size_t n = 0; n < times.size(); ++n)
      EXPECT_NEAR(times[n], expected[n], 0.03 * static_cast<double>(n + 1)) << p.name << " spike " << n;
  }
}

}  // namespace
}  // namespace triscale

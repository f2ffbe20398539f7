// Generalised integrate-and-fire neuron: order of convergence, spike-triggered kernels, escape noise.
#include <gtest/gtest.h>

#include <cmath>

#include "pointneuron/rectified.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

network::Circuit conductance_driven(double dt) {
  network::GifModel model;
  model.V_threshold_mV = 100;
  network::Circuit circuit = testing::cells_of(model, 1, 40 + 1e-6, dt);
  network::SpikeTrains trains{{0.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0}, {0, 0, 1, 0, 1, 0, 1}};
  const std::size_t source = testing::add_spikes(circuit, 2, trains);
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{1.0, 4, 0}}), {{0}, {0}, {0.01}, {2.0}, {}});
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{2.0, 8, -90}}), {{1}, {0}, {0.02}, {4.0}, {}});
  testing::add_probe(circuit, "v");
  return circuit;
}

double V_at_40_ms(double dt) {
  const auto samples = testing::run(conductance_driven(dt)).probes[0];
  for (const auto& [t, V] : samples) {
    if (std::abs(t - 40) < 1e-9) return V[0];
  }
  return std::nan("");
}

TEST(Gif, PotentialUnderConductanceInputConvergesWithSecondOrder) {
  const double reference = V_at_40_ms(0.4 / 128);
  double previous = std::abs(V_at_40_ms(0.4) - reference);
  ASSERT_GT(previous, 1e-6);
  for (double dt : {0.2, 0.1, 0.05}) {
    const double error = std::abs(V_at_40_ms(dt) - reference);
    const double order = std::log2(previous / error);
    RecordProperty("order_at_dt_" + std::to_string(dt), std::to_string(order));
    EXPECT_NEAR(order, 2.0, 0.1) << "dt " << dt << ", error " << error;
    previous = error;
  }
}

network::GifModel adapting() {
  network::GifModel model;
  model.C_m_nF = 0.1;
  model.g_L_uS = 0.01;
  model.V_reset_mV = -65;
  model.t_ref_ms = 4;
  model.eta_nA = {{0.15, 30}, {0.05, 200}};
  model.gamma_mV = {{8, 20}, {3, 150}};
  return model;
}

double kernel_sum(const std::vector<network::ExponentialKernel>& kernels, const std::vector<double>& spikes,
                  double t_ref, double t) {
  double sum = 0;
  for (double spike : spikes) {
    const double since = t - spike - t_ref;
    if (since < -1e-9) continue;
    for (const auto& kernel : kernels) sum += kernel.amplitude * std::exp(-since / kernel.tau_ms);
  }
  return sum;
}

TEST(Gif, KernelsEqualTheSumOverPastSpikes) {
  network::Circuit circuit = testing::cells_of(adapting(), 1, 600, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 0.6);
  testing::add_probe(circuit, "i_eta");
  testing::add_probe(circuit, "threshold");
  auto recorder = testing::run(circuit);
  const auto spikes = recorder.times_of(0);
  ASSERT_GT(spikes.size(), 10u);
  for (const auto& [t, I] : recorder.probes[0]) {
    EXPECT_NEAR(I[0], kernel_sum(adapting().eta_nA, spikes, 4, t), 1e-10) << t;
  }
  for (const auto& [t, threshold] : recorder.probes[1]) {
    EXPECT_NEAR(threshold[0], -50 + kernel_sum(adapting().gamma_mV, spikes, 4, t), 1e-9) << t;
  }
}

TEST(Gif, PotentialWithKernelsEqualsAnIndependentIntegration) {
  const double dt = 0.01, I = 0.6;
  network::Circuit circuit = testing::cells_of(adapting(), 1, 300, dt);
  testing::add_step_current(circuit, 0, 1e9, I);
  testing::add_probe(circuit, "v");
  auto recorder = testing::run(circuit);
  const auto spikes = recorder.times_of(0);
  ASSERT_GT(spikes.size(), 5u);
  const network::GifModel m = adapting();
  // Midpoint rule with the kernels evaluated directly, started again at the end of each refractory time.
  std::size_t next = 0;
  double V = m.E_L_mV, free_from = 0;
  for (const auto& [t, recorded] : recorder.probes[0]) {
    if (t > free_from + 1e-9) {
      const double eta = kernel_sum(m.eta_nA, spikes, m.t_ref_ms, t - dt / 2);
      const auto slope = [&](double x) { return (-m.g_L_uS * (x - m.E_L_mV) + I - eta) / m.C_m_nF; };
      V += dt * slope(V + dt / 2 * slope(V));
    }
    if (next < spikes.size() && t > spikes[next] - 1e-9) {
      EXPECT_GE(V, -50 + kernel_sum(m.gamma_mV, spikes, m.t_ref_ms, t) - 1e-4);
      V = m.V_reset_mV;
      free_from = spikes[next++] + m.t_ref_ms;
    }
    ASSERT_NEAR(recorded[0], V, 1e-4) << t;
  }
}

network::GifModel noisy(double lambda_per_ms) {
  network::GifModel model;
  model.V_reset_mV = model.E_L_mV;  // V is constant
  model.t_ref_ms = 3;
  model.Delta_V_mV = 2;
  model.V_threshold_mV = model.E_L_mV + 10;
  model.lambda_0_Hz = 1000 * lambda_per_ms * std::exp(10.0 / 2);
  return model;
}

TEST(Gif, EscapeNoiseAtConstantPotentialIsARenewalProcessWithDeadTime) {
  const double dt = 0.1, duration = 4000, lambda = 0.1;
  const std::size_t cells = 100;
  const auto recorder = testing::run(testing::cells_of(noisy(lambda), cells, duration, dt));
  double n = 0, sum = 0, squares = 0;
  for (std::uint32_t cell = 0; cell < cells; ++cell) {
    const auto times = recorder.times_of(0, cell);
    for (std::size_t i = 1; i < times.size(); ++i) {
      const double interval = times[i] - times[i - 1];
      EXPECT_GT(interval, 3.05);
      n += 1;
      sum += interval;
      squares += interval * interval;
    }
  }
  // Interval = t_ref + dt * geometric(p), p = 1 - exp(-lambda dt).
  const double p = -std::expm1(-lambda * dt);
  const double mean = 3 + dt / p, sd = dt * std::sqrt(1 - p) / p;
  ASSERT_GT(n, 25000);
  EXPECT_NEAR(sum / n, mean, 4 * sd / std::sqrt(n));
  // Standard error of the sd of an exponential: kurtosis 9 gives sd sqrt(2 / n).
  EXPECT_NEAR(std::sqrt(squares / n - sum * sum / n / n), sd, 4 * sd * std::sqrt(2 / n));
}

TEST(Gif, EscapeRateGrowsExponentiallyWithThePotential) {
  const double dt = 0.1, duration = 5000;
  double previous = 0;
  for (double V_step : {-2.0, 0.0, 2.0}) {  // one Delta_V apart: factor e
    network::GifModel model = noisy(0.01);
    model.E_L_mV += V_step;
    model.V_reset_mV = model.E_L_mV;
    const auto recorder = testing::run(testing::cells_of(model, 50, duration, dt));
    const double rate = static_cast<double>(recorder.spikes.size()) / (50 * duration);
    const double lambda = 0.01 * std::exp(V_step / 2);
    const double expected = 1 / (3 + dt / -std::expm1(-lambda * dt));
    EXPECT_NEAR(rate, expected, 4 * expected / std::sqrt(50 * duration * expected));
    EXPECT_GT(rate, previous);
    previous = rate;
  }
}

TEST(Gif, EscapeNoiseIsIndependentBetweenCellsAndSeeds) {
  network::Circuit circuit = testing::cells_of(noisy(0.1), 2, 500, 0.1);
  const auto first = testing::run(circuit);
  EXPECT_NE(first.times_of(0, 0), first.times_of(0, 1));
  EXPECT_EQ(first.spikes, testing::run(circuit).spikes);
  circuit.run.seed = 2;
  EXPECT_NE(first.spikes, testing::run(circuit).spikes);
}

// ---------------------------------------------------------------------------------------- beyond the linear leak ----

using Current = network::GifModel::RectifiedCurrent;

/// Inward and outward bends, of which the last makes the membrane unstable, as a sodium current does.
const std::vector<Current> kBends{{0.004, -72, 0}, {-0.009, -58, 0}, {0.006, -65, 0}, {-0.02, -45, 0}};

TEST(Gif, BentMembraneIsExactWithinAndAcrossItsPieces) {
  const pointneuron::BentMembrane membrane(0.1, kBends);
  const auto slope = [](double V, double J, double G) {
    double I = J - G * V;
    for (const Current& bend : kBends) I -= bend.g_uS * std::max(0.0, V - bend.above_mV);
    return I / 0.1;
  };
  int crossed = 0;
  for (const double V_0 : {-90.0, -72.0, -66.0, -60.0, -58.0, -50.0, -44.0, -30.0}) {
    for (const double I : {-1.5, -0.4, -0.1, 0.05, 0.4, 1.5}) {
      const double G = 0.012, J = I + G * -70, h = 3;
      const double V = membrane.advance(V_0, J, G, h);
      // One step is as good as many.
      double small = V_0;
      for (int k = 0; k < 30; ++k) small = membrane.advance(small, J, G, h / 30);
      EXPECT_NEAR(V, small, 1e-9 * std::abs(V)) << V_0 << " " << I;
      // Runge-Kutta with steps that a bend spoils little.
      double reference = V_0;
      const double fine = h / 20000;
      for (int k = 0; k < 20000; ++k) {
        const double a = slope(reference, J, G), b = slope(reference + fine / 2 * a, J, G),
                     c = slope(reference + fine / 2 * b, J, G), d = slope(reference + fine * c, J, G);
        reference += fine / 6 * (a + 2 * b + 2 * c + d);
      }
      EXPECT_NEAR(V, reference, 1e-6) << V_0 << " " << I;
      for (const Current& bend : kBends) crossed += (V_0 - bend.above_mV) * (V - bend.above_mV) < 0;
    }
  }
  EXPECT_GT(crossed, 20);
}

TEST(Gif, PotentialWithCurrentsThatItActivatesConvergesWithSecondOrder) {
  const auto V_at_40_ms_with_currents = [](double dt) {
    network::Circuit circuit = conductance_driven(dt);
    auto& model = std::get<network::GifModel>(circuit.cell_types[0].point->model);
    model.currents = {{0.003, -68, 0}, {-0.004, -66, 0}, {0.008, -69, 6}, {-0.002, -71, 30}};
    const auto samples = testing::run(circuit).probes[0];
    for (const auto& [t, V] : samples) {
      if (std::abs(t - 40) < 1e-9) return V[0];
    }
    return std::nan("");
  };
  const double reference = V_at_40_ms_with_currents(0.4 / 128);
  EXPECT_GT(std::abs(reference - V_at_40_ms(0.4 / 128)), 0.1);  // they do something
  double previous = std::abs(V_at_40_ms_with_currents(0.4) - reference);
  for (double dt : {0.2, 0.1, 0.05}) {
    const double error = std::abs(V_at_40_ms_with_currents(dt) - reference);
    EXPECT_NEAR(std::log2(previous / error), 2.0, 0.3) << "dt " << dt << ", error " << error;
    previous = error;
  }
}

/// x' = (target - x)/tau by the midpoint rule.
double relax(double x, double target, double tau_ms, double dt) {
  return x + dt / tau_ms * (target - x) * (1 - dt / (2 * tau_ms));
}

TEST(Gif, PotentialAndThresholdThatFollowEachOtherEqualAnIndependentIntegration) {
  const double dt = 0.01, I = 1.0;
  network::GifModel m = adapting();
  m.eta_uS = {{0.006, 8}, {0.002, 40}};
  m.currents = {{0.004, -66, 0}, {0.010, -68, 20}};
  m.threshold_follows = {{0.4, -64, 8}, {-0.1, -60, 0}};
  m.V_filter_ms = 0.7;
  network::Circuit circuit = testing::cells_of(m, 1, 300, dt);
  testing::add_step_current(circuit, 0, 1e9, I);
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "threshold");
  auto recorder = testing::run(circuit);
  const auto spikes = recorder.times_of(0);
  ASSERT_GT(spikes.size(), 5u);
  const auto above = [](double V, double edge) { return std::max(0.0, V - edge); };
  std::size_t next = 0;
  double V = m.E_L_mV, F = V, w = 0, theta = 0, free_from = 0;
  for (std::size_t k = 0; k < recorder.probes[0].size(); ++k) {
    const double t = recorder.probes[0][k].first, before = V;
    if (k > 0) {
      if (t > free_from + 1e-9) {
        const double eta = kernel_sum(m.eta_nA, spikes, m.t_ref_ms, t - dt / 2);
        const double g = kernel_sum(m.eta_uS, spikes, m.t_ref_ms, t - dt / 2);
        const double w_half = relax(w, 0.010 * above(V, -68), 20, dt / 2);
        const auto slope = [&](double x) {
          const double outward = 0.004 * above(x, -66) + w_half + eta + g * (x - m.V_reset_mV);
          return (-m.g_L_uS * (x - m.E_L_mV) - outward + I) / m.C_m_nF;
        };
        V += dt * slope(V + dt / 2 * slope(V));
      }
      const double middle = (before + V) / 2;
      w = relax(w, 0.010 * above(middle, -68), 20, dt);
      theta = relax(theta, 0.4 * above(middle, -64), 8, dt);
      F = relax(F, middle, 0.7, dt);
    }
    const double threshold = -50 + kernel_sum(m.gamma_mV, spikes, m.t_ref_ms, t) + theta - 0.1 * above(V, -60);
    ASSERT_NEAR(recorder.probes[1][k].second[0], threshold, 2e-3) << t;
    if (next < spikes.size() && t > spikes[next] - 1e-9) {
      // It fires at the first step at which the low-passed potential is there, neither before nor after.
      EXPECT_GE(F, threshold - 2e-3);
      V = F = m.V_reset_mV;
      free_from = spikes[next++] + m.t_ref_ms;
    } else if (t > free_from + 1e-9) {
      EXPECT_LT(F, threshold + 2e-3) << t;
    }
    ASSERT_NEAR(recorder.probes[0][k].second[0], V, 1e-3) << t;
  }
}

TEST(Gif, WhatFollowsThePotentialStartsAsIfThatHadNotMoved) {
  network::GifModel m = adapting();
  m.E_L_mV = -62;
  m.currents = {{0.010, -68, 20}};
  m.threshold_follows = {{0.5, -64, 30}};
  network::Circuit circuit = testing::cells_of(m, 1, 2, 0.1);
  // This current holds V where it starts, if the slow current is there from the beginning.
  testing::add_step_current(circuit, 0, 1e9, 0.010 * 6);
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "threshold");
  auto recorder = testing::run(circuit);
  for (const auto& [t, V] : recorder.probes[0]) EXPECT_NEAR(V[0], -62, 1e-9) << t;
  for (const auto& [t, threshold] : recorder.probes[1]) {
    EXPECT_NEAR(threshold[0], t > 0.05 ? -50 + 0.5 * 2 : -50, 1e-9) << t;
  }
}

TEST(Gif, ASpikeResetsTheLowPassedPotentialToo) {
  network::GifModel m;
  m.t_ref_ms = 1;
  m.V_filter_ms = 5;
  network::Circuit circuit = testing::cells_of(m, 1, 200, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 0.2);
  const auto spikes = testing::run(circuit).times_of(0);
  ASSERT_GT(spikes.size(), 3u);
  // After t_ref the cell is where it was at the beginning, at V_reset = E_L.
  for (std::size_t k = 1; k < spikes.size(); ++k) {
    EXPECT_NEAR(spikes[k] - spikes[k - 1], spikes[0] + m.t_ref_ms, 0.11) << k;
  }
}

}  // namespace
}  // namespace triscale

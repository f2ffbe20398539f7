// Generalised integrate-and-fire neuron: order of convergence, spike-triggered kernels, escape noise.
#include <gtest/gtest.h>

#include <cmath>

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

}  // namespace
}  // namespace triscale

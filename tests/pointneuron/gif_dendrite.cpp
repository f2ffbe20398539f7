// A GIF neuron with a dendrite: equations, spikes, and the limit of one compartment.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

constexpr double kEvent_uS = 0.02, kTau_ms = 4;
constexpr double kEvent_soma_uS = 0.004, kE_soma_mV = -20;

network::GifModel two_compartments() {
  network::GifModel m;
  m.C_m_nF = 0.02;
  m.g_L_uS = 0.002;
  m.E_L_mV = -72;
  m.V_reset_mV = -66;
  m.t_ref_ms = 3;
  m.V_threshold_mV = -52;
  m.eta_nA = {{0.05, 20}};
  m.eta_uS = {{0.004, 8}};
  m.currents = {{0.001, -64, 0}};
  m.dendrite = network::GifModel::Dendrite{0.08, 0.003, 0.03, 0.012, -55};
  return m;
}

/// Excitatory events every 6 ms through an exponential conductance of the dendrite.
network::Circuit driven(const network::GifModel& m, double duration_ms, double dt_ms) {
  network::Circuit circuit = testing::cells_of(m, 1, duration_ms + 1e-6, dt_ms);
  network::SpikeTrains trains;
  for (double t = 1; t < duration_ms; t += 6) {
    trains.times_ms.push_back(t);
    trains.cells.push_back(0);
  }
  const std::size_t source = testing::add_spikes(circuit, 1, trains);
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{0, kTau_ms, 0}}),
                     {{0}, {0}, {kEvent_uS}, {1.0}, {}});
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "v_dendrite");
  return circuit;
}

/// Beside them the same events through another conductance, at the soma.
network::Circuit driven_at_both(const network::GifModel& m, double duration_ms, double dt_ms, bool at_soma = true) {
  network::Circuit circuit = driven(m, duration_ms, dt_ms);
  testing::add_edges(circuit, 1, 0, testing::add_synapse(circuit, {{0, kTau_ms, kE_soma_mV, at_soma}}),
                     {{0}, {0}, {kEvent_soma_uS}, {1.0}, {}});
  return circuit;
}

TEST(GifDendrite, SomaAndDendriteEqualAnIndependentIntegrationThroughSpikes) {
  constexpr double kDt_ms = 0.01;
  constexpr int kFine = 10;
  const network::GifModel m = two_compartments();
  const auto& d = *m.dendrite;
  auto recorder = testing::run(driven_at_both(m, 120, kDt_ms));
  const auto spikes = recorder.times_of(0);
  ASSERT_GT(spikes.size(), 5u);
  double V = m.E_L_mV, D = V, g = 0, eta = 0, g_spike = 0, free_from = 0, farthest = 0;
  std::size_t next = 0, event = 0;
  bool counted = true;
  const double h = kDt_ms / kFine;
  for (std::size_t k = 0; k < recorder.probes[0].size(); ++k) {
    const double t = recorder.probes[0][k].first;
    for (int i = 0; k > 0 && i < kFine; ++i) {
      const double now = t - kDt_ms + h * i;
      if (now > 2 + 6.0 * static_cast<double>(event) - 1e-6) {
        g += kEvent_uS;
        ++event;
      }
      const bool held = now < free_from - 1e-6;
      if (!held && !counted) {
        eta += m.eta_nA[0].amplitude;
        g_spike += m.eta_uS[0].amplitude;
        counted = true;
      }
      const double toward_soma = held ? d.spike_coupling_uS * (d.spike_E_mV - D) : d.coupling_uS * (V - D);
      const double dD = (-d.g_L_uS * (D - m.E_L_mV) + toward_soma - g * D) / d.C_nF;
      const double at_soma = kEvent_soma_uS / kEvent_uS * g * (V - kE_soma_mV) + g_spike * (V - m.V_reset_mV);
      const double dV =
          (-m.g_L_uS * (V - m.E_L_mV) + d.coupling_uS * (D - V) - 0.001 * std::max(0.0, V + 64) - eta - at_soma) /
          m.C_m_nF;
      D += h * dD;
      if (!held) V += h * dV;
      g *= 1 - h / kTau_ms;
      eta *= 1 - h / m.eta_nA[0].tau_ms;
      g_spike *= 1 - h / m.eta_uS[0].tau_ms;
    }
    if (next < spikes.size() && t > spikes[next] - 1e-6) {
      V = m.V_reset_mV;
      free_from = spikes[next++] + m.t_ref_ms;
      counted = false;
    }
    ASSERT_NEAR(recorder.probes[0][k].second[0], V, 0.02) << t;
    ASSERT_NEAR(recorder.probes[1][k].second[0], D, 0.02) << t;
    farthest = std::max(farthest, std::abs(D - V));
  }
  EXPECT_GT(farthest, 5);  // the two potentials are not one
}

double V_after_40_ms(double dt_ms) {
  network::GifModel m = two_compartments();
  m.V_threshold_mV = 100;
  auto recorder = testing::run(driven_at_both(m, 40, dt_ms));
  for (const auto& [t, V] : recorder.probes[0]) {
    if (std::abs(t - 40) < 1e-9) return V[0];
  }
  return std::nan("");
}

TEST(GifDendrite, ConvergesWithSecondOrder) {
  const double reference = V_after_40_ms(0.2 / 128);
  double previous = std::abs(V_after_40_ms(0.2) - reference);
  for (double dt : {0.1, 0.05, 0.025}) {
    const double error = std::abs(V_after_40_ms(dt) - reference);
    EXPECT_NEAR(std::log2(previous / error), 2.0, 0.3) << "dt " << dt << ", error " << error;
    previous = error;
  }
}

TEST(GifDendrite, StronglyCoupledIsOneCompartment) {
  network::GifModel one;
  one.V_threshold_mV = 100;
  network::GifModel two = one;
  two.C_m_nF = 0.4 * one.C_m_nF;
  two.g_L_uS = 0.4 * one.g_L_uS;
  two.dendrite = network::GifModel::Dendrite{0.6 * one.C_m_nF, 0.6 * one.g_L_uS, 1000, 1, -70};
  const auto a = testing::run(driven(one, 60, 0.05)).probes[0], b = testing::run(driven(two, 60, 0.05)).probes[0];
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k].second[0], b[k].second[0], 0.05) << a[k].first;
}

TEST(GifDendrite, WithoutOneAllReceptorsAreAtTheSoma) {
  network::GifModel one;
  one.V_threshold_mV = -60;
  auto a = testing::run(driven_at_both(one, 60, 0.05, false)), b = testing::run(driven_at_both(one, 60, 0.05));
  ASSERT_EQ(a.probes[0].size(), b.probes[0].size());
  for (std::size_t k = 0; k < a.probes[0].size(); ++k) {
    EXPECT_NEAR(a.probes[0][k].second[0], b.probes[0][k].second[0], 1e-12) << k;
  }
}

}  // namespace
}  // namespace triscale

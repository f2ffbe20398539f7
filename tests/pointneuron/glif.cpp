// GLIF neurons: closed-form trajectories of the potential, the after-spike currents and the threshold, any synapse.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

network::GlifModel glif5() {
  network::GlifModel m;
  m.C_m_nF = 0.1;
  m.g_L_uS = 0.005;
  m.E_L_mV = -75;
  m.V_reset_mV = -72;
  m.reset_fraction = 0.3;
  m.V_threshold_mV = -48;
  m.t_ref_ms = 3;
  m.after_spike_currents = {{-0.009, 300, 1, 0.002}, {-0.1, 10, 0.8, 0}};
  m.threshold_jump_mV = 2;
  m.threshold_jump_tau_ms = 50;
  m.threshold_voltage_per_ms = 0.006;
  m.threshold_voltage_tau_ms = 12.5;
  return m;
}

TEST(Glif, SubthresholdPotentialAndThresholdAreExact) {
  network::GlifModel m = glif5();
  m.after_spike_currents.clear();
  network::Circuit circuit = testing::cells_of(m, 3, 60, 0.5);
  testing::add_step_current(circuit, 0, 1e9, 0.1);
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "threshold");
  auto recorder = testing::run(circuit);
  EXPECT_TRUE(recorder.spikes.empty());
  for (std::size_t k = 0; k < recorder.probes[0].size(); ++k) {
    const auto& [t, V] = recorder.probes[0][k];
    // V - E_L = I/g (1 - e^{-bt}),  theta' = a (V - E_L) - theta/tau
    const double a = 0.006, b = 0.05, r = 1 / 12.5, rise = 0.1 / 0.005;
    EXPECT_NEAR(V[2], -75 + rise * (1 - std::exp(-b * t)), 1e-10) << t;
    const double theta = a * rise * ((1 - std::exp(-r * t)) / r - (std::exp(-b * t) - std::exp(-r * t)) / (r - b));
    EXPECT_NEAR(recorder.probes[1][k].second[1], -48 + theta, 1e-10) << t;
  }
}

TEST(Glif, SpikeRulesAreThoseOfTheEquations) {
  const network::GlifModel m = glif5();
  network::Circuit circuit = testing::cells_of(m, 1, 100, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 0.25);
  for (const char* variable : {"v", "threshold", "i_after_spike"}) testing::add_probe(circuit, variable);
  auto recorder = testing::run(circuit);
  const auto times = recorder.times_of(0);
  ASSERT_GE(times.size(), 2u);
  const auto k = static_cast<std::size_t>(std::llround(times[0] / 0.1));
  const double V_before = recorder.probes[0][k - 1].second[0];
  EXPECT_NEAR(recorder.probes[0][k].second[0], -72 + 0.3 * (V_before + 75), 1e-10);
  // Currents: A + kept I(t) e^{-t_ref / tau}, the first of them started at 0.002.
  const double first = -0.009 + 0.002 * std::exp(-(times[0] + 3) / 300);
  EXPECT_NEAR(recorder.probes[2][k].second[0], first - 0.1, 1e-12);
  EXPECT_NEAR(recorder.probes[2][k + 30].second[0], first - 0.1, 1e-12) << "held for t_ref";
  EXPECT_NEAR(recorder.probes[2][k + 31].second[0], first * std::exp(-0.1 / 300) - 0.1 * std::exp(-0.1 / 10), 1e-12);
  EXPECT_EQ(recorder.probes[0][k + 30].second[0], recorder.probes[0][k].second[0]);
  EXPECT_GT(recorder.probes[0][k + 31].second[0], recorder.probes[0][k].second[0]);
  EXPECT_GT(recorder.probes[1][k].second[0], recorder.probes[1][k - 1].second[0] + 1.9) << "the threshold jumps by 2";
}

/// Currents are worked on two at a time: three of them, below threshold and in two cells, all count.
TEST(Glif, EveryOneOfThreeAfterSpikeCurrentsActs) {
  network::GlifModel m = glif5();
  m.threshold_jump_mV = m.threshold_voltage_per_ms = 0;
  m.after_spike_currents = {{0, 300, 1, 0.02}, {0, 10, 1, 0.03}, {0, 4, 1, -0.05}};
  network::Circuit circuit = testing::cells_of(m, 9, 40, 0.1);
  testing::add_probe(circuit, "v");
  testing::add_probe(circuit, "i_after_spike");
  auto recorder = testing::run(circuit);
  for (std::size_t k = 0; k < recorder.probes[0].size(); ++k) {
    const double t = recorder.probes[0][k].first;
    double V = -75, sum = 0;
    for (const auto& current : m.after_spike_currents) {
      const double r = 1 / current.tau_ms, b = 0.05;
      V += current.initial_nA / 0.1 * (std::exp(-r * t) - std::exp(-b * t)) / (b - r);
      sum += current.initial_nA * std::exp(-r * t);
    }
    for (std::size_t cell = 0; cell < 9; ++cell) {
      // By its mean over a step a current is not exact; its decay is.
      EXPECT_NEAR(recorder.probes[0][k].second[cell], V, 2e-4) << t;
      EXPECT_NEAR(recorder.probes[1][k].second[cell], sum, 1e-14) << t;
    }
  }
}

/// What one event of a synapse does to the potential t later, by fine steps and by coarse ones.
double V_after(const network::PointModel& model, std::size_t synapse_kind, double dt) {
  network::Circuit circuit = testing::cells_of(model, 1, 12 + 1e-6, dt);
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{2.0}, {0}});
  network::SynapseType type;
  type.name = "s";
  using Shape = network::CurrentSynapse::Shape;
  if (synapse_kind == 0) type.point = network::PointSynapse{{{1, 4, 0}}, {}};
  if (synapse_kind == 1) type.point = network::CurrentSynapse{Shape::exponential, 3, 1};
  if (synapse_kind == 2) type.point = network::CurrentSynapse{Shape::alpha, 3, -1};
  if (synapse_kind == 3) type.point = network::CurrentSynapse{Shape::delta, 0, 1};
  circuit.synapse_types.push_back(type);
  const double weight = synapse_kind == 0 ? 0.001 : synapse_kind == 3 ? 2.5 : 0.05;
  testing::add_edges(circuit, source, 0, 0, {{0}, {0}, {weight}, {2.0}, {}});
  testing::add_probe(circuit, "v");
  const auto samples = testing::run(circuit).probes[0];
  for (const auto& [t, V] : samples) {
    if (std::abs(t - 12) < 1e-9) return V[0];
  }
  return std::nan("");
}

TEST(AnyModel, TakesConductancesCurrentsAndJumps) {
  network::GlifModel glif = glif5();
  glif.after_spike_currents.clear();
  network::GifModel gif;
  network::LifModel lif;
  network::AdExModel adex;
  network::IzhikevichModel izhikevich;
  for (const network::PointModel& model : std::vector<network::PointModel>{glif, gif, lif, adex, izhikevich}) {
    const std::string name = std::visit([](const auto& m) { return std::string(m.kName); }, model);
    const bool linear = name == "glif" || name == "gif" || name == "lif";
    for (std::size_t kind = 0; kind < 4; ++kind) {
      const double coarse = V_after(model, kind, 0.5), fine = V_after(model, kind, 0.5 / 16);
      ASSERT_TRUE(std::isfinite(coarse) && std::isfinite(fine)) << name << kind;
      // Currents into a linear membrane are exact; all else is second order.
      EXPECT_NEAR(coarse, fine, linear && kind > 0 ? 1e-9 : 0.05) << name << ", synapse " << kind;
      const double rest = std::visit(
          [](const auto& m) {
            if constexpr (requires { m.V_rest_mV; })
              return m.V_rest_mV;
            else if constexpr (requires { m.E_L_mV; })
              return m.E_L_mV;
            else
              return 0.0;
          },
          model);
      EXPECT_GT(std::abs(fine - rest), 0.05) << name << ", synapse " << kind << " must act";
    }
  }
}

}  // namespace
}  // namespace triscale

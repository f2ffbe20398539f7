// Conductance time courses and postsynaptic potentials against closed forms.
#include "pointneuron/receptors.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

/// Peak-normalised biexponential; tau_rise = 0: exponential.
double g_closed(const network::BiexponentialSynapse& s, double t) {
  if (s.tau_rise_ms == 0) return std::exp(-t / s.tau_decay_ms);
  const double t_peak =
      s.tau_rise_ms * s.tau_decay_ms / (s.tau_decay_ms - s.tau_rise_ms) * std::log(s.tau_decay_ms / s.tau_rise_ms);
  const auto shape = [&s](double x) { return std::exp(-x / s.tau_decay_ms) - std::exp(-x / s.tau_rise_ms); };
  return shape(t) / shape(t_peak);
}

/// g at k dt, k = 0..steps, after one event of weight 1 at 0; and the sum of mean * dt.
struct Course {
  std::vector<double> g;
  double charge = 0;
};
Course course_of(const network::BiexponentialSynapse& s, double dt, int steps) {
  pointneuron::Receptors receptors({{network::Receptor{s}}}, 1, dt);
  std::vector<double> arrivals{1.0}, V{-70}, G{0}, GE{0};
  Course course;
  for (int k = 0; k < steps; ++k) {
    receptors.step(0, 1, arrivals, V, {G, GE});
    EXPECT_EQ(arrivals[0], 0);
    course.charge += G[0] * dt;
    course.g.push_back(receptors.total_uS(0));
  }
  return course;
}

TEST(Receptors, ConductanceFollowsTheClosedFormAtAnyStep) {
  for (const network::BiexponentialSynapse s :
       {network::BiexponentialSynapse{0.5, 2, 0}, {3, 7, 0}, {0, 5, 0}, {4, 2, 0}}) {
    for (double dt : {0.025, 0.1, 1.0}) {
      const Course course = course_of(s, dt, 40);
      for (std::size_t k = 0; k < course.g.size(); ++k) {
        EXPECT_NEAR(course.g[k], g_closed(s, dt * static_cast<double>(k + 1)), 1e-12);
      }
    }
  }
}

TEST(Receptors, EqualTimeConstantsGiveTheAlphaFunction) {
  const double tau = 2;
  const Course course = course_of({tau, tau, 0}, 0.1, 200);
  for (std::size_t k = 0; k < course.g.size(); ++k) {
    const double t = 0.1 * static_cast<double>(k + 1);
    EXPECT_NEAR(course.g[k], t / tau * std::exp(1 - t / tau), 1e-12);
  }
  const Course nearly = course_of({tau, tau * (1 + 1e-9), 0}, 0.1, 200);
  for (std::size_t k = 0; k < course.g.size(); ++k) EXPECT_NEAR(course.g[k], nearly.g[k], 1e-7);
}

TEST(Receptors, IntegralOfConductanceDoesNotDependOnTheStep) {
  // int g = (tau_d - tau_r) / (peak of the difference of exponentials); exponential: tau_d
  const network::BiexponentialSynapse s{0.3, 3, 0};
  const double t_peak = 0.9 / 2.7 * std::log(10.0);
  const double expected = 2.7 / (std::exp(-t_peak / 3) - std::exp(-t_peak / 0.3));
  for (double dt : {0.025, 0.1, 1.0}) {
    EXPECT_NEAR(course_of(s, dt, static_cast<int>(150 / dt)).charge, expected, 1e-9);
    EXPECT_NEAR(course_of({0, 3, 0}, dt, static_cast<int>(150 / dt)).charge, 3.0, 1e-9);
  }
}

TEST(Receptors, SmallPostsynapticPotentialEqualsTheCurrentBasedClosedForm) {
  network::GifModel model;
  model.C_m_nF = 0.2;
  model.g_L_uS = 0.01;
  const double w = 1e-8, tau_m = 20, arrival = 3.0;
  for (const network::BiexponentialSynapse s : {network::BiexponentialSynapse{0.5, 2, 0}, {1, 8, -80}, {0, 5, 0}}) {
    network::Circuit circuit = testing::cells_of(model, 1, 60, 0.02);
    const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{1.0}, {0}});
    testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {s}), {{0}, {0}, {w}, {2.0}, {}});
    const std::size_t probe = testing::add_probe(circuit, "v");
    // C dv/dt = -g_L v + w f (E - E_L) exp(-t/tau)  =>  v = w f (E - E_L)/C (e^{-t/tau_m} - e^{-t/tau}) / (1/tau -
    // 1/tau_m)
    const auto v_of = [&](double t, double tau) {
      return (std::exp(-t / tau_m) - std::exp(-t / tau)) / (1 / tau - 1 / tau_m) / model.C_m_nF;
    };
    double norm = 1;
    if (s.tau_rise_ms > 0) {
      const double t_peak =
          s.tau_rise_ms * s.tau_decay_ms / (s.tau_decay_ms - s.tau_rise_ms) * std::log(s.tau_decay_ms / s.tau_rise_ms);
      norm = 1 / (std::exp(-t_peak / s.tau_decay_ms) - std::exp(-t_peak / s.tau_rise_ms));
    }
    const double scale = w * norm * (s.E_rev_mV - model.E_L_mV);
    const double tolerance = 2e-4 * std::abs(scale) * v_of(10, s.tau_decay_ms);
    double largest = 0;
    for (const auto& [t, V] : testing::samples_of(circuit, probe)) {
      const double since = std::max(0.0, t - arrival);
      double expected = v_of(since, s.tau_decay_ms);
      if (s.tau_rise_ms > 0) expected -= v_of(since, s.tau_rise_ms);
      ASSERT_NEAR(V[0] - model.E_L_mV, scale * expected, tolerance) << t;
      largest = std::max(largest, std::abs(V[0] - model.E_L_mV));
    }
    EXPECT_GT(largest, 1000 * tolerance);
  }
}

TEST(Receptors, ConstantConductanceShiftsTheSteadyStateByOhmsLaw) {
  // A regular train at every step, long after its onset: <g> = rate * area; V = (g_L E_L + g E) / (g_L + g).
  network::GifModel model;
  model.V_threshold_mV = 100;
  network::Circuit circuit = testing::cells_of(model, 1, 400, 0.1);
  network::SpikeTrains trains;
  for (int k = 0; k < 4000; ++k) {
    trains.times_ms.push_back(0.1 * k);
    trains.cells.push_back(0);
  }
  const std::size_t source = testing::add_spikes(circuit, 1, trains);
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{0, 5, 0}}), {{0}, {0}, {1e-4}, {1.0}, {}});
  const std::size_t probe = testing::add_probe(circuit, "v");
  const double g = 1e-4 / -std::expm1(-0.1 / 5) * 5 * -std::expm1(-0.1 / 5) / 0.1;  // mean over a step in steady state
  EXPECT_NEAR(testing::samples_of(circuit, probe).back().second[0], model.g_L_uS * model.E_L_mV / (model.g_L_uS + g),
              1e-6);
}

/// The potential at 40 ms of a cell that two spikes reach over the given synapse types.
double V_at_40_ms(const std::vector<network::SynapseType>& types, double dt) {
  network::GifModel model;
  model.V_threshold_mV = 100;
  network::Circuit circuit = testing::cells_of(model, 1, 41, dt);
  circuit.synapse_types = types;
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{2.0, 12.0}, {0, 0}});
  for (std::size_t type = 0; type < types.size(); ++type)
    testing::add_edges(circuit, source, 0, type, {{0}, {0}, {0.004}, {1.0}, {}});
  const std::size_t probe = testing::add_probe(circuit, "v");
  for (const auto& [t, V] : testing::samples_of(circuit, probe)) {
    if (std::abs(t - 40) < 1e-9) return V[0];
  }
  return std::nan("");
}

network::SynapseType receptors_of(const char* name, std::vector<network::Receptor> receptors) {
  network::SynapseType type;
  type.name = name;
  type.point = network::ReceptorSynapse{std::move(receptors)};
  return type;
}

TEST(Receptors, OfOneSynapseShareItsEvents) {
  const network::Receptor ampa{{0.2, 1.7, 0}, 1, 0}, slow{{0.29, 43, -5}, 0.71, 0};
  const double together = V_at_40_ms({receptors_of("both", {ampa, slow})}, 0.1);
  const double apart = V_at_40_ms({receptors_of("a", {ampa}), receptors_of("b", {slow})}, 0.1);
  EXPECT_NEAR(together, apart, 1e-12);
  EXPECT_GT(together, -69);
}

TEST(Receptors, MagnesiumBlocksAtRestAndItsStepIsFirstOrder) {
  const auto nmda = [](double Mg_mM) { return receptors_of("nmda", {{{0.29, 43, 0}, 1, Mg_mM}}); };
  const double reference = V_at_40_ms({nmda(1)}, 0.2 / 64);
  const double coarse = std::abs(V_at_40_ms({nmda(1)}, 0.2) - reference);
  const double fine = std::abs(V_at_40_ms({nmda(1)}, 0.1) - reference);
  EXPECT_NEAR(coarse / fine, 2, 0.2);
  // By explicit steps of the published equations.
  double V = -70, x = 0, g = 0;
  const double h = 1e-3, t_peak = 0.29 * 43 / (43 - 0.29) * std::log(43 / 0.29);
  const double kick = std::exp(t_peak / 43) / 0.29;
  for (int k = 0; k < 40000; ++k) {
    if (k == 3000 || k == 13000) x += 0.004 * kick;
    const double block = 1 / (1 + std::exp(-0.062 * V) / 3.57);
    V += h * (-0.005 * (V + 70) - g * block * V) / 0.1;
    g += h * (-g / 43 + x);
    x -= h * x / 0.29;
  }
  EXPECT_NEAR(reference, V, 0.01);
  EXPECT_LT(reference, V_at_40_ms({nmda(0)}, 0.1) - 5);
}

}  // namespace
}  // namespace triscale

// The leaky integrate-and-fire neuron with current synapses against closed forms and the matrix exponential.
#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <numbers>
#include <unsupported/Eigen/MatrixFunctions>

#include "pointneuron/lif.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

using network::CurrentSynapse;
using Shape = CurrentSynapse::Shape;

constexpr double kDt_ms = 0.1;
const network::LifModel kModel;  // tau_m = 10 ms

std::size_t add_current(network::Circuit& circuit, CurrentSynapse synapse) {
  network::SynapseType type;
  type.name = "current" + std::to_string(circuit.synapse_types.size());
  type.point = synapse;
  circuit.synapse_types.push_back(type);
  return circuit.synapse_types.size() - 1;
}

/// A cell that gets one event of weight w at 1 ms; samples of V - E_L, one per step.
std::vector<double> response(CurrentSynapse synapse, double weight, double duration_ms = 60) {
  network::Circuit circuit = testing::cells_of(kModel, 1, duration_ms, kDt_ms);
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{0.5}, {0}});
  testing::add_edges(circuit, source, 0, add_current(circuit, synapse), {{0}, {0}, {weight}, {0.5}, {}});
  const std::size_t probe = testing::add_probe(circuit, "v");
  std::vector<double> V;
  for (const auto& [t, values] : testing::samples_of(circuit, probe)) V.push_back(values[0] - kModel.E_L_mV);
  return V;
}

TEST(CurrentSynapses, PropagatorsAreTheMatrixExponentialAlsoWhereTimeConstantsCoincide) {
  const double b = kModel.g_L_uS / kModel.C_m_nF;
  for (const double tau : {0.1, 0.5, 2.0, 9.0, 9.9, 9.999999, 10.0, 10.000001, 10.1, 30.0, 1e4}) {
    for (const double dt : {0.025, 0.1, 1.0}) {
      Eigen::Matrix3d A;  // x, I, V
      A << -1 / tau, 0, 0, 1, -1 / tau, 0, 0, 1 / kModel.C_m_nF, -b;
      const Eigen::Matrix3d P = (A * dt).exp();
      const pointneuron::CurrentPropagator alpha({Shape::alpha, tau, 1}, kModel, dt);
      EXPECT_NEAR(alpha.I_from_I / P(1, 1), 1, 1e-12) << tau;
      EXPECT_NEAR(alpha.I_from_x / P(1, 0), 1, 1e-12) << tau;
      EXPECT_NEAR(alpha.V_from_I / P(2, 1), 1, 1e-12) << tau;
      EXPECT_NEAR(alpha.V_from_x / P(2, 0), 1, 1e-12) << tau << " " << dt;
      const pointneuron::CurrentPropagator exponential({Shape::exponential, tau, 1}, kModel, dt);
      EXPECT_NEAR(exponential.V_from_I / P(2, 1), 1, 1e-12) << tau;
    }
  }
}

TEST(CurrentSynapses, ExponentialCurrentGivesTheClosedFormPotential) {
  const double tau = 0.5, w = 0.08780849352920843;
  const std::vector<double> V = response({Shape::exponential, tau, -1}, w);
  double peak = 0;
  for (std::size_t k = 0; k < V.size(); ++k) {
    const double t = static_cast<double>(k) * kDt_ms - 1.0;
    const double expected =
        t > 0 ? -w / kModel.C_m_nF * (std::exp(-t / 10) - std::exp(-t / tau)) / (1 / tau - 1 / 10.0) : 0.0;
    ASSERT_NEAR(V[k], expected, 1e-12) << t;
    peak = std::max(peak, -V[k]);
  }
  EXPECT_NEAR(peak, 0.15, 1e-4) << "the weight of the cortical microcircuit; the peak lies between two steps";
}

TEST(CurrentSynapses, AlphaCurrentGivesTheClosedFormPotentialWhereItsTimeConstantIsThatOfTheMembrane) {
  const double tau = 10, w = 0.1;
  const std::vector<double> V = response({Shape::alpha, tau, 1}, w);
  for (std::size_t k = 0; k < V.size(); ++k) {
    const double t = std::max(0.0, static_cast<double>(k) * kDt_ms - 1.0);
    // dV/dt = -V/tau + w (t/tau) e^(1 - t/tau) / C:  V = w e t^2 exp(-t/tau) / (2 tau C)
    const double expected = w * std::numbers::e * t * t * std::exp(-t / tau) / (2 * tau * kModel.C_m_nF);
    ASSERT_NEAR(V[k], expected, 1e-12) << t;
  }
}

TEST(CurrentSynapses, DeltaEventsMoveThePotentialAtTheirArrival) {
  const std::vector<double> V = response({Shape::delta, 0, 1}, 3.0);
  for (std::size_t k = 0; k < V.size(); ++k) {
    const double t = static_cast<double>(k) * kDt_ms - 1.0;
    ASSERT_NEAR(V[k], t > -1e-9 ? 3.0 * std::exp(-t / 10) : 0.0, 1e-12) << t;
  }
}

TEST(CurrentSynapses, DeltaEventsDuringRefractorinessAreLost) {
  network::Circuit circuit = testing::cells_of(kModel, 1, 10, kDt_ms);
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{0.5, 2.0, 3.5}, {0, 0, 0}});
  testing::add_edges(circuit, source, 0, add_current(circuit, {Shape::delta, 0, 1}), {{0}, {0}, {16.0}, {0.5}, {}});
  const auto times = testing::run(circuit).times_of(0);
  ASSERT_EQ(times.size(), 2u) << "the second event falls into the 2 ms after the first spike";
  EXPECT_NEAR(times[0], 1.0, 1e-9) << "an event counts for the threshold at the moment of its arrival";
  EXPECT_NEAR(times[1], 4.0, 1e-9);
}

TEST(CurrentSynapses, IntervalsUnderConstantCurrentAreTheClosedFormOnTheGrid) {
  network::Circuit circuit = testing::cells_of(kModel, 1, 500, kDt_ms);
  const double I = 0.5;
  testing::add_step_current(circuit, 0, 1e9, I);
  const auto times = testing::run(circuit).times_of(0);
  const double rise = 10 * std::log(I / kModel.g_L_uS / (I / kModel.g_L_uS - 15));
  const double interval = kModel.t_ref_ms + std::ceil(rise / kDt_ms - 1e-9) * kDt_ms;
  ASSERT_GT(times.size(), 20u);
  for (std::size_t i = 1; i < times.size(); ++i) ASSERT_NEAR(times[i] - times[i - 1], interval, 1e-9);
}

TEST(CurrentSynapses, PotentialsStartAsThePopulationSays) {
  network::Circuit circuit = testing::cells_of(kModel, 4000, 1, kDt_ms);
  circuit.populations[0].V_init_mV = network::Distribution{network::Distribution::Kind::normal, -63, 4, 0, 0};
  const std::size_t probe = testing::add_probe(circuit, "v");
  const std::vector<double> V = testing::samples_of(circuit, probe).front().second;
  double mean = 0, variance = 0;
  for (const double v : V) mean += v / 4000;
  for (const double v : V) variance += (v - mean) * (v - mean) / 4000;
  EXPECT_NEAR(mean, -63, 5 * 4 / std::sqrt(4000.0));
  EXPECT_NEAR(std::sqrt(variance), 4, 5 * 4 / std::sqrt(8000.0));
}

TEST(CurrentSynapses, APrivateDriveDoesWhatItsSpikesDoOneByOne) {
  const auto run_with = [](bool as_rule) {
    network::Circuit circuit = testing::cells_of(kModel, 70, 300, kDt_ms);
    const std::size_t source =
        testing::add_spikes(circuit, 70, network::PoissonTrains{{0, 100}, {13000, 15000}, kDt_ms});
    const std::size_t type = add_current(circuit, {Shape::exponential, 0.5, 1});
    network::ExplicitEdges edges;
    for (std::uint32_t i = 0; i < 70; ++i) {
      edges.sources.push_back(i);
      edges.targets.push_back(i);
      edges.weights.push_back(0.0625);  // sums of it are exact, however they are made
      edges.delays_ms.push_back(1.5);
    }
    testing::add_edges(circuit, source, 0, type, edges);
    if (as_rule) {
      network::ConnectionRule rule;
      rule.kind = network::ConnectionRule::Kind::one_to_one;
      rule.weight.mean = 0.0625;
      rule.delay_ms.mean = 1.5;
      circuit.projections[0].connectivity = rule;
    }
    return testing::run(circuit, 3).spikes;
  };
  const auto spikes = run_with(true);
  EXPECT_GT(spikes.size(), 100u);
  EXPECT_EQ(spikes, run_with(false));
}

TEST(CurrentSynapses, AStateThatIsNotFiniteStopsTheRunOnEveryThread) {
  network::Circuit circuit = testing::cells_of(kModel, 9, 300, kDt_ms);
  testing::add_step_current(circuit, 100, 1e9, -1e308);
  circuit.current_clamps.push_back(circuit.current_clamps.front());
  circuit.current_clamps[0].cells = {5};
  circuit.current_clamps[1].cells = {5};
  for (const std::size_t threads : {1u, 3u}) {
    testing::KeepingRecorder recorder;
    core::NoProgress progress;
    EXPECT_THROW(pointneuron::simulate(circuit, threads, recorder, progress), core::NumericalError);
  }
}

}  // namespace
}  // namespace triscale

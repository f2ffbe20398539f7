// Normalised integrate-and-fire neuron with instantaneous synapses, by hand and against NEURON's IntFire1.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

struct Event {
  double t_ms, weight;  ///< negative weights go through an inhibitory synapse
};

testing::KeepingRecorder run_events(const network::IntFire1Model& model, const std::vector<Event>& events) {
  network::Circuit circuit = testing::cells_of(model, 1, 50, 0.1);
  for (int sign : {1, -1}) {
    network::SynapseType type;
    type.name = sign > 0 ? "plus" : "minus";
    type.point = network::InstantaneousSynapse{sign};
    circuit.synapse_types.push_back(type);
  }
  network::SpikeTrains trains;
  network::ExplicitEdges plus, minus;
  for (std::uint32_t i = 0; i < events.size(); ++i) {
    trains.times_ms.push_back(events[i].t_ms - 0.5);
    trains.cells.push_back(i);
    network::ExplicitEdges& edges = events[i].weight > 0 ? plus : minus;
    edges.sources.push_back(i);
    edges.targets.push_back(0);
    edges.weights.push_back(std::abs(events[i].weight));
    edges.delays_ms.push_back(0.5);
  }
  const std::size_t source = testing::add_spikes(circuit, events.size(), trains);
  testing::add_edges(circuit, source, 0, 0, plus);
  testing::add_edges(circuit, source, 0, 1, minus);
  testing::add_probe(circuit, "m");
  return testing::run(circuit);
}

void expect_times(const std::vector<double>& times, const std::vector<double>& expected) {
  ASSERT_EQ(times.size(), expected.size());
  for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(times[i], expected[i], 1e-9);
}

TEST(IntFire1, StateDecaysAndAddsEvents) {
  auto recorder = run_events({10, 0}, {{1, 0.5}, {4, 0.3}, {6, -0.2}});
  for (const auto& [t, m] : recorder.probes[0]) {
    double expected = 0;
    if (t > 0.95) expected += 0.5 * std::exp(-(t - 1) / 10);
    if (t > 3.95) expected += 0.3 * std::exp(-(t - 4) / 10);
    if (t > 5.95) expected -= 0.2 * std::exp(-(t - 6) / 10);
    EXPECT_NEAR(m[0], expected, 1e-12) << t;
  }
}

TEST(IntFire1, FiresAtTheEventThatCarriesItOverOne) {
  // 0.6 e^{-0.3} = 0.444 at t = 4, so 0.55 does not fire and 0.56 does.
  expect_times(run_events({10, 0}, {{1, 0.6}, {4, 0.55}}).times_of(0), {});
  expect_times(run_events({10, 0}, {{1, 0.6}, {4, 0.56}}).times_of(0), {4});
}

TEST(IntFire1, ThresholdIsStrictAsInNeuron) {
  // NEURON 8: one event of weight 1 gives no spike, 1.0001 gives one.
  expect_times(run_events({10, 0}, {{1, 1.0}}).times_of(0), {});
  expect_times(run_events({10, 0}, {{1, 1.0001}}).times_of(0), {1});
}

TEST(IntFire1, ResetsToZeroAndIgnoresEventsWhileRefractory) {
  // NEURON 8, tau 10, refrac 2, weight 1.5 at 1, 2, 4.5: spikes at 1 and 4.5.
  expect_times(run_events({10, 2}, {{1, 1.5}, {2, 1.5}, {4.5, 1.5}}).times_of(0), {1, 4.5});
  // Nothing that arrived during refractoriness is left afterwards: 0.9 alone does not fire.
  expect_times(run_events({10, 2}, {{1, 1.5}, {2, 0.9}, {3.1, 0.9}}).times_of(0), {1});
  // At the very end of the refractory time an event counts again; without one, at the next event too.
  expect_times(run_events({10, 2}, {{1, 1.5}, {3, 1.5}}).times_of(0), {1, 3});
  expect_times(run_events({10, 0}, {{1, 1.5}, {1.1, 1.5}}).times_of(0), {1, 1.1});
}

TEST(IntFire1, EventsOfOneMomentAreSummed) {
  expect_times(run_events({10, 0}, {{1, 1.5}, {1, -0.6}}).times_of(0), {});
  expect_times(run_events({10, 0}, {{1, 0.6}, {1, 0.6}}).times_of(0), {1});
}

TEST(IntFire1, ConductanceSynapsesAndCurrentClampsOntoItAreRefused) {
  network::Circuit circuit = testing::cells_of(network::IntFire1Model{10, 0}, 1, 10, 0.1);
  testing::add_edges(circuit, 0, 0, testing::add_synapse(circuit, {{0.5, 2, 0}}), {{0}, {0}, {1}, {1}, {}});
  testing::add_step_current(circuit, 0, 10, 1);
  EXPECT_EQ(pointneuron::missing(circuit).size(), 2u);
}

}  // namespace
}  // namespace triscale

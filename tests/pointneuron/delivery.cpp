// Delays, the table of dendritic sites, and independence of the number of threads.
#include <gtest/gtest.h>

#include <cmath>

#include "network/edges.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

/// First step at whose beginning the conductance of each cell has grown; tau_rise = 0, so g is seen one sample later.
std::vector<std::int64_t> arrival_steps(testing::KeepingRecorder& recorder, std::size_t probe, std::size_t cells) {
  std::vector<std::int64_t> arrivals(cells, -1);
  const auto& samples = recorder.probes[probe];
  for (std::size_t k = 0; k < samples.size(); ++k) {
    for (std::size_t c = 0; c < cells; ++c) {
      if (arrivals[c] < 0 && samples[k].second[c] > 0) arrivals[c] = static_cast<std::int64_t>(k) - 1;
    }
  }
  return arrivals;
}

TEST(Delivery, SpikeOfASourceArrivesAtTheStepNearestToSpikePlusDelay) {
  network::Circuit circuit = testing::cells_of(network::GifModel{}, 5, 20, 0.1);
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{1.02}, {0}});
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{0, 5, 0}}),
                     {{0, 0, 0, 0, 0}, {0, 1, 2, 3, 4}, {1, 1, 1, 1, 1}, {0.1, 0.5, 1.22, 1.24, 10}, {}});
  const std::size_t probe = testing::add_probe(circuit, "g");
  auto recorder = testing::run(circuit);
  EXPECT_EQ(arrival_steps(recorder, probe, 5), (std::vector<std::int64_t>{11, 15, 22, 23, 110}));
}

TEST(Delivery, SpikeOfACellArrivesAfterTheRoundedDelayAndAtLeastOneStepLater) {
  network::Circuit circuit = testing::cells_of(network::GifModel{}, 1, 60, 0.1);
  network::Population targets;
  targets.name = "targets";
  targets.size = 4;
  circuit.populations.push_back(targets);
  testing::add_step_current(circuit, 0, 1e9, 0.5, 0);
  testing::add_edges(circuit, 0, 1, testing::add_synapse(circuit, {{0, 5, 0}}),
                     {{0, 0, 0, 0}, {3, 2, 1, 0}, {1, 1, 1, 1}, {7.0, 1.26, 0.1, 0.01}, {}});
  const std::size_t probe = testing::add_probe(circuit, "g", 1);
  auto recorder = testing::run(circuit);
  const auto spike = static_cast<std::int64_t>(std::llround(recorder.times_of(0).front() / 0.1));
  EXPECT_EQ(arrival_steps(recorder, probe, 4),
            (std::vector<std::int64_t>{spike + 1, spike + 1, spike + 13, spike + 70}));
}

TEST(Delivery, DendriticSiteChoosesWeightDelayAndReceptor) {
  network::Circuit circuit = testing::cells_of(network::GifModel{}, 2, 10, 0.1);
  const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{1.0}, {0}});
  network::PointSynapse synapse{{{0, 2, 0}, {0, 20, 0}}, {}};
  synapse.sites = {{0, 0, 1, 0.5, 100, 0, 0}, {1, 0, 1, 0.25, 0, 2.0, 1}};
  network::SynapseType type;
  type.name = "dendritic";
  type.point = synapse;
  circuit.synapse_types.push_back(type);
  testing::add_edges(circuit, source, 0, 0, {{0, 0}, {0, 1}, {0.01, 0.01}, {1.0, 1.0}, {{0, 0.5}, {1, 0.5}}});
  const std::size_t probe = testing::add_probe(circuit, "g");
  auto recorder = testing::run(circuit);
  const auto& samples = recorder.probes[probe];
  EXPECT_EQ(arrival_steps(recorder, probe, 2), (std::vector<std::int64_t>{20, 40}));
  EXPECT_NEAR(samples[60].second[0], 0.5 * 0.01 / (1 + 100 * 0.01) * std::exp(-4.0 / 2), 1e-15);
  EXPECT_NEAR(samples[60].second[1], 0.25 * 0.01 * std::exp(-2.0 / 20), 1e-15);
}

TEST(Delivery, EqualReceptorsOfTwoSynapseTypesActAsTheirSum) {
  const auto V_with = [](bool two_types) {
    network::Circuit circuit = testing::cells_of(network::GifModel{}, 1, 20, 0.1);
    const std::size_t source = testing::add_spikes(circuit, 1, network::SpikeTrains{{1.0}, {0}});
    const std::size_t a = testing::add_synapse(circuit, {{0.5, 2, 0}});
    const std::size_t b = two_types ? testing::add_synapse(circuit, {{0.5, 2, 0}}) : a;
    testing::add_edges(circuit, source, 0, a, {{0}, {0}, {1e-3}, {1}, {}});
    testing::add_edges(circuit, source, 0, b, {{0}, {0}, {1e-3}, {1}, {}});
    testing::add_probe(circuit, "v");
    return testing::run(circuit).probes[0].back().second[0];
  };
  EXPECT_EQ(V_with(true), V_with(false));
  EXPECT_GT(V_with(true), -70);
}

/// Everything that draws random numbers at once: Poisson input, current noise, escape noise, rules with distributions.
network::Circuit noisy_network() {
  network::GifModel model;
  model.Delta_V_mV = 1;
  model.lambda_0_Hz = 50;
  model.eta_nA = {{0.02, 50}};
  network::Circuit circuit = testing::cells_of(model, 83, 300, 0.1);
  circuit.cell_types.push_back({"adex", network::Dale::unknown, {}, network::PointCell{network::AdExModel{}}, {}});
  network::Population inhibitory;
  inhibitory.name = "inhibitory";
  inhibitory.size = 29;
  inhibitory.cell_type = 1;
  circuit.populations.push_back(inhibitory);
  const std::size_t poisson = testing::add_spikes(circuit, 57, network::PoissonTrains{{0, 150}, {200, 300}});
  const std::size_t excitation = testing::add_synapse(circuit, {{0.5, 3, 0}});
  const std::size_t inhibition = testing::add_synapse(circuit, {{0, 6, -80}});
  const auto connect = [&](std::size_t source, std::size_t target, std::size_t type, std::uint64_t k, double w) {
    network::ConnectionRule rule;
    rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
    rule.number = k;
    rule.weight = {network::Distribution::Kind::lognormal, w, w / 2, 0, 0};
    rule.delay_ms = {network::Distribution::Kind::uniform, 0, 0, 0.3, 4.0};
    network::Projection projection;
    projection.name = "p" + std::to_string(circuit.projections.size());
    projection.source = source;
    projection.target = target;
    projection.synapse_type = type;
    projection.connectivity = rule;
    circuit.projections.push_back(projection);
  };
  connect(poisson, 0, excitation, 20, 1e-3);
  connect(poisson, 1, excitation, 20, 2e-3);
  connect(0, 0, excitation, 10, 1e-3);
  connect(0, 1, excitation, 10, 2e-3);
  connect(1, 0, inhibition, 5, 2e-3);
  connect(1, 1, inhibition, 5, 3e-3);
  network::CurrentClamp noise;
  noise.name = "noise";
  noise.cells = {70, 3, 41};
  noise.waveform = network::NoiseCurrent{20, 200, 0.05, 0.1, 3};
  circuit.current_clamps.push_back(noise);
  testing::add_probe(circuit, "v");
  return circuit;
}

TEST(Threads, SpikesAndPotentialsAreBitIdenticalForAnyNumberOfThreads) {
  const network::Circuit circuit = noisy_network();
  const auto one = testing::run(circuit, 1);
  ASSERT_GT(one.spikes.size(), 300u);
  for (std::size_t threads : {2u, 3u, 4u}) {
    const auto many = testing::run(circuit, threads);
    EXPECT_EQ(one.spikes, many.spikes) << threads;
    EXPECT_EQ(one.probes, many.probes) << threads;
  }
}

TEST(Threads, MoreThreadsThanCellsIsFine) {
  network::Circuit circuit = testing::cells_of(network::GifModel{}, 2, 50, 0.1);
  testing::add_step_current(circuit, 0, 1e9, 0.5);
  EXPECT_EQ(testing::run(circuit, 1).spikes, testing::run(circuit, 4).spikes);
}

TEST(Delivery, StatisticsNameTheEdgesThatWereUsed) {
  const network::Circuit circuit = noisy_network();
  testing::KeepingRecorder recorder;
  core::NoProgress progress;
  const core::RunStatistics statistics = pointneuron::simulate(circuit, 2, recorder, progress);
  std::uint64_t hash = network::kEdgeHashStart;
  std::size_t synapses = 0;
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) {
    const network::EdgeList edges = network::edges_of(circuit, p);
    hash = network::hash_edges(hash, p, edges);
    synapses += edges.size();
  }
  EXPECT_EQ(statistics.edge_hash, hash);
  EXPECT_EQ(statistics.synapses, synapses);
  EXPECT_EQ(statistics.cells, 83u + 29u);
  EXPECT_EQ(statistics.spikes, recorder.spikes.size());
}

}  // namespace
}  // namespace triscale

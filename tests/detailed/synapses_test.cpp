// Synapse models: magnesium block, several receptors, short-term plasticity, stochastic release, gap junctions.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "detailed/simulate.hpp"
#include "network/release.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::detailed {
namespace {

using network::Receptor;
using network::ReceptorSynapse;
using network::Release;
using network::ReleaseState;
using network::SectionKind;
using test::cylinder;
using test::one_population;
using test::passive_cell;
using test::Trace;

Trace run(const network::Circuit& circuit, std::size_t threads = 1) {
  Trace trace;
  core::NoProgress progress;
  simulate(circuit, threads, trace, progress);
  return trace;
}

// ----------------------------------------------------------------------------------------------- release rule --------

TEST(Release, ARegularTrainSettlesAtTheClosedFormOfTsodyksAndMarkram) {
  const Release rule{0.4, 300, 150, 0};
  const double interval = 40, E_f = std::exp(-interval / 150), E_r = std::exp(-interval / 300);
  ReleaseState state(rule);
  double released = network::transmit(rule, state, 5, 1, 0);
  EXPECT_DOUBLE_EQ(released, 0.4);  // first spike: U of a full store
  for (int k = 1; k < 200; ++k) released = network::transmit(rule, state, 5 + k * interval, 1, 0);
  // u = u e + U (1 - u e);  R before the spike = 1 - e' + e' R (1 - u)
  const double u = 0.4 / (1 - (1 - 0.4) * E_f);
  const double R = (1 - E_r) / (1 - (1 - u) * E_r);
  EXPECT_NEAR(released, u * R, 1e-14);
}

TEST(Release, DepressionAloneUnderAPoissonTrainHasTheExactMean) {
  // E[R] = 1 / (1 + U r tau_recovery), because R before a spike does not depend on the interval to come.
  const Release rule{0.5, 200, 0, 0};
  const double rate_per_ms = 0.02;
  core::RandomStream random(7, core::Purpose::test, 0);
  ReleaseState state(rule);
  double t = 0, sum = 0;
  constexpr int kEvents = 400000;
  for (int k = 0; k < kEvents; ++k) {
    t += random.next_exponential() / rate_per_ms;
    sum += network::transmit(rule, state, t, 1, 0);
  }
  // Events are correlated over about five: the standard error is near 0.14 sqrt(5/4e5) = 5e-4.
  EXPECT_NEAR(sum / kEvents, 0.5 / (1 + 0.5 * rate_per_ms * 200), 2e-3);
}

TEST(Release, StochasticReleaseIsBinomialAroundTheDeterministicMean) {
  // Sites are independent, and each releases at event k with probability p_k = u_k R_k of the deterministic rule: the
  // number released is binomial(N, p_k), with mean p_k and variance p_k (1 - p_k) / N of the fraction.
  for (const std::uint32_t sites : {1u, 5u}) {
    const Release stochastic{0.3, 500, 100, sites}, mean{0.3, 500, 100, 0};
    constexpr int kSynapses = 40000, kEvents = 8;
    const double times[kEvents] = {10, 30, 50, 60, 70, 170, 400, 405};
    std::vector<double> sum(kEvents, 0.0), squares(kEvents, 0.0);
    for (int s = 0; s < kSynapses; ++s) {
      ReleaseState state(stochastic);
      for (int k = 0; k < kEvents; ++k) {
        const double x = network::transmit(stochastic, state, times[k], 11, network::release_entity(3, s));
        sum[k] += x;
        squares[k] += x * x;
      }
    }
    ReleaseState state(mean);
    for (int k = 0; k < kEvents; ++k) {
      const double p = network::transmit(mean, state, times[k], 11, 0);
      const double variance = p * (1 - p) / sites;
      const double m = sum[k] / kSynapses, v = squares[k] / kSynapses - m * m;
      EXPECT_NEAR(m, p, 4.5 * std::sqrt(variance / kSynapses)) << sites << " sites, event " << k;
      EXPECT_NEAR(v / variance, 1.0, 0.05) << sites << " sites, event " << k;
    }
  }
}

TEST(Release, ThreeQuartersOfFirstSpikesFailWhenToldSo) {
  const Release rule{0.25, 0, 0, 1};  // refilled at once: every spike is like the first
  ReleaseState state(rule);
  int failures = 0;
  constexpr int kEvents = 100000;
  for (int k = 0; k < kEvents; ++k) failures += network::transmit(rule, state, 2.0 * k, 5, 0) == 0 ? 1 : 0;
  EXPECT_NEAR(failures / double{kEvents}, 0.75, 4 * std::sqrt(0.75 * 0.25 / kEvents));
}

TEST(Release, DrawsDependOnSeedSynapseAndEventAlone) {
  const Release rule{0.5, 100, 0, 3};
  const auto train = [&](std::uint64_t seed, std::uint64_t entity) {
    ReleaseState state(rule);
    std::vector<double> x;
    for (int k = 0; k < 64; ++k) x.push_back(network::transmit(rule, state, 50.0 * k, seed, entity));
    return x;
  };
  EXPECT_EQ(train(1, 2), train(1, 2));
  EXPECT_NE(train(1, 2), train(1, 3));
  EXPECT_NE(train(1, 2), train(2, 2));
}

// ------------------------------------------------------------------------------------------------------- cells
// --------

/// A very large passive cell: V hardly moves from V_mV, so that its slope shows the synaptic current.
network::Circuit held_cell(double V_mV, double dt_ms, double duration_ms, std::vector<double> spikes_ms) {
  network::Circuit circuit =
      one_population(passive_cell({cylinder(1000, 1000, SectionKind::soma)}, 1, 1e-12, V_mV), 1, dt_ms, duration_ms);
  circuit.run.compartments.max_length_um = 1000;
  circuit.run.V_init_mV = V_mV;
  circuit.run.spike_threshold_mV = 1e3;
  network::Population source;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{spikes_ms, std::vector<std::uint32_t>(spikes_ms.size(), 0)};
  circuit.populations.push_back(source);
  network::SynapseType type;
  type.name = "synapse";
  circuit.synapse_types.push_back(type);
  network::Projection projection;
  projection.name = "drive";
  projection.source = 1;
  projection.connectivity = network::ExplicitEdges{{0}, {0}, {0.01}, {1.0}, {{0, 0.5}}};
  circuit.projections.push_back(projection);
  circuit.probes.emplace_back();
  return circuit;
}

/// Current (nA, inward positive) in each step.
std::vector<double> current_of(const Trace& trace, double dt_ms) {
  const double C_nF = std::numbers::pi * 1e6 * 1e-5;
  std::vector<double> I;
  for (std::size_t i = 1; i < trace.samples[0].size(); ++i) {
    I.push_back(C_nF * (trace.samples[0][i].second[0] - trace.samples[0][i - 1].second[0]) / dt_ms);
  }
  return I;
}

TEST(Receptors, MagnesiumBlockFollowsJahrAndStevensAtEveryPotential) {
  for (const double Mg : {0.0, 0.5, 1.0, 2.0}) {
    for (double V = -90; V <= 40; V += 13) {
      network::Circuit circuit = held_cell(V, 0.02, 15, {2.0});
      circuit.synapse_types[0].detailed = ReceptorSynapse{{{{0.29, 43, 0}, 0.71, Mg}}};
      const std::vector<double> I = current_of(run(circuit), 0.02);
      double largest = 0;
      for (const double value : I) largest = std::abs(value) > std::abs(largest) ? value : largest;
      const double B = 1 / (1 + std::exp(-0.062 * V) * Mg / 3.57);
      // V moves by 3e-4 of the driving force until the peak.
      EXPECT_NEAR(largest / (0.01 * 0.71 * B * (0 - V)), 1.0, 6e-4) << "V " << V << ", Mg " << Mg;
    }
  }
}

TEST(Receptors, OneReleaseOpensAllOfThem) {
  const auto current = [](std::vector<Receptor> receptors) {
    network::Circuit circuit = held_cell(-60, 0.05, 60, {2.0, 12.0});
    circuit.synapse_types[0].detailed = ReceptorSynapse{std::move(receptors)};
    circuit.synapse_types[0].release = Release{0.5, 200, 0, 4};
    return current_of(run(circuit), 0.05);
  };
  const Receptor AMPA{{0.2, 1.7, 0}, 1, 0}, NMDA{{0.29, 43, 0}, 0.71, 1};
  const auto a = current({AMPA}), n = current({NMDA}), both = current({AMPA, NMDA});
  for (std::size_t k = 0; k < both.size(); ++k) ASSERT_NEAR(both[k], a[k] + n[k], 2e-4 * 0.6) << k;
}

TEST(Receptors, NmdaOnASmallCellEqualsNeuronStepByStep) {
  // NEURON 8.2.2, fixed step, the same conductance as a point process; it takes the slope as a difference over 1e-3 mV,
  // hence the tolerance.
  const double neuron_V[2][4] = {{-62.44707162926769, -42.002891793289905, -7.024710307140028, -7.795276250011477},
                                 {-62.345803068960244, -41.88262868600019, -6.987703152823473, -7.808774904666078}};
  const double t_ms[4] = {5, 10, 20, 30};
  for (int k = 0; k < 2; ++k) {
    const double dt = k == 0 ? 0.1 : 0.0125;
    network::Circuit circuit =
        one_population(passive_cell({cylinder(20, 20, SectionKind::soma)}, 100, 5e-5, -65), 1, dt, 30);
    circuit.run.spike_threshold_mV = 1e3;
    network::Circuit held = held_cell(-65, dt, 30, {2.0});
    circuit.populations.push_back(held.populations[1]);
    circuit.synapse_types = held.synapse_types;
    circuit.synapse_types[0].detailed = ReceptorSynapse{{{{2, 40, 0}, 1, 1}}};
    circuit.projections = held.projections;
    circuit.probes = held.probes;
    const auto samples = run(circuit).samples[0];
    for (int i = 0; i < 4; ++i) {
      EXPECT_NEAR(samples[static_cast<std::size_t>(std::lround(t_ms[i] / dt))].second[0], neuron_V[k][i], 2e-4)
          << "dt " << dt << ", t " << t_ms[i];
    }
  }
}

TEST(Receptors, TheSlopeOfTheBlockKeepsTheImplicitStepFirstOrderAccurate) {
  // NMDA alone on a small cell: the potential at the peak converges with dt as V of a fine run does; a step without
  // dB/dV would use the block of the step before, which here costs several times the error.
  const auto V_at_30ms = [](double dt) {
    network::Circuit circuit =
        one_population(passive_cell({cylinder(20, 20, SectionKind::soma)}, 100, 5e-5, -65), 1, dt, 30);
    network::Circuit held = held_cell(-65, dt, 30, {2.0});
    circuit.populations.push_back(held.populations[1]);
    circuit.synapse_types = held.synapse_types;
    circuit.synapse_types[0].detailed = ReceptorSynapse{{{{2, 40, 0}, 1, 1}}};
    circuit.projections = held.projections;
    circuit.probes = held.probes;
    return run(circuit).samples[0].back().second[0];
  };
  const double exact = V_at_30ms(0.001), coarse = V_at_30ms(0.2), half = V_at_30ms(0.1);
  EXPECT_GT(exact, -50.0);
  EXPECT_NEAR((coarse - exact) / (half - exact), 2.0, 0.15);
  EXPECT_LT(std::abs(coarse - exact), 0.1);
}

TEST(Release, TheCellSeesTheConductancesOfTheRule) {
  // Peaks after well separated events are the weights times what the rule transmits at the times of arrival.
  const std::vector<double> spikes{10, 90, 170, 250};
  network::Circuit circuit = held_cell(-65, 0.01, 300, spikes);
  circuit.synapse_types[0].detailed = network::BiexponentialSynapse{0.5, 3, 0};
  Release rule{0.5, 150, 300, 0};
  rule.recovery_speedup = 0.3;
  rule.tau_speedup_ms = 200;
  rule.desensitisation = 0.5;
  rule.tau_desensitisation_ms = 100;
  circuit.synapse_types[0].release = rule;
  const Trace trace = run(circuit);
  const std::vector<double> I = current_of(trace, 0.01);
  ReleaseState state(rule);
  for (const double t : spikes) {
    const double expected = 0.01 * network::transmit(rule, state, t + 1, 1, 0);
    double peak = 0;
    for (std::size_t k = static_cast<std::size_t>(t * 100); k < static_cast<std::size_t>(t * 100) + 1500; ++k) {
      peak = std::max(peak, I[k] / (0 - trace.samples[0][k].second[0]));
    }
    EXPECT_NEAR(peak / expected, 1.0, 1e-4) << t;  // steps of 0.01 ms at the peak of a course of 0.5 and 3 ms
  }
}

// ------------------------------------------------------------------------------------------------ gap junctions
// --------

/// Passive cells of resting potential -65 mV, joined to a chain by `g_uS` from cell to cell.
network::Circuit chain(std::size_t cells, double g_uS, double dt_ms, double duration_ms) {
  network::Circuit circuit =
      one_population(passive_cell({cylinder(20, 20, SectionKind::soma)}, 100, 1e-4, -65), cells, dt_ms, duration_ms);
  network::SynapseType type;
  type.name = "gap";
  type.detailed = network::GapJunction{};
  circuit.synapse_types.push_back(type);
  network::ExplicitEdges edges;
  for (std::uint32_t k = 0; k + 1 < cells; ++k) {
    edges.sources.push_back(k);
    edges.targets.push_back(k + 1);
    edges.weights.push_back(g_uS);
    edges.delays_ms.push_back(0);
    edges.sites.push_back({0, 0.5});
  }
  network::Projection projection;
  projection.name = "gaps";
  projection.connectivity = edges;
  circuit.projections.push_back(projection);
  circuit.probes.emplace_back();
  return circuit;
}

TEST(GapJunctions, TwoCellsReachTheAnalyticCouplingCoefficient) {
  network::Circuit circuit = chain(2, 0.0007, 0.1, 400);
  circuit.current_clamps.push_back({"I", 0, {0}, {0, 0.5}, network::CurrentSegment{0, 1e9, 0.02, 0.02}});
  const std::vector<double> V = run(circuit).samples[0].back().second;
  const double g_m = 1e-4 * std::numbers::pi * 400 * 1e-2, g = 0.0007;  // uS
  // Cell 1: g (V0 - V1) = g_m (V1 - E); cell 0: I = g_m (V0 - E) + g (V0 - V1).
  const double coupling = g / (g + g_m);
  const double V0 = 0.02 / (g_m + g_m * coupling);
  EXPECT_NEAR(V[0] + 65, V0, 1e-9);
  EXPECT_NEAR(V[1] + 65, coupling * V0, 1e-9);
}

TEST(GapJunctions, AChainOfThreeEqualsNeuronStepByStep) {
  // NEURON 8.2.2, potentials exchanged by ParallelContext's transfer after each step of 0.025 ms; state after 20 ms.
  network::Circuit circuit = chain(3, 0.002, 0.025, 20);
  circuit.run.spike_threshold_mV = 1e3;
  circuit.current_clamps.push_back({"I", 0, {0}, {0, 0.5}, network::CurrentSegment{1, 1e9, 0.1, 0.1}});
  const std::vector<double> V = run(circuit).samples[0].back().second;
  const double neuron_V[3] = {-24.952229797441642, -47.08552401710097, -55.431929831999845};
  for (int k = 0; k < 3; ++k) EXPECT_NEAR(V[k], neuron_V[k], 1e-8) << k;
}

TEST(GapJunctions, ChargePassesFromCellToCellAndErrorsFallWithDt) {
  // The difference of two equal cells decays with tau = C / (g_m + 2 g), their mean with C / g_m.
  const double g_m = 1e-4 * std::numbers::pi * 400 * 1e-2, g = 0.003, C = std::numbers::pi * 400 * 1e-5, t = 8;
  double errors[2];
  for (int k = 0; k < 2; ++k) {
    network::Circuit circuit = chain(2, g, k == 0 ? 0.05 : 0.025, 2 + t);
    circuit.current_clamps.push_back({"I", 0, {0}, {0, 0.5}, network::CurrentSegment{1, 2, 0.1, 0.1}});
    const auto samples = run(circuit).samples[0];
    const auto decay = [&](double G) { return 0.05 / G * (1 - std::exp(-G / C)) * std::exp(-G * t / C); };
    const double mean = decay(g_m), half_difference = decay(g_m + 2 * g);
    errors[k] = std::abs(samples.back().second[1] + 65 - (mean - half_difference));
  }
  EXPECT_LT(errors[0], 5e-3);
  EXPECT_NEAR(errors[0] / errors[1], 2.0, 0.2);
}

TEST(GapJunctions, TheSecondOrderSchemeIsSecondOrderAcrossCells) {
  const double g_m = 1e-4 * std::numbers::pi * 400 * 1e-2, g = 0.003, C = std::numbers::pi * 400 * 1e-5, t = 6;
  double errors[2];
  for (int k = 0; k < 2; ++k) {
    network::Circuit circuit = chain(2, g, k == 0 ? 0.1 : 0.05, 1 + t);
    circuit.run.scheme = network::TimeScheme::second_order;
    circuit.current_clamps.push_back({"I", 0, {0}, {0, 0.5}, network::CurrentSegment{1, 1e9, 0.1, 0.1}});
    const auto samples = run(circuit).samples[0];
    const auto rise = [&](double G) { return 0.05 / G * (1 - std::exp(-G * t / C)); };
    errors[k] = std::abs(samples.back().second[1] + 65 - (rise(g_m) - rise(g_m + 2 * g)));
  }
  EXPECT_NEAR(errors[0] / errors[1], 4.0, 0.6);
}

TEST(GapJunctions, ResultsAreTheSameBitsForAnyNumberOfThreadsAndTheChainCrossesGroups) {
  network::Circuit circuit = chain(21, 0.002, 0.025, 60);
  circuit.current_clamps.push_back({"I", 0, {0}, {0, 0.5}, network::CurrentSegment{0, 1e9, 0.3, 0.3}});
  const Trace one = run(circuit, 1);
  for (const std::size_t threads : {2, 3}) EXPECT_EQ(run(circuit, threads).samples, one.samples) << threads;
  const std::vector<double>& V = one.samples[0].back().second;
  for (std::size_t k = 1; k < V.size(); ++k) EXPECT_LT(V[k], V[k - 1]) << k;
  EXPECT_GT(V[20], -65.0);
}

/// A conductance that rises and decays within few steps, opened at `t_ms`; the potential 3 ms after 1 ms.
double potential_after_event(double t_ms, double dt_ms) {
  network::Circuit circuit =
      one_population(passive_cell({cylinder(20, 20, SectionKind::soma)}, 100, 1e-4, -65), 1, dt_ms, 4);
  circuit.run.scheme = network::TimeScheme::second_order;
  circuit.synapse_types.push_back({"exc", network::BiexponentialSynapse{0.3, 0.8, 0}, {}, {}});
  network::Population source;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{{t_ms - 0.5}, {0}};
  circuit.populations.push_back(source);
  circuit.projections.push_back({"drive", 1, 0, 0, network::ExplicitEdges{{0}, {0}, {0.002}, {0.5}, {{0, 0.5}}}, {}});
  circuit.probes.emplace_back();
  return run(circuit).samples[0].back().second[0];
}

TEST(Receptors, EventsAnywhereWithinAStepAreSecondOrderInTheSecondOrderScheme) {
  double errors[2] = {};
  for (const double share : {0.03, 0.21, 0.5, 0.77, 0.98}) {
    const double t_ms = 1 + 0.1 * share, limit = potential_after_event(t_ms, 0.1 / 128);
    for (int k = 0; k < 2; ++k) {
      errors[k] = std::max(errors[k], std::abs(potential_after_event(t_ms, k == 0 ? 0.1 : 0.05) - limit));
    }
  }
  EXPECT_LT(errors[0], 0.3);
  EXPECT_GT(errors[0] / errors[1], 3.2);  // 4 in the limit; 2 if an event loses first-order accuracy
}

TEST(Release, NetworksWithStochasticSynapsesAreTheSameBitsForAnyNumberOfThreads) {
  network::Circuit circuit = chain(21, 0.002, 0.025, 100);
  circuit.synapse_types[0].detailed = ReceptorSynapse{{{{0.2, 1.7, 0}, 1, 0}, {{0.29, 43, 0}, 0.71, 1}}};
  circuit.synapse_types[0].release = Release{0.25, 100, 50, 2};
  network::Population source;
  source.name = "source";
  source.size = 40;
  source.is_virtual = true;
  source.source = network::PoissonTrains{{0.0}, {50.0}};
  circuit.populations.push_back(source);
  circuit.projections[0].source = 1;
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::all_to_all;
  rule.weight.mean = 1e-4;
  rule.delay_ms.mean = 1;
  circuit.projections[0].connectivity = rule;
  const Trace one = run(circuit, 1);
  EXPECT_GT(one.samples[0].back().second[3], -64.0);
  for (const std::size_t threads : {2, 3}) EXPECT_EQ(run(circuit, threads).samples, one.samples) << threads;
}

}  // namespace
}  // namespace triscale::detailed

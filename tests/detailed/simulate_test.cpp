// The run of the detailed tier: spikes, synapses, delays, threads, refusals.
#include "detailed/simulate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "detailed/cell_group.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::detailed {
namespace {

using network::SectionKind;
using test::cylinder;
using test::one_population;
using test::passive_cell;
using test::Trace;

/// A ball with the squid's channels and a passive stick.
network::DetailedCell hh_cell() {
  network::DetailedCell cell =
      passive_cell({cylinder(20, 20, SectionKind::soma), cylinder(200, 2, SectionKind::basal, 0, 1.0)}, 100, 1e-4, -65);
  cell.regions[0].g_pas_S_cm2 = 0;
  cell.mechanisms.push_back({"hh", SectionKind::soma, {}});
  return cell;
}

Trace run(const network::Circuit& circuit, std::size_t threads = 1) {
  Trace trace;
  core::NoProgress progress;
  simulate(circuit, threads, trace, progress);
  return trace;
}

/// Twenty cells driven by Poisson trains and coupled to each other, excitatory.
network::Circuit coupled_network() {
  network::Circuit circuit = one_population(hh_cell(), 20, 0.05, 60);
  circuit.synapse_types.push_back({"exc", network::BiexponentialSynapse{0.5, 2, 0}, {}, {}});
  network::Population source;
  source.name = "source";
  source.size = 20;
  source.is_virtual = true;
  source.source = network::PoissonTrains{{0}, {100}};
  circuit.populations.push_back(source);
  network::ConnectionRule private_drive;
  private_drive.kind = network::ConnectionRule::Kind::one_to_one;
  private_drive.weight.mean = 0.01;
  private_drive.delay_ms.mean = 1.0;
  network::DendriticPlacement dendrite;
  dendrite.kinds = {SectionKind::basal};
  circuit.projections.push_back({"drive", 1, 0, 0, private_drive, dendrite});
  network::ConnectionRule recurrent;
  recurrent.kind = network::ConnectionRule::Kind::fixed_in_degree;
  recurrent.number = 4;
  recurrent.weight.mean = 0.004;
  recurrent.delay_ms.mean = 1.5;
  circuit.projections.push_back({"recurrent", 0, 0, 0, recurrent, dendrite});
  return circuit;
}

TEST(Simulate, SpikesAreTheSameBitsForAnyNumberOfThreads) {
  const network::Circuit circuit = coupled_network();
  const Trace one = run(circuit, 1);
  ASSERT_GT(one.spikes.size(), 60u);
  for (const std::size_t threads : {2, 3, 4}) EXPECT_EQ(run(circuit, threads).spikes, one.spikes) << threads;
}

TEST(Simulate, ACellDoesNotDependOnItsNeighboursInTheGroup) {
  network::Circuit circuit = one_population(hh_cell(), 11, 0.025, 30);
  for (std::uint32_t cell = 0; cell < 11; ++cell) {
    circuit.current_clamps.push_back(
        {"I", 0, {cell}, {0, 0.5}, network::CurrentSegment{0, 1e9, 0.1 + 0.1 * cell, 0.1 + 0.1 * cell}});
  }
  circuit.probes.push_back({"v", "v", 0, {10}, network::Probe::Where::soma, 0, 1e300, 0});
  const Trace together = run(circuit);
  network::Circuit alone = one_population(hh_cell(), 1, 0.025, 30);
  alone.current_clamps.push_back(
      {"I", 0, {}, {0, 0.5}, network::CurrentSegment{0, 1e9, 0.1 + 0.1 * 10, 0.1 + 0.1 * 10}});
  alone.probes.push_back({"v", "v", 0, {0}, network::Probe::Where::soma, 0, 1e300, 0});
  EXPECT_EQ(run(alone).samples[0], together.samples[0]);
}

TEST(Simulate, AnEventActsAfterItsDelayAndPeaksAtItsWeight) {
  // A very large passive cell: V barely moves, so that its slope shows the conductance g(t) (E - V)/C.
  network::Circuit circuit =
      one_population(passive_cell({cylinder(1000, 1000, SectionKind::soma)}, 1, 1e-9, -65), 1, 0.01, 20);
  circuit.run.compartments.max_length_um = 1000;
  circuit.synapse_types.push_back({"exc", network::BiexponentialSynapse{1, 3, 0}, {}, {}});
  network::Population source;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{{3.0}, {0}};
  circuit.populations.push_back(source);
  circuit.projections.push_back({"drive", 1, 0, 0, network::ExplicitEdges{{0}, {0}, {0.01}, {2.0}, {{0, 0.5}}}, {}});
  circuit.probes.push_back({"v", "v", 0, {0}, network::Probe::Where::soma, 0, 1e300, 0});
  const Trace trace = run(circuit);
  const double C_nF = 3.14159265358979 * 1e6 * 1e-5;
  double peak = 0, peak_at = 0, first = -1;
  for (std::size_t i = 1; i < trace.samples[0].size(); ++i) {
    const double slope = (trace.samples[0][i].second[0] - trace.samples[0][i - 1].second[0]) / 0.01;
    const double g = slope * C_nF / 65;
    if (g > peak) peak = g, peak_at = trace.samples[0][i].first;
    if (first < 0 && g > 1e-6) first = trace.samples[0][i].first;
  }
  const double t_peak = 1.5 * std::log(3.0);
  EXPECT_NEAR(peak, 0.01, 2e-5);
  EXPECT_NEAR(peak_at, 5 + t_peak, 0.02);
  EXPECT_NEAR(first, 5.0, 0.021);
  for (const auto& [t, V] : trace.samples[0]) {
    if (t <= 5.0) {
      EXPECT_NEAR(V[0], -65, 1e-9);
    }
  }
}

TEST(Simulate, DueStepIsNeuronsRule) {
  EXPECT_EQ(CellGroup::due_step(3.0, 2.0, 0.1), 50);
  EXPECT_EQ(CellGroup::due_step(3.04, 2.0, 0.1), 50);
  EXPECT_EQ(CellGroup::due_step(3.05, 2.0, 0.1), 50);
  EXPECT_EQ(CellGroup::due_step(3.06, 2.0, 0.1), 51);
}

TEST(Simulate, SpikesOfVirtualCellsAreRecordedOnceAtTheirTime) {
  network::Circuit circuit = coupled_network();
  circuit.populations[1].source = network::SpikeTrains{{1.0, 7.53, 59.99, 60.4, 90.0}, {3, 4, 5, 6, 7}};
  std::vector<double> times;
  for (const auto& spike : run(circuit).spikes) {
    if (spike.population == 1) times.push_back(spike.t_ms);
  }
  EXPECT_EQ(times, (std::vector<double>{1.0, 7.53, 59.99}));
}

TEST(Simulate, NoiseCurrentHasTheStatedMeanAndDeviation) {
  // Passive cell, slow noise: V - E = R I for noise much slower than the membrane.
  network::Circuit circuit =
      one_population(passive_cell({cylinder(10, 10, SectionKind::soma)}, 1, 1e-3, -65), 64, 0.5, 1500);
  circuit.current_clamps.push_back({"noise", 0, {}, {0, 0.5}, network::NoiseCurrent{0, 1e300, 0.01, 0.004, 50}});
  circuit.probes.push_back({"v", "v", 0, {}, network::Probe::Where::soma, 100, 1e300, 50});
  const Trace trace = run(circuit, 2);
  const double R_MOhm = 1 / (1e-3 * 3.14159265358979 * 100 * 1e-2);
  double sum = 0, squares = 0, n = 0;
  for (const auto& [t, V] : trace.samples[0]) {
    for (const double v : V) {
      const double I = (v + 65) / R_MOhm;
      sum += I;
      squares += I * I;
      ++n;
    }
  }
  const double mean = sum / n, sd = std::sqrt(squares / n - mean * mean);
  EXPECT_NEAR(mean, 0.01, 4 * 0.004 / std::sqrt(n / 3));
  EXPECT_NEAR(sd, 0.004 * std::sqrt(50.0 / 51.0), 0.0003);  // the membrane (1 ms) filters slightly
}

TEST(Simulate, IntFire1FiresOnSummedEventsAndIgnoresThemWhenRefractory) {
  network::Circuit circuit;
  circuit.cell_types.push_back(
      {"lif", network::Dale::excitatory, {}, network::PointCell{network::IntFire1Model{10, 3}}, {}});
  circuit.synapse_types.push_back({"kick", network::InstantaneousSynapse{1}, network::InstantaneousSynapse{1}, {}});
  network::Population cells, source;
  cells.name = "cells";
  cells.size = 1;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{{1, 2, 4, 5.5, 6}, {0, 0, 0, 0, 0}};
  circuit.populations = {cells, source};
  circuit.projections.push_back({"drive", 1, 0, 0, network::ExplicitEdges{{0}, {0}, {0.6}, {1.0}, {}}, {}});
  circuit.run.duration_ms = 30;
  // Events at 2, 3 (0.6 e^-0.1 + 0.6 = 1.14: fires at 3), 5 (ignored), 6.5 (0.6), 7 (0.6 e^-0.05 + 0.6: fires at 7).
  std::vector<double> times;
  for (const auto& spike : run(circuit).spikes) {
    if (spike.population == 0) times.push_back(spike.t_ms);
  }
  EXPECT_EQ(times, (std::vector<double>{3, 7}));
}

TEST(Simulate, APotentialThatIsNotFiniteStopsTheRunAndSaysWhere) {
  network::Circuit circuit = one_population(hh_cell(), 3, 0.05, 10);
  circuit.current_clamps.push_back({"I", 0, {1}, {0, 0.5}, network::CurrentSegment{2, 1e9, std::nan(""), 0}});
  try {
    run(circuit);
    FAIL() << "no error";
  } catch (const core::NumericalError& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("population cells, cell 1"), std::string::npos) << text;
  }
}

TEST(Simulate, WhatIsMissingIsNamed) {
  network::Circuit circuit = coupled_network();
  circuit.cell_types[0].detailed.reset();
  circuit.probes.push_back({"p", "gNa", 0, {}, network::Probe::Where::soma, 0, 1e300, 0});
  const auto problems = missing(circuit);
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_NE(core::to_string(problems[0]).find("cells"), std::string::npos);
  EXPECT_NE(core::to_string(problems[1]).find("gNa"), std::string::npos);
}

}  // namespace
}  // namespace triscale::detailed

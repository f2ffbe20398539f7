// Fields summed up in the step loop: the membrane currents behind them, times, cells, threads, places.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "detailed/compartments.hpp"
#include "detailed/segments.hpp"
#include "detailed/simulate.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::detailed {
namespace {

using network::SectionKind;
using test::cylinder;
using test::one_population;
using test::passive_cell;

constexpr double kSinglePrecision = 2e-6;  // relative to the largest term of a sum over some dozen compartments

/// Keeps fields, and v of all compartments.
class FieldTrace : public test::Trace {
 public:
  void record_field(std::size_t probe, double t_ms, std::span<const double> values) override {
    if (fields.size() <= probe) fields.resize(probe + 1);
    fields[probe].emplace_back(t_ms, std::vector<double>(values.begin(), values.end()));
  }
  void record_contributions(std::size_t probe, double t_ms, std::span<const float> values) override {
    if (contributions.size() <= probe) contributions.resize(probe + 1);
    contributions[probe].emplace_back(t_ms, std::vector<float>(values.begin(), values.end()));
  }
  std::vector<std::vector<std::pair<double, std::vector<double>>>> fields;
  std::vector<std::vector<std::pair<double, std::vector<float>>>> contributions;
};

/// Channel i is the membrane current of node i, nA.
class MembraneCurrents : public core::ForwardModel {
 public:
  explicit MembraneCurrents(std::size_t nodes) : nodes_(nodes) {}
  std::size_t channels() const override { return nodes_; }
  void weights(const core::PlacedCell& cell, std::span<double> weights) const override {
    for (std::size_t s = 0; s < cell.segments.size(); ++s) weights[s * nodes_ + s] = 1;
  }

 private:
  std::size_t nodes_;
};

/// x of the current dipole moment in one component, seen by two channels at once and ten times as large.
class MixedDipole : public core::ForwardModel {
 public:
  std::size_t channels() const override { return 2; }
  std::size_t components() const override { return 1; }
  void weights(const core::PlacedCell& cell, std::span<double> weights) const override {
    for (std::size_t s = 0; s < cell.segments.size(); ++s) {
      weights[s] = 0.5 * (cell.segments[s].start_um[0] + cell.segments[s].end_um[0]);
    }
  }
  std::vector<double> mixing(const core::PlacedCell&) const override { return {1, 10}; }
};

using Models = std::vector<std::unique_ptr<core::ForwardModel>>;

FieldTrace run(const network::Circuit& circuit, const Models& models, std::size_t threads = 1) {
  FieldTrace trace;
  core::NoProgress progress;
  simulate(circuit, threads, trace, progress, models);
  return trace;
}

/// A soma with two dendrites at one end, so that there is a branch node, and one in its middle.
network::DetailedCell branched_cell(bool active) {
  network::DetailedCell cell =
      passive_cell({cylinder(20, 20, SectionKind::soma), cylinder(200, 2, SectionKind::basal, 0),
                    cylinder(150, 1, SectionKind::basal, 0), cylinder(100, 1.5, SectionKind::apical, 0, 0.5)},
                   100, 1e-4, -65);
  auto morphology = std::make_shared<network::Morphology>(*cell.morphology);
  morphology->sections[1].points = {{20, 0, 0, 2}, {140, 160, 0, 2}};
  morphology->sections[2].points = {{20, 0, 0, 1}, {20, 0, 150, 1}};
  morphology->sections[3].points = {{10, 0, 0, 1.5}, {10, -100, 0, 1.5}};
  cell.morphology = morphology;
  if (active) cell.mechanisms.push_back({"hh", SectionKind::soma, {}});
  return cell;
}

network::FieldProbe field(double dt_ms = 0) {
  network::FieldProbe probe;
  probe.name = "field";
  probe.dt_ms = dt_ms;
  return probe;
}

void inject(network::Circuit& circuit, network::Site site, double amplitude_nA) {
  network::CurrentClamp clamp;
  clamp.name = "clamp" + std::to_string(circuit.current_clamps.size());
  clamp.site = site;
  clamp.cells = {0};
  clamp.waveform = network::CurrentSegment{1, 1e9, amplitude_nA, amplitude_nA};
  circuit.current_clamps.push_back(clamp);
}

TEST(Field, MembraneCurrentIsCapacitiveAndLeakCurrent) {
  network::Circuit circuit = one_population(branched_cell(false), 1, 0.025, 5);
  inject(circuit, {1, 0.8}, 0.1);
  circuit.field_probes.push_back(field());
  network::Probe v;
  v.name = "v";
  v.where = network::Probe::Where::all_compartments;
  circuit.probes.push_back(v);
  const CompartmentTree tree = build_compartments(*circuit.cell_types[0].detailed, circuit.run.compartments);
  Models models;
  models.push_back(std::make_unique<MembraneCurrents>(tree.size()));
  const FieldTrace trace = run(circuit, models);
  ASSERT_EQ(trace.fields[0].size(), 200u);
  double largest = 0, error = 0;
  for (std::size_t n = 1; n < trace.fields[0].size(); ++n) {
    const auto& [t_ms, currents] = trace.fields[0][n];
    const auto &now = trace.samples[0][n].second, &before = trace.samples[0][n - 1].second;
    ASSERT_DOUBLE_EQ(t_ms, trace.samples[0][n].first);
    std::size_t e = 0;  // the report has no branch nodes
    for (std::size_t node = 0; node < tree.size(); ++node) {
      if (!(tree.areas_um2[node] > 0)) {
        EXPECT_EQ(currents[node], 0) << "no membrane, no current";
        continue;
      }
      const double I = tree.C_nF[node] * (now[e] - before[e]) / 0.025 + tree.g_pas_uS[node] * (now[e] + 65.0);
      largest = std::max(largest, std::abs(I));
      error = std::max(error, std::abs(I - currents[node]));
      ++e;
    }
  }
  EXPECT_GT(largest, 0.01);
  EXPECT_LT(error, kSinglePrecision * largest);
}

TEST(Field, MembraneCurrentsOfASpikingCellSumUpToTheInjectedOneAtEachStep) {
  network::Circuit circuit = one_population(branched_cell(true), 1, 0.025, 20);
  inject(circuit, {0, 0.5}, 0.7);
  inject(circuit, {2, 0.9}, -0.2);
  circuit.synapse_types.push_back({"exc", network::BiexponentialSynapse{0.5, 2, 0}, {}, {}});
  network::Population source;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{{3, 5, 6}, {0, 0, 0}};
  circuit.populations.push_back(source);
  circuit.projections.push_back(
      {"drive", 1, 0, 0, network::ExplicitEdges{{0}, {0}, {0.02}, {1}, {{3, 0.9}}}, network::DendriticPlacement{}});
  circuit.field_probes.push_back(field());
  const CompartmentTree tree = build_compartments(*circuit.cell_types[0].detailed, circuit.run.compartments);
  Models models;
  models.push_back(std::make_unique<MembraneCurrents>(tree.size()));
  const FieldTrace trace = run(circuit, models);
  ASSERT_GT(trace.spikes.size(), 3u);  // three of the source
  double largest = 0, error = 0;
  for (const auto& [t_ms, currents] : trace.fields[0]) {
    double sum = 0;
    for (const double I : currents) {
      sum += I;
      largest = std::max(largest, std::abs(I));
    }
    error = std::max(error, std::abs(sum - (t_ms > 1.01 ? 0.5 : 0.0)));
  }
  EXPECT_GT(largest, 1.0);
  EXPECT_LT(error, kSinglePrecision * largest);
}

/// What comes through a gap junction leaves through the membrane: each side's membrane currents add up to it.
TEST(Field, MembraneCurrentsOfCoupledCellsSumUpToWhatTheGapJunctionCarries) {
  network::Circuit circuit = one_population(branched_cell(false), 2, 0.025, 5);
  inject(circuit, {0, 0.5}, 0.1);
  network::SynapseType type;
  type.name = "gap";
  type.detailed = network::GapJunction{};
  circuit.synapse_types.push_back(type);
  const double g_uS = 0.005;
  network::Projection gap;
  gap.name = "gap";
  gap.connectivity = network::ExplicitEdges{{0}, {1}, {g_uS}, {0}, {{1, 0.9}}};  // from the middle of the soma
  circuit.projections.push_back(gap);
  circuit.field_probes = {field(), field()};
  circuit.field_probes[0].contributions = {{0, {0}}};
  circuit.field_probes[1].contributions = {{0, {1}}};
  network::Probe v;
  v.name = "v";
  v.where = network::Probe::Where::all_compartments;
  circuit.probes.push_back(v);
  const CompartmentTree tree = build_compartments(*circuit.cell_types[0].detailed, circuit.run.compartments);
  const auto element_of = [&](network::Site site) {  // the report has no branch nodes
    std::size_t element = 0;
    for (std::size_t node = 0; node < tree.node_at(site); ++node) element += tree.areas_um2[node] > 0;
    return element;
  };
  const std::size_t soma = element_of({0, 0.5}), dendrite = element_of({1, 0.9}) + tree.segments();
  Models models;
  models.push_back(std::make_unique<MembraneCurrents>(tree.size()));
  models.push_back(std::make_unique<MembraneCurrents>(tree.size()));
  const FieldTrace trace = run(circuit, models);
  double largest = 0;
  for (std::size_t n = 1; n < trace.fields[0].size(); ++n) {
    const auto &now = trace.samples[0][n].second, &before = trace.samples[0][n - 1].second;
    const double clamp = trace.samples[0][n].first > 1.01 ? 0.1 : 0.0;
    double sums[2] = {};
    for (int cell = 0; cell < 2; ++cell) {
      for (const double I : trace.fields[cell][n].second) sums[cell] += I;
    }
    // The partner's potential is that of the step's beginning.
    const double into_second = g_uS * (before[soma] - now[dendrite]);
    EXPECT_NEAR(sums[0], clamp + g_uS * (before[dendrite] - now[soma]), 1e-6) << n;
    EXPECT_NEAR(sums[1], into_second, 1e-6) << n;
    largest = std::max(largest, into_second);
  }
  EXPECT_GT(largest, 0.005);
}

TEST(Field, ComponentsAreMixedIntoChannelsCellByCell) {
  network::Circuit circuit = one_population(branched_cell(true), 3, 0.05, 5);
  circuit.populations[0].placements = {{0, 0, 0, 0, 0, 0}, {5, 0, 0, 0, 0, 3.141592653589793}, {}};
  inject(circuit, {0, 0.5}, 0.7);
  circuit.current_clamps[0].cells = {0, 1, 2};
  circuit.field_probes = {field(), field()};
  circuit.field_probes[1].contributions = {{0, {0, 1}}};
  Models models;
  models.push_back(std::make_unique<MixedDipole>());
  models.push_back(std::make_unique<MixedDipole>());
  const FieldTrace trace = run(circuit, models);
  double largest = 0;
  for (std::size_t n = 0; n < trace.fields[0].size(); ++n) {
    const auto &all = trace.fields[0][n].second, &two = trace.fields[1][n].second;
    EXPECT_NEAR(all[1], 10 * all[0], 1e-12 + 1e-6 * std::abs(all[1]));
    // Two cells that look in opposite directions: only the shift is left, 5 um times the injected current.
    EXPECT_NEAR(two[0], trace.fields[0][n].first > 1.01 ? 5 * 0.7 : 0, 1e-4);
    largest = std::max(largest, std::abs(all[0]));
  }
  EXPECT_GT(largest, 10);
}

/// Twenty cells with places of their own, driven through synapses.
network::Circuit placed_network() {
  network::Circuit circuit = one_population(branched_cell(true), 20, 0.05, 30);
  for (std::uint32_t k = 0; k < 20; ++k) {
    const double x = k;
    circuit.populations[0].placements.push_back({10 * x, -5 * x, 3 * x, 0.1 * x, 0.2 * x, 0.3 * x});
  }
  circuit.synapse_types.push_back({"exc", network::BiexponentialSynapse{0.5, 2, 0}, {}, {}});
  network::Population source;
  source.name = "source";
  source.size = 20;
  source.is_virtual = true;
  source.source = network::PoissonTrains{{0}, {200}};
  circuit.populations.push_back(source);
  network::ConnectionRule drive;
  drive.kind = network::ConnectionRule::Kind::one_to_one;
  drive.weight.mean = 0.02;
  drive.delay_ms.mean = 1.0;
  network::DendriticPlacement dendrite;
  dendrite.kinds = {SectionKind::basal};
  circuit.projections.push_back({"drive", 1, 0, 0, drive, dendrite});
  return circuit;
}

TEST(Field, IsTheSameBitsForAnyNumberOfThreads) {
  network::Circuit circuit = placed_network();
  circuit.field_probes.push_back(field());
  const std::size_t nodes = build_compartments(*circuit.cell_types[0].detailed, circuit.run.compartments).size();
  Models models;
  models.push_back(std::make_unique<MembraneCurrents>(nodes));
  const FieldTrace one = run(circuit, models, 1);
  ASSERT_EQ(one.fields[0].size(), 600u);
  for (const std::size_t threads : {2, 3}) EXPECT_EQ(run(circuit, models, threads).fields, one.fields);
}

TEST(Field, ContributionsOfSingleCellsAreWhatProbesOfThemAloneSee) {
  const std::vector<std::uint32_t> cells{1, 2, 7, 8, 13, 19};  // of three groups
  for (const bool average : {false, true}) {
    network::Circuit circuit = placed_network();
    network::FieldProbe probe = field(average ? 0.25 : 0);
    probe.average = average;
    probe.begin_ms = 2;
    circuit.field_probes.assign(2, probe);
    for (network::FieldProbe& several : circuit.field_probes) {
      several.contributions = {{0, cells}};
      several.contributions_dir = "cells";
    }
    for (const std::uint32_t cell : cells) {
      probe.contributions = {{0, {cell}}};
      circuit.field_probes.insert(circuit.field_probes.end(), 2, probe);
    }
    const std::size_t nodes = build_compartments(*circuit.cell_types[0].detailed, circuit.run.compartments).size();
    Models models;
    for (std::size_t k = 0; k <= cells.size(); ++k) {
      models.push_back(std::make_unique<MembraneCurrents>(nodes));
      models.push_back(std::make_unique<MixedDipole>());
    }
    const FieldTrace trace = run(circuit, models);
    ASSERT_EQ(trace.contributions.size(), 2u) << "only where they are asked for";
    EXPECT_EQ(run(circuit, models, 3).contributions, trace.contributions);
    for (std::size_t model = 0; model < 2; ++model) {
      const auto& all = trace.contributions[model];
      const std::size_t channels = models[model]->channels();
      ASSERT_EQ(all.size(), trace.fields[model].size());
      double largest = 0;
      for (std::size_t n = 0; n < all.size(); ++n) {
        ASSERT_EQ(all[n].first, trace.fields[model][n].first);
        ASSERT_EQ(all[n].second.size(), cells.size() * channels);
        for (std::size_t k = 0; k < cells.size(); ++k) {
          for (std::size_t c = 0; c < channels; ++c) {
            const double alone = trace.fields[2 + 2 * k + model][n].second[c];
            ASSERT_EQ(all[n].second[k * channels + c], static_cast<float>(alone)) << n << " " << k << " " << c;
            largest = std::max(largest, std::abs(alone));
          }
        }
      }
      EXPECT_GT(largest, 0.01);
    }
  }
}

TEST(Field, AverageIsTheMeanOfTheStepsThatFollow) {
  network::Circuit circuit = placed_network();
  circuit.field_probes = {field(), field(0.5), field(0.5)};
  circuit.field_probes[1].average = true;
  circuit.field_probes[2].begin_ms = 10;
  circuit.field_probes[2].end_ms = 20;
  Models models;
  for (int k = 0; k < 3; ++k) models.push_back(std::make_unique<MixedDipole>());
  const FieldTrace trace = run(circuit, models);
  const auto &steps = trace.fields[0], &means = trace.fields[1], &some = trace.fields[2];
  ASSERT_EQ(means.size(), 60u);
  for (std::size_t n = 0; n + 1 < means.size(); ++n) {
    EXPECT_DOUBLE_EQ(means[n].first, 0.5 * static_cast<double>(n));
    double mean = 0;
    for (std::size_t k = 1; k <= 10; ++k) mean += steps[10 * n + k].second[0] / 10;
    EXPECT_NEAR(means[n].second[0], mean, 1e-5 * (1 + std::abs(mean)));
  }
  ASSERT_EQ(some.size(), 20u);
  for (std::size_t n = 0; n < some.size(); ++n) {
    EXPECT_DOUBLE_EQ(some[n].first, 10 + 0.5 * static_cast<double>(n));
    EXPECT_NEAR(some[n].second[0], steps[200 + 10 * n].second[0], 1e-6 * std::abs(some[n].second[0]) + 1e-9);
  }
}

TEST(Field, RecordingDoesNotChangeTheRun) {
  network::Circuit circuit = placed_network();
  const FieldTrace without = run(circuit, {});
  circuit.field_probes = {field(0.1)};
  Models models;
  models.push_back(std::make_unique<MixedDipole>());
  EXPECT_EQ(run(circuit, models).spikes, without.spikes);
}

TEST(Segments, FollowTheAxisAndThePlacement) {
  const network::DetailedCell cell = branched_cell(false);
  const CompartmentTree tree = build_compartments(cell, {});
  // The soma goes from x = 0 to 20, so its middle is moved to the origin. A quarter turn about z takes x to y.
  const auto segments = place_segments(*cell.morphology, tree, {100, 200, 300, 0, 0, std::acos(0.0)});
  const std::size_t last = tree.node_at({2, 1.0});  // the dendrite along z, from (20, 0, 0)
  EXPECT_NEAR(segments[last].end_um[0], 100, 1e-12);
  EXPECT_NEAR(segments[last].end_um[1], 210, 1e-12);
  EXPECT_NEAR(segments[last].end_um[2], 450, 1e-12);
  EXPECT_NEAR(segments[last].diameter_um, 1, 1e-12);
  const std::size_t first = tree.node_at({3, 0.0});  // from the middle of the soma along -y, which becomes +x
  EXPECT_NEAR(segments[first].start_um[0], 100, 1e-12);
  EXPECT_NEAR(segments[first].start_um[1], 200, 1e-12);
  EXPECT_GT(segments[first].end_um[0], 101);
  // Segments of a section follow each other without gaps.
  for (std::size_t node = tree.first_nodes[1]; node + 1 < tree.first_nodes[1] + tree.segments_per_section[1]; ++node) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      EXPECT_NEAR(segments[node].end_um[axis], segments[node + 1].start_um[axis], 1e-9);
    }
  }
}

TEST(Segments, RotationsActAboutZThenYThenX) {
  const network::DetailedCell cell = passive_cell({cylinder(20, 20, SectionKind::soma)}, 100, 1e-4, -65);
  const CompartmentTree tree = build_compartments(cell, {});
  const double quarter = std::acos(0.0);
  // x -> y (about z), y stays (about y), y -> z (about x)
  const auto segments = place_segments(*cell.morphology, tree, {0, 0, 0, quarter, quarter, quarter});
  EXPECT_NEAR(segments.front().start_um[2], -10, 1e-12);
  EXPECT_NEAR(segments.back().end_um[2], 10, 1e-12);
}

}  // namespace
}  // namespace triscale::detailed

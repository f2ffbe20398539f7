// The discretised cable against closed forms of cable theory.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "detailed/compartments.hpp"
#include "detailed/simulate.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::detailed {
namespace {

using network::CompartmentRule;
using network::SectionKind;
using test::cylinder;
using test::one_population;
using test::passive_cell;
using test::Trace;

constexpr double kPi = std::numbers::pi;

CompartmentRule pieces_of(double length_um) {
  CompartmentRule rule;
  rule.max_length_um = length_um;
  return rule;
}

TEST(Compartments, NsegFollowsTheLengthRuleAndTheDLambdaRule) {
  const network::Section section = cylinder(200, 2, SectionKind::basal);
  EXPECT_EQ(segments_of(section, {}, pieces_of(20)), 1u + 2 * 5);
  EXPECT_EQ(segments_of(section, {}, pieces_of(200)), 1u);
  // d_lambda: lambda_100 of d 2 um, Ra 100, Cm 1 is 0.5e5 sqrt(2/(pi 1e4)) = 398.94 um; 200/(0.1 lambda) = 5.01 -> 5
  // segments
  CompartmentRule rule;
  rule.kind = CompartmentRule::Kind::d_lambda;
  EXPECT_EQ(segments_of(section, {}, rule), 5u);
}

TEST(Compartments, AreaAndResistanceOfACylinderAndAConeAreExact) {
  const network::Section tube = cylinder(60, 3, SectionKind::basal);
  double area = 0, resistance = 0;
  for (const CablePiece& piece : cut_section(tube, 150, 7)) {
    area += piece.area_um2;
    resistance += piece.R_MOhm;
  }
  EXPECT_NEAR(area, kPi * 3 * 60, 1e-10);
  EXPECT_NEAR(resistance, 150 * 1e-2 * 60 * 4 / (kPi * 9), 1e-12);

  network::Section cone = tube;
  cone.points[1].diameter_um = 1;
  area = resistance = 0;
  for (const CablePiece& piece : cut_section(cone, 150, 5)) {
    area += piece.area_um2;
    resistance += piece.R_MOhm;
  }
  EXPECT_NEAR(area, kPi * 2 * std::sqrt(60.0 * 60 + 1), 1e-10);
  EXPECT_NEAR(resistance, 150 * 1e-2 * 60 * 4 / (kPi * 3 * 1), 1e-12);
}

TEST(Compartments, BranchNodesStandOnlyWhereTwoChildrenStart) {
  // soma - trunk - two twigs; the soma's other child starts in its middle.
  const network::DetailedCell cell =
      passive_cell({cylinder(10, 10, SectionKind::soma), cylinder(30, 2, SectionKind::basal, 0, 0.5),
                    cylinder(30, 1, SectionKind::basal, 1), cylinder(30, 1, SectionKind::basal, 1)},
                   100, 1e-4, -70);
  const CompartmentTree tree = build_compartments(cell, pieces_of(100));
  ASSERT_EQ(tree.size(), 5u);  // four segments and the fork
  EXPECT_EQ(tree.segments(), 4u);
  EXPECT_EQ(tree.areas_um2[2], 0.0);
  EXPECT_EQ(tree.parents[3], 2);
  EXPECT_EQ(tree.parents[4], 2);
  const double half_trunk = 100 * 1e-2 * 15 * 4 / (kPi * 4);
  EXPECT_NEAR(tree.g_axial_uS[1], 1 / half_trunk, 1e-12);  // from the soma's node: nothing of the soma's own resistance
  EXPECT_NEAR(tree.g_axial_uS[2], 1 / half_trunk, 1e-12);
}

TEST(Compartments, ChildrenAtTheBeginningOfTheRootShareANode) {
  const double R_half = 100 * 1e-2 * 15 * 4 / (kPi * 4);  // of the root and of each twig
  const auto tree_with = [&](std::vector<network::Section> twigs) {
    twigs.insert(twigs.begin(), cylinder(30, 2, SectionKind::soma));
    return build_compartments(passive_cell(std::move(twigs), 100, 1e-4, -70), pieces_of(100));
  };
  const network::Section twig = cylinder(30, 2, SectionKind::basal, 0, 0.0);
  const CompartmentTree one = tree_with({twig});
  ASSERT_EQ(one.size(), 2u);  // both halves in series
  EXPECT_NEAR(one.g_axial_uS[1], 1 / (2 * R_half), 1e-12);

  const CompartmentTree two = tree_with({twig, twig});
  ASSERT_EQ(two.size(), 4u);
  EXPECT_EQ(two.segments(), 3u);
  EXPECT_EQ(two.areas_um2[1], 0.0);
  EXPECT_EQ(two.positions[1], 0.0);
  EXPECT_EQ(two.parents, (std::vector<std::int32_t>{-1, 0, 1, 1}));
  for (const std::size_t node : {1, 2, 3}) EXPECT_NEAR(two.g_axial_uS[node], 1 / R_half, 1e-12);
}

TEST(Compartments, AChildAtTheBeginningOfABranchStartsWhereTheBranchDoes) {
  // The trunk leaves the soma's end and another twig leaves the trunk's beginning: one fork, not two ways out.
  const network::DetailedCell cell =
      passive_cell({cylinder(30, 2, SectionKind::soma), cylinder(30, 2, SectionKind::basal, 0),
                    cylinder(30, 2, SectionKind::basal, 1, 0.0)},
                   100, 1e-4, -70);
  const CompartmentTree tree = build_compartments(cell, pieces_of(100));
  EXPECT_EQ(tree.parents, (std::vector<std::int32_t>{-1, 0, 1, 1}));
  EXPECT_EQ(tree.areas_um2[1], 0.0);
}

TEST(Cable, SteadyStateOfASealedCableIsTheHyperbolicCosine) {
  // Rallpack 1: d 1 um, l = lambda = 1 mm, 0.1 nA at one end; v(0) - E = I r_inf coth(1), v(x)/v(0) = cosh(1 -
  // x)/cosh(1).
  const double Ra = 100, Rm = 40000, d = 1, length = 1000, I = 0.1;
  network::Circuit circuit =
      one_population(passive_cell({cylinder(length, d, SectionKind::soma)}, Ra, 1 / Rm, -65), 1, 5.0, 2000);
  circuit.run.compartments = pieces_of(0.5);
  circuit.current_clamps.push_back({"I", 0, {}, {0, 0.0}, network::CurrentSegment{0, 1e9, I, I}});
  network::Probe probe;
  probe.name = "v";
  probe.where = network::Probe::Where::all_compartments;
  probe.dt_ms = 2000;
  circuit.probes.push_back(probe);
  Trace trace;
  core::NoProgress progress;
  simulate(circuit, 1, trace, progress);
  const std::vector<double>& V = trace.samples[0].back().second;
  const double r_inf_MOhm = 2 / kPi * std::sqrt(Rm * Ra) * std::pow(d * 1e-4, -1.5) * 1e-6;
  const double n = static_cast<double>(V.size());
  for (std::size_t k = 0; k < V.size(); ++k) {
    const double x = (static_cast<double>(k) + 0.5) / n;
    const double expected = I * r_inf_MOhm * std::cosh(1 - x) / std::sinh(1.0);
    EXPECT_NEAR((V[k] + 65) / expected, 1.0, 2e-3)
        << k;  // the current enters half a segment (1/2000 lambda) off the end
  }
}

/// v at the far end of Rallpack 1 at time t, by its Fourier series.
double rallpack_1_far(double t_ms) {
  const double r_inf_I = 0.1 * 2 / kPi * std::sqrt(40000.0 * 100) * 1e6 * 1e-6;
  double v = 1 / std::sinh(1.0) - std::exp(-t_ms / 40);
  for (int k = 1; k < 200; ++k) {
    const double decay = 1 + kPi * kPi * k * k;
    v -= 2 * (k % 2 ? -1 : 1) * std::exp(-decay * t_ms / 40) / decay;
  }
  return -65 + r_inf_I * v;
}

TEST(Cable, Rallpack1IsMetAsCloselyAsNeuronDoesAndErrorsFallInProportionToDt) {
  double previous = 0;
  for (const double dt : {0.1, 0.05}) {
    network::Circuit circuit =
        one_population(passive_cell({cylinder(1000, 1, SectionKind::soma)}, 100, 1.0 / 40000, -65), 1, dt, 250);
    circuit.run.compartments = pieces_of(0.5);
    circuit.current_clamps.push_back({"I", 0, {}, {0, 0.0}, network::CurrentSegment{0, 1e9, 0.1, 0.1}});
    network::Probe probe;
    probe.where = network::Probe::Where::all_compartments;
    circuit.probes.push_back(probe);
    Trace trace;
    core::NoProgress progress;
    simulate(circuit, 1, trace, progress);
    double squares = 0, low = 1e9, high = -1e9;
    for (const auto& [t, V] : trace.samples[0]) {
      const double expected = t == 0 ? -65 : rallpack_1_far(t);
      squares += (V.back() - expected) * (V.back() - expected);
      low = std::min(low, expected);
      high = std::max(high, expected);
    }
    const double error = std::sqrt(squares / static_cast<double>(trace.samples[0].size())) / (high - low);
    if (dt == 0.05) {
      EXPECT_LT(error, 1.6e-4);  // NEURON 8.2.2, backward Euler, dt 0.05 ms: 1.5e-4
      EXPECT_NEAR(previous / error, 2.0, 0.1);
    }
    previous = error;
  }
}

TEST(Cable, ATreeThatObeysRallsPowerLawIsACylinder) {
  // Twigs with d^(3/2) half the trunk's and equal electrotonic length: at the root the tree equals the longer cylinder.
  const double d = 4, twig = d * std::pow(0.5, 2.0 / 3.0), trunk_length = 400;
  const double twig_length = 300 * std::sqrt(twig / d);
  const double g = 1e-4;
  auto input_V = [&](std::vector<network::Section> sections) {
    network::Circuit circuit = one_population(passive_cell(std::move(sections), 100, g, -65), 1, 0.5, 300);
    circuit.run.compartments = pieces_of(1.0);
    circuit.current_clamps.push_back({"I", 0, {}, {0, 0.0}, network::CurrentSegment{0, 1e9, 0.1, 0.1}});
    network::Probe probe;
    probe.where = network::Probe::Where::all_compartments;
    circuit.probes.push_back(probe);
    Trace trace;
    core::NoProgress progress;
    simulate(circuit, 1, trace, progress);
    return trace.samples[0].back().second.front();
  };
  const double tree =
      input_V({cylinder(trunk_length, d, SectionKind::soma), cylinder(twig_length, twig, SectionKind::basal, 0),
               cylinder(twig_length, twig, SectionKind::basal, 0)});
  const double tube = input_V({cylinder(trunk_length + 300, d, SectionKind::soma)});
  EXPECT_NEAR((tree + 65) / (tube + 65), 1.0, 1e-4);
}

}  // namespace
}  // namespace triscale::detailed

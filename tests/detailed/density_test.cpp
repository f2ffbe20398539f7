// Densities that vary with path distance: the four shapes, both origins, and their effect on a cell.
#include <gtest/gtest.h>

#include <cmath>

#include "detailed/mechanisms.hpp"
#include "detailed/simulate.hpp"
#include "network/density_profile.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::detailed {
namespace {

using network::DensityFactors;
using network::DensityProfile;
using network::MechanismPlacement;
using network::SectionKind;
using test::cylinder;
using test::one_population;
using test::passive_cell;
using test::Trace;

/// Soma of 20 um, apical trunk of 400 um on its end, tuft branches of 300 and 100 um.
std::vector<network::Section> sections() {
  return {cylinder(20, 20, SectionKind::soma), cylinder(400, 3, SectionKind::apical, 0),
          cylinder(300, 1, SectionKind::apical, 1), cylinder(100, 1, SectionKind::apical, 1)};
}

MechanismPlacement placed(const std::string& mechanism, DensityProfile profile) {
  MechanismPlacement placement{mechanism, SectionKind::apical, {}};
  placement.density = profile;
  return placement;
}

TEST(Density, ShapesFollowTheirFormulas) {
  const network::Morphology morphology{sections()};
  DensityProfile p;
  p.shape = DensityProfile::Shape::linear;
  p.offset = 2;
  p.slope = -0.001;
  // Path distances count from the middle of the soma: 10 um to its end.
  EXPECT_NEAR(DensityFactors(morphology, placed("Ih", p)).at(1, 0.5), 2 - 0.001 * 210, 1e-12);
  EXPECT_NEAR(DensityFactors(morphology, placed("Ih", p)).at(3, 1.0), 2 - 0.001 * 510, 1e-12);

  // Hay et al.'s Ih: relative distance from the beginning of the trunk, farthest tip 700 um.
  p = {};
  p.shape = DensityProfile::Shape::exponential;
  p.origin = DensityProfile::Origin::region_start;
  p.relative = true;
  p.offset = -0.8696;
  p.amplitude = 2.087;
  p.slope = 3.6161;
  const DensityFactors Ih(morphology, placed("Ih", p));
  EXPECT_NEAR(Ih.at(1, 0.0), -0.8696 + 2.087, 1e-12);
  EXPECT_NEAR(Ih.at(3, 1.0), -0.8696 + 2.087 * std::exp(3.6161 * 500 / 700), 1e-12);
  EXPECT_NEAR(Ih.at(2, 1.0), -0.8696 + 2.087 * std::exp(3.6161), 1e-12);

  // Their calcium hot zone.
  p = {};
  p.shape = DensityProfile::Shape::step;
  p.begin = 385;
  p.end = 585;
  p.inside = 1;
  p.outside = 0.1;
  const DensityFactors Ca(morphology, placed("Ca_HVA", p));
  EXPECT_EQ(Ca.at(1, 0.9), 0.1);   // 370 um
  EXPECT_EQ(Ca.at(1, 0.95), 1.0);  // 390 um
  EXPECT_EQ(Ca.at(2, 0.5), 1.0);   // 560 um
  EXPECT_EQ(Ca.at(2, 0.9), 0.1);   // 680 um

  p = {};
  p.shape = DensityProfile::Shape::sigmoid;
  p.offset = 0.5;
  p.amplitude = 3;
  p.center = 210;
  p.width = -50;
  const DensityFactors s(morphology, placed("Ih", p));
  EXPECT_NEAR(s.at(1, 0.5), 2.0, 1e-12);
  EXPECT_NEAR(s.at(1, 1.0), 0.5 + 3 / (1 + std::exp(-200.0 / 50)), 1e-12);
}

TEST(Density, AProfileEqualsTheSameDensitiesGivenSectionBySection) {
  // A step that is 1 on the apical sections and 2 beyond 410 um cannot be told from two uniform regions.
  const auto run = [](bool with_profile) {
    auto parts = sections();
    if (!with_profile) parts[2].kind = parts[3].kind = SectionKind::basal;
    network::DetailedCell cell = passive_cell(std::move(parts), 100, 5e-5, -70);
    MechanismPlacement calcium{"Ca_HVA", SectionKind::apical, {{"gbar", 1e-4}}},
        pool{"CaDynamics", SectionKind::apical, {}};
    if (with_profile) {
      DensityProfile step;
      step.shape = DensityProfile::Shape::step;
      step.begin = 410;
      step.end = 1e9;
      step.inside = 2;
      step.outside = 1;
      calcium.density = step;
      cell.mechanisms = {calcium, pool};
    } else {
      cell.mechanisms = {calcium, pool};
      calcium.region = pool.region = SectionKind::basal;
      calcium.parameters["gbar"] = 2e-4;
      cell.mechanisms.push_back(calcium);
      cell.mechanisms.push_back(pool);
    }
    network::Circuit circuit = one_population(cell, 1, 0.025, 30);
    circuit.current_clamps.push_back({"I", 0, {}, {0, 0.5}, network::CurrentSegment{1, 1e9, 0.5, 0.5}});
    for (const char* variable : {"v", "cai"}) {
      network::Probe probe;
      probe.name = probe.variable = variable;
      probe.where = network::Probe::Where::all_compartments;
      circuit.probes.push_back(probe);
    }
    Trace trace;
    core::NoProgress progress;
    simulate(circuit, 1, trace, progress);
    return trace.samples;
  };
  const auto profile = run(true), uniform = run(false);
  EXPECT_EQ(profile, uniform);                          // the same numbers in the same order: the same bits
  EXPECT_GT(profile[1].back().second.back(), 1.01e-4);  // and calcium did flow
}

TEST(Density, NegativeDensitiesAndProfilesWithoutADensityAreErrors) {
  network::DetailedCell cell = passive_cell(sections(), 100, 5e-5, -70);
  DensityProfile falling;
  falling.offset = 1;
  falling.slope = -0.002;  // below 0 from 500 um on
  cell.mechanisms = {placed("Ih", falling), placed("CaDynamics", DensityProfile{})};
  core::Diagnostics diagnostics;
  check_mechanisms(cell, "cell type x", diagnostics);
  ASSERT_EQ(diagnostics.errors().size(), 2u);
  EXPECT_NE(core::to_string(diagnostics.errors()[0]).find("negative"), std::string::npos);
  EXPECT_NE(core::to_string(diagnostics.errors()[1]).find("CaDynamics"), std::string::npos);
}

TEST(Density, CalciumReversalFollowsNeuronsRuleForIons) {
  // Calcium current alone: 132.458 mV as NEURON's default; with a mechanism that reads the concentration: Nernst once,
  // from 5e-5 mM (NEURON 8.2.2: 140.2366 mV); with one that writes it: Nernst every step. Without other currents the
  // cell settles at E_Ca.
  const auto steady_V = [](std::vector<MechanismPlacement> others) {
    network::DetailedCell cell = passive_cell({cylinder(20, 20, SectionKind::soma)}, 100, 0, -70);
    cell.mechanisms = {{"Ca_HVA", SectionKind::soma, {{"gbar", 1e-2}}}};
    for (auto& other : others) cell.mechanisms.push_back(other);
    network::Circuit circuit = one_population(cell, 1, 0.1, 3000);
    circuit.run.V_init_mV = 120;
    circuit.run.celsius = 34;
    circuit.probes.emplace_back();
    Trace trace;
    core::NoProgress progress;
    simulate(circuit, 1, trace, progress);
    return trace.samples[0].back().second[0];
  };
  EXPECT_NEAR(steady_V({}), kDefaultE_Ca_mV, 1e-4);
  EXPECT_NEAR(steady_V({{"SK", SectionKind::soma, {{"gbar", 0.0}}}}), nernst_Ca_mV(34, 2, 5e-5), 1e-4);
  EXPECT_NEAR(steady_V({{"CaDynamics", SectionKind::soma, {}}}), nernst_Ca_mV(34, 2, 1e-4), 1e-2);  // the pool is slow
}

}  // namespace
}  // namespace triscale::detailed

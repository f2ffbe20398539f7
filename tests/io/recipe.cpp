#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "detailed/mechanisms.hpp"
#include "network/edges.hpp"
#include "network/validate.hpp"
#include "tests/io/recipe_examples.hpp"
#include "tests/paths.hpp"

namespace triscale::io {
namespace {

TEST_F(Recipe, FullExampleMakesASoundCircuit) {
  const Circuit c = read(full_recipe());
  network::validate(c, "recipe.json", diagnostics_);
  EXPECT_TRUE(diagnostics_.ok()) << problems();
  const auto& gif = std::get<network::GifModel>(c.cell_types[0].point->model);
  EXPECT_EQ(gif.eta_uS.at(0).amplitude, 0.002);
  EXPECT_EQ(gif.eta_uS.at(0).tau_ms, 9);
  EXPECT_EQ(gif.currents.at(0).tau_ms, 80);
  EXPECT_EQ(gif.threshold_follows.at(0).slope, 0.3);
  EXPECT_EQ(gif.V_filter_ms, 0.5);
  ASSERT_TRUE(gif.dendrite.has_value());
  EXPECT_EQ(gif.dendrite->C_nF, 0.06);
  EXPECT_EQ(gif.dendrite->g_L_uS, 0.002);
  EXPECT_EQ(gif.dendrite->coupling_uS, 0.03);
  EXPECT_EQ(gif.dendrite->spike_coupling_uS, 0.02);
  EXPECT_EQ(gif.dendrite->spike_E_mV, -55);
}

/// The entry of this name.
const auto named = [](const auto& list, const std::string& name) -> const auto& {
  return *std::find_if(list.begin(), list.end(), [&](const auto& entry) { return entry.name == name; });
};

TEST_F(Recipe, PointNeuronsArrive) {
  const Circuit c = read(point_recipe());
  network::validate(c, "recipe.json", diagnostics_);
  EXPECT_TRUE(diagnostics_.ok()) << problems();
  const auto& glif = std::get<network::GlifModel>(c.cell_types[0].point->model);
  EXPECT_EQ(glif.reset_fraction, 0.2);
  ASSERT_EQ(glif.after_spike_currents.size(), 1u);
  EXPECT_EQ(glif.after_spike_currents[0].kept, 0.9);
  EXPECT_EQ(std::get<network::GlifModel>(c.cell_types[1].point->model).V_reset_mV, -77);
  EXPECT_EQ(std::get<network::IzhikevichModel>(c.cell_types[2].point->model).u_init_nA, 0.01);
  const auto& pair = *named(c.synapse_types, "pair").plasticity;
  EXPECT_EQ(std::get<network::PairStdp>(pair.rule).mu_minus, 0.2);
  EXPECT_EQ(pair.w_max, 0.01);
  EXPECT_EQ(pair.scaling->interval_ms, 50);
  EXPECT_EQ(std::get<network::ReceptorSynapse>(*named(c.synapse_types, "pair").point).receptors.at(1).Mg_mM, 1);
  EXPECT_EQ(std::get<network::ReceptorSynapse>(*named(c.synapse_types, "pair").point).sites.at(0).attenuation, 0.8);
  const auto& spikes = std::get<network::SpikeTrains>(named(c.populations, "recorded").source);
  EXPECT_EQ(spikes.times_ms, (std::vector<double>{2.5, 4.5}));
  EXPECT_EQ(spikes.cells, (std::vector<std::uint32_t>{8, 3}));
  EXPECT_EQ(std::get<network::PoissonTrains>(named(c.populations, "pairs").source).correlation, 0.5);
  ASSERT_EQ(c.weight_probes.size(), 1u);
  EXPECT_EQ(c.weight_probes[0].dt_ms, 100);
}

TEST_F(Recipe, SynapsesAndVaryingDensitiesArrive) {
  const Circuit c = read(synapse_recipe());
  network::validate(c, "recipe.json", diagnostics_);
  ASSERT_TRUE(diagnostics_.ok()) << problems();
  const auto& mechanisms = c.cell_types[0].detailed->mechanisms;
  using Profile = network::DensityProfile;
  ASSERT_TRUE(mechanisms[0].density && mechanisms[3].density);
  EXPECT_EQ(mechanisms[0].density->shape, Profile::Shape::exponential);
  EXPECT_EQ(mechanisms[0].density->origin, Profile::Origin::region_start);
  EXPECT_TRUE(mechanisms[0].density->relative);
  EXPECT_EQ(mechanisms[0].density->amplitude, 2.087);
  EXPECT_EQ(mechanisms[2].density->width, -10);
  EXPECT_EQ(mechanisms[3].density->outside, 0.1);
  EXPECT_FALSE(mechanisms[4].density);
  const auto& receptors = std::get<network::ReceptorSynapse>(*c.synapse_types[0].detailed).receptors;
  ASSERT_EQ(receptors.size(), 2u);
  EXPECT_EQ(receptors[0].weight_factor, 1);
  EXPECT_EQ(receptors[0].Mg_mM, 0);
  EXPECT_EQ(receptors[1].kinetics.E_rev_mV, 1);
  EXPECT_EQ(receptors[1].Mg_mM, 1.2);
  EXPECT_EQ(c.synapse_types[0].release->U, 0.4);
  EXPECT_EQ(c.synapse_types[0].release->sites, 3u);
  EXPECT_NEAR(c.synapse_types[1].release->U, 1 - std::sqrt(0.75), 1e-15);  // both sites fail in 3 of 4
  EXPECT_EQ(c.synapse_types[1].release->sites, 2u);
  const network::Release& slow = *c.synapse_types[1].release;
  EXPECT_EQ(slow.tau_recovery_ms, 90);
  EXPECT_EQ(slow.tau_facilitation_ms, 30);
  EXPECT_EQ(slow.facilitation, 0.1);
  EXPECT_EQ(slow.p_start, 0.2);
  EXPECT_EQ(slow.recovery_speedup, 0.3);
  EXPECT_EQ(slow.tau_speedup_ms, 700);
  EXPECT_EQ(slow.baseline_drop, 0.05);
  EXPECT_EQ(slow.tau_baseline_ms, 400);
  EXPECT_EQ(c.synapse_types[3].release->desensitisation, 0.4);
  EXPECT_EQ(c.synapse_types[3].release->tau_desensitisation_ms, 80);
  EXPECT_TRUE(network::is_gap_junction(c.synapse_types[2]));
  EXPECT_EQ(c.projections[2].source_site.section, 1u);
  EXPECT_EQ(c.projections[2].source_site.position, 0.25);
}

TEST_F(Recipe, AGapJunctionHasNoDelayAndNoOtherDescription) {
  json recipe = synapse_recipe();
  recipe["projections"][2]["delay_ms"] = 1;
  recipe["synapse_types"][2]["release"] = {{"U", 0.5}};
  const Circuit c = read(recipe);
  network::validate(c, "recipe.json", diagnostics_);
  EXPECT_EQ(diagnostics_.errors().size(), 2u) << problems();
}

TEST_F(Recipe, RunSettingsArrive) {
  const network::RunSettings run = read(full_recipe()).run;
  EXPECT_EQ(run.duration_ms, 250);
  EXPECT_EQ(run.dt_ms, 0.05);
  EXPECT_EQ(run.seed, 9007199254740992u);
  EXPECT_EQ(run.celsius, 30);
  EXPECT_EQ(run.V_init_mV, -71);
  EXPECT_EQ(run.spike_threshold_mV, -20);
  EXPECT_EQ(run.scheme, network::TimeScheme::second_order);
  EXPECT_EQ(run.compartments.kind, network::CompartmentRule::Kind::d_lambda);
  EXPECT_EQ(run.compartments.d_lambda, 0.2);
  EXPECT_EQ(read(other_recipe()).run.compartments.max_length_um, 40);
}

TEST_F(Recipe, StylisedMorphologyIsAttachedWhereItSays) {
  const Circuit c = read(full_recipe());
  const auto& m = *c.cell_types[0].detailed->morphology;
  ASSERT_EQ(m.sections.size(), 4u);
  EXPECT_DOUBLE_EQ(m.sections[1].length_um(), 100);
  EXPECT_EQ(m.sections[1].parent, 0);
  EXPECT_EQ(m.sections[1].parent_position, 0.5);
  EXPECT_DOUBLE_EQ(m.sections[1].points[0].y_um, 10) << "the soma points up by default";
  EXPECT_DOUBLE_EQ(m.sections[1].points[1].z_um, -100);
  EXPECT_EQ(m.sections[1].points[1].diameter_um, 1);
  EXPECT_EQ(m.sections[2].points[1].diameter_um, 3) << "not tapered unless it says so";
  EXPECT_DOUBLE_EQ(m.sections[2].points[1].y_um, 220);
  EXPECT_DOUBLE_EQ(m.sections[3].points[1].y_um, -30);
}

TEST_F(Recipe, RegionsRefineWhatHoldsForAll) {
  const network::DetailedCell cell = *read(full_recipe()).cell_types[0].detailed;
  using network::SectionKind;
  const auto region = [&](SectionKind kind) { return cell.regions[static_cast<std::size_t>(kind)]; };
  EXPECT_EQ(region(SectionKind::soma).C_m_uF_cm2, 1);
  EXPECT_EQ(region(SectionKind::apical).C_m_uF_cm2, 1.5);
  EXPECT_EQ(region(SectionKind::apical).e_pas_mV, -70);
  EXPECT_EQ(region(SectionKind::basal).Ra_Ohm_cm, 90);
  EXPECT_EQ(region(SectionKind::basal).E_K_mV, -107);
  ASSERT_EQ(cell.mechanisms.size(), 4u) << "NaTs on two kinds of sections";
  EXPECT_EQ(cell.mechanisms[1].region, SectionKind::axon);
  EXPECT_EQ(cell.mechanisms[3].parameters,
            (std::map<std::string, double>{{"gamma", 0.01}, {"decay", 90}, {"depth", 0.2}, {"minCai", 2e-4}}));
}

TEST_F(Recipe, ProjectionsArrive) {
  const Circuit c = read(full_recipe());
  const auto& rule = std::get<network::ConnectionRule>(c.projections[0].connectivity);
  EXPECT_EQ(rule.kind, network::ConnectionRule::Kind::fixed_in_degree);
  EXPECT_EQ(rule.number, 6u);
  EXPECT_FALSE(rule.multapses);
  EXPECT_TRUE(rule.autapses);
  EXPECT_EQ(rule.weight.kind, network::Distribution::Kind::lognormal);
  EXPECT_EQ(rule.weight.sd, 0.0005);
  EXPECT_EQ(rule.delay_ms.high, 2);
  EXPECT_EQ(c.projections[0].placement.min_distance_um, 20);
  EXPECT_EQ(c.projections[1].name, "I->E");
  EXPECT_EQ(std::get<network::ConnectionRule>(c.projections[2].connectivity).weight.mean, 0.1);
}

TEST_F(Recipe, CurrentSynapsesTheirWeightsAndInitialPotentialsArrive) {
  const Circuit c = read(full_recipe());
  const auto slow = std::get<network::CurrentSynapse>(*named(c.synapse_types, "slow current").point);
  EXPECT_EQ(slow.shape, network::CurrentSynapse::Shape::alpha);
  EXPECT_EQ(slow.tau_ms, 2);
  EXPECT_EQ(slow.sign, -1);
  EXPECT_EQ(std::get<network::LifModel>(named(c.cell_types, "leaky").point->model).V_reset_mV, -66);
  EXPECT_EQ(std::get<network::ConnectionRule>(named(c.projections, "E->L").connectivity).weight.mean, 0.1);
  EXPECT_EQ(named(c.populations, "L").V_init_mV->sd, 5);
  EXPECT_EQ(std::get<network::PoissonTrains>(named(c.populations, "background").source).bin_ms, 0.1);
}

TEST_F(Recipe, PoissonInputIsPrivateToEachCell) {
  const Circuit c = read(full_recipe());
  const auto drive =
      std::find_if(c.populations.begin(), c.populations.end(), [](const auto& p) { return p.name == "drive"; });
  ASSERT_NE(drive, c.populations.end());
  EXPECT_TRUE(drive->is_virtual);
  EXPECT_EQ(drive->size, 80u);
  EXPECT_EQ(c.cell_types[drive->cell_type].dale, network::Dale::excitatory);
  EXPECT_EQ(std::get<network::PoissonTrains>(drive->source).rates_hz, (std::vector<double>{12}));
  const auto projection =
      std::find_if(c.projections.begin(), c.projections.end(), [](const auto& p) { return p.name == "drive->E"; });
  ASSERT_NE(projection, c.projections.end());
  const auto edges = network::edges_of(c, static_cast<std::size_t>(projection - c.projections.begin()));
  ASSERT_EQ(edges.size(), 80u);
  EXPECT_EQ(std::set<std::uint32_t>(edges.sources.begin(), edges.sources.end()).size(), 80u);
  for (std::size_t i = 0; i < edges.size(); ++i) EXPECT_EQ(edges.sources[i] / 4, edges.targets[i]);
}

TEST_F(Recipe, CurrentsAndProbesArrive) {
  const Circuit c = read(full_recipe());
  ASSERT_EQ(c.current_clamps.size(), 3u);
  EXPECT_EQ(c.current_clamps[0].cells, (std::vector<std::uint32_t>{1, 3}));
  EXPECT_EQ(c.current_clamps[0].site.section, 2u);
  EXPECT_EQ(c.current_clamps[0].site.position, 0.25);
  const auto& step = std::get<network::CurrentSegment>(c.current_clamps[0].waveform);
  EXPECT_EQ(step.begin_nA, 0.3);
  EXPECT_EQ(step.end_nA, 0.3);
  EXPECT_EQ(std::get<network::CurrentSegment>(c.current_clamps[1].waveform).end_nA, 0.2);
  EXPECT_EQ(std::get<network::NoiseCurrent>(c.current_clamps[2].waveform).tau_ms, 4);
  ASSERT_EQ(c.probes.size(), 1u);
  EXPECT_EQ(c.probes[0].where, network::Probe::Where::all_compartments);
  EXPECT_EQ(c.probes[0].variable, "cai");
  EXPECT_EQ(c.probes[0].end_ms, 50);
}

TEST_F(Recipe, FieldProbesArrive) {
  const Circuit c = read(full_recipe());
  ASSERT_EQ(c.field_probes.size(), 5u) << problems();
  const network::FieldProbe& lfp = c.field_probes[0];
  EXPECT_EQ(c.populations[lfp.contributions.at(0).population].name, "E");
  EXPECT_TRUE(lfp.average);
  EXPECT_EQ(lfp.contributions_dir, "cells");
  EXPECT_EQ(lfp.dt_ms, 0.5);
  const auto& potential = std::get<network::ExtracellularPotential>(lfp.signal);
  EXPECT_EQ(potential.source, network::ExtracellularPotential::Source::root_as_point);
  EXPECT_EQ(potential.conductivity_S_m, (core::Vec3{0.1, 0.2, 0.3}));
  EXPECT_EQ(potential.electrodes.at(0).id, 7u);
  EXPECT_EQ(potential.electrodes.at(0).normal, (core::Vec3{0, 1, 0}));
  EXPECT_EQ(potential.electrodes.at(1).id, 1u);
  EXPECT_EQ(potential.electrodes.at(1).position_um, (core::Vec3{4, 5, 6}));
  const auto& csd = std::get<network::CurrentSourceDensity>(c.field_probes[1].signal);
  EXPECT_EQ(csd.volumes.at(0).shape, network::Volume::Shape::cylinder);
  EXPECT_EQ(csd.volumes.at(0).axis, 1);
  EXPECT_EQ(csd.volumes.at(1).shape, network::Volume::Shape::box);
  const auto& eeg = std::get<network::Eeg>(c.field_probes[3].signal);
  EXPECT_EQ(eeg.head.value().conductivities_S_m[2], 0.02);
  const auto& meg = std::get<network::Meg>(c.field_probes[4].signal);
  EXPECT_EQ(meg.sensors.at(0).direction.value(), (core::Vec3{1, 0, 0}));
  EXPECT_FALSE(meg.sensors.at(1).direction);
  const Circuit other = read(other_recipe());
  EXPECT_EQ(std::get<network::ExtracellularPotential>(other.field_probes.at(0).signal).electrodes.at(1).id, 5u);
}

TEST_F(Recipe, FieldProbeMustBeAKnownOneWithKnownPopulations) {
  json recipe = full_recipe();
  recipe["field_probes"][0]["populations"] = {"X"};
  read(recipe);
  expect_problem("field_probes[0].populations");
  recipe = full_recipe();
  recipe["field_probes"][0]["kind"] = "ecog";
  read(recipe);
  expect_problem("potential, csd, dipole, eeg or meg");
}

TEST_F(Recipe, MorphologyMayComeFromAFile) {
  const Circuit c = read(other_recipe());
  ASSERT_TRUE(diagnostics_.ok()) << problems();
  EXPECT_EQ(c.cell_types[0].detailed->morphology->sections.size(), 2u);
}

TEST(Experiments, EveryRecipeIsSound) {
  std::size_t found = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(tests::source_dir()) / "experiments")) {
    const fs::path path = entry.path() / "recipe.json";
    if (!fs::exists(path)) continue;
    ++found;
    core::Diagnostics diagnostics;
    const Circuit c = read_recipe(path, diagnostics);
    network::validate(c, path.string(), diagnostics);
    for (const auto& problem : diagnostics.errors()) ADD_FAILURE() << core::to_string(problem);
    for (const auto& problem : diagnostics.warnings()) ADD_FAILURE() << core::to_string(problem);
    for (const auto& type : c.cell_types) {
      if (type.detailed) detailed::check_mechanisms(*type.detailed, type.name, diagnostics);
    }
    EXPECT_TRUE(diagnostics.ok()) << path;
  }
  EXPECT_GE(found, 1u);
}

}  // namespace
}  // namespace triscale::io

#include "io/sonata.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "io/sonata_config.hpp"
#include "io/sonata_synapses.hpp"
#include "tests/io/tiny_sonata.hpp"
#include "tests/paths.hpp"

namespace triscale::io {
namespace {

using network::Circuit;
using network::ExplicitEdges;

const std::filesystem::path kData = std::filesystem::path(tests::shared_dir()) / "data";

std::size_t population(const Circuit& circuit, const std::string& name) {
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (circuit.populations[p].name == name) return p;
  }
  ADD_FAILURE() << "no population " << name;
  return 0;
}

const network::Projection& projection(const Circuit& circuit, const std::string& name) {
  for (const auto& one : circuit.projections) {
    if (one.name == name) return one;
  }
  throw std::logic_error("no projection " + name);
}

const ExplicitEdges& edges(const network::Projection& one) {
  return std::get<ExplicitEdges>(one.connectivity);
}

std::size_t edge_count(const Circuit& circuit, bool with_sites) {
  std::size_t count = 0;
  for (const auto& one : circuit.projections) {
    if (edges(one).sites.empty() != with_sites) count += edges(one).targets.size();
  }
  return count;
}

bool warns(const LoadedCircuit& loaded, const std::string& piece) {
  return std::any_of(
      loaded.diagnostics.warnings().begin(), loaded.diagnostics.warnings().end(),
      [&](const core::Problem& problem) { return core::to_string(problem).find(piece) != std::string::npos; });
}

std::string all_warnings(const LoadedCircuit& loaded) {
  std::string text;
  for (const auto& problem : loaded.diagnostics.warnings()) text += core::to_string(problem) + "\n";
  return text;
}

// ------------------------------------------------------------------------------------- public circuits, unmodified
// ----

#define SKIP_WITHOUT(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << (path) << " is absent"

TEST(PublicCircuit, V1With300CellsLoadsWithEverySynapseOnTheSectionOfItsSwcSample) {
  const auto config = kData / "bmtk/examples/bio_300cells_nosurround/config.simulation.json";
  SKIP_WITHOUT(config);
  const LoadedCircuit loaded = load_sonata(config);
  const Circuit& circuit = loaded.circuit;
  // A synapse outside the section of its sample would be reported.
  EXPECT_TRUE(loaded.diagnostics.warnings().empty()) << all_warnings(loaded);
  ASSERT_EQ(circuit.populations.size(), 6u);
  for (const auto& [name, size] :
       {std::pair("Scnn1a", 80u), {"Rorb", 80u}, {"Nr5a1", 80u}, {"PV1", 30u}, {"PV2", 30u}}) {
    const auto& one = circuit.populations[population(circuit, name)];
    EXPECT_EQ(one.size, size);
    EXPECT_EQ(one.file_population, "internal");
    EXPECT_EQ(one.placements.size(), size);
    EXPECT_EQ(circuit.cell_types[one.cell_type].detailed->mechanisms.size(), 11u);
  }
  EXPECT_EQ(circuit.populations[population(circuit, "PV1")].file_ids.front(), 240u);
  EXPECT_EQ(circuit.cell_types[circuit.populations[population(circuit, "PV1")].cell_type].dale,
            network::Dale::inhibitory);
  const auto& external = circuit.populations[population(circuit, "external/100")];
  EXPECT_TRUE(external.is_virtual);
  const auto& trains = std::get<network::SpikeTrains>(external.source);
  EXPECT_EQ(trains.times_ms.size(), 2477u);
  EXPECT_TRUE(std::is_sorted(trains.times_ms.begin(), trains.times_ms.end()));
  EXPECT_EQ(edge_count(circuit, true), 25181u + 10964u);
  EXPECT_EQ(edge_count(circuit, false), 0u);
  EXPECT_EQ(circuit.synapse_types.size(), 10u);
  EXPECT_DOUBLE_EQ(circuit.run.duration_ms, 3000);
  EXPECT_DOUBLE_EQ(circuit.run.dt_ms, 0.1);
  EXPECT_DOUBLE_EQ(circuit.run.V_init_mV, -80);
  EXPECT_DOUBLE_EQ(circuit.run.spike_threshold_mV, -15);
}

TEST(PublicCircuit, FourteenCellsOfMixedKindsLoad) {
  const auto config = kData / "bmtk/examples/bio_14cells/config.simulation.json";
  SKIP_WITHOUT(config);
  const LoadedCircuit loaded = load_sonata(config);
  const Circuit& circuit = loaded.circuit;
  EXPECT_EQ(loaded.diagnostics.warnings().size(), 1u) << all_warnings(loaded);
  EXPECT_TRUE(warns(loaded, "netcon_report"));
  EXPECT_EQ(circuit.populations.size(), 11u);
  // Node groups with different columns: PV1 is of a group without tuning angle.
  EXPECT_DOUBLE_EQ(circuit.populations[population(circuit, "PV1")].placements[1].x_um, 102.373);
  EXPECT_DOUBLE_EQ(circuit.populations[population(circuit, "Scnn1a")].placements[0].rotation_z_rad, -3.646878266);

  const auto& lif = circuit.cell_types[circuit.populations[population(circuit, "LIF_exc")].cell_type];
  const auto& model = std::get<network::IntFire1Model>(lif.point->model);
  EXPECT_DOUBLE_EQ(model.tau_m_ms, 24);
  EXPECT_DOUBLE_EQ(model.t_ref_ms, 3);
  EXPECT_FALSE(lif.detailed);

  // nsyns: one synapse each on dendrites, at places to be drawn; one event of the whole weight on LIF cells.
  EXPECT_EQ(edge_count(circuit, true), 0u);
  EXPECT_EQ(edge_count(circuit, false), 700u + 4800u + 1500u + 56u + 180u + 120u);
  const auto& dendritic = projection(circuit, "TW>Rorb#100");
  EXPECT_EQ(edges(dendritic).targets.size(), 5u * 60u);
  EXPECT_EQ(dendritic.placement.kinds, (std::vector{network::SectionKind::basal, network::SectionKind::apical}));
  EXPECT_DOUBLE_EQ(dendritic.placement.min_distance_um, 30);
  EXPECT_DOUBLE_EQ(dendritic.placement.max_distance_um, 150);
  EXPECT_DOUBLE_EQ(edges(dendritic).weights[0], 0.00015);
  const auto& inhibition = projection(circuit, "PV1>LIF_exc#103");
  EXPECT_EQ(edges(inhibition).targets.size(), 4u);
  EXPECT_DOUBLE_EQ(edges(inhibition).weights[0], 5 * 0.009);
  const auto& type = circuit.synapse_types[inhibition.synapse_type];
  EXPECT_EQ(std::get<network::InstantaneousSynapse>(*type.detailed).sign, -1);
  EXPECT_EQ(std::get<network::InstantaneousSynapse>(*type.point).sign, -1);

  // gaussianLL: Rorb cell 1 (75 degrees) onto LIF_exc cell 0 (150 degrees), sigma 50 degrees.
  const auto& tuned = edges(projection(circuit, "Rorb>LIF_exc#110"));
  bool found = false;
  for (std::size_t e = 0; e < tuned.sources.size(); ++e) {
    if (tuned.sources[e] != 1 || tuned.targets[e] != 0) continue;
    found = true;
    EXPECT_NEAR(tuned.weights[e], 5 * 0.0019 * std::exp(-1.5 * 1.5), 1e-15);
  }
  EXPECT_TRUE(found);

  ASSERT_EQ(loaded.reports.size(), 2u);
  EXPECT_EQ(loaded.reports[0].variable, "cai");
  EXPECT_EQ(loaded.reports[0].file_name, "calcium_concentration.h5");
  EXPECT_EQ(loaded.reports[0].probes.size(), 5u);
  EXPECT_EQ(circuit.probes.size(), 10u);
}

TEST(PublicCircuit, StrongDriveUsesTheNetworkOfAnotherFolder) {
  const auto config = kData / "derived/v1_strong_drive/config.simulation.json";
  SKIP_WITHOUT(config);
  const LoadedCircuit loaded = load_sonata(config);
  EXPECT_EQ(edge_count(loaded.circuit, true), 36145u);
  const auto& external = loaded.circuit.populations[population(loaded.circuit, "external/100")];
  EXPECT_EQ(std::get<network::SpikeTrains>(external.source).times_ms.size(), 31982u);
  EXPECT_DOUBLE_EQ(loaded.circuit.run.duration_ms, 10000);
}

TEST(PublicCircuit, FiveCellsLoadFromTheWrapperAndFromTheSimulationConfig) {
  const auto folder = kData / "sonata/examples/5_cells_iclamp";
  SKIP_WITHOUT(folder);
  for (const char* name : {"config.json", "simulation_config.json"}) {
    const LoadedCircuit loaded = load_sonata(folder / name);
    EXPECT_TRUE(loaded.diagnostics.warnings().empty()) << all_warnings(loaded);
    ASSERT_EQ(loaded.circuit.field_probes.size(), 1u);
    const network::FieldProbe& ecp = loaded.circuit.field_probes[0];
    EXPECT_EQ(ecp.contributions.size(), 5u);
    const auto& potential = std::get<network::ExtracellularPotential>(ecp.signal);
    ASSERT_EQ(potential.electrodes.size(), 86u);
    EXPECT_EQ(potential.electrodes[8].id, 8u);
    EXPECT_EQ(potential.electrodes[8].position_um, (core::Vec3{10, -80, 5}));
    EXPECT_EQ(potential.source, network::ExtracellularPotential::Source::line);
    EXPECT_EQ(loaded.circuit.populations.size(), 5u);
    ASSERT_EQ(loaded.circuit.current_clamps.size(), 15u);
    const auto& clamp = loaded.circuit.current_clamps[5];
    EXPECT_EQ(clamp.name, "current_clamp_2/Scnn1a");
    const auto& step = std::get<network::CurrentSegment>(clamp.waveform);
    EXPECT_DOUBLE_EQ(step.begin_nA, 0.175);
    EXPECT_DOUBLE_EQ(step.begin_ms, 1500);
    EXPECT_DOUBLE_EQ(step.end_ms, 2000);
    EXPECT_EQ(clamp.site.section, 0u);
    EXPECT_EQ(loaded.circuit.probes.size(), 10u);
    EXPECT_TRUE(looks_like_sonata(folder / name));
  }
}

TEST(PublicCircuit, EdgeIndexExampleWithoutMagicGivesAWarning) {
  const auto path = kData / "sonata/examples/edges/edge_index_example.h5";
  SKIP_WITHOUT(path);
  core::Diagnostics diagnostics;
  const Hdf5File file = Hdf5File::open(path);
  check_magic(file, diagnostics);
  EXPECT_TRUE(diagnostics.ok());
  EXPECT_EQ(diagnostics.warnings().size(), 1u);
  EXPECT_EQ(file.read<std::uint64_t>("/edges/example/edge_group_id").size(), 33u);
}

// ------------------------------------------------------------------------------------------- features, one by one
// -----

TEST(Sonata, TinyCircuitLoadsWithoutWarnings) {
  const LoadedCircuit loaded = load_sonata(TinySonata("sound").write());
  const Circuit& circuit = loaded.circuit;
  EXPECT_TRUE(loaded.diagnostics.warnings().empty()) << all_warnings(loaded);
  ASSERT_EQ(circuit.populations.size(), 3u);
  const auto& onto_pyr = edges(projection(circuit, "ext/300>Pyr#200"));
  EXPECT_EQ(onto_pyr.sources, (std::vector<std::uint32_t>{0, 1, 0}));
  EXPECT_EQ(onto_pyr.targets, (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_EQ(onto_pyr.weights, (std::vector<double>{1e-4, 2e-4, 3e-4}));
  EXPECT_EQ(onto_pyr.sites[2].section, 2u);
  EXPECT_DOUBLE_EQ(onto_pyr.sites[2].position, 1.0);
  const auto& onto_bas = edges(projection(circuit, "ext/300>Bas#201"));
  EXPECT_EQ(onto_bas.targets, std::vector<std::uint32_t>{0});
  EXPECT_DOUBLE_EQ(onto_bas.delays_ms[0], 1.5);
  EXPECT_EQ(edges(projection(circuit, "Bas>Pyr#210")).targets.size(), 3u);
  EXPECT_EQ(circuit.populations[1].file_ids, std::vector<std::uint64_t>{3});
  EXPECT_DOUBLE_EQ(circuit.populations[1].placements[0].x_um, 30);
  const auto& trains = std::get<network::SpikeTrains>(circuit.populations[2].source);
  EXPECT_EQ(trains.times_ms, (std::vector<double>{10, 20, 30}));
  EXPECT_EQ(trains.cells, (std::vector<std::uint32_t>{1, 0, 1}));
  EXPECT_DOUBLE_EQ(circuit.run.compartments.max_length_um, 30);
  // Types that share a shape share the object.
  EXPECT_EQ(circuit.cell_types[0].detailed->morphology->sections.size(), 5u);
}

TEST(Sonata, OneFileAndTwoFilesGiveTheSameCircuit) {
  TinySonata two("two_files"), one("one_file");
  std::string text = one.texts.at("config.circuit.json");
  text.erase(text.rfind('}'));
  std::string simulation = one.texts.at("config.simulation.json");
  simulation = simulation.substr(simulation.find("\"run\""));
  simulation.erase(simulation.rfind(",\n  \"network\""));
  one.texts["config.simulation.json"] = text + "," + simulation + "}";
  one.replace("config.simulation.json", "\"$NET\"", "\"$BASE\": \".\", \"$INPUT\": \"$BASE/inputs\", \"$NET\"");
  const LoadedCircuit a = load_sonata(two.write()), b = load_sonata(one.write());
  EXPECT_TRUE(b.diagnostics.warnings().empty()) << all_warnings(b);
  ASSERT_EQ(a.circuit.projections.size(), b.circuit.projections.size());
  for (std::size_t p = 0; p < a.circuit.projections.size(); ++p) {
    EXPECT_EQ(a.circuit.projections[p].name, b.circuit.projections[p].name);
    EXPECT_EQ(edges(a.circuit.projections[p]).weights, edges(b.circuit.projections[p]).weights);
  }
}

TEST(Sonata, SectionsCountedInTheGuidesOrderAreRecognisedBySwcIds) {
  TinySonata tiny("guide_order");
  // Guide: soma 0, axon stubs 1 and 2, basal 3, apical 4. Allen: soma 0, basal 1, apical 2, stubs 3 and 4.
  tiny.ext_sections = {3, 3, 4, 0};
  const LoadedCircuit loaded = load_sonata(tiny.write());
  EXPECT_TRUE(warns(loaded, "0 of 3 synapses")) << all_warnings(loaded);
  const auto& sites = edges(projection(loaded.circuit, "ext/300>Pyr#200")).sites;
  EXPECT_EQ(sites[0].section, 1u);
  EXPECT_EQ(sites[2].section, 2u);
}

TEST(Sonata, SitesThatFitNeitherOrderAreReportedAndKept) {
  TinySonata tiny("no_order");
  tiny.ext_swc_ids = {5, 3, 5, 1};
  const LoadedCircuit loaded = load_sonata(tiny.write());
  EXPECT_TRUE(warns(loaded, "2 of 3 synapses")) << all_warnings(loaded);
  EXPECT_EQ(edges(projection(loaded.circuit, "ext/300>Pyr#200")).sites[0].section, 1u);
}

TEST(Sonata, NodeSetsOfEveryFormSelectTheirCells) {
  const auto clamped = [](const std::string& name, const std::string& set) {
    TinySonata tiny("sets_" + name);
    tiny.texts["sets.json"] = R"({"first": {"population": "net", "node_id": [0, 3]}, "inhibitory": {"ei": "i"},
                                 "right": {"x": [20, 30]}, "both": ["first", "right"]})";
    tiny.replace(
        "config.simulation.json", "\"inputs\": {",
        R"("node_sets_file": "sets.json", "inputs": {"step": {"input_type": "current_clamp", "module": "IClamp",
                    "amp": [0.1, 0.2], "delay": [10, 50], "duration": [20, 30], "node_set": )" +
            set + "},");
    const LoadedCircuit loaded = load_sonata(tiny.write());
    std::string text;
    for (const auto& clamp : loaded.circuit.current_clamps) {
      if (clamp.name.find("[0]") == std::string::npos) continue;
      text += loaded.circuit.populations[clamp.population].name;
      for (const auto cell : clamp.cells) text += std::to_string(cell);
      text += " ";
    }
    return text;
  };
  EXPECT_EQ(clamped("name", "\"first\""), "Pyr0 Bas ");
  EXPECT_EQ(clamped("attribute", "\"inhibitory\""), "Bas ");
  EXPECT_EQ(clamped("number", "\"right\""), "Pyr2 Bas ");
  EXPECT_EQ(clamped("compound", "\"both\""), "Pyr02 Bas ");
  EXPECT_EQ(clamped("list", "[1, 2]"), "Pyr12 ");
  EXPECT_EQ(clamped("inline", "{\"population\": \"net\", \"ei\": \"e\"}"), "Pyr ");
  EXPECT_EQ(clamped("population", "\"net\""), "Pyr Bas ");
}

TEST(Sonata, SpikesComeFromCsvToo) {
  TinySonata tiny("csv_spikes");
  tiny.texts["inputs/spikes.csv"] = "timestamps population node_ids\n30.0 ext 1\n12.5 ext 0\n";
  tiny.replace("config.simulation.json", "\"module\": \"sonata\"", "\"module\": \"csv\"");
  tiny.replace("config.simulation.json", "spikes.h5", "spikes.csv");
  const LoadedCircuit loaded = load_sonata(tiny.write());
  const auto& trains = std::get<network::SpikeTrains>(loaded.circuit.populations[2].source);
  EXPECT_EQ(trains.times_ms, (std::vector<double>{12.5, 30}));
}

TEST(Sonata, TuningWeightFoldsAnglesToNinetyDegrees) {
  EXPECT_DOUBLE_EQ(gaussian_tuning_weight(2, 10, 10, 50), 2);
  EXPECT_DOUBLE_EQ(gaussian_tuning_weight(2, 0, 180, 50), 2);
  EXPECT_DOUBLE_EQ(gaussian_tuning_weight(2, 0, 90, 50), 2 * std::exp(-1.8 * 1.8));
  EXPECT_DOUBLE_EQ(gaussian_tuning_weight(2, 300, 30, 50), 2 * std::exp(-1.8 * 1.8));
  EXPECT_DOUBLE_EQ(gaussian_tuning_weight(2, 0, 150, 50), gaussian_tuning_weight(2, 0, 30, 50));
}

// ----------------------------------------------------------------------------------------------------- warnings
// -------

TEST(Sonata, WhatHasNoEffectIsNamed) {
  TinySonata tiny("warnings");
  tiny.magic = false;
  tiny.replace("config.simulation.json", "\"tstop\"", "\"tstpo\": 5, \"tstop\"");
  tiny.replace("config.simulation.json", "\"conditions\"", "\"colour\": \"red\", \"conditions\"");
  tiny.replace("network/ext_edge_types.csv", "edge_type_id target_query", "edge_type_id mood");
  tiny.replace("network/node_types.csv", "ei model_name", "ei layer");
  const LoadedCircuit loaded = load_sonata(tiny.write());
  EXPECT_TRUE(warns(loaded, "run.tstpo"));
  EXPECT_TRUE(warns(loaded, "colour"));
  EXPECT_TRUE(warns(loaded, "column mood"));
  EXPECT_TRUE(warns(loaded, "column layer"));
  EXPECT_TRUE(warns(loaded, "magic"));
  EXPECT_EQ(loaded.circuit.populations[0].name, "net/100");
}

TEST(Sonata, ContributionsOfSingleCellsGoToTheLastNameOfTheirFolder) {
  for (const char* folder : {"cells_of_ecp", "${INPUT}/cells_of_ecp", "$BASE/deep/cells_of_ecp/"}) {
    TinySonata tiny("contributions");
    tiny.texts["electrodes.csv"] = "channel x_pos y_pos z_pos\n0 10 20 30\n";
    tiny.replace("config.simulation.json", "\"output\"",
                 std::string(R"("reports": {"ecp": {"module": "extracellular", "cells": "all", "variable_name": "v",
  "electrode_positions": "$BASE/electrodes.csv", "file_name": "ecp.h5", "minimum_distance": "auto", "contributions_dir": ")") +
                     folder + "\"}}, \"output\"");
    const LoadedCircuit loaded = load_sonata(tiny.write());
    ASSERT_EQ(loaded.circuit.field_probes.size(), 1u);
    EXPECT_EQ(loaded.circuit.field_probes[0].contributions_dir, "cells_of_ecp");
    EXPECT_FALSE(warns(loaded, "reports.ecp")) << all_warnings(loaded);
    tiny.replace("config.simulation.json", "\"auto\"", "5.0");
    EXPECT_TRUE(warns(load_sonata(tiny.write()), "minimum_distance"));
  }
}

TEST(Sonata, VirtualPopulationWithoutInputIsNamed) {
  TinySonata tiny("no_input");
  tiny.replace("config.simulation.json", "\"inputs\": {\"drive\"", "\"inputs\": {}, \"unused\": {\"drive\"");
  const LoadedCircuit loaded = load_sonata(tiny.write());
  EXPECT_TRUE(warns(loaded, "ext/300")) << all_warnings(loaded);
  EXPECT_TRUE(std::get<network::SpikeTrains>(loaded.circuit.populations[2].source).times_ms.empty());
}

// ------------------------------------------------------------------------------------------------------- errors
// -------

TEST(SonataErrors, AllProblemsOfAllFilesAreReportedAtOnce) {
  TinySonata tiny("many");
  tiny.replace("config.simulation.json", "\"tstop\": 100.0, ", "");
  tiny.replace("components/cell.swc", "3 3 0 60 0 1 2", "3 3 0 60 0 -1 2");
  tiny.replace("components/inh.json", "\"tau2\": 15.0", "\"tau2\": 1.0");
  tiny.ext_targets = {0, 1, 2, 17};
  const std::string text = errors_of(tiny);
  EXPECT_PIECE(text, "run.tstop: must be given");
  EXPECT_PIECE(text, "cell.swc: line 3");
  EXPECT_PIECE(text, "inh.json: tau2");
  EXPECT_PIECE(text, "row 3, target_node_id: '17' must be a node of population 'net'");
}

TEST(SonataErrors, NameFilePlaceValueAndRule) {
  {
    TinySonata tiny("no_nodes_file");
    tiny.replace("config.circuit.json", "$NET/nodes.h5", "$NET/absent.h5");
    EXPECT_PIECE(errors_of(tiny), "absent.h5: must be an existing file");
  }
  {
    TinySonata tiny("no_circuit");
    tiny.replace("config.simulation.json", "$BASE/config.circuit.json", "absent.json");
    EXPECT_PIECE(errors_of(tiny), "absent.json: must be a readable JSON file");
  }
  {
    TinySonata tiny("bad_json");
    tiny.replace("config.circuit.json", "\"networks\": {", "\"networks\": ");
    EXPECT_PIECE(errors_of(tiny), "config.circuit.json: must be well-formed JSON");
  }
  {
    TinySonata tiny("bad_variable");
    tiny.replace("config.circuit.json", "$NET/nodes.h5", "$NTE/nodes.h5");
    EXPECT_PIECE(errors_of(tiny), "'NTE' is not one");
  }
  {
    TinySonata tiny("circular_manifest");
    tiny.replace("config.simulation.json", "\"$BASE\": \".\"", "\"$BASE\": \"${INPUT}\"");
    EXPECT_PIECE(errors_of(tiny), "in a circle");
  }
  {
    TinySonata tiny("no_delay");
    tiny.replace("network/ext_edge_types.csv", "delay", "daley");
    EXPECT_PIECE(errors_of(tiny), "delay: must be a number (ms)");
  }
  {
    TinySonata tiny("node_type");
    tiny.node_type_ids = {100, 100, 100, 999};
    EXPECT_PIECE(errors_of(tiny), "row 3, node_type_id: '999' must be a type of");
  }
  {
    TinySonata tiny("edge_type");
    tiny.ext_types = {200, 200, 200, 999};
    EXPECT_PIECE(errors_of(tiny), "row 3, edge_type_id: '999' must be a type of");
  }
  {
    TinySonata tiny("section");
    tiny.ext_sections = {1, 77, 2, 0};
    EXPECT_PIECE(errors_of(tiny), "'77' must be a section of the target cell (it has 5)");
  }
  {
    TinySonata tiny("position");
    tiny.ext_positions = {0.5, 0.5, 1.5, 0.5};
    EXPECT_PIECE(errors_of(tiny), "must be a number from 0 to 1");
  }
  {
    TinySonata tiny("rows");
    tiny.ext_weights = {1e-4};
    EXPECT_PIECE(errors_of(tiny), "must have as many rows as the other columns");
  }
  {
    TinySonata tiny("spike_id");
    tiny.spike_ids = {0, 1, 5};
    EXPECT_PIECE(errors_of(tiny), "row 2: '5' must be a node of 'ext'");
  }
  {
    TinySonata tiny("spike_time");
    tiny.spike_times_ms = {1, -2, 3};
    EXPECT_PIECE(errors_of(tiny), "must be a time >= 0");
  }
}

TEST(SonataErrors, UnsupportedDynamicsAreNamedAndNeverSkipped) {
  {
    TinySonata tiny("template");
    tiny.replace("network/node_types.csv", "ctdb:Biophys1.hoc", "hoc:Other.hoc");
    EXPECT_PIECE(errors_of(tiny), "'hoc:Other.hoc' must be nml:FILE or ctdb:Biophys1.hoc");
  }
  {
    TinySonata tiny("processing");
    tiny.replace("network/node_types.csv", "aibs_perisomatic", "aibs_other");
    EXPECT_PIECE(errors_of(tiny), "aibs_other");
  }
  {
    TinySonata tiny("synapse");
    tiny.replace("components/exc.json", "exp2syn", "model_2");
    EXPECT_PIECE(errors_of(tiny), "'model_2' must be exp2syn, expsyn or instantaneous");
  }
  {
    TinySonata tiny("weight_function");
    tiny.replace("network/edge_types.csv", " wmax", " ring");
    EXPECT_PIECE(errors_of(tiny), "must be wmax or gaussianLL");
  }
  {
    TinySonata tiny("input");
    tiny.replace("config.simulation.json", "\"module\": \"sonata\"", "\"module\": \"nwb\"");
    EXPECT_PIECE(errors_of(tiny), "'nwb' is not a supported input of type spikes");
  }
  {
    TinySonata tiny("node_set");
    tiny.replace("config.simulation.json", "\"node_set\": \"ext\"", "\"node_set\": \"exotic\"");
    EXPECT_PIECE(errors_of(tiny), "('exotic' is none)");
  }
  {
    TinySonata tiny("simulator");
    tiny.replace("config.simulation.json", "\"NEURON\"", "\"NEST\"");
    EXPECT_PIECE(errors_of(tiny), "'NEST' must be the simulator that the cells are for");
  }
}

TEST(SonataErrors, ASynapseAgainstDalesLawIsAnError) {
  TinySonata tiny("dale");
  tiny.replace("components/exc.json", "\"erev\": 0.0", "\"erev\": -80.0");
  EXPECT_PIECE(errors_of(tiny), "Dale's law");
}

TEST(SonataErrors, LongListsOfTheSameProblemAreCut) {
  TinySonata tiny("long_list");
  tiny.ext_sources.assign(50, 0);
  tiny.ext_targets.assign(50, 99);
  tiny.ext_types.assign(50, 200);
  tiny.ext_sections.assign(50, 0);
  tiny.ext_swc_ids.assign(50, 1);
  tiny.ext_positions.assign(50, 0.5);
  tiny.ext_weights.assign(50, 1e-4);
  const std::string text = errors_of(tiny);
  EXPECT_PIECE(text, "and 46 more of this kind");
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 10);
}

TEST(Sonata, RecipesDoNotLookLikeSonata) {
  TinySonata tiny("looks");
  tiny.texts["recipe.json"] = R"({"populations": [], "run": {}})";
  EXPECT_TRUE(looks_like_sonata(tiny.write()));
  EXPECT_FALSE(looks_like_sonata(tiny.folder / "recipe.json"));
  EXPECT_FALSE(looks_like_sonata(tiny.folder / "absent.json"));
}

}  // namespace
}  // namespace triscale::io

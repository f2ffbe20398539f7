// Circuits of BMTK's PointNet: NEST's cells, weights and units.
#include <gtest/gtest.h>

#include <algorithm>

#include "io/sonata.hpp"
#include "pointneuron/simulate.hpp"
#include "tests/io/tiny_sonata.hpp"
#include "tests/paths.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale::io {
namespace {

using network::CurrentSynapse;
using Spikes = std::vector<std::pair<std::uint32_t, double>>;  // node, ms

/// The tiny circuit with NEST's cells: weights of `external` (sources 0 and 1), excitatory and inhibitory edges in
/// NEST's unit.
TinySonata pointnet(const std::string& name, const std::string& model, const std::vector<double>& external,
                    const std::string& excitatory, const std::string& inhibitory) {
  TinySonata tiny("pointnet_" + name);
  tiny.replace("config.simulation.json", "NEURON", "NEST");
  tiny.replace("config.circuit.json", "\"mechanisms_dir\": \"$COMPONENTS\"",
               "\"point_neuron_models_dir\": \"$COMPONENTS\"");
  tiny.texts["network/node_types.csv"] =
      "node_type_id model_type model_template dynamics_params ei model_name\n"
      "100 point_neuron nest:" +
      model +
      " exc_cell.json e Pyr\n"
      "101 point_neuron nest:" +
      model + " inh_cell.json i Bas\n";
  tiny.texts["network/ext_edge_types.csv"] =
      "edge_type_id dynamics_params delay model_template\n"
      "200 static.json 2.0 static_synapse\n"
      "201 NULL 1.5 nest:static_synapse\n";
  tiny.texts["network/edge_types.csv"] =
      "edge_type_id dynamics_params delay model_template syn_weight weight_function\n"
      "210 static.json 1.0 static_synapse " +
      inhibitory +
      " wmax\n"
      "211 static.json 1.0 static_synapse " +
      excitatory + " NULL\n";
  tiny.texts["components/static.json"] = "{}";
  tiny.texts["components/exc_cell.json"] =
      R"({"C_m": 180.0, "tau_m": 22.2, "t_ref": 3.0, "E_L": -72.0, "V_th": -55.0, "V_reset": -65.0, "I_e": 80.0})";
  const std::string synapses = model == "iaf_psc_delta" ? "" : R"(, "tau_syn_ex": 1.5, "tau_syn_in": 4.0)";
  tiny.texts["components/inh_cell.json"] =
      R"({"C_m": 100.0, "tau_m": 8.0, "E_L": -71.0, "V_th": -56.0, "V_m": -66.0)" + synapses + "}";
  tiny.ext_weights = {external[0], external[1], external[0], external[1]};
  tiny.spike_times_ms = {3, 9, 9, 20, 31, 40, 52, 60, 5, 9, 25, 33, 47, 61, 77};
  tiny.spike_ids = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1};
  return tiny;
}

Spikes run(const LoadedCircuit& loaded) {
  testing::KeepingRecorder recorder;
  core::NoProgress progress;
  pointneuron::simulate(loaded.circuit, 1, recorder, progress);
  Spikes spikes;
  for (const testing::Spike& s : recorder.spikes) {
    const auto node = static_cast<std::uint32_t>(loaded.circuit.populations[s.population].file_ids[s.cell]);
    spikes.emplace_back(node, s.t_ms);
  }
  return spikes;
}

void expect_spikes(Spikes spikes, Spikes expected) {
  const auto in_time = [](const auto& a, const auto& b) {
    return std::pair(a.second, a.first) < std::pair(b.second, b.first);
  };
  std::sort(spikes.begin(), spikes.end(), in_time);
  std::sort(expected.begin(), expected.end(), in_time);
  ASSERT_EQ(spikes.size(), expected.size());
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    EXPECT_EQ(spikes[i].first, expected[i].first) << "spike " << i;
    EXPECT_NEAR(spikes[i].second, expected[i].second, 1e-9) << "spike " << i;
  }
}

std::string problems_of(const TinySonata& tiny) {
  try {
    load_sonata(tiny.write());
  } catch (const core::InputError& error) {
    std::string text;
    for (const core::Problem& problem : error.problems()) text += core::to_string(problem) + "\n";
    return text;
  }
  return "loaded";
}

// Spikes of the same circuit in NEST 3.10 (benchmarks/nest/pointnet_spikes.py).
TEST(PointNet, CellsWithAlphaCurrentsFireWhenNestsDo) {
  const auto loaded = load_sonata(pointnet("alpha", "iaf_psc_alpha", {900, 1100}, "300.0", "-400.0").write());
  expect_spikes(run(loaded),
                {{0, 8.4},  {2, 8.4},  {3, 8.3},  {1, 9.7},  {3, 11.3}, {2, 12.5}, {1, 14.0}, {3, 15.0}, {2, 17.6},
                 {2, 24.2}, {1, 28.2}, {3, 28.3}, {2, 34.3}, {1, 35.4}, {3, 35.6}, {1, 41.1}, {2, 42.9}, {3, 49.9},
                 {1, 50.9}, {2, 54.4}, {2, 61.7}, {1, 63.8}, {3, 64.0}, {2, 67.4}, {1, 70.4}, {1, 81.0}, {3, 80.1}});
}

TEST(PointNet, CellsWithExponentialCurrentsFireWhenNestsDo) {
  const auto loaded = load_sonata(pointnet("exp", "iaf_psc_exp", {900, 1100}, "300.0", "-400.0").write());
  expect_spikes(run(loaded), {{3, 10.9},
                              {0, 11.5},
                              {1, 11.5},
                              {2, 11.5},
                              {2, 24.4},
                              {1, 29.0},
                              {0, 33.5},
                              {3, 35.1},
                              {1, 37.9},
                              {2, 42.3},
                              {1, 51.8},
                              {0, 56.6},
                              {2, 57.7},
                              {3, 63.3},
                              {1, 65.8},
                              {1, 81.7}});
}

TEST(PointNet, CellsWithDeltaSynapsesFireWhenNestsDo) {
  const auto loaded = load_sonata(pointnet("delta", "iaf_psc_delta", {9, 11}, "3.0", "-4.0").write());
  expect_spikes(run(loaded), {{0, 11.0},
                              {1, 11.0},
                              {2, 11.0},
                              {3, 10.5},
                              {1, 27.0},
                              {0, 33.0},
                              {2, 33.0},
                              {1, 35.0},
                              {3, 34.5},
                              {1, 49.0},
                              {0, 54.0},
                              {2, 54.0},
                              {1, 63.0},
                              {3, 62.5},
                              {1, 79.0}});
}

TEST(PointNet, GlifCellsFireWhenNestsDo) {
  TinySonata tiny = pointnet("glif", "glif_lif_asc_psc", {900, 1100}, "300.0", "-400.0");
  const std::string glif =
      R"({"V_m": -70.5, "V_th": -44.2, "g": 9.2, "E_L": -70.5, "C_m": 81.2, "t_ref": 1.5, "V_reset": -70.5,
      "asc_init": [0.0, 0.0], "asc_decay": [0.003, 0.3], "asc_amps": [-4.1, -292.0], "tau_syn": [5.5, 8.5, 2.8, 5.8],
      "spike_dependent_threshold": false, "after_spike_currents": true, "adapting_threshold": false})";
  tiny.texts["components/exc_cell.json"] = glif;
  tiny.texts["components/inh_cell.json"] = glif;
  tiny.texts["components/static.json"] = R"({"receptor_type": 3})";
  tiny.replace("network/ext_edge_types.csv", "201 NULL", "201 static.json");
  expect_spikes(run(load_sonata(tiny.write())),
                {{0, 8.6},  {2, 8.6},  {3, 9.6},  {1, 10.1}, {2, 12.6}, {3, 12.3}, {1, 13.2}, {2, 15.6},
                 {3, 15.2}, {1, 17.2}, {2, 22.5}, {2, 27.5}, {3, 27.9}, {1, 29.5}, {3, 32.9}, {1, 35.8},
                 {2, 36.1}, {3, 37.3}, {1, 39.8}, {2, 43.8}, {3, 49.9}, {1, 51.3}, {3, 55.0}, {2, 55.3},
                 {2, 62.5}, {1, 64.3}, {3, 65.4}, {2, 67.5}, {1, 69.3}, {3, 80.4}, {1, 81.9}, {3, 86.7}});
}

TEST(PointNet, WeightsAndCurrentsAreInNestsUnitsAndNsynsMultipliesAWeight) {
  TinySonata tiny = pointnet("units", "iaf_psc_exp", {900, 1100}, "300.0", "-400.0");
  tiny.replace("config.simulation.json", "\"inputs\": {",
               R"("reports": {"V": {"cells": "net", "variable_name": "V_m", "module": "multimeter_report"}},
  "inputs": {"step": {"input_type": "current_clamp", "module": "IClamp", "node_set": "net", "amp": 0.25, "delay": 5.0,
                      "duration": 10.0}, )");
  const auto loaded = load_sonata(tiny.write());
  const network::Circuit& c = loaded.circuit;
  ASSERT_EQ(c.projections.size(), 4u);
  const auto& inhibitory =
      *std::find_if(c.projections.begin(), c.projections.end(), [](const auto& p) { return p.name == "Bas>Pyr#210-"; });
  EXPECT_DOUBLE_EQ(std::get<network::ExplicitEdges>(inhibitory.connectivity).weights.at(0), 3 * 0.4);
  const auto synapse = std::get<CurrentSynapse>(*c.synapse_types[inhibitory.synapse_type].point);
  EXPECT_EQ(synapse.sign, -1);
  EXPECT_EQ(synapse.tau_ms, 2);  // NEST's default, as exc_cell.json gives none
  const auto& model = std::get<network::LifModel>(c.cell_types[c.populations[0].cell_type].point->model);
  EXPECT_DOUBLE_EQ(model.C_m_nF, 0.18);
  EXPECT_DOUBLE_EQ(model.C_m_nF / model.g_L_uS, 22.2);
  EXPECT_EQ(c.populations[0].V_init_mV->mean, -70);
  EXPECT_EQ(c.populations[1].V_init_mV->mean, -66);
  ASSERT_EQ(c.current_clamps.size(), 3u);  // I_e of Pyr, the step into both
  EXPECT_DOUBLE_EQ(std::get<network::CurrentSegment>(c.current_clamps[0].waveform).begin_nA, 0.08);
  EXPECT_DOUBLE_EQ(std::get<network::CurrentSegment>(c.current_clamps[1].waveform).begin_nA, 0.25e-3);
  ASSERT_FALSE(loaded.diagnostics.warnings().empty());
  EXPECT_NE(core::to_string(loaded.diagnostics.warnings()[0]).find("pA"), std::string::npos);
  ASSERT_EQ(c.probes.size(), 2u);
  EXPECT_EQ(c.probes[0].variable, "v");
}

TEST(PointNet, WhatIsNotSupportedOrMixesUnitsIsNamed) {
  const auto base = [](const std::string& name) {
    return pointnet(name, "iaf_psc_exp", {900, 1100}, "300.0", "-400.0");
  };
  TinySonata tiny = base("model");
  tiny.replace("network/node_types.csv", "nest:iaf_psc_exp inh_cell", "nest:hh_psc_alpha inh_cell");
  EXPECT_NE(problems_of(tiny).find("hh_psc_alpha"), std::string::npos);
  tiny = base("conductance");
  tiny.replace("network/edge_types.csv", "211 static.json 1.0 static_synapse", "211 static.json 1.0 Exp2Syn");
  EXPECT_NE(problems_of(tiny).find("must be static_synapse where the target is a cell of NEST"), std::string::npos);
  tiny = base("port");
  tiny.texts["components/static.json"] = R"({"receptor_type": 2})";
  EXPECT_NE(problems_of(tiny).find("receptor_type 2"), std::string::npos);
  tiny = base("simulator");
  tiny.replace("config.simulation.json", "NEST", "NEURON");
  EXPECT_NE(problems_of(tiny).find("must be the simulator that the cells are for"), std::string::npos);
  tiny = base("key");
  tiny.replace("components/inh_cell.json", "\"V_m\"", "\"V_M\"");
  const auto loaded = load_sonata(tiny.write());
  ASSERT_FALSE(loaded.diagnostics.warnings().empty());
  EXPECT_NE(core::to_string(loaded.diagnostics.warnings()[0]).find("V_M"), std::string::npos);
  tiny = base("bound");
  tiny.replace("components/exc_cell.json", "\"I_e\": 80.0", "\"delta\": 5.0");
  EXPECT_NE(problems_of(tiny).find("delta"), std::string::npos);
}

TEST(PointNet, TheHandWrittenLeakyCellsOfTheAllenInstituteAreRead) {
  const auto folder = std::filesystem::path(tests::shared_dir()) / "data/bmtk/examples/point_components/cell_models";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no shared data";
  TinySonata tiny = pointnet("allen", "iaf_psc_alpha", {900, 1100}, "300.0", "-400.0");
  tiny.replace("config.circuit.json", R"("point_neuron_models_dir": "$COMPONENTS")",
               R"("point_neuron_models_dir": ")" + folder.string() + "\"");
  tiny.replace("network/node_types.csv", "exc_cell.json", "472363762_point.json");
  tiny.replace("network/node_types.csv", "inh_cell.json", "473863510_point.json");
  const auto loaded = load_sonata(tiny.write());
  const auto& model = std::get<network::LifModel>(loaded.circuit.cell_types[0].point->model);
  EXPECT_DOUBLE_EQ(model.C_m_nF, 0.239);
  EXPECT_EQ(model.V_reset_mV, -55);
}

}  // namespace
}  // namespace triscale::io

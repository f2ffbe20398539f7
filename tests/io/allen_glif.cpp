// GLIF cells from the files of the Allen Institute: both forms mean the same cell, and what is wrong is named.
#include "io/allen_glif.hpp"

#include <gtest/gtest.h>

#include <filesystem>

#include "io/atomic_file.hpp"
#include "tests/paths.hpp"

namespace triscale::io {
namespace {

namespace fs = std::filesystem;

class AllenGlifFile : public testing::Test {
 protected:
  AllenGlif read(const std::string& text) {
    const fs::path path = fs::path(testing::TempDir()) / "triscale_allen_glif.json";
    write_text_file(path, text);
    return read_allen_glif(path, diagnostics_);
  }
  std::string problems() const {
    std::string all;
    for (const auto& problem : diagnostics_.errors()) all += core::to_string(problem) + "\n";
    return all;
  }
  core::Diagnostics diagnostics_;
};

constexpr const char* kNest = R"({
  "V_th": -48, "g": 5, "E_L": -75, "C_m": 100, "t_ref": 4, "V_reset": -75, "V_m": -74,
  "asc_init": [1, 2], "asc_decay": [0.003, 0.1], "asc_amps": [-10, -200], "asc_r": [1, 0.5], "tau_syn": [5.5, 8.5],
  "th_spike_add": 2, "th_spike_decay": 0.02, "voltage_reset_fraction": 0.3, "voltage_reset_add": 3,
  "th_voltage_index": 0.006, "th_voltage_decay": 0.08,
  "spike_dependent_threshold": true, "after_spike_currents": true, "adapting_threshold": true})";

/// The same cell as the Cell Types Database would write it.
constexpr const char* kDatabase = R"({
  "type": "GLIF", "name": "x", "El": 0.0, "El_reference": -0.075, "C": 5e-11, "R_input": 4e8, "th_inf": 0.0135,
  "coeffs": {"C": 2, "G": 2, "th_inf": 2, "a": 2, "b": 4, "asc_amp_array": [1, 2]},
  "dt": 5e-5, "spike_cut_length": 80, "init_voltage": 0.001, "init_threshold": 0.03,
  "init_AScurrents": [1e-12, 2e-12], "asc_tau_array": [0.3333333333333333, 0.01], "asc_amp_array": [-1e-11, -1e-10],
  "AScurrent_dynamics_method": {"name": "exp", "params": {}},
  "AScurrent_reset_method": {"name": "sum", "params": {"r": [1, 0.5]}},
  "voltage_reset_method": {"name": "v_before", "params": {"a": 0.3, "b": 0.003}},
  "voltage_dynamics_method": {"name": "linear_exact", "params": {}},
  "threshold_reset_method": {"name": "three_components", "params": {}},
  "threshold_dynamics_method": {"name": "three_components_exact",
     "params": {"a_spike": 0.002, "b_spike": 20, "a_voltage": 3, "b_voltage": 20}}})";

TEST_F(AllenGlifFile, BothFormsGiveTheSameCell) {
  const AllenGlif nest = read(kNest), database = read(kDatabase);
  ASSERT_TRUE(diagnostics_.ok()) << problems();
  EXPECT_EQ(diagnostics_.warnings().size(), 0u);
  EXPECT_EQ(nest.tau_syn_ms, (std::vector<double>{5.5, 8.5}));
  for (const AllenGlif& glif : {nest, database}) {
    const network::GlifModel& m = glif.model;
    EXPECT_NEAR(*glif.V_init_mV, -74, 1e-12);
    EXPECT_NEAR(m.C_m_nF, 0.1, 1e-15);
    EXPECT_NEAR(m.g_L_uS, 0.005, 1e-16);
    EXPECT_NEAR(m.E_L_mV, -75, 1e-12);
    EXPECT_NEAR(m.V_threshold_mV, -48, 1e-12);
    EXPECT_NEAR(m.V_reset_mV, -72, 1e-12) << "E_L + voltage_reset_add: V_reset does not count beside the reset rule";
    EXPECT_NEAR(m.reset_fraction, 0.3, 1e-15);
    EXPECT_NEAR(m.t_ref_ms, 4, 1e-12);
    EXPECT_NEAR(m.threshold_jump_mV, 2, 1e-12);
    EXPECT_NEAR(m.threshold_jump_tau_ms, 50, 1e-10);
    EXPECT_NEAR(m.threshold_voltage_per_ms, 0.006, 1e-15);
    EXPECT_NEAR(m.threshold_voltage_tau_ms, 12.5, 1e-10);
    ASSERT_EQ(m.after_spike_currents.size(), 2u);
    EXPECT_NEAR(m.after_spike_currents[0].amplitude_nA, -0.01, 1e-15);
    EXPECT_NEAR(m.after_spike_currents[1].amplitude_nA, -0.2, 1e-15);
    EXPECT_NEAR(m.after_spike_currents[0].tau_ms, 1000.0 / 3, 1e-9);
    EXPECT_NEAR(m.after_spike_currents[1].tau_ms, 10, 1e-12);
    EXPECT_EQ(m.after_spike_currents[1].kept, 0.5);
    EXPECT_NEAR(m.after_spike_currents[1].initial_nA, 0.002, 1e-15);
  }
}

TEST_F(AllenGlifFile, SwitchesThatAreOffLeaveTheirParametersOut) {
  std::string text = kNest;
  for (std::size_t at = 0; (at = text.find("true", at)) != std::string::npos;) text.replace(at, 4, "false");
  const network::GlifModel m = read(text).model;
  EXPECT_TRUE(diagnostics_.ok()) << problems();
  EXPECT_TRUE(m.after_spike_currents.empty());
  EXPECT_EQ(m.reset_fraction, 0);
  EXPECT_EQ(m.V_reset_mV, -75);
  EXPECT_EQ(m.threshold_jump_mV, 0);
  EXPECT_EQ(m.threshold_voltage_per_ms, 0);
}

TEST_F(AllenGlifFile, WhatIsWrongIsNamedAllAtOnce) {
  read(R"({"g": 5, "E_L": -75, "V_th": -48, "t_ref": 4, "after_spike_currents": true, "asc_amps": [1, 2],
           "asc_decay": [0.1], "spelled_wrong": 3})");
  EXPECT_EQ(diagnostics_.errors().size(), 2u) << problems();
  EXPECT_NE(problems().find("C_m"), std::string::npos);
  EXPECT_NE(problems().find("asc_amps"), std::string::npos);
  ASSERT_EQ(diagnostics_.warnings().size(), 1u);
  EXPECT_NE(core::to_string(diagnostics_.warnings()[0]).find("spelled_wrong"), std::string::npos);
}

TEST_F(AllenGlifFile, PublishedExamplesAreRead) {
  const fs::path folder = fs::path(tests::shared_dir()) / "data/bmtk/examples/point_components/cell_models";
  if (!fs::exists(folder)) GTEST_SKIP() << "needs " << folder;
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().string().find("_glif_") == std::string::npos) continue;
    const AllenGlif glif = read_allen_glif(entry.path(), diagnostics_);
    EXPECT_EQ(glif.model.after_spike_currents.size(), 2u);
    EXPECT_EQ(glif.tau_syn_ms.size(), 4u);
    ++files;
  }
  EXPECT_TRUE(diagnostics_.ok()) << problems();
  EXPECT_EQ(diagnostics_.warnings().size(), 0u);
  EXPECT_EQ(files, 5u);
}

}  // namespace
}  // namespace triscale::io

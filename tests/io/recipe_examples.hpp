/// Recipes that use every key of the schema between them, and the fixture that reads them; tests spoil them in one
/// place.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "io/atomic_file.hpp"
#include "io/recipe.hpp"

namespace triscale::io {

namespace fs = std::filesystem;
using network::Circuit;
using nlohmann::json;

/// Densities that vary, and the synapses of the detailed tier.
inline json synapse_recipe() {
  return json::parse(R"json({
    "triscale_recipe": 1,
    "cell_types": [
      {"name": "cell",
       "detailed": {
         "sections": [
           {"name": "s", "kind": "soma", "length_um": 20, "diameter_um": 15},
           {"name": "b", "kind": "basal", "parent": "s", "length_um": 100, "diameter_um": 2},
           {"name": "a", "kind": "apical", "parent": "s", "length_um": 400, "diameter_um": 3}],
         "mechanisms": [
           {"mechanism": "Ih", "regions": ["apical"], "parameters": {"gbar_S_cm2": 2e-4},
            "density": {"shape": "exponential", "origin": "region_start", "relative": true, "offset": -0.87,
                        "amplitude": 2.087, "slope": 3.6, "center": 0.1}},
           {"mechanism": "Im_Hay", "regions": ["apical"], "density": {"shape": "linear", "offset": 2, "slope": -0.001}},
           {"mechanism": "K_Tst", "regions": ["basal"],
            "density": {"shape": "sigmoid", "origin": "soma", "offset": 1, "amplitude": 2, "center": 50, "width": -10}},
           {"mechanism": "Ca_HVA", "regions": ["apical"],
            "density": {"shape": "step", "begin": 100, "end": 200, "inside": 1, "outside": 0.1}},
           {"mechanism": "NaV", "regions": ["soma"], "parameters": {"published_start": 1}}]}}],
    "synapse_types": [
      {"name": "glutamate",
       "detailed": {"model": "receptors", "receptors": [
         {"tau_rise_ms": 0.2, "tau_decay_ms": 1.7, "E_rev_mV": 0},
         {"tau_rise_ms": 0.29, "tau_decay_ms": 43, "E_rev_mV": 1, "weight_factor": 0.71, "Mg_mM": 1.2}]},
       "release": {"U": 0.4, "tau_recovery_ms": 500, "tau_facilitation_ms": 20, "sites": 3}},
      {"name": "unreliable", "detailed": {"model": "biexponential", "tau_decay_ms": 3, "E_rev_mV": 0},
       "release": {"failure_probability": 0.75, "sites": 2, "tau_recovery_ms": 90, "tau_facilitation_ms": 30, "facilitation": 0.1,
                   "p_start": 0.2, "recovery_speedup": 0.3, "tau_speedup_ms": 700, "baseline_drop": 0.05,
                   "tau_baseline_ms": 400}},
      {"name": "gap", "detailed": {"model": "gap_junction"}},
      {"name": "desensitising", "detailed": {"model": "biexponential", "tau_decay_ms": 3, "E_rev_mV": 0},
       "release": {"U": 0.6, "desensitisation": 0.4, "tau_desensitisation_ms": 80}}],
    "populations": [{"name": "cells", "size": 4, "cell_type": "cell",
                     "positions": {"low_um": [0, 0, 0], "high_um": [1, 2, 3], "cylinder_axis": "z",
                                   "random_rotation_about": "z"}}],
    "projections": [
      {"source": "cells", "target": "cells", "synapse_type": "glutamate", "rule": {"kind": "all_to_all"},
       "weight_uS": 1e-3, "delay_ms": 1, "placement": {"kinds": ["basal"]}},
      {"name": "unreliable", "source": "cells", "target": "cells", "synapse_type": "unreliable",
       "rule": {"kind": "all_to_all"}, "weight_uS": 1e-3, "delay_ms": 1},
      {"name": "gaps", "source": "cells", "target": "cells", "synapse_type": "gap", "rule": {"kind": "all_to_all"},
       "weight_uS": 2e-4, "placement": {"kinds": ["basal"]}, "source_section": "b", "source_position": 0.25}]
  })json");
}

/// Uses most keys of the schema; the keys that exclude these stand in other_recipe().
inline json full_recipe() {
  return json::parse(R"json({
    "$schema": "x", "triscale_recipe": 1, "description": "every key",
    "run": {"duration_ms": 250, "dt_ms": 0.05, "seed": 9007199254740992, "celsius": 30, "V_init_mV": -71,
            "spike_threshold_mV": -20, "scheme": "second_order", "compartments": {"d_lambda": 0.2, "frequency_Hz": 50}},
    "cell_types": [
      {"name": "exc", "sign": "excitatory",
       "detailed": {
         "sections": [
           {"name": "s", "kind": "soma", "length_um": 20, "diameter_um": 15},
           {"name": "b", "kind": "basal", "parent": "s", "parent_position": 0.5, "length_um": 100, "diameter_um": 2,
            "end_diameter_um": 1, "direction": [0, 0, -3]},
           {"name": "a", "kind": "apical", "parent": "s", "length_um": 200, "diameter_um": 3},
           {"name": "x", "kind": "axon", "parent": "s", "parent_position": 0, "length_um": 30, "diameter_um": 1}],
         "regions": {
           "all": {"Ra_Ohm_cm": 150, "C_m_uF_cm2": 1.5, "g_pas_S_cm2": 2e-5, "e_pas_mV": -77, "E_Na_mV": 53, "E_K_mV": -107},
           "soma": {"C_m_uF_cm2": 1}, "axon": {"g_pas_S_cm2": 1e-3}, "basal": {"Ra_Ohm_cm": 90}, "apical": {"e_pas_mV": -70}},
         "mechanisms": [
           {"mechanism": "NaTs", "regions": ["soma", "axon"], "parameters": {"gbar_S_cm2": 0.5}},
           {"mechanism": "hh", "regions": ["basal"],
            "parameters": {"gnabar_S_cm2": 0.1, "gkbar_S_cm2": 0.03, "gl_S_cm2": 2e-4, "el_mV": -60}},
           {"mechanism": "CaDynamics", "regions": ["soma"],
            "parameters": {"gamma": 0.01, "decay_ms": 90, "depth_um": 0.2, "minCai_mM": 2e-4}}],
         "Ca_out_mM": 1.8},
       "point": {"model": "gif", "C_m_nF": 0.1, "g_L_uS": 0.005, "E_L_mV": -70, "V_reset_mV": -65, "V_threshold_mV": -50,
                 "t_ref_ms": 3, "Delta_V_mV": 1.5, "lambda_0_Hz": 10,
                 "eta": [{"amplitude_nA": 0.1, "tau_ms": 20}], "gamma": [{"amplitude_mV": 4, "tau_ms": 30}],
                 "eta_conductance": [{"amplitude_uS": 0.002, "tau_ms": 9}],
                 "currents": [{"g_uS": 0.001, "above_mV": -60, "tau_ms": 80}],
                 "threshold_follows": [{"slope": 0.3, "above_mV": -62, "tau_ms": 12}], "V_filter_ms": 0.5,
                 "dendrite": {"C_nF": 0.06, "g_L_uS": 0.002, "coupling_uS": 0.03, "spike_coupling_uS": 0.02,
                              "spike_E_mV": -55}},
       "meanfield": {"C_m_nF": 0.1, "g_L_uS": 0.005, "E_L_mV": -70, "t_ref_ms": 2, "dead_time_ms": 7.5, "dead_time_at_hz": 4, "P_mV": [1,2,3,4,5,6,7,8,9,10],
                     "mu_0_mV": -60, "d_mu_mV": 10, "sigma_0_mV": 4, "d_sigma_mV": 6, "tau_0": 0.5, "d_tau": 1,
                     "fitted_mu_mV": [-70, -50], "fitted_sigma_mV": [1, 9], "fitted_tau": [0, 1],
                     "adaptation": [{"amplitude_nA": 0.01, "tau_ms": 100}], "time_constant_ms": 6}},
      {"name": "inh", "sign": "inhibitory",
       "point": {"model": "adex", "C_m_nF": 0.2, "g_L_uS": 0.01, "E_L_mV": -65, "V_T_mV": -50, "Delta_T_mV": 2,
                 "V_peak_mV": 0, "V_reset_mV": -60, "t_ref_ms": 1, "a_uS": 0.004, "b_nA": 0.02, "tau_w_ms": 200}},
      {"name": "normalised", "point": {"model": "intfire1", "tau_m_ms": 10, "t_ref_ms": 1}},
      {"name": "leaky", "point": {"model": "lif", "C_m_nF": 0.25, "g_L_uS": 0.025, "E_L_mV": -65, "V_reset_mV": -66,
                                  "V_threshold_mV": -50, "t_ref_ms": 3}}],
    "synapse_types": [
      {"name": "ampa", "detailed": {"model": "biexponential", "tau_rise_ms": 0.2, "tau_decay_ms": 3, "E_rev_mV": 0},
       "point": {"model": "conductance", "receptors": [{"tau_rise_ms": 0.3, "tau_decay_ms": 4, "E_rev_mV": 0, "at_soma": true}],
                 "sites": [{"section": 0, "begin": 0, "end": 1, "attenuation": 0.9, "shunt_per_uS": 2,
                            "extra_delay_ms": 0.1, "receptor": 0}]},
       "meanfield": {"gain": 0.9}},
      {"name": "gaba", "detailed": {"model": "biexponential", "tau_decay_ms": 8, "E_rev_mV": -75},
       "point": {"model": "conductance", "receptors": [{"tau_decay_ms": 8, "E_rev_mV": -75}]}},
      {"name": "kick", "point": {"model": "instantaneous", "sign": 1}},
      {"name": "current", "point": {"model": "current_exponential", "tau_ms": 0.5, "sign": 1}},
      {"name": "slow current", "point": {"model": "current_alpha", "tau_ms": 2, "sign": -1}},
      {"name": "jump", "point": {"model": "current_delta", "sign": 1}},
      {"name": "jump down", "point": {"model": "current_delta", "sign": -1}}],
    "populations": [
      {"name": "E", "size": 20, "cell_type": "exc"},
      {"name": "I", "size": 5, "cell_type": "inh"},
      {"name": "N", "size": 4, "cell_type": "normalised"},
      {"name": "L", "size": 3, "cell_type": "leaky", "V_init_mV": {"kind": "normal", "mean": -60, "sd": 5}},
      {"name": "steps", "size": 7, "virtual": true, "sign": "excitatory",
       "poisson": {"times_ms": [0, 100], "rates_hz": [5, 10], "bin_ms": 0.5}},
      {"name": "listed", "size": 3, "virtual": true, "spikes": {"times_ms": [1, 2.5], "cells": [0, 2]}},
      {"name": "constant", "size": 2, "virtual": true, "sign": "inhibitory", "poisson": {"rate_hz": 3}}],
    "projections": [
      {"name": "EE", "source": "E", "target": "E", "synapse_type": "ampa",
       "rule": {"kind": "fixed_in_degree", "number": 6, "multapses": false, "autapses": true},
       "weight_uS": {"kind": "lognormal", "mean": 0.001, "sd": 0.0005}, "delay_ms": {"kind": "uniform", "low": 1, "high": 2},
       "placement": {"kinds": ["basal", "apical"], "min_distance_um": 20, "max_distance_um": 150}},
      {"source": "I", "target": "E", "synapse_type": "gaba", "rule": {"kind": "pairwise_bernoulli", "probability": 0.5},
       "weight_uS": 0.002, "delay_ms": {"kind": "normal", "mean": 1.5, "sd": 0.2, "low": 1, "high": 2}},
      {"source": "E", "target": "N", "synapse_type": "kick", "rule": {"kind": "fixed_total_number", "number": 11},
       "weight": 0.1, "delay_ms": {"kind": "constant", "mean": 1}},
      {"source": "listed", "target": "E", "synapse_type": "ampa", "rule": {"kind": "all_to_all"},
       "weight_uS": 0.001, "delay_ms": 1},
      {"source": "E", "target": "L", "synapse_type": "current", "rule": {"kind": "all_to_all"},
       "weight_nA": 0.1, "delay_ms": 1},
      {"source": "I", "target": "L", "synapse_type": "jump down", "rule": {"kind": "all_to_all"},
       "weight_mV": 0.1, "delay_ms": 1}],
    "inputs": [
      {"name": "drive", "kind": "poisson", "target": "E", "synapse_type": "ampa", "sources_per_cell": 4, "rate_hz": 12,
       "weight_uS": 0.001, "delay_ms": 0.5, "placement": {"kinds": ["soma"]}},
      {"name": "inhibition", "kind": "poisson", "target": "E", "synapse_type": "gaba", "times_ms": [0, 50],
       "rates_hz": [1, 2], "weight_uS": 0.001, "delay_ms": 0.5},
      {"name": "kicks", "kind": "poisson", "target": "N", "synapse_type": "kick", "rate_hz": 1, "weight": 0.2, "delay_ms": 1},
      {"name": "background", "kind": "poisson", "target": "L", "synapse_type": "jump", "rate_hz": 900, "bin_ms": 0.1,
       "weight_mV": 0.2, "delay_ms": 1},
      {"name": "currents", "kind": "poisson", "target": "L", "synapse_type": "slow current", "rate_hz": 9,
       "weight_nA": 0.2, "delay_ms": 1},
      {"name": "step", "kind": "current_step", "target": "E", "cells": [1, 3], "section": "a", "position": 0.25,
       "begin_ms": 10, "end_ms": 20, "amplitude_nA": 0.3},
      {"name": "ramp", "kind": "current_ramp", "target": "E", "cells": [0], "section": "b", "position": 1,
       "begin_ms": 10, "end_ms": 20, "begin_nA": 0.1, "end_nA": 0.2},
      {"name": "noise", "kind": "current_noise", "target": "E", "cells": [0], "section": "s", "position": 0.5,
       "begin_ms": 0, "end_ms": 100, "mean_nA": 0.05, "sd_nA": 0.1, "tau_ms": 4}],
    "probes": [
      {"name": "v", "population": "E", "variable": "cai", "cells": [2], "where": "all_compartments", "begin_ms": 5,
       "end_ms": 50, "dt_ms": 0.5}],
    "field_probes": [
      {"name": "lfp", "kind": "potential", "populations": ["E"], "begin_ms": 10, "end_ms": 20, "dt_ms": 0.5, "average": true,
       "contributions_dir": "cells",
       "electrodes": [{"id": 7, "position_um": [1, 2, 3], "radius_um": 5, "normal": [0, 1, 0]}, {"position_um": [4, 5, 6]}],
       "source": "root_as_point", "conductivity_S_m": [0.1, 0.2, 0.3], "disc_points": 20},
      {"name": "csd", "kind": "csd", "populations": ["E"], "begin_ms": 1, "end_ms": 2, "dt_ms": 0.1, "average": false,
       "contributions_dir": "csd_cells", "volumes": [{"id": 3, "low_um": [0, 0, 0], "high_um": [1, 1, 1], "cylinder_axis": "y"},
                   {"low_um": [0, 0, 0], "high_um": [1, 1, 1]}]},
      {"name": "dipole", "kind": "dipole", "contributions_dir": "dipole_cells", "populations": ["E"], "begin_ms": 1, "end_ms": 2, "dt_ms": 0.1, "average": true},
      {"name": "eeg", "kind": "eeg", "contributions_dir": "eeg_cells", "populations": ["E"], "begin_ms": 1, "end_ms": 2, "dt_ms": 0.1, "average": true,
       "electrodes": [{"position_um": [0, 0, 12000]}], "dipole_position_um": [0, 0, 1],
       "head": {"centre_um": [0, 0, -78000], "radii_um": [79000, 80000, 85000, 90000], "conductivities_S_m": [0.3, 1.5, 0.02, 0.3]}},
      {"name": "meg", "kind": "meg", "contributions_dir": "meg_cells", "populations": ["E"], "begin_ms": 1, "end_ms": 2, "dt_ms": 0.1, "average": true,
       "sensors": [{"id": 1, "position_um": [0, 0, 30000], "direction": [1, 0, 0]}, {"position_um": [0, 0, 30000]}],
       "sphere_centre_um": [0, 0, -78000], "dipole_position_um": [0, 0, 1]}]
  })json");
}

/// The keys that full_recipe() cannot have beside its own.
inline json other_recipe() {
  return json::parse(R"json({
    "triscale_recipe": 1,
    "run": {"compartments": {"max_length_um": 40}},
    "cell_types": [{"name": "c", "detailed": {"swc_file": "cell.swc", "mechanisms": []}}],
    "populations": [{"name": "P", "size": 1, "cell_type": "c"}],
    "inputs": [{"name": "noise", "kind": "current_noise", "target": "P", "begin_ms": 0, "end_ms": 1, "sd_nA": 1, "tau_ms": 1}],
    "field_probes": [{"name": "lfp", "kind": "potential", "electrodes_file": "electrodes.csv"},
                     {"name": "eeg", "kind": "eeg", "electrodes_file": "electrodes.csv", "conductivity_S_m": 0.2}]
  })json");
}

/// Point neurons and their synapses.
inline json point_recipe() {
  return json::parse(R"json({
    "triscale_recipe": 1,
    "cell_types": [
      {"name": "glif", "point": {"model": "glif", "C_m_nF": 0.06, "g_L_uS": 0.01, "E_L_mV": -78, "V_reset_mV": -77,
       "V_threshold_mV": -50, "t_ref_ms": 4, "reset_fraction": 0.2, "threshold_jump_mV": 0.4, "threshold_jump_tau_ms": 110,
       "threshold_voltage_per_ms": 0.005, "threshold_voltage_tau_ms": 11,
       "after_spike_currents": [{"amplitude_nA": -0.01, "tau_ms": 300, "kept": 0.9, "initial_nA": 0.001}]}},
      {"name": "from file", "point": {"model": "glif", "allen_file": "glif.json"}},
      {"name": "simple", "point": {"model": "izhikevich", "C_m_nF": 0.1, "k_uS_per_mV": 0.0007, "V_rest_mV": -60,
       "V_T_mV": -40, "V_peak_mV": 35, "c_mV": -50, "a_per_ms": 0.03, "b_uS": -0.002, "d_nA": 0.1, "u_init_nA": 0.01}}],
    "synapse_types": [
      {"name": "pair", "point": {"model": "receptors", "receptors": [{"tau_decay_ms": 2, "E_rev_mV": 0},
                                                                     {"tau_decay_ms": 50, "E_rev_mV": 0, "Mg_mM": 1}],
                                "sites": [{"section": 0, "begin": 0, "end": 1, "attenuation": 0.8, "shunt_per_uS": 1,
                                           "extra_delay_ms": 0.2, "receptor": 0}]},
       "plasticity": {"rule": {"model": "pair_stdp", "A_plus": 0.01, "A_minus": 0.012, "tau_plus_ms": 15, "tau_minus_ms": 30,
                               "mu_plus": 0.1, "mu_minus": 0.2},
                      "w_max_uS": 0.01, "homeostasis": {"target_rate_hz": 4, "tau_ms": 1e5, "tau_rate_ms": 500, "interval_ms": 50}}},
      {"name": "triplet", "point": {"model": "current_exponential", "tau_ms": 2, "sign": 1},
       "plasticity": {"rule": {"model": "triplet_stdp", "A2_plus": 1e-3, "A2_minus": 7e-3, "A3_plus": 6e-3, "A3_minus": 1e-4,
                               "tau_plus_ms": 17, "tau_minus_ms": 34, "tau_x_ms": 100, "tau_y_ms": 110}, "w_max_nA": 0.2}},
      {"name": "inhibitory", "point": {"model": "current_delta", "sign": -1},
       "plasticity": {"rule": {"model": "inhibitory", "eta": 1e-3, "tau_ms": 20, "target_rate_hz": 5}, "w_max_mV": 2}},
      {"name": "scaled", "point": {"model": "instantaneous", "sign": 1},
       "plasticity": {"w_max": 3, "homeostasis": {"target_rate_hz": 4, "tau_ms": 1e5}}}],
    "populations": [{"name": "glif", "size": 2, "cell_type": "glif"}, {"name": "file", "size": 2, "cell_type": "from file"},
                    {"name": "simple", "size": 2, "cell_type": "simple"},
                    {"name": "together", "size": 5, "virtual": true, "poisson": {"rate_hz": 4, "correlation": 0.2}},
                    {"name": "recorded", "size": 9, "virtual": true, "spikes": {"file": "spikes.csv", "population": "LGN"}}],
    "projections": [{"name": "plastic", "source": "together", "target": "glif", "synapse_type": "triplet",
                     "rule": {"kind": "all_to_all"}, "weight_nA": 0.1, "delay_ms": 1}],
    "inputs": [{"name": "pairs", "kind": "poisson", "target": "simple", "synapse_type": "triplet", "rate_hz": 5,
                "sources_per_cell": 2, "correlation": 0.5, "weight_nA": 0.01, "delay_ms": 1}],
    "probes": [{"name": "weights", "projection": "plastic", "begin_ms": 10, "end_ms": 500, "dt_ms": 100}]
  })json");
}

inline constexpr const char* kSpikes = "timestamps population node_ids\n4.5 LGN 3\n2.5 LGN 8\n1 other 0\n";
inline constexpr const char* kGlif = R"({"C_m": 60, "g": 10, "E_L": -78, "V_th": -50, "t_ref": 3, "V_reset": -77})";
inline constexpr const char* kElectrodes = "channel x_pos y_pos z_pos\n4 10.0 -20 5\n5 11.0 -30 5\n";
inline constexpr const char* kSwc = "1 1 0 0 0 5 -1\n2 3 5 0 0 1 1\n3 3 50 0 0 1 2\n";

class Recipe : public testing::Test {
 protected:
  Recipe() {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("triscale_recipe_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    write_text_file(folder_ / "cell.swc", kSwc);
    write_text_file(folder_ / "electrodes.csv", kElectrodes);
    write_text_file(folder_ / "glif.json", kGlif);
    write_text_file(folder_ / "spikes.csv", kSpikes);
  }
  ~Recipe() override { fs::remove_all(folder_); }

  Circuit read_text(const std::string& text) {
    write_text_file(folder_ / "recipe.json", text);
    diagnostics_ = {};
    return read_recipe(folder_ / "recipe.json", diagnostics_);
  }
  Circuit read(const json& recipe) { return read_text(recipe.dump()); }
  std::string problems() const {
    std::string all;
    for (const auto& problem : diagnostics_.errors()) all += core::to_string(problem) + "\n";
    return all;
  }
  /// Expects exactly one problem, which holds `text`.
  void expect_problem(const std::string& text) {
    EXPECT_EQ(diagnostics_.errors().size(), 1u) << problems();
    EXPECT_NE(problems().find(text), std::string::npos) << problems();
  }

  fs::path folder_;
  core::Diagnostics diagnostics_;
};

}  // namespace triscale::io

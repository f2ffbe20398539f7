/// A circuit of ten spheres that carries all three descriptions, so that every command runs in a moment.
#pragma once

#include <string>

namespace triscale::cli::test {

inline const std::string kTinyRecipe = R"({
  "triscale_recipe": 1,
  "run": {"duration_ms": 200, "dt_ms": 0.1, "seed": 1, "celsius": 6.3, "V_init_mV": -65,
          "compartments": {"max_length_um": 20}},
  "cell_types": [{
    "name": "ball", "sign": "excitatory",
    "detailed": {
      "sections": [{"name": "soma", "kind": "soma", "length_um": 20, "diameter_um": 20}],
      "regions": {"all": {"Ra_Ohm_cm": 100, "C_m_uF_cm2": 1, "g_pas_S_cm2": 1e-5, "e_pas_mV": -65,
                          "E_Na_mV": 50, "E_K_mV": -77}},
      "mechanisms": [{"mechanism": "hh", "regions": ["soma"]}]
    },
    "point": {"model": "gif", "C_m_nF": 0.0126, "g_L_uS": 0.004, "E_L_mV": -65, "V_reset_mV": -65,
              "V_threshold_mV": -55, "t_ref_ms": 5},
    "meanfield": {"C_m_nF": 0.0126, "g_L_uS": 0.004, "E_L_mV": -65, "t_ref_ms": 5,
                  "P_mV": [-55, 0, 0, 0, 0, 0, 0, 0, 0, 0], "mu_0_mV": -60, "d_mu_mV": 10, "sigma_0_mV": 4,
                  "d_sigma_mV": 6, "tau_0": 0.5, "d_tau": 1, "time_constant_ms": 5}
  }],
  "synapse_types": [{
    "name": "fast",
    "detailed": {"model": "biexponential", "tau_rise_ms": 0.5, "tau_decay_ms": 3, "E_rev_mV": 0},
    "point": {"model": "conductance", "receptors": [{"tau_rise_ms": 0.5, "tau_decay_ms": 3, "E_rev_mV": 0}]},
    "meanfield": {"gain": 1}
  }],
  "populations": [{"name": "E", "size": 10, "cell_type": "ball"}],
  "projections": [{"source": "E", "target": "E", "synapse_type": "fast",
                   "rule": {"kind": "fixed_in_degree", "number": 2}, "weight_uS": 1e-4, "delay_ms": 1.5}],
  "inputs": [
    {"name": "drive", "kind": "poisson", "target": "E", "synapse_type": "fast", "sources_per_cell": 5,
     "rate_hz": 40, "weight_uS": 2e-3, "delay_ms": 1},
    {"name": "step", "kind": "current_step", "target": "E", "begin_ms": 50, "end_ms": 150, "amplitude_nA": 0.01}
  ],
  "probes": [{"name": "v_E", "population": "E", "variable": "v", "cells": [0, 1], "dt_ms": 0.5}]
})";

/// The recipe with one piece of text replaced.
inline std::string tiny_recipe_with(const std::string& old_text, const std::string& new_text) {
  std::string text = kTinyRecipe;
  return text.replace(text.find(old_text), old_text.size(), new_text);
}

}  // namespace triscale::cli::test

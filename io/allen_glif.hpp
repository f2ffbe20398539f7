/// Reads GLIF cells (pointneuron/glif.hpp) from the JSON files in which they are passed around. Two forms are known by
/// their keys:
///   - the parameters of NEST's glif_psc and glif_cond (pF, nS, pA, mV, ms), as the Allen Institute's point networks
///     and BMTK's PointNet have them: V_th, g, E_L, C_m, t_ref, V_reset, asc_amps, asc_decay, and the switches
///     spike_dependent_threshold, after_spike_currents, adapting_threshold; keys that belong to a switch that is off
///     have no effect there, nor here;
///   - the neuron_config of the Allen Cell Types Database (AllenSDK; SI units): C, R_input, th_inf, coeffs,
///     asc_tau_array, threshold_dynamics_method, voltage_reset_method and so on. Potentials are given from
///     El_reference.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "network/cell_models.hpp"

namespace triscale::io {

/// What such a file says.
struct AllenGlif {
  network::GlifModel model;
  std::optional<double> V_init_mV;  ///< potential at the start (V_m), if the file gives it
  /// Time constants of the alpha-shaped synaptic currents, one per receptor port (port number k of NEST, from 1 on, is
  /// element k - 1); empty if the file has none.
  std::vector<double> tau_syn_ms;
};

/// Problems go to `diagnostics`; a key that has no meaning here is a warning.
AllenGlif read_allen_glif(const std::filesystem::path& path, core::Diagnostics& diagnostics);

}  // namespace triscale::io

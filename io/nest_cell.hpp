/// Cells of BMTK's PointNet: the name of a NEST model ("nest:iaf_psc_alpha") and a JSON file with its parameters, in
/// NEST's units: pF, ms, mV, pA. What a file leaves out has NEST's default. Weights onto such cells are in pA (the peak
/// of the current), onto iaf_psc_delta in mV; currents into them are in pA.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

struct NestCell {
  network::PointModel model;
  network::CurrentSynapse::Shape shape = network::CurrentSynapse::Shape::alpha;
  /// Time constants of the synaptic currents: of positive and of negative weights or, with ports, of receptor_type 1,
  /// 2, ...
  std::vector<double> tau_syn_ms;
  bool has_ports = false;
  double V_init_mV = -70;  ///< V_m
  double I_e_nA = 0;       ///< constant current

  /// The synapse that events of a weight of this sign act on; nothing if the model has no such receptor.
  std::optional<network::CurrentSynapse> synapse(int receptor_type, int sign) const;
  /// What a weight of NEST is in units of the circuit (nA, or mV for delta synapses), without its sign.
  double weight(double nest_weight) const;
};

/// `model` without "nest:". Nothing after an error, which goes to `diagnostics`; an unknown model is an error at
/// `where`.
std::optional<NestCell> read_nest_cell(const std::string& model, const std::filesystem::path& parameters,
                                       const core::Problem& where, core::Diagnostics& diagnostics);

}  // namespace triscale::io

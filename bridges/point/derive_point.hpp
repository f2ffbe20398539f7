/// Detailed -> point: a GIF neuron and somatic synapses for every cell type and synapse type that has a detailed
/// description and no point description.
///
/// A cell type, in this order:
///   1. Rest and impedance of the linearised tree (bridges/cable/quasi_active.hpp); C and g_L from the input impedance
///      of the soma, E_L the resting potential.
///   2. Its synapse types carried to the soma by transfer impedance (bridges/point/synapse_reduction.hpp).
///   3. Cells run on the detailed tier under in-vivo-like fluctuating input: through their own dendritic synapses with
///      Poisson sources (bridges/point/synaptic_drive.hpp), or, if the type has none in this circuit, by fluctuating
///      current into the soma.
///   4. A GIF neuron fitted to that (bridges/gif/gif_fit.hpp) on top of the membrane of step 1, which holds near rest;
///      terms beyond the published model, which hold above, are added where held-out data show that they help
///      (bridges/gif/gif_terms.hpp).
/// All of it is done at the circuit's own operating point, found by iteration (bridges/point/operating_point.hpp): a
/// quick round with half of the data at a first guess of the rates, then full rounds at the rates of the point network.
///   5. The error is measured on other input; on other cells too where the population has at least 32 (below that some
///      or all cells are the same, with their synapses).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridges/gif/gif_fit.hpp"
#include "core/error.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

struct PointDerivationOptions {
  std::uint64_t seed = 20240101;
  double level_ms = 1200;          ///< synaptic input: length of each of 9 levels of the sources' rates
  double current_sweep_ms = 8000;  ///< current input: length of each of 8 sweeps
  std::size_t repetitions = 20;    ///< of the noisy point model on unseen input
  std::size_t draws = 8;           ///< of the bootstrap, for the uncertainty of the parameters
  std::size_t max_rounds = 4;      ///< of the iteration of the operating point
};

/// Why a point description cannot be derived for a cell type or synapse type that needs one; empty if all can.
std::vector<core::Problem> missing_for_point(const network::Circuit& circuit);

/// The circuit with the missing point descriptions filled in. The same bits for any number of threads (0: all cores).
network::Circuit derive_point(const network::Circuit& circuit, const PointDerivationOptions& options,
                              std::size_t threads, network::Derivation& derivation, core::Progress& progress);

}  // namespace triscale::bridges

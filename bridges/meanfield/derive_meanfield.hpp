/// Point -> mean-field for a whole circuit: a transfer function of every cell type
/// (bridges/meanfield/transfer_fit.hpp), refined about the state that the functions together predict.
#pragma once

#include <cstddef>
#include <vector>

#include "bridges/meanfield/transfer_fit.hpp"
#include "core/error.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

/// Why no transfer functions can be derived for the circuit; empty if they can.
std::vector<core::Problem> missing_for_transfer_fit(const network::Circuit& circuit);

/// The circuit with the mean-field description of every simulated cell type filled in, and where it comes from.
/// Existing mean-field descriptions are replaced.
network::Circuit derive_meanfield(const network::Circuit& circuit, const TransferFitOptions& options,
                                  std::size_t threads, network::Derivation& derivation, core::Progress& progress);

}  // namespace triscale::bridges

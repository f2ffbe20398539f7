/// The part of `triscale check` that --convergence asks for: is the time step short enough, are there enough
/// compartments?
#pragma once

#include "cli/options.hpp"
#include "network/circuit.hpp"

namespace triscale::cli {

/// Runs the circuit three times on the detailed tier and prints what refining changes.
void print_convergence(network::Circuit circuit, const Options& options);

}  // namespace triscale::cli

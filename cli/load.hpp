/// Reads CONFIG and applies what the command line changes.
#pragma once

#include <vector>

#include "cli/options.hpp"
#include "core/error.hpp"
#include "network/circuit.hpp"
#include "network/field_kernels.hpp"
#include "network/provenance.hpp"

namespace triscale::cli {

struct LoadedCircuit {
  network::Circuit circuit;
  network::Derivation derivation;      ///< of descriptions that came from --reduced
  network::CircuitKernels kernels{};   ///< of field probes; empty if there are none
  std::vector<core::Problem> notes{};  ///< how the files were understood where they leave something open
};

/// Reads, changes and validates the circuit; prints warnings. Throws core::InputError with all problems.
LoadedCircuit load(const Options& options);

}  // namespace triscale::cli

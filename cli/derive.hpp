/// Runs the bridges for what a circuit lacks.
#pragma once

#include "cli/load.hpp"
#include "cli/options.hpp"

namespace triscale::cli {

/// Fills in the point and mean-field descriptions that are missing, with their provenance.
void derive_missing(LoadedCircuit& loaded, const Options& options);

}  // namespace triscale::cli

/// Runs the bridges for what a circuit lacks.
#pragma once

#include "cli/load.hpp"
#include "cli/options.hpp"

namespace triscale::cli {

/// Fills in the point and the mean-field descriptions that are missing, with their provenance; what is there stays. The
/// mean-field descriptions are derived from the point descriptions.
void derive_missing(LoadedCircuit& loaded, bool point, bool meanfield, const Options& options);

}  // namespace triscale::cli

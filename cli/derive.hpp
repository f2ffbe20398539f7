/// Runs the bridges for what a circuit lacks.
#pragma once

#include <vector>

#include "cli/load.hpp"
#include "cli/options.hpp"
#include "core/error.hpp"

namespace triscale::cli {

/// Fills in the point and the mean-field descriptions that are missing, with their provenance; what is there stays. The
/// mean-field descriptions are derived from the point descriptions. Returns why no mean field can be derived for this
/// circuit, empty if it can; throws it instead if the user has chosen the tiers.
std::vector<core::Problem> derive_missing(LoadedCircuit& loaded, bool point, bool meanfield, const Options& options);

/// Warns of a mean field that was left out.
void print_left_out(const std::vector<core::Problem>& problems);

}  // namespace triscale::cli

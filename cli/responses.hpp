/// `triscale compare --responses N`: further runs of all tiers, in which the external drive repeats a pulse and a step.
#pragma once

#include <vector>

#include "cli/load.hpp"
#include "cli/options.hpp"
#include "measure/consistency_result.hpp"

namespace triscale::cli {

/// Writes r(t) of every tier and population to DIR/responses.json; the checks go where the caller puts them.
measure::Consistency compare_responses(const std::vector<Tier>& tiers, const LoadedCircuit& loaded,
                                       const Options& options);

}  // namespace triscale::cli

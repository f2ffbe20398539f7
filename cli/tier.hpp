/// The three tiers behind one name each.
#pragma once

#include <vector>

#include "cli/options.hpp"
#include "core/error.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::cli {

/// Why this circuit cannot run on the tier; empty if it can.
std::vector<core::Problem> missing(Tier tier, const network::Circuit& circuit);

/// Runs the circuit on the tier. What the tier leaves out, or found questionable, is added to `warnings`.
core::RunStatistics simulate(Tier tier, const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, std::vector<core::Problem>& warnings);

}  // namespace triscale::cli

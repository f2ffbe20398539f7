/// Runs one tier and writes its folder: spikes.h5, rates.h5, reports, and last run.json.
#pragma once

#include <filesystem>
#include <vector>

#include "cli/load.hpp"
#include "cli/options.hpp"
#include "core/error.hpp"
#include "core/recorder.hpp"
#include "io/results.hpp"
#include "measure/activity.hpp"
#include "measure/signal.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::cli {

struct TierResult {
  core::RunStatistics statistics;
  measure::Activity activity;
  std::vector<io::PopulationSummary> populations;  ///< as in run.json
  std::vector<measure::Signal> signals;            ///< one a field probe; without samples where the tier records none
};

/// `folder` gets the files. Warnings and progress go to stderr, warnings also into run.json. Throws core::InputError if
/// the tier cannot run the circuit. The point tier is watched for leaving the ranges that the derivation states.
TierResult run_tier(Tier tier, const LoadedCircuit& loaded, const std::filesystem::path& folder,
                    const Options& options);

/// Makes the folder if it is absent; throws core::InputError if it cannot be written to, before any work is done.
void prepare_folder(const std::filesystem::path& folder);

/// Removes the result files that an earlier run_tier() of this circuit has left in `folder`.
void remove_tier_results(const network::Circuit& circuit, const std::filesystem::path& folder);

/// Prints warnings to stderr, each once. Nothing is printed if there are none.
void print_warnings(const std::vector<core::Problem>& warnings);

}  // namespace triscale::cli

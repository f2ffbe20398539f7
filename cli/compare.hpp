/// The comparison behind `triscale compare`, without the page.
#pragma once

#include "cli/options.hpp"
#include "measure/consistency_result.hpp"

namespace triscale::cli {

/// Derives what is missing, runs all tiers (with options.seeds different noises), checks them, and writes everything
/// but the page to options.output.
measure::Consistency compare_tiers(const Options& options);

}  // namespace triscale::cli

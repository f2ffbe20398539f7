/// Makes the HTML page of a result folder.
#pragma once

#include <filesystem>

#include "core/error.hpp"

namespace triscale::cli {

/// Writes folder/index.html from the results in the folder. A failure comes back as a problem (its `rule` is not
/// empty): the results are worth as much without the page.
core::Problem write_page(const std::filesystem::path& folder, bool quiet);
/// Likewise folder/analysis.html from folder/analysis.json.
core::Problem write_analysis_page(const std::filesystem::path& folder, bool quiet);
/// Likewise folder/index.html from folder/sweep.json and the points' consistency.json.
core::Problem write_sweep_page(const std::filesystem::path& folder, bool quiet);

}  // namespace triscale::cli

/// consistency.json: the outcome of a consistency check as a file that people and programs read.
///
///   {"verdict": "undecided", "summary": "...", "needed_ms": 24000,
///    "analysis": {"begin_ms", "end_ms", "block_ms", "blocks", "runs", "bin_ms", "replicates", "confidence", "seed"},
///    "checks":  [{"statistic", "population", "finer", "coarser", "finer_value", "coarser_value", "difference",
///                 "ci_low", "ci_high", "tolerance", "verdict", "needed_ms", "note"}],
///    "omitted": [{"statistic", "population", "finer", "coarser", "reason"}],
///    "tiers":   [{"tier", "population", "cells", "rate_hz", "rate_ci_low", "rate_ci_high", "cv_isi", "cv_ci_low",
///                 "cv_ci_high", "top10_share", "silent_fraction"}]}
///
/// A value that the data cannot give is null. JSON has no NaN, and none is ever written.
#pragma once

#include <filesystem>
#include <string>

#include "measure/consistency_result.hpp"

namespace triscale::io {

std::string consistency_to_json(const measure::Consistency& consistency);

/// Throws core::InputError with every problem: not JSON, a missing or unknown key, a wrong type, an unknown verdict.
/// `file` is named in the problems.
measure::Consistency consistency_from_json(const std::string& text, const std::string& file);

/// Atomically (io/atomic_file.hpp).
void write_consistency(const std::filesystem::path& path, const measure::Consistency& consistency);
measure::Consistency read_consistency(const std::filesystem::path& path);

}  // namespace triscale::io

/// Do the tiers agree? The answer as plain data: bridges/checks/consistency.hpp makes it, io/consistency_json.hpp
/// writes and reads it. A value that the data cannot give is std::nullopt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace triscale::measure {

enum class Verdict { consistent, inconsistent, undecided };

constexpr std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::consistent:
      return "consistent";
    case Verdict::inconsistent:
      return "inconsistent";
    case Verdict::undecided:
      return "undecided";
  }
  return "undecided";
}

/// One statistic of one population, compared between a tier and its next coarser one.
struct ConsistencyCheck {
  std::string statistic;  ///< see bridges/checks/consistency.hpp
  std::string population;
  std::string finer, coarser;  ///< tiers
  std::optional<double> finer_value, coarser_value;
  std::optional<double> difference;       ///< coarser - finer
  std::optional<double> ci_low, ci_high;  ///< of the difference
  double tolerance = 0;                   ///< the difference that is still called agreement
  Verdict verdict = Verdict::undecided;
  std::optional<double> needed_ms;  ///< undecided: simulated time that would probably decide
  std::string note;                 ///< why it is undecided, or how to read the values; may be empty
};

/// A comparison that makes no sense for a pair of tiers, with the reason; it does not count for the verdict.
struct OmittedCheck {
  std::string statistic, population, finer, coarser, reason;
};

/// What a tier did in the analysed time, for tables and pictures.
struct TierSummary {
  std::string tier, population;
  std::size_t cells = 0;
  std::optional<double> rate_hz, rate_ci_low, rate_ci_high;
  std::optional<double> cv_isi, cv_ci_low, cv_ci_high;
  std::optional<double> top10_share, silent_fraction;
  /// Standard deviation of the rate by the uncertainty of the derived parameters, and over sets of detailed parameters.
  std::optional<double> rate_parameter_sd_hz, rate_variant_sd_hz;
};

struct Consistency {
  Verdict verdict = Verdict::undecided;
  std::string summary;              ///< plain language
  std::optional<double> needed_ms;  ///< undecided: the largest of the checks'
  double begin_ms = 0, end_ms = 0;  ///< the analysed time
  double block_ms = 0, bin_ms = 0, confidence = 0;
  std::size_t blocks = 0, replicates = 0;
  std::size_t runs = 1;  ///< with different noise; `blocks` are those of each
  std::uint64_t seed = 0;
  std::vector<ConsistencyCheck> checks;
  std::vector<OmittedCheck> omitted;
  std::vector<TierSummary> tiers;
};

}  // namespace triscale::measure

/// What the user asked for on the command line, as plain data.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/analyse.hpp"
#include "cli/progress.hpp"

namespace triscale::cli {

enum class Tier { detailed, point, meanfield };
inline constexpr Tier kTiers[] = {Tier::detailed, Tier::point, Tier::meanfield};

constexpr std::string_view to_string(Tier tier) {
  switch (tier) {
    case Tier::detailed:
      return "detailed";
    case Tier::point:
      return "point";
    case Tier::meanfield:
      return "meanfield";
  }
  return "?";
}

struct Options {
  std::filesystem::path config;
  std::filesystem::path output;                              ///< -o; of `report`: its argument
  std::filesystem::path reduced;                             ///< --reduced; empty: derive
  std::vector<Tier> tiers{kTiers[0], kTiers[1], kTiers[2]};  ///< of `run`: exactly one
  bool tiers_chosen = false;                                 ///< by the user: none may be left out
  std::optional<double> duration_ms;
  std::optional<double> dt_ms;
  std::optional<std::uint64_t> seed;
  std::vector<std::string> settings;            ///< --set KEY=VALUE
  std::size_t threads = 0;                      ///< 0: all cores
  bool convergence = false;                     ///< of `check`: also run the convergence check
  std::size_t seeds = 1;                        ///< of `compare`: runs with other noise
  std::size_t responses = 0;                    ///< of `compare`: repetitions of a pulse and a step of the drive
  std::vector<std::string> sweep;               ///< of `compare`: one or two KEY=from:to:number
  std::vector<std::filesystem::path> variants;  ///< of `derive`: the circuit with other detailed parameters
  bool derive_each = false;                     ///< of a sweep: derive at every point and not once
  bool transfer_from_detailed = false;          ///< transfer functions measured on detailed cells, not point cells
  bool quiet = false;
  AnalysisRequest analysis;  ///< of `analyse`

  ConsoleProgress::Style progress_style() const { return ConsoleProgress::style_of_stderr(quiet); }
};

/// Exit codes of the command: a contract, see docs/user-guide.md.
enum ExitCode : int { kDone = 0, kInconsistent = 1, kBadInput = 2, kNumericalFailure = 3, kSignalBase = 128 };

}  // namespace triscale::cli

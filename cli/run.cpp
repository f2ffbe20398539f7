/// `triscale run`: one tier.
#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/load.hpp"
#include "cli/run_tier.hpp"

namespace triscale::cli {

int run(const Options& options) {
  const LoadedCircuit loaded = load(options);
  prepare_folder(options.output);
  const Tier tier = options.tiers.front();
  const TierResult result = run_tier(tier, loaded, options.output, options);
  const bool bands = std::any_of(result.populations.begin(), result.populations.end(),
                                 [](const auto& population) { return population.rate_parameter_sd_hz.has_value(); });
  fmt::print("{:<24} {:>8} {:>10} {:>8}{}\n", "population", "cells", "rate Hz", "CV",
             bands ? "   SD of the rate by the derived parameters" : "");
  for (const io::PopulationSummary& population : result.populations) {
    if (population.is_virtual) continue;
    fmt::print("{:<24} {:>8} {:>10} {:>8}{}\n", population.name, population.cells,
               population.rate_hz ? fmt::format("{:.3g}", *population.rate_hz) : "-",
               population.cv_isi ? fmt::format("{:.2f}", *population.cv_isi) : "-",
               population.rate_parameter_sd_hz ? fmt::format("   {:.2g} Hz", *population.rate_parameter_sd_hz) : "");
  }
  fmt::print("{}\n", (options.output / "run.json").string());
  return kDone;
}

}  // namespace triscale::cli

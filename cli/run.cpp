/// `triscale run`: one tier.
#include <fmt/format.h>

#include "cli/commands.hpp"
#include "cli/load.hpp"
#include "cli/run_tier.hpp"
#include "io/results.hpp"

namespace triscale::cli {

int run(const Options& options) {
  const LoadedCircuit loaded = load(options);
  prepare_folder(options.output);
  const Tier tier = options.tiers.front();
  const TierResult result = run_tier(tier, loaded, options.output, options);
  fmt::print("{:<24} {:>8} {:>10} {:>8}\n", "population", "cells", "rate Hz", "CV");
  for (const io::PopulationSummary& population : io::summarise(loaded.circuit, result.activity)) {
    if (population.is_virtual) continue;
    fmt::print("{:<24} {:>8} {:>10} {:>8}\n", population.name, population.cells,
               population.rate_hz ? fmt::format("{:.3g}", *population.rate_hz) : "-",
               population.cv_isi ? fmt::format("{:.2f}", *population.cv_isi) : "-");
  }
  fmt::print("{}\n", (options.output / "run.json").string());
  return kDone;
}

}  // namespace triscale::cli

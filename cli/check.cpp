/// `triscale check`: is the circuit valid, how large is it, and what would each tier need?
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "cli/convergence.hpp"
#include "cli/load.hpp"
#include "cli/sizes.hpp"
#include "cli/tier.hpp"

namespace triscale::cli {

namespace {

const char* sign_of(network::Dale dale) {
  switch (dale) {
    case network::Dale::excitatory:
      return "excitatory";
    case network::Dale::inhibitory:
      return "inhibitory";
    case network::Dale::unknown:
      return "-";
  }
  return "-";
}

std::string readable_bytes(double bytes) {
  return bytes < 1e9 ? fmt::format("{:.0f} MB", bytes / 1e6) : fmt::format("{:.1f} GB", bytes / 1e9);
}

void print_populations(const network::Circuit& circuit) {
  fmt::print("{:<28} {:>8}  {:<20} {}\n", "population", "cells", "cell type", "sign");
  for (const network::Population& population : circuit.populations) {
    const network::CellType& type = circuit.cell_types[population.cell_type];
    fmt::print("{:<28} {:>8}  {:<20} {}\n", population.name, population.size,
               population.is_virtual ? "(virtual source)" : type.name, sign_of(type.dale));
  }
}

void print_projections(const network::Circuit& circuit) {
  if (circuit.projections.empty()) return;
  fmt::print("\n{:<44} {:>12}\n", "projection", "synapses");
  for (const network::Projection& projection : circuit.projections) {
    const std::string ends =
        circuit.populations[projection.source].name + " -> " + circuit.populations[projection.target].name;
    fmt::print("{:<44} {:>12.0f}\n", ends, synapse_count(circuit, projection));
  }
}

/// The first few reasons why a tier cannot run the circuit.
void print_missing(Tier tier, const network::Circuit& circuit) {
  constexpr std::size_t kShown = 3;
  std::vector<std::string> reasons;
  for (const core::Problem& problem : missing(tier, circuit)) {
    const std::string reason = core::to_string(problem);
    if (std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) reasons.push_back(reason);
  }
  for (std::size_t i = 0; i < reasons.size() && i < kShown; ++i) fmt::print("{}: {}\n", to_string(tier), reasons[i]);
  if (reasons.size() > kShown)
    fmt::print("{}: ... and {} more of this kind\n", to_string(tier), reasons.size() - kShown);
}

void print_tiers(const network::Circuit& circuit) {
  fmt::print("\n{:<10} {:>8} {:>13} {:>12} {:>10}   {}\n", "tier", "cells", "compartments", "synapses", "memory",
             "ready");
  for (const Tier tier : kTiers) {
    const TierSize size = size_on(tier, circuit);
    const std::vector<core::Problem> problems = missing(tier, circuit);
    fmt::print("{:<10} {:>8} {:>13} {:>12.0f} {:>10}   {}\n", to_string(tier), size.cells, size.compartments,
               size.synapses, readable_bytes(size.memory_bytes), problems.empty() ? "yes" : "not yet: see below");
  }
  for (const Tier tier : kTiers) print_missing(tier, circuit);
}

/// What the files leave open, and how it was understood.
void print_notes(const std::vector<core::Problem>& notes) {
  if (notes.empty()) return;
  fmt::print("\nhow the files were understood\n");
  for (const core::Problem& note : notes) fmt::print("  {}\n", core::to_string(note));
}

}  // namespace

int check(const Options& options) {
  const LoadedCircuit loaded = load(options);
  const network::RunSettings& run = loaded.circuit.run;
  fmt::print("{} is valid: {} ms, dt {} ms, seed {}, {} degC\n\n", options.config.string(), run.duration_ms, run.dt_ms,
             run.seed, run.celsius);
  print_populations(loaded.circuit);
  print_projections(loaded.circuit);
  print_tiers(loaded.circuit);
  print_notes(loaded.notes);
  if (options.convergence) print_convergence(loaded.circuit, options);
  return kDone;
}

}  // namespace triscale::cli

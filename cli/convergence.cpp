#include "cli/convergence.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "bridges/checks/convergence.hpp"
#include "cli/tier.hpp"
#include "core/error.hpp"

namespace triscale::cli {

namespace {

constexpr double kShortRun_ms = 500;

/// What a person would conclude for one cell type.
std::string verdict(const bridges::ConvergenceOfType& type, double order) {
  const std::size_t most = std::max(type.spikes, type.refined_spikes);
  if (most == 0) {
    return fmt::format("no spikes; the potential is about {:.2g} mV off the limit",
                       bridges::remaining_error(type.V_rms_mV, order));
  }
  if (most - type.matched > most / 20) {
    return fmt::format("{} of {} spikes have no partner within {:g} ms: single spikes mean nothing, compare rates",
                       most - type.matched, most, bridges::kMatch_ms);
  }
  return fmt::format("spike times are typically {:.2g} ms, at most {:.2g} ms off the limit",
                     bridges::remaining_error(type.median_shift_ms, order),
                     bridges::remaining_error(type.largest_shift_ms, order));
}

void print_run(const char* title, const bridges::ConvergenceRun& run) {
  fmt::print("\n{}: {}", title, run.refinement);
  if (run.refined_compartments != run.compartments)
    fmt::print(" ({} instead of {} compartments)", run.refined_compartments, run.compartments);
  fmt::print("\n{:<24} {:>6} {:>8} {:>8} {:>8} {:>9} {:>9} {:>10} {:>10} {:>8}\n", "cell type", "cells", "spikes",
             "refined", "matched", "rate Hz", "refined", "median ms", "largest ms", "V rms mV");
  for (const bridges::ConvergenceOfType& t : run.types) {
    fmt::print("{:<24} {:>6} {:>8} {:>8} {:>8} {:>9.3f} {:>9.3f} {:>10.4f} {:>10.4f} {:>8.4f}\n", t.cell_type, t.cells,
               t.spikes, t.refined_spikes, t.matched, t.rate_hz, t.refined_rate_hz, t.median_shift_ms,
               t.largest_shift_ms, t.V_rms_mV);
  }
  for (const bridges::ConvergenceOfType& t : run.types) fmt::print("  {}: {}\n", t.cell_type, verdict(t, run.order));
}

}  // namespace

void print_convergence(network::Circuit circuit, const Options& options) {
  if (std::vector<core::Problem> problems = missing(Tier::detailed, circuit); !problems.empty()) {
    throw core::InputError(std::move(problems));
  }
  if (!options.duration_ms) circuit.run.duration_ms = std::min(circuit.run.duration_ms, kShortRun_ms);
  ConsoleProgress progress("convergence", true, options.progress_style());
  const bridges::Convergence result = bridges::check_convergence(circuit, options.threads, progress);
  throw_if_interrupted();
  fmt::print(
      "\nConvergence of the detailed tier over {:g} ms, same input in all runs. The changes are those of the soma's\n"
      "spike times, rates, and potential away from spikes; the estimate of the error that remains is Richardson's.\n",
      result.duration_ms);
  print_run("time", result.time);
  print_run("space", result.space);
}

}  // namespace triscale::cli

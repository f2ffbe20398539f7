/// `triscale compare`: the main job, from one circuit to the page that says whether its three resolutions agree.
#include "cli/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bridges/checks/consistency.hpp"
#include "bridges/checks/consistency_summary.hpp"
#include "bridges/checks/finite_size_noise.hpp"
#include "bridges/checks/stimulus.hpp"
#include "bridges/point/uncertainty_bands.hpp"
#include "cli/commands.hpp"
#include "cli/derive.hpp"
#include "cli/load.hpp"
#include "cli/report.hpp"
#include "cli/responses.hpp"
#include "cli/run_tier.hpp"
#include "cli/signals.hpp"
#include "cli/sweep.hpp"
#include "cli/tier.hpp"
#include "io/consistency_json.hpp"
#include "io/reduced.hpp"
#include "network/freeze_edges.hpp"

namespace triscale::cli {

namespace {

/// A page or a verdict beside newer runs would be wrong. reduced.json stays until it is replaced: it may be the input.
void remove_old_results(const network::Circuit& circuit, const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const char* name : {"index.html", "consistency.json", "signals.json", "responses.json"})
    std::filesystem::remove(folder / name, ignored);
  std::vector<std::filesystem::path> runs = {folder};
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.is_directory() && entry.path().filename().string().rfind("seed_", 0) == 0) runs.push_back(entry.path());
  }
  for (const std::filesystem::path& run : runs) {
    for (const Tier tier : kTiers) {
      remove_tier_results(circuit, run / to_string(tier));
      std::filesystem::remove(run / to_string(tier), ignored);  // only if nothing else is in it
    }
    if (run != folder) std::filesystem::remove(run, ignored);
  }
}

/// All tiers are asked before work begins: a long run must not end in "the next tier cannot run this".
void require_runnable(const std::vector<Tier>& tiers, const network::Circuit& circuit) {
  core::Diagnostics diagnostics;
  for (const Tier tier : tiers) {
    for (core::Problem& problem : missing(tier, circuit)) diagnostics.error(std::move(problem));
  }
  diagnostics.throw_if_errors();
}

std::string shown(const std::optional<double>& value) {
  return value ? fmt::format("{:.3g}", *value) : "-";
}

/// Rates of each population, side by side, then the verdict.
void print_summary(const measure::Consistency& consistency) {
  std::vector<std::string> populations;
  for (const measure::TierSummary& summary : consistency.tiers) {
    if (std::find(populations.begin(), populations.end(), summary.population) == populations.end()) {
      populations.push_back(summary.population);
    }
  }
  fmt::print("{:<24} {:<10} {:>10} {:>20} {:>8}\n", "population", "tier", "rate Hz", "95 % interval", "CV");
  for (const std::string& population : populations) {
    for (const measure::TierSummary& summary : consistency.tiers) {
      if (summary.population != population) continue;
      const std::string interval =
          summary.rate_ci_low ? fmt::format("{} .. {}", shown(summary.rate_ci_low), shown(summary.rate_ci_high)) : "-";
      fmt::print("{:<24} {:<10} {:>10} {:>20} {:>8}\n", population, summary.tier, shown(summary.rate_hz), interval,
                 shown(summary.cv_isi));
    }
  }
  fmt::print("\n{}: {}\n", measure::to_string(consistency.verdict), consistency.summary);
}

/// Results of the runs with other noise: DIR/seed_<seed>/<tier>.
std::filesystem::path folder_of(const std::filesystem::path& folder, std::uint64_t seed) {
  return folder / fmt::format("seed_{}", seed);
}

/// Runs all tiers with the noise of `loaded.circuit.run.seed`. Those after the first differ in noise only. Signals are
/// kept of every tier if `signals` is given.
bridges::Run run_all(const std::vector<Tier>& tiers, const LoadedCircuit& loaded, const std::filesystem::path& folder,
                     const Options& options, std::uint64_t& edge_hash,
                     std::vector<std::vector<measure::Signal>>* signals) {
  std::vector<TierResult> results;
  for (const Tier tier : tiers) results.push_back(run_tier(tier, loaded, folder / to_string(tier), options));
  for (TierResult& result : results) bridges::add_finite_size_noise(loaded.circuit, result.activity);
  bridges::Run run;
  for (TierResult& result : results) {
    // 0: the theory of leaky cells did not list the edges of a large circuit; it uses the rules that they are drawn by.
    const std::uint64_t hash = result.statistics.edge_hash;
    if (hash != 0 && edge_hash != 0 && hash != edge_hash) {
      throw std::logic_error(fmt::format("tier {} ran on other edges than those before", result.activity.tier));
    }
    if (hash != 0) edge_hash = hash;
    run.push_back(std::move(result.activity));
    if (signals != nullptr) signals->push_back(std::move(result.signals));
  }
  return run;
}

/// `signals`: of the tiers in the first run.
std::vector<bridges::Run> run_seeds(const std::vector<Tier>& tiers, const LoadedCircuit& loaded, const Options& options,
                                    std::vector<std::vector<measure::Signal>>& signals) {
  std::uint64_t edge_hash = 0;
  std::vector<bridges::Run> runs = {run_all(tiers, loaded, options.output, options, edge_hash, &signals)};
  if (options.seeds < 2) return runs;
  LoadedCircuit other = loaded;
  other.circuit = network::with_frozen_edges(loaded.circuit);
  for (std::size_t k = 1; k < options.seeds; ++k) {
    other.circuit.run.seed = loaded.circuit.run.seed + k;
    const std::filesystem::path folder = folder_of(options.output, other.circuit.run.seed);
    prepare_folder(folder);
    runs.push_back(run_all(tiers, other, folder, options, edge_hash, nullptr));
  }
  return runs;
}

void write_comparison_page(const Options& options) {
  if (const core::Problem problem = write_page(options.output, options.quiet); !problem.rule.empty()) {
    print_warnings({problem});
  } else {
    fmt::print("{}\n", (options.output / "index.html").string());
  }
}

}  // namespace

measure::Consistency compare_tiers(const Options& options) {
  LoadedCircuit loaded = load(options);
  if (options.responses > 0) {
    std::vector<core::Problem> problems = bridges::missing_for_stimulus(loaded.circuit);
    if (!problems.empty()) throw core::InputError(std::move(problems));
  }
  prepare_folder(options.output);
  remove_old_results(loaded.circuit, options.output);
  const bool meanfield = options.tiers.back() == Tier::meanfield;
  const bool point = meanfield || options.tiers.back() == Tier::point;
  if (options.tiers.front() == Tier::detailed) require_runnable({Tier::detailed}, loaded.circuit);
  std::vector<Tier> tiers = options.tiers;
  const std::vector<core::Problem> left_out = derive_missing(loaded, point, meanfield, options);
  print_left_out(left_out);
  if (!left_out.empty()) std::erase(tiers, Tier::meanfield);
  io::write_reduced(options.output / "reduced.json", loaded.circuit, loaded.derivation);
  write_kernels(loaded, options.output);

  require_runnable(tiers, loaded.circuit);
  bridges::ConsistencyOptions checks;
  checks.seed = loaded.circuit.run.seed;
  std::vector<std::vector<measure::Signal>> signals;
  const std::vector<bridges::Run> runs = run_seeds(tiers, loaded, options, signals);
  SignalChecks signal_checks(loaded, std::move(signals), runs.front());
  measure::Consistency consistency = bridges::check_consistency(runs, checks, signal_checks.checks());
  if (options.responses > 0) bridges::add_checks(consistency, compare_responses(tiers, loaded, options));
  bridges::add_bands(loaded.circuit, loaded.derivation, consistency);
  signal_checks.write_and_print(options.output);
  if (!left_out.empty()) {
    consistency.summary += fmt::format(" The mean-field tier was left out, because it cannot be derived here: {}.",
                                       core::to_string(left_out.front()));
  }
  io::write_consistency(options.output / "consistency.json", consistency);
  return consistency;
}

int compare(const Options& options) {
  if (!options.sweep.empty()) return sweep(options);
  const measure::Consistency consistency = compare_tiers(options);
  print_summary(consistency);
  write_comparison_page(options);
  return consistency.verdict == measure::Verdict::inconsistent ? kInconsistent : kDone;
}

}  // namespace triscale::cli

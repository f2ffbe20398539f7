/// `triscale compare`: the main job, from one circuit to the page that says whether its three resolutions agree.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "bridges/consistency.hpp"
#include "cli/commands.hpp"
#include "cli/derive.hpp"
#include "cli/load.hpp"
#include "cli/report.hpp"
#include "cli/run_tier.hpp"
#include "cli/tier.hpp"
#include "io/consistency_json.hpp"
#include "io/reduced.hpp"

namespace triscale::cli {

namespace {

/// A page or a verdict beside newer runs would be wrong. reduced.json stays until it is replaced: it may be the input.
void remove_old_results(const network::Circuit& circuit, const std::filesystem::path& folder) {
  std::error_code ignored;
  for (const char* name : {"index.html", "consistency.json"}) std::filesystem::remove(folder / name, ignored);
  for (const Tier tier : kTiers) {
    remove_tier_results(circuit, folder / to_string(tier));
    std::filesystem::remove(folder / to_string(tier), ignored);  // only if nothing else is in it
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

void require_same_edges(const std::vector<TierResult>& results) {
  for (const TierResult& result : results) {
    // 0: the theory of leaky cells did not list the edges of a large circuit; it uses the rules that they are drawn by.
    const bool listed = result.statistics.edge_hash != 0;
    if (!listed || result.statistics.edge_hash == results.front().statistics.edge_hash) continue;
    throw std::logic_error(
        fmt::format("tiers {} and {} ran on different edges", results.front().activity.tier, result.activity.tier));
  }
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

}  // namespace

int compare(const Options& options) {
  LoadedCircuit loaded = load(options);
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

  require_runnable(tiers, loaded.circuit);

  std::vector<TierResult> results;
  for (const Tier tier : tiers) {
    results.push_back(run_tier(tier, loaded.circuit, loaded.derivation, options.output / to_string(tier), options));
  }
  require_same_edges(results);

  std::vector<measure::Activity> activities;
  for (TierResult& result : results) activities.push_back(std::move(result.activity));
  bridges::ConsistencyOptions checks;
  checks.seed = loaded.circuit.run.seed;
  measure::Consistency consistency = bridges::check_consistency(activities, checks);
  if (!left_out.empty()) {
    consistency.summary += fmt::format(" The mean-field tier was left out, because it cannot be derived here: {}.",
                                       core::to_string(left_out.front()));
  }
  io::write_consistency(options.output / "consistency.json", consistency);

  print_summary(consistency);
  if (const core::Problem problem = write_page(options.output, options.quiet); !problem.rule.empty()) {
    print_warnings({problem});
  } else {
    fmt::print("{}\n", (options.output / "index.html").string());
  }
  return consistency.verdict == measure::Verdict::inconsistent ? kInconsistent : kDone;
}

}  // namespace triscale::cli

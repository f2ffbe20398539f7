#include "bridges/checks/consistency.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "bridges/checks/judge.hpp"
#include "bridges/checks/population_checks.hpp"
#include "core/error.hpp"
#include "measure/blocked_activity.hpp"

namespace triscale::bridges {

namespace {

using measure::Activity;
using measure::BlockedPopulation;
using measure::BlockGrid;

double shortest_duration_ms(const std::vector<Run>& runs) {
  double duration_ms = runs.empty() || runs.front().empty() ? 0.0 : runs.front().front().duration_ms;
  for (const Run& run : runs) {
    for (const Activity& activity : run) duration_ms = std::min(duration_ms, activity.duration_ms);
  }
  return duration_ms;
}

/// The tier was given external input, and all of it at constant rates.
bool has_constant_input(const Activity& activity) {
  bool any = false;
  for (const measure::PopulationActivity& population : activity.populations) {
    if (!population.is_virtual || population.rates_hz.empty()) continue;
    const auto [low, high] = std::minmax_element(population.rates_hz.begin(), population.rates_hz.end());
    if (*high - *low > 1e-9 * *high) return false;
    any = true;
  }
  return any;
}

BlockGrid with_bins(BlockGrid grid, double bin_ms) {
  grid.bins_per_block = static_cast<std::size_t>(std::lround(grid.block_ms / bin_ms));
  grid.bin_ms = bin_ms;
  return grid;
}

TierPopulation tier_population(const Judge& judge, const std::vector<Run>& runs, std::size_t tier, std::size_t p) {
  std::vector<const measure::PopulationActivity*> of_runs;
  for (const Run& run : runs) of_runs.push_back(&run[tier].populations[p]);
  const Activity::Kind kind = runs.front()[tier].kind;
  return {kind, of_runs, BlockedPopulation(of_runs, kind, judge.grid()),
          BlockedPopulation(of_runs, kind, with_bins(judge.grid(), judge.options().fine_bin_ms)),
          has_constant_input(runs.front()[tier])};
}

measure::TierSummary summarise(const Judge& judge, const std::string& tier, const std::string& population,
                               const BlockedPopulation& blocked) {
  const Multiplicity original = judge.original();
  measure::TierSummary summary;
  summary.tier = tier;
  summary.population = population;
  summary.cells = blocked.cells();
  summary.rate_hz = blocked.mean_rate_hz(original);
  const auto rate = [&](Multiplicity m) { return std::optional(blocked.mean_rate_hz(m)); };
  if (const auto interval = judge.interval_of(judge.replicates_of(rate))) {
    summary.rate_ci_low = interval->low;
    summary.rate_ci_high = interval->high;
  }
  summary.top10_share = top10_share(blocked, original);
  summary.silent_fraction = silent_fraction(blocked, original, judge.window_s());
  if (!blocked.spiking()) return summary;
  const std::vector<std::uint32_t> cells = cells_with_intervals(blocked, judge.options().min_intervals);
  summary.cv_isi = blocked.cv_isi(original, cells);
  if (!summary.cv_isi) return summary;
  const auto cv = [&](Multiplicity m) { return blocked.cv_isi(m, cells); };
  if (const auto interval = judge.interval_of(judge.replicates_of(cv))) {
    summary.cv_ci_low = interval->low;
    summary.cv_ci_high = interval->high;
  }
  return summary;
}

void check_pair(Judge& judge, const TierPair& pair) {
  check_mean_rate(judge, pair);
  check_cv(judge, pair);
  check_distributions(judge, pair);
  check_pairs(judge, pair);
  check_time_courses(judge, pair);
  check_power(judge, pair);
}

void check_population(Judge& judge, const std::vector<Run>& runs, std::size_t p) {
  const Run& first = runs.front();
  const std::string& name = first.front().populations[p].name;
  std::vector<TierPopulation> tiers;
  for (std::size_t t = 0; t < first.size(); ++t) tiers.push_back(tier_population(judge, runs, t, p));
  for (std::size_t t = 0; t < tiers.size(); ++t) judge.add(summarise(judge, first[t].tier, name, tiers[t].blocks));
  for (std::size_t t = 0; t + 1 < tiers.size(); ++t) {
    const TierPopulation &finer = tiers[t], &coarser = tiers[t + 1];
    check_pair(judge, {{name, first[t].tier, first[t + 1].tier}, finer, coarser, finer.blocks, coarser.blocks});
  }
}

bool all_finite(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); });
}

void require(bool holds, const std::string& tier, const std::string& population, std::string rule,
             core::Diagnostics& diagnostics) {
  if (!holds) diagnostics.error({"", "activity of tier " + tier, population, std::move(rule), ""});
}

void validate_population(const Activity& activity, const measure::PopulationActivity& population,
                         core::Diagnostics& diagnostics) {
  const auto demand = [&](bool holds, const char* rule) {
    require(holds, activity.tier, population.name, rule, diagnostics);
  };
  demand(population.spike_times_ms.size() == population.spike_cells.size(), "must have a cell for every spike");
  demand(std::is_sorted(population.spike_times_ms.begin(), population.spike_times_ms.end()) &&
             all_finite(population.spike_times_ms),
         "must have finite, ascending spike times");
  demand(std::all_of(population.spike_cells.begin(), population.spike_cells.end(),
                     [&](std::uint32_t cell) { return cell < population.cells; }),
         "must have spikes of its own cells only");
  demand(population.rate_times_ms.size() == population.rates_hz.size(), "must have a time for every rate");
  demand(std::is_sorted(population.rate_times_ms.begin(), population.rate_times_ms.end()) &&
             all_finite(population.rate_times_ms) && all_finite(population.rates_hz),
         "must have finite rates at finite, ascending times");
  demand(population.cell_rates_hz.empty() || population.cell_rates_hz.size() == population.cells,
         "must have an expected rate for every cell, or for none");
  demand(all_finite(population.cell_rates_hz), "must have finite expected rates");
  demand(population.positions_um.empty() || population.positions_um.size() == population.cells,
         "must have a position for every cell, or for none");
  demand(activity.kind == Activity::Kind::spikes || population.is_virtual || population.cells == 0 ||
             !population.rates_hz.empty(),
         "must have at least one sample of its rate");
}

bool same_populations(const Activity& a, const Activity& b) {
  return std::equal(a.populations.begin(), a.populations.end(), b.populations.begin(), b.populations.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.cells == y.cells; });
}

void validate(const std::vector<Run>& runs) {
  core::Diagnostics diagnostics;
  for (const Run& run : runs) {
    require(run.size() == runs.front().size(), "any", "runs", "must have the same tiers", diagnostics);
    for (const Activity& activity : run) {
      require(std::isfinite(activity.duration_ms) && activity.duration_ms > 0, activity.tier, "duration_ms",
              "must be finite and > 0", diagnostics);
      require(!runs.front().empty() && same_populations(activity, runs.front().front()), activity.tier, "populations",
              "must be the same, of the same sizes, in all tiers and runs", diagnostics);
      for (const auto& population : activity.populations) validate_population(activity, population, diagnostics);
    }
  }
  diagnostics.throw_if_errors();
}

}  // namespace

measure::Consistency check_consistency(const std::vector<Run>& runs, const ConsistencyOptions& options,
                                       const std::vector<ExtraChecks>& extra) {
  validate(runs);
  Judge judge(shortest_duration_ms(runs), options, std::max<std::size_t>(runs.size(), 1));
  const bool empty = runs.empty() || runs.front().empty() || judge.grid().blocks == 0;
  const std::size_t populations = empty ? 0 : runs.front().front().populations.size();
  for (std::size_t p = 0; p < populations; ++p) {
    const measure::PopulationActivity& population = runs.front().front().populations[p];
    if (!population.is_virtual && population.cells > 0) check_population(judge, runs, p);
  }
  for (const ExtraChecks& checks : extra) checks(judge);
  return judge.conclude();
}

measure::Consistency check_consistency(const Run& run, const ConsistencyOptions& options,
                                       const std::vector<ExtraChecks>& extra) {
  return check_consistency(std::vector<Run>{run}, options, extra);
}

}  // namespace triscale::bridges

#include "bridges/consistency.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "bridges/judge.hpp"
#include "bridges/population_checks.hpp"
#include "core/error.hpp"
#include "measure/blocked_activity.hpp"

namespace triscale::bridges {

namespace {

using measure::Activity;
using measure::BlockedPopulation;

double shortest_duration_ms(const std::vector<Activity>& activities) {
  double duration_ms = activities.empty() ? 0.0 : activities.front().duration_ms;
  for (const Activity& activity : activities) duration_ms = std::min(duration_ms, activity.duration_ms);
  return duration_ms;
}

measure::TierSummary summarise(const Judge& judge, const Activity& tier, std::size_t population,
                               const BlockedPopulation& blocked) {
  const Multiplicity original = judge.original();
  measure::TierSummary summary;
  summary.tier = tier.tier;
  summary.population = tier.populations[population].name;
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
  check_rate_correlation(judge, pair);
}

void check_population(Judge& judge, const std::vector<Activity>& activities, std::size_t p) {
  std::vector<BlockedPopulation> tiers;
  for (const Activity& activity : activities) {
    tiers.emplace_back(activity.populations[p], activity.kind, judge.grid());
  }
  for (std::size_t t = 0; t < tiers.size(); ++t) judge.add(summarise(judge, activities[t], p, tiers[t]));
  for (std::size_t t = 0; t + 1 < tiers.size(); ++t) {
    const Activity &finer = activities[t], &coarser = activities[t + 1];
    check_pair(judge, {{finer.populations[p].name, finer.tier, coarser.tier}, coarser, tiers[t], tiers[t + 1]});
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
  demand(activity.kind == Activity::Kind::spikes || population.is_virtual || population.cells == 0 ||
             !population.rates_hz.empty(),
         "must have at least one sample of its rate");
}

void validate(const std::vector<Activity>& activities) {
  core::Diagnostics diagnostics;
  for (const Activity& activity : activities) {
    require(std::isfinite(activity.duration_ms) && activity.duration_ms > 0, activity.tier, "duration_ms",
            "must be finite and > 0", diagnostics);
    const auto& reference = activities.front().populations;
    const bool same = activity.populations.size() == reference.size() &&
                      std::equal(reference.begin(), reference.end(), activity.populations.begin(),
                                 [](const auto& a, const auto& b) { return a.name == b.name && a.cells == b.cells; });
    require(same, activity.tier, "populations", "must be the same, of the same sizes, in all tiers", diagnostics);
    for (const auto& population : activity.populations) validate_population(activity, population, diagnostics);
  }
  diagnostics.throw_if_errors();
}

}  // namespace

measure::Consistency check_consistency(const std::vector<Activity>& activities, const ConsistencyOptions& options,
                                       const std::vector<ExtraChecks>& extra) {
  validate(activities);
  Judge judge(shortest_duration_ms(activities), options);
  const std::size_t populations =
      activities.empty() || judge.grid().blocks == 0 ? 0 : activities.front().populations.size();
  for (std::size_t p = 0; p < populations; ++p) {
    const measure::PopulationActivity& population = activities.front().populations[p];
    if (!population.is_virtual && population.cells > 0) check_population(judge, activities, p);
  }
  for (const ExtraChecks& checks : extra) checks(judge);
  return judge.conclude();
}

}  // namespace triscale::bridges

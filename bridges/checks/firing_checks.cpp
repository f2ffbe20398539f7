#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "bridges/checks/population_checks.hpp"

namespace triscale::bridges {

namespace {

using measure::ConsistencyCheck;

/// No events in n cell-seconds leave rates up to 3 / n possible, at 95 % (the "rule of three").
constexpr double kRuleOfThree = 3.0;

}  // namespace

std::vector<std::uint32_t> cells_with_intervals(const measure::BlockedPopulation& population, std::size_t least) {
  std::vector<std::uint32_t> cells;
  for (std::uint32_t cell = 0; cell < population.cells(); ++cell) {
    if (population.intervals(cell) >= static_cast<double>(least)) cells.push_back(cell);
  }
  return cells;
}

void check_mean_rate(Judge& judge, const TierPair& pair) {
  const auto original = judge.original();
  const double finer_hz = pair.finer.mean_rate_hz(original), coarser_hz = pair.coarser.mean_rate_hz(original);
  const auto& tolerances = judge.options().tolerances;
  ConsistencyCheck check =
      judge.begin_check(pair.subject, "mean_rate", std::max(tolerances.rate_relative * finer_hz, tolerances.rate_hz));
  check.finer_value = finer_hz;
  check.coarser_value = coarser_hz;
  check.difference = coarser_hz - finer_hz;
  auto interval = judge.interval_of(judge.replicates_of(
      [&](Multiplicity m) { return std::optional(pair.coarser.mean_rate_hz(m) - pair.finer.mean_rate_hz(m)); }));
  if (interval && pair.finer.cells() > 0) {
    const double unseen_hz = kRuleOfThree / (static_cast<double>(pair.finer.cells()) * judge.window_s());
    if (pair.finer.spiking() && !(pair.finer.spikes() > 0)) interval->low -= unseen_hz;
    if (pair.coarser.spiking() && !(pair.coarser.spikes() > 0)) interval->high += unseen_hz;
  }
  judge.decide(std::move(check), interval);
}

void check_cv(Judge& judge, const TierPair& pair) {
  constexpr const char* kName = "cv_isi";
  if (!pair.finer.spiking() || !pair.coarser.spiking()) {
    return judge.omit(pair.subject, kName, "a mean-field model has rates and no spikes, so no intervals");
  }
  if (!(pair.finer.spikes() > 0) && !(pair.coarser.spikes() > 0)) {
    return judge.omit(pair.subject, kName, "the population does not fire in either tier");
  }
  ConsistencyCheck check = judge.begin_check(pair.subject, kName, judge.options().tolerances.cv);
  const double least = static_cast<double>(judge.options().min_intervals);
  const auto of_finer = cells_with_intervals(pair.finer, judge.options().min_intervals);
  const auto of_coarser = cells_with_intervals(pair.coarser, judge.options().min_intervals);
  std::vector<std::uint32_t> cells;
  std::set_intersection(of_finer.begin(), of_finer.end(), of_coarser.begin(), of_coarser.end(),
                        std::back_inserter(cells));
  const std::size_t wanted = std::min<std::size_t>(5, pair.finer.cells());
  if (cells.size() < wanted) {
    // The slower tier's mean rate tells when a typical cell will have enough intervals.
    const double spikes = std::min(pair.finer.spikes(), pair.coarser.spikes());
    const double per_cell = std::max(1.0, spikes) / static_cast<double>(pair.finer.cells());
    const double factor = std::clamp((least + 1) / per_cell, 1.0, kMaxExtrapolation);
    return judge.undecided(std::move(check),
                           fmt::format("{} of {} cells have {} or more intervals in both tiers; {} are needed",
                                       cells.size(), pair.finer.cells(), judge.options().min_intervals, wanted),
                           factor * judge.grid().end_ms());
  }
  const auto original = judge.original();
  check.finer_value = pair.finer.cv_isi(original, cells);
  check.coarser_value = pair.coarser.cv_isi(original, cells);
  if (!check.finer_value || !check.coarser_value) {
    return judge.undecided(std::move(check), "no intervals", 2 * judge.grid().end_ms());
  }
  check.difference = *check.coarser_value - *check.finer_value;
  check.note = fmt::format("mean over the {} cells with {} or more intervals in both tiers", cells.size(),
                           judge.options().min_intervals);
  judge.decide(std::move(check), judge.interval_of(judge.replicates_of([&](Multiplicity m) -> std::optional<double> {
    const auto finer = pair.finer.cv_isi(m, cells), coarser = pair.coarser.cv_isi(m, cells);
    if (!finer || !coarser) return std::nullopt;
    return *coarser - *finer;
  })));
}

}  // namespace triscale::bridges

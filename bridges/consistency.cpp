#include "bridges/consistency.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <optional>

#include "bridges/consistency_summary.hpp"
#include "core/error.hpp"
#include "measure/blocked_activity.hpp"

namespace triscale::bridges {

namespace {

using measure::Activity;
using measure::BlockedPopulation;
using measure::BlockGrid;
using measure::BlockResampler;
using measure::ConsistencyCheck;
using measure::Interval;
using measure::Verdict;
using Multiplicity = BlockedPopulation::Multiplicity;

constexpr double kMsPerS = 1000.0;
constexpr double kTopFraction = 0.1;
/// No events in n cell-seconds leave rates up to 3 / n possible, at 95 % (the "rule of three").
constexpr double kRuleOfThree = 3.0;
/// Extrapolating the width of an interval further than this is fiction.
constexpr double kMaxExtrapolation = 1000.0;
/// The width at the estimated time is itself uncertain; this much more time is asked for.
constexpr double kMargin = 1.2;
/// A share of replicates in which the statistic does not exist that makes the interval meaningless.
constexpr double kMaxMissingReplicates = 0.1;

/// A statistic of a replicate; nullopt where it does not exist.
using Statistic = std::function<std::optional<double>(Multiplicity)>;

struct Pair {
  std::string population;
  const Activity* finer_tier;
  const Activity* coarser_tier;
  const BlockedPopulation* finer;
  const BlockedPopulation* coarser;
};

class Checker {
 public:
  Checker(const std::vector<Activity>& activities, const ConsistencyOptions& options)
      : activities_(activities),
        options_(options),
        grid_(make_grid()),
        resampler_(grid_.blocks, options.replicates, options.seed) {}

  measure::Consistency run();

 private:
  BlockGrid make_grid() const;
  void check_pair(const Pair& pair);
  void check_mean_rate(const Pair& pair);
  void check_cv(const Pair& pair);
  void check_distribution(const Pair& pair);
  Statistic between_spiking(const Pair& pair) const;
  Statistic to_expected_counts(const Pair& pair) const;
  using CellStatistic = std::function<std::optional<double>(const BlockedPopulation&, Multiplicity)>;
  void check_cells(const Pair& pair, const char* name, double tolerance, const CellStatistic& statistic);
  std::optional<double> silent_fraction(const BlockedPopulation& population, Multiplicity m) const;
  void check_correlation(const Pair& pair);
  measure::TierSummary summarise(const Activity& tier, std::size_t population, const BlockedPopulation& blocked) const;

  ConsistencyCheck begin_check(const Pair& pair, const char* statistic, double tolerance) const;
  void omit(const Pair& pair, const char* statistic, std::string reason);
  void undecided(ConsistencyCheck check, std::string note, double needed_ms);
  void decide(ConsistencyCheck check, std::optional<Interval> interval, bool shortfall_only = false);
  bool enough_for_distributions(const Pair& pair, const ConsistencyCheck& check);

  std::vector<double> replicates_of(const Statistic& statistic) const;
  std::optional<Interval> interval_of(std::vector<double> values) const;
  double settle_ms() const;
  double shortest_useful_run_ms() const;
  double window_s() const { return grid_.window().length_ms() / kMsPerS; }

  const std::vector<Activity>& activities_;
  const ConsistencyOptions& options_;
  BlockGrid grid_;
  BlockResampler resampler_;
  measure::Consistency result_;
};

double Checker::settle_ms() const {
  double duration_ms = activities_.empty() ? 0.0 : activities_.front().duration_ms;
  for (const Activity& activity : activities_) duration_ms = std::min(duration_ms, activity.duration_ms);
  return std::min(options_.max_settle_ms, options_.settle_fraction * duration_ms);
}

BlockGrid Checker::make_grid() const {
  double duration_ms = activities_.empty() ? 0.0 : activities_.front().duration_ms;
  for (const Activity& activity : activities_) duration_ms = std::min(duration_ms, activity.duration_ms);
  return measure::make_block_grid(duration_ms, settle_ms(), options_.min_block_ms, options_.bin_ms);
}

double Checker::shortest_useful_run_ms() const {
  const double analysed_ms = options_.min_block_ms * static_cast<double>(options_.min_blocks);
  return analysed_ms / (1 - options_.settle_fraction);
}

std::vector<double> Checker::replicates_of(const Statistic& statistic) const {
  std::vector<double> values;
  values.reserve(resampler_.replicates());
  for (std::size_t replicate = 0; replicate < resampler_.replicates(); ++replicate) {
    if (const auto value = statistic(resampler_.multiplicity(replicate))) values.push_back(*value);
  }
  return values;
}

std::optional<Interval> Checker::interval_of(std::vector<double> values) const {
  const double replicates = static_cast<double>(resampler_.replicates());
  if (grid_.blocks < options_.min_blocks) return std::nullopt;
  if (static_cast<double>(values.size()) < (1 - kMaxMissingReplicates) * replicates) return std::nullopt;
  return measure::percentile_interval(std::move(values), grid_.blocks, options_.confidence);
}

ConsistencyCheck Checker::begin_check(const Pair& pair, const char* statistic, double tolerance) const {
  ConsistencyCheck check;
  check.statistic = statistic;
  check.population = pair.population;
  check.finer = pair.finer_tier->tier;
  check.coarser = pair.coarser_tier->tier;
  check.tolerance = tolerance;
  return check;
}

void Checker::omit(const Pair& pair, const char* statistic, std::string reason) {
  result_.omitted.push_back(
      {statistic, pair.population, pair.finer_tier->tier, pair.coarser_tier->tier, std::move(reason)});
}

void Checker::undecided(ConsistencyCheck check, std::string note, double needed_ms) {
  check.verdict = Verdict::undecided;
  check.note = std::move(note);
  check.needed_ms = std::max(needed_ms, shortest_useful_run_ms());
  result_.checks.push_back(std::move(check));
}

/// The verdict from the interval, and the time that would decide if it does not.
void Checker::decide(ConsistencyCheck check, std::optional<Interval> interval, bool shortfall_only) {
  if (!interval) {
    undecided(
        std::move(check),
        fmt::format("the analysed {:.0f} ms are too short for an interval: {} blocks of {:.0f} ms or more are needed",
                    grid_.window().length_ms(), options_.min_blocks, options_.min_block_ms),
        shortest_useful_run_ms());
    return;
  }
  check.ci_low = interval->low;
  check.ci_high = interval->high;
  const double tolerance = check.tolerance;
  const bool above_lower = interval->low >= -tolerance, below_lower = interval->high < -tolerance;
  const bool below_upper = shortfall_only || interval->high <= tolerance;
  const bool above_upper = !shortfall_only && interval->low > tolerance;
  if (above_lower && below_upper) {
    check.verdict = Verdict::consistent;
  } else if (below_lower || above_upper) {
    check.verdict = Verdict::inconsistent;
  } else {
    check.verdict = Verdict::undecided;
    // The half of the interval that crosses the nearer limit has to become shorter than the distance to that limit.
    const double difference = *check.difference;
    const bool lower_limit = shortfall_only || difference < 0;
    const double limit = lower_limit ? -tolerance : tolerance;
    const double gap = std::abs(difference - limit);
    const bool reach_down = difference > limit;
    const double reach = std::max(reach_down ? difference - interval->low : interval->high - difference, gap);
    const double factor =
        gap > 0 ? std::min(kMargin * (reach / gap) * (reach / gap), kMaxExtrapolation) : kMaxExtrapolation;
    check.needed_ms = std::max(grid_.end_ms() + (factor - 1) * grid_.window().length_ms(), shortest_useful_run_ms());
    if (factor >= kMaxExtrapolation) check.note = "the difference lies on the limit of the tolerance";
  }
  result_.checks.push_back(std::move(check));
}

void Checker::check_mean_rate(const Pair& pair) {
  const auto original = resampler_.original();
  const double finer_hz = pair.finer->mean_rate_hz(original), coarser_hz = pair.coarser->mean_rate_hz(original);
  const auto& tolerances = options_.tolerances;
  ConsistencyCheck check =
      begin_check(pair, "mean_rate", std::max(tolerances.rate_relative * finer_hz, tolerances.rate_hz));
  check.finer_value = finer_hz;
  check.coarser_value = coarser_hz;
  check.difference = coarser_hz - finer_hz;
  auto interval = interval_of(replicates_of(
      [&](Multiplicity m) { return std::optional(pair.coarser->mean_rate_hz(m) - pair.finer->mean_rate_hz(m)); }));
  if (interval && pair.finer->cells() > 0) {
    const double unseen_hz = kRuleOfThree / (static_cast<double>(pair.finer->cells()) * window_s());
    if (pair.finer->spiking() && !(pair.finer->spikes() > 0)) interval->low -= unseen_hz;
    if (pair.coarser->spiking() && !(pair.coarser->spikes() > 0)) interval->high += unseen_hz;
  }
  decide(std::move(check), interval);
}

void Checker::check_cv(const Pair& pair) {
  constexpr const char* kName = "cv_isi";
  if (!pair.finer->spiking() || !pair.coarser->spiking()) {
    return omit(pair, kName, "a mean-field model has rates and no spikes, so no intervals");
  }
  if (!(pair.finer->spikes() > 0) && !(pair.coarser->spikes() > 0)) {
    return omit(pair, kName, "the population does not fire in either tier");
  }
  ConsistencyCheck check = begin_check(pair, kName, options_.tolerances.cv);
  std::vector<std::uint32_t> cells;
  const double least = static_cast<double>(options_.min_intervals);
  for (std::uint32_t cell = 0; cell < pair.finer->cells(); ++cell) {
    if (pair.finer->intervals(cell) >= least && pair.coarser->intervals(cell) >= least) cells.push_back(cell);
  }
  const std::size_t wanted = std::min<std::size_t>(5, pair.finer->cells());
  if (cells.size() < wanted) {
    // The slower tier's mean rate tells when a typical cell will have enough intervals.
    const double spikes = std::min(pair.finer->spikes(), pair.coarser->spikes());
    const double per_cell = std::max(1.0, spikes) / static_cast<double>(pair.finer->cells());
    const double factor = std::clamp((least + 1) / per_cell, 1.0, kMaxExtrapolation);
    return undecided(std::move(check),
                     fmt::format("{} of {} cells have {} or more intervals in both tiers; {} are needed", cells.size(),
                                 pair.finer->cells(), options_.min_intervals, wanted),
                     factor * grid_.end_ms());
  }
  const auto original = resampler_.original();
  check.finer_value = pair.finer->cv_isi(original, cells);
  check.coarser_value = pair.coarser->cv_isi(original, cells);
  if (!check.finer_value || !check.coarser_value) {
    return undecided(std::move(check), "no intervals", 2 * grid_.end_ms());
  }
  check.difference = *check.coarser_value - *check.finer_value;
  check.note = fmt::format("mean over the {} cells with {} or more intervals in both tiers", cells.size(),
                           options_.min_intervals);
  decide(std::move(check), interval_of(replicates_of([&](Multiplicity m) -> std::optional<double> {
           const auto finer = pair.finer->cv_isi(m, cells), coarser = pair.coarser->cv_isi(m, cells);
           if (!finer || !coarser) return std::nullopt;
           return *coarser - *finer;
         })));
}

/// Conditions that rate_distribution and top10_share share. Files the outcome and returns false where they are not met.
bool Checker::enough_for_distributions(const Pair& pair, const ConsistencyCheck& check) {
  if (!pair.finer->has_cell_rates() || !pair.coarser->has_cell_rates()) {
    omit(pair, check.statistic.c_str(), "the mean-field model gives one rate for all cells");
    return false;
  }
  if (pair.finer->cells() < options_.min_cells) {
    omit(pair, check.statistic.c_str(),
         fmt::format("a distribution over {} cells says little; {} are needed", pair.finer->cells(),
                     options_.min_cells));
    return false;
  }
  const auto original = resampler_.original();
  const double finer_hz = pair.finer->mean_rate_hz(original), coarser_hz = pair.coarser->mean_rate_hz(original);
  if (!(finer_hz > 0) && !(coarser_hz > 0)) {
    omit(pair, check.statistic.c_str(), "the population does not fire in either tier");
    return false;
  }
  const double per_cell = std::max(finer_hz, coarser_hz) * window_s();
  if (per_cell < options_.min_spikes_per_cell) {
    const double factor = std::min(options_.min_spikes_per_cell / per_cell, kMaxExtrapolation);
    undecided(check,
              fmt::format("{:.1f} spikes per cell: the spread of the counts is mostly chance; {:.0f} are needed",
                          per_cell, options_.min_spikes_per_cell),
              factor * grid_.end_ms());
    return false;
  }
  return true;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

Statistic Checker::between_spiking(const Pair& pair) const {
  return [&](Multiplicity m) {
    return measure::ks_distance(pair.finer->cell_rates_hz(m), pair.coarser->cell_rates_hz(m));
  };
}

/// Of the finer tier's spike counts from those that Poisson firing at the mean-field's rates would give: a rate of
/// 0.001 Hz is no disagreement with a cell that stayed silent.
Statistic Checker::to_expected_counts(const Pair& pair) const {
  const auto counts = [this, &pair](Multiplicity m) {
    std::vector<double> values = pair.finer->cell_rates_hz(m);
    for (double& value : values) value *= window_s();
    return values;
  };
  std::vector<double> expected = pair.coarser->cell_rates_hz(resampler_.original());
  for (double& value : expected) value *= window_s();
  double most = 10;
  for (const double value : counts(resampler_.original())) most = std::max(most, value);
  for (const double value : expected) most = std::max(most, value);
  const std::vector<double> cdf = measure::poisson_mixture_cdf(expected, static_cast<std::size_t>(2 * most));
  return [counts, cdf](Multiplicity m) { return measure::ks_distance_to_cdf(counts(m), cdf); };
}

void Checker::check_distribution(const Pair& pair) {
  ConsistencyCheck check = begin_check(pair, "rate_distribution", options_.tolerances.ks_distance);
  if (!enough_for_distributions(pair, check)) return;
  const Statistic distance = pair.coarser->spiking() ? between_spiking(pair) : to_expected_counts(pair);
  const double observed = distance(resampler_.original()).value_or(0.0);
  std::vector<double> values = replicates_of(distance);
  const double bias = values.empty() ? 0.0 : mean_of(values) - observed;
  for (double& value : values) value = std::clamp(value - 2 * bias, 0.0, 1.0);
  check.finer_value = 0.0;
  check.coarser_value = std::clamp(observed - bias, 0.0, 1.0);
  check.difference = check.coarser_value;
  check.note =
      fmt::format("distance of the two distributions; {:.3f} before the correction for counting noise", observed);
  decide(std::move(check), interval_of(std::move(values)));
}

/// A statistic of the rates of single cells, each tier's value corrected for the bias that resampling shows.
void Checker::check_cells(const Pair& pair, const char* name, double tolerance, const CellStatistic& statistic) {
  ConsistencyCheck check = begin_check(pair, name, tolerance);
  if (!enough_for_distributions(pair, check)) return;
  const auto of = [&](const BlockedPopulation& population) -> Statistic {
    return [&](Multiplicity m) { return statistic(population, m); };
  };
  const Statistic finer = of(*pair.finer), coarser = of(*pair.coarser);
  const auto finer_value = finer(resampler_.original()), coarser_value = coarser(resampler_.original());
  if (!finer_value || !coarser_value) {
    return undecided(std::move(check), "one of the two tiers does not fire", 2 * grid_.end_ms());
  }
  const std::vector<double> finer_values = replicates_of(finer), coarser_values = replicates_of(coarser);
  std::vector<double> values = replicates_of([&](Multiplicity m) -> std::optional<double> {
    const auto x = finer(m), y = coarser(m);
    if (!x || !y) return std::nullopt;
    return *y - *x;
  });
  if (values.empty()) return undecided(std::move(check), "too few spikes", 2 * grid_.end_ms());
  check.finer_value = std::clamp(2 * *finer_value - mean_of(finer_values), 0.0, 1.0);
  check.coarser_value = std::clamp(2 * *coarser_value - mean_of(coarser_values), 0.0, 1.0);
  check.difference = *check.coarser_value - *check.finer_value;
  const double shift = *check.difference - mean_of(values);
  for (double& value : values) value += shift;
  decide(std::move(check), interval_of(std::move(values)));
}

/// Share of cells without a spike in the window; of a mean-field, what Poisson firing at the cells' rates would give.
std::optional<double> Checker::silent_fraction(const BlockedPopulation& population, Multiplicity m) const {
  const std::vector<double> rates_hz = population.cell_rates_hz(m);
  if (population.spiking()) return measure::silent_fraction(rates_hz);
  if (rates_hz.empty()) return std::nullopt;
  double silent = 0;
  for (const double rate_hz : rates_hz) silent += std::exp(-rate_hz * window_s());
  return silent / static_cast<double>(rates_hz.size());
}

/// A rate whose standard deviation over time is below this share of its mean has no time course.
constexpr double kConstantRate = 0.02;

/// The tier was given external input, and all of it at constant rates.
bool has_constant_input(const Activity& rates) {
  bool any = false;
  for (const measure::PopulationActivity& population : rates.populations) {
    if (!population.is_virtual || population.rates_hz.empty()) continue;
    const auto [low, high] = std::minmax_element(population.rates_hz.begin(), population.rates_hz.end());
    if (*high - *low > 1e-9 * *high) return false;
    any = true;
  }
  return any;
}

void Checker::check_correlation(const Pair& pair) {
  constexpr const char* kName = "rate_correlation";
  const BlockedPopulation &finer = *pair.finer, &coarser = *pair.coarser;
  if (!finer.spiking()) return omit(pair, kName, "needs a spiking tier to compare with");
  if (finer.cells() < options_.min_cells) {
    return omit(pair, kName,
                fmt::format("chance cannot be told from signal with fewer than {} cells", options_.min_cells));
  }
  const Multiplicity all = resampler_.original();
  const bool constant = std::sqrt(coarser.rate_variance(all)) < kConstantRate * coarser.mean_rate_hz(all);
  if (!coarser.spiking() && constant && has_constant_input(*pair.coarser_tier)) {
    return omit(pair, kName,
                "the mean-field rate is constant, as its external input is: there is no time course to compare. "
                "Fluctuations that finite numbers of cells and of input spikes make are not part of it");
  }
  // Either tier may be the one whose rate moves: a rhythm that only one of them has is a disagreement.
  const auto expected = [&](Multiplicity m) {
    const double shared_finer = finer.shared_rate_variance(m).value_or(0.0);
    if (coarser.spiking()) return std::max(shared_finer, coarser.shared_rate_variance(m).value_or(0.0));
    const double variance = finer.rate_variance(m);
    const double moving = variance > 0 ? std::min(1.0, coarser.rate_variance(m) / variance) : 0.0;
    return std::sqrt(std::max(shared_finer, moving));
  };
  const auto correlation = [&](Multiplicity m) {
    return BlockedPopulation::rate_correlation(finer, coarser, m).value_or(0.0);  // a constant follows nothing
  };
  const auto original = resampler_.original();
  const double reachable = expected(original);
  if (reachable < options_.min_expected_correlation) {
    return omit(pair, kName,
                fmt::format("the rate in bins of {:.0f} ms varies by chance: a perfect copy would correlate by {:.2f}",
                            options_.bin_ms, reachable));
  }
  ConsistencyCheck check = begin_check(pair, kName, options_.tolerances.correlation_shortfall);
  check.finer_value = reachable;
  check.coarser_value = correlation(original);
  check.difference = *check.coarser_value - reachable;
  check.note =
      "finer value: the correlation that a perfect copy with its own chance would reach; only falling short counts";
  decide(std::move(check),
         interval_of(replicates_of([&](Multiplicity m) { return std::optional(correlation(m) - expected(m)); })), true);
}

void Checker::check_pair(const Pair& pair) {
  check_mean_rate(pair);
  check_cv(pair);
  check_distribution(pair);
  check_cells(pair, "top10_share", options_.tolerances.top10_share, [](const BlockedPopulation& p, Multiplicity m) {
    return measure::top_share(p.cell_rates_hz(m), kTopFraction);
  });
  check_cells(pair, "silent_fraction", options_.tolerances.silent_fraction,
              [this](const BlockedPopulation& p, Multiplicity m) { return silent_fraction(p, m); });
  check_correlation(pair);
}

measure::TierSummary Checker::summarise(const Activity& tier, std::size_t population,
                                        const BlockedPopulation& blocked) const {
  const auto original = resampler_.original();
  measure::TierSummary summary;
  summary.tier = tier.tier;
  summary.population = tier.populations[population].name;
  summary.cells = blocked.cells();
  summary.rate_hz = blocked.mean_rate_hz(original);
  if (const auto interval =
          interval_of(replicates_of([&](Multiplicity m) { return std::optional(blocked.mean_rate_hz(m)); }))) {
    summary.rate_ci_low = interval->low;
    summary.rate_ci_high = interval->high;
  }
  const std::vector<double> rates = blocked.cell_rates_hz(original);
  summary.top10_share = measure::top_share(rates, kTopFraction);
  summary.silent_fraction = silent_fraction(blocked, original);
  if (!blocked.spiking()) return summary;
  std::vector<std::uint32_t> cells;
  for (std::uint32_t cell = 0; cell < blocked.cells(); ++cell) {
    if (blocked.intervals(cell) >= static_cast<double>(options_.min_intervals)) cells.push_back(cell);
  }
  summary.cv_isi = blocked.cv_isi(original, cells);
  if (!summary.cv_isi) return summary;
  if (const auto interval = interval_of(replicates_of([&](Multiplicity m) { return blocked.cv_isi(m, cells); }))) {
    summary.cv_ci_low = interval->low;
    summary.cv_ci_high = interval->high;
  }
  return summary;
}

measure::Consistency Checker::run() {
  result_.begin_ms = grid_.begin_ms;
  result_.end_ms = grid_.end_ms();
  result_.block_ms = grid_.block_ms;
  result_.bin_ms = grid_.bin_ms;
  result_.blocks = grid_.blocks;
  result_.confidence = options_.confidence;
  result_.replicates = options_.replicates;
  result_.seed = options_.seed;
  const std::size_t populations = activities_.empty() || grid_.blocks == 0 ? 0 : activities_.front().populations.size();
  for (std::size_t p = 0; p < populations; ++p) {
    if (activities_.front().populations[p].is_virtual || activities_.front().populations[p].cells == 0) continue;
    std::vector<BlockedPopulation> tiers;
    for (const Activity& activity : activities_) tiers.emplace_back(activity.populations[p], activity.kind, grid_);
    for (std::size_t t = 0; t < tiers.size(); ++t) {
      result_.tiers.push_back(summarise(activities_[t], p, tiers[t]));
    }
    for (std::size_t t = 0; t + 1 < tiers.size(); ++t) {
      check_pair({activities_[t].populations[p].name, &activities_[t], &activities_[t + 1], &tiers[t], &tiers[t + 1]});
    }
  }
  conclude(result_, shortest_useful_run_ms());
  return std::move(result_);
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

measure::Consistency check_consistency(const std::vector<Activity>& activities, const ConsistencyOptions& options) {
  validate(activities);
  return Checker(activities, options).run();
}

}  // namespace triscale::bridges

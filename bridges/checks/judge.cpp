#include "bridges/checks/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "bridges/checks/consistency_summary.hpp"

namespace triscale::bridges {

namespace {

using measure::ConsistencyCheck;
using measure::Interval;
using measure::Verdict;

/// The difference will come out otherwise next time: with (1 + 1.28 / 2)^2 times the time that the interval alone
/// needs, it decides in nine cases of ten, or in four of five where it may cross either limit.
constexpr double kMargin = 2.7;
/// A share of replicates in which the statistic does not exist that makes the interval meaningless.
constexpr double kMaxMissingReplicates = 0.1;

measure::BlockGrid grid_for(double duration_ms, const ConsistencyOptions& options) {
  const double settle_ms = std::min(options.max_settle_ms, options.settle_fraction * duration_ms);
  return measure::make_block_grid(duration_ms, settle_ms, options.min_block_ms, options.bin_ms);
}

/// How much more data, as a factor, would move an interval off the limit of the tolerance that it crosses: the half of
/// it that crosses has to become shorter than the distance to that limit. The distance is known to one standard error
/// only, so `likely` takes the root of the mean square of what it may be (a distance of 0 is as uncertain as any other;
/// but a difference that agrees is no farther from a limit than the tolerance), `least` and `most` one standard error
/// more and less.
struct FactorToDecide {
  double likely = 1, least = 1, most = kMaxExtrapolation;
};
FactorToDecide factor_to_decide(double difference, const Interval& interval, double tolerance, bool lower_limit) {
  constexpr double kErrors = 2;  // half of an interval of 95 %, in standard errors
  const double limit = lower_limit ? -tolerance : tolerance;
  const double gap = std::abs(difference - limit);
  const double reach = std::max(difference > limit ? difference - interval.low : interval.high - difference, gap);
  const double error = reach / kErrors;
  const double farthest = std::max(gap, tolerance);
  const auto factor = [&](double distance) {
    if (!(distance * std::sqrt(kMaxExtrapolation / kMargin) > reach)) return kMaxExtrapolation;
    return std::max(1.0, kMargin * (reach / distance) * (reach / distance));
  };
  return {factor(std::min(std::hypot(gap, error), farthest)), factor(std::min(gap + error, farthest)),
          factor(gap - error)};
}

std::string range_text(double least_ms, double most_ms, bool bounded) {
  if (bounded) return fmt::format("{:.3g} to {:.3g} s would decide", least_ms / 1000, most_ms / 1000);
  return fmt::format("{:.3g} s or more would decide: the difference may lie on the limit of the tolerance",
                     least_ms / 1000);
}

}  // namespace

double Replicates::mean() const {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

void Replicates::shift(double by) {
  for (double& value : values) value += by;
  for (double& value : without_run) value += by;
}

Judge::Judge(double duration_ms, const ConsistencyOptions& options, std::size_t runs)
    : options_(options),
      grid_(grid_for(duration_ms, options)),
      resampler_(grid_.blocks, options.replicates, options.seed, runs) {
  result_.runs = runs;
  result_.begin_ms = grid_.begin_ms;
  result_.end_ms = grid_.end_ms();
  result_.block_ms = grid_.block_ms;
  result_.bin_ms = grid_.bin_ms;
  result_.blocks = grid_.blocks;
  result_.confidence = options.confidence;
  result_.replicates = options.replicates;
  result_.seed = options.seed;
}

double Judge::shortest_useful_run_ms() const {
  const double analysed_ms = options_.min_block_ms * static_cast<double>(options_.min_blocks);
  return analysed_ms / (1 - options_.settle_fraction);
}

Replicates Judge::replicates_of(const Statistic& statistic) const {
  return std::move(replicates_of(1, [&](Multiplicity m) { return std::vector{statistic(m)}; }).front());
}

std::vector<Replicates> Judge::replicates_of(std::size_t number, const Statistics& statistics) const {
  std::vector<Replicates> all(number);
  const auto append = [&](Multiplicity m, std::vector<double> Replicates::*to) {
    const std::vector<std::optional<double>> values = statistics(m);
    for (std::size_t k = 0; k < number; ++k) {
      if (values[k]) (all[k].*to).push_back(*values[k]);
    }
  };
  for (std::size_t replicate = 0; replicate < resampler_.replicates(); ++replicate) {
    append(resampler_.multiplicity(replicate), &Replicates::values);
  }
  for (std::size_t run = 0; resampler_.runs() > 1 && run < resampler_.runs(); ++run) {
    append(resampler_.without_run(run), &Replicates::without_run);
  }
  return all;
}

std::optional<Interval> Judge::interval_of(const Replicates& replicates) const {
  const std::size_t blocks = grid_.blocks;
  const double wanted = (1 - kMaxMissingReplicates) * static_cast<double>(resampler_.replicates());
  if (blocks < options_.min_blocks || static_cast<double>(replicates.values.size()) < wanted) return std::nullopt;
  const auto interval = measure::percentile_interval(replicates.values, blocks, options_.confidence);
  if (!interval) return std::nullopt;
  return measure::widened_for_runs(*interval, replicates.values, replicates.without_run, blocks, options_.confidence);
}

ConsistencyCheck Judge::begin_check(const CheckSubject& subject, const char* statistic, double tolerance) const {
  ConsistencyCheck check;
  check.statistic = statistic;
  check.population = subject.population;
  check.finer = subject.finer;
  check.coarser = subject.coarser;
  check.tolerance = tolerance;
  return check;
}

void Judge::omit(const CheckSubject& subject, const std::string& statistic, std::string reason) {
  result_.omitted.push_back({statistic, subject.population, subject.finer, subject.coarser, std::move(reason)});
}

void Judge::undecided(ConsistencyCheck check, std::string note, double needed_ms) {
  check.verdict = Verdict::undecided;
  check.note = std::move(note);
  check.needed_ms = std::max(needed_ms, shortest_useful_run_ms());
  result_.checks.push_back(std::move(check));
}

void Judge::decide(ConsistencyCheck check, std::optional<Interval> interval, Sides sides) {
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
  const bool both = sides == Sides::both;
  if (interval->low >= -tolerance && (!both || interval->high <= tolerance)) {
    check.verdict = Verdict::consistent;
  } else if (interval->high < -tolerance || (both && interval->low > tolerance)) {
    check.verdict = Verdict::inconsistent;
  } else {
    check.verdict = Verdict::undecided;
    const FactorToDecide factor =
        factor_to_decide(*check.difference, *interval, tolerance, !both || *check.difference < 0);
    const auto needed_ms = [&](double f) {
      return std::max(grid_.end_ms() + (f - 1) * grid_.window().length_ms(), shortest_useful_run_ms());
    };
    check.needed_ms = needed_ms(factor.likely);
    check.note = range_text(needed_ms(factor.least), needed_ms(factor.most), factor.most < kMaxExtrapolation);
  }
  result_.checks.push_back(std::move(check));
}

measure::Consistency Judge::conclude() {
  bridges::conclude(result_, shortest_useful_run_ms());
  return std::move(result_);
}

}  // namespace triscale::bridges

#include "bridges/checks/consistency_summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

namespace triscale::bridges {

namespace {

using measure::Consistency;
using measure::ConsistencyCheck;
using measure::Verdict;

struct StatisticText {
  const char* name;
  const char* text;
  const char* unit;
};
constexpr std::array kTexts{
    StatisticText{"mean_rate", "mean rate", " Hz"},
    StatisticText{"cv_isi", "irregularity of firing (CV)", ""},
    StatisticText{"rate_distribution", "distribution of single-cell rates (Kolmogorov-Smirnov distance)", ""},
    StatisticText{"top10_share", "share of spikes of the most active 10 % of cells", ""},
    StatisticText{"silent_fraction", "share of cells without a spike", ""},
    StatisticText{"rate_correlation", "correlation of the rate time courses", ""},
    StatisticText{"rate_correlation_10ms", "correlation of the rate time courses in 10 ms bins, without chance", ""},
    StatisticText{"pair_correlation", "mean correlation of pairs of cells", ""},
    StatisticText{"pair_correlation_distribution", "distribution of pair correlations (Kolmogorov-Smirnov distance)",
                  ""},
    StatisticText{"pair_correlation_decay", "decay of pair correlations with distance", ""},
    StatisticText{"power_below_15_hz", "power of the rate below 15 Hz", " dB"},
    StatisticText{"power_15_to_40_hz", "power of the rate from 15 to 40 Hz", " dB"},
    StatisticText{"power_40_to_150_hz", "power of the rate from 40 to 150 Hz", " dB"},
    StatisticText{"pulse_peak", "peak of the response to a pulse", " Hz"},
    StatisticText{"pulse_area", "size of the response to a pulse", " spikes per cell"},
    StatisticText{"pulse_latency", "latency of the response to a pulse", " ms"},
    StatisticText{"step_peak", "peak of the response to a step", " Hz"},
    StatisticText{"step_area", "size of the response to a step", " spikes per cell"},
    StatisticText{"step_latency", "latency of the response to a step", " ms"},
};

StatisticText text_of(const std::string& statistic) {
  for (const StatisticText& entry : kTexts) {
    if (statistic == entry.name) return entry;
  }
  return {statistic.c_str(), statistic.c_str(), ""};
}

std::size_t count(const Consistency& result, Verdict verdict) {
  return static_cast<std::size_t>(std::count_if(result.checks.begin(), result.checks.end(),
                                                [&](const auto& check) { return check.verdict == verdict; }));
}

/// How many tolerances the difference is away: the worst disagreement is told first.
double severity(const ConsistencyCheck& check) {
  return check.difference && check.tolerance > 0 ? std::abs(*check.difference) / check.tolerance : 0.0;
}

const ConsistencyCheck* worst_inconsistency(const Consistency& result) {
  const ConsistencyCheck* worst = nullptr;
  for (const ConsistencyCheck& check : result.checks) {
    if (check.verdict == Verdict::inconsistent && (!worst || severity(check) > severity(*worst))) worst = &check;
  }
  return worst;
}

std::string describe(const ConsistencyCheck& check) {
  const StatisticText text = text_of(check.statistic);
  return fmt::format(
      "{} of population {}: {} {:.3g}{}, {} {:.3g}{} (difference {:+.3g}, interval {:+.3g} to {:+.3g}, tolerance "
      "{:.3g})",
      text.text, check.population, check.finer, check.finer_value.value_or(0), text.unit, check.coarser,
      check.coarser_value.value_or(0), text.unit, check.difference.value_or(0), check.ci_low.value_or(0),
      check.ci_high.value_or(0), check.tolerance);
}

std::string undecided_text(const Consistency& result, std::size_t undecided) {
  std::string text = fmt::format("{} of {} comparisons cannot be decided from {:.3g} s", undecided,
                                 result.checks.size(), (result.end_ms - result.begin_ms) / 1000.0);
  const auto timed = static_cast<std::size_t>(std::count_if(
      result.checks.begin(), result.checks.end(),
      [](const ConsistencyCheck& check) { return check.verdict == Verdict::undecided && check.needed_ms; }));
  if (result.needed_ms) {
    const double needed_s = *result.needed_ms / 1000.0;
    text += fmt::format("; about {} s of simulated time would decide {} of them",
                        needed_s < 1000 ? fmt::format("{:.3g}", needed_s) : fmt::format("{:.0f}", needed_s),
                        timed == undecided ? std::string("all") : std::to_string(timed));
  }
  if (timed < undecided) text += fmt::format("; what {} need stands in their remarks", undecided - timed);
  return text + ".";
}

}  // namespace

void conclude(Consistency& result, double shortest_run_ms) {
  const std::size_t inconsistent = count(result, Verdict::inconsistent), undecided = count(result, Verdict::undecided);
  result.needed_ms.reset();
  for (const ConsistencyCheck& check : result.checks) {
    if (check.verdict == Verdict::undecided && check.needed_ms) {
      result.needed_ms = std::max(result.needed_ms.value_or(0.0), *check.needed_ms);
    }
  }
  if (result.checks.empty()) {
    result.verdict = Verdict::undecided;
    result.summary =
        "Nothing was compared: at least two levels, a population and a run that is not too short are needed.";
    if (!(result.end_ms > result.begin_ms)) result.needed_ms = shortest_run_ms;
    return;
  }
  if (inconsistent > 0) {
    result.verdict = Verdict::inconsistent;
    result.summary = fmt::format("The levels disagree in {} of {} comparisons. Largest against its tolerance: {}.",
                                 inconsistent, result.checks.size(), describe(*worst_inconsistency(result)));
    if (undecided > 0) result.summary += " " + undecided_text(result, undecided);
  } else if (undecided > 0) {
    result.verdict = Verdict::undecided;
    result.summary = "No disagreement was found, but " + undecided_text(result, undecided);
  } else {
    result.verdict = Verdict::consistent;
    result.summary = fmt::format("The levels agree in all {} comparisons.", result.checks.size());
  }
}

void add_checks(Consistency& result, const Consistency& other) {
  result.omitted.insert(result.omitted.end(), other.omitted.begin(), other.omitted.end());
  if (other.checks.empty()) return;
  for (ConsistencyCheck check : other.checks) {
    check.needed_ms.reset();
    result.checks.push_back(std::move(check));
  }
  conclude(result, 0);
}

}  // namespace triscale::bridges

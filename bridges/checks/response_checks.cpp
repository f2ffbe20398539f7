#include "bridges/checks/response_checks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bridges/checks/judge.hpp"
#include "measure/spike_statistics.hpp"

namespace triscale::bridges {

namespace {

using measure::ConsistencyCheck;

constexpr double kBin_ms = kResponseBin_ms;

/// Rates of one population in the bins of all blocks, one after the other; a block is one cycle or several.
struct Course {
  std::vector<double> rates_hz;
  std::size_t bins = 0;  ///< of a cycle
  std::size_t cycles_per_block = 1;

  /// Mean over cycles.
  std::vector<double> mean(Multiplicity m) const {
    std::vector<double> result(bins, 0.0);
    for (std::size_t cycle = 0; cycle < m.size() * cycles_per_block; ++cycle) {
      const double times = m[cycle / cycles_per_block];
      for (std::size_t bin = 0; bin < bins; ++bin) result[bin] += times * rates_hz[cycle * bins + bin];
    }
    for (double& rate : result) rate /= static_cast<double>(m.size() * cycles_per_block);
    return result;
  }
};

struct Response {
  double peak_hz = 0, area_spikes = 0, latency_ms = 0;
};

std::size_t bin_of(double t_ms) {
  return static_cast<std::size_t>(std::lround(t_ms / kBin_ms));
}

/// Where in the cycle to look, and at which side.
struct Look {
  double quiet_ms = 0;  ///< before that there is no stimulus
  double begin_ms = 0, end_ms = 0;
  double sign = 1;
};

Response response_of(const std::vector<double>& rates_hz, const Look& look) {
  double base_hz = 0;
  const std::size_t quiet = bin_of(look.quiet_ms);
  for (std::size_t bin = 0; bin < quiet; ++bin) base_hz += rates_hz[bin] / static_cast<double>(quiet);
  Response response;
  std::vector<double> smooth_hz;
  double peak_hz = 0;
  for (std::size_t bin = bin_of(look.begin_ms); bin < bin_of(look.end_ms); ++bin) {
    response.area_spikes += (rates_hz[bin] - base_hz) * kBin_ms / 1000;
    const double after_hz = bin + 1 < rates_hz.size() ? rates_hz[bin + 1] : rates_hz[bin];
    const double rate_hz = 0.25 * rates_hz[bin - 1] + 0.5 * rates_hz[bin] + 0.25 * after_hz;
    smooth_hz.push_back(look.sign * (rate_hz - base_hz));
    peak_hz = std::max(peak_hz, smooth_hz.back());
  }
  response.peak_hz = look.sign * peak_hz;
  for (std::size_t k = 0; k < smooth_hz.size(); ++k) {
    if (smooth_hz[k] < peak_hz / 2) continue;
    const double before_hz = k > 0 ? smooth_hz[k - 1] : 0.0, rise_hz = smooth_hz[k] - before_hz;
    const double part = rise_hz > 0 ? std::clamp((peak_hz / 2 - before_hz) / rise_hz, 0.0, 1.0) : 1.0;
    response.latency_ms = (static_cast<double>(k) - 0.5 + part) * kBin_ms;  // bins stand for their centres
    break;
  }
  return response;
}

struct Quantity {
  const char* name;
  double Response::*value;
  double tolerance;
};

/// Values of both tiers and their difference under resampling.
struct Compared {
  double finer = 0, coarser = 0;
  Replicates differences;
};

/// Each tier's value, corrected for the bias that resampling shows.
Compared corrected(const Response& finer, const Response& coarser, const Quantity& quantity,
                   const Replicates& finer_replicates, Replicates differences) {
  const double x = finer.*quantity.value, y = coarser.*quantity.value, x_mean = finer_replicates.mean();
  const double y_mean = x_mean + differences.mean();
  Compared compared{2 * x - x_mean, 2 * y - y_mean, std::move(differences)};
  compared.differences.shift(2 * ((y - x) - (y_mean - x_mean)));
  return compared;
}

void check_stimulus(Judge& judge, const CheckSubject& subject, const Course& finer, const Course& coarser,
                    const std::string& stimulus, Look look, const ResponseTolerances& tolerances) {
  const std::vector<double> finer_mean = finer.mean(judge.original()), coarser_mean = coarser.mean(judge.original());
  look.sign = response_of(finer_mean, look).area_spikes < 0 ? -1 : 1;
  const Response of_finer = response_of(finer_mean, look), of_coarser = response_of(coarser_mean, look);
  const Quantity quantities[] = {
      {"peak", &Response::peak_hz, std::max(tolerances.peak_hz, tolerances.peak_relative * std::abs(of_finer.peak_hz))},
      {"area", &Response::area_spikes,
       std::max(tolerances.area_spikes, tolerances.area_relative * std::abs(of_finer.area_spikes))},
      {"latency", &Response::latency_ms, tolerances.latency_ms}};
  std::vector<Replicates> replicates = judge.replicates_of(6, [&](Multiplicity m) {
    const Response a = response_of(finer.mean(m), look), b = response_of(coarser.mean(m), look);
    std::vector<std::optional<double>> values;
    for (const Quantity& quantity : quantities) values.push_back(a.*quantity.value);
    for (const Quantity& quantity : quantities) values.push_back(b.*quantity.value - a.*quantity.value);
    return values;
  });
  const double smaller_hz = std::min(std::abs(of_finer.peak_hz), std::abs(of_coarser.peak_hz));
  for (std::size_t k = 0; k < 3; ++k) {
    const std::string name = stimulus + "_" + quantities[k].name;
    if (quantities[k].value == &Response::latency_ms && smaller_hz < tolerances.peak_hz) {
      judge.omit(subject, name, "one of the two tiers has no response whose beginning could be seen");
      continue;
    }
    ConsistencyCheck check = judge.begin_check(subject, name.c_str(), quantities[k].tolerance);
    const Compared compared =
        corrected(of_finer, of_coarser, quantities[k], replicates[k], std::move(replicates[3 + k]));
    check.finer_value = compared.finer;
    check.coarser_value = compared.coarser;
    check.difference = compared.coarser - compared.finer;
    check.note = fmt::format("mean over {} repetitions of the stimulus", judge.grid().blocks * finer.cycles_per_block);
    judge.decide(std::move(check), judge.interval_of(compared.differences));
  }
}

/// Blocks of whole cycles behind the time that the plan leaves for settling.
ConsistencyOptions for_cycles(const StimulusPlan& plan, ConsistencyOptions options) {
  constexpr double kMostBlocks = 40;  // more are joined by measure::make_block_grid, which knows no cycles
  options.max_settle_ms = plan.settle_ms;
  options.settle_fraction = plan.settle_ms / plan.duration_ms();
  options.min_block_ms = plan.cycle_ms * std::ceil(static_cast<double>(plan.repetitions) / kMostBlocks);
  options.bin_ms = kBin_ms;
  return options;
}

/// Of a population in every tier.
std::vector<Course> courses_of(const Run& run, std::size_t population, const StimulusPlan& plan, const Judge& judge) {
  const std::size_t bins = bin_of(plan.cycle_ms);
  std::vector<Course> courses;
  for (const measure::Activity& activity : run) {
    courses.push_back(
        {measure::rate_time_course_hz(activity.populations[population], activity.kind, judge.grid().window(), kBin_ms),
         bins, judge.grid().bins_per_block / bins});
  }
  return courses;
}

bool is_compared(const Run& run, std::size_t population) {
  const measure::PopulationActivity& activity = run.front().populations[population];
  return !activity.is_virtual && activity.cells > 0;
}

/// Asks for repetitions where a verdict is open.
void ask_for_repetitions(std::vector<ConsistencyCheck>& checks, const StimulusPlan& plan) {
  constexpr double kMostRepetitions = 10000;  // 5000 s of simulated time
  for (ConsistencyCheck& check : checks) {
    if (check.verdict != measure::Verdict::undecided || !check.needed_ms) continue;
    const double needed = std::ceil((*check.needed_ms - plan.settle_ms) / plan.cycle_ms);
    if (needed <= kMostRepetitions) check.note += fmt::format("; about {:.0f} repetitions would decide", needed);
  }
}

}  // namespace

std::vector<MeanResponse> mean_responses(const Run& run, const StimulusPlan& plan, const ConsistencyOptions& options) {
  const Judge judge(plan.duration_ms(), for_cycles(plan, options));
  std::vector<MeanResponse> out;
  for (std::size_t p = 0; !run.empty() && p < run.front().populations.size(); ++p) {
    if (!is_compared(run, p)) continue;
    const std::vector<Course> courses = courses_of(run, p, plan, judge);
    for (std::size_t t = 0; t < run.size(); ++t) {
      out.push_back({run[t].tier, run[t].populations[p].name, courses[t].mean(judge.original())});
    }
  }
  return out;
}

measure::Consistency check_responses(const Run& run, const StimulusPlan& plan, const ConsistencyOptions& options,
                                     const ResponseTolerances& tolerances) {
  Judge judge(plan.duration_ms(), for_cycles(plan, options));
  const Look pulse{plan.pulse_begin_ms, plan.pulse_begin_ms, plan.step_begin_ms, 1};
  const Look step{plan.pulse_begin_ms, plan.step_begin_ms, plan.step_end_ms, 1};
  const std::size_t populations = run.empty() ? 0 : run.front().populations.size();
  for (std::size_t p = 0; p < populations; ++p) {
    if (!is_compared(run, p)) continue;
    const std::vector<Course> courses = courses_of(run, p, plan, judge);
    for (std::size_t t = 0; t + 1 < run.size(); ++t) {
      const CheckSubject subject{run[t].populations[p].name, run[t].tier, run[t + 1].tier};
      check_stimulus(judge, subject, courses[t], courses[t + 1], "pulse", pulse, tolerances);
      check_stimulus(judge, subject, courses[t], courses[t + 1], "step", step, tolerances);
    }
  }
  measure::Consistency result = judge.conclude();
  ask_for_repetitions(result.checks, plan);
  return result;
}

}  // namespace triscale::bridges

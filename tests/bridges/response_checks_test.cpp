// Verdicts on responses of populations whose rate follows the drive through a known filter; the stimulated circuit.
#include "bridges/checks/response_checks.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "core/random.hpp"

namespace triscale::bridges {
namespace {

using measure::Activity;
using measure::Verdict;

constexpr double kBase_hz = 10, kTau_ms = 10;
constexpr std::size_t kCells = 4000;

/// tau dr/dt = r_base + gain (f(t - delay) - 1) - r, f the factor of the drive.
struct Model {
  double gain_hz = 20;
  double delay_ms = 2;
};

/// In steps of 0.5 ms, which no edge of the stimulus falls between.
std::vector<double> rates_of(const Model& model, const StimulusPlan& plan) {
  constexpr double kStep_ms = 0.5;
  std::vector<double> rates_hz;
  double response_hz = 0;
  for (double t_ms = 0; t_ms < plan.duration_ms(); t_ms += kStep_ms) {
    rates_hz.push_back(kBase_hz + response_hz);
    const double to_hz = model.gain_hz * (plan.factor_at(t_ms - model.delay_ms) - 1);
    response_hz = to_hz + (response_hz - to_hz) * std::exp(-kStep_ms / kTau_ms);
  }
  return rates_hz;
}

Activity meanfield(const Model& model, const StimulusPlan& plan) {
  Activity activity{"meanfield", Activity::Kind::rates, plan.duration_ms(), {}};
  measure::PopulationActivity population;
  population.name = "E";
  population.cells = kCells;
  population.rates_hz = rates_of(model, plan);
  for (std::size_t k = 0; k < population.rates_hz.size(); ++k) {
    population.rate_times_ms.push_back(0.5 * static_cast<double>(k));
  }
  activity.populations.push_back(population);
  return activity;
}

/// Cells that fire Poisson spikes at the rate of the model.
Activity spikes(const std::string& tier, const Model& model, const StimulusPlan& plan, std::uint64_t entity) {
  Activity activity{tier, Activity::Kind::spikes, plan.duration_ms(), {}};
  measure::PopulationActivity population;
  population.name = "E";
  population.cells = kCells;
  core::RandomStream random(1, core::Purpose::test, entity);
  const std::vector<double> rates_hz = rates_of(model, plan);
  for (std::size_t k = 0; k < rates_hz.size(); ++k) {
    for (double t = random.next_exponential(); t < rates_hz[k] * 0.5e-3 * kCells; t += random.next_exponential()) {
      population.spike_times_ms.push_back(0.5 * static_cast<double>(k) + 0.25);
      population.spike_cells.push_back(static_cast<std::uint32_t>(random.next_below(kCells)));
    }
  }
  activity.populations.push_back(population);
  return activity;
}

std::map<std::string, measure::ConsistencyCheck> checks_of(const Run& run, const StimulusPlan& plan) {
  std::map<std::string, measure::ConsistencyCheck> checks;
  for (const measure::ConsistencyCheck& check : check_responses(run, plan, {}).checks) checks[check.statistic] = check;
  return checks;
}

void expect_all(const Run& run, const StimulusPlan& plan, std::map<std::string, Verdict> expected) {
  const auto checks = checks_of(run, plan);
  EXPECT_EQ(checks.size(), 6u);
  for (const auto& [statistic, check] : checks) {
    const auto other = expected.find(statistic);
    EXPECT_EQ(check.verdict, other == expected.end() ? Verdict::consistent : other->second)
        << statistic << ": " << *check.finer_value << " and " << *check.coarser_value << ", " << *check.ci_low << " .. "
        << *check.ci_high;
  }
}

TEST(ResponseChecks, ValuesAreThoseOfTheory) {
  StimulusPlan plan;
  const Model model;
  auto checks = checks_of({spikes("point", model, plan, 1), meanfield(model, plan)}, plan);
  const double step_hz = model.gain_hz * 0.5, pulse_hz = model.gain_hz * 3;
  for (const auto value : {&measure::ConsistencyCheck::finer_value, &measure::ConsistencyCheck::coarser_value}) {
    const auto of = [&](const char* statistic) { return *(checks[statistic].*value); };
    // Bins of 5 ms and their smoothing flatten the pulse's peak, which is gone in 10 ms, but not that of the step.
    const double top_hz = pulse_hz * (1 - std::exp(-1.0));
    EXPECT_LT(of("pulse_peak"), top_hz);
    EXPECT_GT(of("pulse_peak"), 0.7 * top_hz);
    EXPECT_NEAR(of("step_peak"), step_hz, 0.06 * step_hz);
    EXPECT_NEAR(of("pulse_area"), pulse_hz * 0.010, 0.03 * pulse_hz * 0.010);
    const double step_spikes = step_hz * (0.200 - (model.delay_ms + kTau_ms) / 1000);
    EXPECT_NEAR(of("step_area"), step_spikes, 0.03 * step_spikes);
    EXPECT_NEAR(of("step_latency"), model.delay_ms + kTau_ms * std::log(2), 1.5);
  }
}

TEST(ResponseChecks, EqualResponsesAreConsistentAlsoWhereManyCyclesAreOneBlockOrTheDriveInhibits) {
  StimulusPlan plan;
  expect_all({spikes("detailed", {}, plan, 1), spikes("point", {}, plan, 2)}, plan, {});
  const Model inhibited{-5, 2};
  const std::vector<Activity> run = {spikes("detailed", inhibited, plan, 3), meanfield(inhibited, plan)};
  expect_all(run, plan, {});
  EXPECT_LT(*checks_of(run, plan)["step_peak"].finer_value, -2);
  EXPECT_LT(*checks_of(run, plan)["step_area"].finer_value, -0.4);
  plan.repetitions = 50;
  expect_all({spikes("detailed", {}, plan, 4), meanfield({}, plan)}, plan, {});
}

TEST(ResponseChecks, ALateOrAWeakResponseIsInconsistent) {
  const StimulusPlan plan;
  const Activity finer = spikes("detailed", {}, plan, 1);
  // 12 ms later, the step has 12 ms less of its 188 to act in.
  expect_all({finer, meanfield({20, 14}, plan)}, plan,
             {{"pulse_latency", Verdict::inconsistent}, {"step_latency", Verdict::inconsistent}});
  const Verdict no = Verdict::inconsistent;
  expect_all({finer, spikes("point", {13, 2}, plan, 2)}, plan,
             {{"pulse_peak", no}, {"pulse_area", no}, {"step_peak", no}, {"step_area", no}});
}

TEST(ResponseChecks, TooFewRepetitionsAreUndecidedAndAskForAPlausibleNumber) {
  StimulusPlan plan;
  plan.repetitions = 3;
  const auto checks = checks_of({spikes("detailed", {}, plan, 1), meanfield({}, plan)}, plan);
  ASSERT_FALSE(checks.empty());
  for (const auto& [statistic, check] : checks) {
    EXPECT_EQ(check.verdict, Verdict::undecided) << statistic;
    EXPECT_NE(check.note.find("about 6 repetitions would decide"), std::string::npos) << check.note;
  }
}

network::Circuit driven(network::SpikeSource source, std::size_t cells) {
  network::Circuit circuit;
  circuit.populations.resize(1);
  circuit.populations[0].size = cells;
  circuit.populations[0].is_virtual = true;
  circuit.populations[0].source = std::move(source);
  circuit.run.duration_ms = 1000;
  return circuit;
}

TEST(Stimulus, MultipliesPoissonRatesAndKeepsWhatElseTheSourceIs) {
  const StimulusPlan plan;
  network::PoissonTrains given{{0, 300}, {5, 8}};
  given.bin_ms = 0.1;
  given.correlation = 0.2;
  const network::Circuit circuit = with_stimulus(driven(given, 3), plan);
  EXPECT_EQ(circuit.run.duration_ms, plan.settle_ms + 20 * plan.cycle_ms);
  const auto& trains = std::get<network::PoissonTrains>(circuit.populations[0].source);
  EXPECT_EQ(trains.bin_ms, 0.1);
  EXPECT_EQ(trains.correlation, 0.2);
  const auto rate_at = [&](double t_ms) {
    double rate_hz = 0;
    for (std::size_t k = 0; k < trains.times_ms.size() && trains.times_ms[k] <= t_ms; ++k) rate_hz = trains.rates_hz[k];
    return rate_hz;
  };
  EXPECT_EQ(rate_at(100), 5);
  EXPECT_EQ(rate_at(400), 8);
  for (const double cycle_ms : {500.0, 10000.0}) {
    EXPECT_EQ(rate_at(cycle_ms + 49), 8);
    EXPECT_EQ(rate_at(cycle_ms + 51), 32);
    EXPECT_EQ(rate_at(cycle_ms + 61), 8);
    EXPECT_EQ(rate_at(cycle_ms + 201), 12);
    EXPECT_EQ(rate_at(cycle_ms + 401), 8);
  }
}

TEST(Stimulus, AddsSpikesToGivenTrainsWhereTheDriveIsRaised) {
  const StimulusPlan plan;
  network::SpikeTrains given;
  for (int k = 0; k < 1000; ++k) {  // 100 cells at 10 Hz, evenly
    given.times_ms.push_back(k + 0.5);
    given.cells.push_back(static_cast<std::uint32_t>(k % 100));
  }
  const network::Circuit circuit = with_stimulus(driven(given, 100), plan);
  const auto& trains = std::get<network::SpikeTrains>(circuit.populations[0].source);
  EXPECT_TRUE(std::is_sorted(trains.times_ms.begin(), trains.times_ms.end()));
  double pulse = 0, step = 0, rest = 0;
  for (const double t_ms : trains.times_ms) {
    const double factor = plan.factor_at(t_ms);
    (factor > 3 ? pulse : factor > 1 ? step : rest) += 1;
  }
  const double pulse_ms = 20 * 10, step_ms = 20 * 200;
  EXPECT_EQ(rest, plan.duration_ms() - pulse_ms - step_ms);  // the given spikes alone, one a millisecond
  EXPECT_NEAR(pulse, 4 * pulse_ms, 4 * std::sqrt(3 * pulse_ms));
  EXPECT_NEAR(step, 1.5 * step_ms, 4 * std::sqrt(0.5 * step_ms));
}

}  // namespace
}  // namespace triscale::bridges

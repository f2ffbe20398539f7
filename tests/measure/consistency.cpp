#include "bridges/checks/consistency.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "bridges/checks/judge.hpp"
#include "core/error.hpp"
#include "tests/measure/point_processes.hpp"

namespace triscale::bridges {
namespace {

using measure::Activity;
using measure::Consistency;
using measure::ConsistencyCheck;
using measure::PopulationActivity;
using measure::Verdict;
using measure::testing::gamma_population;
using measure::testing::poisson_population;
using measure::testing::rate_activity;
using measure::testing::spiking_activity;

const ConsistencyCheck* find(const Consistency& result, const std::string& statistic,
                             const std::string& finer = "detailed") {
  for (const auto& check : result.checks) {
    if (check.statistic == statistic && check.finer == finer) return &check;
  }
  return nullptr;
}

std::string reason(const Consistency& result, const std::string& statistic) {
  for (const auto& omitted : result.omitted) {
    if (omitted.statistic == statistic) return omitted.reason;
  }
  return "";
}

/// Rates of 100 cells between 4 and 12 Hz, and a slow signal common to all.
PopulationActivity varied(double duration_ms, double scale, std::uint64_t seed) {
  const auto rate = [scale](std::size_t cell, double t_ms) {
    return scale * (4 + 0.08 * static_cast<double>(cell)) * (1 + 0.8 * std::sin(t_ms / 200));
  };
  return gamma_population("E", 100, duration_ms, rate, 22 * std::max(scale, 1.0), 1, seed);
}

void expect_everything_finite(const Consistency& result) {
  for (const auto& check : result.checks) {
    for (const auto& value :
         {check.finer_value, check.coarser_value, check.difference, check.ci_low, check.ci_high, check.needed_ms}) {
      EXPECT_TRUE(!value || std::isfinite(*value)) << check.statistic;
    }
    EXPECT_TRUE(std::isfinite(check.tolerance));
    if (check.verdict == Verdict::undecided) {
      EXPECT_TRUE(check.needed_ms.has_value()) << check.statistic;
    }
  }
}

TEST(Consistency, IdenticalRunsAreConsistentInEveryStatistic) {
  const PopulationActivity population = varied(20000, 1, 1);
  const auto result = check_consistency(
      {spiking_activity("detailed", 20000, {population}), spiking_activity("point", 20000, {population})});
  EXPECT_EQ(result.verdict, Verdict::consistent) << result.summary;
  EXPECT_EQ(result.checks.size(), 12u);
  for (const auto& check : result.checks) EXPECT_EQ(check.verdict, Verdict::consistent) << check.statistic;
  expect_everything_finite(result);
}

TEST(Consistency, RunsWithTheSameRatesAndIndependentChanceAreNeverCalledInconsistent) {
  ConsistencyOptions options;
  options.replicates = 300;  // the verdict is asked for, not the last digit of an interval
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const auto result = check_consistency({spiking_activity("detailed", 20000, {varied(20000, 1, 2 * seed + 1)}),
                                           spiking_activity("point", 20000, {varied(20000, 1, 2 * seed + 2)})},
                                          options);
    EXPECT_NE(result.verdict, Verdict::inconsistent) << "seed " << seed << ": " << result.summary;
    EXPECT_EQ(find(result, "mean_rate")->verdict, Verdict::consistent) << "seed " << seed;
    EXPECT_EQ(find(result, "cv_isi")->verdict, Verdict::consistent) << "seed " << seed;
    EXPECT_EQ(find(result, "rate_correlation")->verdict, Verdict::consistent) << "seed " << seed;
  }
}

TEST(Consistency, ARateThatIsAThirdTooHighIsInconsistent) {
  const auto result = check_consistency({spiking_activity("detailed", 20000, {varied(20000, 1, 1)}),
                                         spiking_activity("point", 20000, {varied(20000, 1.33, 2)})});
  EXPECT_EQ(result.verdict, Verdict::inconsistent);
  const ConsistencyCheck* rate = find(result, "mean_rate");
  EXPECT_EQ(rate->verdict, Verdict::inconsistent);
  EXPECT_GT(*rate->ci_low, rate->tolerance);
  EXPECT_NEAR(*rate->difference, *rate->coarser_value - *rate->finer_value, 1e-12);
  EXPECT_NE(result.summary.find("population E"), std::string::npos) << result.summary;
}

TEST(Consistency, RegularFiringInPlaceOfIrregularIsInconsistentInCvOnly) {
  const auto result =
      check_consistency({spiking_activity("detailed", 20000, {poisson_population("E", 60, 20000, 10, 1, 1)}),
                         spiking_activity("point", 20000, {poisson_population("E", 60, 20000, 10, 2, 6)})});
  EXPECT_EQ(find(result, "cv_isi")->verdict, Verdict::inconsistent);
  EXPECT_NEAR(*find(result, "cv_isi")->finer_value, 1.0, 0.03);
  EXPECT_NEAR(*find(result, "cv_isi")->coarser_value, 1 / std::sqrt(6), 0.03);
  EXPECT_EQ(find(result, "mean_rate")->verdict, Verdict::consistent);
}

TEST(Consistency, EqualCellsInPlaceOfUnequalOnesAreInconsistentInDistributionAndTopShare) {
  const auto skewed = [](std::size_t cell, double) { return cell < 20 ? 40.0 : 2.5; };
  const auto result =
      check_consistency({spiking_activity("detailed", 20000, {gamma_population("E", 100, 20000, skewed, 40, 1, 1)}),
                         spiking_activity("point", 20000, {poisson_population("E", 100, 20000, 10, 2)})});
  EXPECT_EQ(find(result, "mean_rate")->verdict, Verdict::consistent);
  EXPECT_EQ(find(result, "rate_distribution")->verdict, Verdict::inconsistent);
  EXPECT_EQ(find(result, "top10_share")->verdict, Verdict::inconsistent);
  EXPECT_NEAR(*find(result, "top10_share")->finer_value, 0.4, 0.02);
  EXPECT_NEAR(*find(result, "top10_share")->coarser_value, 0.1, 0.02);
}

TEST(Consistency, AMeanFieldIsComparedInRateAndTimeCourseAndTheRestIsLeftOutWithAReason) {
  const auto signal = [](double t_ms) { return 8 * (1 + 0.8 * std::sin(t_ms / 200)); };
  const auto result = check_consistency(
      {spiking_activity("point", 20000, {varied(20000, 1, 1)}), rate_activity(20000, "E", 100, signal)});
  EXPECT_EQ(find(result, "mean_rate", "point")->verdict, Verdict::consistent);
  const ConsistencyCheck* correlation = find(result, "rate_correlation", "point");
  ASSERT_NE(correlation, nullptr);
  EXPECT_EQ(correlation->verdict, Verdict::consistent);
  EXPECT_NEAR(*correlation->difference, 0, 0.05);  // what chance allows is predicted from the spikes
  EXPECT_NE(reason(result, "cv_isi").find("no spikes"), std::string::npos);
  EXPECT_NE(reason(result, "rate_distribution").find("one rate for all cells"), std::string::npos);
  EXPECT_EQ(result.verdict, Verdict::consistent);
}

TEST(Consistency, AMeanFieldThatIgnoresTheSignalOrInventsARhythmIsInconsistentInTimeCourse) {
  const auto flat = rate_activity(20000, "E", 100, [](double) { return 8.0; });
  const auto ignored = check_consistency({spiking_activity("point", 20000, {varied(20000, 1, 1)}), flat});
  EXPECT_EQ(find(ignored, "rate_correlation", "point")->verdict, Verdict::inconsistent);

  const auto rhythm = rate_activity(20000, "E", 100, [](double t_ms) { return 8 + 6 * std::sin(t_ms / 50); });
  const auto invented =
      check_consistency({spiking_activity("point", 20000, {poisson_population("E", 100, 20000, 8, 1)}), rhythm});
  EXPECT_EQ(find(invented, "rate_correlation", "point")->verdict, Verdict::inconsistent);
}

TEST(Consistency, AFlatMeanFieldUnderConstantInputHasNoTimeCourseToCompare) {
  auto fine = spiking_activity("point", 20000, {varied(20000, 1, 1)});
  auto flat = rate_activity(20000, "E", 100, [](double) { return 8.0; });
  auto input = flat.populations[0];
  input.name = "input";
  input.is_virtual = true;
  flat.populations.push_back(input);
  fine.populations.push_back(fine.populations[0]);
  fine.populations[1].name = "input";
  fine.populations[1].is_virtual = true;
  const auto constant = check_consistency({fine, flat});
  EXPECT_EQ(find(constant, "rate_correlation", "point"), nullptr);
  EXPECT_NE(reason(constant, "rate_correlation").find("constant"), std::string::npos);

  // The same mean field under input that moves fails to follow it.
  flat.populations[1].rates_hz.back() = 9;
  EXPECT_EQ(find(check_consistency({fine, flat}), "rate_correlation", "point")->verdict, Verdict::inconsistent);
}

TEST(Consistency, CorrelationIsLeftOutWhereChanceDominates) {
  const auto result =
      check_consistency({spiking_activity("detailed", 10000, {poisson_population("E", 50, 10000, 8, 1)}),
                         spiking_activity("point", 10000, {poisson_population("E", 50, 10000, 8, 2)})});
  EXPECT_EQ(find(result, "rate_correlation"), nullptr);
  EXPECT_NE(reason(result, "rate_correlation").find("chance"), std::string::npos);
}

TEST(Consistency, ExpectedRatesOfCellsAreComparedWithCountsFreeOfCountingNoise) {
  Activity field = rate_activity(20000, "E", 100, [](double) { return 7.96; });
  for (std::size_t cell = 0; cell < 100; ++cell) {
    field.populations[0].cell_rates_hz.push_back(4 + 0.08 * static_cast<double>(cell));
  }
  const auto rate = [](std::size_t cell, double) { return 4 + 0.08 * static_cast<double>(cell); };
  const auto good =
      check_consistency({spiking_activity("point", 20000, {gamma_population("E", 100, 20000, rate, 12, 1, 1)}), field});
  EXPECT_EQ(find(good, "rate_distribution", "point")->verdict, Verdict::consistent);
  EXPECT_EQ(find(good, "top10_share", "point")->verdict, Verdict::consistent);

  // Cells that hardly ever fire are no disagreement with cells that stay silent.
  for (std::size_t cell = 0; cell < 40; ++cell) field.populations[0].cell_rates_hz[cell] = 1e-3;
  const auto quiet_rate = [](std::size_t cell, double) {
    return cell < 40 ? 0.0 : 4 + 0.08 * static_cast<double>(cell);
  };
  const auto quiet = check_consistency(
      {spiking_activity("point", 20000, {gamma_population("E", 100, 20000, quiet_rate, 12, 1, 1)}), field});
  EXPECT_EQ(find(quiet, "rate_distribution", "point")->verdict, Verdict::consistent);
  EXPECT_EQ(find(quiet, "silent_fraction", "point")->verdict, Verdict::consistent);
  EXPECT_NEAR(*find(quiet, "silent_fraction", "point")->coarser_value, 0.4 * std::exp(-1e-3 * 19.5), 0.01);

  field.populations[0].cell_rates_hz.assign(100, 7.96);  // all the same: wrong
  const auto bad =
      check_consistency({spiking_activity("point", 20000, {gamma_population("E", 100, 20000, rate, 12, 1, 1)}), field});
  EXPECT_EQ(find(bad, "rate_distribution", "point")->verdict, Verdict::inconsistent);
  const auto loud = check_consistency(
      {spiking_activity("point", 20000, {gamma_population("E", 100, 20000, quiet_rate, 12, 1, 1)}), field});
  EXPECT_EQ(find(loud, "silent_fraction", "point")->verdict, Verdict::inconsistent);
}

TEST(Consistency, SilenceInBothTiersIsConsistentOnceWatchedLongEnough) {
  PopulationActivity silent;
  silent.name = "E";
  silent.cells = 10;
  // 3 / (10 cells x 2.25 s) = 0.13 Hz: below the tolerance of 0.2 Hz.
  const auto longer =
      check_consistency({spiking_activity("detailed", 2500, {silent}), spiking_activity("point", 2500, {silent})});
  EXPECT_EQ(longer.verdict, Verdict::consistent) << longer.summary;
  EXPECT_EQ(longer.checks.size(), 1u);
  EXPECT_EQ(longer.omitted.size(), 12u);
  expect_everything_finite(longer);

  silent.cells = 2;  // 3 / (2 x 2.25 s) = 0.67 Hz: not watched long enough
  const auto shorter =
      check_consistency({spiking_activity("detailed", 2500, {silent}), spiking_activity("point", 2500, {silent})});
  EXPECT_EQ(shorter.verdict, Verdict::undecided);
  EXPECT_GT(shorter.needed_ms.value(), 2500);
  expect_everything_finite(shorter);
}

TEST(Consistency, ASilentTierBesideAnActiveOneIsInconsistent) {
  PopulationActivity silent;
  silent.name = "E";
  silent.cells = 100;
  const auto result = check_consistency(
      {spiking_activity("detailed", 10000, {varied(10000, 1, 1)}), spiking_activity("point", 10000, {silent})});
  EXPECT_EQ(find(result, "mean_rate")->verdict, Verdict::inconsistent);
  EXPECT_EQ(result.verdict, Verdict::inconsistent);
  expect_everything_finite(result);
}

TEST(Consistency, StarvedStatisticsAreUndecidedAndSayHowLongToRun) {
  // About 0.5 Hz for 3 s, as in the public circuit.
  const auto run = [](double duration_ms) {
    return check_consistency(
        {spiking_activity("detailed", duration_ms, {poisson_population("E", 60, duration_ms, 0.5, 1)}),
         spiking_activity("point", duration_ms, {poisson_population("E", 60, duration_ms, 0.5, 2)})});
  };
  const auto result = run(3000);
  EXPECT_EQ(result.verdict, Verdict::undecided) << result.summary;
  EXPECT_EQ(find(result, "cv_isi")->verdict, Verdict::undecided);
  EXPECT_FALSE(find(result, "cv_isi")->finer_value);
  EXPECT_EQ(find(result, "rate_distribution")->verdict, Verdict::undecided);
  expect_everything_finite(result);
  // The advice is good: after that time, the statistics exist.
  const auto after = run(1.2 * *result.needed_ms);
  EXPECT_TRUE(find(after, "cv_isi")->ci_low);
  EXPECT_TRUE(find(after, "rate_distribution")->ci_low);
}

TEST(Consistency, ARunTooShortForIntervalsIsUndecided) {
  for (const double duration_ms : {20.0, 60.0, 300.0, 1000.0}) {
    const auto result =
        check_consistency({spiking_activity("detailed", duration_ms, {poisson_population("E", 40, duration_ms, 20, 1)}),
                           spiking_activity("point", duration_ms, {poisson_population("E", 40, duration_ms, 20, 2)})});
    EXPECT_EQ(result.verdict, Verdict::undecided) << duration_ms;
    EXPECT_GE(result.needed_ms.value(), 1250) << duration_ms;
    expect_everything_finite(result);
  }
}

TEST(Consistency, TimeAskedForAnUndecidedRateUsuallyDecides) {
  int decided = 0, asked = 0;
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto run = [&](double duration_ms) {
      // 8 Hz, tolerance 0.8 Hz, independent chance of 10 cells: 2 s do not decide.
      return check_consistency(
          {spiking_activity("detailed", duration_ms, {poisson_population("E", 10, duration_ms, 8, 2 * seed)}),
           spiking_activity("point", duration_ms, {poisson_population("E", 10, duration_ms, 8, 2 * seed + 1)})});
    };
    const auto first = run(2000);
    const ConsistencyCheck* rate = find(first, "mean_rate");
    if (rate->verdict != Verdict::undecided) continue;
    ++asked;
    const auto second = run(std::min(*rate->needed_ms, 200000.0));
    decided += find(second, "mean_rate")->verdict == Verdict::consistent ? 1 : 0;
  }
  EXPECT_GT(asked, 10);
  EXPECT_GE(decided, asked / 2);
}

TEST(Consistency, VirtualPopulationsAndSingleTiersAreNotCompared) {
  PopulationActivity input = poisson_population("input", 10, 5000, 20, 1);
  input.is_virtual = true;
  const auto tiers =
      check_consistency({spiking_activity("detailed", 5000, {input}), spiking_activity("point", 5000, {input})});
  EXPECT_TRUE(tiers.checks.empty());
  EXPECT_EQ(tiers.verdict, Verdict::undecided);
  const auto single =
      check_consistency({spiking_activity("detailed", 5000, {poisson_population("E", 10, 5000, 20, 1)})});
  EXPECT_TRUE(single.checks.empty());
  EXPECT_EQ(single.tiers.size(), 1u);
  EXPECT_TRUE(check_consistency(bridges::Run{}).checks.empty());
  EXPECT_TRUE(check_consistency(std::vector<bridges::Run>{}).checks.empty());
}

/// 60 cells of 10 Hz whose rate is multiplied by 1 + depth * signal(t).
PopulationActivity driven(double depth, const std::function<double(std::size_t, double)>& signal, std::uint64_t seed) {
  const auto rate = [&](std::size_t cell, double t_ms) { return 10 * (1 + depth * signal(cell, t_ms)); };
  return gamma_population("E", 60, 20000, rate, 20, 1, seed);
}

/// +1 or -1 in every stretch of 100 ms, drawn anew for each cell's group.
double telegraph(std::uint64_t group, double t_ms) {
  const core::RandomStream random(99, core::Purpose::test, group);
  return random.uniform(static_cast<std::uint64_t>(t_ms / 100)) < 0.5 ? -1.0 : 1.0;
}

TEST(Consistency, PairCorrelationsThatOneTierLacksOrPlacesElsewhereAreInconsistent) {
  const auto common = [](std::size_t, double t_ms) { return telegraph(0, t_ms); };
  const auto by_side = [](std::size_t cell, double t_ms) { return telegraph(cell < 30 ? 1 : 2, t_ms); };
  const auto compare = [&](PopulationActivity finer, PopulationActivity coarser) {
    for (std::size_t cell = 0; cell < 60; ++cell) {
      finer.positions_um.push_back({static_cast<double>(cell < 30 ? cell : 500 + cell), 0, 0});
    }
    coarser.positions_um = finer.positions_um;
    return check_consistency(
        {spiking_activity("detailed", 20000, {finer}), spiking_activity("point", 20000, {coarser})});
  };
  const auto same = compare(driven(0.8, by_side, 1), driven(0.8, by_side, 2));
  for (const char* statistic : {"pair_correlation", "pair_correlation_distribution", "pair_correlation_decay"}) {
    EXPECT_NE(find(same, statistic)->verdict, Verdict::inconsistent) << statistic;
  }
  // Counts in 50 ms: variance 0.5 of chance, (0.5 * 0.8)^2 in common.
  EXPECT_NEAR(*find(same, "pair_correlation_decay")->finer_value, 0.16 / 0.66, 0.08);
  const auto lost = compare(driven(0.8, common, 1), driven(0, common, 2));
  EXPECT_EQ(find(lost, "pair_correlation")->verdict, Verdict::inconsistent);
  EXPECT_EQ(find(lost, "pair_correlation_distribution")->verdict, Verdict::inconsistent);
  const auto elsewhere = compare(driven(0.8, by_side, 1), driven(0.8, common, 2));
  EXPECT_EQ(find(elsewhere, "pair_correlation_decay")->verdict, Verdict::inconsistent);
}

TEST(Consistency, ARhythmOfOneTierIsInconsistentInItsBandOnly) {
  const auto gamma = [](std::size_t, double t_ms) { return std::sin(2 * 3.14159265 * 0.06 * t_ms); };  // 60 Hz
  const auto result = check_consistency({spiking_activity("detailed", 20000, {driven(0.9, gamma, 1)}),
                                         spiking_activity("point", 20000, {driven(0, gamma, 2)})});
  EXPECT_EQ(find(result, "power_40_to_150_hz")->verdict, Verdict::inconsistent);
  EXPECT_LT(*find(result, "power_40_to_150_hz")->difference, 0);
  EXPECT_EQ(find(result, "power_below_15_hz")->verdict, Verdict::consistent);
  EXPECT_EQ(find(result, "power_15_to_40_hz")->verdict, Verdict::consistent);
}

TEST(Consistency, PowerOfAMeanFieldIsThatOfItsRateAndOfTheNoiseOfItsCells) {
  const auto constant = [](std::size_t, double) { return 0.0; };
  const auto spikes = spiking_activity("point", 20000, {driven(0, constant, 2)});
  const double independent = 2 * 10.0 / 60;  // 60 cells at 10 Hz, in all bands
  const auto compared = [&](double power) {
    auto field = rate_activity(20000, "E", 60, [](double) { return 10.0; });
    field.populations[0].noise.power.assign(6, power);
    return check_consistency({spikes, field});
  };
  for (const char* band : {"power_below_15_hz", "power_15_to_40_hz", "power_40_to_150_hz"}) {
    const auto same = compared(independent), louder = compared(4 * independent);
    EXPECT_NEAR(*find(same, band, "point")->finer_value, 10 * std::log10(independent), 0.6) << band;
    EXPECT_EQ(find(same, band, "point")->verdict, Verdict::consistent) << band;
    EXPECT_EQ(find(louder, band, "point")->verdict, Verdict::inconsistent) << band;
    EXPECT_NEAR(*find(louder, band, "point")->difference, 6, 0.6) << band;
  }
  auto no_noise = rate_activity(20000, "E", 60, [](double) { return 10.0; });
  no_noise.populations[0].noise = {};
  const auto silent = check_consistency({spikes, no_noise});
  EXPECT_EQ(find(silent, "power_below_15_hz", "point"), nullptr) << "no noise at all has no power in dB";
}

TEST(Consistency, TimeCoursesInShortBinsHaveToFollowWithoutLag) {
  const auto signal = [](double t_ms) { return std::sin(t_ms / 10); };  // 16 Hz
  const auto spikes = driven(
      0.9, [&](std::size_t, double t_ms) { return signal(t_ms); }, 1);
  const auto verdict = [&](double lag_ms) {
    const auto field =
        rate_activity(20000, "E", 60, [&](double t_ms) { return 10 * (1 + 0.9 * signal(t_ms - lag_ms)); });
    const auto result = check_consistency({spiking_activity("point", 20000, {spikes}), field});
    return find(result, "rate_correlation_10ms", "point")->verdict;
  };
  EXPECT_EQ(verdict(0), Verdict::consistent);
  EXPECT_EQ(verdict(6), Verdict::inconsistent);  // cos(0.6) = 0.83
}

/// `runs` runs of 5 s, the rate of the point tier in run r being 8 Hz * (1 + spread * (r - (runs - 1) / 2)).
Consistency over_runs(std::size_t runs, double spread) {
  std::vector<bridges::Run> all;
  for (std::size_t r = 0; r < runs; ++r) {
    const double rate_hz = 8 * (1 + spread * (static_cast<double>(r) - 0.5 * static_cast<double>(runs - 1)));
    all.push_back({spiking_activity("detailed", 5000, {poisson_population("E", 40, 5000, 8, 100 + r)}),
                   spiking_activity("point", 5000, {poisson_population("E", 40, 5000, rate_hz, 200 + r)})});
  }
  return check_consistency(all);
}

TEST(Consistency, RunsWithOtherNoiseNarrowTheIntervalUnlessTheyDiffer) {
  const auto width = [](const Consistency& result) {
    const ConsistencyCheck* rate = find(result, "mean_rate");
    return *rate->ci_high - *rate->ci_low;
  };
  const double one = width(over_runs(1, 0)), four = width(over_runs(4, 0));
  EXPECT_NEAR(four / one, 0.5, 0.2);  // 1 / sqrt(4)
  // Rates of 6.8, 7.6, 8.4, 9.2 Hz: standard error 0.52 Hz, times 3.18 (t, 3 degrees of freedom) to either side.
  const auto spread = over_runs(4, 0.1);
  EXPECT_NEAR(width(spread), 2 * 3.18 * 0.52, 1.0);
  EXPECT_EQ(find(spread, "mean_rate")->verdict, Verdict::undecided);
  EXPECT_EQ(spread.runs, 4u);
}

TEST(Consistency, ChecksThatACallerAddsAreJudgedLikeTheOthers) {
  const PopulationActivity population = varied(20000, 1, 1);
  const auto shift_all = [](Judge& judge) {
    ConsistencyCheck check = judge.begin_check({"electrode", "detailed", "point"}, "amplitude", 0.1);
    check.difference = 0.3;
    judge.decide(check, measure::Interval{0.2, 0.4});
  };
  const auto result = check_consistency(
      {spiking_activity("detailed", 20000, {population}), spiking_activity("point", 20000, {population})}, {},
      {shift_all});
  ASSERT_NE(find(result, "amplitude"), nullptr);
  EXPECT_EQ(find(result, "amplitude")->verdict, Verdict::inconsistent);
  EXPECT_EQ(result.verdict, Verdict::inconsistent);
  EXPECT_NE(result.summary.find("electrode"), std::string::npos) << result.summary;
}

TEST(Consistency, ActivityThatMakesNoSenseIsRefusedWithAllProblems) {
  Activity field = rate_activity(1000, "E", 5, [](double) { return std::numeric_limits<double>::quiet_NaN(); });
  Activity spikes = spiking_activity("point", 1000, {poisson_population("E", 5, 1000, 20, 1)});
  spikes.populations[0].spike_cells[0] = 99;
  try {
    check_consistency({spikes, field});
    FAIL() << "accepted";
  } catch (const core::InputError& error) {
    EXPECT_EQ(error.problems().size(), 2u) << error.what();
  }
}

TEST(Consistency, IsTheSameForTheSameSeed) {
  const auto run = [](std::uint64_t seed) {
    ConsistencyOptions options;
    options.seed = seed;
    return *check_consistency({spiking_activity("detailed", 5000, {varied(5000, 1, 1)}),
                               spiking_activity("point", 5000, {varied(5000, 1, 2)})},
                              options)
                .checks[0]
                .ci_low;
  };
  EXPECT_EQ(run(1), run(1));
  EXPECT_NE(run(1), run(2));
}

}  // namespace
}  // namespace triscale::bridges

#include "io/consistency_json.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "core/error.hpp"

namespace triscale::io {
namespace {

using measure::Verdict;

measure::Consistency sample() {
  measure::Consistency result;
  result.verdict = Verdict::undecided;
  result.summary = "No disagreement was found, but \"quotes\" and ümlauts survive.";
  result.needed_ms = 12345.5;
  result.begin_ms = 300;
  result.end_ms = 3000;
  result.block_ms = 250;
  result.bin_ms = 50;
  result.confidence = 0.95;
  result.blocks = 10;
  result.replicates = 1000;
  result.seed = 18446744073709551615ull;
  measure::ConsistencyCheck check;
  check.statistic = "mean_rate";
  check.population = "PV1";
  check.finer = "detailed";
  check.coarser = "point";
  check.finer_value = 0.1 + 0.2;
  check.tolerance = 0.2;
  check.verdict = Verdict::inconsistent;
  check.note = "note";
  result.checks = {check};
  result.omitted = {{"cv_isi", "PV1", "point", "meanfield", "no spikes"}};
  measure::TierSummary tier;
  tier.tier = "point";
  tier.population = "PV1";
  tier.cells = 20;
  tier.rate_hz = 2.5;
  tier.rate_parameter_sd_hz = 0.125;
  result.tiers = {tier};
  return result;
}

TEST(ConsistencyJson, ReadsBackWhatItWrote) {
  const std::string text = consistency_to_json(sample());
  const auto again = consistency_from_json(text, "consistency.json");
  EXPECT_EQ(consistency_to_json(again), text);
  EXPECT_EQ(again.seed, sample().seed);
  EXPECT_EQ(again.checks.at(0).finer_value, 0.1 + 0.2);  // to the last bit
  EXPECT_FALSE(again.checks.at(0).coarser_value);
  EXPECT_EQ(again.checks.at(0).verdict, Verdict::inconsistent);
  EXPECT_EQ(again.summary, sample().summary);
  EXPECT_EQ(again.tiers.at(0).rate_parameter_sd_hz, 0.125);
}

TEST(ConsistencyJson, NeverHoldsNan) {
  auto result = sample();
  result.checks[0].finer_value = std::numeric_limits<double>::quiet_NaN();
  result.checks[0].difference = std::numeric_limits<double>::infinity();
  const std::string text = consistency_to_json(result);
  EXPECT_EQ(text.find("NaN"), std::string::npos);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf\""), std::string::npos);
  EXPECT_FALSE(consistency_from_json(text, "f").checks[0].finer_value);
  EXPECT_FALSE(consistency_from_json(text, "f").checks[0].difference);
}

TEST(ConsistencyJson, ReportsEveryProblemAtOnce) {
  std::string text = consistency_to_json(sample());
  const auto replace = [&](const std::string& from, const std::string& to) {
    ASSERT_NE(text.find(from), std::string::npos) << from;
    text.replace(text.find(from), from.size(), to);
  };
  replace("\"verdict\": \"inconsistent\"", "\"verdict\": \"maybe\"");
  replace("\"tolerance\"", "\"tolerence\"");
  replace("\"cells\": 20", "\"cells\": -1");
  try {
    consistency_from_json(text, "consistency.json");
    FAIL() << "accepted";
  } catch (const core::InputError& error) {
    EXPECT_EQ(error.problems().size(), 4u) << error.what();  // the misspelt key is both missing and unknown
    EXPECT_EQ(error.problems()[0].file, "consistency.json");
  }
  EXPECT_THROW(consistency_from_json("{\"verdict\": ", "f"), core::InputError);
  EXPECT_THROW(read_consistency("/nonexistent/consistency.json"), core::InputError);
}

}  // namespace
}  // namespace triscale::io

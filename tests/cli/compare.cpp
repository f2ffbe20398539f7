// `triscale compare` over several seeds and over a sweep of parameters.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/program.hpp"
#include "tests/cli/tiny_recipe.hpp"

namespace triscale::cli::test {
namespace {

namespace fs = std::filesystem;

class Compare : public ::testing::Test {
 protected:
  Compare() {
    write_text(folder_ / "recipe.json", kTinyRecipe);
    setenv("TRISCALE_PYTHON", "/nonexistent/python3", 1);  // pages are tested elsewhere
  }
  std::string recipe() const { return folder_ / "recipe.json"; }
  fs::path out() const { return folder_ / "out"; }
  static nlohmann::json json(const fs::path& path) { return nlohmann::json::parse(read_text(path)); }

  TemporaryFolder folder_;
};

TEST_F(Compare, SeedsChangeTheNoiseAndNotTheNetworkAndArePooled) {
  const Outcome outcome = triscale(
      {"compare", recipe(), "-o", out(), "--tiers", "detailed,point", "--seeds", "3", "--duration-ms", "1500"});
  ASSERT_LE(outcome.code, 1) << outcome.err;
  EXPECT_EQ(json(out() / "consistency.json")["analysis"]["runs"], 3);
  const fs::path first = out() / "detailed", second = out() / "seed_2" / "detailed";
  EXPECT_EQ(json(first / "run.json")["edge_hash"], json(second / "run.json")["edge_hash"]);
  EXPECT_NE(read_text(first / "spikes.h5"), read_text(second / "spikes.h5"));
  EXPECT_TRUE(fs::exists(out() / "seed_3" / "point" / "run.json"));
  // A later comparison without seeds leaves no runs behind that do not belong to it.
  ASSERT_LE(triscale({"compare", recipe(), "-o", out(), "--tiers", "point"}).code, 1);
  EXPECT_FALSE(fs::exists(out() / "seed_2"));
}

TEST_F(Compare, ASweepKeepsGoingWhereAPointFailsAndContinuesWhereItStopped) {
  const auto sweep = [&] {
    return triscale({"compare", recipe(), "-o", out(), "--tiers", "detailed,point", "--sweep",
                     "scale.external=0.5:1:2,inputs.step.amplitude_nA=0:1.7e308:2"});
  };
  const Outcome outcome = sweep();
  EXPECT_LE(outcome.code, 1) << outcome.err;
  const nlohmann::json result = json(out() / "sweep.json");
  ASSERT_EQ(result["points"].size(), 4u);
  EXPECT_EQ(result["axes"][0]["values"], (std::vector<double>{0.5, 1}));
  EXPECT_EQ(result["points"][1]["values"], (std::vector<double>{1, 0}));  // the first axis runs fastest
  EXPECT_EQ(result["points"][1]["status"], "done");
  EXPECT_EQ(result["points"][2]["status"], "failed");
  EXPECT_NE(result["points"][2]["problem"].get<std::string>().find("detailed"), std::string::npos) << result;
  const auto rate = [&](const char* point) {
    return json(out() / "points" / point / "consistency.json")["tiers"][0]["rate_hz"].get<double>();
  };
  EXPECT_LT(rate("000"), rate("001"));  // half the drive

  // A finished point is not computed again, a lost one is.
  nlohmann::json marked = json(out() / "points/000/consistency.json");
  marked["summary"] = "as it was";
  write_text(out() / "points/000/consistency.json", marked.dump());
  fs::remove(out() / "points/001/consistency.json");
  sweep();
  EXPECT_EQ(json(out() / "points/000/consistency.json")["summary"], "as it was");
  EXPECT_TRUE(fs::exists(out() / "points/001/consistency.json"));
}

TEST_F(Compare, ASweepOverAnUnknownKeyIsRefusedBeforeAnythingRuns) {
  const Outcome outcome = triscale({"compare", recipe(), "-o", out(), "--sweep", "scale.nothing=0:1:3"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("scale.nothing"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(out() / "sweep.json"));
  EXPECT_EQ(triscale({"compare", recipe(), "-o", out(), "--sweep", "scale.external=1:0:3"}).code, 2);
}

}  // namespace
}  // namespace triscale::cli::test

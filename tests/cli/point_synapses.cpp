/// Synapses with a state from the recipe to the files: plasticity, weights over time, spikes from a file, release.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>
#include <vector>

#include "io/hdf5.hpp"
#include "tests/cli/program.hpp"
#include "tests/cli/tiny_recipe.hpp"

namespace triscale::cli::test {
namespace {

/// Twenty leaky cells, driven spike by spike from a file through unreliable synapses, with plastic ones among them.
constexpr const char* kRecipe = R"({
  "triscale_recipe": 1,
  "run": {"duration_ms": 300, "dt_ms": 0.1, "seed": 3},
  "cell_types": [{"name": "leaky", "point": {"model": "lif", "C_m_nF": 0.25, "g_L_uS": 0.025, "E_L_mV": -65,
                                             "V_reset_mV": -65, "V_threshold_mV": -50}}],
  "synapse_types": [
    {"name": "input", "point": {"model": "current_delta", "sign": 1}, "release": {"failure_probability": 0.5}},
    {"name": "plastic", "point": {"model": "current_exponential", "tau_ms": 2, "sign": 1},
     "plasticity": {"w_max_nA": 0.2, "rule": {"model": "pair_stdp", "A_plus": 0.05, "A_minus": 0.06,
                                              "tau_plus_ms": 20, "tau_minus_ms": 20}}}],
  "populations": [{"name": "cells", "size": 20, "cell_type": "leaky"},
                  {"name": "file", "size": 4, "virtual": true, "spikes": {"file": "spikes.csv", "population": "in"}}],
  "projections": [
    {"name": "in", "source": "file", "target": "cells", "synapse_type": "input", "rule": {"kind": "all_to_all"},
     "weight_mV": 16, "delay_ms": 1},
    {"name": "among", "source": "cells", "target": "cells", "synapse_type": "plastic",
     "rule": {"kind": "fixed_in_degree", "number": 5}, "weight_nA": 0.1, "delay_ms": {"kind": "uniform", "low": 0.5, "high": 3}}],
  "probes": [{"name": "weights", "projection": "among", "dt_ms": 100}]
})";

class PointSynapses : public testing::Test {
 protected:
  PointSynapses() {
    setenv("TRISCALE_PYTHON", "/nonexistent/python3", 1);
    write_text(folder_ / "recipe.json", kRecipe);
    std::string spikes = "timestamps population node_ids\n";
    for (int k = 0; k < 40; ++k)
      spikes += std::to_string(5 + 7 * k) + (k % 2 == 0 ? ".25" : "") + " in " + std::to_string(k % 4) + "\n";
    write_text(folder_ / "spikes.csv", spikes);
  }
  std::string recipe() const { return folder_ / "recipe.json"; }
  std::vector<double> weights(const std::string& out) const {
    return io::Hdf5File::open(folder_ / out / "weights.h5").read<double>("/weights/among/weight");
  }
  nlohmann::json manifest(const std::string& out) const {
    return nlohmann::json::parse(read_text(folder_ / out / "run.json"));
  }
  TemporaryFolder folder_;
};

TEST_F(PointSynapses, LearnAndLeaveTheirWeightsInAFile) {
  const Outcome outcome = triscale({"run", recipe(), "--tier", "point", "-o", folder_ / "one", "--threads", "1"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const auto w = weights("one");
  ASSERT_EQ(w.size(), 3u * 100);
  for (std::size_t i = 0; i < 100; ++i) EXPECT_EQ(w[i], 0.1);
  const auto changed = std::count_if(w.begin() + 200, w.end(), [](double x) { return x != 0.1; });
  EXPECT_GT(changed, 50);
  for (const double x : w) EXPECT_TRUE(x >= 0 && x <= 0.2) << x;
  // 40 spikes onto 20 cells of which half are transmitted, each of them enough to fire a rested cell.
  EXPECT_GT(manifest("one")["spikes"], 200);
  EXPECT_LT(manifest("one")["spikes"], 790);
  EXPECT_EQ(manifest("one")["synapses"], 4 * 20 + 5 * 20);
}

TEST_F(PointSynapses, GiveTheSameWeightsForAnyThreadsAndOthersForAnotherSeed) {
  const auto run = [&](const std::string& out, const std::string& threads, const std::string& seed) {
    return triscale({"run", recipe(), "--tier", "point", "-o", folder_ / out, "--threads", threads, "--seed", seed})
        .code;
  };
  ASSERT_EQ(run("one", "1", "3"), 0);
  ASSERT_EQ(run("two", "2", "3"), 0);
  ASSERT_EQ(run("other", "2", "4"), 0);
  EXPECT_EQ(weights("one"), weights("two"));
  EXPECT_NE(weights("one"), weights("other"));
}

TEST_F(PointSynapses, NeedTheSpikesOfTheirFile) {
  std::filesystem::remove(folder_ / "spikes.csv");
  const Outcome outcome = triscale({"run", recipe(), "--tier", "point", "-o", folder_ / "out"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("spikes.csv"), std::string::npos) << outcome.err;
}

TEST_F(PointSynapses, CountInTheMemoryThatCheckPrints) {
  const auto megabytes = [&](const std::string& text) {
    write_text(folder_ / "large.json", text);
    const Outcome outcome = triscale({"check", folder_ / "large.json"});
    std::smatch match;
    EXPECT_TRUE(std::regex_search(outcome.out, match, std::regex("point +[0-9]+ .* ([0-9]+) MB"))) << outcome.out;
    return std::stod(match[1]);
  };
  std::string large = kRecipe;
  const auto replace = [&](const std::string& from, const std::string& to) {
    large.replace(large.find(from), from.size(), to);
  };
  replace("\"size\": 20", "\"size\": 2000");
  replace("\"number\": 5", "\"number\": 1000");
  const double plastic = megabytes(large);
  const std::size_t begin = large.find(",\n     \"plasticity\""), end = large.find("}}}", begin) + 2;
  large.erase(begin, end - begin);
  large.erase(large.find(",\n  \"probes\""),
              large.find("]", large.find("\"probes\"")) - large.find(",\n  \"probes\"") + 1);
  const double fixed = megabytes(large);
  EXPECT_GT(plastic, fixed + 2 * 60) << "two million synapses of at least 60 bytes, in place of 5";
}

TEST_F(PointSynapses, KeepTheirReleaseThroughDerive) {
  // The derived synapse has the release of its type: fewer events than with a sure one.
  const std::string derived_synapse =
      R"("point": {"model": "conductance", "receptors": [{"tau_rise_ms": 0.5, "tau_decay_ms": 3, "E_rev_mV": 0}]},)";
  std::string text = tiny_recipe_with(derived_synapse, "");
  write_text(folder_ / "sure.json", text);
  const std::string name = R"("name": "fast",)";
  text.replace(text.find(name), name.size(), name + R"( "release": {"failure_probability": 0.9},)");
  write_text(folder_ / "unreliable.json", text);
  std::vector<double> spikes;
  for (const std::string circuit : {"sure", "unreliable"}) {
    const std::string config = folder_ / (circuit + ".json");
    const Outcome derive = triscale({"derive", config, "-o", folder_ / circuit});
    ASSERT_EQ(derive.code, 0) << derive.err;
    const Outcome run = triscale({"run", config, "--tier", "point", "--reduced", folder_ / circuit / "reduced.json",
                                  "-o", folder_ / (circuit + "_run")});
    ASSERT_EQ(run.code, 0) << run.err;
    spikes.push_back(manifest(circuit + "_run")["spikes"]);
  }
  EXPECT_GT(spikes[0], 1.3 * spikes[1]) << spikes[0] << ' ' << spikes[1];
}

}  // namespace
}  // namespace triscale::cli::test

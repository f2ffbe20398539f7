/// The files that runs leave behind, and that they are complete or absent.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>

#include "io/hdf5.hpp"
#include "tests/cli/program.hpp"
#include "tests/cli/tiny_recipe.hpp"

namespace triscale::cli::test {
namespace {

namespace fs = std::filesystem;

class Results : public testing::Test {
 protected:
  /// Pages take seconds to draw: most tests do without, as on a machine that has no such Python.
  Results() {
    write_text(folder_ / "recipe.json", kTinyRecipe);
    setenv("TRISCALE_PYTHON", kNoPython, 1);
  }
  ~Results() override { use_python(); }
  void use_python() const { chosen_ ? setenv("TRISCALE_PYTHON", chosen_->c_str(), 1) : unsetenv("TRISCALE_PYTHON"); }

  std::string recipe() const { return folder_ / "recipe.json"; }
  fs::path out() const { return folder_ / "out"; }

  static std::set<std::string> files_in(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) names.insert(fs::relative(entry.path(), folder).string());
    }
    return names;
  }
  static nlohmann::json json(const fs::path& path) { return nlohmann::json::parse(read_text(path)); }

  static constexpr const char* kNoPython = "/nonexistent/python3";
  const std::optional<std::string> chosen_ = std::getenv("TRISCALE_PYTHON") != nullptr
                                                 ? std::optional<std::string>(std::getenv("TRISCALE_PYTHON"))
                                                 : std::nullopt;
  TemporaryFolder folder_;
};

TEST_F(Results, OfARunAreSpikesRatesReportsAndTheManifest) {
  ASSERT_EQ(triscale({"run", recipe(), "--tier", "detailed", "-o", out()}).code, 0);
  EXPECT_EQ(files_in(out()), (std::set<std::string>{"rates.h5", "run.json", "spikes.h5", "v_E.h5"}));
  const nlohmann::json run = json(out() / "run.json");
  for (const char* key :
       {"tier", "version", "config", "seed", "threads", "dt_ms", "simulated_ms", "setup_s", "wall_s", "realtime_factor",
        "cells", "compartments", "synapses", "spikes", "peak_memory_bytes", "edge_hash", "populations"}) {
    EXPECT_TRUE(run.contains(key)) << key;
  }
  EXPECT_EQ(run["tier"], "detailed");
  EXPECT_EQ(run["cells"], 10);
  EXPECT_EQ(run["synapses"], 70);
  EXPECT_EQ(run["simulated_ms"], 200.0);
  EXPECT_GT(run["spikes"], 0);
  EXPECT_GT(run["peak_memory_bytes"], 1'000'000);
  EXPECT_NEAR(run["populations"]["E"]["rate_hz"].get<double>(), run["spikes"].get<double>() / 10 / 0.2, 1e-9);
}

const std::string kContributions = R"("field_probes": [
    {"name": "ecp", "kind": "potential", "electrodes": [{"position_um": [30, 0, 0]}, {"position_um": [0, 90, 10]}],
     "dt_ms": 0.5, "contributions_dir": "cells"}],
  "probes")";

TEST_F(Results, OfSingleCellsSumUpToThePotentialAndAreReplaced) {
  write_text(folder_ / "recipe.json", tiny_recipe_with("\"probes\"", kContributions));
  for (const char* seed : {"1", "2"}) {
    const Outcome outcome = triscale({"run", recipe(), "--tier", "detailed", "-o", out(), "--seed", seed});
    ASSERT_EQ(outcome.code, 0) << outcome.err;
    EXPECT_EQ(files_in(out() / "cells").size(), 10u);
    const std::vector<double> potential = io::Hdf5File::open(out() / "ecp.h5").read<double>("/ecp/data");
    ASSERT_EQ(potential.size(), 800u);
    std::vector<double> sum(potential.size(), 0.0), terms(potential.size(), 0.0);
    for (int cell = 0; cell < 10; ++cell) {
      const io::Hdf5File file = io::Hdf5File::open(out() / "cells" / (std::to_string(cell) + ".h5"));
      const std::vector<double> alone = file.read<double>("/ecp/data");
      ASSERT_EQ(alone.size(), potential.size());
      for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] += alone[i];
        terms[i] += std::abs(alone[i]);
      }
    }
    double largest = 0;
    for (std::size_t i = 0; i < sum.size(); ++i) {
      ASSERT_NEAR(sum[i], potential[i], 1e-6 * terms[i]) << i;  // single precision
      largest = std::max(largest, terms[i]);
    }
    EXPECT_GT(largest, 1e-6);
  }
  write_text(out() / "cells" / "10.h5", "a cell of another run");
  const Outcome mixed = triscale({"run", recipe(), "--tier", "detailed", "-o", out()});
  EXPECT_EQ(mixed.code, 2);
  EXPECT_NE(mixed.err.find("10.h5"), std::string::npos) << mixed.err;
  EXPECT_TRUE(fs::exists(out() / "run.json")) << "a run that does not begin takes nothing away";
}

TEST_F(Results, OfSingleCellsAreAbsentAfterAnInterruptionAndOfTiersWithoutCurrents) {
  write_text(folder_ / "recipe.json", tiny_recipe_with("\"probes\"", kContributions));
  const Outcome interrupted = triscale({"run", recipe(), "--tier", "detailed", "-o", out(), "--duration-ms", "1000000"},
                                       Signal{SIGINT, "started"});
  EXPECT_EQ(interrupted.code, 130) << interrupted.err;
  EXPECT_EQ(files_in(out()), std::set<std::string>());
  ASSERT_EQ(triscale({"derive", recipe(), "-o", out()}).code, 0);
  const Outcome point = triscale(
      {"run", recipe(), "--tier", "point", "--reduced", (out() / "reduced.json").string(), "-o", out() / "point"});
  ASSERT_EQ(point.code, 0) << point.err;
  EXPECT_NE(point.err.find("ecp.contributions_dir: 'cells' is left out"), std::string::npos) << point.err;
  EXPECT_TRUE(fs::exists(out() / "point" / "ecp.h5"));
  EXPECT_FALSE(fs::exists(out() / "point" / "cells"));
}

TEST_F(Results, OfCompareAreThreeTiersOnTheSameEdgesAVerdictAndThePage) {
  const Outcome outcome = triscale({"compare", recipe(), "-o", out()});
  ASSERT_TRUE(outcome.code == 0 || outcome.code == 1) << outcome.err;
  const std::set<std::string> files = files_in(out());
  for (const char* file :
       {"detailed/run.json", "detailed/spikes.h5", "detailed/rates.h5", "point/run.json", "point/spikes.h5",
        "point/rates.h5", "meanfield/run.json", "meanfield/rates.h5", "reduced.json", "consistency.json"}) {
    EXPECT_TRUE(files.count(file) > 0) << file;
  }
  EXPECT_EQ(json(out() / "detailed/run.json")["edge_hash"], json(out() / "point/run.json")["edge_hash"]);
  EXPECT_EQ(json(out() / "detailed/run.json")["edge_hash"], json(out() / "meanfield/run.json")["edge_hash"]);
  const std::string verdict = json(out() / "consistency.json")["verdict"];
  EXPECT_EQ(outcome.code, verdict == "inconsistent" ? 1 : 0);
  EXPECT_NE(outcome.out.find(verdict + ": "), std::string::npos) << outcome.out;
}

TEST_F(Results, TiersThatDisagreeGiveExitCodeOne) {
  // The point neurons are made ten times as hard to excite; two seconds are enough to see that.
  std::string text = tiny_recipe_with("\"V_threshold_mV\": -55", "\"V_threshold_mV\": 100");
  write_text(folder_ / "recipe.json", text);
  const Outcome outcome =
      triscale({"compare", recipe(), "-o", out(), "--tiers", "detailed,point", "--duration-ms", "3000", "--set",
                "inputs.step.begin_ms=0", "--set", "inputs.step.end_ms=3000", "--set", "inputs.step.amplitude_nA=0.1"});
  EXPECT_EQ(outcome.code, 1) << outcome.out << outcome.err;
  EXPECT_EQ(json(out() / "consistency.json")["verdict"], "inconsistent");
  EXPECT_FALSE(fs::exists(out() / "meanfield"));
}

TEST_F(Results, AreTheSameForAnyNumberOfThreadsAndDifferForAnotherSeed) {
  for (const char* tier : {"detailed", "point", "meanfield"}) {
    const auto files = [&](const std::string& threads, const std::string& seed) {
      EXPECT_EQ(triscale({"run", recipe(), "--tier", tier, "-o", out(), "--threads", threads, "--seed", seed}).code, 0);
      const bool spikes = fs::exists(out() / "spikes.h5");
      return read_text(out() / "rates.h5") + (spikes ? read_text(out() / "spikes.h5") : "");
    };
    const std::string one = files("1", "1");
    EXPECT_TRUE(one == files("3", "1")) << tier;
    if (std::string(tier) != "meanfield") {
      EXPECT_FALSE(one == files("1", "2")) << tier;
    }
  }
}

TEST_F(Results, ReplaceOurOldFilesAndNoOthers) {
  fs::create_directories(out() / "point");
  write_text(out() / "notes.txt", "mine");
  write_text(out() / "point" / "notes.txt", "mine too");
  write_text(out() / "index.html", "old page");
  write_text(out() / "consistency.json", "old verdict");
  write_text(out() / "meanfield.txt", "mine as well");
  ASSERT_LE(triscale({"compare", recipe(), "-o", out(), "--tiers", "point"}).code, 1);
  EXPECT_EQ(read_text(out() / "notes.txt"), "mine");
  EXPECT_EQ(read_text(out() / "point" / "notes.txt"), "mine too");
  EXPECT_EQ(read_text(out() / "meanfield.txt"), "mine as well");
  EXPECT_NE(read_text(out() / "consistency.json"), "old verdict");
  EXPECT_FALSE(fs::exists(out() / "index.html")) << "an old page beside new results would mislead";
}

TEST_F(Results, OfAnInterruptedRunAreAbsentAndTheExitCodeNamesTheSignal) {
  for (const auto& [number, code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    // A thousand seconds: it never ends by itself within the test.
    const Outcome outcome = triscale({"run", recipe(), "--tier", "point", "-o", out(), "--duration-ms", "1000000"},
                                     Signal{number, "point: started"});
    EXPECT_EQ(outcome.code, code) << outcome.err;
    EXPECT_NE(outcome.err.find("interrupted"), std::string::npos) << outcome.err;
    EXPECT_EQ(files_in(out()), std::set<std::string>()) << "nothing half-written may remain";
  }
}

TEST_F(Results, OfANumericalFailureAreAbsentAndTheMessageSaysWhere) {
  const Outcome outcome =
      triscale({"run", recipe(), "--tier", "detailed", "-o", out(), "--set", "inputs.step.amplitude_nA=1.7e308"});
  EXPECT_EQ(outcome.code, 3) << outcome.err;
  EXPECT_NE(outcome.err.find("numerical failure"), std::string::npos) << outcome.err;
  EXPECT_FALSE(fs::exists(out() / "run.json"));
  EXPECT_FALSE(fs::exists(out() / "spikes.h5"));
}

TEST_F(Results, WithoutAPythonForThePageAreCompleteAndTheWarningSaysHowToGetIt) {
  const Outcome outcome = triscale({"compare", recipe(), "-o", out()});
  EXPECT_LE(outcome.code, 1) << outcome.err;
  EXPECT_TRUE(fs::exists(out() / "consistency.json"));
  EXPECT_FALSE(fs::exists(out() / "index.html"));
  EXPECT_NE(outcome.err.find("triscale report"), std::string::npos) << outcome.err;
}

/// Normalised integrate-and-fire cells run on the detailed and the point tier; they have no transfer function.
const std::string kWithoutMeanfield = R"({
  "triscale_recipe": 1,
  "run": {"duration_ms": 200, "dt_ms": 0.1, "seed": 1},
  "cell_types": [{"name": "unit", "sign": "excitatory", "point": {"model": "intfire1", "tau_m_ms": 10, "t_ref_ms": 2}}],
  "synapse_types": [{"name": "kick", "detailed": {"model": "instantaneous", "sign": 1},
                     "point": {"model": "instantaneous", "sign": 1}}],
  "populations": [{"name": "E", "size": 10, "cell_type": "unit"}],
  "inputs": [{"name": "drive", "kind": "poisson", "target": "E", "synapse_type": "kick", "rate_hz": 200, "weight": 0.6,
              "delay_ms": 1}]
})";

TEST_F(Results, LeaveOutAMeanFieldThatCannotBeDerivedAndSaySo) {
  write_text(folder_ / "units.json", kWithoutMeanfield);
  const Outcome outcome = triscale({"compare", folder_ / "units.json", "-o", out()});
  EXPECT_LE(outcome.code, 1) << outcome.err;
  EXPECT_NE(outcome.err.find("meanfield: is left out"), std::string::npos) << outcome.err;
  EXPECT_TRUE(fs::exists(out() / "point" / "run.json"));
  EXPECT_FALSE(fs::exists(out() / "meanfield"));
  const std::string summary = json(out() / "consistency.json")["summary"];
  EXPECT_NE(summary.find("mean-field tier was left out"), std::string::npos) << summary;
}

TEST_F(Results, OfAMeanFieldThatWasAskedForAndCannotBeDerivedAreRefused) {
  write_text(folder_ / "units.json", kWithoutMeanfield);
  const Outcome outcome =
      triscale({"compare", folder_ / "units.json", "-o", out(), "--tiers", "detailed,point,meanfield"});
  EXPECT_EQ(outcome.code, 2) << outcome.err;
  EXPECT_NE(outcome.err.find("--tiers detailed,point"), std::string::npos) << outcome.err;
}

TEST_F(Results, AreDrawnOnAPageByReportLaterOn) {
  ASSERT_LE(triscale({"compare", recipe(), "-o", out(), "--tiers", "point,meanfield"}).code, 1);
  use_python();
  const Outcome report = triscale({"report", out()});
  if (report.err.find("no Python with h5py") != std::string::npos) GTEST_SKIP() << report.err;
  EXPECT_EQ(report.code, 0) << report.err;
  EXPECT_NE(report.out.find((out() / "index.html").string()), std::string::npos) << report.out;
  EXPECT_NE(read_text(out() / "index.html").find("<html"), std::string::npos);
}

}  // namespace
}  // namespace triscale::cli::test

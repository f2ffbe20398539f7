/// `triscale analyse` as a user runs it, on Brunel's oscillating network.
#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "tests/cli/program.hpp"
#include "tests/cli/tiny_recipe.hpp"
#include "tests/paths.hpp"

namespace triscale::cli::test {
namespace {

const std::string kBrunel = std::string(tests::source_dir()) + "/experiments/brunel_oscillation/recipe.json";

nlohmann::json analysis(const TemporaryFolder& folder) {
  return nlohmann::json::parse(read_text(folder / "out/analysis.json"));
}

TEST(Analyse, FindsBrunelsStateItsOscillationAndItsWarning) {
  const TemporaryFolder folder;
  const Outcome outcome = triscale({"analyse", kBrunel, "-o", folder / "out", "--spectra", "--highest-hz", "50",
                                    "--response", "E=0.1:5", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json found = analysis(folder);
  ASSERT_EQ(found.at("states").size(), 1u);
  const auto& state = found.at("states")[0];
  EXPECT_NEAR(state.at("rates_hz")[0].get<double>(), 55.8412623762, 1e-6);
  EXPECT_FALSE(state.at("stable").get<bool>());
  EXPECT_NEAR(state.at("modes")[0].at("frequency_hz").get<double>(), 190.2092, 1e-3);
  EXPECT_NE(outcome.err.find("synchrony"), std::string::npos) << outcome.err;
  EXPECT_EQ(found.at("spectra").at("power_hz2_per_hz")[1].size(), 50u);
  EXPECT_EQ(found.at("response").at("unit"), "mV");
  EXPECT_EQ(found.at("rate_distributions").size(), 2u);
}

TEST(Analyse, LocatesTheHopfPointOverTheStrengthOfInhibition) {
  const TemporaryFolder folder;
  const Outcome outcome =
      triscale({"analyse", kBrunel, "-o", folder / "out", "--bifurcation", "run.seed=1:3:2", "--quiet"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_TRUE(analysis(folder).at("bifurcation").at("critical").empty());
  const Outcome hopf =
      triscale({"analyse", kBrunel, "-o", folder / "out", "--bifurcation", "scale.*=0.4:1:3", "--quiet"});
  ASSERT_EQ(hopf.code, 0) << hopf.err;
  const nlohmann::json found = analysis(folder).at("bifurcation");
  ASSERT_FALSE(found.at("critical").empty());
  for (const auto& point : found.at("critical")) EXPECT_GT(point.at("frequency_hz").get<double>(), 50) << point;
}

TEST(Analyse, AStateOutsideTheFittedRangeIsCalledAnExtrapolation) {
  const TemporaryFolder folder;
  std::string recipe = kTinyRecipe;
  const std::string key = "\"mu_0_mV\": -60";
  recipe.replace(recipe.find(key), key.size(), key + ", \"fitted_mu_mV\": [-100, -90]");
  write_text(folder / "recipe.json", recipe);
  const Outcome outcome = triscale({"analyse", folder / "recipe.json", "-o", folder / "out", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NEAR(analysis(folder).at("states")[0].at("extrapolated_share").get<double>(), 1, 1e-12);
  EXPECT_NE(outcome.out.find("1 extrapolated"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("100 % of the cells"), std::string::npos) << outcome.out;
  write_text(folder / "recipe.json", kTinyRecipe);
  const Outcome usual = triscale({"analyse", folder / "recipe.json", "-o", folder / "out", "--quiet"});
  EXPECT_EQ(analysis(folder).at("states")[0].at("extrapolated_share"), 0.0);
  EXPECT_NE(usual.out.find("1 stable"), std::string::npos) << usual.out;
}

TEST(Analyse, DensityAndWilsonCowanModelGoWithTheState) {
  const TemporaryFolder folder;
  const Outcome outcome =
      triscale({"analyse", kBrunel, "-o", folder / "out", "--density", "--wilson-cowan", "--quiet"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  const nlohmann::json found = analysis(folder);
  const auto& density = found.at("density");
  ASSERT_EQ(density.size(), 2u);
  EXPECT_NEAR(density[0].at("diffusion_rate_hz").get<double>(), 55.84, 0.1);  // its synapses act at once
  EXPECT_LT(std::abs(density[0].at("change_by_jumps").get<double>()), 0.02);
  EXPECT_EQ(density[0].at("potential_mV").size(), density[0].at("with_jumps_per_mV").size());
  const auto& model = found.at("wilson_cowan");
  EXPECT_NEAR(model.at("rates_hz")[0].get<double>(), 55.84, 0.1);
  EXPECT_NEAR(model.at("delay_ms")[0][1].get<double>(), 2, 0.8);  // the response leads the delay a little
  EXPECT_LT(model.at("coupling")[0][1].get<double>(), 0);
  EXPECT_EQ(model.at("response").at("theory_hz")[1].size(), model.at("response").at("time_ms").size());
  EXPECT_NE(outcome.out.find("Wilson-Cowan"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("jumps up to"), std::string::npos) << outcome.out;
}

TEST(Analyse, DensityIsRefusedForCellsThatHaveNone) {
  const TemporaryFolder folder;
  write_text(folder / "recipe.json", kTinyRecipe);
  const Outcome outcome = triscale({"analyse", folder / "recipe.json", "-o", folder / "out", "--density"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("leaky cells"), std::string::npos) << outcome.err;
  const Outcome model =
      triscale({"analyse", folder / "recipe.json", "-o", folder / "out", "--wilson-cowan", "--quiet"});
  EXPECT_EQ(model.code, 0) << model.err;
  EXPECT_TRUE(analysis(folder).contains("wilson_cowan"));
}

TEST(Analyse, RequestsThatMakeNoSenseAreBadInput) {
  const TemporaryFolder folder;
  const std::string out = folder / "out";
  EXPECT_EQ(triscale({"analyse", kBrunel, "-o", out, "--bifurcation", "scale.none=1:2:3"}).code, 2);
  EXPECT_EQ(triscale({"analyse", kBrunel, "-o", out, "--bifurcation", "scale.EE=2:1:3"}).code, 2);
  EXPECT_EQ(triscale({"analyse", kBrunel, "-o", out, "--response", "X=1:1"}).code, 2);
  EXPECT_EQ(triscale({"analyse", kBrunel, "-o", out, "--map", "scale.EE=1:2:3"}).code, 2);
}

}  // namespace
}  // namespace triscale::cli::test

/// What the program says and how it ends: help, exit codes, messages for bad input, --set.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "tests/cli/program.hpp"
#include "tests/cli/tiny_recipe.hpp"

namespace triscale::cli::test {
namespace {

class CommandLine : public testing::Test {
 protected:
  /// Path of a recipe with this text.
  std::string recipe(const std::string& text = kTinyRecipe) {
    write_text(folder_ / "recipe.json", text);
    return folder_ / "recipe.json";
  }
  TemporaryFolder folder_;
};

TEST_F(CommandLine, HelpIsASuccessAndExplainsEveryCommand) {
  const Outcome help = triscale({"--help"});
  EXPECT_EQ(help.code, 0);
  for (const std::string command : {"check", "run", "derive", "compare", "report"}) {
    EXPECT_NE(help.out.find("\n  " + command), std::string::npos) << command;
    const Outcome sub = triscale({command, "--help"});
    EXPECT_EQ(sub.code, 0) << command;
    EXPECT_NE(sub.out.find("Exit codes"), std::string::npos) << command;
  }
}

TEST_F(CommandLine, WrongUseIsBadInput) {
  EXPECT_EQ(triscale({}).code, 2);
  EXPECT_EQ(triscale({"simulate"}).code, 2);
  EXPECT_EQ(triscale({"check"}).code, 2);
  EXPECT_EQ(triscale({"run", recipe(), "--tier", "detailled", "-o", folder_ / "out"}).code, 2);
  EXPECT_EQ(triscale({"check", recipe(), "--seed", "-1"}).code, 2);
  EXPECT_EQ(triscale({"compare", recipe()}).code, 2) << "-o is required";
}

TEST_F(CommandLine, AnInstalledProgramTakesTheReportFromBesideIt) {
  namespace fs = std::filesystem;
  const fs::path report = folder_ / "share/triscale/report";
  fs::create_directories(report);
  fs::create_directories(folder_ / "bin");
  fs::create_directories(folder_ / "results");
  fs::copy_file(TRISCALE_PROGRAM, folder_ / "bin/triscale");
  write_text(report / "triscale_report.py", "");
  // Stands for Python: can import everything, and writes down which program it was given.
  const fs::path python = folder_ / "python";
  write_text(python, "#!/bin/sh\n[ \"$1\" = -c ] || printf %s \"$1\" > \"$2/index.html\"\n");
  fs::permissions(python, fs::perms::owner_all);
  setenv("TRISCALE_PYTHON", python.c_str(), 1);
  const Outcome outcome = triscale({"report", folder_ / "results"}, {}, folder_ / "bin/triscale");
  unsetenv("TRISCALE_PYTHON");
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(fs::path(read_text(folder_ / "results/index.html")), fs::canonical(report) / "triscale_report.py");
}

TEST_F(CommandLine, AConfigThatCannotBeReadIsNamed) {
  const std::string absent = folder_ / "absent.json";
  const Outcome outcome = triscale({"check", absent});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find(absent), std::string::npos) << outcome.err;
  write_text(folder_ / "other.json", R"({"answer": 42})");
  const Outcome other = triscale({"check", folder_ / "other.json"});
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.err.find("neither a SONATA config nor a recipe"), std::string::npos) << other.err;
}

TEST_F(CommandLine, CheckPrintsSizesOfAValidCircuit) {
  const Outcome outcome = triscale({"check", recipe()});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("is valid: 200 ms, dt 0.1 ms, seed 1"), std::string::npos) << outcome.out;
  for (const char* tier : {"\ndetailed", "\npoint", "\nmeanfield"}) {
    EXPECT_NE(outcome.out.find(tier), std::string::npos) << outcome.out;
  }
}

TEST_F(CommandLine, CheckWithConvergenceSaysWhatHalfTheStepAndShorterCompartmentsChange) {
  const Outcome outcome =
      triscale({"check", recipe(), "--convergence", "--duration-ms", "60", "--set", "run.scheme=second_order"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("time: dt 0.05 instead of 0.1 ms"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("space: compartment rule"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("off the limit"), std::string::npos) << outcome.out;
  const Outcome wrong = triscale({"check", recipe(), "--set", "run.scheme=euler"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_NE(wrong.err.find("must be backward_euler or second_order"), std::string::npos) << wrong.err;
}

TEST_F(CommandLine, AllProblemsOfARecipeAreReportedAtOnce) {
  std::string text = tiny_recipe_with("\"size\": 10", "\"size\": 10, \"colour\": \"red\"");
  text.replace(text.find("\"synapse_type\": \"fast\""), 22, "\"synapse_type\": \"slow\"");
  const Outcome outcome = triscale({"check", recipe(text)});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("colour"), std::string::npos) << outcome.err;
  EXPECT_NE(outcome.err.find("slow"), std::string::npos) << outcome.err;
}

TEST_F(CommandLine, ASynapseThatBreaksDalesLawIsAnError) {
  const Outcome outcome =
      triscale({"check", recipe(tiny_recipe_with("\"sign\": \"excitatory\"", "\"sign\": \"inhibitory\""))});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("Dale"), std::string::npos) << outcome.err;
}

TEST_F(CommandLine, SetAndItsShorthandsChangeTheCircuit) {
  const Outcome outcome = triscale(
      {"check", recipe(), "--set", "run.tstop=50", "--set", "run.dt_ms=0.05", "--seed", "18446744073709551615"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("50 ms, dt 0.05 ms, seed 18446744073709551615"), std::string::npos) << outcome.out;
}

TEST_F(CommandLine, SetOfAnInputChangesWhatTheCellsDo) {
  const auto spikes = [&](const std::vector<std::string>& settings) {
    std::vector<std::string> words = {"run", recipe(), "--tier", "point", "-o", folder_ / "out", "--quiet"};
    words.insert(words.end(), settings.begin(), settings.end());
    const Outcome outcome = triscale(words);
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    const std::string text = read_text(folder_ / "out" / "run.json");
    return std::stoi(text.substr(text.find("\"spikes\": ") + 10));
  };
  EXPECT_EQ(spikes({"--set", "inputs.drive.rate_hz=0", "--set", "inputs.step.amplitude_nA=0"}), 0);
  EXPECT_GT(spikes({"--set", "inputs.drive.rate_hz=0", "--set", "inputs.step.amplitude_nA=0.1"}), 10);
  EXPECT_GT(spikes({"--set", "inputs.drive.rate_hz=200"}), spikes({}));
}

TEST_F(CommandLine, AnUnknownKeyOfSetIsAnErrorWithAHint) {
  const Outcome near = triscale({"check", recipe(), "--set", "run.durationms=5"});
  EXPECT_EQ(near.code, 2);
  EXPECT_NE(near.err.find("did you mean run.duration_ms?"), std::string::npos) << near.err;
  const Outcome far = triscale({"check", recipe(), "--set", "colour=red", "--set", "seven", "--set", "run.seed=one"});
  EXPECT_EQ(far.code, 2);
  EXPECT_NE(far.err.find("inputs.drive.rate_hz"), std::string::npos) << "lists the keys: " << far.err;
  EXPECT_NE(far.err.find("KEY=VALUE"), std::string::npos) << far.err;
  EXPECT_NE(far.err.find("'one' is not a usable number"), std::string::npos) << far.err;
}

TEST_F(CommandLine, AValueOfSetThatBreaksARuleIsAnError) {
  for (const char* setting : {"run.dt_ms=0", "run.duration_ms=-1", "run.dt_ms=nan", "inputs.drive.rate_hz=-3"}) {
    const Outcome outcome = triscale({"check", recipe(), "--set", setting});
    EXPECT_EQ(outcome.code, 2) << setting;
    EXPECT_NE(outcome.err.find("error"), std::string::npos) << setting;
  }
}

TEST_F(CommandLine, ATierWithoutItsDescriptionIsBadInputThatSaysSo) {
  std::string text = kTinyRecipe;
  const std::size_t begin = text.find("    \"point\": {\"model\": \"gif\"");
  text.erase(begin, text.find("    \"meanfield\"") - begin);
  const Outcome outcome = triscale({"run", recipe(text), "--tier", "point", "-o", folder_ / "out"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_NE(outcome.err.find("ball"), std::string::npos) << outcome.err;
  EXPECT_FALSE(std::filesystem::exists(folder_ / "out" / "run.json"));
}

TEST_F(CommandLine, AnOutputThatCannotBeAFolderIsReportedBeforeTheRun) {
  const Outcome outcome = triscale({"run", recipe(), "--tier", "point", "-o", recipe() + "/out"});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_EQ(outcome.err.find("started"), std::string::npos) << outcome.err;
}

TEST_F(CommandLine, QuietPrintsNoProgressAndOtherwiseThereIsALineForEachTenth) {
  const std::vector<std::string> words = {"run", recipe(), "--tier", "detailed", "-o", folder_ / "out"};
  const Outcome loud = triscale(words);
  EXPECT_EQ(loud.code, 0) << loud.err;
  EXPECT_NE(loud.err.find("detailed:  50 %"), std::string::npos) << loud.err;
  EXPECT_NE(loud.err.find("real-time factor"), std::string::npos) << loud.err;
  std::vector<std::string> quiet = words;
  quiet.push_back("--quiet");
  EXPECT_EQ(triscale(quiet).err, "");
}

TEST_F(CommandLine, ReportOfAFolderWithoutResultsIsBadInput) {
  EXPECT_EQ(triscale({"report", folder_ / "absent"}).code, 2);
  EXPECT_EQ(triscale({"report", folder_.path().string()}).code, 2);
}

}  // namespace
}  // namespace triscale::cli::test

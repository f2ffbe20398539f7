/// Every #include of the project follows the dependency direction of docs/architecture.md; the checker is itself
/// checked on made-up files that break the rules.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/architecture/include_rules.hpp"
#include "tests/paths.hpp"

namespace triscale::architecture {
namespace {

std::size_t problems(const std::string& path, const std::string& text) {
  return broken_rules(path, text).size();
}

TEST(IncludeChecker, AcceptsTheAllowedDirection) {
  EXPECT_EQ(problems("network/a.hpp", "#include <vector>\n#include \"core/error.hpp\"\n#include \"network/b.hpp\"\n"),
            0u);
  EXPECT_EQ(problems("bridges/a.cpp", "#include <ceres/ceres.h>\n#include \"measure/a.hpp\"\n"), 0u);
  EXPECT_EQ(problems("io/a.cpp", "#include <hdf5.h>\n#include <nlohmann/json.hpp>\n#include \"measure/a.hpp\"\n"), 0u);
  EXPECT_EQ(problems("cli/a.cpp", "#include <CLI/CLI.hpp>\n#include \"bridges/a.hpp\"\n#include \"io/a.hpp\"\n"), 0u);
  EXPECT_EQ(problems("tests/meanfield/a.cpp", "#include <boost/numeric/odeint.hpp>\n#include \"meanfield/a.hpp\"\n"),
            0u);
}

TEST(IncludeChecker, FindsAnIncludeAgainstTheDirection) {
  EXPECT_EQ(problems("core/a.hpp", "#include \"network/circuit.hpp\"\n"), 1u);
  EXPECT_EQ(problems("network/a.hpp", "#include \"io/a.hpp\"\n"), 1u);
  EXPECT_EQ(problems("network/a.hpp", "#include <detailed/a.hpp>\n"), 1u);
  EXPECT_EQ(problems("detailed/a.cpp", "  #  include \"pointneuron/a.hpp\"  // why not\n"), 1u);
  EXPECT_EQ(problems("meanfield/a.cpp", "#include \"measure/a.hpp\"\n#include \"io/a.hpp\"\n"), 2u);
  EXPECT_EQ(problems("bridges/a.cpp", "#include \"io/a.hpp\"\n"), 1u);
  EXPECT_EQ(problems("measure/a.cpp", "#include \"network/circuit.hpp\"\n"), 1u);
  EXPECT_EQ(problems("tests/io/a.cpp", "#include \"cli/a.hpp\"\n"), 1u);
}

TEST(IncludeChecker, FindsALibraryOutsideItsFolder) {
  EXPECT_EQ(problems("network/a.cpp", "#include <nlohmann/json.hpp>\n"), 1u);
  EXPECT_EQ(problems("bridges/a.cpp", "#include <hdf5.h>\n"), 1u);
  EXPECT_EQ(problems("cli/a.cpp", "#include <pugixml.hpp>\n"), 1u);
  EXPECT_EQ(problems("meanfield/a.cpp", "#include <ceres/ceres.h>\n"), 1u);
  EXPECT_EQ(problems("pointneuron/a.cpp", "#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>\n"), 1u);
  EXPECT_EQ(problems("io/a.cpp", "#include <CLI/CLI.hpp>\n"), 1u);
}

TEST(IncludeChecker, FindsPathsThatAreNotRootRelativeAndUnknownFolders) {
  EXPECT_EQ(problems("core/a.cpp", "#include \"error.hpp\"\n"), 1u);
  EXPECT_EQ(problems("core/a.cpp", "#include \"../network/circuit.hpp\"\n"), 1u);
  EXPECT_EQ(problems("utils/a.cpp", "#include <vector>\n"), 1u);
  EXPECT_EQ(problems("main.cpp", ""), 1u);
}

TEST(Includes, OfTheWholeProjectFollowTheDependencyDirection) {
  namespace fs = std::filesystem;
  const fs::path root = tests::source_dir();
  std::size_t files = 0;
  for (fs::recursive_directory_iterator entry(root), end; entry != end; ++entry) {
    const std::string name = entry->path().filename().string();
    if (entry->is_directory() && (name.front() == '.' || (entry.depth() == 0 && name.rfind("build", 0) == 0))) {
      entry.disable_recursion_pending();
      continue;
    }
    const std::string extension = entry->path().extension().string();
    if (extension != ".hpp" && extension != ".cpp") continue;
    std::ifstream stream(entry->path());
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    for (const std::string& rule : broken_rules(fs::relative(entry->path(), root).string(), text)) {
      ADD_FAILURE() << rule;
    }
    ++files;
  }
  EXPECT_GT(files, 15u) << "the walk over the project's files found too few of them";
}

}  // namespace
}  // namespace triscale::architecture

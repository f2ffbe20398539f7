/// The dependency direction of the folders, checked on the text of #include lines:
///
///   core <- network <- { detailed | pointneuron | meanfield } <- bridges <- cli, experiments
///   core <- measure <- bridges          core, network, measure <- io <- cli
///
/// and the folders that third-party libraries are kept to. docs/architecture.md says why.
#pragma once

#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace triscale::architecture {

/// Which folders a folder may include, besides itself. A folder with C++ files that is not listed breaks the rules.
inline const std::map<std::string, std::set<std::string>>& allowed_folders() {
  static const std::set<std::string> kProduct = {"core",     "network",     "measure",   "io",
                                                 "detailed", "pointneuron", "meanfield", "bridges"};
  static const std::map<std::string, std::set<std::string>> kAllowed = {
      {"core", {}},
      {"network", {"core"}},
      {"measure", {"core"}},
      {"io", {"core", "network", "measure"}},
      {"detailed", {"core", "network"}},
      {"pointneuron", {"core", "network"}},
      {"meanfield", {"core", "network"}},
      {"bridges", {"core", "network", "measure", "detailed", "pointneuron", "meanfield"}},
      {"cli", kProduct},
      {"experiments", kProduct},
      {"benchmarks", kProduct},
      {"tests", kProduct},
  };
  return kAllowed;
}

/// A library that may be included only in some folders. Tests may use any library, to check one with another.
struct Wall {
  std::string library;
  std::string pattern;  ///< of the included path
  std::set<std::string> folders;
};

inline const std::vector<Wall>& walls() {
  static const std::vector<Wall> kWalls = {
      {"HDF5", "^(hdf5\\.h|H5.*)$", {"io", "tests"}},
      {"nlohmann-json", "^nlohmann/.*$", {"io", "tests"}},
      {"pugixml", "^pugi.*$", {"io", "tests"}},
      {"Ceres", "^ceres/.*$", {"bridges", "tests"}},
      {"Boost.Odeint", "^boost/numeric/odeint.*$", {"meanfield", "tests"}},
      {"CLI11", "^CLI/.*$", {"cli", "tests"}},
      {"Random123", "^Random123/.*$", {"core", "tests"}},
  };
  return kWalls;
}

inline std::string first_folder(std::string_view path) {
  const std::size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

/// Broken rules of one source file; `path` is relative to the project's root. Each is "path:line: what".
inline std::vector<std::string> broken_rules(const std::string& path, const std::string& text) {
  std::vector<std::string> broken;
  const std::string folder = first_folder(path);
  const auto known = allowed_folders().find(folder);
  if (known == allowed_folders().end()) {
    return {path + ": folder '" + folder + "' is not part of the architecture"};
  }
  static const std::regex kInclude(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"].*$)");
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    std::smatch match;
    if (!std::regex_match(line, match, kInclude)) continue;
    const std::string included = match[2];
    const std::string target = first_folder(included);
    const std::string where = path + ":" + std::to_string(number) + ": ";
    if (allowed_folders().count(target) > 0) {
      if (target != folder && known->second.count(target) == 0) {
        broken.push_back(where + folder + " must not include " + included);
      }
    } else if (match[1] == "\"") {
      broken.push_back(where + included + " is not written from the project's root");
    }
    for (const Wall& wall : walls()) {
      if (wall.folders.count(folder) == 0 && std::regex_match(included, std::regex(wall.pattern))) {
        broken.push_back(where + wall.library + " must not be used in " + folder);
      }
    }
  }
  return broken;
}

}  // namespace triscale::architecture

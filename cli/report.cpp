/// `triscale report`: calls the Python program that turns a folder of results into one page.
#include "cli/report.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <vector>

#include "cli/commands.hpp"
#include "core/error.hpp"

namespace triscale::cli {

namespace {

constexpr const char* kImports = "import h5py, matplotlib";

/// Runs a program found on the path and waits for it; returns its exit code, or -1 if it could not be started or died.
/// `silent`: its output is dropped. Otherwise its stdout goes to our stderr: our stdout is for results.
int execute(std::vector<std::string> words, bool silent) {
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (silent) {
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  } else {
    posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  }
  pid_t child = 0;
  const int error = posix_spawnp(&child, words[0].c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return -1;
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  throw_if_interrupted();
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The first Python that can import what the report needs; empty if there is none.
std::string find_python() {
  std::vector<std::string> candidates = {"python3", "/usr/bin/python3"};
  if (const char* chosen = std::getenv("TRISCALE_PYTHON"); chosen != nullptr && *chosen != '\0') candidates = {chosen};
  for (const std::string& candidate : candidates) {
    if (execute({candidate, "-c", kImports}, true) == 0) return candidate;
  }
  return {};
}

/// The folder of the report's programs: beside an installed triscale (bin/triscale, share/triscale/report), else in the
/// sources that it was built from.
std::filesystem::path report_folder() {
  std::error_code unknown;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", unknown);
  const std::filesystem::path installed = self.parent_path().parent_path() / TRISCALE_REPORT_FOLDER;
  if (!unknown && std::filesystem::exists(installed)) return installed;
  return std::filesystem::path(TRISCALE_SOURCE_DIR) / "report";
}

/// Makes folder/page by a program of the report folder; `again` is the command that the user can repeat.
core::Problem write_by(const char* script, const std::filesystem::path& folder, const char* page_name,
                       const std::string& again, bool quiet) {
  const std::filesystem::path program = report_folder() / script;
  const std::filesystem::path page = folder / page_name;
  if (!std::filesystem::exists(program)) {
    return {program.string(), "", "", "is missing, so there is no page",
            "install triscale (cmake --install), or restore the folder that it was built from"};
  }
  const std::string python = find_python();
  if (python.empty()) {
    return {page.string(), "", "", "was not made: no Python with h5py and matplotlib was found",
            fmt::format("install python3-h5py and python3-matplotlib, or set TRISCALE_PYTHON; then: {}", again)};
  }
  if (const int code = execute({python, program.string(), folder.string()}, quiet); code != 0) {
    return {page.string(), "", "", fmt::format("was not made: the report program ended with code {}", code),
            fmt::format("run it yourself to see why: {} {} {}", python, program.string(), folder.string())};
  }
  return {};
}

}  // namespace

core::Problem write_page(const std::filesystem::path& folder, bool quiet) {
  return write_by("triscale_report.py", folder, "index.html", "triscale report " + folder.string(), quiet);
}

core::Problem write_analysis_page(const std::filesystem::path& folder, bool quiet) {
  return write_by("analysis.py", folder, "analysis.html", "the same command", quiet);
}

core::Problem write_sweep_page(const std::filesystem::path& folder, bool quiet) {
  return write_by("sweep.py", folder, "index.html", "the same command", quiet);
}

int report(const Options& options) {
  if (!std::filesystem::is_directory(options.output)) {
    throw core::InputError(
        {options.output.string(), "", "", "is not a folder", "give the folder that compare has written"});
  }
  const bool sweep = std::filesystem::exists(options.output / "sweep.json");
  const core::Problem problem =
      sweep ? write_sweep_page(options.output, options.quiet) : write_page(options.output, options.quiet);
  if (!problem.rule.empty()) throw core::InputError(problem);
  fmt::print("{}\n", (options.output / "index.html").string());
  return kDone;
}

}  // namespace triscale::cli

#include "core/error.hpp"

#include <fmt/format.h>

namespace triscale::core {

std::string to_string(const Problem& problem) {
  std::string text;
  if (!problem.file.empty()) text += problem.file + ": ";
  if (!problem.place.empty()) text += problem.place + ": ";
  if (!problem.value.empty()) text += fmt::format("'{}' ", problem.value);
  text += problem.rule;
  if (!problem.hint.empty()) text += fmt::format(" (hint: {})", problem.hint);
  return text;
}

namespace {
std::string join(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) text += (text.empty() ? "" : "\n") + to_string(problem);
  return text;
}
}  // namespace

InputError::InputError(std::vector<Problem> problems)
    : std::runtime_error(join(problems)), problems_(std::move(problems)) {}

void Diagnostics::throw_if_errors() const {
  if (!errors_.empty()) throw InputError(errors_);
}

}  // namespace triscale::core

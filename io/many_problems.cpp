#include "io/many_problems.hpp"

#include <string>
#include <utility>

namespace triscale::io {

namespace {

constexpr std::size_t kShownProblems = 3;

}  // namespace

void ManyProblems::add(core::Problem problem) {
  if (++count_ <= kShownProblems) {
    diagnostics_.error(std::move(problem));
  } else {
    last_ = std::move(problem);
  }
}

ManyProblems::~ManyProblems() {
  if (count_ <= kShownProblems) return;
  last_.hint = "and " + std::to_string(count_ - kShownProblems - 1) + " more of this kind";
  diagnostics_.error(std::move(last_));
}

}  // namespace triscale::io

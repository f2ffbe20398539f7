/// Problems that a long table may have in every row.
#pragma once

#include <cstddef>

#include "core/error.hpp"

namespace triscale::io {

/// Collects problems of one kind and reports the first few, then how many more there are.
class ManyProblems {
 public:
  explicit ManyProblems(core::Diagnostics& diagnostics) : diagnostics_(diagnostics) {}
  ~ManyProblems();
  ManyProblems(const ManyProblems&) = delete;
  ManyProblems& operator=(const ManyProblems&) = delete;
  void add(core::Problem problem);

 private:
  core::Diagnostics& diagnostics_;
  core::Problem last_;
  std::size_t count_ = 0;
};

}  // namespace triscale::io

/// How the stationary states and their stability change with one parameter, or two.
///
/// At every value all states are searched for, starting also from those of the value before. A fold (two states meet
/// and vanish, det(I - dF/dnu) = 0) between two values is located by Newton's method on the state and the parameter
/// together; a Hopf point (a pair of roots lambda = +- i omega of the delayed linear response crosses the imaginary
/// axis) by bisection along the state that it happens to.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "meanfield/rate_theory.hpp"
#include "meanfield/stability.hpp"
#include "meanfield/stationary_states.hpp"

namespace triscale::meanfield {

/// The theory at a value of the parameter.
using TheoryFamily = std::function<std::unique_ptr<RateTheory>(double)>;

struct BifurcationOptions {
  SearchOptions search;
  StabilityOptions stability;
};

struct BranchPoint {
  double parameter = 0;
  StationaryPoint state;
  bool stable = false;
  int unstable_roots = 0;
  double growth_per_s = 0;  ///< of the leading mode; 0 if none is slow enough to be listed
  double frequency_hz = 0;
};

struct CriticalPoint {
  enum class Kind { fold, hopf } kind = Kind::fold;
  double parameter = 0;
  Eigen::VectorXd rates_hz;
  double frequency_hz = 0;  ///< of a Hopf point
};

struct Bifurcation {
  std::vector<BranchPoint> points;  ///< ascending in the parameter, then in total rate
  std::vector<CriticalPoint> critical;
};

/// `values` ascending.
Bifurcation bifurcation(const TheoryFamily& family, const std::vector<double>& values,
                        const BifurcationOptions& options = {});

/// One state at one value with its stability.
BranchPoint branch_point(const RateTheory& theory, double parameter, const StationaryPoint& state,
                         const StabilityOptions& options);

}  // namespace triscale::meanfield

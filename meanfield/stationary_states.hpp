/// All stationary states nu = F(nu) of a mean-field theory.
///
/// One state from one start value: pseudo-transient continuation, (I/delta + I - dF/dnu) step = F - nu with delta
/// growing as the residual falls (Kelley & Keyes 1998, SIAM J. Numer. Anal. 35:508): damped relaxation along dnu/ds = F
/// - nu far away, Newton's method with the analytic Jacobian near the solution.
///
/// All states: many start values (silence, uniform rates on a logarithmic scale, and points of a Halton sequence), each
/// first as above, then once more by Newton's method on the residual multiplied by prod_k (1 + 1 / |nu - nu_k|^2),
/// which known states nu_k repel (Farrell, Birkisson & Funke 2015, SIAM J. Sci. Comput. 37:A2026). Nothing guarantees
/// that a search of this kind is complete; the degree does: if F is bounded, the signs of det(I - dF/dnu) over all
/// states sum to +1, and a violated sum shows that a state was missed (an even number missed at once cannot be seen).
#pragma once

#include <optional>
#include <vector>

#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

struct SearchOptions {
  double relative_tolerance = 1e-12;  ///< on |F - nu|, relative to the largest rate
  int max_steps = 500;
  std::size_t starts = 60;  ///< Halton points, besides the uniform rates
  bool all = true;          ///< false: stop at the first state
};

struct StationaryPoint {
  Eigen::VectorXd rates_hz;
  double residual_hz = 0;  ///< largest |F - nu|
  int steps = 0;
  int index = 0;  ///< sign of det(I - dF/dnu); -1 is always unstable
};

/// From one start value; empty if it does not converge.
std::optional<StationaryPoint> find_stationary_point(const RateTheory& theory, const Eigen::VectorXd& start_hz,
                                                     const SearchOptions& options = {});

struct StationaryPoints {
  std::vector<StationaryPoint> points;  ///< ascending in total rate
  bool degree_is_one = false;           ///< the signs sum to +1, as they must if none is missing
};

StationaryPoints find_stationary_points(const RateTheory& theory, const SearchOptions& options = {});

}  // namespace triscale::meanfield

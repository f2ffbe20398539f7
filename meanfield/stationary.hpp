/// Stationary state of the population equations under constant input: nu_p = <F_p(nu)>, adaptation included.
/// Relaxation along T dnu/dt = F - nu (without delays, which do not move a fixed point) comes near it, Newton's method
/// finishes. Whether the state is stable in the presence of delays is not decided here.
#pragma once

#include <vector>

#include "meanfield/model.hpp"

namespace triscale::meanfield {

struct StationaryState {
  std::vector<double> rates_hz;  ///< of all populations of the circuit, virtual ones included
  double residual_hz = 0;        ///< largest |F_p - nu_p|
  int newton_steps = 0;
  std::vector<core::Problem> warnings;  ///< populations that work outside their fitted range
};

struct StationaryOptions {
  std::vector<double> start_hz;  ///< per population of the circuit; empty: all silent
  double relaxation_ms = 500;    ///< pseudo-time before Newton
  double tolerance_hz = 1e-9;    ///< on the residual, absolute
  int max_newton_steps = 50;
};

/// Under the external rates and currents of [begin, end], averaged over that interval. Throws NumericalError if
/// Newton's method does not converge.
StationaryState stationary_state(const Model& model, double begin_ms, double end_ms,
                                 const StationaryOptions& options = {});

/// Under the input averaged over the whole run.
StationaryState stationary_state(const Model& model);

}  // namespace triscale::meanfield

/// Response of all populations to a small pulse of extra input to one of them, beginning at t = 0: with the transfer
/// Q(i omega) H of meanfield/spectra.hpp,
///
///   delta nu(t) = amplitude / (2 pi) int Q(i omega) H e_target (1 - e^(-i omega duration)) / (i omega) e^(i omega t) d
///   omega.
///
/// A pulse longer than the times asked for is a step. Only meaningful at a stable state, and for responses small enough
/// not to change the state that they are computed around.
#pragma once

#include <vector>

#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

struct Pulse {
  std::size_t target = 0;
  double amplitude = 1;  ///< in units of the theory's input: mV (LIF theory) or nA (transfer functions)
  double duration_ms = 1;
};

/// Rows: times; columns: populations; Hz. Frequencies up to highest_hz are taken into account; faster parts of the
/// response, such as its first moment, are smoothed.
Eigen::MatrixXd pulse_response(const Linearisation& linear, const Pulse& pulse, const std::vector<double>& times_ms,
                               double highest_hz = 2000);

}  // namespace triscale::meanfield

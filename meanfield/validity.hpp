/// Where a mean-field result should not be trusted: each finding names the assumption that fails, the number that shows
/// it, and the size of the error to expect. Thresholds and errors come from simulations: of single cells with coloured
/// noise and with jumps of finite size, and of the cortical microcircuit of Potjans & Diesmann (2014).
#pragma once

#include <string>
#include <vector>

#include "meanfield/lif_network.hpp"
#include "meanfield/stability.hpp"
#include "meanfield/stationary_states.hpp"

namespace triscale::meanfield {

struct ValidityFinding {
  std::string population;  ///< empty: the whole circuit
  std::string assumption;  ///< short name: time constants, tail, jump size, saturation, regular firing, shared input,
                           ///< synchrony, multistability, extrapolation
  double value = 0;
  double limit = 0;  ///< beyond which the finding is made
  std::string text;  ///< one plain sentence
  std::string expected_error;
};

/// Findings about one stationary state of a LIF network.
std::vector<ValidityFinding> check_lif_state(const LifNetwork& network, const Eigen::VectorXd& rates_hz);

/// Findings that need stability: of the state that is reported, among all states.
std::vector<ValidityFinding> check_dynamics(const std::vector<Stability>& states, std::size_t reported);

}  // namespace triscale::meanfield

/// The state about which parameters are derived: the rates at which the circuit's own cells fire.
///
/// A point neuron stands for a detailed one near a state: background conductance shunts the dendrites, shortens the
/// membrane's time constant and decides which of its channels are open. So the detailed cells are driven at the rates
/// that the network itself produces, which are known once it has been reduced:
///   r_0 = 5 Hz;   parameters_k = derive(r_k);   r_(k+1) = rates of the point network with parameters_k
/// until r repeats. One number a population is iterated, and synaptic drive at 0.4 to 2 times it is used in the fit, so
/// two or three rounds are enough.
#pragma once

#include <cstddef>
#include <vector>

#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

struct OperatingPoint {
  std::vector<double> rates_hz;  ///< of every population, at which it fires as a source; unused for virtual ones
  std::size_t rounds = 0;        ///< derivations made
  double change = 0;             ///< largest move of a rate in the last round, in units of what is tolerated
  bool repeats() const { return change <= 1; }
};

/// Where the iteration starts.
OperatingPoint first_guess(const network::Circuit& circuit);

/// Mean rates of all populations on the point tier, over up to `duration_ms` of the circuit's own input without its
/// first `settle_ms`.
std::vector<double> point_rates(const network::Circuit& circuit, double duration_ms, double settle_ms,
                                std::size_t threads, core::Progress& progress);

/// Largest difference of two sets of rates, where 1 is what is tolerated: 10 % and 0.25 Hz together.
double change_of_rates(const network::Circuit& circuit, const std::vector<double>& before,
                       const std::vector<double>& after);

}  // namespace triscale::bridges

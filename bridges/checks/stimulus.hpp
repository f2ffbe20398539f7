/// A circuit whose external drive repeats a brief pulse and a step, to ask how its levels respond.
///
/// After `settle_ms`, every cycle holds a pulse and a step of the rate of all external sources. The rate of Poisson
/// sources is multiplied. Given spike trains are kept and further spikes of that many times their mean rate are added,
/// drawn once, so that all tiers get the same; a train that is shorter than the run begins again.
#pragma once

#include <cstddef>
#include <vector>

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

struct StimulusPlan {
  std::size_t repetitions = 20;
  double settle_ms = 500;
  double cycle_ms = 500;
  double pulse_begin_ms = 50, pulse_end_ms = 60, pulse_factor = 4;  ///< within the cycle
  double step_begin_ms = 200, step_end_ms = 400, step_factor = 1.5;

  double duration_ms() const { return settle_ms + cycle_ms * static_cast<double>(repetitions); }
  /// Of the rate at a time of the run.
  double factor_at(double t_ms) const;
};

/// Why the circuit cannot be stimulated this way; empty if it can.
std::vector<core::Problem> missing_for_stimulus(const network::Circuit& circuit);

network::Circuit with_stimulus(network::Circuit circuit, const StimulusPlan& plan);

}  // namespace triscale::bridges

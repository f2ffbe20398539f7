/// Runs a circuit on the mean-field tier: the time course of the population rates from rest,
///
///   nu_p(t) = <F_p(mu_i(t), sigma_i(t), tau_i(t))>_(i in p),
///
/// with the potentials' statistics as they follow the delayed rates of the sources through synapses and membrane
/// (meanfield/membrane_course.hpp). A step is never longer than the shortest delay between simulated populations, so
/// that delayed rates lie in the past; second order in the step (first order where
/// cells' own spikes keep them from firing). Circuits of leaky cells with current synapses follow
/// first-order rate equations with Siegert's rate (meanfield/lif_circuit.hpp); circuits of gif cells with current
/// synapses are populations of finite size (meanfield/mesoscopic_circuit.hpp).
#pragma once

#include <cstddef>
#include <vector>

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "meanfield/model.hpp"
#include "network/circuit.hpp"

namespace triscale::meanfield {

/// Records the rates of all populations (virtual ones included) every max(1 ms, run.dt_ms) from t = 0 to the end
/// (the last interval may end past it). The result does not depend on `threads`; the work is too small to share.
core::RunStatistics simulate(const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress);

struct SimulationOptions {
  ModelOptions model;
  double longest_step_ms = 1.0;
  bool follow_spikes = true;  ///< of virtual populations (meanfield/known_input.hpp); else they are rates
};

/// Same, with options, and with a warning for each population whose cells left the fitted range of their transfer
/// function.
core::RunStatistics simulate(const network::Circuit& circuit, const SimulationOptions& options,
                             core::Recorder& recorder, core::Progress& progress, std::vector<core::Problem>& warnings);

}  // namespace triscale::meanfield

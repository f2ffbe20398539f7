/// Circuits of generalised integrate-and-fire cells (network::GifModel) as mesoscopic populations
/// (meanfield/mesoscopic.hpp): the population activity with finite-size noise, refractoriness and adaptation, straight
/// from the point description. With R = 1/g_L and V relative to E_L,
///
///   tau_m = C_m R,   Delta_u = Delta_V,   c = lambda_0,   eta (mV) = R eta (nA),   gamma as it is,
///   mu(t) = R I(t) + tau_m sum K J nu_ext(t - d)      injected currents and virtual sources,
///   J = w tau_s / C_m for an exponential current of peak w;   J = w for a jump of the potential.
///
/// In-degrees, weights and delays are averages over a projection. What is random between and around the cells of a
/// population enters through the escape noise only: the shot noise of external spikes and of random connections, and
/// differences between cells, are left out; a warning names external sources.
#pragma once

#include <vector>

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "meanfield/mesoscopic.hpp"
#include "network/circuit.hpp"

namespace triscale::meanfield {

/// Whether this is the theory for the circuit: all cells that are simulated are gif cells without a fitted mean-field
/// description, and all their synapses (there are some) are currents or jumps, for which no transfer function is
/// fitted.
bool is_mesoscopic_circuit(const network::Circuit& circuit);

/// Why the circuit has no mesoscopic description; empty if it has one.
std::vector<core::Problem> missing_for_mesoscopic(const network::Circuit& circuit);

/// Runs the circuit and records its rates every max(1 ms, run.dt_ms), each the average since the record before. Steps
/// are those of the circuit (run.dt_ms). Throws core::InputError with everything that missing_for_mesoscopic() finds.
core::RunStatistics simulate_mesoscopic_circuit(const network::Circuit& circuit, core::Recorder& recorder,
                                                core::Progress& progress, std::vector<core::Problem>& warnings);

}  // namespace triscale::meanfield

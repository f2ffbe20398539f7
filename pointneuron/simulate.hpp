/// The point tier: integrate-and-fire neurons with conductance synapses on a fixed time grid.
///
/// Models: gif.hpp (with the leaky integrate-and-fire neuron as special case), adex.hpp, intfire1.hpp. Synapses:
/// receptors.hpp. Delivery: delivery.hpp. Currents: current_input.hpp. Virtual sources: network/spike_source.hpp.
///
/// Step k (from k dt to (k+1) dt) of a cell:
///   1. events that arrive at k dt change the conductances (instantaneous synapses: events that arrive at (k+1) dt
///   count);
///   2. conductances and currents are averaged over the step and the membrane moves to (k+1) dt;
///   3. a cell that crosses its threshold spikes at (k+1) dt; its spike arrives at the nearest step to (k+1) dt +
///   delay, one
///      step later at the earliest. A virtual spike at any time t arrives at the nearest step to t + delay.
///
/// Cells start at E_L (IntFire1: 0) with all conductances 0; RunSettings::V_init_mV belongs to the detailed tier.
/// Spikes are bit-identical for any number of threads: random numbers are addressed by cell and step, every sum has a
/// fixed order. Spikes of virtual populations are not recorded. Probes sample at begin, begin + dt, ... while t < end;
/// a conductance is sampled before the events of that moment.
#pragma once

#include <cstddef>
#include <vector>

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::pointneuron {

/// Why this circuit cannot run on the point tier; empty if it can.
std::vector<core::Problem> missing(const network::Circuit& circuit);

/// What this tier will leave out of a run: probes of variables or compartments that a point neuron does not have.
std::vector<core::Problem> left_out(const network::Circuit& circuit);

/// Runs the circuit. threads = 0: all cores. Throws InputError (missing()), NumericalError (a state that is not
/// finite).
core::RunStatistics simulate(const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress);

}  // namespace triscale::pointneuron

/// The point tier: integrate-and-fire neurons on a fixed time grid.
///
/// Models: lif.hpp (current synapses), gif.hpp (conductances; with the leaky integrate-and-fire neuron as special
/// case), adex.hpp, intfire1.hpp. Conductances: receptors.hpp. Currents: current_input.hpp. Spikes between cells:
/// synapse_rows.hpp, laid out by block_synapses.hpp. Spikes of virtual sources, which may lie between grid points:
/// delivery.hpp, network/spike_source.hpp; private Poisson drives: private_drive.hpp.
///
/// Step k (from k dt to (k+1) dt) of a cell:
///   1. events that arrive at k dt change the conductances or currents (instantaneous and delta synapses: events that
///      arrive at (k+1) dt count);
///   2. conductances and currents are averaged over the step (LIF: solved with the membrane) and the membrane moves to
///      (k+1) dt;
///   3. a cell that crosses its threshold spikes at (k+1) dt; its spike arrives at the nearest step to (k+1) dt +
///      delay, one step later at the earliest. A virtual spike at any time t arrives at the nearest step to t + delay.
///
/// Cells start at Population::V_init_mV, or at E_L (IntFire1: 0), with all conductances and currents 0;
/// RunSettings::V_init_mV belongs to the detailed tier. Spikes are bit-identical for any number of threads and any
/// Options: random numbers are addressed by cell and step, and every sum is either one of integers or has a fixed
/// order. Spikes of virtual populations are not recorded. Probes sample at begin, begin + dt, ... while t < end; a
/// conductance is sampled before the events of that moment.
#pragma once

#include <cstddef>
#include <vector>

#include "core/error.hpp"
#include "core/isa.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::pointneuron {

/// Why this circuit cannot run on the point tier; empty if it can.
std::vector<core::Problem> missing(const network::Circuit& circuit);

/// What this tier will leave out of a run: probes of variables or compartments that a point neuron does not have. Field
/// probes are not its business: signals are made from its spikes (bridges/fields/signal_recorder.hpp).
std::vector<core::Problem> left_out(const network::Circuit& circuit);

/// How to compute; no choice changes the result.
struct Options {
  std::uint32_t horizon_steps = 0;  ///< steps whose input is delivered together: 1, 2, 4 or 8; 0: what is usually best
  std::size_t blocks = 0;           ///< of targets, at least; 0: one per thread
  core::Isa isa = core::best_isa();
};

/// Runs the circuit. threads = 0: all cores. Throws InputError (missing()), NumericalError (a state that is not
/// finite).
core::RunStatistics simulate(const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, const Options& options = {});

}  // namespace triscale::pointneuron

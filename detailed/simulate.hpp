/// Runs a circuit on the detailed tier: multi-compartment cells, dendritic synapses, NEURON's fixed-step scheme.
///
/// Time is cut into windows no longer than the shortest delay between simulated cells. Within a window every group of
/// cells (detailed/cell_group.hpp) runs on its own; spikes are exchanged between windows. Groups are handed to threads
/// in a fixed way and every sum has a fixed order, so that results are the same bits for any number of threads.
///
/// Gap junctions exchange potentials after every step: a circuit with any has windows of one step.
///
/// Cells that are described as IntFire1 only (NEURON's normalised integrate-and-fire) run beside them, event by event.
///
/// Probes: "v" (mV) and "cai" (mM), at the soma or in all segments. Field probes are summed up while the run goes on
/// (detailed/field_sampler.hpp).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "core/error.hpp"
#include "core/forward_model.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::detailed {

/// Why the circuit cannot run on this tier; empty if it can.
std::vector<core::Problem> missing(const network::Circuit& circuit);

/// Runs circuit.run.duration_ms on `threads` threads (0: all cores). Throws InputError for what missing() reports,
/// NumericalError if a potential stops being finite. `models`: one a field probe of the circuit, in their order.
core::RunStatistics simulate(const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress,
                             std::span<const std::unique_ptr<core::ForwardModel>> models = {});

}  // namespace triscale::detailed

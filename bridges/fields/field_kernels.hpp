/// Spike-to-field kernels from the actual circuit (Hagen et al. 2022, PLoS Comput Biol 18:e1010353, with every cell and
/// synapse where it is instead of one average cell).
///
/// The field of a cell with membrane currents I = -L V (L: axial conductances as a graph Laplacian) and weights M of
/// the forward model is phi = -M' L V. With the membrane linearised, (L + Y(s)) V = I_syn, so that
///   phi = a' I_syn,   (L + Y) a = -L M
/// by symmetry of the tree: one solve a cell, frequency and channel gives the effect of a synaptic current at every
/// place. A presynaptic spike opens all its synapses,
///   h(s) = sum over the source's synapses of  w k(s) B(V)(E - V) exp(-s d) a_site(s),
/// k the time course, V of (E - V) the potential that events meet (bridges/fields/met_potential.hpp), which in volleys
/// is not the mean. Y holds the channels linearised about the mean potentials of the population in the network and, for
/// each target cell, the mean conductance of its own synapses; both come from a run of the point tier whose spikes
/// drive a few detailed cells (bridges/point/cell_sample.hpp, bridges/point/linear_input.hpp). Transformed along s =
/// sigma + i w, which keeps slow tails from wrapping around.
///
/// A cell that spikes also makes a field itself: the regression of bridges/gif/spike_response.hpp gives what its spike
/// adds to its potentials, seen by the electrodes from where the cell stands. h of a source is the sum of both parts.
///
/// Not in it: gap junctions, injected currents, the steady field of a resting cell (kernels give deviations).
#pragma once

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "measure/activity.hpp"
#include "network/circuit.hpp"
#include "network/field_kernels.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

struct FieldKernelOptions {
  double length_ms = 300;                ///< after the spike
  double highest_Hz = 2000;              ///< synaptic currents have no power above
  double observed_ms = 3000;             ///< of the point tier and of the sampled detailed cells, at most
  std::size_t sampled_cells = 8;         ///< of each population
  std::size_t most_values = 50'000'000;  ///< of a probe's kernels; populations that do not fit get one kernel
  bool own_spikes = true;                ///< the spiking cell's own field
};

/// Why kernels cannot be derived; empty if they can. A circuit without field probes needs none.
std::vector<core::Problem> missing_for_field_kernels(const network::Circuit& circuit);

/// Kernels of all field probes. The circuit has detailed and point descriptions. Provenance goes to
/// derivation.field_kernels, by name of the probe.
network::CircuitKernels derive_field_kernels(const network::Circuit& circuit, const FieldKernelOptions& options,
                                             std::size_t threads, network::Derivation& derivation,
                                             core::Progress& progress);

/// The same about the state that `activity` describes (spikes of all populations).
network::CircuitKernels derive_field_kernels(const network::Circuit& circuit, const measure::Activity& activity,
                                             const FieldKernelOptions& options, std::size_t threads,
                                             network::Derivation& derivation, core::Progress& progress);

}  // namespace triscale::bridges

/// What the finite number of cells adds to the rates that a mean field gives: the noise of the cells' own spikes, which
/// the circuit filters (meanfield/spectra.hpp), linearised about the mean rates of the run. A network with inhibition
/// holds slow fluctuations far below those of independent spikes.
///
/// Where the linear response is not stable, or the circuit has no theory of it, the noise is that of independent
/// spikes, 2 rate / cells. Populations of finite size (meanfield/mesoscopic_circuit.hpp) fluctuate by themselves, and
/// nothing is added.
///
/// *Assumes* small fluctuations about one state; input from outside at its mean.
#pragma once

#include "measure/activity.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Fills in PopulationActivity::noise of a run of the mean-field tier of `circuit`, up to the highest frequency that
/// checks look at. Spikes of other tiers are left as they are.
void add_finite_size_noise(const network::Circuit& circuit, measure::Activity& activity);

}  // namespace triscale::bridges

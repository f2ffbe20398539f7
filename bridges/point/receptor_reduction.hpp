/// Moves dendritic synapses of several receptors, NMDA receptors among them, to the soma of a point neuron.
///
/// Linear part, as in bridges/point/synapse_reduction.hpp: the receptors of a synapse share its spikes, so they share a
/// table of sites, that of the first receptor without magnesium block; the others get the mean ratio of their own
/// attenuation to it, over the circuit's own synapses, as a factor.
///
/// Magnesium block: a receptor on a dendrite sees V_s = V + delta, the soma's potential and a local depolarisation.
/// With a mean delta,
///   B(V + delta) = 1 / (1 + exp(-0.062 (V + delta)) Mg / 3.57)
/// is the block at the soma under the magnesium concentration Mg exp(-0.062 delta). So the point neuron gets the same
/// receptor with an effective concentration, and a factor for the driving force that is lost to delta. Both are fitted
/// (least squares on the time course) to what volleys of the circuit's own synapses do at the soma of the detailed
/// cell, from one synapse to as many as leave it silent, at rest and held at two depolarised potentials.
///
/// The simplest that works is chosen: no block at all (conductances frozen at rest) where that is within kGood of the
/// detailed cell; the effective block otherwise. Beyond kBad the provenance says that it does not describe the cell.
#pragma once

#include <string>
#include <vector>

#include "bridges/point/synapse_reduction.hpp"
#include "bridges/point/volleys.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

struct ReceptorReduction {
  static constexpr double kGood = 0.05, kBad = 0.15;  ///< of peaks and areas, relative, root mean square

  network::ReceptorSynapse synapse;
  bool blocked = false;           ///< some receptor has a magnesium block
  bool frozen = false;            ///< the linear description was chosen
  double delta_mV = 0;            ///< effective local depolarisation
  double factor = 1;              ///< of the blocked receptors
  double error_frozen = 0;        ///< conductances of blocked receptors as they are at rest
  double error_somatic = 0;       ///< block of the soma's own potential: delta = 0, factor = 1
  double error_effective = 0;     ///< fitted
  std::size_t volleys = 0;        ///< that the fit used; 0: none
  std::size_t most_synapses = 0;  ///< in one of them
  double mean_attenuation = 0;
  double mean_psp_error = 0, largest_psp_error = 0;  ///< of the shared table (SynapseReduction)
};

/// What describe() and the fit need to know of the cell.
struct ReducedCell {
  const network::CellType& type;
  const detailed::CompartmentTree& tree;
  const ImpedanceSpectrum& spectrum;
  PassiveMembrane membrane;
  double V_rest_mV = -70;
};

/// `type` is a synapse type of `circuit` with several receptors on that cell.
ReceptorReduction reduce_receptors(const network::Circuit& circuit, std::size_t synapse_type, const ReducedCell& cell);

/// Fills in method, figures and notes.
void describe(const ReceptorReduction& reduction, network::Provenance& provenance);

}  // namespace triscale::bridges

/// Compares postsynaptic potentials of the detailed cell, simulated at rest, with those of the point neuron, at the
/// places and with the weights of the circuit's own synapses; and measures how nearly the dendrites add up linearly,
/// which the reduction takes for granted.
///
/// Summation: n synapses at one place, at once. With P(n) the peak at the soma, P(n) / (n P(1)) - 1 is 0 for linear
/// dendrites, negative where the synapses take driving force from each other, positive where a dendrite amplifies (NMDA
/// receptors, dendritic spikes).
#pragma once

#include <cstddef>
#include <vector>

#include "bridges/gif/gif_fit.hpp"
#include "bridges/point/volleys.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Differences point minus detailed of the mean over sites, relative to detailed where no unit is given.
struct PspCheck {
  std::size_t sites = 0;  ///< 0: the driving force at rest is too small to tell
  double area = 0, peak = 0;
  double rise = 0;         ///< time from 20 to 80 % of the peak
  double half_width = 0;   ///< time above half of the peak
  double latency_ms = 0;   ///< of the peak
  double peak_spread = 0;  ///< root mean square over sites of the relative difference of peaks
  double summation_pair = 0, summation_cluster = 0;  ///< detailed cell, mean over places; 2 and kCluster synapses
  double summation_pair_point = 0, summation_cluster_point = 0;  ///< the same of the point neuron
  static constexpr std::size_t kCluster = 8;
};

/// `type` is the cell that the synapse type, which has both descriptions, sits on.
PspCheck check_psps(const network::CellType& type, const network::SynapseType& synapse,
                    const std::vector<PspSite>& sites, const network::RunSettings& run,
                    const PassiveMembrane& membrane);

}  // namespace triscale::bridges

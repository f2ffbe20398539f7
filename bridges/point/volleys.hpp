/// Volleys: several synapses of one cell that get a spike at the same moment, on the detailed cell and on the point
/// neuron. What they do at the soma, beside what one does, shows how a dendrite adds up.
///
/// A cell may be held by a constant somatic current, so that voltage-dependent receptors are seen at more than rest.
#pragma once

#include <vector>

#include "bridges/gif/gif_fit.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// A synapse of the circuit.
struct PspSite {
  network::Site site;
  double weight_uS = 0;
};

struct Volley {
  std::vector<PspSite> synapses;
  double hold_nA = 0;
};

/// From the spike on, one value a time step.
struct VolleyResponse {
  std::vector<double> dV_mV;    ///< at the soma, less the potential of a held cell without synapses; empty if it fired
  std::vector<double> base_mV;  ///< that potential
};

/// On the detailed tier. The spike is at rest (V_rest_mV), 200 ms after the current has begun; 300 ms are recorded.
std::vector<VolleyResponse> detailed_responses(const network::CellType& type, const network::SynapseType& synapse,
                                               const network::RunSettings& run, double V_rest_mV,
                                               const std::vector<Volley>& volleys);

/// What a passive point membrane makes of the same spike by the synapse's point description,
///   C dV/dt = -g_L dV + sum g B(V) (E - V),   V = base + dV.
/// base_mV: one value a time step, or a single one that holds throughout.
std::vector<double> point_response(const network::SynapseType& synapse, const Volley& volley,
                                   const PassiveMembrane& membrane, const std::vector<double>& base_mV, double dt_ms);

/// Largest deflection, with its sign; 0 if empty.
double peak_of(const std::vector<double>& dV_mV);

}  // namespace triscale::bridges

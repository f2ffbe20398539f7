/// Compares single postsynaptic potentials of the detailed cell, simulated, with those of the point neuron.
#pragma once

#include <cstddef>
#include <vector>

#include "bridges/gif_fit.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Differences point minus detailed, relative to detailed where no unit is given; root mean square over sites.
struct PspCheck {
  std::size_t sites = 0;  ///< 0: the driving force at rest is too small to tell
  double area = 0, peak = 0;
  double latency_ms = 0;  ///< of the peak
};

/// At rest, for up to seven places spread over the table of the synapse's point description.
PspCheck check_psps(const network::CellType& type, const network::SynapseType& synapse, const network::RunSettings& run,
                    const PassiveMembrane& membrane);

}  // namespace triscale::bridges

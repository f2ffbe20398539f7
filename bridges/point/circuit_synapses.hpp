/// The synapses that a circuit has of a type: where they are, how strong they are.
#pragma once

#include <cstddef>
#include <vector>

#include "bridges/point/synapse_reduction.hpp"
#include "bridges/point/volleys.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Up to seven of the circuit's synapses of a type, spread evenly over the list of its edges; none where no projection
/// uses the type.
std::vector<PspSite> spread_sites(const network::Circuit& circuit, std::size_t synapse_type);

/// Those onto some of the cells: one list a cell.
std::vector<std::vector<PspSite>> synapses_of_cells(const network::Circuit& circuit, std::size_t synapse_type,
                                                    std::size_t most_cells);

/// Their density over the compartments of the cell that they sit on, by conductance, with a tenth spread as the
/// membrane's area, so that no place goes without; and their mean weight. Empty if the circuit has none.
SiteStatistics site_statistics(const network::Circuit& circuit, std::size_t synapse_type,
                               const detailed::CompartmentTree& tree);

}  // namespace triscale::bridges

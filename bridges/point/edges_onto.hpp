/// Part of a circuit for runs of a few of its cells: their own synapses.
#pragma once

#include <cstdint>
#include <vector>

#include "network/edges.hpp"

namespace triscale::bridges {

/// The edges of a projection that end on the chosen cells, renumbered: target k is cells[k], ascending.
network::ExplicitEdges edges_onto(const network::EdgeList& edges, const std::vector<std::uint32_t>& cells);

}  // namespace triscale::bridges

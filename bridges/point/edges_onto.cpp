#include "bridges/point/edges_onto.hpp"

#include <algorithm>

namespace triscale::bridges {

network::ExplicitEdges edges_onto(const network::EdgeList& edges, const std::vector<std::uint32_t>& cells) {
  network::ExplicitEdges out;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const auto found = std::lower_bound(cells.begin(), cells.end(), edges.targets[e]);
    if (found == cells.end() || *found != edges.targets[e]) continue;
    out.sources.push_back(edges.sources[e]);
    out.targets.push_back(static_cast<std::uint32_t>(found - cells.begin()));
    out.weights.push_back(edges.weights[e]);
    out.delays_ms.push_back(edges.delays_ms[e]);
    out.sites.push_back(edges.sites.empty() ? network::Site{} : edges.sites[e]);
  }
  return out;
}

}  // namespace triscale::bridges

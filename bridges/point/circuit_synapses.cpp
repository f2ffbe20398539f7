#include "bridges/point/circuit_synapses.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "network/edges.hpp"

namespace triscale::bridges {

namespace {

constexpr std::size_t kSites = 7;  // and one cell without a synapse, to subtract: the detailed tier runs eight at once

/// visit(synapse, starts_cell) for all synapses of a type, by projection and then by target; `starts_cell` where a
/// projection comes to its next target. Synapses without a place are at the soma.
template <class Visit>
void for_each_synapse(const network::Circuit& circuit, std::size_t synapse_type, const Visit& visit) {
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    if (circuit.projections[k].synapse_type != synapse_type) continue;
    const network::EdgeList edges = network::edges_of(circuit, k);  // sorted by target
    for (std::size_t e = 0; e < edges.size(); ++e) {
      visit(PspSite{edges.sites.empty() ? network::Site{} : edges.sites[e], edges.weights[e]},
            e == 0 || edges.targets[e] != edges.targets[e - 1]);
    }
  }
}

}  // namespace

std::vector<PspSite> spread_sites(const network::Circuit& circuit, std::size_t synapse_type) {
  std::vector<PspSite> all;
  for_each_synapse(circuit, synapse_type, [&](const PspSite& synapse, bool) { all.push_back(synapse); });
  std::vector<PspSite> out;
  for (std::size_t i = 0; i < std::min(kSites, all.size()); ++i) {
    out.push_back(all[(2 * i + 1) * all.size() / (2 * std::min(kSites, all.size()))]);
  }
  return out;
}

std::vector<std::vector<PspSite>> synapses_of_cells(const network::Circuit& circuit, std::size_t synapse_type,
                                                    std::size_t most_cells) {
  std::vector<std::vector<PspSite>> all;
  for_each_synapse(circuit, synapse_type, [&](const PspSite& synapse, bool starts_cell) {
    if (starts_cell) all.emplace_back();
    all.back().push_back(synapse);
  });
  std::vector<std::vector<PspSite>> chosen;
  const std::size_t n = std::min(most_cells, all.size());
  for (std::size_t i = 0; i < n; ++i) chosen.push_back(std::move(all[(2 * i + 1) * all.size() / (2 * n)]));
  return chosen;
}

SiteStatistics site_statistics(const network::Circuit& circuit, std::size_t synapse_type,
                               const detailed::CompartmentTree& tree) {
  constexpr double kAreaShare = 0.1;
  SiteStatistics out;
  std::vector<double> weights_uS(tree.size(), 0.0);
  double sum_uS = 0, synapses = 0;
  for_each_synapse(circuit, synapse_type, [&](const PspSite& synapse, bool) {
    weights_uS[tree.node_at(synapse.site)] += synapse.weight_uS;
    sum_uS += synapse.weight_uS;
    synapses += 1;
  });
  if (!(sum_uS > 0)) return out;
  out.mean_weight_uS = sum_uS / synapses;
  const double area_um2 = std::accumulate(tree.areas_um2.begin(), tree.areas_um2.end(), 0.0);
  for (std::size_t node = 0; node < tree.size(); ++node) {
    out.density.push_back((1 - kAreaShare) * weights_uS[node] / sum_uS + kAreaShare * tree.areas_um2[node] / area_um2);
  }
  return out;
}

}  // namespace triscale::bridges

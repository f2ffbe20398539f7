#include "network/freeze_edges.hpp"

#include <utility>

#include "network/edges.hpp"

namespace triscale::network {

namespace {

bool draws(const Distribution& distribution) {
  return distribution.kind != Distribution::Kind::constant;
}

bool draws_from_the_seed(const Circuit& circuit, const Projection& projection) {
  if (circuit.cell_types[circuit.populations[projection.target].cell_type].detailed) {
    const auto* given = std::get_if<ExplicitEdges>(&projection.connectivity);
    if (given == nullptr || given->sites.empty()) return true;  // places on the dendrites
  }
  const auto* rule = std::get_if<ConnectionRule>(&projection.connectivity);
  if (rule == nullptr) return false;
  const bool chosen = rule->kind != ConnectionRule::Kind::all_to_all && rule->kind != ConnectionRule::Kind::one_to_one;
  return chosen || draws(rule->weight) || draws(rule->delay_ms);
}

}  // namespace

Circuit with_frozen_edges(Circuit circuit) {
  std::vector<std::pair<std::size_t, ExplicitEdges>> frozen;
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) {
    if (!draws_from_the_seed(circuit, circuit.projections[p])) continue;
    EdgeList edges = edges_of(circuit, p);
    frozen.push_back({p,
                      {std::move(edges.sources), std::move(edges.targets), std::move(edges.weights),
                       std::move(edges.delays_ms), std::move(edges.sites)}});
  }
  for (auto& [p, edges] : frozen) circuit.projections[p].connectivity = std::move(edges);
  return circuit;
}

}  // namespace triscale::network

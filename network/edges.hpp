/// The edges of a projection: the same list for every tier, whether it comes from a file or from a rule.
#pragma once

#include <cstdint>
#include <vector>

#include "network/circuit.hpp"

namespace triscale::network {

/// All edges of one projection, sorted by target (stable: the order of the file, or of the rule, within a target).
struct EdgeList {
  std::vector<std::uint32_t> sources, targets;
  std::vector<double> weights;    ///< uS or dimensionless, as in ExplicitEdges
  std::vector<double> delays_ms;
  std::vector<Site> sites;        ///< empty if neither given nor drawable (the target cell type has no morphology)

  std::size_t size() const { return targets.size(); }
};

/// Edges of circuit.projections[projection]. Rule: a pure function of (seed, projection index, target); places that are
/// not given are drawn likewise. Throws InputError if the rule cannot be met (see validate()).
EdgeList edges_of(const Circuit& circuit, std::size_t projection);

/// Edges as the point tier sees them: dendritic weights and delays already carried to the soma by the synapse type's table.
struct PointEdgeList {
  std::vector<std::uint32_t> sources, targets;
  std::vector<double> weights;           ///< somatic conductance uS, or dimensionless
  std::vector<double> delays_ms;
  std::vector<std::uint32_t> receptors;  ///< index into PointSynapse::receptors
};
PointEdgeList point_edges_of(const Circuit& circuit, std::size_t projection, const EdgeList& edges);

/// 64-bit FNV-1a hash over (projection, source, target, weight, delay) of all edges: two tiers that ran on the same
/// connectivity report the same number (run.json: edge_hash). Chain over projections starting with kEdgeHashStart.
inline constexpr std::uint64_t kEdgeHashStart = 14695981039346656037ull;
std::uint64_t hash_edges(std::uint64_t hash, std::size_t projection, const EdgeList& edges);

}  // namespace triscale::network

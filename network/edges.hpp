/// The edges of a projection: the same list for every tier, whether it comes from a file or from a rule.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "network/circuit.hpp"
#include "network/connectivity.hpp"
#include "network/dendritic_sites.hpp"

namespace triscale::network {

/// All edges of one projection, sorted by target (stable: the order of the file, or of the rule, within a target).
struct EdgeList {
  std::vector<std::uint32_t> sources, targets;
  std::vector<double> weights;  ///< uS or dimensionless, as in ExplicitEdges
  std::vector<double> delays_ms;
  std::vector<Site> sites;  ///< empty if neither given nor drawable (the target cell type has no morphology)

  std::size_t size() const { return targets.size(); }
};

/// The edges of one target.
struct TargetEdges {
  std::vector<std::uint32_t> sources;
  std::vector<double> weights, delays_ms;
  std::vector<Site> sites;  ///< empty, or one per edge
};

/// Makes the edges of a projection target by target, for those who cannot hold them all at once. Calls may run at the
/// same time. The circuit must outlive it.
class EdgeMaker {
 public:
  /// Throws InputError if the rule cannot be met.
  EdgeMaker(const Circuit& circuit, std::size_t projection);

  void sources_of(std::size_t target, std::vector<std::uint32_t>& sources) const;
  void edges_of(std::size_t target, TargetEdges& edges) const;

 private:
  const Circuit& circuit_;
  std::size_t projection_;
  const ExplicitEdges* given_;
  std::vector<std::size_t> first_, order_;  ///< given edges: positions by target, in the order of the list
  std::optional<SourceChooser> chooser_;
  std::optional<DendriticSites> sites_;  ///< if places are to be drawn
};

/// Edges of circuit.projections[projection]. Rule: a pure function of (seed, projection index, target); places that are
/// not given are drawn likewise. Throws InputError if the rule cannot be met (see validate()).
EdgeList edges_of(const Circuit& circuit, std::size_t projection);

/// Edges as the point tier sees them: dendritic weights and delays already carried to the soma by the synapse type's
/// table.
struct PointEdgeList {
  std::vector<std::uint32_t> sources, targets;
  std::vector<double> weights;  ///< somatic conductance uS, or dimensionless
  std::vector<double> delays_ms;
  std::vector<std::uint32_t> receptors;  ///< index into PointSynapse::receptors
};
PointEdgeList point_edges_of(const Circuit& circuit, std::size_t projection, const EdgeList& edges);

/// The same for edges in place: weights and delays become somatic ones; receptors[k] is the receptor of edge k.
void carry_to_soma(const Circuit& circuit, std::size_t projection, TargetEdges& edges,
                   std::vector<std::uint32_t>& receptors);

/// Hash over (projection, source, target, weight, delay) of all edges: two tiers that ran on the same connectivity
/// report the same number (run.json: edge_hash). It is a sum over edges modulo 2^64, so it does not depend on the order
/// in which they are made. Chain over projections starting with kEdgeHashStart.
inline constexpr std::uint64_t kEdgeHashStart = 14695981039346656037ull;
std::uint64_t hash_edges(std::uint64_t hash, std::size_t projection, const EdgeList& edges);
std::uint64_t hash_edges(std::uint64_t hash, std::size_t projection, std::size_t target, const TargetEdges& edges);

}  // namespace triscale::network

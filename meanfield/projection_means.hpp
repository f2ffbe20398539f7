/// Averages over the synapses of a projection: over the very edges that the finer tiers use, or, for circuits too large
/// to list them, over the connection rule's distributions, which the edges are draws from.
#pragma once

#include <cstdint>

#include "network/circuit.hpp"

namespace triscale::meanfield {

/// More edges than this are not listed one by one.
inline constexpr std::uint64_t kMostListedEdges = 2'000'000;

/// Mean and mean square of a distribution.
struct Moments {
  double mean = 0, mean_square = 0;
};
Moments moments(const network::Distribution& distribution);

/// Number of synapses that a projection has, from its rule or list.
std::uint64_t expected_synapses(const network::Circuit& circuit, const network::Projection& projection);
std::uint64_t expected_synapses(const network::Circuit& circuit);

struct ProjectionMeans {
  std::uint64_t synapses = 0;
  double in_degree = 0;  ///< synapses per target cell
  Moments weight, delay_ms;
};

/// If `edge_hash` is given, the edges are listed and join the hash; otherwise only explicit edges are looked at one by
/// one.
ProjectionMeans projection_means(const network::Circuit& circuit, std::size_t projection, std::uint64_t* edge_hash);

}  // namespace triscale::meanfield

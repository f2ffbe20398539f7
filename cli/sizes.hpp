/// How large a circuit is, and about how much memory each tier would take, without running anything.
#pragma once

#include <cstdint>

#include "cli/options.hpp"
#include "network/circuit.hpp"

namespace triscale::cli {

/// Number of synapses of a projection; for pairwise_bernoulli the expected number.
double synapse_count(const network::Circuit& circuit, const network::Projection& projection);

struct TierSize {
  std::uint64_t cells = 0;         ///< with dynamics; for the mean-field tier: populations
  std::uint64_t compartments = 0;  ///< detailed tier only
  double synapses = 0;
  double memory_bytes = 0;  ///< estimate, good to a factor of about two
};

TierSize size_on(Tier tier, const network::Circuit& circuit);

}  // namespace triscale::cli

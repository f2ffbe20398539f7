/// Which cells a connection rule connects, and the values of a distribution. Every draw is a pure function of (seed,
/// projection, target): a target's edges do not depend on how many targets there are or who asks first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "network/circuit.hpp"

namespace triscale::network {

/// The label of (projection, target) in random streams.
std::uint64_t edge_entity(std::size_t projection, std::size_t target);

/// Chooses the sources of each target of one projection.
class SourceChooser {
 public:
  /// Throws InputError if the rule cannot be met.
  SourceChooser(const Circuit& circuit, std::size_t projection);

  /// Sources of `target`; a source stands as often as there are synapses from it.
  void sources_of(std::size_t target, std::vector<std::uint32_t>& sources) const;

 private:
  void bernoulli(core::RandomStream& random, std::vector<std::uint32_t>& sources) const;
  void fixed_number(core::RandomStream& random, std::uint64_t number, std::vector<std::uint32_t>& sources) const;
  void draw_in_degrees(std::size_t targets);

  ConnectionRule rule_;
  std::uint64_t seed_;
  std::size_t projection_;
  bool skip_self_;                         ///< source and target population are the same and autapses are off
  std::uint64_t candidates_;               ///< possible sources of a target
  std::vector<std::uint32_t> in_degrees_;  ///< fixed_total_number only
};

/// Why the rule of a projection cannot be met; empty if it can. Indices must be valid.
std::string impossible_rule(const ConnectionRule& rule, std::uint64_t sources, std::uint64_t targets,
                            bool same_population);

/// Values 0, 1, 2, ... of a distribution; value k is a function of the stream and k alone. Throws InputError if [low,
/// high] is practically never hit.
void draw(const Distribution& distribution, const core::RandomStream& random, std::span<double> values);

}  // namespace triscale::network

/// Spike delivery: from a spike to the step in which it acts on each target.
///
/// Delays are whole steps, rounded to the nearest and at least one. Targets are split over the threads; every thread
/// holds the outgoing edges that end on its own targets and delivers to them only, projection by projection, in
/// ascending order of sources. So the sum that reaches a target has the same terms in the same order for any number of
/// threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "network/edges.hpp"

namespace triscale::pointneuron {

/// Event weights that are under way to a population: one row of places (receptor * cells + cell) per future step.
class RingBuffer {
 public:
  RingBuffer(std::size_t slots, std::size_t places) : slots_(slots), places_(places), weights_(slots * places, 0.0) {}

  /// The row for events that arrive at step * dt. A row must be cleared by whoever takes it.
  std::span<double> row(std::int64_t step) { return {weights_.data() + index_of(step), places_}; }
  void add(std::int64_t step, std::size_t place, double weight) { weights_[index_of(step) + place] += weight; }

 private:
  std::size_t index_of(std::int64_t step) const { return static_cast<std::size_t>(step) % slots_ * places_; }

  std::size_t slots_, places_;
  std::vector<double> weights_;
};

/// The edges of one projection that end on the cells [begin, end) of its target population, by source.
class OutgoingEdges {
 public:
  /// place_of_receptor[r]: where the row of receptor r begins in the ring buffer. Where the sources spike on the grid,
  /// delays are rounded to whole steps at once; otherwise spike time and delay are rounded together.
  OutgoingEdges(const network::PointEdgeList& edges, std::size_t sources, std::size_t begin, std::size_t end,
                std::span<const std::size_t> place_of_receptor, double dt_ms, bool sources_on_grid);

  /// A spike of `source` at t_steps * dt. Nothing arrives before step `earliest`.
  void deliver(std::uint32_t source, double t_steps, std::int64_t earliest, RingBuffer& ring) const;

 private:
  struct Edge {
    double weight;
    std::uint32_t place;
    float delay_steps;
  };
  std::vector<std::size_t> first_;  ///< edges of source s: first_[s] .. first_[s + 1]
  std::vector<Edge> edges_;
};

}  // namespace triscale::pointneuron

#include "pointneuron/delivery.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

OutgoingEdges::OutgoingEdges(const network::PointEdgeList& edges, std::size_t sources, std::size_t begin,
                             std::size_t end, std::span<const std::size_t> place_of_receptor, double dt_ms,
                             bool sources_on_grid)
    : first_(sources + 1, 0) {
  // Edge lists are sorted by target: ours are one contiguous piece.
  const auto first = std::lower_bound(edges.targets.begin(), edges.targets.end(), begin) - edges.targets.begin();
  const auto last = std::lower_bound(edges.targets.begin(), edges.targets.end(), end) - edges.targets.begin();
  for (auto e = static_cast<std::size_t>(first); e < static_cast<std::size_t>(last); ++e)
    ++first_[edges.sources[e] + 1];
  for (std::size_t s = 0; s < sources; ++s) first_[s + 1] += first_[s];

  edges_.resize(static_cast<std::size_t>(last - first));
  std::vector<std::size_t> next(first_.begin(), first_.end() - 1);
  for (auto e = static_cast<std::size_t>(first); e < static_cast<std::size_t>(last); ++e) {
    const double delay = edges.delays_ms[e] / dt_ms;
    const double delay_steps = sources_on_grid ? std::max(1.0, std::round(delay)) : delay;
    const std::size_t place = place_of_receptor[edges.receptors[e]] + edges.targets[e];
    edges_[next[edges.sources[e]]++] = {edges.weights[e], static_cast<std::uint32_t>(place),
                                        static_cast<float>(delay_steps)};
  }
}

void OutgoingEdges::deliver(std::uint32_t source, double t_steps, std::int64_t earliest, RingBuffer& ring) const {
  for (std::size_t e = first_[source]; e < first_[source + 1]; ++e) {
    const Edge& edge = edges_[e];
    const double arrival = std::floor(t_steps + static_cast<double>(edge.delay_steps) + 0.5);
    ring.add(std::max(earliest, static_cast<std::int64_t>(arrival)), edge.place, edge.weight);
  }
}

}  // namespace triscale::pointneuron

/// Synapses with a state of their own: stochastic release and short-term plasticity (network/release.hpp), long-term
/// plasticity (plastic_rule.hpp), homeostatic scaling.
///
///     scaling, every interval T:  w <- w (1 + T / tau (1 - rho / rho_0)),   d rho/dt = -rho / tau_rho + spikes /
///     tau_rho
///
/// with rho = rho_0 at the start. They take a path of their own beside the packed static synapses (synapse_rows.hpp):
/// every arrival is an entry in a list for its step, and a synapse is a structure with its weight as a double and its
/// state. So they are slower and larger; docs/performance.md says by how much.
///
/// One object holds the synapses of one projection that end on one block of targets. Arrivals of a step are handled in
/// the order of the spikes' steps and of the sources, so sums have a fixed order, whatever the blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "network/circuit.hpp"
#include "network/edges.hpp"
#include "network/release.hpp"
#include "pointneuron/block_synapses.hpp"
#include "pointneuron/plastic_rule.hpp"

namespace triscale::pointneuron {

/// Whether a projection's synapses have a state, and so take this path.
bool is_dynamic(const network::Circuit& circuit, const network::Projection& projection);

/// Number of the first edge of each target within a projection's list, and their sum at the end.
std::vector<std::uint64_t> first_edges(const network::Circuit& circuit, const network::EdgeMaker& edges,
                                       std::size_t projection);

class DynamicSynapses {
 public:
  /// `first_edge`: first_edges() of the projection. `at_end`: events act at the end of the step before their arrival.
  DynamicSynapses(const network::Circuit& circuit, std::size_t projection, const network::EdgeMaker& edges,
                  std::span<const std::uint64_t> first_edge, CellRange targets, const std::vector<std::size_t>& rows,
                  double sign, bool at_end);

  std::size_t projection() const { return projection_; }
  bool acts_at_end() const { return at_end_; }
  std::uint64_t edge_hash() const { return edge_hash_; }
  std::size_t size() const { return synapses_.size(); }
  /// Steps from that of a spike to that in which it acts.
  std::int64_t shortest_delay() const { return shortest_; }
  std::int64_t longest_delay() const { return longest_; }
  /// To be called once, before spikes come: how many steps ahead of their arrival spikes can be handed over, besides
  /// their delay.
  void make_room(std::int64_t ahead);

  /// A spike of a cell in step `step`, at its end.
  void cell_spike(std::uint32_t source, std::int64_t step);
  /// A spike of a virtual cell at t_steps dt; nothing arrives before step `earliest`.
  void virtual_spike(std::uint32_t source, double t_steps, std::int64_t earliest);

  /// Handles what arrives in `step`. `add(row, cell, weight)` takes the events.
  template <class Add>
  void arrive(std::int64_t step, const Add& add);
  /// The target cells that fired at the end of the step before `step`, and scaling if it is due.
  void target_spikes(std::int64_t step, std::span<const std::uint32_t> cells);

  /// Writes the weights to their places in the projection's list.
  void copy_weights(std::span<double> list) const;

 private:
  struct Synapse {
    double weight;
    double delay_ms;
    std::uint64_t edge;    ///< its number in the projection's list
    std::uint32_t target;  ///< cell of the target population
    std::uint32_t row;
    std::int64_t delay_steps;
  };
  struct Arrival {
    std::uint32_t synapse;
    double t_ms;  ///< exact, for the release
  };
  /// What a target cell holds.
  struct Target {
    Traces traces;
    double rate_hz = 0, rate_t_ms = 0;
  };

  void add_target(std::size_t target, const network::TargetEdges& edges, const std::vector<std::uint32_t>& receptors,
                  const std::vector<std::size_t>& rows, std::uint64_t first_edge);
  void sort_by_source(std::size_t sources, const std::vector<std::uint32_t>& source_of);
  std::vector<Arrival>& due(std::int64_t step) { return slots_[static_cast<std::size_t>(step) % slots_.size()]; }
  double time_of(std::int64_t step) const { return static_cast<double>(at_end_ ? step + 1 : step) * dt_ms_; }
  double arrive_at(const Arrival& arrival, double t_ms);
  void scale(double t_ms);

  std::size_t projection_;
  CellRange targets_;
  double dt_ms_, sign_;
  bool at_end_;
  std::uint64_t seed_;
  std::uint64_t edge_hash_ = 0;
  std::int64_t shortest_ = INT64_MAX, longest_ = 0;
  std::optional<network::Release> release_;
  std::optional<network::Plasticity> plasticity_;
  std::optional<PlasticRule> rule_;  ///< of plasticity that acts at spikes
  std::int64_t scaling_steps_ = 0;
  std::vector<Synapse> synapses_;              ///< by source
  std::vector<std::size_t> first_;             ///< [source]
  std::vector<network::ReleaseState> states_;  ///< [synapse], if they release
  std::vector<Traces> traces_;                 ///< [synapse], presynaptic
  std::vector<Target> cells_;                  ///< [target - targets_.begin]
  std::vector<std::size_t> incoming_first_;    ///< [target - targets_.begin]
  std::vector<std::uint32_t> incoming_;        ///< synapses by target
  std::vector<std::vector<Arrival>> slots_;    ///< [step modulo]
};

template <class Add>
void DynamicSynapses::arrive(std::int64_t step, const Add& add) {
  std::vector<Arrival>& arrivals = due(step);
  const double t_ms = time_of(step);
  for (const Arrival& arrival : arrivals) {
    const Synapse& synapse = synapses_[arrival.synapse];
    const double weight = arrive_at(arrival, t_ms);
    if (weight != 0) add(synapse.row, synapse.target, sign_ * weight);
  }
  arrivals.clear();
}

}  // namespace triscale::pointneuron

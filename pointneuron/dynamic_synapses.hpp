/// Synapses with a state of their own: stochastic release and short-term plasticity (network/release.hpp), long-term
/// plasticity (plastic_rule.hpp), homeostatic scaling.
///
///     scaling, every interval T:  w <- w (1 + T / tau (1 - rho / rho_0)),   d rho/dt = -rho / tau_rho + spikes /
///     tau_rho
///
/// with rho = rho_0 at the start. They take a path of their own beside the packed static synapses (synapse_rows.hpp).
///
/// What depends on the spikes of the source alone is held and moved once for each source: utilisation and resources of
/// a deterministic release, presynaptic traces. A synapse has its weight, its target, and what is its own: full sites
/// of a stochastic release; the last arrival and the trace behind it. The synapses of a source stand together, sorted
/// by delay, so that those that a spike reaches in the same step are one piece that is read in one go.
///
/// Postsynaptic spikes change nothing at once. Every cell keeps a list of its spikes, and a synapse catches up with
/// them at its next arrival: its weight changes at spikes only, so the result is the same, and no synapse is looked for
/// at random. All catch up before weights are sampled or scaled, and when the lists have grown long.
///
/// One object holds the synapses of one projection that end on one block of targets. Arrivals of a step are handled in
/// the order of the spikes' steps and of the sources, so sums have a fixed order, whatever the blocks.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/isa.hpp"
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

/// Bytes that a synapse of such a projection takes at most, which is when it is made.
double dynamic_synapse_bytes(const network::Circuit& circuit, std::size_t projection);

/// How events of a projection act on the cells of its target.
struct Action {
  std::vector<std::size_t> rows;  ///< row of the target population that each of its receptors acts on
  double sign = 1;
  bool at_end_of_step = false;  ///< at the end of the step before their arrival
};

class DynamicSynapses {
 public:
  /// `first_edge`: first_edges() of the projection.
  DynamicSynapses(const network::Circuit& circuit, std::size_t projection, const network::EdgeMaker& edges,
                  std::span<const std::uint64_t> first_edge, CellRange targets, const Action& action, core::Isa isa);

  std::size_t projection() const { return projection_; }
  bool acts_at_end() const { return action_.at_end_of_step; }
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

  /// Handles what arrives in `step`: adds to events[row * cells of the target population + cell].
  void arrive(std::int64_t step, double* events);
  /// The target cells that fired at the end of the step before `step`, and scaling if it is due.
  void target_spikes(std::int64_t step, std::span<const std::uint32_t> cells);

  /// Writes the weights to their places in the projection's list; needs a weight probe of the projection.
  void copy_weights(std::span<double> list);

 private:
  struct Synapse {
    double weight;
    std::uint32_t target;      ///< counted from targets_.begin
    std::uint32_t full_sites;  ///< of a stochastic release
  };
  /// The last arrival at a plastic synapse, step in which it counts, and the fast trace behind it.
  struct Arrived {
    double trace = 0;
    std::int64_t step = 0;
  };
  /// Synapses of a source up to `end` have this delay: from cells in whole steps, else in any.
  struct Run {
    double delay_steps;
    std::uint32_t end;
  };
  struct Source {
    network::ReleaseState release;
    Traces traces;
    double t_ms = 0;  ///< of the last spike
  };
  /// What a spike brings to all its synapses.
  struct SpikeEffect {
    double factor = 1;  ///< of the weight; stochastic: release probability
    double still_empty = 0;
    std::uint64_t first_draw = 0;
    double gain = 0, trace = 0;  ///< of the plastic rule; the trace behind the spike
  };
  struct Piece {
    std::uint32_t begin, end;
    SpikeEffect effect;
  };
  struct TargetSpike {
    std::int64_t step;
    double gain;
  };
  /// What a target cell holds.
  struct Target {
    Traces traces;
    std::int64_t step = 0;  ///< of its last spike
    std::vector<TargetSpike> spikes;
  };
  struct Rate {
    double hz = 0, t_ms = 0;
  };

  void add(std::size_t target, const network::TargetEdges& edges, std::size_t k, std::vector<double>& delays);
  void sort_by_source(std::size_t sources, const std::vector<std::uint32_t>& source_of,
                      const std::vector<double>& delays);
  bool is_stochastic() const { return release_ && release_->sites > 0; }
  SpikeEffect effect_of(std::uint32_t source, double t_ms);
  template <class ArrivalStep>
  void hand_over(std::uint32_t source, double t_ms, const ArrivalStep& arrival_step);
  void release_sites(const Piece& piece, std::size_t first, std::span<double> shares);
  template <bool kPlastic>
  void arrive_piece(const Piece& piece, std::int64_t time, double* events);
  double catch_up(double weight, const Arrived& arrived, const Target& target) const;
  void catch_up_all();
  void scale(double t_ms);
  std::vector<Piece>& due(std::int64_t step) { return slots_[static_cast<std::size_t>(step) % slots_.size()]; }

  std::size_t projection_;
  CellRange targets_;
  Action action_;
  core::Isa isa_;
  double dt_ms_;
  bool from_cells_;
  std::uint64_t seed_;
  std::size_t target_size_;  ///< of the whole population
  std::uint64_t edge_hash_ = 0;
  std::int64_t shortest_ = INT64_MAX, longest_ = 0;
  std::optional<network::Release> release_;
  std::optional<network::Plasticity> plasticity_;
  std::optional<PlasticRule> rule_;  ///< of plasticity that acts at spikes
  std::int64_t scaling_steps_ = 0;
  // Synapses, by source and delay:
  std::vector<Synapse> synapses_;
  std::vector<Arrived> arrived_;      ///< if they have a rule
  std::vector<std::uint64_t> edges_;  ///< numbers in the projection's list, if anybody asks
  std::vector<std::uint32_t> rows_;   ///< if there are several
  std::vector<Source> sources_;
  std::vector<std::size_t> first_run_;  ///< [source]
  std::vector<Run> runs_;
  std::vector<Target> cells_;  ///< [target - targets_.begin], if there is a rule
  std::vector<Rate> rates_;    ///< likewise, if there is scaling
  std::size_t kept_spikes_ = 0;
  std::vector<std::vector<Piece>> slots_;  ///< [step modulo]
};

}  // namespace triscale::pointneuron

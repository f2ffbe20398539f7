/// Up to kGroupCells neurons of one type, integrated side by side (one cell a lane).
///
/// Each step from t to t + dt follows NEURON's fixed-step scheme (Hines & Carnevale 1997):
///   1. events due by t + dt/2 change synaptic states;
///   2. currents at V(t) with gates as of t + dt/2 - dt (staggered), injected currents at t + dt/2;
///   3. backward Euler for the potential of all compartments of a cell at once,
///        (C/dt + sum g + sum g_axial) V' - sum g_axial V'_neighbour = C/dt V + sum g E + I,
///      by elimination from the tips to the root (Hines 1984);
///   4. gates and concentrations move over dt at V', exactly for frozen rates.
/// All membrane currents are of the form g (V - E), so that step 3 equals NEURON's solution for the increment of V.
///
/// The second-order scheme (network::TimeScheme::second_order) differs in three places; its error falls with dt^2:
///   1. an event at t_e within the step acts with the part of the step after t_e, then exactly;
///   3. half a backward Euler step to V(t + dt/2) and V(t + dt) = 2 V(t + dt/2) - V(t), which is Crank and Nicolson's
///      rule; gates then stand in the middle of the step;
///   4. the 12-state channel takes a damped second-order implicit step, calcium moves with the current in the middle of
///      the step.
/// The time of a spike is interpolated between steps.
///
/// Synapses of equal kinetics on one compartment share a pair of states: their conductances add up linearly. Short-term
/// plasticity and stochastic release act on the weight of each event (network/release.hpp). A receptor with magnesium
/// block carries I = g B(V) (V - E); with its slope, I(V') = I(V) + g (B + B' (V - E)) (V' - V), it enters step 3
/// implicitly. A gap junction is I = g (V' - V_partner), implicit in the own potential, with the partner's potential at
/// the beginning of the step (explicit coupling, as in NEURON's and Arbor's transfer of potentials); the second-order
/// scheme carries that potential half a step ahead along the line through the step before.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "detailed/compartments.hpp"
#include "detailed/lanes.hpp"
#include "detailed/mechanisms.hpp"
#include "network/release.hpp"
#include "network/synapse_models.hpp"

namespace triscale::detailed {

/// What all cells of one type share.
struct CellTemplate {
  network::DetailedCell cell;
  CompartmentTree tree;
  double celsius = 34;
};

/// What the synapses of one type have in common.
struct SynapseKinetics {
  std::vector<network::Receptor> receptors;
  std::optional<network::Release> release;
};

/// One synapse onto a cell of the group, as the group is told about it.
struct GroupSynapse {
  std::uint32_t source = 0;  ///< label of the presynaptic cell, chosen by the caller
  std::uint32_t cell = 0;    ///< 0..kGroupCells-1
  std::uint32_t node = 0;
  const SynapseKinetics* kinetics = nullptr;
  double weight_uS = 0;
  double delay_ms = 0;
  std::uint64_t entity = 0;  ///< label for the random numbers of its release
};

class CellGroup {
 public:
  CellGroup(const CellTemplate& type, std::size_t cells, double dt_ms, double V_init_mV,
            std::span<const GroupSynapse> synapses, network::TimeScheme scheme = network::TimeScheme::backward_euler,
            std::uint64_t seed = 1);
  ~CellGroup();
  CellGroup(CellGroup&&) noexcept;

  std::size_t cells() const { return cells_; }
  /// Roughly what a step costs, beside other groups.
  std::size_t cost() const { return cost_; }
  const CompartmentTree& tree() const { return type_->tree; }

  /// A presynaptic spike of `source` at t_ms: queues an event for each synapse it has here. Events that would be due
  /// before `first_step` act in it.
  void receive(std::uint32_t source, double t_ms, std::int64_t first_step);
  /// Adds a current to the right-hand side of the next step.
  void inject(std::size_t cell, std::size_t node, double I_nA);
  /// Adds one side of a gap junction; returns its index. The caller sets the partner's potential before each step.
  std::size_t add_gap_junction(std::size_t cell, std::size_t node, double g_uS);
  void set_partner_mV(std::size_t junction, double V_mV);
  /// One step, from step * dt to (step + 1) * dt.
  void advance(std::int64_t step);

  double V_mV(std::size_t cell, std::size_t node) const;
  /// Potentials of all nodes and lanes: [node * kColumns + column].
  const Lanes* V_lanes() const;
  /// Appends the nodes that gap junctions sit on.
  void add_junction_nodes(std::vector<std::size_t>& nodes) const;
  /// What came in through electrodes and gap junctions in the last step.
  struct Injection {
    std::uint32_t cell, node;
    double I_nA;
  };
  std::span<const Injection> injected() const { return injected_; }
  double Ca_mM(std::size_t cell, std::size_t node) const;
  /// First compartment of any cell whose potential is not finite: {cell, node}, or {-1, -1}.
  std::pair<std::int64_t, std::int64_t> find_not_finite() const;

  /// Steps after which an event is due: the first step n with t + delay <= (n + 1/2) dt, as in NEURON's fixed-step
  /// method.
  static std::int64_t due_step(double t_ms, double delay_ms, double dt_ms);

 private:
  struct Event {
    std::uint32_t slot;
    std::uint32_t cell;
    double rise, decay;  // increments of the slot's states
  };
  static constexpr std::uint32_t kNoRelease = 0xffffffffu;
  /// One receptor of one synapse.
  struct Target {
    std::uint32_t slot;
    std::uint32_t cell;
    double weight;
    double delay_ms;
    std::uint32_t release;  // index into releases_; the receptors of a synapse follow each other and share it
  };
  struct SynapseRelease {
    const network::Release* rule;
    std::uint64_t entity;
    network::ReleaseState state;
  };
  struct Arrays;

  void set_calcium_reversal(const std::vector<std::uint32_t>& nodes);
  void build_synapses(std::span<const GroupSynapse> synapses);
  void queue(std::int64_t step, std::int64_t first_step, const Event& event);
  void queue_within_step(const Target& target, double weight, double t_ms, std::int64_t first_step);
  void deliver(std::vector<Event>& events);
  void add_currents(std::size_t block);
  MembraneView view();

  const CellTemplate* type_;
  std::size_t cells_;
  std::size_t cost_ = 0;
  double dt_ms_;
  bool second_order_;
  std::unique_ptr<Arrays> arrays_;
  std::vector<std::unique_ptr<Mechanism>> mechanisms_;
  std::vector<std::vector<Mechanism*>> blocks_;  // those that sit in each block of nodes, in the order of mechanisms_

  // Adjacency: targets of sources_[i] are targets_[offsets_[i] .. offsets_[i+1]).
  std::vector<std::uint32_t> sources_;
  std::vector<std::uint32_t> offsets_;
  std::vector<Target> targets_;
  std::vector<SynapseRelease> releases_;
  std::uint64_t seed_;
  std::vector<std::vector<Event>> ring_;  // events by step modulo the ring's size
  std::vector<Injection> injections_;     // for the next step
  std::vector<Injection> injected_;       // in the last step
  struct Junction {
    std::uint32_t cell, node;
    double g_uS, V_partner_mV;
    std::optional<double> V_before_mV;  // the partner's, a step ago
  };
  std::vector<Junction> junctions_;
};

}  // namespace triscale::detailed

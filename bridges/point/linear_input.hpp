/// The synapses of a population's cells as their linear effect about an operating point.
///
/// A receptor carries I = g(t) B(V) (E - V) into the cell, B = 1 without magnesium. About the potential V of its
/// compartment and the mean conductance G = rate w int g dt,
///   an event injects         w k(t) B(V) (E - V)                      k: the time course of unit peak,
///   the mean shunts with     G [B(V) + B'(V) (V - E)]                 (Destexhe, Rudolph & Pare 2003, Nat Rev
///                                                                      Neurosci 4:739: the high-conductance state).
/// An event takes driving force from itself where it depolarises its own compartment, so its effect becomes
/// w / (1 + q w); q as in bridges/point/synapse_reduction.hpp. The conductance that shunts stays w. Short-term
/// plasticity enters with its mean at the rate of the source.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "bridges/cable/quasi_active.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

struct LinearReceptor {
  network::Receptor receptor;
  std::size_t synapse_type = 0;

  double driving_mV(double V_mV) const;  ///< B (E - V)
  double slope(double V_mV) const;       ///< B + B' (V - E)
};

struct LinearSynapse {
  std::uint32_t source = 0;  ///< population's first label + cell; see SourceLabels
  std::uint32_t node = 0;
  std::uint32_t receptor = 0;
  double weight_uS = 0;  ///< of the conductance's peak, times what its plasticity leaves
  double delay_ms = 0;
  double effect = 1;  ///< share of the current that saturation leaves
};

/// Numbers all cells of a circuit, virtual ones included.
class SourceLabels {
 public:
  explicit SourceLabels(const network::Circuit& circuit);
  std::uint32_t first(std::size_t population) const { return first_[population]; }
  std::size_t count() const { return first_.back(); }

 private:
  std::vector<std::uint32_t> first_;
};

class LinearInput {
 public:
  /// All conductance synapses onto the cells of `population`. rates_hz: of every source, by label.
  LinearInput(const network::Circuit& circuit, std::size_t population, const detailed::CompartmentTree& tree,
              std::span<const double> rates_hz);

  const std::vector<LinearReceptor>& receptors() const { return receptors_; }
  std::span<const LinearSynapse> onto(std::size_t cell) const {
    return {synapses_.data() + first_[cell], first_[cell + 1] - first_[cell]};
  }
  std::size_t size() const { return synapses_.size(); }
  /// Mean conductance of every node of a cell, uS, by the rates and the potentials of the nodes.
  std::vector<double> background_uS(std::size_t cell, std::span<const double> V_mV) const;
  /// Leaves of every event's effect what its own depolarisation does.
  void saturate(const QuasiActiveCell& cell, Channels channels);
  /// Gives every event the driving force at the potential that it meets, [receptor][node].
  void meet(std::vector<std::vector<double>> met_mV) { met_mV_ = std::move(met_mV); }
  /// What an event injects at the peak of its time course, with the nodes at V_mV unless meet() said otherwise.
  double current_nA(const LinearSynapse& synapse, std::span<const double> V_mV) const;

 private:
  std::vector<double> rates_hz_;
  std::vector<std::vector<double>> met_mV_;
  std::vector<LinearReceptor> receptors_;
  std::vector<LinearSynapse> synapses_;  ///< by target cell
  std::vector<std::size_t> first_;
};

}  // namespace triscale::bridges

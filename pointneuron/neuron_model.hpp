/// What a point-neuron model does in a step. One object holds all cells of a population, state by state.
///
/// Step k leads from k dt to (k+1) dt. Spikes lie on the grid: a cell that crosses its threshold within step k spikes
/// at (k+1) dt, so spike times are late by at most dt (first order), while the membrane potential between spikes is
/// second order. A refractory time is rounded to whole steps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "network/circuit.hpp"

namespace triscale::pointneuron {

/// Input of one step, indexed by cell.
struct StepInput {
  std::int64_t step = 0;
  std::span<const double> G_uS;   ///< mean synaptic conductance over the step
  std::span<const double> GE_nA;  ///< mean of sum g E_rev over the step
  std::span<const double> I_nA;   ///< mean injected current over the step
  std::span<double>
      arrivals_at_end;  ///< instantaneous synapses: events that arrive at the end of the step; to be cleared
};

/// The first cell whose state stopped being finite.
struct NonFinite {
  std::size_t cell = 0;
  std::string_view variable;
};

class NeuronModel {
 public:
  virtual ~NeuronModel() = default;

  /// Advances the cells [begin, end) and appends those that spike, ascending. Throws NonFinite. Calls on ranges that do
  /// not overlap may run at the same time.
  virtual void step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) = 0;

  /// Values of a recordable variable, one per cell; empty if the model has no such variable.
  virtual std::span<const double> variable(std::string_view name) const = 0;
};

/// Where a model's random numbers come from.
struct RandomAddress {
  std::uint64_t seed = 1;
  std::size_t population = 0;
};

std::unique_ptr<NeuronModel> make_neurons(const network::PointModel& model, std::size_t cells, double dt_ms,
                                          RandomAddress random);

/// Names of the variables that a probe can record from this model besides "g", the sum of a cell's conductances.
std::span<const std::string_view> recordable(const network::PointModel& model);

/// t_ref in whole steps, rounded to the nearest.
std::int32_t refractory_steps(double t_ref_ms, double dt_ms);

}  // namespace triscale::pointneuron

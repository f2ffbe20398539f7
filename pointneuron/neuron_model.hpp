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

#include "core/isa.hpp"
#include "network/circuit.hpp"

namespace triscale::pointneuron {

/// Numbers of events of a private Poisson drive in one step, all of one weight.
struct DriveCounts {
  const std::uint16_t* counts = nullptr;  ///< of the cells from range_begin on
  double weight = 0;
};

/// Events that arrive at one kind of synapse in one step, as the deliveries hand them over: exact sums of integers in
/// units of a weight (from range_begin on), doubles (indexed by cell), and counts. To be cleared by who reads them.
struct Arrivals {
  std::int32_t* narrow = nullptr;
  double narrow_unit = 0;
  std::int64_t* wide = nullptr;
  double wide_unit = 0;
  double* doubles = nullptr;
  std::span<const DriveCounts> drives;

  /// Adds all but the narrow sums of the cells [begin, end) to events[0 ...], and clears them.
  void add_doubles(std::size_t begin, std::size_t end, std::size_t range_begin, double* events) const;
};

/// Input of one step, indexed by cell.
struct StepInput {
  std::int64_t step = 0;
  std::span<const double> G_uS;   ///< mean synaptic conductance over the step; empty: no conductance synapses
  std::span<const double> GE_nA;  ///< mean of sum g E_rev over the step; empty likewise
  /// The same of synapses that act at the soma of a model with a dendrite, and are not in G_uS then; empty: none.
  std::span<const double> G_soma_uS{}, GE_soma_nA{};
  std::span<const double> I_nA;  ///< injected and synaptic current of the step (current_receptors.hpp)
  /// Delta synapses: what V jumps by at the end of the step, unless the cell is refractory. Instantaneous synapses: the
  /// events of that moment. Empty: none of these.
  std::span<const double> arrivals_at_end;
  // For LifNeurons, which integrates its current synapses itself:
  std::size_t part = 0;                  ///< which of the ranges that are stepped at the same time this is
  std::size_t range_begin = 0;           ///< where that range begins
  std::span<const Arrivals> arrivals{};  ///< [synapse]; of a delta synapse those at the end of the step
  double uniform_I_nA = 0;               ///< injected current of all cells, if I_nA is empty
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

  /// The potential that the synapses see, one value per cell.
  virtual std::span<const double> synaptic_potential() const { return variable("v"); }

  /// Whether synapses at the soma are different from others.
  virtual bool has_dendrite() const { return false; }

  /// Sets the membrane potential at the start, one value per cell.
  virtual void set_potential(std::span<const double> V_mV) = 0;

  /// g_L / C_m of a model whose membrane is linear between spikes, else 0: the weight with which the current of a step
  /// is averaged.
  virtual double membrane_rate_per_ms() const { return 0; }

  /// Sum of the synaptic currents of a cell, nA, of a model that integrates them itself.
  virtual double synaptic_current_nA(std::size_t /*cell*/) const { return 0; }
};

/// Where a model's random numbers come from.
struct RandomAddress {
  std::uint64_t seed = 1;
  std::size_t population = 0;
};

/// What else a model needs to know; the currents are for models with current synapses.
struct NeuronSetup {
  std::size_t cells = 0;
  double dt_ms = 0.1;
  RandomAddress random;
  std::span<const network::CurrentSynapse> currents{};
  std::size_t parts = 1;  ///< ranges of cells that are stepped at the same time
  core::Isa isa = core::Isa::baseline;
  bool has_conductances = false;
};

std::unique_ptr<NeuronModel> make_neurons(const network::PointModel& model, const NeuronSetup& setup);

/// Whether cells of this model with these synapses are stepped by LifNeurons, which takes its events itself.
bool is_plain_lif(const network::PointModel& model, bool has_conductances);

/// Names of the variables that a probe can record from this model besides "g" and "i_syn", the sums of a cell's
/// synaptic conductances and currents.
std::span<const std::string_view> recordable(const network::PointModel& model);

/// t_ref in whole steps, rounded to the nearest.
std::int32_t refractory_steps(double t_ref_ms, double dt_ms);

}  // namespace triscale::pointneuron

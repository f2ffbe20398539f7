/// Leaky integrate-and-fire neuron with current synapses, integrated exactly (Rotter & Diesmann 1999, Biol Cybern
/// 81:381; the models that NEST calls iaf_psc_exp, iaf_psc_alpha and iaf_psc_delta).
///
///     C_m dV/dt = -g_L (V - E_L) + sum_s I_s + I_ext
///     exponential:  dI/dt = -I / tau;                          an event of weight w (nA) adds w to I
///     alpha:        dI/dt = -I / tau + x,  dx/dt = -x / tau;   an event adds w e / tau to x, so that I peaks at w
///     delta:        an event of weight w (mV) adds w to V, unless the cell is refractory
///     V >= V_threshold at the end of a step:  spike;  V = V_reset for t_ref
///
/// | parameter      | default | unit | symbol  |                                              |
/// |----------------|---------|------|---------|----------------------------------------------|
/// | C_m_nF         | 0.25    | nF   | C_m     | membrane capacitance                         |
/// | g_L_uS         | 0.025   | uS   | g_L     | leak conductance; tau_m = C_m / g_L          |
/// | E_L_mV         | -65     | mV   | E_L     | leak reversal potential                      |
/// | V_reset_mV     | -65     | mV   | V_reset | potential during and after refractoriness    |
/// | t_ref_ms       | 2       | ms   | t_ref   | absolute refractory time, in whole steps     |
/// | V_threshold_mV | -50     | mV   | V_th    | threshold                                    |
///
/// Integration: the equations are linear, so a step is a multiplication with the matrix exponential. Its entries have
/// removable singularities where tau = tau_m; they are evaluated as divided differences of the exponential that stay
/// accurate there. I_ext is replaced by its mean over the step. Currents keep evolving during refractoriness. Events of
/// a delta synapse that arrive at the end of a step count for the threshold there.
///
/// V starts at E_L, or as Population::V_init_mV says. Cells that have conductance synapses are integrated as GIF
/// neurons without kernels and noise (gif.hpp). Recordable: v (mV).
#pragma once

#include <array>
#include <vector>

#include "core/isa.hpp"
#include "pointneuron/neuron_model.hpp"

namespace triscale::pointneuron {

/// Exact step of one current synapse: entries of exp(A dt), states (V, I, x).
struct CurrentPropagator {
  CurrentPropagator(const network::CurrentSynapse& synapse, const network::LifModel& model, double dt_ms);

  network::CurrentSynapse::Shape shape;
  double kick = 1;      ///< what an event of weight 1 adds to I (exponential), x (alpha) or V (delta)
  double I_from_I = 0;  ///< also x_from_x
  double I_from_x = 0;
  double V_from_I = 0, V_from_x = 0;
};

/// (exp(-a t) - exp(-b t)) / (b - a), the solution at t of dy/dt = -b y + exp(-a t); exact also where a = b.
double difference_of_decays(double a, double b, double t);

class LifNeurons : public NeuronModel {
 public:
  static constexpr std::array<std::string_view, 1> kVariables{"v"};

  LifNeurons(const network::LifModel& model, const NeuronSetup& setup);

  void step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) override;
  std::span<const double> variable(std::string_view name) const override;
  void set_potential(std::span<const double> V_mV) override;
  double synaptic_current_nA(std::size_t cell) const override;

 private:
  /// A refractory cell and the last step in which it is held.
  struct Held {
    std::uint32_t cell;
    std::int64_t last_step;
  };
  struct Queue {
    std::vector<Held> cells;  ///< in the order of release
    std::size_t first = 0;
  };
  bool is_simple(const StepInput& input) const;
  void run_block(std::size_t begin, std::size_t end, const StepInput& input, double* V_input);
  void collect_spikes(std::size_t begin, std::size_t end, std::int64_t step, std::vector<std::uint32_t>& spikes) const;
  void check_finite(std::size_t begin, std::size_t end) const;

  network::LifModel model_;
  std::vector<CurrentPropagator> synapses_;
  std::size_t cells_;
  core::Isa isa_;
  std::int32_t refractory_steps_;
  double V_from_V_, V_from_current_;  ///< the latter per nA of a constant current
  std::vector<double> V_mV_;
  std::vector<double> I_nA_, x_;          ///< [synapse][cell]; x of alpha synapses only
  std::vector<std::int64_t> held_until_;  ///< last step in which the cell is refractory
  std::vector<Queue> queues_;             ///< [part]
};

}  // namespace triscale::pointneuron

/// The generalised leaky integrate-and-fire neurons GLIF 1 to 5 of the Allen Institute (Teeter et al. 2018, Nature
/// Communications 9:709; Mihalas & Niebur 2009, Neural Computation 21:704), with synapses of any kind.
///
///     C_m dV/dt      = -g_L (V - E_L) - sum_s g_s (V - E_s) + I_syn + I_ext + sum_j I_j
///     dI_j/dt        = -I_j / tau_j
///     dtheta_s/dt    = -theta_s / tau_s
///     dtheta_v/dt    = a_v (V - E_L) - theta_v / tau_v
///     V > V_threshold + theta_s + theta_v at the end of a step:  spike; t_ref later
///         V       = V_reset + f (V_before - E_L)
///         I_j     = A_j + kept_j I_j exp(-t_ref / tau_j)
///         theta_s = theta_s exp(-t_ref / tau_s) + delta_theta_s,     theta_v stays
///
/// V_before is the potential at the beginning of the step that crosses the threshold. Spike rules act at the spike and
/// hold V, I_j and the threshold until t_ref is over, so what a probe sees within t_ref is their value at its end.
///
/// | GLIF | has                                     | f, delta_theta_s | A_j  | a_v  |
/// |------|-----------------------------------------|------------------|------|------|
/// | 1    | leaky integrate and fire                | 0                | none | 0    |
/// | 2    | reset rules                             | yes              | none | 0    |
/// | 3    | after-spike currents                    | 0                | yes  | 0    |
/// | 4    | reset rules, after-spike currents       | yes              | yes  | 0    |
/// | 5    | ... and a threshold that follows V      | yes              | yes  | yes  |
///
/// | parameter                | default | unit | symbol        |                                                   |
/// |--------------------------|---------|------|---------------|---------------------------------------------------|
/// | C_m_nF                   | 0.06    | nF   | C_m           | membrane capacitance                              |
/// | g_L_uS                   | 0.01    | uS   | g_L           | leak conductance                                  |
/// | E_L_mV                   | -78     | mV   | E_L           | leak reversal potential                           |
/// | V_reset_mV               | -78     | mV   | V_reset       | reset; the reference files' E_L + b_reset         |
/// | reset_fraction           | 0       |      | f             | share of V_before - E_L that stays                |
/// | V_threshold_mV           | -50     | mV   | V_threshold   | threshold at rest, long after the last spike      |
/// | t_ref_ms                 | 3       | ms   | t_ref         | absolute refractory time, in whole steps          |
/// | after_spike_currents     | none    | nA   | A_j, tau_j    | with kept_j and the current at the start          |
/// | threshold_jump_mV        | 0       | mV   | delta_theta_s | at a spike                                        |
/// | threshold_jump_tau_ms    | 100     | ms   | tau_s         |                                                   |
/// | threshold_voltage_per_ms | 0       | 1/ms | a_v           |                                                   |
/// | threshold_voltage_tau_ms | 10      | ms   | tau_v         |                                                   |
///
/// Integration: exact for currents that are constant over the step, the after-spike currents by their mean; with
/// conductances, those are replaced by their means (second order). theta_v follows the V of that same step exactly.
///
/// Recordable: v (mV), threshold (mV), i_after_spike (nA, the sum of I_j).
#pragma once

#include <array>

#include "core/isa.hpp"
#include "pointneuron/neuron_model.hpp"

namespace triscale::pointneuron {

class GlifNeurons : public NeuronModel {
 public:
  static constexpr std::array<std::string_view, 3> kVariables{"v", "threshold", "i_after_spike"};

  GlifNeurons(const network::GlifModel& model, const NeuronSetup& setup);

  void step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) override;
  std::span<const double> variable(std::string_view name) const override;
  void set_potential(std::span<const double> V_mV) override { V_mV_.assign(V_mV.begin(), V_mV.end()); }
  double membrane_rate_per_ms() const override { return model_.g_L_uS / model_.C_m_nF; }

 private:
  /// What a step does to an after-spike current.
  struct Decay {
    double step = 0, mean = 0, refractory = 0, amplitude = 0;
  };
  /// Of a step, in the model's symbols.
  struct Constants {
    Constants(const network::GlifModel& model, double dt_ms);
    double g_L, per_g_L, C, E_L, h, h_over_C, kept, from_J, rest, jump_decay;
    double a_v, theta_v_rate, theta_v_kept, theta_v_from_constant, theta_v_from_V;
  };
  enum class Threshold { stays, jumps, follows };  ///< what moves it; one that follows V jumps, too
  struct Cells;                                    ///< pointers to what a loop works on
  template <int kCurrents, bool kFirst>
  static void add_currents(const Cells& cells, const Decay* decays, double* state, std::size_t stride, std::size_t n);
  void add_after_spike_currents(const Cells& cells, std::size_t n);
  template <bool kConductances, Threshold kThreshold>
  static void move_cells(const Constants& constants, const Cells& cells, std::size_t n);
  void move(const Cells& cells, std::size_t n) const;
  void fire(std::size_t cell, double V_before_mV);
  void find_spikes(std::size_t from, const Cells& cells, std::size_t n, std::vector<std::uint32_t>& spikes);

  network::GlifModel model_;
  std::size_t cells_;
  core::Isa isa_;
  Threshold threshold_;
  Constants constants_;
  double jump_refractory_decay_;
  double refractory_;  ///< steps, as a number that loops can compare with others
  std::vector<Decay> decays_;
  std::vector<double> V_mV_, threshold_mV_, theta_jump_mV_, theta_voltage_mV_, I_sum_nA_;
  std::vector<double> left_;            ///< refractory steps left
  std::vector<double> after_spike_nA_;  ///< [current][cell]
};

}  // namespace triscale::pointneuron

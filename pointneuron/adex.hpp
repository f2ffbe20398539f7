/// Adaptive exponential integrate-and-fire neuron with synapses of any kind (Brette & Gerstner 2005, J Neurophysiol
/// 94:3637).
///
///     C_m dV/dt   = -g_L (V - E_L) + g_L Delta_T exp((V - V_T) / Delta_T) - w - sum_s g_s (V - E_s) + I_syn + I_ext
///     tau_w dw/dt = a (V - E_L) - w
///     V >= V_peak:  spike;  V = V_reset for t_ref;  w = w + b
///
/// V starts at E_L and w at 0. During t_ref w keeps evolving with V = V_reset.
///
/// | parameter  | default | unit | symbol  |                                            |
/// |------------|---------|------|---------|--------------------------------------------|
/// | C_m_nF     | 0.2     | nF   | C_m     | membrane capacitance                       |
/// | g_L_uS     | 0.01    | uS   | g_L     | leak conductance                           |
/// | E_L_mV     | -70     | mV   | E_L     | leak reversal potential                    |
/// | V_T_mV     | -50     | mV   | V_T     | where the exponential current takes over   |
/// | Delta_T_mV | 2       | mV   | Delta_T | sharpness of spike initiation, > 0         |
/// | V_peak_mV  | 0       | mV   | V_peak  | a spike is counted here                    |
/// | V_reset_mV | -60     | mV   | V_reset | potential during and after refractoriness  |
/// | t_ref_ms   | 2       | ms   | t_ref   | refractory time                            |
/// | a_uS       | 0       | uS   | a       | subthreshold adaptation                    |
/// | b_nA       | 0       | nA   | b       | spike-triggered adaptation                 |
/// | tau_w_ms   | 100     | ms   | tau_w   | time constant of adaptation                |
///
/// Integration: exponential midpoint rule (Hochbruck & Ostermann 2010, Acta Numerica 19:209). The linear part, with the
/// conductances and currents replaced by their exact means over the step, is solved exactly; the exponential current
/// and w are taken at the middle of the step, which a half step with their values at its beginning predicts. Second
/// order. The exponential of the middle is that of the beginning times e^(change / Delta_T), by a series for changes up
/// to a quarter of Delta_T (relative error below 4e-13). Where V moves farther, or the exponential current alone would
/// move V by more than a tenth of Delta_T in a step, the step is done in ten pieces, or the upstroke would be later
/// than the grid makes a spike anyway; such cells are few and are worked on together. The exponential is never
/// evaluated above V_peak, so the upstroke cannot overflow. With Delta_T = 0 there is no exponential current, and
/// V_peak is the threshold.
///
/// Recordable: v (mV), w (nA).
#pragma once

#include <array>

#include "pointneuron/neuron_model.hpp"

namespace triscale::pointneuron {

class AdExNeurons : public NeuronModel {
 public:
  static constexpr std::array<std::string_view, 2> kVariables{"v", "w"};

  AdExNeurons(const network::AdExModel& model, const NeuronSetup& setup);

  void step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) override;
  std::span<const double> variable(std::string_view name) const override;
  void set_potential(std::span<const double> V_mV) override { V_mV_.assign(V_mV.begin(), V_mV.end()); }

 private:
  /// A length of time: decay of w over it and its half, and the factors of a constant current where there are no
  /// conductances.
  struct Piece {
    Piece() = default;
    Piece(double length_ms, const network::AdExModel& model);
    double h_over_C, w_decay, w_decay_half, phi, phi_half;
  };
  /// What the loops need to know of the model.
  struct Constants {
    double exponential_nA, V_T, per_Delta, V_peak, V_reset, E_L, a;
    Piece whole, fine;
    double most_exponential_nA;  ///< that a whole step takes
  };
  struct Cells;  ///< pointers to what a loop works on
  template <bool kConductances>
  static void move(const Constants& c, const Piece& piece, double G, double J, double& V, double& w);
  static double exponential_nA(const Constants& c, double V_mV);
  template <bool kConductances>
  static void step_whole(const Constants& c, const Cells& cells, std::size_t n);
  template <bool kConductances>
  static void step_fine(const Constants& c, const Cells& cells, std::size_t n);
  /// A cell in its upstroke, with what acts on it.
  struct Rising {
    std::uint32_t cell;
    double G_uS, J_nA;
  };
  template <bool kConductances>
  void step_block(std::size_t from, std::size_t n, const StepInput& input, std::vector<Rising>& rising);
  template <bool kConductances>
  void step_rising(std::span<const Rising> rising);
  void fire(std::size_t from, std::size_t n, const StepInput& input, std::vector<std::uint32_t>& spikes);
  template <bool kConductances>
  void step_all(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes);

  network::AdExModel model_;
  core::Isa isa_;
  Constants constants_;
  double refractory_;  ///< steps, as a number that loops can compare with others
  std::vector<double> V_mV_, w_nA_;
  std::vector<double> left_;                 ///< refractory steps left
  std::vector<std::vector<Rising>> rising_;  ///< [part]
};

}  // namespace triscale::pointneuron

/// Izhikevich's simple model (Izhikevich 2007, Dynamical Systems in Neuroscience, ch. 8; 2003, IEEE Trans Neural Netw
/// 14:1569), with synapses of any kind.
///
///     C_m dV/dt = k (V - V_rest) (V - V_T) - u - sum_s g_s (V - E_s) + I
///     du/dt     = a (b (V - V_rest) - u)
///     V >= V_peak:  spike;  V = c;  u = u + d
///
/// | parameter   | default | unit  | symbol |                                                     |
/// |-------------|---------|-------|--------|-----------------------------------------------------|
/// | C_m_nF      | 0.1     | nF    | C      | capacitance                                         |
/// | k_uS_per_mV | 0.0007  | uS/mV | k      | steepness; the book's k in nS/mV over 1000          |
/// | V_rest_mV   | -60     | mV    | v_r    | resting potential                                   |
/// | V_T_mV      | -40     | mV    | v_t    | instantaneous threshold                             |
/// | V_peak_mV   | 35      | mV    | v_peak | cut-off of the spike                                |
/// | c_mV        | -50     | mV    | c      | reset                                               |
/// | a_per_ms    | 0.03    | 1/ms  | a      | rate of recovery                                    |
/// | b_uS        | -0.002  | uS    | b      | sensitivity of u to V                               |
/// | d_nA        | 0.1     | nA    | d      | jump of u at a spike                                |
/// | u_init_nA   | 0       | nA    |        | u at the start                                      |
///
/// The default is the book's regular spiking cell. The form of 2003, V' = 0.04 V^2 + 5 V + 140 - u + I and u' = a (b V
/// - u), is this one with C_m 0.001 nF, k 4e-5 uS/mV, V_rest the lower root of 0.04 V^2 + (5 - b) V + 140 (-70 for b =
/// 0.2), V_T = -125 - V_rest, V_peak 30, b/1000 and d/1000 in place of b and d, currents in pA; its u is ours + b
/// V_rest.
///
/// Integration: with u and the mean input fixed, V obeys a Riccati equation with constant coefficients. With y = V + B
/// / (2 A) of V' = A V^2 + B V + D it is y' = A y^2 + q, whose solution over h is
///     y(h) = (y + q T) / (1 - A y T),   T = tan(sqrt(A q) h) / sqrt(A q)   (tanh for A q < 0),
/// so the upstroke needs no small steps: a pole within the step is a spike. u is taken at the middle of the step, as a
/// half step predicts it, and relaxes towards the V of the middle (exponential midpoint rule, second order). A spike
/// falls on the end of its step. T is a power series of A q h^2 where that is small, which it hardly ever is not.
///
/// Recordable: v (mV), u (nA).
#pragma once

#include <array>

#include "pointneuron/neuron_model.hpp"

namespace triscale::pointneuron {

/// Solution after h of y' = A y^2 + B y + D, A > 0; infinity if it passes a pole before.
double riccati_step(double y, double A, double B, double D, double h);

class IzhikevichNeurons : public NeuronModel {
 public:
  static constexpr std::array<std::string_view, 2> kVariables{"v", "u"};

  IzhikevichNeurons(const network::IzhikevichModel& model, const NeuronSetup& setup);

  void step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) override;
  std::span<const double> variable(std::string_view name) const override;
  void set_potential(std::span<const double> V_mV) override { V_mV_.assign(V_mV.begin(), V_mV.end()); }

 private:
  struct Cells;  ///< pointers to what a loop works on
  struct Constants {
    double A, per_k, V_rest, V_T, V_peak, b, h, per_C, kept, kept_half;
  };
  struct Parabola;
  struct Tangents;
  template <bool kSeries>
  static Tangents tangents(const Constants& c, const Parabola& p);
  static void move(const Constants& c, const Parabola& p, double T_1, double T_2, double& V, double& u);
  void step_some(std::size_t from, const Cells& cells, std::size_t n, std::vector<std::uint32_t>& spikes);

  network::IzhikevichModel model_;
  core::Isa isa_;
  Constants constants_;
  std::vector<double> V_mV_, u_nA_;
};

}  // namespace triscale::pointneuron

/// Generalised integrate-and-fire neuron with synapses of any kind (Mensi et al. 2012, J Neurophysiol 107:1756;
/// Pozzorini et al. 2015, PLoS Comput Biol 11:e1004275). The leaky integrate-and-fire neuron is the case without
/// kernels and noise.
///
///     C_m dV/dt = -g_L (V - E_L) - sum_s g_s (V - E_s) + I_syn + I_ext
///                 - sum_k eta_k - sum_k h_k (V - V_reset) - sum_k w_k
///     V_T = V_T* + sum_k gamma_k + sum_k theta_k
///     Delta_V = 0:  spike when F >= V_T
///     Delta_V > 0:  spike with probability 1 - exp(-lambda dt),  lambda = lambda_0 exp((F - V_T) / Delta_V)
///     tau_F dF/dt = V - F                                          F = V without V_filter_ms
///
/// After a spike V is held at V_reset, and F with it, for t_ref; at the end of t_ref every eta_k, h_k and gamma_k grows
/// by its amplitude, and decays exponentially from there. V starts at E_L. The conductances h_k are those of the
/// channels that end a spike, which shunt the membrane while they pull it down.
///
/// The potential may activate currents w_k and move the threshold by theta_k (none by default; sources:
/// pointneuron/rectified.hpp):
///
///     tau_k dw_k/dt = g_k max(0, V - V_k) - w_k,     tau_k dtheta_k/dt = a_k max(0, V - V_k) - theta_k
///
/// with tau_k = 0 for a current or a threshold that follows at once. They start in the state of a potential that has
/// not moved, and see V_reset during refractoriness.
///
/// With a dendrite the conductances g_s act there, not at V, unless their receptor is at_soma, and it is coupled to V
/// (pointneuron/dendrite.hpp). All currents act at V. D starts at V.
///
/// | parameter      | default | unit | symbol    |                                                          |
/// |----------------|---------|------|-----------|----------------------------------------------------------|
/// | C_m_nF         | 0.1     | nF   | C_m       | membrane capacitance                                     |
/// | g_L_uS         | 0.005   | uS   | g_L       | leak conductance                                         |
/// | E_L_mV         | -70     | mV   | E_L       | leak reversal potential                                  |
/// | V_reset_mV     | -70     | mV   | V_reset   | potential during and after refractoriness                |
/// | t_ref_ms       | 2       | ms   | t_ref     | absolute refractory time                                 |
/// | V_threshold_mV | -50     | mV   | V_T*      | threshold long after the last spike                      |
/// | Delta_V_mV     | 0       | mV   | Delta_V   | softness of the threshold; 0: hard                       |
/// | lambda_0_Hz    | 1       | Hz   | lambda_0  | rate at threshold; unused when the threshold is hard     |
/// | eta_nA         | none    | nA   | eta_k     | spike-triggered currents, positive hyperpolarises        |
/// | eta_uS         | none    | uS   | h_k       | spike-triggered conductances, to V_reset                 |
/// | gamma_mV       | none    | mV   | gamma_k   | spike-triggered threshold movements                      |
/// | currents       | none    | uS, mV, ms | g_k, V_k, tau_k | currents that the potential activates          |
/// | threshold_follows | none | 1, mV, ms  | a_k, V_k, tau_k | movements of the threshold by the potential    |
/// | V_filter_ms    | 0       | ms   | tau_F     | low-pass in front of the threshold                       |
/// | dendrite       | none    | nF, uS, mV | C_d, g_d, g_c, g_spike, E_spike | second compartment           |
///
/// Integration: over a step the conductances and currents are replaced by their exact means, and the then linear
/// equation is solved exactly (the first term of the Magnus expansion; Hochbruck & Ostermann 2010, Acta Numerica
/// 19:209): exact for constant input, second order otherwise, stable for any dt. With currents at once the equation is
/// piecewise linear and solved exactly too; with a dendrite, with the slope at the beginning of the step. Low-passes
/// take V as linear during the step: second order. The escape rate is taken at the end of the step.
///
/// Recordable: v (mV), v_dendrite (mV; v if there is none), threshold (mV), i_eta (nA, the sum of the spike-triggered
/// currents).
#pragma once

#include <array>

#include "core/random.hpp"
#include "pointneuron/dendrite.hpp"
#include "pointneuron/neuron_model.hpp"
#include "pointneuron/rectified.hpp"

namespace triscale::pointneuron {

class GifNeurons : public NeuronModel {
 public:
  static constexpr std::array<std::string_view, 4> kVariables{"v", "threshold", "i_eta", "v_dendrite"};

  GifNeurons(const network::GifModel& model, const NeuronSetup& setup);

  void step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) override;
  std::span<const double> variable(std::string_view name) const override;
  void set_potential(std::span<const double> V_mV) override;
  bool has_dendrite() const override { return model_.dendrite.has_value(); }
  std::span<const double> synaptic_potential() const override { return D_mV_.empty() ? V_mV_ : D_mV_; }
  double membrane_rate_per_ms() const override { return model_.g_L_uS / model_.C_m_nF; }

 private:
  /// Exponential kernels of one kind.
  struct Kernels {
    struct Step {
      double amplitude, decay, mean;  ///< mean over a step of a kernel that is 1 at its beginning
    };
    std::vector<Step> steps;
    std::vector<double> state;  ///< [kernel][cell]
  };
  /// Quantities that follow the potential.
  struct Followers {
    struct Step {
      Rectifier target;
      LowPass low_pass;
    };
    std::vector<Step> steps;
    std::vector<double> state;  ///< [follower][cell]
  };
  static Kernels make_kernels(const std::vector<network::ExponentialKernel>& kernels, std::size_t cells, double dt_ms);
  void decay_kernels(std::size_t begin, std::size_t end);
  void integrate(std::size_t begin, std::size_t end, const StepInput& input);
  /// The same with a dendrite and currents that V activates, and then all that follows V.
  void integrate_bent(std::size_t begin, std::size_t end, const StepInput& input);
  /// As if V had always been there.
  void settle();
  void leave_refractoriness(std::size_t cell);
  void find_firing(std::size_t from, std::size_t n, std::int64_t step, double* fires) const;
  void hold_refractory(std::size_t begin, std::size_t end);
  void check_finite(std::size_t begin, std::size_t end) const;

  network::GifModel model_;
  double dt_ms_;
  std::size_t cells_;
  std::int32_t refractory_steps_;
  std::vector<double> V_mV_, threshold_mV_, I_eta_nA_, I_eta_mean_nA_;
  std::vector<std::int32_t> refractory_;  ///< steps left
  Kernels eta_, eta_conductance_, gamma_;
  bool is_bent_;
  BentMembrane membrane_;
  LowPass filter_;
  Followers slow_currents_, threshold_;
  DendriteStep dendrite_;
  std::vector<double> D_mV_;  ///< empty without dendrite
  std::vector<double> F_mV_;  ///< low-passed V; empty without V_filter_ms
  RandomAddress random_;
  core::Isa isa_;
  double log_rate_per_step_ = 0;  ///< log(lambda_0 dt)
};

}  // namespace triscale::pointneuron

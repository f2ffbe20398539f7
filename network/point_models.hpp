/// Parameters of the point-neuron models. Plain data; the equations stand where they are integrated
/// (pointneuron/<model>.hpp).
///
/// A model is a structure with
///   kName          its name in files;
///   fields(v)      its keys in files, each once: v(key, value) must be given, v.optional(key, value) may be left out;
///   check(rules)   what its values must fulfil.
/// A new model is such a structure and a place in the list PointModel, and a class that integrates it, which stands in
/// the list of pointneuron/neuron_model.cpp.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

namespace triscale::network {

/// One exponential component of a spike-triggered effect: amplitude (unit of its owner) and time constant.
struct ExponentialKernel {
  double amplitude = 0;
  double tau_ms = 1;
};

/// Generalised integrate-and-fire neuron (Mensi et al. 2012; Pozzorini et al. 2015). Equations: pointneuron/gif.hpp.
/// A leaky integrate-and-fire neuron is the special case without kernels and without escape noise. What the published
/// model does not have is off by default: currents that the potential activates, and a threshold that follows it.
struct GifModel {
  static constexpr std::string_view kName = "gif";
  /// An outward current that grows with V above a potential: at once, or with a delay (tau_ms > 0).
  struct RectifiedCurrent {
    double g_uS = 0;  ///< slope; negative: an inward current
    double above_mV = 0;
    double tau_ms = 0;
    template <class V>
    void fields(V& v) {
      v("g_uS", g_uS);
      v("above_mV", above_mV);
      v.optional("tau_ms", tau_ms);
    }
  };
  /// A movement of the threshold that grows with V above a potential: at once, or with a delay (tau_ms > 0).
  struct RectifiedThreshold {
    double slope = 0;  ///< mV per mV
    double above_mV = 0;
    double tau_ms = 0;
    template <class V>
    void fields(V& v) {
      v("slope", slope);
      v("above_mV", above_mV);
      v.optional("tau_ms", tau_ms);
    }
  };
  /// A second compartment, in which the synaptic conductances are.
  struct Dendrite {
    double C_nF = 0.1;
    double g_L_uS = 0.005;
    double coupling_uS = 0.05;        ///< to the soma
    double spike_coupling_uS = 0.05;  ///< in place of it during t_ref, to a soma at spike_E_mV
    double spike_E_mV = -70;
    template <class V>
    void fields(V& v) {
      v("C_nF", C_nF);
      v("g_L_uS", g_L_uS);
      v("coupling_uS", coupling_uS);
      v("spike_coupling_uS", spike_coupling_uS);
      v("spike_E_mV", spike_E_mV);
    }
  };
  double C_m_nF = 0.1;
  double g_L_uS = 0.005;
  double E_L_mV = -70;
  double V_reset_mV = -70;
  double t_ref_ms = 2;                      ///< absolute refractory time; V is held at V_reset
  double V_threshold_mV = -50;              ///< baseline V_T*
  double Delta_V_mV = 0;                    ///< softness of the threshold; 0: deterministic threshold crossing
  double lambda_0_Hz = 1;                   ///< escape rate at V = threshold; unused when Delta_V_mV is 0
  std::vector<ExponentialKernel> eta_nA;    ///< spike-triggered current (positive hyperpolarises), starts after t_ref
  std::vector<ExponentialKernel> eta_uS;    ///< spike-triggered conductance to V_reset_mV, likewise
  std::vector<ExponentialKernel> gamma_mV;  ///< spike-triggered movement of the threshold, starts after t_ref
  std::vector<RectifiedCurrent> currents;   ///< that the potential activates
  std::vector<RectifiedThreshold> threshold_follows;  ///< movements of the threshold by the potential
  double V_filter_ms = 0;  ///< low-pass of the potential that is compared with the threshold; 0: none
  std::optional<Dendrite> dendrite{};

  template <class V>
  void fields(V& v) {
    v("C_m_nF", C_m_nF);
    v("g_L_uS", g_L_uS);
    v("E_L_mV", E_L_mV);
    v("V_reset_mV", V_reset_mV);
    v("V_threshold_mV", V_threshold_mV);
    v.optional("t_ref_ms", t_ref_ms);
    v.optional("Delta_V_mV", Delta_V_mV);
    v.optional("lambda_0_Hz", lambda_0_Hz);
    v.kernels("eta", "amplitude_nA", eta_nA);
    v.kernels("eta_conductance", "amplitude_uS", eta_uS);
    v.kernels("gamma", "amplitude_mV", gamma_mV);
    v.optional_objects("currents", currents);
    v.optional_objects("threshold_follows", threshold_follows);
    v.optional("V_filter_ms", V_filter_ms);
    v.optional_object("dendrite", dendrite);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.positive("C_m_nF", C_m_nF);
    rules.positive("g_L_uS", g_L_uS);
    rules.finite("E_L_mV", E_L_mV);
    rules.finite("V_reset_mV", V_reset_mV);
    rules.not_negative("t_ref_ms", t_ref_ms);
    rules.finite("V_threshold_mV", V_threshold_mV);
    rules.not_negative("Delta_V_mV", Delta_V_mV);
    rules.positive("lambda_0_Hz", lambda_0_Hz);
    rules.require(Delta_V_mV > 0 || V_reset_mV < V_threshold_mV, "V_reset_mV", V_reset_mV,
                  "must lie below V_threshold_mV when Delta_V_mV is 0",
                  "the neuron would fire again at once, for ever");
    rules.kernels("eta_nA", eta_nA);
    rules.kernels("eta_uS", eta_uS);
    for (const ExponentialKernel& kernel : eta_uS) rules.not_negative("eta_uS.amplitude", kernel.amplitude);
    rules.kernels("gamma_mV", gamma_mV);
    for (const RectifiedCurrent& current : currents) {
      rules.finite("currents.g_uS", current.g_uS);
      rules.finite("currents.above_mV", current.above_mV);
      rules.not_negative("currents.tau_ms", current.tau_ms);
    }
    for (const RectifiedThreshold& movement : threshold_follows) {
      rules.finite("threshold_follows.slope", movement.slope);
      rules.finite("threshold_follows.above_mV", movement.above_mV);
      rules.not_negative("threshold_follows.tau_ms", movement.tau_ms);
    }
    rules.not_negative("V_filter_ms", V_filter_ms);
    if (dendrite) {
      rules.positive("dendrite.C_nF", dendrite->C_nF);
      rules.not_negative("dendrite.g_L_uS", dendrite->g_L_uS);
      rules.positive("dendrite.coupling_uS", dendrite->coupling_uS);
      rules.not_negative("dendrite.spike_coupling_uS", dendrite->spike_coupling_uS);
      rules.finite("dendrite.spike_E_mV", dendrite->spike_E_mV);
    }
  }
};

/// Adaptive exponential integrate-and-fire neuron (Brette & Gerstner 2005). Equations: pointneuron/adex.hpp.
struct AdExModel {
  static constexpr std::string_view kName = "adex";
  double C_m_nF = 0.2;
  double g_L_uS = 0.01;
  double E_L_mV = -70;
  double V_T_mV = -50;
  double Delta_T_mV = 2;
  double V_peak_mV = 0;
  double V_reset_mV = -60;
  double t_ref_ms = 2;
  double a_uS = 0;
  double b_nA = 0;
  double tau_w_ms = 100;

  template <class V>
  void fields(V& v) {
    v("C_m_nF", C_m_nF);
    v("g_L_uS", g_L_uS);
    v("E_L_mV", E_L_mV);
    v("V_T_mV", V_T_mV);
    v("Delta_T_mV", Delta_T_mV);
    v("V_peak_mV", V_peak_mV);
    v("V_reset_mV", V_reset_mV);
    v.optional("t_ref_ms", t_ref_ms);
    v.optional("a_uS", a_uS);
    v.optional("b_nA", b_nA);
    v.optional("tau_w_ms", tau_w_ms);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.positive("C_m_nF", C_m_nF);
    rules.positive("g_L_uS", g_L_uS);
    rules.finite("E_L_mV", E_L_mV);
    rules.finite("V_T_mV", V_T_mV);
    rules.not_negative("Delta_T_mV", Delta_T_mV);
    rules.finite("V_peak_mV", V_peak_mV);
    rules.require(V_peak_mV >= V_T_mV, "V_peak_mV", V_peak_mV, "must not be below V_T_mV", "");
    rules.require(V_reset_mV < V_peak_mV, "V_reset_mV", V_reset_mV, "must lie below V_peak_mV", "");
    rules.finite("V_reset_mV", V_reset_mV);
    rules.not_negative("t_ref_ms", t_ref_ms);
    rules.finite("a_uS", a_uS);
    rules.finite("b_nA", b_nA);
    rules.positive("tau_w_ms", tau_w_ms);
  }
};

/// Normalised integrate-and-fire neuron driven by instantaneous synapses (NEURON's IntFire1): m decays with tau_m, an
/// event adds its weight, m > 1 fires and resets m to 0; no input counts during t_ref.
struct IntFire1Model {
  static constexpr std::string_view kName = "intfire1";
  double tau_m_ms = 10;
  double t_ref_ms = 0;

  template <class V>
  void fields(V& v) {
    v("tau_m_ms", tau_m_ms);
    v.optional("t_ref_ms", t_ref_ms);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.positive("tau_m_ms", tau_m_ms);
    rules.not_negative("t_ref_ms", t_ref_ms);
  }
};

/// Leaky integrate-and-fire neuron (with current synapses NEST's iaf_psc_exp, iaf_psc_alpha and iaf_psc_delta,
/// according to its synapses; with conductance synapses iaf_cond_exp and so on). Equations: pointneuron/lif.hpp.
struct LifModel {
  static constexpr std::string_view kName = "lif";
  double C_m_nF = 0.25;
  double g_L_uS = 0.025;  ///< C_m / tau_m
  double E_L_mV = -65;
  double V_reset_mV = -65;
  double t_ref_ms = 2;  ///< absolute refractory time; V is held at V_reset
  double V_threshold_mV = -50;

  template <class V>
  void fields(V& v) {
    v("C_m_nF", C_m_nF);
    v("g_L_uS", g_L_uS);
    v("E_L_mV", E_L_mV);
    v("V_reset_mV", V_reset_mV);
    v("V_threshold_mV", V_threshold_mV);
    v.optional("t_ref_ms", t_ref_ms);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.positive("C_m_nF", C_m_nF);
    rules.positive("g_L_uS", g_L_uS);
    rules.finite("E_L_mV", E_L_mV);
    rules.finite("V_reset_mV", V_reset_mV);
    rules.finite("V_threshold_mV", V_threshold_mV);
    rules.not_negative("t_ref_ms", t_ref_ms);
    rules.require(V_reset_mV < V_threshold_mV, "V_reset_mV", V_reset_mV, "must lie below V_threshold_mV",
                  "the neuron would fire again at once, for ever");
  }
};

/// The generalised leaky integrate-and-fire neurons GLIF 1 to 5 of the Allen Institute (Teeter et al. 2018). What a
/// cell has is what is not 0: after-spike currents (3, 4, 5), a reset that depends on the potential and a threshold
/// that jumps at spikes (2, 4, 5), a threshold that follows the potential (5). Equations: pointneuron/glif.hpp.
struct GlifModel {
  static constexpr std::string_view kName = "glif";
  /// A current that jumps at a spike (positive depolarises).
  struct AfterSpikeCurrent {
    double amplitude_nA = 0;
    double tau_ms = 10;
    double kept = 1;        ///< share of the current at the spike that is still there, decayed, after t_ref
    double initial_nA = 0;  ///< at the start
    template <class V>
    void fields(V& v) {
      v("amplitude_nA", amplitude_nA);
      v("tau_ms", tau_ms);
      v.optional("kept", kept);
      v.optional("initial_nA", initial_nA);
    }
  };
  double C_m_nF = 0.06;
  double g_L_uS = 0.01;
  double E_L_mV = -78;
  double V_reset_mV = -78;
  double reset_fraction = 0;  ///< share of V - E_L before the spike that is kept on top of V_reset
  double V_threshold_mV = -50;
  double t_ref_ms = 3;
  std::vector<AfterSpikeCurrent> after_spike_currents;
  double threshold_jump_mV = 0;
  double threshold_jump_tau_ms = 100;
  double threshold_voltage_per_ms = 0;  ///< coupling of the threshold to V - E_L
  double threshold_voltage_tau_ms = 10;

  template <class V>
  void fields(V& v) {
    v("C_m_nF", C_m_nF);
    v("g_L_uS", g_L_uS);
    v("E_L_mV", E_L_mV);
    v("V_reset_mV", V_reset_mV);
    v("V_threshold_mV", V_threshold_mV);
    v.optional("t_ref_ms", t_ref_ms);
    v.optional("reset_fraction", reset_fraction);
    v.optional_objects("after_spike_currents", after_spike_currents);
    v.optional("threshold_jump_mV", threshold_jump_mV);
    v.optional("threshold_jump_tau_ms", threshold_jump_tau_ms);
    v.optional("threshold_voltage_per_ms", threshold_voltage_per_ms);
    v.optional("threshold_voltage_tau_ms", threshold_voltage_tau_ms);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.positive("C_m_nF", C_m_nF);
    rules.positive("g_L_uS", g_L_uS);
    rules.finite("E_L_mV", E_L_mV);
    rules.finite("V_reset_mV", V_reset_mV);
    rules.finite("V_threshold_mV", V_threshold_mV);
    rules.not_negative("t_ref_ms", t_ref_ms);
    rules.require(V_reset_mV < V_threshold_mV, "V_reset_mV", V_reset_mV, "must lie below V_threshold_mV",
                  "the neuron would fire again at once, for ever");
    rules.require(reset_fraction >= 0 && reset_fraction <= 1, "reset_fraction", reset_fraction,
                  "must lie between 0 and 1", "");
    for (const AfterSpikeCurrent& current : after_spike_currents) {
      rules.finite("after_spike_currents.amplitude_nA", current.amplitude_nA);
      rules.positive("after_spike_currents.tau_ms", current.tau_ms);
      rules.finite("after_spike_currents.initial_nA", current.initial_nA);
      rules.require(current.kept >= 0 && current.kept <= 1, "after_spike_currents.kept", current.kept,
                    "must lie between 0 and 1", "");
    }
    rules.finite("threshold_jump_mV", threshold_jump_mV);
    rules.positive("threshold_jump_tau_ms", threshold_jump_tau_ms);
    rules.finite("threshold_voltage_per_ms", threshold_voltage_per_ms);
    rules.positive("threshold_voltage_tau_ms", threshold_voltage_tau_ms);
  }
};

/// Izhikevich's simple model in its physical form (Izhikevich 2007); the form of 2003 is the case C = 1, k = 0.04, and
/// so on. Equations: pointneuron/izhikevich.hpp.
struct IzhikevichModel {
  static constexpr std::string_view kName = "izhikevich";
  double C_m_nF = 0.1;
  double k_uS_per_mV = 0.0007;
  double V_rest_mV = -60;
  double V_T_mV = -40;
  double V_peak_mV = 35;
  double c_mV = -50;       ///< reset of V
  double a_per_ms = 0.03;  ///< rate of recovery
  double b_uS = -0.002;    ///< sensitivity of recovery to V
  double d_nA = 0.1;       ///< jump of u at a spike
  double u_init_nA = 0;    ///< u at the start

  template <class V>
  void fields(V& v) {
    v("C_m_nF", C_m_nF);
    v("k_uS_per_mV", k_uS_per_mV);
    v("V_rest_mV", V_rest_mV);
    v("V_T_mV", V_T_mV);
    v("V_peak_mV", V_peak_mV);
    v("c_mV", c_mV);
    v("a_per_ms", a_per_ms);
    v("b_uS", b_uS);
    v("d_nA", d_nA);
    v.optional("u_init_nA", u_init_nA);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.positive("C_m_nF", C_m_nF);
    rules.positive("k_uS_per_mV", k_uS_per_mV);
    rules.finite("V_rest_mV", V_rest_mV);
    rules.finite("V_T_mV", V_T_mV);
    rules.finite("V_peak_mV", V_peak_mV);
    rules.finite("c_mV", c_mV);
    rules.require(c_mV < V_peak_mV, "c_mV", c_mV, "must lie below V_peak_mV", "");
    rules.require(V_T_mV <= V_peak_mV, "V_T_mV", V_T_mV, "must not be above V_peak_mV", "");
    rules.positive("a_per_ms", a_per_ms);
    rules.finite("b_uS", b_uS);
    rules.finite("d_nA", d_nA);
    rules.finite("u_init_nA", u_init_nA);
  }
};

/// The list of models.
using PointModel = std::variant<GifModel, AdExModel, IntFire1Model, LifModel, GlifModel, IzhikevichModel>;

struct PointCell {
  PointModel model;
};

}  // namespace triscale::network

/// Long-term plasticity of a synapse type: a rule that acts at spikes, homeostatic scaling, or both. Plain data; the
/// rules are carried out by pointneuron/plastic_rule.hpp, where their equations stand.
///
/// Weights stay in [0, w_max]. Amplitudes are shares of w_max, so that a rule means the same for conductances, currents
/// and jumps of the potential. Each rule lists its keys in fields() and its conditions in check(), as point models do
/// (network/point_models.hpp).
#pragma once

#include <optional>
#include <string_view>
#include <variant>

namespace triscale::network {

/// Pair rule, all pairs count (Gerstner et al. 1996; Song et al. 2000; weight dependence of Guetig et al. 2003).
struct PairStdp {
  static constexpr std::string_view kName = "pair_stdp";
  double A_plus = 0.01, A_minus = 0.0105;
  double tau_plus_ms = 20, tau_minus_ms = 20;
  double mu_plus = 0, mu_minus = 0;  ///< 0: additive; 1: multiplicative

  template <class V>
  void fields(V& v) {
    v("A_plus", A_plus);
    v("A_minus", A_minus);
    v("tau_plus_ms", tau_plus_ms);
    v("tau_minus_ms", tau_minus_ms);
    v.optional("mu_plus", mu_plus);
    v.optional("mu_minus", mu_minus);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.finite("A_plus", A_plus);
    rules.finite("A_minus", A_minus);
    rules.positive("tau_plus_ms", tau_plus_ms);
    rules.positive("tau_minus_ms", tau_minus_ms);
    rules.not_negative("mu_plus", mu_plus);
    rules.not_negative("mu_minus", mu_minus);
  }
};

/// Triplet rule, all-to-all (Pfister & Gerstner 2006, J Neurosci 26:9673). Defaults: their minimal model of visual
/// cortex (A2_plus = A3_minus = 0).
struct TripletStdp {
  static constexpr std::string_view kName = "triplet_stdp";
  double A2_plus = 0, A2_minus = 7.1e-3, A3_plus = 6.5e-3, A3_minus = 0;
  double tau_plus_ms = 16.8, tau_minus_ms = 33.7, tau_x_ms = 101, tau_y_ms = 114;

  template <class V>
  void fields(V& v) {
    v("A2_plus", A2_plus);
    v("A2_minus", A2_minus);
    v("A3_plus", A3_plus);
    v("A3_minus", A3_minus);
    v("tau_plus_ms", tau_plus_ms);
    v("tau_minus_ms", tau_minus_ms);
    v.optional("tau_x_ms", tau_x_ms);
    v.optional("tau_y_ms", tau_y_ms);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.finite("A2_plus", A2_plus);
    rules.finite("A2_minus", A2_minus);
    rules.finite("A3_plus", A3_plus);
    rules.finite("A3_minus", A3_minus);
    rules.positive("tau_plus_ms", tau_plus_ms);
    rules.positive("tau_minus_ms", tau_minus_ms);
    rules.positive("tau_x_ms", tau_x_ms);
    rules.positive("tau_y_ms", tau_y_ms);
  }
};

/// Inhibitory plasticity that brings the postsynaptic rate to a target (Vogels et al. 2011, Science 334:1569).
struct InhibitoryPlasticity {
  static constexpr std::string_view kName = "inhibitory";
  double eta = 1e-3;
  double tau_ms = 20;
  double target_rate_hz = 5;

  template <class V>
  void fields(V& v) {
    v("eta", eta);
    v("tau_ms", tau_ms);
    v("target_rate_hz", target_rate_hz);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.not_negative("eta", eta);
    rules.positive("tau_ms", tau_ms);
    rules.not_negative("target_rate_hz", target_rate_hz);
  }
};

/// Multiplicative scaling of all synapses of a type onto a cell towards a target rate (Turrigiano et al. 1998, Nature
/// 391:892; van Rossum et al. 2000, J Neurosci 20:8812).
struct HomeostaticScaling {
  double target_rate_hz = 5;
  double tau_ms = 1e5;        ///< time constant of the scaling
  double tau_rate_ms = 1000;  ///< over which the rate is measured
  double interval_ms = 100;   ///< between two scalings

  template <class V>
  void fields(V& v) {
    v("target_rate_hz", target_rate_hz);
    v("tau_ms", tau_ms);
    v.optional("tau_rate_ms", tau_rate_ms);
    v.optional("interval_ms", interval_ms);
  }
  template <class Rules>
  void check(Rules& rules) const {
    rules.positive("target_rate_hz", target_rate_hz);
    rules.positive("tau_ms", tau_ms);
    rules.positive("tau_rate_ms", tau_rate_ms);
    rules.positive("interval_ms", interval_ms);
  }
};

/// The list of rules; none: homeostatic scaling alone.
using PlasticRule = std::variant<std::monostate, PairStdp, TripletStdp, InhibitoryPlasticity>;

struct Plasticity {
  PlasticRule rule;
  std::optional<HomeostaticScaling> scaling;
  double w_max = 0;  ///< in the unit of the synapse's weights
};

}  // namespace triscale::network

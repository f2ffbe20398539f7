/// Rules of long-term plasticity (network/plasticity.hpp), carried out at spikes. Exact: between spikes nothing changes
/// but traces that decay exponentially.
///
/// Traces: r of a synapse jumps by 1 when a presynaptic spike arrives, o of a cell by 1 when it fires; r1 decays with
/// tau_plus, r2 with tau_x, o1 with tau_minus, o2 with tau_y (inhibitory: all with tau). With W = w_max:
///
///   pair        pre:  w <- w - W A_minus (w / W)^mu_minus o1           post:  w <- w + W A_plus (1 - w / W)^mu_plus r1
///   triplet     pre:  w <- w - W o1 (A2_minus + A3_minus r2)           post:  w <- w + W r1 (A2_plus + A3_plus o2)
///   inhibitory  pre:  w <- w + W eta (o1 - 2 rho_0 tau)                post:  w <- w + W eta r1
///
/// r2 and o2 are taken before the jump of the spike itself. Afterwards w is cut to [0, W]. The delay of a synapse lies
/// before it: "pre" is the arrival of the spike. A spike that arrives at the moment of a postsynaptic one counts as
/// before it. What it transmits is the weight before its own change.
#pragma once

#include "network/plasticity.hpp"

namespace triscale::pointneuron {

/// Two traces and the time they were last moved to.
struct Traces {
  double fast = 0, slow = 0;
  double t_ms = 0;
};

class PlasticRule {
 public:
  explicit PlasticRule(const network::Plasticity& plasticity);

  /// Moves traces to a later time.
  void decay_pre(Traces& traces, double t_ms) const { decay(traces, t_ms, rate_pre_fast_, rate_pre_slow_); }
  void decay_post(Traces& traces, double t_ms) const { decay(traces, t_ms, rate_post_fast_, rate_post_slow_); }

  /// The weight after an arrival or a postsynaptic spike; both traces at that time, before its jump.
  double after_arrival(double w, const Traces& pre, const Traces& post) const;
  double after_spike(double w, const Traces& pre, const Traces& post) const;

 private:
  static void decay(Traces& traces, double t_ms, double rate_fast, double rate_slow);
  double cut(double w) const { return w < 0 ? 0 : w > w_max_ ? w_max_ : w; }

  network::PlasticRule rule_;
  double w_max_;
  double rate_pre_fast_ = 0, rate_pre_slow_ = 0, rate_post_fast_ = 0, rate_post_slow_ = 0;  ///< 1/ms; 0: unused
};

}  // namespace triscale::pointneuron

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
///
/// All three are of one form, with a gain that each spike brings along and an offset:
///
///   pre:  w <- w + offset + gain_pre (w / W)^mu_minus o1,              post:  w <- w + gain_post (1 - w / W)^mu_plus
///   r1
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/plasticity.hpp"

namespace triscale::pointneuron {

/// exp(-n h / tau) for whole n >= 0, by two short tables.
class StepDecay {
 public:
  StepDecay() = default;
  StepDecay(double tau_ms, double h_ms);
  double operator()(std::int64_t n) const {
    const auto coarse = static_cast<std::size_t>(n / kFine);
    if (coarse >= coarse_.size()) return std::exp(-rate_ * static_cast<double>(n));
    return coarse_[coarse] * fine_[static_cast<std::size_t>(n % kFine)];
  }

 private:
  static constexpr std::int64_t kFine = 256, kCoarse = 1024;
  double rate_ = 0;
  std::vector<double> fine_, coarse_;
};

/// Two traces that jump by 1 at a spike.
struct Traces {
  double fast = 0, slow = 0;
};

class PlasticRule {
 public:
  PlasticRule(const network::Plasticity& plasticity, double dt_ms);

  /// Traces a time later, before the jump of a spike there.
  Traces pre_after(const Traces& traces, double elapsed_ms) const {
    return {decayed(traces.fast, elapsed_ms, rate_pre_fast_), decayed(traces.slow, elapsed_ms, rate_pre_slow_)};
  }
  Traces post_after(const Traces& traces, double elapsed_ms) const {
    return {decayed(traces.fast, elapsed_ms, rate_post_fast_), decayed(traces.slow, elapsed_ms, rate_post_slow_)};
  }
  /// What a spike brings along; the slow trace before its jump.
  double gain_pre(double slow_pre) const { return gain_pre_ + gain_pre_slow_ * slow_pre; }
  double gain_post(double slow_post) const { return gain_post_ + gain_post_slow_ * slow_post; }

  /// Decay of the fast traces over whole steps.
  double pre_decay(std::int64_t steps) const { return pre_decay_(steps); }
  double post_decay(std::int64_t steps) const { return post_decay_(steps); }

  /// The weight after an arrival or a postsynaptic spike.
  double after_arrival(double w, double gain, double o1) const {
    return cut(w + offset_ + gain * power(w * per_w_max_, mu_minus_) * o1);
  }
  double after_spike(double w, double gain, double r1) const {
    return cut(w + gain * power(1 - w * per_w_max_, mu_plus_) * r1);
  }

 private:
  static double decayed(double trace, double elapsed_ms, double rate) {
    return rate > 0 ? trace * std::exp(-elapsed_ms * rate) : 0.0;
  }
  /// x^mu with the common exponents spelled out.
  static double power(double x, double mu) {
    if (mu == 0) return 1;
    return mu == 1 ? x : std::pow(x, mu);
  }
  double cut(double w) const { return w < 0 ? 0 : w > w_max_ ? w_max_ : w; }

  double w_max_, per_w_max_;
  double rate_pre_fast_ = 0, rate_pre_slow_ = 0, rate_post_fast_ = 0, rate_post_slow_ = 0;  ///< 1/ms; 0: unused
  double offset_ = 0, gain_pre_ = 0, gain_pre_slow_ = 0, gain_post_ = 0, gain_post_slow_ = 0;
  double mu_plus_ = 0, mu_minus_ = 0;
  StepDecay pre_decay_, post_decay_;
};

}  // namespace triscale::pointneuron

#include "pointneuron/plastic_rule.hpp"

#include <cmath>

namespace triscale::pointneuron {

namespace {

/// x^mu with the common exponents spelled out.
double power(double x, double mu) {
  if (mu == 0) return 1;
  return mu == 1 ? x : std::pow(x, mu);
}

}  // namespace

PlasticRule::PlasticRule(const network::Plasticity& plasticity) : rule_(plasticity.rule), w_max_(plasticity.w_max) {
  if (const auto* pair = std::get_if<network::PairStdp>(&rule_)) {
    rate_pre_fast_ = 1 / pair->tau_plus_ms;
    rate_post_fast_ = 1 / pair->tau_minus_ms;
  } else if (const auto* triplet = std::get_if<network::TripletStdp>(&rule_)) {
    rate_pre_fast_ = 1 / triplet->tau_plus_ms;
    rate_post_fast_ = 1 / triplet->tau_minus_ms;
    rate_pre_slow_ = 1 / triplet->tau_x_ms;
    rate_post_slow_ = 1 / triplet->tau_y_ms;
  } else if (const auto* inhibitory = std::get_if<network::InhibitoryPlasticity>(&rule_)) {
    rate_pre_fast_ = rate_post_fast_ = 1 / inhibitory->tau_ms;
  }
}

void PlasticRule::decay(Traces& traces, double t_ms, double rate_fast, double rate_slow) {
  const double elapsed_ms = t_ms - traces.t_ms;
  traces.t_ms = t_ms;
  if (rate_fast > 0) traces.fast *= std::exp(-elapsed_ms * rate_fast);
  if (rate_slow > 0) traces.slow *= std::exp(-elapsed_ms * rate_slow);
}

double PlasticRule::after_arrival(double w, const Traces& pre, const Traces& post) const {
  if (const auto* pair = std::get_if<network::PairStdp>(&rule_)) {
    return cut(w - w_max_ * pair->A_minus * power(w / w_max_, pair->mu_minus) * post.fast);
  }
  if (const auto* triplet = std::get_if<network::TripletStdp>(&rule_)) {
    return cut(w - w_max_ * post.fast * (triplet->A2_minus + triplet->A3_minus * pre.slow));
  }
  if (const auto* inhibitory = std::get_if<network::InhibitoryPlasticity>(&rule_)) {
    const double alpha = 2e-3 * inhibitory->target_rate_hz * inhibitory->tau_ms;
    return cut(w + w_max_ * inhibitory->eta * (post.fast - alpha));
  }
  return w;
}

double PlasticRule::after_spike(double w, const Traces& pre, const Traces& post) const {
  if (const auto* pair = std::get_if<network::PairStdp>(&rule_)) {
    return cut(w + w_max_ * pair->A_plus * power(1 - w / w_max_, pair->mu_plus) * pre.fast);
  }
  if (const auto* triplet = std::get_if<network::TripletStdp>(&rule_)) {
    return cut(w + w_max_ * pre.fast * (triplet->A2_plus + triplet->A3_plus * post.slow));
  }
  if (const auto* inhibitory = std::get_if<network::InhibitoryPlasticity>(&rule_)) {
    return cut(w + w_max_ * inhibitory->eta * pre.fast);
  }
  return w;
}

}  // namespace triscale::pointneuron

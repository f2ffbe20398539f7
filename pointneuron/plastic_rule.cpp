#include "pointneuron/plastic_rule.hpp"

namespace triscale::pointneuron {

StepDecay::StepDecay(double tau_ms, double h_ms) : rate_(h_ms / tau_ms) {
  for (std::int64_t n = 0; n < kFine; ++n) fine_.push_back(std::exp(-rate_ * static_cast<double>(n)));
  for (std::int64_t n = 0; n < kCoarse; ++n) coarse_.push_back(std::exp(-rate_ * static_cast<double>(n * kFine)));
}

PlasticRule::PlasticRule(const network::Plasticity& plasticity, double dt_ms)
    : w_max_(plasticity.w_max), per_w_max_(plasticity.w_max > 0 ? 1 / plasticity.w_max : 0) {
  const double W = plasticity.w_max;
  double tau_pre_ms = 1, tau_post_ms = 1;
  if (const auto* pair = std::get_if<network::PairStdp>(&plasticity.rule)) {
    tau_pre_ms = pair->tau_plus_ms;
    tau_post_ms = pair->tau_minus_ms;
    gain_pre_ = -W * pair->A_minus;
    gain_post_ = W * pair->A_plus;
    mu_plus_ = pair->mu_plus;
    mu_minus_ = pair->mu_minus;
  } else if (const auto* triplet = std::get_if<network::TripletStdp>(&plasticity.rule)) {
    tau_pre_ms = triplet->tau_plus_ms;
    tau_post_ms = triplet->tau_minus_ms;
    rate_pre_slow_ = 1 / triplet->tau_x_ms;
    rate_post_slow_ = 1 / triplet->tau_y_ms;
    gain_pre_ = -W * triplet->A2_minus;
    gain_pre_slow_ = -W * triplet->A3_minus;
    gain_post_ = W * triplet->A2_plus;
    gain_post_slow_ = W * triplet->A3_plus;
  } else if (const auto* inhibitory = std::get_if<network::InhibitoryPlasticity>(&plasticity.rule)) {
    tau_pre_ms = tau_post_ms = inhibitory->tau_ms;
    gain_pre_ = gain_post_ = W * inhibitory->eta;
    offset_ = -W * inhibitory->eta * 2e-3 * inhibitory->target_rate_hz * inhibitory->tau_ms;
  }
  rate_pre_fast_ = 1 / tau_pre_ms;
  rate_post_fast_ = 1 / tau_post_ms;
  pre_decay_ = StepDecay(tau_pre_ms, dt_ms);
  post_decay_ = StepDecay(tau_post_ms, dt_ms);
}

}  // namespace triscale::pointneuron

#include "meanfield/spike_trains.hpp"

#include <algorithm>
#include <cmath>

#include "meanfield/lif_response.hpp"

namespace triscale::meanfield {

namespace {

/// f/(1 - f) at lambda = 1/tau: spikes expected after a spike, each weighted with exp(-time/tau).
double weighted_followers(double rate_hz, double dead_time_ms, double tau_ms) {
  const double free_ms = std::max(0.0, 1000 / rate_hz - dead_time_ms);
  // 1/f - 1, without cancellation
  const double inverse = std::expm1(dead_time_ms / tau_ms) * (1 + free_ms / tau_ms) + free_ms / tau_ms;
  return 1 / inverse;
}

}  // namespace

DeadTime::DeadTime(const network::TransferFunction& transfer)
    : refractory_ms_(transfer.t_ref_ms), measured_ms_(transfer.dead_time_ms), at_hz_(transfer.dead_time_at_hz) {}

double DeadTime::at(double rate_hz) const {
  const double recovery_ms = measured_ms_ - refractory_ms_;
  if (!(at_hz_ > 0 && rate_hz > 0 && recovery_ms > 0)) return measured_ms_;
  return refractory_ms_ + recovery_ms * at_hz_ / rate_hz;
}

double dead_time_spectrum_hz(double rate_hz, double dead_time_ms, std::complex<double> lambda_per_ms) {
  const double free_ms = 1000 / rate_hz - dead_time_ms;
  if (!(free_ms > 0) || !(std::abs(lambda_per_ms) > 0)) return rate_hz;
  return renewal_spectrum_hz(rate_hz, std::exp(-lambda_per_ms * dead_time_ms) / (1.0 + lambda_per_ms * free_ms));
}

double relative_variance(double rate_hz, double dead_time_ms, double tau_ms) {
  if (!(dead_time_ms > 0 && rate_hz > 0)) return 1;
  const double nu_hz = std::min(rate_hz, 1000 / dead_time_ms);
  return 1 + 2 * (weighted_followers(nu_hz, dead_time_ms, tau_ms) - nu_hz * tau_ms / 1000);
}

double relative_power_at_0(double rate_hz, double dead_time_ms) {
  const double free = std::max(0.0, 1 - rate_hz * dead_time_ms / 1000);
  return free * free;
}

double dead_time_ms(double rate_hz, double relative_pairs, double tau_ms) {
  const double followers = relative_pairs * rate_hz * tau_ms / 1000;
  double low_ms = 0, high_ms = 1000 / rate_hz;
  for (int step = 0; step < 60; ++step) {
    const double middle_ms = (low_ms + high_ms) / 2;
    (weighted_followers(rate_hz, middle_ms, tau_ms) > followers ? low_ms : high_ms) = middle_ms;
  }
  return (low_ms + high_ms) / 2;
}

}  // namespace triscale::meanfield

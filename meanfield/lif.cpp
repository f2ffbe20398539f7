#include "meanfield/lif.hpp"

#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "meanfield/special_functions.hpp"

namespace triscale::meanfield {

namespace {

const double kRootPi = std::sqrt(std::numbers::pi);

/// exp(a^2 - b^2), the squares not rounded.
double exp_difference_of_squares(double a, double b) {
  return std::exp((a - b) * (a + b));
}

/// e^(-y_th^2) Phi(y) for y <= y_th, with y_th > 0.
double scaled_phi(double y, double y_threshold) {
  if (y <= 0) return exp_minus_square(y_threshold) * erfcx(-y);
  return exp_difference_of_squares(y, y_threshold) * (2 - std::erfc(y));
}

/// The integral over a short interval, where the closed forms of the branches would cancel.
template <typename Integrand>
double short_integral(const Integrand& integrand, double from, double to) {
  return boost::math::quadrature::gauss<double, 20>::integrate(integrand, from, to);
}

/// e^(-y_th^2) int Phi for y_th > 0; int Phi for y_th <= 0.
double scaled_integral(double y_threshold, double y_reset) {
  constexpr double kShort = 0.5;
  if (y_threshold <= 0) return erfcx_integral(-y_threshold, -y_reset);
  if (y_reset > 0 && y_threshold - y_reset < kShort / (1 + y_threshold)) {
    return short_integral([&](double y) { return scaled_phi(y, y_threshold); }, y_reset, y_threshold);
  }
  const double decay = exp_minus_square(y_threshold);
  if (y_reset <= 0) {
    // E(0, -y_r) - E(0, y_th): the common part is left out.
    const double a = y_threshold, b = -y_reset;
    const double difference = b >= a ? erfcx_integral(a, b) : -erfcx_integral(b, a);
    return 2 * dawson(y_threshold) + decay * difference;
  }
  return 2 * dawson(y_threshold) - 2 * exp_difference_of_squares(y_reset, y_threshold) * dawson(y_reset) -
         decay * erfcx_integral(y_reset, y_threshold);
}

LifRate noise_free_rate(const LifCell& cell, double mu_mV) {
  LifRate result;
  result.log_rate = -std::numeric_limits<double>::infinity();
  if (!(mu_mV > cell.V_threshold_mV)) return result;
  const double above = mu_mV - cell.V_threshold_mV, full = mu_mV - cell.V_reset_mV;
  const double interval_ms = cell.t_ref_ms + cell.tau_m_ms * std::log1p((full - above) / above);
  result.rate_hz = 1000 / interval_ms;
  result.log_rate = std::log(result.rate_hz);
  // d interval / d mu = tau_m (1/full - 1/above)
  result.d_mu_hz_per_mV = result.rate_hz / interval_ms * cell.tau_m_ms * (1 / above - 1 / full);
  return result;
}

}  // namespace

SiegertBounds siegert_bounds(const LifCell& cell, const LifInput& input) {
  SiegertBounds bounds;
  if (cell.tau_syn_ms > 0) bounds.shift = kColourShift / 2 * std::sqrt(cell.tau_syn_ms / cell.tau_m_ms);
  bounds.y_threshold = (cell.V_threshold_mV - input.mu_mV) / input.sigma_mV + bounds.shift;
  bounds.y_reset = (cell.V_reset_mV - input.mu_mV) / input.sigma_mV + bounds.shift;
  return bounds;
}

double siegert_log_rate(double y_threshold, double y_reset, double tau_m_ms, double t_ref_ms) {
  const double integral = scaled_integral(y_threshold, y_reset);
  if (y_threshold <= 0) return std::log(1000 / (t_ref_ms + tau_m_ms * kRootPi * integral));
  const double scaled_interval_ms = exp_minus_square(y_threshold) * t_ref_ms + tau_m_ms * kRootPi * integral;
  return -y_threshold * y_threshold + std::log(1000 / scaled_interval_ms);
}

LifRate lif_rate(const LifCell& cell, const LifInput& input) {
  if (std::isnan(input.mu_mV) || std::isnan(input.sigma_mV)) {
    const double nan = std::numeric_limits<double>::quiet_NaN();
    return {nan, nan, nan, nan};
  }
  if (!(input.sigma_mV > 0)) return noise_free_rate(cell, input.mu_mV);
  const SiegertBounds bounds = siegert_bounds(cell, input);
  const double y_th = bounds.y_threshold, y_r = bounds.y_reset;
  // With scale = e^(-y_th^2) (1 below the branch point): nu = scale / interval, nu^2 Phi = nu (scale Phi) / interval.
  const bool tail = y_th > 0;
  const double scale = tail ? exp_minus_square(y_th) : 1.0;
  const double scaled_interval_ms = scale * cell.t_ref_ms + cell.tau_m_ms * kRootPi * scaled_integral(y_th, y_r);
  LifRate result;
  result.rate_hz = 1000 * scale / scaled_interval_ms;
  result.log_rate = std::log(1000 / scaled_interval_ms) - (tail ? y_th * y_th : 0.0);
  const double phi_th = tail ? scaled_phi(y_th, y_th) : erfcx(-y_th);
  const double phi_r = tail ? scaled_phi(y_r, y_th) : erfcx(-y_r);
  const double factor = kRootPi * cell.tau_m_ms / input.sigma_mV * result.rate_hz / scaled_interval_ms;
  result.d_mu_hz_per_mV = factor * (phi_th - phi_r);
  // The shift does not depend on sigma once divided by it: the weights are the unshifted bounds.
  result.d_sigma_hz_per_mV = factor * ((y_th - bounds.shift) * phi_th - (y_r - bounds.shift) * phi_r);
  return result;
}

}  // namespace triscale::meanfield

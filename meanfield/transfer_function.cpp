#include "meanfield/transfer_function.hpp"

#include <boost/math/special_functions/erf.hpp>
#include <limits>

namespace triscale::meanfield {

namespace {
/// f (tau_d - tau_r) = tau_d exp(-x ln x / (1 - x)) with x the smaller over the larger time constant; the limits are
/// tau_d (x -> 0, single exponential) and e tau (x -> 1, alpha function).
double unit_peak_area_ms(double tau_rise_ms, double tau_decay_ms) {
  const double small = std::min(tau_rise_ms, tau_decay_ms);
  const double large = std::max(tau_rise_ms, tau_decay_ms);
  if (!(small > 0)) return large;
  const double gap = (large - small) / large;  // 1 - x without cancellation
  const double log_ratio = gap > 0 ? -std::log1p(-gap) / gap : 1.0;
  return large * std::exp((1 - gap) * log_ratio);
}
}  // namespace

Receptor::Receptor(const network::BiexponentialSynapse& synapse)
    : tau_rise_ms(synapse.tau_rise_ms),
      tau_decay_ms(synapse.tau_decay_ms),
      E_rev_mV(synapse.E_rev_mV),
      area_ms(unit_peak_area_ms(synapse.tau_rise_ms, synapse.tau_decay_ms)) {}

double threshold_density(double V_eff_mV, const MembraneStatistics<double>& statistics) {
  if (!(statistics.sigma_mV > 0)) return 0;
  const double z = (V_eff_mV - statistics.mu_mV) / statistics.sigma_mV;
  return std::exp(-z * z / 2) / (std::sqrt(2 * std::numbers::pi) * statistics.sigma_mV);
}

double moving_rate_hz(double V_eff_mV, const MembraneStatistics<double>& statistics, double t_ref_ms,
                      double slope_mV_per_ms) {
  const double F_hz = transfer_rate(V_eff_mV, statistics, t_ref_ms);
  const double flux_hz = 1000 * slope_mV_per_ms * threshold_density(V_eff_mV, statistics);
  if (flux_hz == 0) return F_hz;
  if (!(F_hz > 0)) return std::max(0.0, flux_hz);
  const double u = flux_hz / (std::sqrt(2 * std::numbers::pi) * F_hz);
  const double rate_hz = F_hz * std::exp(-u * u / 2) + flux_hz * std::erfc(-u / std::numbers::sqrt2) / 2;
  return t_ref_ms > 0 ? std::min(rate_hz, 1000 / t_ref_ms) : rate_hz;
}

double moving_rate_hz(const network::TransferFunction& transfer, const MembraneStatistics<double>& statistics,
                      double slope_mV_per_ms) {
  const double V_eff_mV = effective_threshold(transfer.P_mV, threshold_basis(transfer, statistics));
  return moving_rate_hz(V_eff_mV, statistics, transfer.t_ref_ms, slope_mV_per_ms);
}

double adaptation_nA_per_hz(const network::TransferFunction& transfer) {
  double gain = 0;
  for (const auto& kernel : transfer.adaptation_nA) gain += kernel.amplitude * kernel.tau_ms / 1000;
  return gain;
}

double inverted_threshold_mV(double rate_Hz, const MembraneStatistics<double>& statistics) {
  const double argument = 2 * statistics.tau_V_ms * rate_Hz / 1000.0;
  if (!(argument > 0) || !(argument < 2) || !(statistics.sigma_mV > 0)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return statistics.mu_mV + std::numbers::sqrt2 * statistics.sigma_mV * boost::math::erfc_inv(argument);
}

bool inside_hull(const network::TransferFunction& transfer, const MembraneStatistics<double>& statistics) {
  const auto inside = [](double x, const std::array<double, 2>& range) {
    return range[0] > range[1] || (x >= range[0] && x <= range[1]);
  };
  return inside(statistics.mu_mV, transfer.fitted_mu_mV) && inside(statistics.sigma_mV, transfer.fitted_sigma_mV) &&
         inside(normalised_tau(transfer, statistics), transfer.fitted_tau);
}

}  // namespace triscale::meanfield

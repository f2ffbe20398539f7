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

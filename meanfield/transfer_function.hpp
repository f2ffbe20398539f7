/// From Poisson input to a firing rate, in two steps.
///
/// 1. The membrane potential of a cell with conductance synapses under Poisson input of many receptors k, each a
///    biexponential conductance w f (exp(-t/tau_d) - exp(-t/tau_r)) of reversal potential E_k, to first order in the
///    fluctuations (Zerlaut et al. 2018, di Volo et al. 2019, there for single exponentials):
///
///      a_k     = f (tau_d - tau_r)                                 area of a conductance of unit peak, ms
///      mu_G    = g_L + sum_k a_k <nu w>_k,                         tau_m = C / mu_G
///      mu_V    = (g_L E_L + sum_k a_k <nu w>_k E_k + I) / mu_G
///      sigma^2 = sum_k <nu w^2>_k q_k^2 J(tau_r, tau_d, tau_m),    q_k = a_k (E_k - mu_V) / mu_G
///      tau_V   = sum_k <nu w^2>_k q_k^2 / (2 sigma^2)              integral of the normalised autocorrelation, halved
///
///    q_k is the time integral of the postsynaptic potential (PSP) of unit weight. The PSP is the cascade of three
///    exponential filters a, b, c, whose squared impulse response integrates to
///      J(a, b, c) = (ab + bc + ca) / (2 (a + b) (b + c) (c + a)),
///    which has no singularity where time constants coincide. <nu w> and <nu w^2> carry the variance of the weights.
///    An Ornstein-Uhlenbeck current of standard deviation s and time constant tau adds (s/mu_G)^2 tau/(tau + tau_m) to
///    sigma^2 and 2 tau (s/mu_G)^2 to the sum in tau_V.
///
/// 2. The rate, by the semi-analytic template of network::TransferFunction:
///      F = erfc((V_eff - mu_V) / (sqrt2 sigma)) / (2 tau_V), at most 1 / t_ref.
///    Outside the fitted hull the polynomial V_eff keeps the value at the hull's border: a quadratic polynomial has no
///    meaning far from the points that it was fitted to.
///
/// Slow adaptation is not part of F: currents a_k oppose the input, tau_k da_k/dt = -a_k + b_k tau_k nu. At rest, nu =
/// F at a_k = b_k tau_k nu: adapted_rate_hz.
///
/// Everything is a template over the scalar type, so that automatic differentiation works through it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "network/cell_models.hpp"
#include "network/synapse_models.hpp"

namespace triscale::meanfield {

/// Passive membrane, the part of a point cell that the statistics need.
struct Membrane {
  double C_m_nF = 0.2;
  double g_L_uS = 0.01;
  double E_L_mV = -65;
};

/// Time course and reversal potential of a receptor, with the area of a conductance of unit peak worked out.
struct Receptor {
  explicit Receptor(const network::BiexponentialSynapse& synapse);

  double tau_rise_ms, tau_decay_ms, E_rev_mV;
  double area_ms;  ///< integral of f (exp(-t/tau_decay) - exp(-t/tau_rise)); e tau for an alpha function
};

/// Input of spike trains through one receptor: sums over the presynaptic cells of rate times weight, and of rate times
/// weight squared as the variance sees it. Trains more regular than Poisson have less variance and even less power at
/// frequency 0, by what is in the third (meanfield/spike_trains.hpp); Poisson trains lack nothing.
template <typename T>
struct SpikeDrive {
  T rate_weight_uS_per_ms{};
  T rate_weight2_uS2_per_ms{};
  T lacking_at_0_uS2_per_ms{};
};

/// Ornstein-Uhlenbeck current around its mean (the mean counts in the constant current).
struct CurrentFluctuation {
  double sd_nA = 0;
  double tau_ms = 1;
};

template <typename T>
struct MembraneStatistics {
  T mu_mV{};
  T sigma_mV{};
  T tau_V_ms{};
};

/// J(a, b, c) of the header; b > 0 and c > 0, a may be 0.
template <typename T>
T squared_cascade_integral(double a_ms, double b_ms, const T& c_ms) {
  return (a_ms * b_ms + (a_ms + b_ms) * c_ms) / (2.0 * (a_ms + b_ms) * (b_ms + c_ms) * (c_ms + a_ms));
}

/// Total conductance and mean potential.
template <typename T>
struct MembraneMean {
  T G_uS{};
  T mu_mV{};
};

/// mu_G and mu_V; of the drives, the first moments count.
template <typename T>
MembraneMean<T> membrane_mean(const Membrane& membrane, std::span<const Receptor> receptors,
                              std::span<const SpikeDrive<T>> drives, const T& current_nA) {
  T G_uS = T(membrane.g_L_uS);
  T numerator_nA = T(membrane.g_L_uS * membrane.E_L_mV) + current_nA;
  for (std::size_t k = 0; k < receptors.size(); ++k) {
    const T g_uS = receptors[k].area_ms * drives[k].rate_weight_uS_per_ms;
    G_uS += g_uS;
    numerator_nA += g_uS * receptors[k].E_rev_mV;
  }
  return {G_uS, numerator_nA / G_uS};
}

/// Fluctuations around a given mean; of the drives, the second moments count.
template <typename T>
MembraneStatistics<T> membrane_noise(const Membrane& membrane, const MembraneMean<T>& mean,
                                     std::span<const Receptor> receptors, std::span<const SpikeDrive<T>> drives,
                                     std::span<const CurrentFluctuation> fluctuations = {}) {
  using std::sqrt;
  const T tau_m_ms = membrane.C_m_nF / mean.G_uS;
  T variance = T(0.0);
  T spectrum_at_0 = T(0.0);
  for (std::size_t k = 0; k < receptors.size(); ++k) {
    const Receptor& receptor = receptors[k];
    const T q = receptor.area_ms * (receptor.E_rev_mV - mean.mu_mV) / mean.G_uS;
    const T power = drives[k].rate_weight2_uS2_per_ms * q * q;
    spectrum_at_0 += power - drives[k].lacking_at_0_uS2_per_ms * q * q;
    variance += power * squared_cascade_integral(receptor.tau_rise_ms, receptor.tau_decay_ms, tau_m_ms);
  }
  for (const CurrentFluctuation& noise : fluctuations) {
    const T power = (noise.sd_nA * noise.sd_nA) / (mean.G_uS * mean.G_uS);
    spectrum_at_0 += 2.0 * noise.tau_ms * power;
    variance += power * noise.tau_ms / (noise.tau_ms + tau_m_ms);
  }
  if (!(variance > T(0.0))) return {mean.mu_mV, T(0.0), tau_m_ms};
  return {mean.mu_mV, sqrt(variance), spectrum_at_0 / (2.0 * variance)};
}

/// Both, of a stationary cell.
template <typename T>
MembraneStatistics<T> membrane_statistics(const Membrane& membrane, std::span<const Receptor> receptors,
                                          std::span<const SpikeDrive<T>> drives, const T& current_nA,
                                          std::span<const CurrentFluctuation> fluctuations = {}) {
  const MembraneMean<T> mean = membrane_mean<T>(membrane, receptors, drives, current_nA);
  return membrane_noise<T>(membrane, mean, receptors, drives, fluctuations);
}

/// tau_V g_L / C_m, the third argument of the polynomial.
template <typename T>
T normalised_tau(const network::TransferFunction& transfer, const MembraneStatistics<T>& statistics) {
  return statistics.tau_V_ms * (transfer.g_L_uS / transfer.C_m_nF);
}

/// The ten products that the coefficients multiply, in the order of network::TransferFunction::P_mV.
template <typename T>
std::array<T, 10> threshold_basis(const network::TransferFunction& transfer, const MembraneStatistics<T>& statistics) {
  const auto inside = [](const T& x, const std::array<double, 2>& range) {
    if (range[0] > range[1]) return x;
    if (x < T(range[0])) return T(range[0]);
    if (x > T(range[1])) return T(range[1]);
    return x;
  };
  const T V = (inside(statistics.mu_mV, transfer.fitted_mu_mV) - transfer.mu_0_mV) / transfer.d_mu_mV;
  const T S = (inside(statistics.sigma_mV, transfer.fitted_sigma_mV) - transfer.sigma_0_mV) / transfer.d_sigma_mV;
  const T N = (inside(normalised_tau(transfer, statistics), transfer.fitted_tau) - transfer.tau_0) / transfer.d_tau;
  return {T(1.0), V, S, N, V * V, S * S, N * N, V * S, V * N, S * N};
}

/// V_eff for coefficients P of any scalar type.
template <typename T>
T effective_threshold(const std::array<T, 10>& P_mV, const std::array<T, 10>& basis) {
  T sum = P_mV[0] * basis[0];
  for (std::size_t i = 1; i < basis.size(); ++i) sum += P_mV[i] * basis[i];
  return sum;
}

/// F in Hz for a given effective threshold.
template <typename T>
T transfer_rate(const T& V_eff_mV, const MembraneStatistics<T>& statistics, double t_ref_ms) {
  using std::erfc;
  const double limit_Hz = t_ref_ms > 0 ? 1000.0 / t_ref_ms : 1e300;
  if (!(statistics.sigma_mV > T(0.0))) {  // no fluctuations: the error function becomes a step
    if (!(statistics.mu_mV > V_eff_mV)) return T(0.0);
    const T step_Hz = 1000.0 / statistics.tau_V_ms;
    return step_Hz > T(limit_Hz) ? T(limit_Hz) : step_Hz;
  }
  const T x = (V_eff_mV - statistics.mu_mV) / (std::numbers::sqrt2 * statistics.sigma_mV);
  const T rate_Hz = 500.0 * erfc(x) / statistics.tau_V_ms;
  return rate_Hz > T(limit_Hz) ? T(limit_Hz) : rate_Hz;
}

/// F in Hz.
template <typename T>
T transfer_rate(const network::TransferFunction& transfer, const MembraneStatistics<T>& statistics) {
  std::array<T, 10> P_mV;
  for (std::size_t i = 0; i < P_mV.size(); ++i) P_mV[i] = T(transfer.P_mV[i]);
  return transfer_rate(effective_threshold(P_mV, threshold_basis(transfer, statistics)), statistics, transfer.t_ref_ms);
}

/// Density of the potential at the effective threshold, 1/mV; 0 without fluctuations.
double threshold_density(double V_eff_mV, const MembraneStatistics<double>& statistics);

/// The rate while the mean potential moves by mu' (mV/ms). Potentials with a Gaussian velocity of standard deviation
/// s_v cross the threshold upwards at the rate p E[(v + mu')_+], p the density there (Rice 1945, Bell Syst. Tech. J.
/// 24:46). With s_v such that this is F at rest, s_v = sqrt(2 pi) F / p, and u = mu' / s_v:
///   nu = F e^(-u^2/2) + p mu' (1 + erf(u / sqrt2)) / 2.
/// A fast rise carries the cells near the threshold over it at once; a fast fall keeps them from it.
double moving_rate_hz(double V_eff_mV, const MembraneStatistics<double>& statistics, double t_ref_ms,
                      double slope_mV_per_ms);
double moving_rate_hz(const network::TransferFunction& transfer, const MembraneStatistics<double>& statistics,
                      double slope_mV_per_ms);

/// Opposing current of adaptation at rest, per rate: sum_k b_k tau_k.
double adaptation_nA_per_hz(const network::TransferFunction& transfer);

/// The rate nu = F(statistics_at(nu)) of a cell whose adaptation is at rest; statistics_at gives its membrane
/// statistics at the adaptation that belongs to a rate. By bisection with secants (Illinois), to rounding.
template <class StatisticsAt>
double adapted_rate_hz(const network::TransferFunction& transfer, StatisticsAt&& statistics_at) {
  const double plain_hz = transfer_rate(transfer, statistics_at(0.0));
  const double gain = adaptation_nA_per_hz(transfer);
  if (gain == 0 || !(plain_hz > 0)) return plain_hz;
  constexpr double kNoRefractoriness_hz = 1000;
  const double limit_hz = transfer.t_ref_ms > 0 ? 1000 / transfer.t_ref_ms : kNoRefractoriness_hz;
  const auto excess = [&](double rate_hz) { return transfer_rate(transfer, statistics_at(rate_hz)) - rate_hz; };
  double low = 0, high = plain_hz, at_low = plain_hz, at_high = excess(high);
  if (at_high > 0) {  // F can grow with adaptation, if less current leaves more fluctuations
    high = limit_hz;
    at_high = excess(high);
    if (at_high > 0) return limit_hz;
  }
  constexpr int kMostSteps = 100;
  for (int step = 0; step < kMostSteps && high - low > 1e-13 * high; ++step) {
    const double middle = at_high < 0 ? high - at_high * (high - low) / (at_high - at_low) : high;
    const double value = excess(middle);
    if (value == 0 || middle == high) return middle;
    if (value > 0) {
      low = middle;
      at_low = value;
      at_high /= 2;
    } else {
      high = middle;
      at_high = value;
      at_low /= 2;
    }
  }
  return 0.5 * (low + high);
}

/// The effective threshold that gives rate_Hz at these statistics, the inverse of transfer_rate; needs
/// 0 < rate_Hz < 1 / tau_V and sigma > 0, else NaN.
double inverted_threshold_mV(double rate_Hz, const MembraneStatistics<double>& statistics);

/// Whether the working point lies in the range that the coefficients were fitted on (true if that range is unknown).
bool inside_hull(const network::TransferFunction& transfer, const MembraneStatistics<double>& statistics);

/// Membrane of a transfer function.
inline Membrane membrane_of(const network::TransferFunction& transfer) {
  return {transfer.C_m_nF, transfer.g_L_uS, transfer.E_L_mV};
}

}  // namespace triscale::meanfield

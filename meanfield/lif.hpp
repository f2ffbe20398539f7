/// Leaky integrate-and-fire neuron in the diffusion approximation,
///
///   tau_m dV/dt = -V + mu + sigma sqrt(tau_m) xi(t),   <xi(t) xi(t')> = delta(t - t'),
///
/// V relative to rest, spike at V_th, then V_reset for t_ref. sigma / sqrt2 is the standard deviation of the free
/// potential. The stationary rate is Siegert's (1951; Ricciardi 1977), with y = (V - mu) / sigma:
///
///   1/nu = t_ref + tau_m sqrt(pi) int_{y_r}^{y_th} Phi(s) ds,    Phi(s) = e^(s^2) (1 + erf s) = erfcx(-s)
///
/// in three branches that neither overflow nor cancel: E(a, b) = int_a^b erfcx, D = Dawson's function, I the integral,
///   y_th <= 0:          I = E(-y_th, -y_r)
///   y_r <= 0 < y_th:    e^(-y_th^2) I = 2 D(y_th) + e^(-y_th^2) [E(0, -y_r) - E(0, y_th)]
///   0 < y_r:            e^(-y_th^2) I = 2 D(y_th) - 2 e^(y_r^2 - y_th^2) D(y_r) - e^(-y_th^2) E(y_r, y_th)
/// A rate too small for a double is still known by its logarithm.
///
/// Synapses that filter the white noise with a short time constant tau_s shift both bounds (Fourcaud & Brunel 2002,
/// Neural Computation 14:2057; Schuecker, Diesmann & Helias 2015, Phys. Rev. E 92:052119):
///   V -> V + sigma (alpha/2) sqrt(tau_s / tau_m),    alpha = sqrt2 |zeta(1/2)|.
/// The first-order expansion of that shift can give negative rates and is not offered.
#pragma once

namespace triscale::meanfield {

/// sqrt2 |zeta(1/2)|
inline constexpr double kColourShift = 2.0652531522312172;

struct LifCell {
  double tau_m_ms = 10;
  double t_ref_ms = 2;
  double V_threshold_mV = 15;  ///< relative to rest
  double V_reset_mV = 0;       ///< relative to rest, below the threshold
  double tau_syn_ms = 0;       ///< time constant of exponential synaptic currents; 0: delta pulses
};

/// Mean and noise amplitude of the total input, in the convention of the header.
struct LifInput {
  double mu_mV = 0;
  double sigma_mV = 0;
};

/// Integration bounds, with the shift for coloured noise.
struct SiegertBounds {
  double y_threshold = 0;
  double y_reset = 0;
  double shift = 0;  ///< (alpha/2) sqrt(tau_s/tau_m), already in the two
};
SiegertBounds siegert_bounds(const LifCell& cell, const LifInput& input);

/// ln of the rate in Hz for given bounds y_reset < y_threshold.
double siegert_log_rate(double y_threshold, double y_reset, double tau_m_ms, double t_ref_ms);

struct LifRate {
  double rate_hz = 0;
  double log_rate = 0;           ///< ln(rate / Hz), finite where rate_hz underflows; -inf if the cell never fires
  double d_mu_hz_per_mV = 0;     ///< derivative with respect to mu
  double d_sigma_hz_per_mV = 0;  ///< derivative with respect to sigma, at fixed mu
};

/// Rate and derivatives. sigma = 0 is the noise-free cell: nu = 1/(t_ref + tau_m ln((mu - V_r)/(mu - V_th))) above
/// threshold.
LifRate lif_rate(const LifCell& cell, const LifInput& input);

/// Coefficient of variation of the interspike intervals (Brunel 2000, J. Comput. Neurosci. 8:183, appendix A),
///   CV^2 = 2 pi nu^2 tau_m^2 int_{y_r}^{y_th} e^(x^2) int_{-inf}^x e^(y^2) (1 + erf y)^2 dy dx,
/// computed from the first two cumulants of the first-passage time (meanfield/lif_response.hpp); bounds shifted as for
/// the rate. Cells that fire practically never have CV 1.
double lif_cv(const LifCell& cell, const LifInput& input);

}  // namespace triscale::meanfield

/// Linear response and renewal statistics of the noisy leaky integrate-and-fire neuron (meanfield/lif.hpp), all from
/// one function. With complex frequency lambda (i omega on the imaginary axis), s = lambda tau_m and x = sqrt2 (V -
/// mu)/sigma, Psi is the solution of
///
///   Psi'' - x Psi' - s Psi = 0
///
/// that grows slowest to the left (Psi = e^(x^2/4) U(s - 1/2, -x), U the parabolic cylinder function). Then, with
/// Delta = Psi(x_th) - e^(-lambda t_ref) Psi(x_r) (Brunel & Hakim 1999; Lindner & Schimansky-Geier 2001; Schuecker et
/// al. 2015; the refractory factor e^(-lambda t_ref) is what makes the limit lambda -> 0 equal the slope of the rate):
///
///   f(lambda)         = e^(-lambda t_ref) Psi(x_r) / Psi(x_th)        Laplace transform of the interspike intervals
///   dnu/dmu(lambda)   = sqrt2 nu / sigma / (1 + s) (Psi'(x_th) - Psi'(x_r)) / Delta
///   dnu/dsigma^2      = nu / sigma^2 / (2 + s) (Psi''(x_th) - Psi''(x_r)) / Delta
///
/// Psi is never formed. Its logarithmic derivative w obeys the Riccati equation w' = s + x w - w^2, for which
/// integrating to the right is stable, and L = ln Psi(x_th)/Psi(x_r) is all else that is needed:
///
///   dnu/dmu = sqrt2 nu / sigma / (1 + s) (w_th - w_r e^(-L)) / (1 - e^(-L - lambda t_ref)).
///
/// The equation is solved by Taylor series of Psi around one point after the other, each time scaled to Psi = 1, with
/// steps that keep the growth over a step moderate: (n+1)(n+2) a_{n+2} = x (n+1) a_{n+1} + (n + s) a_n.
///
/// Filtered synapses: bounds shifted as for the rate. The shift moves with sigma, which adds
/// -(alpha/2) sqrt(tau_s/tau_m) / (2 sigma) dnu/dmu to dnu/dsigma^2. The synaptic filter 1/(1 + lambda tau_s) of the
/// current is not contained. Valid for omega sqrt(tau_m tau_s) << 1.
#pragma once

#include <complex>

#include "meanfield/lif.hpp"

namespace triscale::meanfield {

struct LifResponse {
  std::complex<double> d_mu_hz_per_mV;       ///< to a modulation of mu
  std::complex<double> d_sigma2_hz_per_mV2;  ///< to a modulation of sigma^2
  std::complex<double> interval_transform;   ///< f(lambda), refractory time included
};

/// One working point, for many frequencies.
class LifResponder {
 public:
  /// Without refractory_factor, e^(-lambda t_ref) is left out of Delta (Schuecker et al. 2015), for comparison only.
  LifResponder(const LifCell& cell, const LifInput& input, bool refractory_factor = true);

  /// lambda in 1/ms; for a frequency f in Hz, 2 pi i f / 1000.
  LifResponse at(std::complex<double> lambda_per_ms) const;
  const LifRate& rate() const { return rate_; }

 private:
  LifCell cell_;
  LifInput input_;
  LifRate rate_;
  double x_threshold_ = 0, x_reset_ = 0, shift_ = 0;
  double t_ref_ms_ = 0;  // in Delta
};

/// Spectrum of the spike train of one cell with independent intervals, S = nu (1 - |f|^2)/|1 - f|^2, in Hz; f at i
/// omega, omega != 0.
double renewal_spectrum_hz(double rate_hz, std::complex<double> interval_transform);

/// Mean and variance of the interspike intervals.
struct IntervalMoments {
  double mean_ms = 0;
  double variance_ms2 = 0;
};
IntervalMoments interval_moments(const LifCell& cell, const LifInput& input);

}  // namespace triscale::meanfield

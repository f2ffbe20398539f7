/// Spike trains that are more regular than Poisson trains, because a cell does not fire again at once: intervals are a
/// dead time d plus an exponential, of mean 1/nu. The dead time of a model cell is longer than its refractory period,
/// since the potential has to recover from its reset; what it is for a cell, bridges/meanfield measures.
///
/// With f the Fourier transform of the interval's density (Cox 1962, Renewal Theory), the spectrum is
///   S(omega) = nu (1 - |f|^2) / |1 - f|^2,    f = exp(-lambda d) / (1 + lambda (1/nu - d)),    lambda = i omega,
/// and filtered by something whose autocorrelation is exp(-|s|/tau), the train has the variance of a Poisson train of
/// the same rate times
///   1 + 2 int_0^oo (m(s) - nu) exp(-s/tau) ds = 1 + 2 (f/(1 - f) - nu tau)    at lambda = 1/tau,
/// m the rate after a spike at 0. Many such trains add up to an input that keeps their spectrum: it is not Poisson,
/// however many there are.
#pragma once

#include <complex>

#include "network/cell_models.hpp"

namespace triscale::meanfield {

/// Dead time of a population's trains at any rate, from that at one rate. What it is beyond the refractory period goes
/// with 1/nu: stronger input is also faster to bring a cell back from its reset. (AdEx cells of seven networks at 0.5
/// to 18 Hz: the product with nu stays the same to 15 %.) 0 for Poisson trains.
class DeadTime {
 public:
  DeadTime() = default;
  explicit DeadTime(const network::TransferFunction& transfer);
  double at(double rate_hz) const;

 private:
  double refractory_ms_ = 0, measured_ms_ = 0, at_hz_ = 0;
};

/// S in Hz; nu for lambda = 0 excepted (the limit is nu (1 - nu d)^2).
double dead_time_spectrum_hz(double rate_hz, double dead_time_ms, std::complex<double> lambda_per_ms);

/// Variance after the filter, relative to that of a Poisson train, between 0 and 1. Rates above 1/d count as 1/d.
double relative_variance(double rate_hz, double dead_time_ms, double tau_ms);

/// Spectrum at frequency 0 relative to that of a Poisson train, (1 - nu d)^2.
double relative_power_at_0(double rate_hz, double dead_time_ms);

/// The dead time of trains of `rate_hz` whose pairs of spikes, sum over pairs of exp(-distance/tau), are this part of
/// what Poisson trains have: the inverse of f/(1 - f) / (nu tau). 0 for a part of 1 and more.
double dead_time_ms(double rate_hz, double relative_pairs, double tau_ms);

}  // namespace triscale::meanfield

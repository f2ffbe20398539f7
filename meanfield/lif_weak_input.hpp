/// How a leaky integrate-and-fire cell's rate and CV change when its input is not quite white noise: Gaussian input
/// with some excess spectrum (oscillating populations, sources that are more regular than Poisson), and jumps of
/// finite size. Both to the lowest order in the deviation, by perturbing the Fokker-Planck equation
///
///   dp/dt = L p + nu(t - t_ref) delta(V - V_r),   L p = -d/dV [ (mu - V)/tau_m p ] + sigma^2/(2 tau_m) d2p/dV2,
///
/// p = 0 at threshold, nu the flux through it. An additional input s(t) in mV adds the operator s L1, L1 p = -(1/tau_m)
/// dp/dV. With R(lambda) = (lambda - L)^(-1), reinjection included, and power P in mV^2 at frequency f,
///
///   p1 = R(2 pi i f) L1 p0,     <p2> = P R(0) Re L1 p1,    d nu = flux of <p2>   (second-order response),
///
/// and jumps J with rate r per source add the next Kramers-Moyal term -(A3/6) d3p/dV3, A3 = sum r J^3, to L.
/// The CV follows from the mean time R_f to the next spike, seen from any moment: E[T^2] = 2 E[R_f] / nu (Palm). Its
/// mean conditional on V obeys the adjoint equation -dg/dt = 1 + L^+ g + s L1^+ g, expanded alike.
///
/// Finite volumes with central differences, which are linear in the drift, so that the discrete perturbation series is
/// exact; second order in the cell width. Filtered synapses: bounds shifted as in meanfield/lif.hpp.
#pragma once

#include <complex>
#include <vector>

#include "meanfield/lif.hpp"

namespace triscale::meanfield {

/// Relative changes: of the rate, and of E[R_f].
struct WeakEffect {
  double rate = 0;
  double forward_time = 0;
};

/// What a cell does with a weak signal of one frequency.
struct WeakSignal {
  WeakEffect per_mV2;                       ///< to second order, per power of the signal
  std::complex<double> d_mu_hz_per_mV;      ///< linear response
  std::complex<double> interval_transform;  ///< of the intervals, refractory time included
};

class LifWeakInput {
 public:
  /// `cells_per_sigma`: resolution of the potential. sigma must be > 0.
  LifWeakInput(const LifCell& cell, const LifInput& input, double cells_per_sigma = 25);

  double rate_hz() const { return 1000 * flux_; }  ///< of the discretised equation
  double forward_time_ms() const { return forward_ms_; }
  WeakSignal at(double frequency_hz) const;
  /// Effect of jumps, per A3 in mV^3/ms.
  WeakEffect jumps() const;

 private:
  using Complex = std::complex<double>;
  template <typename T>
  std::vector<T> solve(T lambda, std::vector<T> right, bool adjoint) const;
  /// Mean mass of a density of changes with its refractory share made consistent: returns the change of the flux.
  double close(std::vector<double>& density) const;
  WeakEffect second_order(const std::vector<double>& source, const std::vector<double>& adjoint_source,
                          double cross_ms) const;
  template <typename T>
  std::vector<T> drift(const std::vector<T>& p) const;
  template <typename T>
  std::vector<T> drift_adjoint(const std::vector<T>& g) const;
  template <typename T>
  T outflow(const std::vector<T>& p) const {
    return up_.back() * p.back();
  }

  double t_ref_ms_, drift_;  // drift_: flux per mV and mass, 1/(2 dV tau_m)
  double width_mV_;
  std::size_t reset_ = 0;
  std::vector<double> up_, down_;     // rates of leaving through the face above, and of coming back through it
  std::vector<double> density_;       // p0, stationary mass per cell
  std::vector<double> from_reset_;    // -L^(-1) delta_r: p0 / flux
  std::vector<double> time_ms_;       // g0
  double flux_ = 0, forward_ms_ = 0;  // per ms
};

}  // namespace triscale::meanfield

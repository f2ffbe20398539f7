/// What the kinetics of all channels share: rates as functions of the potential.
///
/// How the formulas are written. Time goes to exponentials and divisions, so each struct states its rows in comments
/// and then evaluates them with few of both:
///  - gates give 1/tau, not tau; both of x_inf and 1/tau are quotients, brought to few denominators, and two quotients
///    share a division (`inverses`);
///  - exponentials of the same slope differ by a constant factor, e^((V+b)/k) = e^((V+a)/k) e^((b-a)/k), and one of
///    half the slope is the square;
///  - xr comes from e^x - 1 without loss near 0 (Exponential::minus_1), the argument kept off 0 itself by `argument`;
///    xr(-x) = e^x xr(x).
/// Kinetics are held at those of +-400 mV beyond, where products of exponentials stay far from overflow (`clamped`).
#pragma once

#include <cmath>

#include "detailed/lanes.hpp"

namespace triscale::detailed {

/// Which reversal potential a current uses, and where calcium current is counted.
enum class Ion { sodium, potassium, calcium, hcn };

/// q10^((T - T_ref)/10)
inline double q10_factor(double q10, double T, double T_ref) {
  return std::pow(q10, (T - T_ref) / 10.0);
}

inline namespace TRISCALE_INSTRUCTIONS {

/// x_inf and 1/tau (1/ms) of up to three gates at one potential.
template <class T, int n>
struct Gates {
  T inf[n], rate[n];
};

/// V within +-400 mV; NaN stays NaN.
template <class T>
TRISCALE_INLINE T clamped(const T& V) {
  return min_of(broadcast<T>(400.0), max_of(broadcast<T>(-400.0), V));
}

/// (V - half)/slope, never exactly 0. The offset is below the rounding of any other value; both xr and its denominator
/// are correct at it.
template <class T>
TRISCALE_INLINE T argument(const T& V, double half_mV, double slope_mV) {
  return madd(V, 1.0 / slope_mV, -half_mV / slope_mV) + 1e-30;
}
/// e^((V - half)/slope)
template <class T>
TRISCALE_INLINE Exponential<T> exponential_of(const T& V, double half_mV, double slope_mV) {
  return exponential(T(madd(V, 1.0 / slope_mV, -half_mV / slope_mV)));
}
/// 1 + e^((V - half)/slope), the denominator of a Boltzmann function.
template <class T>
TRISCALE_INLINE T boltzmann(const T& V, double half_mV, double slope_mV) {
  return 1.0 + exponential_of(V, half_mV, slope_mV).value();
}
/// e^(-((V - centre)/width)^2)
template <class T>
TRISCALE_INLINE T gaussian(const T& V, double centre_mV, double width_mV) {
  const T u = madd(V, 1.0 / width_mV, -centre_mV / width_mV);
  return exponential(T(-(u * u))).value();
}

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

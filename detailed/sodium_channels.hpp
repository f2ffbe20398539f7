/// Sodium channels with gates (sources: detailed/channels.hpp).
#pragma once

#include <cmath>

#include "detailed/kinetics.hpp"
#include "detailed/lanes.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

/// Activation of the transient sodium channels,
///   alpha = 0.182 6 xr(-x), beta = 0.124 6 xr(x), x = (V - half)/6, so that with e = e^x
///   m_inf = 0.182 e/(0.182 e + 0.124),   alpha + beta = 6 x (0.182 e + 0.124)/(e - 1).
template <class T>
struct SodiumActivation {
  T e, inf, sum;
};
template <class T>
TRISCALE_INLINE SodiumActivation<T> sodium_activation(const T& V, double half_mV) {
  const T x = argument(V, half_mV, 6.0);
  const Exponential<T> exponent = exponential(x);
  const T e = exponent.value(), weighted = madd(e, 0.182, 0.124);
  const Inverses<T> inverse = inverses(T(exponent.minus_1()), weighted);
  return {e, 0.182 * e * inverse.b, 6.0 * x * weighted * inverse.a};
}

/// Transient sodium, m^3 h; half-points shifted by `m_half`, `h_half`; q10 2.3 at 23 degC. Inactivation:
///   alpha = 0.015 6 xr(y), beta = 0.015 6 xr(-y), y = (V - h_half)/6, so that with e = e^y
///   h_inf = 1/(1 + e),   alpha + beta = 0.09 y (e + 1)/(e - 1);
/// e is m's times a constant. Near y = 0 that would lose digits, and the series of the even function
/// y (e + 1)/(e - 1) = 2 + y^2/6 - y^4/360 + ... is used.
template <int m_half, int h_half>
struct TransientSodium {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 23); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[0] * (x[0] * x[1]);
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    const SodiumActivation<T> m = sodium_activation(V, m_half);
    const T y = madd(V, 1.0 / 6.0, -h_half / 6.0), y2 = y * y;
    const T e = m.e * std::exp((m_half - h_half) / 6.0), plus = 1.0 + e;
    const auto small = y2 < 4e-4;
    const T series = madd(y2, madd(y2, -1.0 / 360.0, 1.0 / 6.0), 2.0);
    const Inverses<T> inverse = inverses(T(select(small, broadcast<T>(1.0), T(e - 1.0))), plus);
    const T even = select(small, series, T(y * plus * inverse.a));
    return {{m.inf, inverse.b}, {m.sum * q, even * (0.09 * q)}};
  }
};
using NaTs = TransientSodium<-40, -66>;
using NaTa = TransientSodium<-48, -69>;

/// Inactivation of the persistent sodium channels,
///   h_inf = 1/(1 + e^((V+48.8)/10)),  alpha = 2.88e-6 4.63 xr((V+17)/4.63),  beta = 6.94e-6 2.63 xr(-(V+64.4)/2.63).
template <class T>
TRISCALE_INLINE void persistent_inactivation(const T& V, double q, T& inf, T& rate) {
  const T x = argument(V, -17.0, 4.63), y = argument(V, -64.4, -2.63);
  const T dx = exponential(x).minus_1(), dy = exponential(y).minus_1();
  const Inverses<T> inverse = inverses(T(dx * dy), boltzmann(V, -48.8, 10.0));
  inf = inverse.b;
  rate = madd(x * dy, 2.88e-6 * 4.63 * q, T(y * dx * (6.94e-6 * 2.63 * q))) * inverse.a;
}

/// Persistent sodium, m_inf(V) h with instantaneous activation; q10 2.3 at 21 degC. With d open/dV the
/// implicit step sees the full slope of the current, as NEURON's numerical derivative does.
struct Nap {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T activation(const T& V) {
    return 1.0 / boltzmann(clamped(V), -52.6, -4.6);
  }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T& V) {
    return activation(V) * x[0];
  }
  template <class T>
  struct Open {
    T open, slope;
  };
  template <class T>
  static TRISCALE_INLINE Open<T> open_and_slope(const T* x, const T& V) {
    const T m = activation(V), open = m * x[0];
    return {open, (1.0 - m) * (1.0 / 4.6) * open};
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(const T& V, const T&, double q) {
    Gates<T, 1> g;
    persistent_inactivation(V, q, g.inf[0], g.rate[0]);
    return g;
  }
};

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

/// The conductances of the squid axon (Hodgkin & Huxley 1952, J Physiol 117:500).
#pragma once

#include <cmath>

#include "detailed/kinetics.hpp"
#include "detailed/lanes.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

/// The squid axon's sodium conductance, m^3 h; q10 3 at 6.3 degC; rest near -65 mV:
///   m: alpha = xr(-(V+40)/10), beta = 4 e^(-(V+65)/18);
///   h: alpha = 0.07 e^(-(V+65)/20), beta = 1/(1 + e^(-(V+35)/10)).
/// With e = e^(-(V+40)/20), xr's exponential is e^2 and its e^2 - 1 = (e - 1)(e - 1 + 2).
struct HhSodium {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(3, T, 6.3); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[0] * (x[0] * x[1]);
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    const T half = argument(V, -40.0, -20.0);
    const Exponential<T> exponent = exponential(half);
    const T e = exponent.value(), minus_1 = exponent.minus_1();
    const T d = minus_1 * (minus_1 + 2.0), alpha_d = 2.0 * half;
    const T sum_d = madd(exponential_of(V, -65.0, -18.0).value() * 4.0, d, alpha_d);
    const Inverses<T> m = inverses(d, sum_d);
    const T b = madd(e * std::exp(0.5), e, 1.0), alpha_b = e * (0.07 * std::exp(-1.25)) * b, sum_b = 1.0 + alpha_b;
    const Inverses<T> h = inverses(b, sum_b);
    return {{alpha_d * m.b, alpha_b * h.b}, {sum_d * m.a * q, sum_b * h.a * q}};
  }
};

/// The squid axon's potassium conductance, n^4: alpha = 0.1 xr(-(V+55)/10), beta = 0.125 e^(-(V+65)/80). With
/// e = e^(-(V+55)/80), xr's exponential is e^8; e^2 - 1 = (e - 1)(e - 1 + 2) three times over.
struct HhPotassium {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(3, T, 6.3); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    const T n2 = x[0] * x[0];
    return n2 * n2;
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(const T& V, const T&, double q) {
    const T eighth = argument(V, -55.0, -80.0);
    const Exponential<T> exponent = exponential(eighth);
    const T d1 = exponent.minus_1(), d2 = d1 * (d1 + 2.0), d4 = d2 * (d2 + 2.0), d = d4 * (d4 + 2.0);
    const T alpha_d = (0.1 * 8.0) * eighth;
    const T sum_d = madd(exponent.value() * (0.125 * std::exp(-0.125)), d, alpha_d);
    const Inverses<T> n = inverses(d, sum_d);
    return {{alpha_d * n.b}, {sum_d * n.a * q}};
  }
};

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

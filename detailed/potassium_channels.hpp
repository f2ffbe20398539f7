/// Potassium channels with gates (sources: detailed/channels.hpp).
#pragma once

#include <cmath>

#include "detailed/kinetics.hpp"
#include "detailed/lanes.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

/// Transient (A-type) potassium with its curves moved by `shift` (m_inf apart) mV:
///   m_inf = 1/(1 + e^(-(V - m_half)/m_slope)), tau_m = (0.34 + 0.92 e^(-((V+71)/59)^2))/q,
///   h_inf = 1/(1 + e^((V+66)/10)),             tau_h = (8 + 49 e^(-((V+73)/23)^2))/q.
template <class T>
TRISCALE_INLINE Gates<T, 2> transient_potassium(const T& V, double m_half, double m_slope, double shift, double q) {
  const Inverses<T> inf = inverses(boltzmann(V, m_half, -m_slope), boltzmann(V, shift - 66.0, 10.0));
  const Inverses<T> rate = inverses(T(madd(gaussian(V, shift - 71.0, 59.0), 0.92, 0.34)),
                                    T(madd(gaussian(V, shift - 73.0, 23.0), 49.0, 8.0)));
  return {{inf.a, inf.b}, {rate.a * q, rate.b * q}};
}

/// Transient potassium, m^4 h; q10 2.3 at 21 degC.
struct K_T {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    const T m2 = x[0] * x[0];
    return m2 * m2 * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    return transient_potassium(V, -47.0, 29.0, 0.0, q);
  }
};

/// Persistent (slowly inactivating) potassium with its curves moved by `shift` (m_inf apart) mV, u = V - shift:
///   m_inf = 1/(1 + e^(-(V - m_half)/m_slope)),
///   tau_m = (1.25 + 175.03 e^(0.026 u))/q below u = -50 mV and (1.25 + 13 e^(-0.026 u))/q above,
///   h_inf = 1/(1 + e^((u+54)/11)),  tau_h = (360 + (1010 + 24 (u+55)) e^(-((u+75)/48)^2))/q.
/// tau_m jumps as published.
template <class T>
TRISCALE_INLINE Gates<T, 2> persistent_potassium(const T& V, double m_half, double m_slope, double shift, double q) {
  const auto low = V < shift - 50.0;
  const T s = 0.026 * (V - shift);
  const T e = exponential(T(select(low, s, T(-s)))).value();
  const T tau_m = madd(e, select(low, broadcast<T>(175.03), broadcast<T>(13.0)), 1.25);
  const T tau_h = madd(gaussian(V, shift - 75.0, 48.0), T(madd(V, 24.0, 24.0 * (55.0 - shift) + 1010.0)), 360.0);
  const Inverses<T> inf = inverses(boltzmann(V, m_half, -m_slope), boltzmann(V, shift - 54.0, 11.0));
  const Inverses<T> rate = inverses(tau_m, tau_h);
  return {{inf.a, inf.b}, {rate.a * q, rate.b * q}};
}

/// Persistent potassium, m^2 h; q10 2.3 at 21 degC.
struct K_P {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    return persistent_potassium(V, -14.3, 14.6, 0.0, q);
  }
};

/// Kv2-like delayed rectifier, m^2 (h1 + h2)/2; q10 2.3 at 21 degC:
///   alpha = 0.12 11 xr(-(V-43)/11), beta = 0.02 e^(-(V+1.27)/120), tau_m = 2.5/((alpha+beta) q),
///   h_inf = 1/(1 + e^((V+58)/11)), tau_h1 = (360 + (1010 + 23.7 (V+54)) e^(-((V+75)/48)^2))/q,
///   tau_h2 = (2350 + 1380 e^(-0.011 V) - 210 e^(-0.03 V))/q.
/// tau_h2 turns negative below about -119 mV in the published formula; it is held at 1e-3 ms or more.
struct Kv2like {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 3;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[0] * (0.5 * (x[1] + x[2]));
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 3> gates(const T& V, const T&, double q) {
    const T x = argument(V, 43.0, -11.0), d = exponential(x).minus_1(), alpha_d = 0.12 * 11.0 * x;
    const T sum_d = madd(exponential_of(V, -1.27, -120.0).value() * 0.02, d, alpha_d);
    const Inverses<T> m = inverses(d, sum_d);
    const T inf = 1.0 / boltzmann(V, -58.0, 11.0);
    const T tau_1 = madd(gaussian(V, -75.0, 48.0), T(madd(V, 23.7, 23.7 * 54.0 + 1010.0)), 360.0);
    const T slow = exponential(T(-0.011 * V)).value(), fast = exponential(T(-0.03 * V)).value();
    const T tau_2 = max_of(T(madd(slow, 1380.0, T(madd(fast, -210.0, 2350.0)))), broadcast<T>(1e-3 * q));
    const Inverses<T> h = inverses(tau_1, tau_2);
    return {{alpha_d * m.b, inf, inf}, {sum_d * m.a * (q / 2.5), h.a * q, h.b * q}};
  }
};

/// Kv3.1, m: m_inf = 1/(1 + e^(-(V-18.7)/9.7)), tau = 4/(1 + e^(-(V+46.56)/44.14)); no temperature factor.
struct Kv3_1 {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(const T& V, const T&, double) {
    return {{1.0 / boltzmann(V, 18.7, -9.7)}, {0.25 * boltzmann(V, -46.56, -44.14)}};
  }
};

/// D-type potassium, m h: m_inf = 1/(1 + e^(-(V+43)/8)), tau_m = 1; h_inf = 1/(1 + e^((V+67)/7.3)), tau_h = 1500. The
/// published file computes a temperature factor and does not apply it; neither do we.
struct Kd {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double) {
    const Inverses<T> inf = inverses(boltzmann(V, -43.0, -8.0), boltzmann(V, -67.0, 7.3));
    return {{inf.a, inf.b}, {broadcast<T>(1.0), broadcast<T>(1.0 / 1500.0)}};
  }
};

/// M-type potassium, m; q10 2.3 at 21 degC:
///   alpha = 3.3e-3 e, beta = 3.3e-3/e, e = e^(0.1 (V+35)).
struct Im {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(const T& V, const T&, double q) {
    const ExponentialPair<T> e = exponential_pair(T(madd(V, 0.1, 3.5)));
    const T sum = e.plus + e.minus;
    return {{e.plus / sum}, {sum * (3.3e-3 * q)}};
  }
};

/// M-type potassium, second version, m; q10 2.3 at 30 degC:
///   alpha = 0.007 e^(6 0.4 (V+48)/26.12), beta = 0.007 e^(-6 0.6 (V+48)/26.12), tau = (15 + 1/(alpha+beta))/q.
/// With w = e^(1.2 (V+48)/26.12), alpha = 0.007 w^2 and beta = 0.007/w^3.
struct Im_v2 {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 30); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(const T& V, const T&, double q) {
    const T w = exponential_of(V, -48.0, 26.12 / 1.2).value();
    const T w2 = w * w, w3 = w2 * w, w5 = w2 * w3, sum = 1.0 + w5;  // (alpha + beta) w^3/0.007
    const Inverses<T> inverse = inverses(sum, T(madd(sum, 15.0 * 0.007, w3)));
    return {{w5 * inverse.a}, {sum * inverse.b * (0.007 * q)}};
  }
};

/// Small-conductance calcium-activated potassium, z; depends on calcium only: z_inf = 1/(1 + (4.3e-4 mM/ca)^4.8),
/// tau = 1 ms.
struct SK {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = true;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(const T&, const T& Ca_mM, double) {
    const T ca = select(Ca_mM < 1e-7, T(Ca_mM + 1e-7), Ca_mM);
    const T x = nmadd(log_of(ca), 4.8, 4.8 * std::log(4.3e-4));
    return {{1.0 / (1.0 + exp_of(x))}, {broadcast<T>(1.0)}};
  }
};

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

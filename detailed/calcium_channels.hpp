/// Calcium channels and the hyperpolarisation-activated cation current (sources: detailed/channels.hpp).
#pragma once

#include "detailed/kinetics.hpp"
#include "detailed/lanes.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

/// High-voltage-activated calcium, m^2 h; no temperature factor:
///   m: alpha = 0.055 3.8 xr(-(V+27)/3.8), beta = 0.94 e^(-(V+75)/17);
///   h: alpha = 4.57e-4 e^(-(V+13)/50), beta = 0.0065/(1 + e^(-(V+15)/28)).
struct Ca_HVA {
  static constexpr Ion ion = Ion::calcium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double) {
    const T x = argument(V, -27.0, -3.8), d = exponential(x).minus_1(), alpha_d = 0.055 * 3.8 * x;
    const T sum_d = madd(exponential_of(V, -75.0, -17.0).value() * 0.94, d, alpha_d);
    const Inverses<T> m = inverses(d, sum_d);
    const T b = boltzmann(V, -15.0, -28.0), alpha_b = exponential_of(V, -13.0, -50.0).value() * 4.57e-4 * b;
    const T sum_b = alpha_b + 0.0065;
    const Inverses<T> h = inverses(b, sum_b);
    return {{alpha_d * m.b, alpha_b * h.b}, {sum_d * m.a, sum_b * h.a}};
  }
};

/// Low-voltage-activated calcium, m^2 h; q10 2.3 at 21 degC:
///   m_inf = 1/(1 + e^(-(V+40)/6)),  tau_m = (5 + 20/(1 + e^((V+35)/5)))/q,
///   h_inf = 1/(1 + e^((V+90)/6.4)), tau_h = (20 + 50/(1 + e^((V+50)/7)))/q.
struct Ca_LVA {
  static constexpr Ion ion = Ion::calcium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    const Inverses<T> inf = inverses(boltzmann(V, -40.0, -6.0), boltzmann(V, -90.0, 6.4));
    const T m = boltzmann(V, -35.0, 5.0), h = boltzmann(V, -50.0, 7.0);
    const Inverses<T> rate = inverses(T(madd(m, 5.0, 20.0)), T(madd(h, 20.0, 50.0)));
    return {{inf.a, inf.b}, {m * rate.a * q, h * rate.b * q}};
  }
};

/// Hyperpolarisation-activated cation current, m; reversal potential -45 mV; no temperature factor:
///   alpha = 0.001 6.43 11.9 xr((V+154.9)/11.9), beta = 0.001 193 e^(V/33.1).
struct Ih {
  static constexpr Ion ion = Ion::hcn;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(const T& V, const T&, double) {
    const T x = argument(V, -154.9, 11.9), d = exponential(x).minus_1(), alpha_d = 0.001 * 6.43 * 11.9 * x;
    const T sum_d = madd(exponential_of(V, 0.0, 33.1).value() * (0.001 * 193.0), d, alpha_d);
    const Inverses<T> m = inverses(d, sum_d);
    return {{alpha_d * m.b}, {sum_d * m.a}};
  }
};

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

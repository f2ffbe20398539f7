/// Kinetics of the channels: one struct a channel, each readable as its row in the published tables.
///
/// A channel carries the current density i = gbar open(x, V) (V - E), E the reversal potential of its ion. Gates obey
///   dx/dt = (x_inf(V) - x) / tau_x(V);   where rates are given, x_inf = alpha/(alpha+beta), tau = 1/((alpha+beta) q).
/// xr(x) = x/(e^x - 1), 1 at 0. T is the temperature in degC; q10 factors are stated beside each family.
///
/// Sources: Hodgkin & Huxley 1952 (hh); Colbert & Pan 2002 (NaTs, NaTa); Magistretti & Alonso 1999 (Nap, persistent
/// sodium); Korngreen & Sakmann 2000 (K_T, K_P); Keren et al. 2005 (Kv2like); Rettig et al. 1992 (Kv3_1); Kole et al.
/// 2006 (Ih); Adams et al. 1982 (Im); Vervaeke et al. 2006 (Im_v2); Foust et al. 2011 (Kd); Reuveni et al. 1993
/// (Ca_HVA); Avery & Johnston 1996, Randall & Tsien 1997 (Ca_LVA); Koehler et al. 1996 (SK). Parameter sets as in the
/// Allen Cell Types Database; the last part has those of Hay et al. 2011 (PLoS Comput Biol 7: e1002107), which the Blue
/// Brain Project's cells use too. Its files take the factor 2.3^((34-21)/10) whatever the temperature of the run; so do
/// we.
///
/// How the formulas are written. Time goes to exponentials and divisions, so each struct states its rows in comments
/// and then evaluates them with few of both:
///  - gates give 1/tau, not tau; both of x_inf and 1/tau are quotients, brought to few denominators, and two quotients
///    share a division (`inverses`);
///  - exponentials of the same slope differ by a constant factor, e^((V+b)/k) = e^((V+a)/k) e^((b-a)/k), and one of
///  half
///    the slope is the square;
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

// --------------------------------------------------------------------------------------------------- sodium --------

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

// ------------------------------------------------------------------------------------------------ potassium --------

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

// ------------------------------------------------------------------------------------------ calcium and Ih --------

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

// --------------------------------------------------------------------------------------- Hodgkin and Huxley --------

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

// ---------------------------------------------------------------------------------- Hay et al., Blue Brain --------

/// The temperature factor of the set, fixed at 34 degC.
inline double q10_at_34(double) {
  return q10_factor(2.3, 34, 21);
}

/// Transient sodium, m^3 h.
template <int m_half, int h_half>
struct TransientSodiumAt34 : TransientSodium<m_half, h_half> {
  static double q(double T) { return q10_at_34(T); }
};
using NaTa_t = TransientSodiumAt34<-38, -66>;
using NaTs2_t = TransientSodiumAt34<-32, -60>;

/// Persistent sodium, m^3 h: m_inf = 1/(1 + e^(-(V+52.6)/4.6)) with six times the time constant of NaTa_t's activation,
/// h as in Nap.
struct Nap_Et2 {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_at_34(T); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, const T&) {
    return x[0] * x[0] * (x[0] * x[1]);
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    Gates<T, 2> g;
    g.inf[0] = 1.0 / boltzmann(V, -52.6, -4.6);
    g.rate[0] = sodium_activation(V, -38.0).sum * (q / 6.0);
    persistent_inactivation(V, q, g.inf[1], g.rate[1]);
    return g;
  }
};

/// Transient potassium, m^4 h: K_T's curves 10 mV lower, m_inf with its own.
struct K_Tst : K_T {
  static double q(double T) { return q10_at_34(T); }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    return transient_potassium(V, -10.0, 19.0, -10.0, q);
  }
};

/// Persistent potassium, m^2 h: K_P's curves 10 mV lower, m_inf with its own.
struct K_Pst : K_P {
  static double q(double T) { return q10_at_34(T); }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(const T& V, const T&, double q) {
    return persistent_potassium(V, -11.0, 12.0, -10.0, q);
  }
};

/// M-type potassium, m.
struct Im_Hay : Im {
  static double q(double T) { return q10_at_34(T); }
};

/// Low-voltage-activated calcium, m^2 h.
struct Ca_LVAst : Ca_LVA {
  static double q(double T) { return q10_at_34(T); }
};

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

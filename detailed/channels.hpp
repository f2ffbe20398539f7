/// Kinetics of the channels: one struct a channel, each readable as its row in the published tables.
///
/// A channel carries the current density i = gbar open(x, V) (V - E), E the reversal potential of its ion. Gates obey
///   dx/dt = (x_inf(V) - x) / tau_x(V);   where rates are given, x_inf = alpha/(alpha+beta), tau = 1/((alpha+beta) q).
/// xr(x) = x/(e^x - 1) is `exprelr`. T is the temperature in degC; q10 factors are stated beside each family.
///
/// Sources: Hodgkin & Huxley 1952 (hh); Colbert & Pan 2002 (NaTs, NaTa); Magistretti & Alonso 1999 (Nap, persistent
/// sodium); Korngreen & Sakmann 2000 (K_T, K_P); Keren et al. 2005 (Kv2like); Rettig et al. 1992 (Kv3_1); Kole et al.
/// 2006 (Ih); Adams et al. 1982 (Im); Vervaeke et al. 2006 (Im_v2); Foust et al. 2011 (Kd); Reuveni et al. 1993
/// (Ca_HVA); Avery & Johnston 1996, Randall & Tsien 1997 (Ca_LVA); Koehler et al. 1996 (SK); Carter et al. 2012 (NaV).
/// Divisions by constants are written as products with their inverses, which the compiler knows: dividing vectors is
/// slow. Parameter sets as in the Allen Cell Types Database; the last part has those of Hay et al. 2011 (PLoS Comput
/// Biol 7: e1002107), which the Blue Brain Project's cells use too. Its files take the factor 2.3^((34-21)/10) whatever
/// the temperature of the run; so do we.
#pragma once

#include <array>
#include <cmath>

#include "detailed/lanes.hpp"

namespace triscale::detailed {

/// Which reversal potential a current uses, and where calcium current is counted.
enum class Ion { sodium, potassium, calcium, hcn };

/// q10^((T - T_ref)/10)
inline double q10_factor(double q10, double T, double T_ref) {
  return std::pow(q10, (T - T_ref) / 10.0);
}

/// x_inf and tau (ms) of up to three gates at one potential.
template <class T, int n>
struct Gates {
  std::array<T, n> inf, tau;
};

/// x_inf, tau from opening and closing rates (1/ms) and the temperature factor.
template <class T>
TRISCALE_INLINE void from_rates(T alpha, T beta, double q, T& inf, T& tau) {
  const T inverse = 1.0 / (alpha + beta);
  inf = alpha * inverse;
  tau = inverse * (1.0 / q);
}

// ------------------------------------------------------------------------------------------------------ sodium
// --------

/// Transient sodium, m^3 h; half-points shifted by `m_half`, `h_half`; q10 2.3 at 23 degC.
template <int m_half, int h_half>
struct TransientSodium {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 23); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    const ExprelrPair<T> m = exprelr_pair(T((V - m_half) * (1.0 / 6.0))),
                         h = exprelr_pair(T((V - h_half) * (1.0 / 6.0)));
    from_rates<T>(0.182 * 6.0 * m.minus, 0.124 * 6.0 * m.plus, q, g.inf[0], g.tau[0]);
    from_rates<T>(0.015 * 6.0 * h.plus, 0.015 * 6.0 * h.minus, q, g.inf[1], g.tau[1]);
    return g;
  }
};
using NaTs = TransientSodium<-40, -66>;
using NaTa = TransientSodium<-48, -69>;

/// Persistent sodium, m_inf(V) h with instantaneous activation; q10 2.3 at 21 degC. `slope` is d open/dV: with it the
/// implicit step sees the full slope of the current, as NEURON's numerical derivative does.
struct Nap {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T V) {
    return logistic(T((V + 52.6) * (1.0 / 4.6))) * x[0];
  }
  template <class T>
  static TRISCALE_INLINE T slope(const T* x, T V) {
    const T m = logistic(T((V + 52.6) * (1.0 / 4.6)));
    return m * (1.0 - m) * (1.0 / 4.6) * x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(T V, T, double q) {
    Gates<T, 1> g;
    const T alpha = 2.88e-6 * 4.63 * exprelr(T((V + 17.0) * (1.0 / 4.63)));
    const T beta = 6.94e-6 * 2.63 * exprelr(T(-(V + 64.4) * (1.0 / 2.63)));
    g.inf[0] = logistic(T(-(V + 48.8) * (1.0 / 10.0)));
    g.tau[0] = 1.0 / ((alpha + beta) * q);
    return g;
  }
};

// --------------------------------------------------------------------------------------------------- potassium
// --------

/// Transient (A-type) potassium, m^4 h; q10 2.3 at 21 degC.
struct K_T {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    const T m2 = x[0] * x[0];
    return m2 * m2 * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    const T um = (V + 71.0) * (1.0 / 59.0), uh = (V + 73.0) * (1.0 / 23.0);
    g.inf[0] = logistic(T((V + 47.0) * (1.0 / 29.0)));
    g.tau[0] = (0.34 + 0.92 * exp_of(T(-(um * um)))) * (1.0 / q);
    g.inf[1] = logistic(T(-(V + 66.0) * (1.0 / 10.0)));
    g.tau[1] = (8.0 + 49.0 * exp_of(T(-(uh * uh)))) * (1.0 / q);
    return g;
  }
};

/// Persistent (slowly inactivating) potassium, m^2 h; tau_m jumps at -50 mV as published; q10 2.3 at 21 degC.
struct K_P {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    const T u = (V + 75.0) * (1.0 / 48.0);
    g.inf[0] = logistic(T((V + 14.3) * (1.0 / 14.6)));
    const T low = 1.25 + 175.03 * exp_of(T(0.026 * V));
    const T high = 1.25 + 13.0 * exp_of(T(-0.026 * V));
    g.tau[0] = select(V < -50.0, low, high) * (1.0 / q);
    g.inf[1] = logistic(T(-(V + 54.0) * (1.0 / 11.0)));
    g.tau[1] = (360.0 + (1010.0 + 24.0 * (V + 55.0)) * exp_of(T(-(u * u)))) * (1.0 / q);
    return g;
  }
};

/// Kv2-like delayed rectifier, m^2 (h1 + h2)/2; q10 2.3 at 21 degC. tau_h2 turns negative below about -119 mV in the
/// published formula; it is held at 1e-3 ms or more.
struct Kv2like {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 3;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[0] * (0.5 * x[1] + 0.5 * x[2]);
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 3> gates(T V, T, double q) {
    Gates<T, 3> g;
    const T alpha = 0.12 * 11.0 * exprelr(T(-(V - 43.0) * (1.0 / 11.0)));
    const T beta = 0.02 * exp_of(T(-(V + 1.27) * (1.0 / 120.0)));
    g.inf[0] = alpha / (alpha + beta);
    g.tau[0] = 2.5 / ((alpha + beta) * q);
    const T u = (V + 75.0) * (1.0 / 48.0);
    g.inf[1] = logistic(T(-(V + 58.0) * (1.0 / 11.0)));
    g.inf[2] = g.inf[1];
    g.tau[1] = (360.0 + (1010.0 + 23.7 * (V + 54.0)) * exp_of(T(-(u * u)))) * (1.0 / q);
    g.tau[2] = max_of(T((2350.0 + 1380.0 * exp_of(T(-0.011 * V)) - 210.0 * exp_of(T(-0.03 * V))) * (1.0 / q)),
                      broadcast<T>(1e-3));
    return g;
  }
};

/// Kv3.1, m; no temperature factor.
struct Kv3_1 {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(T V, T, double) {
    Gates<T, 1> g;
    g.inf[0] = logistic(T((V - 18.7) * (1.0 / 9.7)));
    g.tau[0] = 4.0 * logistic(T((V + 46.56) * (1.0 / 44.14)));
    return g;
  }
};

/// D-type potassium, m h. The published file computes a temperature factor and does not apply it; neither do we.
struct Kd {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double) {
    Gates<T, 2> g;
    g.inf[0] = logistic(T((V + 43.0) * (1.0 / 8.0)));
    g.tau[0] = broadcast<T>(1.0);
    g.inf[1] = logistic(T(-(V + 67.0) * (1.0 / 7.3)));
    g.tau[1] = broadcast<T>(1500.0);
    return g;
  }
};

/// M-type potassium, m; q10 2.3 at 21 degC.
struct Im {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(T V, T, double q) {
    Gates<T, 1> g;
    from_rates<T>(3.3e-3 * exp_of(T(0.1 * (V + 35.0))), 3.3e-3 * exp_of(T(-0.1 * (V + 35.0))), q, g.inf[0], g.tau[0]);
    return g;
  }
};

/// M-type potassium, second version, m; q10 2.3 at 30 degC.
struct Im_v2 {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 30); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(T V, T, double q) {
    Gates<T, 1> g;
    const T alpha = 0.007 * exp_of(T(6.0 * 0.4 * (V + 48.0) * (1.0 / 26.12)));
    const T beta = 0.007 * exp_of(T(-6.0 * 0.6 * (V + 48.0) * (1.0 / 26.12)));
    g.inf[0] = alpha / (alpha + beta);
    g.tau[0] = (15.0 + 1.0 / (alpha + beta)) * (1.0 / q);
    return g;
  }
};

/// Small-conductance calcium-activated potassium, z; depends on calcium only.
struct SK {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = true;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(T, T Ca_mM, double) {
    Gates<T, 1> g;
    const T ca = select(Ca_mM < 1e-7, T(Ca_mM + 1e-7), Ca_mM);
    // (4.3e-4/ca)^4.8
    g.inf[0] = 1.0 / (1.0 + exp_of(T(4.8 * (std::log(4.3e-4) - log_of(ca)))));
    g.tau[0] = broadcast<T>(1.0);
    return g;
  }
};

// --------------------------------------------------------------------------------------------- calcium and Ih --------

/// High-voltage-activated calcium, m^2 h; no temperature factor.
struct Ca_HVA {
  static constexpr Ion ion = Ion::calcium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    from_rates<T>(0.055 * 3.8 * exprelr(T(-(V + 27.0) * (1.0 / 3.8))), 0.94 * exp_of(T(-(V + 75.0) * (1.0 / 17.0))), q,
                  g.inf[0], g.tau[0]);
    from_rates<T>(4.57e-4 * exp_of(T(-(V + 13.0) * (1.0 / 50.0))), 0.0065 * logistic(T((V + 15.0) * (1.0 / 28.0))), q,
                  g.inf[1], g.tau[1]);
    return g;
  }
};

/// Low-voltage-activated calcium, m^2 h; q10 2.3 at 21 degC.
struct Ca_LVA {
  static constexpr Ion ion = Ion::calcium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(2.3, T, 21); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    g.inf[0] = logistic(T((V + 40.0) * (1.0 / 6.0)));
    g.tau[0] = (5.0 + 20.0 * logistic(T(-(V + 35.0) * (1.0 / 5.0)))) * (1.0 / q);
    g.inf[1] = logistic(T(-(V + 90.0) * (1.0 / 6.4)));
    g.tau[1] = (20.0 + 50.0 * logistic(T(-(V + 50.0) * (1.0 / 7.0)))) * (1.0 / q);
    return g;
  }
};

/// Hyperpolarisation-activated cation current, m; reversal potential -45 mV; no temperature factor.
struct Ih {
  static constexpr Ion ion = Ion::hcn;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double) { return 1; }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(T V, T, double q) {
    Gates<T, 1> g;
    from_rates<T>(0.001 * 6.43 * 11.9 * exprelr(T((V + 154.9) * (1.0 / 11.9))),
                  0.001 * 193.0 * exp_of(T(V * (1.0 / 33.1))), q, g.inf[0], g.tau[0]);
    return g;
  }
};

// ------------------------------------------------------------------------------------------- Hodgkin and Huxley
// --------

/// The squid axon's sodium conductance, m^3 h; q10 3 at 6.3 degC; rest near -65 mV.
struct HhSodium {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(3, T, 6.3); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    from_rates<T>(exprelr(T(-(V + 40.0) * (1.0 / 10.0))), 4.0 * exp_of(T(-(V + 65.0) * (1.0 / 18.0))), q, g.inf[0],
                  g.tau[0]);
    from_rates<T>(0.07 * exp_of(T(-(V + 65.0) * (1.0 / 20.0))), logistic(T((V + 35.0) * (1.0 / 10.0))), q, g.inf[1],
                  g.tau[1]);
    return g;
  }
};

/// The squid axon's potassium conductance, n^4.
struct HhPotassium {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 1;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_factor(3, T, 6.3); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    const T n2 = x[0] * x[0];
    return n2 * n2;
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 1> gates(T V, T, double q) {
    Gates<T, 1> g;
    from_rates<T>(0.1 * exprelr(T(-(V + 55.0) * (1.0 / 10.0))), 0.125 * exp_of(T(-(V + 65.0) * (1.0 / 80.0))), q,
                  g.inf[0], g.tau[0]);
    return g;
  }
};

// ------------------------------------------------------------------------------------ Hay et al., Blue Brain --------

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

/// Persistent sodium, m^3 h, m with six times the time constant of NaTa_t's activation.
struct Nap_Et2 {
  static constexpr Ion ion = Ion::sodium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_at_34(T); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T) {
    return x[0] * x[0] * x[0] * x[1];
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T Ca_mM, double q) {
    Gates<T, 2> g;
    const ExprelrPair<T> m = exprelr_pair(T((V + 38.0) * (1.0 / 6.0)));
    g.inf[0] = logistic(T((V + 52.6) * (1.0 / 4.6)));
    g.tau[0] = 6.0 / ((0.182 * 6.0 * m.minus + 0.124 * 6.0 * m.plus) * q);
    const Gates<T, 1> h = Nap::gates(V, Ca_mM, q);
    g.inf[1] = h.inf[0];
    g.tau[1] = h.tau[0];
    return g;
  }
};

/// Transient potassium, m^4 h.
struct K_Tst {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_at_34(T); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T V) {
    return K_T::open(x, V);
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    const T um = (V + 81.0) * (1.0 / 59.0), uh = (V + 83.0) * (1.0 / 23.0);
    g.inf[0] = logistic(T((V + 10.0) * (1.0 / 19.0)));
    g.tau[0] = (0.34 + 0.92 * exp_of(T(-(um * um)))) * (1.0 / q);
    g.inf[1] = logistic(T(-(V + 76.0) * (1.0 / 10.0)));
    g.tau[1] = (8.0 + 49.0 * exp_of(T(-(uh * uh)))) * (1.0 / q);
    return g;
  }
};

/// Persistent potassium, m^2 h; tau_m jumps at -60 mV as published.
struct K_Pst {
  static constexpr Ion ion = Ion::potassium;
  static constexpr int n_gates = 2;
  static constexpr bool needs_calcium = false;
  static double q(double T) { return q10_at_34(T); }
  template <class T>
  static TRISCALE_INLINE T open(const T* x, T V) {
    return K_P::open(x, V);
  }
  template <class T>
  static TRISCALE_INLINE Gates<T, 2> gates(T V, T, double q) {
    Gates<T, 2> g;
    const T u = (V + 85.0) * (1.0 / 48.0);
    g.inf[0] = logistic(T((V + 11.0) * (1.0 / 12.0)));
    const T low = 1.25 + 175.03 * exp_of(T(0.026 * (V + 10.0)));
    const T high = 1.25 + 13.0 * exp_of(T(-0.026 * (V + 10.0)));
    g.tau[0] = select(V < -60.0, low, high) * (1.0 / q);
    g.inf[1] = logistic(T(-(V + 64.0) * (1.0 / 11.0)));
    g.tau[1] = (360.0 + (1010.0 + 24.0 * (V + 65.0)) * exp_of(T(-(u * u)))) * (1.0 / q);
    return g;
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

}  // namespace triscale::detailed

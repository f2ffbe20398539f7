/// The channels of Hay et al. 2011 (PLoS Comput Biol 7: e1002107), which the Blue Brain Project's cells use too.
#pragma once

#include "detailed/calcium_channels.hpp"
#include "detailed/kinetics.hpp"
#include "detailed/lanes.hpp"
#include "detailed/potassium_channels.hpp"
#include "detailed/sodium_channels.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

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

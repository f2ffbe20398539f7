#include "detailed/mechanisms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "detailed/channels.hpp"
#include "network/density_profile.hpp"

namespace triscale::detailed {

namespace {

constexpr double kFaraday = 96485.33212;      // C/mol
constexpr double kGasConstant = 8.314462618;  // J/(mol K)
constexpr double kMicrosiemensPerUm2 = 1e-2;  // of 1 S/cm2

double nernst_factor_mV(double celsius) {
  return 1e3 * kGasConstant * (celsius + 273.15) / (2.0 * kFaraday);
}

/// Conductances in uS and state vectors of a mechanism at the nodes of a group.
struct Placed {
  std::vector<std::uint32_t> nodes;
  std::vector<double> g_max_uS;
  std::vector<double> densities_S_cm2;
  LaneArray states;  // [instance][state][column]
};

void place_at(Placed& placed, const MechanismSite& site, double gbar_S_cm2, std::size_t n_states) {
  placed.nodes = site.nodes;
  placed.g_max_uS.clear();
  placed.densities_S_cm2.clear();
  for (std::size_t i = 0; i < site.nodes.size(); ++i) {
    const double density = site.factors.empty() ? gbar_S_cm2 : gbar_S_cm2 * site.factors[i];
    placed.densities_S_cm2.push_back(density);
    placed.g_max_uS.push_back(density * site.areas_um2[i] * kMicrosiemensPerUm2);
  }
  placed.states.assign(site.nodes.size() * n_states * kColumns, Lanes{});
}

// --------------------------------------------------------------------------------------- channels with gates --------

template <class Channel>
struct ChannelKernels {
  static constexpr int n = Channel::n_gates;

  static TRISCALE_INLINE void advance_all(Placed& placed, const MembraneView& view, double q, double dt_ms) {
    for (std::size_t i = 0; i < placed.nodes.size(); ++i) {
      for (int c = 0; c < kColumns; ++c) {
        const std::size_t at = placed.nodes[i] * kColumns + c;
        const Gates<Lanes, n> gates = Channel::gates(Lanes(view.V_mV[at]), Lanes(view.Ca_mM[at]), q);
        for (int k = 0; k < n; ++k) {
          Lanes& x = placed.states[(i * n + k) * kColumns + c];
          x += (1.0 - exp_of(Lanes(-dt_ms / gates.tau[k]))) * (gates.inf[k] - x);
        }
      }
    }
  }

  static TRISCALE_INLINE void initialise_all(Placed& placed, const MembraneView& view, double q) {
    for (std::size_t i = 0; i < placed.nodes.size(); ++i) {
      for (int c = 0; c < kColumns; ++c) {
        const std::size_t at = placed.nodes[i] * kColumns + c;
        const Gates<Lanes, n> gates = Channel::gates(Lanes(view.V_mV[at]), Lanes(view.Ca_mM[at]), q);
        for (int k = 0; k < n; ++k) placed.states[(i * n + k) * kColumns + c] = gates.inf[k];
      }
    }
  }

  static TRISCALE_INLINE void add_all(const Placed& placed, const MembraneView& view, double E_mV) {
    for (std::size_t i = 0; i < placed.nodes.size(); ++i) {
      for (int c = 0; c < kColumns; ++c) {
        const std::size_t at = placed.nodes[i] * kColumns + c;
        Lanes x[n];
        for (int k = 0; k < n; ++k) x[k] = placed.states[(i * n + k) * kColumns + c];
        const Lanes V = view.V_mV[at];
        const Lanes open = Channel::open(x, V);
        const Lanes g = placed.g_max_uS[i] * open;
        if constexpr (requires { Channel::slope(x, V); }) {
          // i(V') = i(V) + di/dV (V' - V), di/dV = g + (d open/dV) gmax (V - E)
          const Lanes extra = placed.g_max_uS[i] * Channel::slope(x, V) * (V - E_mV);
          view.G_uS[at] += g + extra;
          view.GE_nA[at] += g * E_mV + extra * V;
        } else if constexpr (Channel::ion == Ion::calcium) {
          const Lanes E_Ca = view.E_Ca_mV[at];
          view.G_uS[at] += g;
          view.GE_nA[at] += g * E_Ca;
          const Lanes density = placed.densities_S_cm2[i] * open;
          view.g_Ca_S_cm2[at] += density;
          view.i_Ca_mA_cm2[at] += density * (V - E_Ca);
        } else {
          view.G_uS[at] += g;
          view.GE_nA[at] += g * E_mV;
        }
      }
    }
  }
};

// The compiler clones plain functions only, hence one set of three a channel.
#define TRISCALE_CHANNEL_KERNELS(Channel)                                                               \
  TRISCALE_KERNEL void advance_##Channel(Placed& p, const MembraneView& view, double q, double dt_ms) { \
    ChannelKernels<Channel>::advance_all(p, view, q, dt_ms);                                            \
  }                                                                                                     \
  TRISCALE_KERNEL void initialise_##Channel(Placed& p, const MembraneView& view, double q) {            \
    ChannelKernels<Channel>::initialise_all(p, view, q);                                                \
  }                                                                                                     \
  TRISCALE_KERNEL void add_##Channel(const Placed& p, const MembraneView& view, double E_mV) {          \
    ChannelKernels<Channel>::add_all(p, view, E_mV);                                                    \
  }                                                                                                     \
  struct Kernels_##Channel {                                                                            \
    using Kinetics = Channel;                                                                           \
    static constexpr auto advance = &advance_##Channel;                                                 \
    static constexpr auto initialise = &initialise_##Channel;                                           \
    static constexpr auto add = &add_##Channel;                                                         \
  };

TRISCALE_CHANNEL_KERNELS(NaTs)
TRISCALE_CHANNEL_KERNELS(NaTa)
TRISCALE_CHANNEL_KERNELS(Nap)
TRISCALE_CHANNEL_KERNELS(K_T)
TRISCALE_CHANNEL_KERNELS(K_P)
TRISCALE_CHANNEL_KERNELS(Kv2like)
TRISCALE_CHANNEL_KERNELS(Kv3_1)
TRISCALE_CHANNEL_KERNELS(Kd)
TRISCALE_CHANNEL_KERNELS(Im)
TRISCALE_CHANNEL_KERNELS(Im_v2)
TRISCALE_CHANNEL_KERNELS(SK)
TRISCALE_CHANNEL_KERNELS(Ca_HVA)
TRISCALE_CHANNEL_KERNELS(Ca_LVA)
TRISCALE_CHANNEL_KERNELS(Ih)
TRISCALE_CHANNEL_KERNELS(HhSodium)
TRISCALE_CHANNEL_KERNELS(HhPotassium)
TRISCALE_CHANNEL_KERNELS(NaTa_t)
TRISCALE_CHANNEL_KERNELS(NaTs2_t)
TRISCALE_CHANNEL_KERNELS(Nap_Et2)
TRISCALE_CHANNEL_KERNELS(K_Tst)
TRISCALE_CHANNEL_KERNELS(K_Pst)
TRISCALE_CHANNEL_KERNELS(Im_Hay)
TRISCALE_CHANNEL_KERNELS(Ca_LVAst)
#undef TRISCALE_CHANNEL_KERNELS

constexpr double kE_h_mV = -45.0;

double reversal_of(Ion ion, const MechanismEnvironment& environment) {
  switch (ion) {
    case Ion::sodium:
      return environment.E_Na_mV;
    case Ion::potassium:
      return environment.E_K_mV;
    case Ion::hcn:
      return kE_h_mV;
    case Ion::calcium:
      return kDefaultE_Ca_mV;
  }
  return 0;
}

template <class Kernels>
class GatedChannel final : public Mechanism {
 public:
  using Kinetics = typename Kernels::Kinetics;
  static constexpr int n = Kinetics::n_gates;

  GatedChannel(double gbar_S_cm2, const MechanismEnvironment& environment)
      : gbar_(gbar_S_cm2), q_(Kinetics::q(environment.celsius)), E_mV_(reversal_of(Kinetics::ion, environment)) {}

  void place(const MechanismSite& site) override { place_at(placed_, site, gbar_, n); }
  void initialise(const MembraneView& view) override { Kernels::initialise(placed_, view, q_); }
  void add_currents(const MembraneView& view) const override { Kernels::add(placed_, view, E_mV_); }
  void advance(const MembraneView& view, double dt_ms) override { Kernels::advance(placed_, view, q_, dt_ms); }

  std::size_t n_states() const override { return n; }
  void steady_state(double V_mV, double Ca_mM, double* x) const override {
    const Gates<double, n> gates = Kinetics::gates(V_mV, Ca_mM, q_);
    std::copy(gates.inf.begin(), gates.inf.end(), x);
  }
  void derivative(double V_mV, double Ca_mM, double, const double* x, double* dx) const override {
    const Gates<double, n> gates = Kinetics::gates(V_mV, Ca_mM, q_);
    for (int k = 0; k < n; ++k) dx[k] = (gates.inf[k] - x[k]) / gates.tau[k];
  }
  double conductance_S_cm2(double V_mV, const double* x) const override { return gbar_ * Kinetics::open(x, V_mV); }
  double reversal_mV(double E_Ca_mV) const override { return carries_calcium() ? E_Ca_mV : E_mV_; }
  bool carries_calcium() const override { return Kinetics::ion == Ion::calcium; }
  bool reads_calcium() const override { return Kinetics::needs_calcium; }

 private:
  double gbar_, q_, E_mV_;
  Placed placed_;
};

// --------------------------------------------------------------------------------------------------- constant --------

/// A conductance without gates (the leak of hh).
class ConstantConductance final : public Mechanism {
 public:
  ConstantConductance(double g_S_cm2, double E_mV) : g_(g_S_cm2), E_mV_(E_mV) {}
  void place(const MechanismSite& site) override { place_at(placed_, site, g_, 0); }
  void initialise(const MembraneView&) override {}
  void add_currents(const MembraneView& view) const override {
    for (std::size_t i = 0; i < placed_.nodes.size(); ++i) {
      for (int c = 0; c < kColumns; ++c) {
        const std::size_t at = placed_.nodes[i] * kColumns + c;
        view.G_uS[at] += placed_.g_max_uS[i];
        view.GE_nA[at] += placed_.g_max_uS[i] * E_mV_;
      }
    }
  }
  void advance(const MembraneView&, double) override {}
  std::size_t n_states() const override { return 0; }
  void steady_state(double, double, double*) const override {}
  void derivative(double, double, double, const double*, double*) const override {}
  double conductance_S_cm2(double, const double*) const override { return g_; }
  double reversal_mV(double) const override { return E_mV_; }

 private:
  double g_, E_mV_;
  Placed placed_;
};

// ------------------------------------------------------------------------------------------------------- NaV --------

/// Sodium channel of Carter et al. 2012 (Neuron 75:1081): 12 states, closed C1..C5, open O, inactivated I1..I6, in two
/// chains joined by rungs,
///   C1 - C2 - C3 - C4 - C5 - O
///   I1 - I2 - I3 - I4 - I5 - I6,          i = gbar O (V - E_Na).
/// With k = 2.3^((T-37)/10), a = 400 k e^(V/24), b = 12 k e^(-V/24), A = 2.51, B = 5.32, n = 1..5:
///   C_n -> C_{n+1} (5-n) a, back n b; I_n -> I_{n+1} (5-n) a A, back n b/B (n <= 4);  C5 <-> O and I5 <-> I6: 250 k,
///   60 k; C_n -> I_n 0.01 k A^(n-1), back 40 k / B^(n-1);  O -> I6 8 k, back 0.05 k.
/// One implicit Euler step a time step: (1 - dt Q) x' = x, block-tridiagonal with 2x2 blocks (pairs C_n, I_n); three
/// solutions with the matrix of half a step in the second-order scheme.
/// Starts at the stationary state. The published file does not: the balance of I3 in its initial block takes the rung
/// I3 - C3 where the step from I4 to I3 is meant. With `published_start` = 1 that start is reproduced.
struct NavScheme {
  static constexpr int kPairs = 6;
  static constexpr int kStates = 2 * kPairs;

  template <class T>
  struct Rates {
    T forward[kPairs - 1][2], back[kPairs - 1][2];  // along the chains [C or I]
    T to_inactive[kPairs], to_active[kPairs];       // rungs
  };

  template <class T>
  static TRISCALE_INLINE Rates<T> rates(T V, double k) {
    constexpr double A = 2.51, B = 5.32;
    const T a = 400.0 * k * exp_of(T(V / 24.0)), b = 12.0 * k * exp_of(T(-V / 24.0));
    Rates<T> r;
    double power_A = 1, power_B = 1;
    for (int n = 0; n < kPairs; ++n) {
      if (n < kPairs - 2) {
        r.forward[n][0] = (4.0 - n) * a;
        r.back[n][0] = (n + 1.0) * b;
        r.forward[n][1] = (4.0 - n) * A * a;
        r.back[n][1] = ((n + 1.0) / B) * b;
      } else if (n == kPairs - 2) {
        for (int chain = 0; chain < 2; ++chain) {
          r.forward[n][chain] = broadcast<T>(250.0 * k);
          r.back[n][chain] = broadcast<T>(60.0 * k);
        }
      }
      const bool last = n == kPairs - 1;
      r.to_inactive[n] = broadcast<T>(last ? 8.0 * k : 0.01 * k * power_A);
      r.to_active[n] = broadcast<T>(last ? 0.05 * k : 40.0 * k / power_B);
      power_A *= A;
      power_B *= B;
    }
    return r;
  }

  /// dx/dt; x = (C1, I1, C2, I2, ..., O, I6).
  static void derivative(const Rates<double>& r, const double* x, double* dx) {
    std::fill(dx, dx + kStates, 0.0);
    auto flow = [&](int from, int to, double forward, double back) {
      const double net = forward * x[from] - back * x[to];
      dx[from] -= net;
      dx[to] += net;
    };
    for (int n = 0; n + 1 < kPairs; ++n) {
      for (int chain = 0; chain < 2; ++chain)
        flow(2 * n + chain, 2 * n + 2 + chain, r.forward[n][chain], r.back[n][chain]);
    }
    for (int n = 0; n < kPairs; ++n) flow(2 * n, 2 * n + 1, r.to_inactive[n], r.to_active[n]);
  }

  /// The eliminated matrix 1 - h Q of an implicit step of length h.
  template <class T>
  struct Eliminated {
    T inverse[kPairs][4];  ///< of the diagonal blocks, row-major
    T w[kPairs - 1][4];    ///< multipliers of the rows below
  };

  template <class T>
  static TRISCALE_INLINE Eliminated<T> eliminate(const Rates<T>& r, double h_ms) {
    Eliminated<T> m;
    for (int n = 0; n < kPairs; ++n) {
      T out[2] = {broadcast<T>(0.0), broadcast<T>(0.0)};
      for (int chain = 0; chain < 2; ++chain) {
        if (n + 1 < kPairs) out[chain] += r.forward[n][chain];
        if (n > 0) out[chain] += r.back[n - 1][chain];
      }
      T d00 = 1.0 + h_ms * (out[0] + r.to_inactive[n]), d01 = -h_ms * r.to_active[n];
      T d10 = -h_ms * r.to_inactive[n], d11 = 1.0 + h_ms * (out[1] + r.to_active[n]);
      if (n > 0) {
        // W = L D^-1 with L = -h diag(forward); D -= W U, U = -h diag(back)
        const T f0 = -h_ms * r.forward[n - 1][0], f1 = -h_ms * r.forward[n - 1][1];
        const T u0 = -h_ms * r.back[n - 1][0], u1 = -h_ms * r.back[n - 1][1];
        T* w = m.w[n - 1];
        w[0] = f0 * m.inverse[n - 1][0];
        w[1] = f0 * m.inverse[n - 1][1];
        w[2] = f1 * m.inverse[n - 1][2];
        w[3] = f1 * m.inverse[n - 1][3];
        d00 -= w[0] * u0;
        d01 -= w[1] * u1;
        d10 -= w[2] * u0;
        d11 -= w[3] * u1;
      }
      const T scale = 1.0 / (d00 * d11 - d01 * d10);
      m.inverse[n][0] = d11 * scale;
      m.inverse[n][1] = -d01 * scale;
      m.inverse[n][2] = -d10 * scale;
      m.inverse[n][3] = d00 * scale;
    }
    return m;
  }

  /// y becomes (1 - h Q)^-1 y.
  template <class T>
  static TRISCALE_INLINE void substitute(const Eliminated<T>& m, const Rates<T>& r, double h_ms, T (&y)[kPairs][2]) {
    for (int n = 1; n < kPairs; ++n) {
      const T* w = m.w[n - 1];
      y[n][0] -= w[0] * y[n - 1][0] + w[1] * y[n - 1][1];
      y[n][1] -= w[2] * y[n - 1][0] + w[3] * y[n - 1][1];
    }
    for (int n = kPairs - 1; n >= 0; --n) {
      if (n + 1 < kPairs) {
        y[n][0] += h_ms * r.back[n][0] * y[n + 1][0];
        y[n][1] += h_ms * r.back[n][1] * y[n + 1][1];
      }
      const T y0 = y[n][0], y1 = y[n][1];
      y[n][0] = m.inverse[n][0] * y0 + m.inverse[n][1] * y1;
      y[n][1] = m.inverse[n][2] * y0 + m.inverse[n][3] * y1;
    }
  }

  /// Implicit Euler step of all states, in place; x[stride * state].
  template <class T>
  static TRISCALE_INLINE void implicit_step(const Rates<T>& r, double dt_ms, T* x, std::size_t stride) {
    const Eliminated<T> m = eliminate(r, dt_ms);
    T y[kPairs][2];
    for (int s = 0; s < kStates; ++s) y[s / 2][s % 2] = x[stride * s];
    substitute(m, r, dt_ms, y);
    for (int s = 0; s < kStates; ++s) x[stride * s] = y[s / 2][s % 2];
  }

  /// Second-order step with one matrix M = (1 - dt/2 Q)^-1, x' = -M x + 3 M^2 x - M^3 x. On an eigenvector of rate
  /// z/dt it multiplies by (1 - z/2 - z^2/4)/(1 - z/2)^3, which is within 0.09 of e^z for all z <= 0 and vanishes for
  /// fast transitions. (Crank and Nicolson's rule, 2 M x - x, keeps those ringing; the two-stage rule of Alexander
  /// 1977, SIAM J Numer Anal 14:1006, is 0.2 off, which shows in spike times as the rates exceed 1/dt.)
  template <class T>
  static TRISCALE_INLINE void second_order_step(const Rates<T>& r, double dt_ms, T* x, std::size_t stride) {
    const double h_ms = 0.5 * dt_ms;
    const Eliminated<T> m = eliminate(r, h_ms);
    T y[kPairs][2];
    for (int s = 0; s < kStates; ++s) y[s / 2][s % 2] = x[stride * s];
    substitute(m, r, h_ms, y);
    for (int s = 0; s < kStates; ++s) y[s / 2][s % 2] = 3.0 * x[stride * s] - y[s / 2][s % 2];
    substitute(m, r, h_ms, y);
    for (int s = 0; s < kStates; ++s) y[s / 2][s % 2] -= x[stride * s];
    substitute(m, r, h_ms, y);
    for (int s = 0; s < kStates; ++s) x[stride * s] = y[s / 2][s % 2];
  }

  /// The start of the published file: all balances but that of I6, the one of I3 with 40 k/B^2 (the rung's rate) where
  /// 3 b/B (from I4 to I3) is meant, and the sum of the occupancies 1.
  static void published_start(const Rates<double>& r, double* x) {
    std::array<std::array<double, kStates + 1>, kStates> A{};  // augmented with the right-hand side
    std::array<double, kStates> unit{}, dx{};
    for (int j = 0; j < kStates; ++j) {
      unit.fill(0.0);
      unit[j] = 1.0;
      derivative(r, unit.data(), dx.data());
      for (int i = 0; i < kStates; ++i) A[i][j] = dx[i];
    }
    constexpr int kI3 = 5, kI4 = 7, kI6 = 11;
    A[kI3][kI4] = r.to_active[2];
    A[kI6].fill(1.0);
    for (int k = 0; k < kStates; ++k) {  // elimination with row pivots
      int pivot = k;
      for (int i = k + 1; i < kStates; ++i) {
        if (std::abs(A[i][k]) > std::abs(A[pivot][k])) pivot = i;
      }
      std::swap(A[k], A[pivot]);
      for (int i = k + 1; i < kStates; ++i) {
        const double factor = A[i][k] / A[k][k];
        for (int j = k; j <= kStates; ++j) A[i][j] -= factor * A[k][j];
      }
    }
    for (int i = kStates; i-- > 0;) {
      double sum = A[i][kStates];
      for (int j = i + 1; j < kStates; ++j) sum -= A[i][j] * x[j];
      x[i] = sum / A[i][i];
    }
  }

  /// Stationary occupancies: implicit steps much longer than the slowest relaxation, then the sum set to 1.
  template <class T>
  static TRISCALE_INLINE void stationary(const Rates<T>& r, T* x, std::size_t stride) {
    for (int s = 0; s < kStates; ++s) x[stride * s] = broadcast<T>(1.0 / kStates);
    for (int repeat = 0; repeat < 6; ++repeat) implicit_step(r, 1e6, x, stride);
    T sum = broadcast<T>(0.0);
    for (int s = 0; s < kStates; ++s) sum += x[stride * s];
    for (int s = 0; s < kStates; ++s) x[stride * s] /= sum;
  }
};

TRISCALE_KERNEL void advance_nav(Placed& p, const MembraneView& view, double k, double dt_ms) {
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    for (int c = 0; c < kColumns; ++c) {
      const auto rates = NavScheme::rates(Lanes(view.V_mV[p.nodes[i] * kColumns + c]), k);
      NavScheme::implicit_step(rates, dt_ms, &p.states[i * NavScheme::kStates * kColumns + c], kColumns);
    }
  }
}

TRISCALE_KERNEL void advance_nav_second_order(Placed& p, const MembraneView& view, double k, double dt_ms) {
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    for (int c = 0; c < kColumns; ++c) {
      const auto rates = NavScheme::rates(Lanes(view.V_mV[p.nodes[i] * kColumns + c]), k);
      NavScheme::second_order_step(rates, dt_ms, &p.states[i * NavScheme::kStates * kColumns + c], kColumns);
    }
  }
}

TRISCALE_KERNEL void initialise_nav(Placed& p, const MembraneView& view, double k) {
  for (std::size_t i = 0; i < p.nodes.size(); ++i) {
    for (int c = 0; c < kColumns; ++c) {
      const auto rates = NavScheme::rates(Lanes(view.V_mV[p.nodes[i] * kColumns + c]), k);
      NavScheme::stationary(rates, &p.states[i * NavScheme::kStates * kColumns + c], kColumns);
    }
  }
}

class Nav final : public Mechanism {
 public:
  static constexpr int kOpen = 10;  // O is the active state of the last pair

  Nav(double gbar_S_cm2, bool published_start, const MechanismEnvironment& environment)
      : gbar_(gbar_S_cm2),
        published_start_(published_start),
        k_(q10_factor(2.3, environment.celsius, 37)),
        E_mV_(environment.E_Na_mV),
        advance_(environment.scheme == network::TimeScheme::second_order ? &advance_nav_second_order : &advance_nav) {}

  void place(const MechanismSite& site) override { place_at(placed_, site, gbar_, NavScheme::kStates); }
  void initialise(const MembraneView& view) override {
    initialise_nav(placed_, view, k_);
    if (!published_start_) return;
    for (std::size_t i = 0; i < placed_.nodes.size(); ++i) {
      for (int cell = 0; cell < kGroupCells; ++cell) {
        const int c = cell / kLaneWidth, lane = cell % kLaneWidth;
        double x[NavScheme::kStates];
        start_state(view.V_mV[placed_.nodes[i] * kColumns + c][lane], 0, x);
        for (int s = 0; s < NavScheme::kStates; ++s) {
          placed_.states[(i * NavScheme::kStates + s) * kColumns + c][lane] = x[s];
        }
      }
    }
  }
  void add_currents(const MembraneView& view) const override {
    for (std::size_t i = 0; i < placed_.nodes.size(); ++i) {
      for (int c = 0; c < kColumns; ++c) {
        const std::size_t at = placed_.nodes[i] * kColumns + c;
        const Lanes g = placed_.g_max_uS[i] * placed_.states[(i * NavScheme::kStates + kOpen) * kColumns + c];
        view.G_uS[at] += g;
        view.GE_nA[at] += g * E_mV_;
      }
    }
  }
  void advance(const MembraneView& view, double dt_ms) override { advance_(placed_, view, k_, dt_ms); }

  std::size_t n_states() const override { return NavScheme::kStates; }
  void steady_state(double V_mV, double, double* x) const override {
    NavScheme::stationary(NavScheme::rates(V_mV, k_), x, 1);
  }
  void start_state(double V_mV, double Ca_mM, double* x) const override {
    if (!published_start_) return steady_state(V_mV, Ca_mM, x);
    NavScheme::published_start(NavScheme::rates(V_mV, k_), x);
  }
  void derivative(double V_mV, double, double, const double* x, double* dx) const override {
    NavScheme::derivative(NavScheme::rates(V_mV, k_), x, dx);
  }
  double conductance_S_cm2(double, const double* x) const override { return gbar_ * x[kOpen]; }
  double reversal_mV(double) const override { return E_mV_; }

 private:
  double gbar_;
  bool published_start_;
  double k_, E_mV_;
  void (*advance_)(Placed&, const MembraneView&, double, double);
  Placed placed_;
};

// ------------------------------------------------------------------------------------------------ CaDynamics --------

/// Calcium in a thin shell under the membrane (Destexhe et al. 1994):
///   d[Ca]/dt = -1e4 gamma i_Ca / (2 F depth) - ([Ca] - minCai)/decay,     E_Ca = RT/(2F) ln(Ca_out/[Ca]),
/// i_Ca in mA/cm2, depth in um, F = 96485 C/mol. Starts at minCai; CaDynamics_E2, which has no initial block, at
/// NEURON's default concentration. In the second-order scheme the concentration stands
/// at whole steps, moves with the current in the middle of the step, and E_Ca of the step is taken half a step ahead.
class CaDynamics final : public Mechanism {
 public:
  CaDynamics(double gamma, double decay_ms, double depth_um, double min_Ca_mM, double start_mM,
             const MechanismEnvironment& environment)
      : source_(-1e4 * gamma / (2.0 * kFaraday * depth_um)),
        decay_ms_(decay_ms),
        min_Ca_mM_(min_Ca_mM),
        start_mM_(start_mM),
        nernst_mV_(nernst_factor_mV(environment.celsius)),
        Ca_out_mM_(environment.Ca_out_mM),
        second_order_(environment.scheme == network::TimeScheme::second_order) {}

  void place(const MechanismSite& site) override { nodes_ = site.nodes; }
  void initialise(const MembraneView& view) override {
    for (const std::uint32_t node : nodes_) {
      for (int c = 0; c < kColumns; ++c) view.Ca_mM[node * kColumns + c] = broadcast<Lanes>(start_mM_);
    }
    prepare(view, 0);
  }
  void prepare(const MembraneView& view, double dt_ms) const override {
    const double ahead = second_order_ ? 1.0 - std::exp(-0.5 * dt_ms / decay_ms_) : 0.0;
    for (const std::uint32_t node : nodes_) {
      for (int c = 0; c < kColumns; ++c) {
        const std::size_t at = node * kColumns + c;
        Lanes Ca = view.Ca_mM[at];
        Ca += ahead * (min_Ca_mM_ + source_ * decay_ms_ * view.i_Ca_mA_cm2[at] - Ca);
        view.E_Ca_mV[at] = nernst_mV_ * log_of(Lanes(Ca_out_mM_ / Ca));
        view.i_Ca_mA_cm2[at] = Lanes{};
        view.g_Ca_S_cm2[at] = Lanes{};
      }
    }
  }
  void add_currents(const MembraneView&) const override {}
  void advance(const MembraneView& view, double dt_ms) override {
    const double relaxed = 1.0 - std::exp(-dt_ms / decay_ms_);
    for (const std::uint32_t node : nodes_) {
      for (int c = 0; c < kColumns; ++c) {
        const std::size_t at = node * kColumns + c;
        // The current was taken at the potential of the step's start; i = g (V - E) is linear in V.
        if (second_order_) view.i_Ca_mA_cm2[at] += view.g_Ca_S_cm2[at] * (view.V_mV[at] - view.V_middle_mV[at]);
        Lanes& Ca = view.Ca_mM[at];
        Ca += relaxed * (min_Ca_mM_ + source_ * decay_ms_ * view.i_Ca_mA_cm2[at] - Ca);
      }
    }
  }
  std::size_t n_states() const override { return 1; }
  void steady_state(double, double, double* x) const override { x[0] = min_Ca_mM_; }
  void start_state(double, double, double* x) const override { x[0] = start_mM_; }
  void derivative(double, double, double i_Ca_mA_cm2, const double* x, double* dx) const override {
    dx[0] = source_ * i_Ca_mA_cm2 - (x[0] - min_Ca_mM_) / decay_ms_;
  }
  double conductance_S_cm2(double, const double*) const override { return 0; }
  double reversal_mV(double E_Ca_mV) const override { return E_Ca_mV; }
  bool is_calcium_pool() const override { return true; }

 private:
  double source_;  // mM/ms of 1 mA/cm2
  double decay_ms_, min_Ca_mM_, start_mM_, nernst_mV_, Ca_out_mM_;
  bool second_order_;
  std::vector<std::uint32_t> nodes_;
};

// ------------------------------------------------------------------------------------------------- catalogue --------

using Parameters = std::map<std::string, double>;
using Maker = std::vector<std::unique_ptr<Mechanism>> (*)(const Parameters&, const MechanismEnvironment&);

struct Entry {
  MechanismInfo info;
  Maker make;
};

template <class Kernels>
std::vector<std::unique_ptr<Mechanism>> make_channel(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<GatedChannel<Kernels>>(p.at("gbar"), environment));
  return made;
}

template <class Kernels>
Entry channel(const char* name, std::vector<std::string> states, const char* summary, double gbar = 1e-5) {
  return {{name, {{"gbar", gbar, "S/cm2"}}, std::move(states), summary}, &make_channel<Kernels>};
}

std::vector<std::unique_ptr<Mechanism>> make_nav(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<Nav>(p.at("gbar"), p.at("published_start") != 0, environment));
  return made;
}

std::vector<std::unique_ptr<Mechanism>> make_ca_dynamics(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<CaDynamics>(p.at("gamma"), p.at("decay"), p.at("depth"), p.at("minCai"),
                                              p.at("minCai"), environment));
  return made;
}

std::vector<std::unique_ptr<Mechanism>> make_ca_dynamics_e2(const Parameters& p,
                                                            const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<CaDynamics>(p.at("gamma"), p.at("decay"), p.at("depth"), p.at("minCai"),
                                              kDefaultCa_mM, environment));
  return made;
}

std::vector<std::unique_ptr<Mechanism>> make_hh(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<GatedChannel<Kernels_HhSodium>>(p.at("gnabar"), environment));
  made.push_back(std::make_unique<GatedChannel<Kernels_HhPotassium>>(p.at("gkbar"), environment));
  made.push_back(std::make_unique<ConstantConductance>(p.at("gl"), p.at("el")));
  return made;
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> e;
    e.push_back(channel<Kernels_NaTs>("NaTs", {"m", "h"}, "transient sodium, somatic"));
    e.push_back(channel<Kernels_NaTa>("NaTa", {"m", "h"}, "transient sodium, axonal"));
    e.push_back(channel<Kernels_Nap>("Nap", {"h"}, "persistent sodium"));
    e.push_back(channel<Kernels_K_T>("K_T", {"m", "h"}, "transient potassium"));
    e.push_back(channel<Kernels_K_P>("K_P", {"m", "h"}, "persistent potassium"));
    e.push_back(channel<Kernels_Kv2like>("Kv2like", {"m", "h1", "h2"}, "Kv2-like delayed rectifier"));
    e.push_back(channel<Kernels_Kv3_1>("Kv3_1", {"m"}, "Kv3.1 potassium"));
    e.push_back(channel<Kernels_Kd>("Kd", {"m", "h"}, "D-type potassium"));
    e.push_back(channel<Kernels_Im>("Im", {"m"}, "M-type potassium"));
    e.push_back(channel<Kernels_Im_v2>("Im_v2", {"m"}, "M-type potassium, second version"));
    e.push_back(channel<Kernels_Ih>("Ih", {"m"}, "hyperpolarisation-activated cation current"));
    e.push_back(channel<Kernels_Ca_HVA>("Ca_HVA", {"m", "h"}, "high-voltage-activated calcium"));
    e.push_back(channel<Kernels_Ca_LVA>("Ca_LVA", {"m", "h"}, "low-voltage-activated calcium"));
    e.push_back(channel<Kernels_SK>("SK", {"z"}, "calcium-activated potassium", 1e-6));
    e.push_back({{"NaV",
                  {{"gbar", 0.015, "S/cm2"}, {"published_start", 0, "1"}},
                  {"C1", "I1", "C2", "I2", "C3", "I3", "C4", "I4", "C5", "I5", "O", "I6"},
                  "sodium channel with 12 states"},
                 &make_nav});
    e.push_back({{"CaDynamics",
                  {{"gamma", 0.05, "1"}, {"decay", 80, "ms"}, {"depth", 0.1, "um"}, {"minCai", 1e-4, "mM"}},
                  {"cai"},
                  "calcium under the membrane"},
                 &make_ca_dynamics});
    e.push_back(channel<Kernels_NaTa_t>("NaTa_t", {"m", "h"}, "transient sodium, axonal (Hay et al.)"));
    e.push_back(channel<Kernels_NaTs2_t>("NaTs2_t", {"m", "h"}, "transient sodium, somatic (Hay et al.)"));
    e.push_back(channel<Kernels_Nap_Et2>("Nap_Et2", {"m", "h"}, "persistent sodium (Hay et al.)"));
    e.push_back(channel<Kernels_K_Tst>("K_Tst", {"m", "h"}, "transient potassium (Hay et al.)"));
    e.push_back(channel<Kernels_K_Pst>("K_Pst", {"m", "h"}, "persistent potassium (Hay et al.)"));
    e.push_back(channel<Kernels_Kv3_1>("SKv3_1", {"m"}, "Kv3.1 potassium (Hay et al.)"));
    e.push_back(channel<Kernels_SK>("SK_E2", {"z"}, "calcium-activated potassium (Hay et al.)", 1e-6));
    e.push_back(channel<Kernels_Im_Hay>("Im_Hay", {"m"}, "M-type potassium (Hay et al., there called Im)"));
    e.push_back(channel<Kernels_Ca_LVAst>("Ca_LVAst", {"m", "h"}, "low-voltage-activated calcium (Hay et al.)"));
    e.push_back({{"CaDynamics_E2",
                  {{"gamma", 0.05, "1"}, {"decay", 80, "ms"}, {"depth", 0.1, "um"}, {"minCai", 1e-4, "mM"}},
                  {"cai"},
                  "calcium under the membrane (Hay et al.)"},
                 &make_ca_dynamics_e2});
    e.push_back({{"hh",
                  {{"gnabar", 0.12, "S/cm2"}, {"gkbar", 0.036, "S/cm2"}, {"gl", 0.0003, "S/cm2"}, {"el", -54.3, "mV"}},
                  {"m", "h", "n"},
                  "squid axon of Hodgkin and Huxley"},
                 &make_hh});
    return e;
  }();
  return all;
}

const Entry* find_entry(const std::string& name) {
  for (const Entry& entry : entries()) {
    if (entry.info.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace

const std::vector<MechanismInfo>& mechanism_catalogue() {
  static const std::vector<MechanismInfo> all = [] {
    std::vector<MechanismInfo> infos;
    for (const Entry& entry : entries()) infos.push_back(entry.info);
    return infos;
  }();
  return all;
}

const MechanismInfo* find_mechanism(const std::string& name) {
  const Entry* entry = find_entry(name);
  return entry ? &entry->info : nullptr;
}

std::vector<std::unique_ptr<Mechanism>> make_mechanisms(const network::MechanismPlacement& placement,
                                                        const MechanismEnvironment& environment) {
  const Entry* entry = find_entry(placement.mechanism);
  if (!entry) throw core::InputError({"", "mechanism", placement.mechanism, "is not a known mechanism", ""});
  Parameters parameters;
  for (const ParameterInfo& parameter : entry->info.parameters) parameters[parameter.name] = parameter.default_value;
  for (const auto& [name, value] : placement.parameters) parameters.at(name) = value;
  return entry->make(parameters, environment);
}

namespace {

bool is_density(const ParameterInfo& parameter) {
  return parameter.unit == "S/cm2";
}

/// A profile needs densities to act on and must not make them negative.
void check_profile(const network::MechanismPlacement& placement, const MechanismInfo& info,
                   const network::Morphology* morphology, const std::string& place, core::Diagnostics& diagnostics) {
  if (std::none_of(info.parameters.begin(), info.parameters.end(), is_density)) {
    diagnostics.error({"", place, "", "has no conductance density that could vary with distance", "leave it out"});
    return;
  }
  if (!morphology) return;
  const network::DensityFactors factors(*morphology, placement);
  for (std::size_t s = 0; s < morphology->sections.size(); ++s) {
    if (morphology->sections[s].kind != placement.region) continue;
    for (const double position : {0.0, 0.5, 1.0}) {
      const double factor = factors.at(s, position);
      if (factor >= 0 && std::isfinite(factor)) continue;
      diagnostics.error({"", place, fmt::format("{} at section {}, position {}", factor, s, position),
                         "must not be negative anywhere in the region", ""});
      return;
    }
  }
}

}  // namespace

network::MechanismPlacement scaled(const network::MechanismPlacement& placement, double factor) {
  network::MechanismPlacement result = placement;
  result.density.reset();
  const MechanismInfo* info = find_mechanism(placement.mechanism);
  if (!info) return result;
  for (const ParameterInfo& parameter : info->parameters) {
    if (!is_density(parameter)) continue;
    const auto given = placement.parameters.find(parameter.name);
    result.parameters[parameter.name] =
        factor * (given == placement.parameters.end() ? parameter.default_value : given->second);
  }
  return result;
}

void check_mechanisms(const network::DetailedCell& cell, const std::string& place, core::Diagnostics& diagnostics) {
  for (const network::MechanismPlacement& placement : cell.mechanisms) {
    const MechanismInfo* info = find_mechanism(placement.mechanism);
    if (!info) {
      std::string known;
      for (const Entry& entry : entries()) known += (known.empty() ? "" : ", ") + entry.info.name;
      diagnostics.error({"", place, placement.mechanism, "is not a known mechanism", "known: " + known});
      continue;
    }
    for (const auto& [name, value] : placement.parameters) {
      const bool known = std::any_of(info->parameters.begin(), info->parameters.end(),
                                     [&key = name](const ParameterInfo& parameter) { return parameter.name == key; });
      if (!known) {
        std::string names;
        for (const ParameterInfo& p : info->parameters) names += (names.empty() ? "" : ", ") + p.name;
        diagnostics.error({"", fmt::format("{}, mechanism {}", place, info->name), name, "is not a parameter of it",
                           "parameters: " + names});
      } else if (!std::isfinite(value)) {
        diagnostics.error({"", fmt::format("{}, mechanism {}, {}", place, info->name, name), fmt::format("{}", value),
                           "must be finite", ""});
      }
    }
    if (placement.density) {
      check_profile(placement, *info, cell.morphology.get(),
                    fmt::format("{}, mechanism {}, density profile", place, info->name), diagnostics);
    }
  }
}

double nernst_Ca_mV(double celsius, double Ca_out_mM, double Ca_in_mM) {
  return nernst_factor_mV(celsius) * std::log(Ca_out_mM / Ca_in_mM);
}

}  // namespace triscale::detailed

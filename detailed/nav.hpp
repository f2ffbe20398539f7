/// The 12-state sodium channel NaV and its implicit steps.
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <utility>

#include "detailed/channels.hpp"
#include "detailed/lanes.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

/// Sodium channel of Carter et al. 2012 (Neuron 75:1081): 12 states, closed C1..C5, open O, inactivated I1..I6, in two
/// chains joined by rungs,
///   C1 - C2 - C3 - C4 - C5 - O
///   I1 - I2 - I3 - I4 - I5 - I6,          i = gbar O (V - E_Na).
/// With k = 2.3^((T-37)/10), a = 400 k e^(V/24), b = 12 k e^(-V/24), A = 2.51, B = 5.32, n = 1..5:
///   C_n -> C_{n+1} (5-n) a, back n b; I_n -> I_{n+1} (5-n) a A, back n b/B (n <= 4);  C5 <-> O and I5 <-> I6: 250 k,
///   60 k; C_n -> I_n 0.01 k A^(n-1), back 40 k / B^(n-1);  O -> I6 8 k, back 0.05 k.
/// Rates are held at those of +-400 mV beyond. One implicit Euler step a time step: (1 - dt Q) x' = x,
/// block-tridiagonal with 2x2 blocks (pairs C_n, I_n); three solutions with the matrix of half a step in the
/// second-order scheme. Starts at the stationary state. The published file does not: the balance of I3 in its initial
/// block takes the rung I3 - C3 where the step from I4 to I3 is meant. With `published_start` = 1 that start is
/// reproduced.
struct NavScheme {
  static constexpr int kPairs = 6;
  static constexpr int kStates = 2 * kPairs;
  static constexpr int kOpen = 10;  // O is the active state of the last pair

  template <class T>
  struct Rates {
    T forward[kPairs - 1][2], back[kPairs - 1][2];  // along the chains [C or I]
    T to_inactive[kPairs], to_active[kPairs];       // rungs
  };

  template <class T>
  static TRISCALE_INLINE Rates<T> rates(T V, double k) {
    constexpr double A = 2.51, B = 5.32;
    const ExponentialPair<T> e = exponential_pair(T(clamped(V) * (1.0 / 24.0)));
    const T a = (400.0 * k) * e.plus, b = (12.0 * k) * e.minus;
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

  /// The eliminated matrix 1 - h Q of an implicit step of length h. Pairs are eliminated from both ends towards pair
  /// kMiddle: two short chains of dependent operations in place of a long one.
  template <class T>
  struct Eliminated {
    T inverse[kPairs][4];  ///< of the diagonal blocks, row-major
    T carry[kPairs][4];    ///< what a pair's right-hand side adds to that of its neighbour towards the middle
    T forward[kPairs - 1][2], back[kPairs - 1][2];  ///< h times the rates along the chains
  };
  static constexpr int kMiddle = 3;

  template <class T>
  static TRISCALE_INLINE void invert(const T (&d)[4], T (&inverse)[4]) {
    const T scale = 1.0 / nmadd(d[1], d[2], T(d[0] * d[3]));
    inverse[0] = d[3] * scale;
    inverse[1] = -d[1] * scale;
    inverse[2] = -d[2] * scale;
    inverse[3] = d[0] * scale;
  }

  template <class T>
  static TRISCALE_INLINE Eliminated<T> eliminate(const Rates<T>& r, double h_ms) {
    Eliminated<T> m;
    T d[kPairs][4];
#pragma GCC unroll 6
    for (int n = 0; n + 1 < kPairs; ++n) {
      for (int chain = 0; chain < 2; ++chain) {
        m.forward[n][chain] = h_ms * r.forward[n][chain];
        m.back[n][chain] = h_ms * r.back[n][chain];
      }
    }
#pragma GCC unroll 6
    for (int n = 0; n < kPairs; ++n) {
      d[n][1] = -h_ms * r.to_active[n];
      d[n][2] = -h_ms * r.to_inactive[n];
      d[n][0] = 1.0 - d[n][2];
      d[n][3] = 1.0 - d[n][1];
      for (int chain = 0; chain < 2; ++chain) {
        if (n + 1 < kPairs) d[n][3 * chain] += m.forward[n][chain];
        if (n > 0) d[n][3 * chain] += m.back[n - 1][chain];
      }
    }
    // The neighbour's block loses (coupling to this pair) inverse (coupling back).
    auto remove = [&](int n, const T(&from)[2], const T(&to)[2], T(&neighbour)[4]) TRISCALE_INLINE_LAMBDA {
      invert(d[n], m.inverse[n]);
      T* c = m.carry[n];
      for (int i = 0; i < 4; ++i) {
        c[i] = from[i / 2] * m.inverse[n][i];
        neighbour[i] = nmadd(c[i], to[i % 2], neighbour[i]);
      }
    };
#pragma GCC unroll 6
    for (int n = 0; n < kMiddle; ++n) {
      remove(n, m.forward[n], m.back[n], d[n + 1]);
      const int other = kPairs - 1 - n;
      if (other > kMiddle) remove(other, m.back[other - 1], m.forward[other - 1], d[other - 1]);
    }
    invert(d[kMiddle], m.inverse[kMiddle]);
    return m;
  }

  /// y becomes (1 - h Q)^-1 y.
  template <class T>
  static TRISCALE_INLINE void substitute(const Eliminated<T>& m, T (&y)[kPairs][2]) {
    auto inwards = [&](int n, T(&neighbour)[2]) TRISCALE_INLINE_LAMBDA {
      const T* c = m.carry[n];
      neighbour[0] = madd(c[0], y[n][0], T(madd(c[1], y[n][1], neighbour[0])));
      neighbour[1] = madd(c[2], y[n][0], T(madd(c[3], y[n][1], neighbour[1])));
    };
    auto solve = [&](int n) TRISCALE_INLINE_LAMBDA {
      const T y0 = y[n][0], y1 = y[n][1];
      const T* inverse = m.inverse[n];
      y[n][0] = madd(inverse[0], y0, T(inverse[1] * y1));
      y[n][1] = madd(inverse[2], y0, T(inverse[3] * y1));
    };
#pragma GCC unroll 6
    for (int n = 0; n < kMiddle; ++n) {
      inwards(n, y[n + 1]);
      const int other = kPairs - 1 - n;
      if (other > kMiddle) inwards(other, y[other - 1]);
    }
    solve(kMiddle);
#pragma GCC unroll 6
    for (int distance = 1; distance <= kMiddle; ++distance) {
      const int n = kMiddle - distance, other = kPairs - 1 - n;
      for (int chain = 0; chain < 2; ++chain) {
        y[n][chain] = madd(m.back[n][chain], y[n + 1][chain], y[n][chain]);
        if (other > kMiddle) {
          y[other][chain] = madd(m.forward[other - 1][chain], y[other - 1][chain], y[other][chain]);
        }
      }
      solve(n);
      if (other > kMiddle) solve(other);
    }
  }

  /// Implicit Euler step of all states, in place; x[stride * state].
  template <class T>
  static TRISCALE_INLINE void implicit_step(const Rates<T>& r, double dt_ms, T* x, std::size_t stride) {
    const Eliminated<T> m = eliminate(r, dt_ms);
    T y[kPairs][2];
    for (int s = 0; s < kStates; ++s) y[s / 2][s % 2] = x[stride * s];
    substitute(m, y);
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
    substitute(m, y);
    for (int s = 0; s < kStates; ++s) y[s / 2][s % 2] = 3.0 * x[stride * s] - y[s / 2][s % 2];
    substitute(m, y);
    for (int s = 0; s < kStates; ++s) y[s / 2][s % 2] -= x[stride * s];
    substitute(m, y);
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

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

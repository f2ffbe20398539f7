/// Four neurons side by side: a vector of doubles, one a lane, and the few functions that channel kinetics need. Every
/// function is written once for `Lanes` and for `double` and does the same operations in the same order on both, so a
/// cell's result does not depend on the lane it sits in or on the instruction set (contraction to fused multiply-add is
/// off).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

// Functions on vectors are always inlined, so no vector crosses a call: the calling convention does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace triscale::detailed {

inline constexpr int kLaneWidth = 4;

// The compiler's generic vectors: arithmetic, comparison and selection work lane by lane on every target.
using Lanes = double __attribute__((vector_size(kLaneWidth * sizeof(double))));
using LaneBits = std::int64_t __attribute__((vector_size(kLaneWidth * sizeof(std::int64_t))));

/// Gives lanes the alignment that the widest instruction set assumes; the compiler's own idea of it depends on the
/// target.
template <class T>
struct LaneAllocator {
  using value_type = T;
  static constexpr std::align_val_t kAlignment{64};
  LaneAllocator() = default;
  template <class U>
  LaneAllocator(const LaneAllocator<U>&) {}
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), kAlignment)); }
  void deallocate(T* memory, std::size_t) { ::operator delete(memory, kAlignment); }
  bool operator==(const LaneAllocator&) const { return true; }
};
using LaneArray = std::vector<Lanes, LaneAllocator<Lanes>>;

#define TRISCALE_INLINE inline __attribute__((always_inline))

// Kernels are compiled for the baseline and for wider vectors; the loader picks. Sanitizers run before the loader's
// choice can be made, so they get the baseline only. Same source, same rounding, same bits.
#if defined(TRISCALE_SANITIZED) || !defined(__x86_64__) || !defined(__GNUC__) || defined(__clang__)
#define TRISCALE_KERNEL
#else
#define TRISCALE_KERNEL __attribute__((target_clones("avx2", "default")))
#endif

template <class T>
TRISCALE_INLINE T broadcast(double x);
template <>
TRISCALE_INLINE double broadcast<double>(double x) {
  return x;
}
template <>
TRISCALE_INLINE Lanes broadcast<Lanes>(double x) {
  return Lanes{x, x, x, x};
}

TRISCALE_INLINE double select(bool condition, double a, double b) {
  return condition ? a : b;
}
TRISCALE_INLINE Lanes select(const LaneBits& condition, const Lanes& a, const Lanes& b) {
  return condition ? a : b;
}

TRISCALE_INLINE double max_of(double a, double b) {
  return a > b ? a : b;
}
TRISCALE_INLINE Lanes max_of(const Lanes& a, const Lanes& b) {
  return a > b ? a : b;
}
TRISCALE_INLINE double min_of(double a, double b) {
  return a < b ? a : b;
}
TRISCALE_INLINE Lanes min_of(const Lanes& a, const Lanes& b) {
  return a < b ? a : b;
}
TRISCALE_INLINE double abs_of(double x) {
  return x < 0 ? -x : x;
}
TRISCALE_INLINE Lanes abs_of(const Lanes& x) {
  return x < 0.0 ? -x : x;
}

namespace lanes_detail {

/// 2^k for an integer-valued double k held as k + 1.5 * 2^52 (its low mantissa bits are k in two's complement).
TRISCALE_INLINE double power_of_two(double shifted) {
  std::int64_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = static_cast<std::int64_t>(static_cast<std::uint64_t>(bits + 1023) << 52);
  double result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}
TRISCALE_INLINE Lanes power_of_two(const Lanes& shifted) {
  LaneBits bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits = (bits + 1023) << 52;
  Lanes result;
  std::memcpy(&result, &bits, sizeof result);
  return result;
}

}  // namespace lanes_detail

/// e^x by reduction to |r| <= ln(2)/2 (Cody & Waite's two-part ln 2) and the Taylor polynomial of degree 13, whose
/// remainder is below 0.1 units in the last place there. The argument is clamped to +-708: no overflow, and NaN stays
/// NaN.
template <class T>
TRISCALE_INLINE T exp_of(T x) {
  constexpr double kInvLn2 = 1.4426950408889634074;
  constexpr double kLn2High = 6.93147180369123816490e-01;  // upper 33 bits of ln 2
  constexpr double kLn2Low = 1.90821492927058770002e-10;
  constexpr double kShift = 0x1.8p52;
  x = select(x > 708.0, broadcast<T>(708.0), x);
  x = select(x < -708.0, broadcast<T>(-708.0), x);
  const T shifted = x * kInvLn2 + kShift;
  const T k = shifted - kShift;
  const T r = (x - k * kLn2High) - k * kLn2Low;
  // Pairs of terms first (Estrin): short chains of dependent operations instead of one long one.
  const T r2 = r * r, r4 = r2 * r2;
  const T p0 = (0.5 + r * (1.0 / 6.0)) + r2 * (1.0 / 24.0 + r * (1.0 / 120.0));
  const T p1 = (1.0 / 720.0 + r * (1.0 / 5040.0)) + r2 * (1.0 / 40320.0 + r * (1.0 / 362880.0));
  const T p2 = (1.0 / 3628800.0 + r * (1.0 / 39916800.0)) + r2 * (1.0 / 479001600.0 + r * (1.0 / 6227020800.0));
  const T p = p0 + r4 * (p1 + r4 * p2);
  // 1 + r + r^2 p, the large terms last
  const T e = (r2 * p + r) + 1.0;
  return e * lanes_detail::power_of_two(shifted);
}

/// x / (e^x - 1), 1 at 0. Near 0 the series 1 - x/2 + x^2/12 - x^4/720 + x^6/30240 is used, elsewhere the definition;
/// relative error below 1e-13 everywhere.
template <class T>
TRISCALE_INLINE T exprelr(T x) {
  const T x2 = x * x;
  const T series =
      1.0 - 0.5 * x + x2 * (1.0 / 12.0 + x2 * (-1.0 / 720.0 + x2 * (1.0 / 30240.0 - x2 * (1.0 / 1209600.0))));
  const auto small = abs_of(x) < 0.05;
  const T safe = select(small, broadcast<T>(1.0), x);
  return select(small, series, safe / (exp_of(safe) - 1.0));
}

/// exprelr(x) and exprelr(-x) with one exponential: with e = e^-|x|, they are |x| e/(1 - e) and |x|/(1 - e) in the
/// order of the sign. Near 0 they are the even part of the series minus and plus x/2.
template <class T>
struct ExprelrPair {
  T plus, minus;
};
template <class T>
TRISCALE_INLINE ExprelrPair<T> exprelr_pair(T x) {
  const T x2 = x * x, size = abs_of(x);
  const T even = 1.0 + x2 * (1.0 / 12.0 + x2 * (-1.0 / 720.0 + x2 * (1.0 / 30240.0 - x2 * (1.0 / 1209600.0))));
  const auto small = size < 0.05;
  const T e = exp_of(T(-select(small, broadcast<T>(1.0), size)));
  const T larger = select(small, T(even + 0.5 * size), T(size / (1.0 - e)));
  const T smaller = select(small, T(even - 0.5 * size), T(larger * e));
  return {select(x > 0.0, smaller, larger), select(x > 0.0, larger, smaller)};
}

/// 1 / (1 + e^-x)
template <class T>
TRISCALE_INLINE T logistic(T x) {
  return 1.0 / (1.0 + exp_of(-x));
}

namespace lanes_detail {

/// x = mantissa 2^exponent with the mantissa between sqrt(1/2) and sqrt(2), for normal x > 0.
TRISCALE_INLINE void split(double x, double& mantissa, double& exponent) {
  constexpr std::int64_t kRootHalf = 0x3FE6A09E667F3BCD, kShift = 0x4338000000000000;  // sqrt(1/2), 1.5 2^52
  std::int64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const std::int64_t k = (bits - kRootHalf) >> 52;
  const std::int64_t m = bits - static_cast<std::int64_t>(static_cast<std::uint64_t>(k) << 52), e = k + kShift;
  std::memcpy(&mantissa, &m, sizeof m);
  std::memcpy(&exponent, &e, sizeof e);
  exponent -= 0x1.8p52;
}
TRISCALE_INLINE void split(const Lanes& x, Lanes& mantissa, Lanes& exponent) {
  constexpr std::uint64_t kRootHalf = 0x3FE6A09E667F3BCD, kOffset = 1ull << 63;
  constexpr std::int64_t kShift = 0x4338000000000000;
  LaneBits bits;
  std::memcpy(&bits, &x, sizeof bits);
  // A logical shift of what an offset has made positive: there is no arithmetic shift of 64 bits before AVX-512.
  using Unsigned = std::uint64_t __attribute__((vector_size(kLaneWidth * sizeof(std::uint64_t))));
  const Unsigned shifted = (reinterpret_cast<Unsigned>(bits) - kRootHalf + kOffset) >> 52;
  const LaneBits k = reinterpret_cast<LaneBits>(shifted) - static_cast<std::int64_t>(kOffset >> 52);
  const LaneBits m = bits - (k << 52), e = k + kShift;
  std::memcpy(&mantissa, &m, sizeof m);
  std::memcpy(&exponent, &e, sizeof e);
  exponent -= 0x1.8p52;
}

}  // namespace lanes_detail

/// Natural logarithm of normal x > 0 (NaN otherwise): x = m 2^k, log m = 2 artanh(s), s = (m - 1)/(m + 1), by its
/// series up to s^21, whose remainder is below 1e-17.
template <class T>
TRISCALE_INLINE T log_of(T x) {
  constexpr double kLn2High = 6.93147180369123816490e-01, kLn2Low = 1.90821492927058770002e-10;
  T m, k;
  lanes_detail::split(x, m, k);
  const T s = (m - 1.0) / (m + 1.0), s2 = s * s, s4 = s2 * s2;
  const T a = (1.0 / 3.0 + s2 * (1.0 / 5.0)) + s4 * (1.0 / 7.0 + s2 * (1.0 / 9.0));
  const T b = (1.0 / 11.0 + s2 * (1.0 / 13.0)) + s4 * (1.0 / 15.0 + s2 * (1.0 / 17.0));
  const T c = 1.0 / 19.0 + s2 * (1.0 / 21.0);
  const T series = a + s4 * s4 * (b + s4 * s4 * c);
  const T y = k * kLn2High + (2.0 * s + (2.0 * s * s2 * series + k * kLn2Low));
  return select(x > 0.0, y, broadcast<T>(__builtin_nan("")));
}

}  // namespace triscale::detailed

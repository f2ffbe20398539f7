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
  T p = broadcast<T>(1.0 / 6227020800.0);
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  // 1 + r + r^2 p, the large terms last
  const T e = (r * r * p + r) + 1.0;
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

/// 1 / (1 + e^-x)
template <class T>
TRISCALE_INLINE T logistic(T x) {
  return 1.0 / (1.0 + exp_of(-x));
}

/// Natural logarithm, lane by lane (used once a step at compartments with calcium only).
TRISCALE_INLINE double log_of(double x) {
  return std::log(x);
}
TRISCALE_INLINE Lanes log_of(const Lanes& x) {
  Lanes y;
  for (int lane = 0; lane < kLaneWidth; ++lane) y[lane] = std::log(x[lane]);
  return y;
}

}  // namespace triscale::detailed

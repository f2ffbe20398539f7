/// Elementary functions for loops that the compiler turns into vectors: no branches, no calls, no fused operations, so
/// the same bits whatever the width of the vectors.
#pragma once

#include <cstdint>
#include <cstring>

#include "core/isa.hpp"

namespace triscale::core {

inline constexpr double kLargestExponent = 708;

namespace elementary_detail {
inline constexpr double kInvLn2 = 1.4426950408889634074;
inline constexpr double kLn2High = 6.93147180369123816490e-01;  // upper 33 bits of ln 2
inline constexpr double kLn2Low = 1.90821492927058770002e-10;
// Added to an integer k, its lowest mantissa bits become k + 1023, the exponent field of 2^k.
inline constexpr double kShift = 0x1.8p52 + 1023.0;
}  // namespace elementary_detail

/// e^x = scale + scale tail: x = k ln 2 + r with |r| <= ln(2)/2 (Cody & Waite's two-part ln 2), scale = 2^k, tail = e^r
/// - 1 by its Taylor series up to r^13, whose remainder is below 5e-18. The argument is held within +-708; NaN stays
/// NaN.
struct Exponential {
  double scale, tail;
  TRISCALE_ALWAYS_INLINE double value() const { return scale + scale * tail; }
  /// e^x - 1, without loss near 0.
  TRISCALE_ALWAYS_INLINE double minus_1() const { return scale * tail + (scale - 1.0); }
};
TRISCALE_ALWAYS_INLINE Exponential exponential_in_range(double x) {
  using namespace elementary_detail;
  const double shifted = x * kInvLn2 + kShift;
  const double k = shifted - kShift;
  const double r = (x - k * kLn2High) - k * kLn2Low;
  const double r2 = r * r;
  // Pairs of terms first: short chains of dependent operations.
  const double r4 = r2 * r2, r8 = r4 * r4;
  const double p_0 = 0.5 + r * (1.0 / 6.0), p_2 = 1.0 / 24.0 + r * (1.0 / 120.0);
  const double p_4 = 1.0 / 720.0 + r * (1.0 / 5040.0), p_6 = 1.0 / 40320.0 + r * (1.0 / 362880.0);
  const double p_8 = 1.0 / 3628800.0 + r * (1.0 / 39916800.0), p_10 = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0);
  const double p = ((p_0 + r2 * p_2) + r4 * (p_4 + r2 * p_6)) + r8 * (p_8 + r2 * p_10);
  std::uint64_t bits;
  std::memcpy(&bits, &shifted, sizeof bits);
  bits <<= 52;
  double scale;
  std::memcpy(&scale, &bits, sizeof scale);
  return {scale, r2 * p + r};
}
/// With the argument held within its range.
TRISCALE_ALWAYS_INLINE Exponential exponential(double x) {
  x = x < -kLargestExponent ? -kLargestExponent : x;
  x = x > kLargestExponent ? kLargestExponent : x;
  return exponential_in_range(x);
}
TRISCALE_ALWAYS_INLINE double exp_of(double x) {
  return exponential(x).value();
}
TRISCALE_ALWAYS_INLINE double expm1_of(double x) {
  return exponential(x).minus_1();
}

/// e^x for |x| <= 1/4 by its Taylor series up to x^9: relative error below 4e-13. Half the work of exp_of().
inline constexpr double kSmallExponent = 0.25;
TRISCALE_ALWAYS_INLINE double exp_of_small(double x) {
  const double x2 = x * x, x4 = x2 * x2;
  const double p_0 = 1.0 + x, p_2 = 0.5 + x * (1.0 / 6.0), p_4 = 1.0 / 24.0 + x * (1.0 / 120.0);
  const double p_6 = 1.0 / 720.0 + x * (1.0 / 5040.0), p_8 = 1.0 / 40320.0 + x * (1.0 / 362880.0);
  return (p_0 + x2 * p_2) + x4 * ((p_4 + x2 * p_6) + x4 * p_8);
}

}  // namespace triscale::core

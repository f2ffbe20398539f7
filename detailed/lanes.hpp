/// Four neurons side by side: a vector of doubles, one a lane, and the few functions that channel kinetics need. Every
/// function is written once for `Lanes` and for `double` and does the same operations in the same order on both, so a
/// cell's result does not depend on the lane it sits in, nor on how cells are grouped or split among threads.
///
/// Kernels (detailed/kernels.hpp) are compiled once for the baseline and for processors with fused multiply-add twice,
/// with 256-bit and with 512-bit vectors. `madd` is one rounding with fused multiply-add and two without; nothing else
/// differs, and the compiler fuses nothing by itself, so the width of vectors changes no bit. All that depends on the
/// instruction set stands in an inline namespace named after it, so that the sets never mix.
#pragma once

#include <cstdint>
#include <cstring>
#include <new>
#include <type_traits>
#include <vector>

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)
#include <immintrin.h>
#define TRISCALE_FUSED
#define TRISCALE_WIDE
#define TRISCALE_INSTRUCTIONS fused512
#elif defined(__AVX2__) && defined(__FMA__)
#include <immintrin.h>
#define TRISCALE_FUSED
#define TRISCALE_INSTRUCTIONS fused
#else
#define TRISCALE_INSTRUCTIONS baseline
#endif

// Functions on vectors are always inlined, so no vector crosses a call: the calling convention does not matter.
#pragma GCC diagnostic ignored "-Wpsabi"

namespace triscale::detailed {

inline constexpr int kLaneWidth = 4;
/// Vectors in flight a node: a group holds kColumns * kLaneWidth cells.
inline constexpr int kColumns = 2;
inline constexpr int kGroupCells = kColumns * kLaneWidth;

// The compiler's generic vectors: arithmetic, comparison and selection work lane by lane on every target.
using Lanes = double __attribute__((vector_size(kLaneWidth * sizeof(double))));
using LaneBits = std::int64_t __attribute__((vector_size(kLaneWidth * sizeof(std::int64_t))));
using LaneWords = std::uint64_t __attribute__((vector_size(kLaneWidth * sizeof(std::uint64_t))));

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
#define TRISCALE_INLINE_LAMBDA __attribute__((always_inline))

inline namespace TRISCALE_INSTRUCTIONS {

/// Two vectors side by side. Every operation is done on one, then on the other: while the processor waits for the
/// first, it has the second to do, where a single chain of dependent operations would leave it idle.
template <class V>
struct Two {
  V a, b;
  // Member by member: the compiler would copy the whole through general registers.
  Two() = default;
  TRISCALE_INLINE Two(const V& first, const V& second) : a(first), b(second) {}
  TRISCALE_INLINE Two(const Two& other) : a(other.a), b(other.b) {}
  TRISCALE_INLINE Two& operator=(const Two& other) {
    a = other.a;
    b = other.b;
    return *this;
  }
};

#ifdef TRISCALE_WIDE
/// One vector has the lanes of both columns.
using LanePair = double __attribute__((vector_size(kGroupCells * sizeof(double))));
using PairBits = std::int64_t __attribute__((vector_size(kGroupCells * sizeof(std::int64_t))));
using PairWords = std::uint64_t __attribute__((vector_size(kGroupCells * sizeof(std::uint64_t))));
#else
using LanePair = Two<Lanes>;
using PairBits = Two<LaneBits>;
using PairWords = Two<LaneWords>;
#endif

#define TRISCALE_PAIRWISE(op)                                                               \
  template <class V>                                                                        \
  TRISCALE_INLINE auto operator op(const Two<V>& x, const Two<V>& y) {                      \
    return Two<decltype(x.a op y.a)>{x.a op y.a, x.b op y.b};                               \
  }                                                                                         \
  template <class V, class S>                                                               \
  requires std::is_arithmetic_v<S> TRISCALE_INLINE auto operator op(const Two<V>& x, S y) { \
    return Two<decltype(x.a op y)>{x.a op y, x.b op y};                                     \
  }                                                                                         \
  template <class V, class S>                                                               \
  requires std::is_arithmetic_v<S> TRISCALE_INLINE auto operator op(S x, const Two<V>& y) { \
    return Two<decltype(x op y.a)>{x op y.a, x op y.b};                                     \
  }
TRISCALE_PAIRWISE(+)
TRISCALE_PAIRWISE(-)
TRISCALE_PAIRWISE(*)
TRISCALE_PAIRWISE(/)
TRISCALE_PAIRWISE(<)
TRISCALE_PAIRWISE(>)
TRISCALE_PAIRWISE(<<)
#undef TRISCALE_PAIRWISE
template <class V>
TRISCALE_INLINE Two<V> operator-(const Two<V>& x) {
  return {-x.a, -x.b};
}
template <class V, class X>
TRISCALE_INLINE Two<V>& operator+=(Two<V>& x, const X& y) {
  return x = x + y;
}
template <class V, class X>
TRISCALE_INLINE Two<V>& operator-=(Two<V>& x, const X& y) {
  return x = x - y;
}
template <class V, class X>
TRISCALE_INLINE Two<V>& operator/=(Two<V>& x, const X& y) {
  return x = x / y;
}

template <class T>
TRISCALE_INLINE T broadcast(double x) {
  if constexpr (std::is_same_v<T, double>) {
    return x;
  } else if constexpr (std::is_same_v<T, Lanes>) {
    return Lanes{x, x, x, x};
  } else {
#ifdef TRISCALE_WIDE
    return T{x, x, x, x, x, x, x, x};
#else
    return {broadcast<Lanes>(x), broadcast<Lanes>(x)};
#endif
  }
}
/// `x` as a T: itself, or the same number in every lane.
template <class T, class X>
TRISCALE_INLINE T broadcast_of(const X& x) {
  if constexpr (std::is_same_v<T, X>) {
    return x;
  } else {
    return broadcast<T>(x);
  }
}

TRISCALE_INLINE double select(bool condition, double a, double b) {
  return condition ? a : b;
}
TRISCALE_INLINE Lanes select(const LaneBits& condition, const Lanes& a, const Lanes& b) {
  return condition ? a : b;
}
TRISCALE_INLINE LanePair select(const PairBits& condition, const LanePair& a, const LanePair& b) {
#ifdef TRISCALE_WIDE
  return condition ? a : b;
#else
  return {select(condition.a, a.a, b.a), select(condition.b, a.b, b.b)};
#endif
}

/// Whether a comparison holds in every lane.
TRISCALE_INLINE bool all_of(const PairBits& condition) {
#ifdef TRISCALE_WIDE
  return _mm512_movepi64_mask(reinterpret_cast<__m512i>(condition)) == 0xff;
#else
  const LaneBits both = condition.a & condition.b;
  return (both[0] & both[1] & both[2] & both[3]) != 0;
#endif
}

/// b if either is not a number.
TRISCALE_INLINE double max_of(double a, double b) {
  return a > b ? a : b;
}
TRISCALE_INLINE double min_of(double a, double b) {
  return a < b ? a : b;
}
TRISCALE_INLINE Lanes max_of(const Lanes& a, const Lanes& b) {
#ifdef TRISCALE_FUSED
  return Lanes(_mm256_max_pd(a, b));
#else
  return a > b ? a : b;
#endif
}
TRISCALE_INLINE Lanes min_of(const Lanes& a, const Lanes& b) {
#ifdef TRISCALE_FUSED
  return Lanes(_mm256_min_pd(a, b));
#else
  return a < b ? a : b;
#endif
}
TRISCALE_INLINE LanePair max_of(const LanePair& a, const LanePair& b) {
#ifdef TRISCALE_WIDE
  // Under a full mask: the other form draws a false warning about the compiler's header (GCC bug 105593).
  return LanePair(_mm512_maskz_max_pd(0xff, a, b));
#else
  return {max_of(a.a, b.a), max_of(a.b, b.b)};
#endif
}
TRISCALE_INLINE LanePair min_of(const LanePair& a, const LanePair& b) {
#ifdef TRISCALE_WIDE
  return LanePair(_mm512_maskz_min_pd(0xff, a, b));
#else
  return {min_of(a.a, b.a), min_of(a.b, b.b)};
#endif
}

namespace lanes_detail {

TRISCALE_INLINE double fused(double a, double b, double c) {
#ifdef TRISCALE_FUSED
  return __builtin_fma(a, b, c);
#else
  return a * b + c;
#endif
}
TRISCALE_INLINE Lanes fused(const Lanes& a, const Lanes& b, const Lanes& c) {
#ifdef TRISCALE_FUSED
  return Lanes(_mm256_fmadd_pd(a, b, c));
#else
  return a * b + c;
#endif
}
TRISCALE_INLINE LanePair fused(const LanePair& a, const LanePair& b, const LanePair& c) {
#ifdef TRISCALE_WIDE
  return LanePair(_mm512_fmadd_pd(a, b, c));
#else
  return {fused(a.a, b.a, c.a), fused(a.b, b.b, c.b)};
#endif
}

/// The first that is not a plain double.
template <class A, class B, class C>
using Widest = std::conditional_t<!std::is_same_v<A, double>, A, std::conditional_t<!std::is_same_v<B, double>, B, C>>;

}  // namespace lanes_detail

/// a b + c.
template <class A, class B, class C>
TRISCALE_INLINE auto madd(const A& a, const B& b, const C& c) {
  using T = lanes_detail::Widest<A, B, C>;
  return lanes_detail::fused(broadcast_of<T>(a), broadcast_of<T>(b), broadcast_of<T>(c));
}
/// c - a b.
template <class A, class B, class C>
TRISCALE_INLINE auto nmadd(const A& a, const B& b, const C& c) {
  return madd(-a, b, c);
}

namespace lanes_detail {

template <class To, class From>
TRISCALE_INLINE To bits_of(const From& from) {
  static_assert(sizeof(To) == sizeof(From));
  if constexpr (requires { from.b; }) {
    return {bits_of<decltype(To::a)>(from.a), bits_of<decltype(To::b)>(from.b)};
  } else if constexpr (sizeof(From) >= sizeof(Lanes)) {
    return reinterpret_cast<To>(from);
  } else {
    To to;
    std::memcpy(&to, &from, sizeof to);
    return to;
  }
}
template <class T>
using Words = std::conditional_t<std::is_same_v<T, double>, std::uint64_t,
                                 std::conditional_t<std::is_same_v<T, Lanes>, LaneWords, PairWords>>;

inline constexpr double kInvLn2 = 1.4426950408889634074;
inline constexpr double kLn2High = 6.93147180369123816490e-01;  // upper 33 bits of ln 2
inline constexpr double kLn2Low = 1.90821492927058770002e-10;
// Added to an integer k, its lowest mantissa bits become k + 1023, the exponent field of 2^k.
inline constexpr double kShift = 0x1.8p52 + 1023.0;

/// The even and odd part of q(r) = (e^r - 1 - r)/r^2 for |r| <= ln(2)/2, a polynomial of degree 9 that interpolates it
/// at Chebyshev's points: e^r is within 1.7e-17 of its own size.
template <class T>
struct Reduced {
  T shifted, r, r2, even, odd;
};
template <class T>
TRISCALE_INLINE void evaluate(Reduced<T>& a) {
  a.r2 = a.r * a.r;
  // Two short chains of dependent operations instead of one long one.
  T even = madd(a.r2, 0x1.2891a8c1d838dp-22, 0x1.a019b8ef67c6cp-16);
  T odd = madd(a.r2, 0x1.af38d53857513p-26, 0x1.71de0d9c145d0p-19);
  even = madd(a.r2, even, 0x1.6c16c17893833p-10);
  odd = madd(a.r2, odd, 0x1.a01a01a7c8d47p-13);
  even = madd(a.r2, even, 0x1.5555555553d4fp-5);
  odd = madd(a.r2, odd, 0x1.11111111109adp-7);
  a.even = madd(a.r2, even, 0x1.0000000000001p-1);
  a.odd = madd(a.r2, odd, 0x1.5555555555556p-3);
}
/// x = k ln 2 + r with |r| <= ln(2)/2 (Cody & Waite's two-part ln 2).
template <class T>
TRISCALE_INLINE Reduced<T> reduce(const T& x) {
  Reduced<T> a;
  a.shifted = madd(x, kInvLn2, kShift);
  const T k = a.shifted - kShift;
  a.r = nmadd(k, kLn2Low, nmadd(k, kLn2High, x));
  evaluate(a);
  return a;
}

}  // namespace lanes_detail

/// e^x = scale + scale tail and e^x - 1 without loss near 0. For |x| <= 708; beyond, nonsense. NaN stays NaN.
template <class T>
struct Exponential {
  T scale, tail;  ///< a power of two, and e^r - 1 of the reduced argument
  TRISCALE_INLINE T value() const { return madd(scale, tail, scale); }
  TRISCALE_INLINE T minus_1() const { return madd(scale, tail, T(scale - 1.0)); }
};
template <class T>
TRISCALE_INLINE Exponential<T> exponential(const T& x) {
  using namespace lanes_detail;
  const Reduced<T> a = reduce(x);
  const T scale = bits_of<T>(bits_of<Words<T>>(a.shifted) << 52);
  return {scale, madd(a.r2, T(madd(a.r, a.odd, a.even)), a.r)};
}

/// e^x - 1 for |x| < kSmallExponent, where k is 0: the bits of exponential(x).minus_1() for fewer operations.
inline constexpr double kSmallExponent = 0.346;
template <class T>
TRISCALE_INLINE T small_exponential_minus_1(const T& x) {
  lanes_detail::Reduced<T> a;
  a.r = x;
  lanes_detail::evaluate(a);
  return madd(a.r2, T(madd(a.r, a.odd, a.even)), a.r);
}

/// e^x and e^-x, which share most of the work.
template <class T>
struct ExponentialPair {
  T plus, minus;
};
template <class T>
TRISCALE_INLINE ExponentialPair<T> exponential_pair(const T& x) {
  using namespace lanes_detail;
  const Reduced<T> a = reduce(x);
  const Words<T> exponent = bits_of<Words<T>>(a.shifted);
  const T plus = bits_of<T>(exponent << 52), minus = bits_of<T>((2046 - exponent) << 52);
  const T tail_plus = madd(a.r2, T(madd(a.r, a.odd, a.even)), a.r);
  const T tail_minus = madd(a.r2, T(nmadd(a.r, a.odd, a.even)), T(-a.r));
  return {madd(plus, tail_plus, plus), madd(minus, tail_minus, minus)};
}

/// e^x with the argument held within +-708: no overflow.
template <class T>
TRISCALE_INLINE T exp_of(const T& x) {
  // The order of the arguments lets NaN through.
  return exponential(min_of(broadcast<T>(708.0), max_of(broadcast<T>(-708.0), x))).value();
}

/// 1 / (1 + e^-x), for |x| <= 708.
template <class T>
TRISCALE_INLINE T logistic(const T& x) {
  return 1.0 / (1.0 + exponential(T(-x)).value());
}

/// 1 / a and 1 / b by one division; the product a b must be a normal number.
template <class T>
struct Inverses {
  T a, b;
};
template <class T>
TRISCALE_INLINE Inverses<T> inverses(const T& a, const T& b) {
  const T inverse = 1.0 / (a * b);
  return {b * inverse, a * inverse};
}

namespace lanes_detail {

/// x = mantissa 2^exponent with the mantissa between sqrt(1/2) and sqrt(2), for normal x > 0.
TRISCALE_INLINE void split(double x, double& mantissa, double& exponent) {
  constexpr std::int64_t kRootHalf = 0x3FE6A09E667F3BCD, kExponentShift = 0x4338000000000000;  // sqrt(1/2), 1.5 2^52
  std::int64_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  const std::int64_t k = (bits - kRootHalf) >> 52;
  const std::int64_t m = bits - static_cast<std::int64_t>(static_cast<std::uint64_t>(k) << 52), e = k + kExponentShift;
  std::memcpy(&mantissa, &m, sizeof m);
  std::memcpy(&exponent, &e, sizeof e);
  exponent -= 0x1.8p52;
}
template <class Bits, class Words, class V>
TRISCALE_INLINE void split_vector(const V& x, V& mantissa, V& exponent) {
  constexpr std::uint64_t kRootHalf = 0x3FE6A09E667F3BCD, kOffset = 1ull << 63;
  constexpr std::int64_t kExponentShift = 0x4338000000000000;
  Bits bits;
  std::memcpy(&bits, &x, sizeof bits);
  // A logical shift of what an offset has made positive: there is no arithmetic shift of 64 bits before AVX-512.
  const Words shifted = (reinterpret_cast<Words>(bits) - kRootHalf + kOffset) >> 52;
  const Bits k = reinterpret_cast<Bits>(shifted) - static_cast<std::int64_t>(kOffset >> 52);
  const Bits m = bits - (k << 52), e = k + kExponentShift;
  std::memcpy(&mantissa, &m, sizeof m);
  std::memcpy(&exponent, &e, sizeof e);
  exponent -= 0x1.8p52;
}
TRISCALE_INLINE void split(const Lanes& x, Lanes& mantissa, Lanes& exponent) {
  split_vector<LaneBits, LaneWords>(x, mantissa, exponent);
}
TRISCALE_INLINE void split(const LanePair& x, LanePair& mantissa, LanePair& exponent) {
#ifdef TRISCALE_WIDE
  split_vector<PairBits, PairWords>(x, mantissa, exponent);
#else
  split(x.a, mantissa.a, exponent.a);
  split(x.b, mantissa.b, exponent.b);
#endif
}

}  // namespace lanes_detail

/// Natural logarithm of normal x > 0 (NaN otherwise): x = m 2^k, log m = 2 artanh(s), s = (m - 1)/(m + 1), by its
/// series up to s^21, whose remainder is below 1e-17.
template <class T>
TRISCALE_INLINE T log_of(T x) {
  using lanes_detail::kLn2High, lanes_detail::kLn2Low;
  T m, k;
  lanes_detail::split(x, m, k);
  const T s = (m - 1.0) / (m + 1.0), s2 = s * s, s4 = s2 * s2;
  const T s8 = s4 * s4;
  const T a = madd(s4, madd(s2, 1.0 / 9.0, 1.0 / 7.0), madd(s2, 1.0 / 5.0, 1.0 / 3.0));
  const T b = madd(s4, madd(s2, 1.0 / 17.0, 1.0 / 15.0), madd(s2, 1.0 / 13.0, 1.0 / 11.0));
  const T series = madd(s8, madd(s8, madd(s2, 1.0 / 21.0, 1.0 / 19.0), b), a);
  const T twice = 2.0 * s;
  const T y = madd(k, kLn2High, T(twice + madd(T(twice * s2), series, T(k * kLn2Low))));
  return select(x > 0.0, y, broadcast<T>(__builtin_nan("")));
}

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

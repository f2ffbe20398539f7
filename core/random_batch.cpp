#include "core/random_batch.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numbers>

namespace triscale::core {

namespace {

constexpr std::size_t kCounters = 12;  ///< done together: three vectors hide each other's latency
constexpr std::size_t kWords = 4 * kCounters;
constexpr std::size_t kManyCounters = 2 * kCounters;  ///< with vectors of 512 bits

// Philox4x32-10 (Salmon et al. 2011): counter words (a, b) = k, (c, d) = entity; keys grow by Weyl constants.
constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u, kWeyl0 = 0x9E3779B9u,
                        kWeyl1 = 0xBB67AE85u;

#if defined(__x86_64__)
// One 32-bit number in the lower half of each 64-bit lane; what stands in the upper half is never read.

/// Ten rounds on three vectors of four counters.
TRISCALE_AVX2 TRISCALE_ALWAYS_INLINE void rounds_avx2(const RandomStream& stream, __m256i* a, __m256i* b, __m256i* c,
                                                      __m256i* d) {
  const __m256i multiplier_0 = _mm256_set1_epi64x(kMultiplier0), multiplier_1 = _mm256_set1_epi64x(kMultiplier1);
  std::uint32_t key_0 = stream.key()[0], key_1 = stream.key()[1];
  for (int round = 0; round < 10; ++round) {
    const __m256i k_0 = _mm256_set1_epi64x(key_0), k_1 = _mm256_set1_epi64x(key_1);
    for (int v = 0; v < 3; ++v) {
      const __m256i p_0 = _mm256_mul_epu32(a[v], multiplier_0), p_1 = _mm256_mul_epu32(c[v], multiplier_1);
      a[v] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p_1, 32), b[v]), k_0);
      c[v] = _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(p_0, 32), d[v]), k_1);
      b[v] = p_1;
      d[v] = p_0;
    }
    key_0 += kWeyl0;
    key_1 += kWeyl1;
  }
}
/// The words of counters first .. first + 11.
TRISCALE_AVX2 void philox_avx2(const RandomStream& stream, std::uint64_t first, std::uint32_t* words) {
  __m256i a[3], b[3], c[3], d[3];
  for (int v = 0; v < 3; ++v) {
    const __m256i k =
        _mm256_add_epi64(_mm256_set1_epi64x(static_cast<long long>(first) + 4 * v), _mm256_set_epi64x(3, 2, 1, 0));
    a[v] = k;
    b[v] = _mm256_srli_epi64(k, 32);
    c[v] = _mm256_set1_epi64x(static_cast<long long>(stream.entity()));
    d[v] = _mm256_srli_epi64(c[v], 32);
  }
  rounds_avx2(stream, a, b, c, d);
  for (int v = 0; v < 3; ++v) {
    const __m256i ab = _mm256_blend_epi32(a[v], _mm256_slli_epi64(b[v], 32), 0xAA);
    const __m256i cd = _mm256_blend_epi32(c[v], _mm256_slli_epi64(d[v], 32), 0xAA);
    const __m256i even = _mm256_unpacklo_epi64(ab, cd), odd = _mm256_unpackhi_epi64(ab, cd);
    auto* out = reinterpret_cast<__m256i*>(words + 16 * v);
    _mm256_storeu_si256(out, _mm256_permute2x128_si256(even, odd, 0x20));
    _mm256_storeu_si256(out + 1, _mm256_permute2x128_si256(even, odd, 0x31));
  }
}
/// (a << 32 | b) for twelve counters of as many entities.
TRISCALE_AVX2 void philox_entities_avx2(const RandomStream& stream, const std::uint64_t* entities,
                                        const std::uint64_t* counters, std::uint64_t* high_and_low) {
  __m256i a[3], b[3], c[3], d[3];
  for (int v = 0; v < 3; ++v) {
    a[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(counters + 4 * v));
    b[v] = _mm256_srli_epi64(a[v], 32);
    c[v] = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(entities + 4 * v));
    d[v] = _mm256_srli_epi64(c[v], 32);
  }
  rounds_avx2(stream, a, b, c, d);
  for (int v = 0; v < 3; ++v) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(high_and_low + 4 * v),
                        _mm256_blend_epi32(b[v], _mm256_slli_epi64(a[v], 32), 0xAA));
  }
}
// GCC 12 takes the undefined vectors of its own header for our mistake (GCC bug 105593).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
/// The words of counters first .. first + 23, eight a vector.
TRISCALE_AVX512 void philox_avx512(const RandomStream& stream, std::uint64_t first, std::uint32_t* words) {
  const __m512i multiplier_0 = _mm512_set1_epi64(kMultiplier0), multiplier_1 = _mm512_set1_epi64(kMultiplier1);
  __m512i a[3], b[3], c[3], d[3];
  for (int v = 0; v < 3; ++v) {
    const __m512i k = _mm512_add_epi64(_mm512_set1_epi64(static_cast<long long>(first) + 8 * v),
                                       _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
    a[v] = k;
    b[v] = _mm512_srli_epi64(k, 32);
    c[v] = _mm512_set1_epi64(static_cast<long long>(stream.entity()));
    d[v] = _mm512_srli_epi64(c[v], 32);
  }
  constexpr int kXorOfThree = 0x96;
  std::uint32_t key_0 = stream.key()[0], key_1 = stream.key()[1];
  for (int round = 0; round < 10; ++round) {
    const __m512i k_0 = _mm512_set1_epi64(key_0), k_1 = _mm512_set1_epi64(key_1);
    for (int v = 0; v < 3; ++v) {
      const __m512i p_0 = _mm512_mul_epu32(a[v], multiplier_0), p_1 = _mm512_mul_epu32(c[v], multiplier_1);
      a[v] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p_1, 32), b[v], k_0, kXorOfThree);
      c[v] = _mm512_ternarylogic_epi64(_mm512_srli_epi64(p_0, 32), d[v], k_1, kXorOfThree);
      b[v] = p_1;
      d[v] = p_0;
    }
    key_0 += kWeyl0;
    key_1 += kWeyl1;
  }
  const __m512i lower = _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0),
                upper = _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4);
  for (int v = 0; v < 3; ++v) {
    const __m512i ab = _mm512_mask_blend_epi32(0xAAAA, a[v], _mm512_slli_epi64(b[v], 32));
    const __m512i cd = _mm512_mask_blend_epi32(0xAAAA, c[v], _mm512_slli_epi64(d[v], 32));
    _mm512_storeu_si512(words + 32 * v, _mm512_permutex2var_epi64(ab, lower, cd));
    _mm512_storeu_si512(words + 32 * v + 16, _mm512_permutex2var_epi64(ab, upper, cd));
  }
}
#pragma GCC diagnostic pop
#endif

void philox(const RandomStream& stream, std::uint64_t first, std::uint32_t* words, Isa isa) {
#if defined(__x86_64__)
  if (isa != Isa::baseline) return philox_avx2(stream, first, words);
#endif
  (void)isa;
  for (std::size_t i = 0; i < kCounters; ++i) {
    const auto four = stream.words(first + i);
    std::copy(four.begin(), four.end(), words + 4 * i);
  }
}

// ---------------------------------------------------------------------------------------------- Box-Muller ---------

constexpr int kLanes = 4;
using Doubles = double __attribute__((vector_size(kLanes * 8)));
using Bits = std::uint64_t __attribute__((vector_size(kLanes * 8)));

TRISCALE_ALWAYS_INLINE Doubles as_doubles(Bits bits) {
  Doubles d;
  std::memcpy(&d, &bits, sizeof d);
  return d;
}
TRISCALE_ALWAYS_INLINE Bits as_bits(Doubles d) {
  Bits bits;
  std::memcpy(&bits, &d, sizeof bits);
  return bits;
}
/// An integer below 2^52 as a double.
TRISCALE_ALWAYS_INLINE Doubles to_doubles(Bits integers) {
  return as_doubles(integers | 0x4330000000000000u) - 0x1.0p52;
}

/// ln x for normal x > 0: x = 2^k m with sqrt(1/2) <= m < sqrt(2), ln m = 2 artanh((m - 1) / (m + 1)).
TRISCALE_ALWAYS_INLINE Doubles log_of(Doubles x) {
  // Adding the distance from sqrt(1/2) to 1 moves m >= sqrt(2) into the next octave.
  const Bits shifted = as_bits(x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
  const Doubles k = to_doubles(shifted >> 52) - 1023.0;
  const Doubles m = as_doubles((shifted & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu);
  const Doubles s = (m - 1.0) / (m + 1.0);
  const Doubles s2 = s * s;
  Doubles p = s2 * (1.0 / 19.0) + 1.0 / 17.0;
  p = p * s2 + 1.0 / 15.0;
  p = p * s2 + 1.0 / 13.0;
  p = p * s2 + 1.0 / 11.0;
  p = p * s2 + 1.0 / 9.0;
  p = p * s2 + 1.0 / 7.0;
  p = p * s2 + 1.0 / 5.0;
  p = p * s2 + 1.0 / 3.0;
  return k * std::numbers::ln2 + 2.0 * (s + s * s2 * p);
}

/// Taylor polynomials on [-pi/4, pi/4].
TRISCALE_ALWAYS_INLINE Doubles sin_of(Doubles x) {
  const Doubles x2 = x * x;
  Doubles p = x2 * (-1.0 / 1307674368000.0) + 1.0 / 6227020800.0;
  p = p * x2 - 1.0 / 39916800.0;
  p = p * x2 + 1.0 / 362880.0;
  p = p * x2 - 1.0 / 5040.0;
  p = p * x2 + 1.0 / 120.0;
  p = p * x2 - 1.0 / 6.0;
  return x + x * x2 * p;
}
TRISCALE_ALWAYS_INLINE Doubles cos_of(Doubles x) {
  const Doubles x2 = x * x;
  Doubles p = x2 * (1.0 / 20922789888000.0) - 1.0 / 87178291200.0;
  p = p * x2 + 1.0 / 479001600.0;
  p = p * x2 - 1.0 / 3628800.0;
  p = p * x2 + 1.0 / 40320.0;
  p = p * x2 - 1.0 / 720.0;
  p = p * x2 + 1.0 / 24.0;
  p = p * x2 - 0.5;
  return 1.0 + x2 * p;
}

/// Pairs of words to pairs of normals.
TRISCALE_ALWAYS_INLINE void box_muller(const std::uint32_t* words, double* normals) {
  for (std::size_t pair = 0; pair < kWords / 2; pair += kLanes) {
    Bits both;
    std::memcpy(&both, words + 2 * pair, sizeof both);
    const Doubles u = (to_doubles(both & 0xffffffffu) + 0.5) * 0x1.0p-32;
    const Bits angle = both >> 32;
    // The upper two bits are the quadrant, the others the place in it, counted from its middle.
    const Bits quadrant = angle >> 30;
    const Doubles x = ((to_doubles(angle & 0x3fffffffu) + 0.5) * 0x1.0p-30 - 0.5) * (std::numbers::pi / 2);
    Doubles r = -2.0 * log_of(u);
    for (int lane = 0; lane < kLanes; ++lane) r[lane] = std::sqrt(r[lane]);
    const Doubles s = r * sin_of(x), c = r * cos_of(x);
    // A quarter turn is (c, s) -> (-s, c).
    const auto odd = (quadrant & 1u) != 0;
    const Bits turned_c = as_bits(odd ? s : c) ^ ((((quadrant + 1) >> 1) & 1u) << 63);
    const Bits turned_s = as_bits(odd ? c : s) ^ ((quadrant >> 1) << 63);
    for (int lane = 0; lane < kLanes; ++lane) {
      const Doubles first = as_doubles(turned_c), second = as_doubles(turned_s);
      normals[2 * (pair + static_cast<std::size_t>(lane))] = first[lane];
      normals[2 * (pair + static_cast<std::size_t>(lane)) + 1] = second[lane];
    }
  }
}

void box_muller_baseline(const std::uint32_t* words, double* normals) {
  box_muller(words, normals);
}
TRISCALE_AVX2 void box_muller_avx2(const std::uint32_t* words, double* normals) {
  box_muller(words, normals);
}

}  // namespace

void fill_words(const RandomStream& stream, std::uint64_t first, std::span<std::uint32_t> words, Isa isa) {
  std::size_t done = 0;
#if defined(__x86_64__)
  for (; isa == Isa::avx512 && done + 4 * kManyCounters <= words.size(); done += 4 * kManyCounters)
    philox_avx512(stream, first + done / 4, words.data() + done);
#endif
  for (; done + kWords <= words.size(); done += kWords) philox(stream, first + done / 4, words.data() + done, isa);
  if (done == words.size()) return;
  std::array<std::uint32_t, kWords> rest;
  philox(stream, first + done / 4, rest.data(), isa);
  std::copy_n(rest.begin(), words.size() - done, words.begin() + static_cast<std::ptrdiff_t>(done));
}

void fill_normals(const RandomStream& stream, std::uint64_t first, std::span<double> normals, Isa isa) {
  std::array<std::uint32_t, kWords> words;
  std::array<double, kWords> rest;
  for (std::size_t done = 0; done < normals.size(); done += kWords) {
    philox(stream, first + done / 4, words.data(), isa);
    const bool whole = done + kWords <= normals.size();
    double* out = whole ? normals.data() + done : rest.data();
    if (isa == Isa::baseline) {
      box_muller_baseline(words.data(), out);
    } else {
      box_muller_avx2(words.data(), out);
    }
    if (!whole) std::copy_n(rest.begin(), normals.size() - done, normals.begin() + static_cast<std::ptrdiff_t>(done));
  }
}

void fill_uniforms(std::uint64_t seed, Purpose purpose, std::span<const std::uint64_t> entities,
                   std::span<const std::uint64_t> counters, std::span<double> uniforms, Isa isa) {
  const std::size_t n = uniforms.size();
#if defined(__x86_64__)
  const RandomStream stream(seed, purpose, 0);
  for (std::size_t done = 0; isa != Isa::baseline && done < n; done += kCounters) {
    std::array<std::uint64_t, kCounters> entity{}, counter{}, bits;
    const std::size_t some = std::min(kCounters, n - done);
    std::copy_n(entities.data() + done, some, entity.begin());
    std::copy_n(counters.data() + done, some, counter.begin());
    philox_entities_avx2(stream, entity.data(), counter.data(), bits.data());
    // As RandomStream::uniform makes it: 53 bits of the first two words.
    for (std::size_t i = 0; i < some; ++i)
      uniforms[done + i] = (static_cast<double>(static_cast<std::int64_t>(bits[i] >> 11)) + 0.5) * 0x1.0p-53;
  }
  if (isa != Isa::baseline) return;
#endif
  (void)isa;
  for (std::size_t i = 0; i < n; ++i) uniforms[i] = RandomStream(seed, purpose, entities[i]).uniform(counters[i]);
}

}  // namespace triscale::core

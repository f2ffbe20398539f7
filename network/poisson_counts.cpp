#include "network/poisson_counts.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "core/random_batch.hpp"

namespace triscale::network {

namespace {

constexpr std::size_t kVector = 16;  ///< numbers of 16 bits side by side
using Shorts = std::uint16_t __attribute__((vector_size(2 * kVector)));
using Signed = std::int16_t __attribute__((vector_size(2 * kVector)));

/// counts[i] = number of steps below halves[i]; returns whether any half is equal to a step, and so undecided.
TRISCALE_ALWAYS_INLINE bool count_steps(const std::uint16_t* steps, std::size_t number, const std::uint16_t* halves,
                                        std::uint16_t* counts) {
  Shorts half;
  std::memcpy(&half, halves, sizeof half);
  // Comparisons are of signed numbers on most machines: flip the sign bit on both sides.
  const Signed value = reinterpret_cast<Signed>(half ^ std::uint16_t{0x8000});
  Signed below{}, equal{};
  for (std::size_t n = 0; n < number; ++n) {
    const auto step = static_cast<std::int16_t>(steps[n] ^ 0x8000);
    below -= value > step;
    equal |= value == step;
  }
  std::memcpy(counts, &below, sizeof below);
  std::uint64_t any[4];
  std::memcpy(any, &equal, sizeof any);
  return (any[0] | any[1] | any[2] | any[3]) != 0;
}

/// Vectors with an undecided half are appended to `undecided`.
TRISCALE_ALWAYS_INLINE std::size_t count_all(const std::uint16_t* steps, std::size_t number,
                                             const std::uint16_t* halves, std::uint16_t* counts, std::size_t vectors,
                                             std::uint32_t* undecided) {
  std::size_t found = 0;
  for (std::size_t v = 0; v < vectors; ++v) {
    undecided[found] = static_cast<std::uint32_t>(v);
    found += count_steps(steps, number, halves + v * kVector, counts + v * kVector) ? 1 : 0;
  }
  return found;
}
std::size_t count_baseline(const std::uint16_t* steps, std::size_t number, const std::uint16_t* halves,
                           std::uint16_t* counts, std::size_t vectors, std::uint32_t* undecided) {
  return count_all(steps, number, halves, counts, vectors, undecided);
}
TRISCALE_AVX2 std::size_t count_avx2(const std::uint16_t* steps, std::size_t number, const std::uint16_t* halves,
                                     std::uint16_t* counts, std::size_t vectors, std::uint32_t* undecided) {
  return count_all(steps, number, halves, counts, vectors, undecided);
}

#if defined(__x86_64__)
/// The same for at most 15 steps: a half can only be equal to the first step that is not below it, which a byte shuffle
/// looks up.
constexpr std::size_t kFewSteps = 15;
TRISCALE_AVX2 std::size_t count_few_avx2(const std::uint16_t* steps, std::size_t number, const std::uint16_t* halves,
                                         std::uint16_t* counts, std::size_t vectors, std::uint32_t* undecided) {
  alignas(16) std::uint8_t low[16] = {}, high[16] = {};
  __m256i step[kFewSteps];
  const __m256i sign = _mm256_set1_epi16(static_cast<short>(0x8000));
  for (std::size_t n = 0; n < number; ++n) {
    low[n] = static_cast<std::uint8_t>(steps[n]);
    high[n] = static_cast<std::uint8_t>(steps[n] >> 8);
    step[n] = _mm256_set1_epi16(static_cast<short>(steps[n] ^ 0x8000));
  }
  const __m256i low_table = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(low)));
  const __m256i high_table = _mm256_broadcastsi128_si256(_mm_load_si128(reinterpret_cast<const __m128i*>(high)));
  const __m256i low_byte = _mm256_set1_epi16(0x00ff);
  std::size_t found = 0;
  for (std::size_t v = 0; v < vectors; ++v) {
    const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(halves + v * kVector));
    const __m256i value = _mm256_xor_si256(half, sign);
    __m256i below = _mm256_setzero_si256();
    for (std::size_t n = 0; n < number; ++n) below = _mm256_sub_epi16(below, _mm256_cmpgt_epi16(value, step[n]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(counts + v * kVector), below);
    const __m256i index = _mm256_or_si256(below, _mm256_slli_epi16(below, 8));
    const __m256i next =
        _mm256_blendv_epi8(_mm256_shuffle_epi8(high_table, index), _mm256_shuffle_epi8(low_table, index), low_byte);
    undecided[found] = static_cast<std::uint32_t>(v);
    // Above all steps the table says 0, which such a half is not.
    found += _mm256_movemask_epi8(_mm256_cmpeq_epi16(next, half)) != 0 ? 1 : 0;
  }
  return found;
}

/// The same with vectors of 32 numbers; `vectors` still counts those of 16. An odd last one is left to the loop above.
TRISCALE_AVX512 std::size_t count_few_avx512(const std::uint16_t* steps, std::size_t number,
                                             const std::uint16_t* halves, std::uint16_t* counts, std::size_t vectors,
                                             std::uint32_t* undecided) {
  alignas(64) std::uint16_t table[32] = {};
  __m512i step[kFewSteps];
  for (std::size_t n = 0; n < number; ++n) {
    table[n] = steps[n];
    step[n] = _mm512_set1_epi16(static_cast<short>(steps[n]));
  }
  const __m512i next_of = _mm512_load_si512(table), minus_1 = _mm512_set1_epi16(-1);
  std::size_t found = 0;
  for (std::size_t v = 0; v + 1 < vectors; v += 2) {
    const __m512i half = _mm512_loadu_si512(halves + v * kVector);
    __m512i below = _mm512_setzero_si512();
    for (std::size_t n = 0; n < number; ++n)
      below = _mm512_mask_sub_epi16(below, _mm512_cmpgt_epu16_mask(half, step[n]), below, minus_1);
    _mm512_storeu_si512(counts + v * kVector, below);
    // Above all steps the table says 0, which such a half is not.
    const __mmask32 equal = _mm512_cmpeq_epi16_mask(_mm512_permutexvar_epi16(below, next_of), half);
    undecided[found] = static_cast<std::uint32_t>(v);
    found += (equal & 0xffffu) != 0 ? 1 : 0;
    undecided[found] = static_cast<std::uint32_t>(v + 1);
    found += (equal >> 16) != 0 ? 1 : 0;
  }
  if (vectors % 2 == 0) return found;
  const std::size_t last = vectors - 1;
  std::uint32_t open[2];
  if (count_few_avx2(steps, number, halves + last * kVector, counts + last * kVector, 1, open) != 0)
    undecided[found++] = static_cast<std::uint32_t>(last);
  return found;
}
#endif

/// Cell 2 j has the lower half of word j: the order in memory of most machines.
void split(std::span<const std::uint32_t> words, std::uint16_t* halves) {
  if constexpr (std::endian::native == std::endian::little) {
    std::memcpy(halves, words.data(), words.size_bytes());
  } else {
    for (std::size_t w = 0; w < words.size(); ++w) {
      halves[2 * w] = static_cast<std::uint16_t>(words[w]);
      halves[2 * w + 1] = static_cast<std::uint16_t>(words[w] >> 16);
    }
  }
}

constexpr std::uint64_t entity_of(std::uint64_t population, std::int64_t bin) {
  return (population << 40) | static_cast<std::uint64_t>(bin);
}

}  // namespace

PoissonCounts::PoissonCounts(const Circuit& circuit, std::size_t population, core::Isa isa)
    : trains_(std::get<PoissonTrains>(circuit.populations[population].source)),
      seed_(circuit.run.seed),
      population_(population),
      isa_(isa) {}

double PoissonCounts::mean(std::int64_t bin) const {
  const double begin_ms = static_cast<double>(bin) * trains_.bin_ms;
  const double end_ms = static_cast<double>(bin + 1) * trains_.bin_ms;
  double spikes = 0;
  for (std::size_t i = 0; i < trains_.times_ms.size(); ++i) {
    const bool last = i + 1 == trains_.times_ms.size();
    const double from = std::max(begin_ms, trains_.times_ms[i]);
    const double to = last ? end_ms : std::min(end_ms, trains_.times_ms[i + 1]);
    // A bin that lies within one piece takes its length as it is, so that all such bins share a table.
    const double length_ms = from == begin_ms && to == end_ms ? trains_.bin_ms : to - from;
    if (to > from) spikes += trains_.rates_hz[i] * 1e-3 * length_ms;
  }
  return spikes;
}

void PoissonCounts::tabulate(double mean) {
  constexpr double kNone = 1e-18;  ///< a probability that no 69-bit number resolves
  mean_ = mean;
  cumulative_.clear();
  steps_.clear();
  double sum = 0,
         log_factorial = 0;  // summed up here: std::lgamma writes a global variable, and threads tabulate at once
  for (std::size_t n = 0;; ++n) {
    const auto k = static_cast<double>(n);
    if (n > 0) log_factorial += std::log(k);
    const double log_p = k * std::log(mean) - mean - log_factorial;
    const double p = mean > 0 ? std::exp(log_p) : 1.0;
    sum = std::min(1.0, sum + p);
    cumulative_.push_back(sum);
    if (static_cast<double>(n) >= mean && p < kNone) break;
    if (!(mean > 0)) break;
  }
  cumulative_.back() = 1.0;
  for (const double F : cumulative_) {
    const double step = std::floor(F * 65536.0);
    if (step > 65535) break;  // every half is below
    // Once a step is the last possible half, that half is undecided anyway.
    if (steps_.empty() || steps_.back() < 65535) steps_.push_back(static_cast<std::uint16_t>(step));
  }
}

std::uint16_t PoissonCounts::refine(std::int64_t bin, std::size_t cell, std::uint32_t half) const {
  const core::RandomStream random(seed_, core::Purpose::poisson_refinement, entity_of(population_, bin));
  const double u = (half + random.uniform(cell)) * 0x1.0p-16;
  const auto n = std::upper_bound(cumulative_.begin(), cumulative_.end(), u) - cumulative_.begin();
  return static_cast<std::uint16_t>(std::min<std::ptrdiff_t>(n, static_cast<std::ptrdiff_t>(cumulative_.size()) - 1));
}

void PoissonCounts::draw(std::int64_t bin, std::size_t first, std::span<std::uint16_t> counts) {
  const double mean_now = mean(bin);
  if (mean_now != mean_) tabulate(mean_now);
  if (!(mean_ > 0)) return std::fill(counts.begin(), counts.end(), std::uint16_t{0});
  // Blocks of cells keep the work space in the first-level cache.
  constexpr std::size_t kBlock = 1536;
  std::uint16_t numbers[kBlock];
  std::uint16_t halves[kBlock];
  std::uint32_t undecided[kBlock / kVector + 1];
  halves_.resize(kBlock / 2);
  const core::RandomStream random(seed_, core::Purpose::poisson_counts, entity_of(population_, bin));
  for (std::size_t done = 0; done < counts.size(); done += kBlock) {
    const std::size_t n = std::min(kBlock, counts.size() - done);
    const std::size_t vectors = (n + kVector - 1) / kVector;
    const std::size_t cell = first + done;
    core::fill_words(random, cell / 8, std::span(halves_).first(vectors * kVector / 2), isa_);
    split(std::span(halves_).first(vectors * kVector / 2), halves);
    std::uint16_t* out = n == vectors * kVector ? counts.data() + done : numbers;
    auto count = isa_ == core::Isa::baseline ? count_baseline : count_avx2;
#if defined(__x86_64__)
    if (isa_ != core::Isa::baseline && steps_.size() <= kFewSteps)
      count = isa_ == core::Isa::avx512 ? count_few_avx512 : count_few_avx2;
#endif
    const std::size_t open = count(steps_.data(), steps_.size(), halves, out, vectors, undecided);
    for (std::size_t v = 0; v < open; ++v) {
      for (std::size_t i = undecided[v] * kVector; i < (undecided[v] + 1) * kVector; ++i) {
        if (std::binary_search(steps_.begin(), steps_.end(), halves[i])) out[i] = refine(bin, cell + i, halves[i]);
      }
    }
    if (out == numbers) std::copy_n(numbers, n, counts.data() + done);
  }
}

}  // namespace triscale::network

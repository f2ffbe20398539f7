#include "core/random.hpp"

#include <Random123/philox.h>

#include <cassert>
#include <cmath>
#include <numbers>

namespace triscale::core {

namespace {
double open_uniform(std::uint32_t high, std::uint32_t low) {
  const std::uint64_t bits = ((std::uint64_t{high} << 32) | low) >> 11;  // 53 bits
  return (static_cast<double>(bits) + 0.5) * 0x1.0p-53;
}
}  // namespace

RandomStream::RandomStream(std::uint64_t seed, Purpose purpose, std::uint64_t entity) : entity_(entity) {
  // The 64-bit seed and the purpose are mixed into the 64-bit key by one Philox call, so that they cannot cancel.
  r123::Philox4x32 philox;
  const r123::Philox4x32::ctr_type counter = {{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32),
                                               static_cast<std::uint32_t>(purpose), 0x7472696Du}};
  const auto mixed = philox(counter, {{0x7363616Cu, 0x65000001u}});
  key_ = {mixed[0], mixed[1]};
}

std::array<std::uint32_t, 4> RandomStream::words(std::uint64_t k) const {
  r123::Philox4x32 philox;
  const r123::Philox4x32::ctr_type counter = {{static_cast<std::uint32_t>(k), static_cast<std::uint32_t>(k >> 32),
                                               static_cast<std::uint32_t>(entity_),
                                               static_cast<std::uint32_t>(entity_ >> 32)}};
  const auto out = philox(counter, {{key_[0], key_[1]}});
  return {out[0], out[1], out[2], out[3]};
}

double RandomStream::uniform(std::uint64_t k) const {
  const auto w = words(k);
  return open_uniform(w[0], w[1]);
}

double RandomStream::normal(std::uint64_t k) const {
  const auto w = words(k);
  return std::sqrt(-2.0 * std::log(open_uniform(w[0], w[1]))) *
         std::cos(2.0 * std::numbers::pi * open_uniform(w[2], w[3]));
}

std::uint64_t RandomStream::next_below(std::uint64_t n) {
  assert(n >= 1);
  // Rejection keeps the draw exactly uniform.
  const std::uint64_t limit = n * (UINT64_MAX / n);
  for (;;) {
    const auto w = words(position_++);
    const std::uint64_t value = (std::uint64_t{w[0]} << 32) | w[1];
    if (value < limit) return value % n;
  }
}

double RandomStream::next_exponential() {
  return -std::log(next_uniform());
}

std::uint64_t RandomStream::next_poisson(double mean) {
  // A Poisson number of mean m is the sum of independent ones of means that add up to m.
  constexpr double kChunk = 30.0;
  std::uint64_t total = 0;
  while (mean > 0) {
    const double m = mean > kChunk ? kChunk : mean;
    mean -= m;
    const double floor = std::exp(-m);
    double product = next_uniform();
    while (product > floor) {
      ++total;
      product *= next_uniform();
    }
  }
  return total;
}

}  // namespace triscale::core

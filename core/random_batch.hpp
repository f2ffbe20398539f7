/// Random numbers in batches: the numbers of core::RandomStream, many at a time and several side by side.
///
/// Normals come from the Box-Muller transform: u = (w_0 + 1/2) 2^-32, phi from w_1,
///     z = sqrt(-2 ln u) (cos phi, sin phi),
/// so that a counter (four words) gives four of them; |z| is at most 6.8, which is exceeded with probability 1e-11. The
/// logarithm, sine and cosine are polynomials of our own, accurate to 1e-14: the same bits on every machine, whatever
/// its C library.
#pragma once

#include <cstdint>
#include <span>

#include "core/isa.hpp"
#include "core/random.hpp"

namespace triscale::core {

/// words[4 i + j] = stream.words(first + i)[j]; the last counter may be used in part.
void fill_words(const RandomStream& stream, std::uint64_t first, std::span<std::uint32_t> words, Isa isa = best_isa());

/// normals[4 i + j]: normal j of counter first + i.
void fill_normals(const RandomStream& stream, std::uint64_t first, std::span<double> normals, Isa isa = best_isa());

/// uniforms[i] = RandomStream(seed, purpose, entities[i]).uniform(counters[i]).
void fill_uniforms(std::uint64_t seed, Purpose purpose, std::span<const std::uint64_t> entities,
                   std::span<const std::uint64_t> counters, std::span<double> uniforms, Isa isa = best_isa());

}  // namespace triscale::core

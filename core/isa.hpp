/// Instruction sets that inner loops are compiled for. Every loop is written once and gives the same bits on all of
/// them: operations are the same in the same order, and contraction to fused multiply-add is off.
#pragma once

#include <cstdint>

namespace triscale::core {

enum class Isa : std::uint8_t { baseline, avx2, avx512 };

/// The widest one that this machine and this build have.
inline Isa best_isa() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")) return Isa::avx512;
  if (__builtin_cpu_supports("avx2")) return Isa::avx2;
#endif
  return Isa::baseline;
}

}  // namespace triscale::core

// What a loop's body is marked with so that it is compiled into each of its callers, and what the callers are marked
// with.
#define TRISCALE_ALWAYS_INLINE inline __attribute__((always_inline))
#if defined(__x86_64__) && defined(__GNUC__)
#define TRISCALE_AVX2 __attribute__((target("avx2")))
#define TRISCALE_AVX512 __attribute__((target("avx2,avx512f,avx512dq,prefer-vector-width=512")))
#else
#define TRISCALE_AVX2
#define TRISCALE_AVX512
#endif

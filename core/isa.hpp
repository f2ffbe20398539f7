/// Instruction sets that inner loops are compiled for. Every loop is written once and gives the same bits on all of
/// them: operations are the same in the same order, and contraction to fused multiply-add is off.
#pragma once

#include <cstdint>

namespace triscale::core {

enum class Isa : std::uint8_t { baseline, avx2, avx512 };

/// The widest one that this machine and this build have.
inline Isa best_isa() {
#if defined(__x86_64__) && defined(__GNUC__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512vl")) {
    return Isa::avx512;
  }
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
#define TRISCALE_AVX512 __attribute__((target("avx2,avx512f,avx512dq,avx512bw,avx512vl,prefer-vector-width=512")))
#else
#define TRISCALE_AVX2
#define TRISCALE_AVX512
#endif
#define TRISCALE_INLINE_LAMBDA __attribute__((always_inline))

namespace triscale::core {

namespace isa_detail {
template <class Body>
TRISCALE_AVX2 void on_avx2(const Body& body) {
  body();
}
template <class Body>
TRISCALE_AVX512 void on_avx512(const Body& body) {
  body();
}
}  // namespace isa_detail

/// Runs `body`, compiled for one instruction set. It must be a lambda that is marked TRISCALE_INLINE_LAMBDA and holds
/// copies of pointers and numbers (a reference could point anywhere, and its loops would not become vectors).
template <class Body>
void compiled_for(Isa isa, const Body& body) {
  if (isa == Isa::avx512) return isa_detail::on_avx512(body);
  if (isa == Isa::avx2) return isa_detail::on_avx2(body);
  body();
}

}  // namespace triscale::core

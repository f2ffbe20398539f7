// The kernels for any processor, and the choice among the sets.
#include <cstdlib>
#include <string>

#include "core/error.hpp"
#include "detailed/kernels_of.hpp"

namespace triscale::detailed {

const Kernels& baseline_kernels() {
  static constexpr Kernels all = make_kernels();
  return all;
}

const Kernels* fused_kernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return kCompiledFusedKernels;
#endif
  return nullptr;
}

const Kernels* fused512_kernels() {
#if defined(__x86_64__)
  if (fused_kernels() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return kCompiledFused512Kernels;
  }
#endif
  return nullptr;
}

namespace {

const Kernels& chosen() {
  const char* wish = std::getenv("TRISCALE_INSTRUCTIONS");
  const std::string wanted = wish ? wish : "";
  if (wanted == "baseline") return baseline_kernels();
  const Kernels *fused = fused_kernels(), *fused512 = fused512_kernels();
  if (wanted.empty()) return fused512 ? *fused512 : fused ? *fused : baseline_kernels();
  if (wanted != "fused" && wanted != "fused512") {
    throw core::InputError({"", "environment variable TRISCALE_INSTRUCTIONS", wanted,
                            "must be \"baseline\", \"fused\" or \"fused512\"",
                            "leave it unset for what the processor has"});
  }
  const Kernels* set = wanted == "fused" ? fused : fused512;
  if (!set) {
    throw core::InputError({"", "environment variable TRISCALE_INSTRUCTIONS", wanted,
                            wanted == "fused" ? "this processor or build has no fused multiply-add"
                                              : "this processor or build has no 512-bit vectors",
                            "leave it unset for what the processor has"});
  }
  return *set;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& choice = chosen();
  return choice;
}

}  // namespace triscale::detailed

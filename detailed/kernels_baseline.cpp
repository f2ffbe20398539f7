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

namespace {

const Kernels& chosen() {
  const char* wish = std::getenv("TRISCALE_INSTRUCTIONS");
  const std::string wanted = wish ? wish : "";
  const Kernels* fused = fused_kernels();
  if (wanted == "baseline") return baseline_kernels();
  if (wanted == "fused" && !fused) {
    throw core::InputError(
        {"", "environment variable TRISCALE_INSTRUCTIONS", wanted, "this processor has no fused multiply-add", ""});
  }
  if (!wanted.empty() && wanted != "fused") {
    throw core::InputError({"", "environment variable TRISCALE_INSTRUCTIONS", wanted,
                            "must be \"baseline\" or \"fused\"", "leave it unset for what the processor has"});
  }
  return fused ? *fused : baseline_kernels();
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& choice = chosen();
  return choice;
}

}  // namespace triscale::detailed

// The kernels for processors with 256-bit vectors and fused multiply-add. This file alone is compiled for them, so it
// must not make functions that others could be linked to: everything in kernels_of.hpp is inlined or has its
// instruction set in its name.
#include "detailed/kernels.hpp"

#if defined(__AVX2__) && defined(__FMA__)

#include "detailed/kernels_of.hpp"

namespace triscale::detailed {

namespace {
constexpr Kernels kAll = make_kernels();
}
const Kernels* const kCompiledFusedKernels = &kAll;

}  // namespace triscale::detailed

#else

namespace triscale::detailed {

const Kernels* const kCompiledFusedKernels = nullptr;

}  // namespace triscale::detailed

#endif

// The kernels for processors with 512-bit vectors. This file alone is compiled for them: see kernels_fused.cpp.
#include "detailed/kernels.hpp"

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512VL__)

#include "detailed/kernels_of.hpp"

namespace triscale::detailed {

namespace {
constexpr Kernels kAll = make_kernels();
}
const Kernels* const kCompiledFused512Kernels = &kAll;

}  // namespace triscale::detailed

#else

namespace triscale::detailed {

const Kernels* const kCompiledFused512Kernels = nullptr;

}  // namespace triscale::detailed

#endif

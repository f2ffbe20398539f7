/// field_kernels.h5: the spike-to-field kernels of a circuit (network/field_kernels.hpp), beside reduced.json.
///
///   /edge_hash, /seed                      u64: of the edges and the run that they were derived for
///   /<probe>/time        f64 (2)           time of the first sample after the spike, interval; ms
///   /<probe>/channels    f64               what the probe's channels are: a change of electrodes makes kernels useless
///   /<probe>/unexplained_variance f64      per channel, may be absent
///   /<probe>/<index of the population>/kernel      f32 (cells x samples x channels), unit of the probe a spike;
///                        one "cell" where the population has one kernel; attribute `population`: its name
#pragma once

#include <filesystem>

#include "core/error.hpp"
#include "network/circuit.hpp"
#include "network/field_kernels.hpp"

namespace triscale::io {

inline constexpr const char* kFieldKernelsFile = "field_kernels.h5";

void write_field_kernels(const std::filesystem::path& path, const network::Circuit& circuit,
                         const network::CircuitKernels& kernels);

/// Kernels for all field probes of the circuit, in their order. Errors: a probe that is missing or has other channels,
/// populations of other names or sizes, another seed of generated edges.
network::CircuitKernels read_field_kernels(const std::filesystem::path& path, const network::Circuit& circuit,
                                           core::Diagnostics& diagnostics);

}  // namespace triscale::io

/// Spike-to-field kernels: what a field probe sees, on average over the state of the network, when a cell spikes. With
/// them the tiers without currents in space have signals too:
///   point       phi_c(t) = sum over spikes k of  h_{source(k), c}(t - t_k),
///   mean-field  phi_c(t) = sum over populations p of  N_p int h_{p, c}(tau) nu_p(t - tau) d tau,   h_p the mean over
///   p.
/// Plain data; bridges/fields/field_kernels.hpp derives them, bridges/fields/signal_recorder.hpp applies them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace triscale::network {

/// Kernels of the cells of one population for one field probe.
struct SourceKernels {
  std::size_t population = 0;
  /// values[(cell * samples + sample) * channels + channel], in the unit of the probe a spike; one "cell", the mean
  /// over the population, if there is no kernel for each cell.
  std::vector<float> values;
  bool per_cell = false;
  /// Of a shared kernel: int (h_i - h)^2 dt by channel, mean over the cells, after averaging over the intervals in
  /// which signals are compared (1 ms, or the probe's if longer), [unit^2 ms]. Empty if not known.
  std::vector<double> spread{};
};

struct FieldKernels {
  std::string probe;  ///< name of the field probe
  std::size_t channels = 0;
  double dt_ms = 0.1;
  /// Sample k is at (k + first) * dt_ms after the spike; first <= 0, because a cell's own field begins before its
  /// spike.
  std::int64_t first = 0;
  std::size_t samples = 0;
  std::vector<SourceKernels> sources;
  /// What to expect of the kernels, per channel: the share of the signal's variance that linear response and the cells'
  /// own spikes do not explain, by what they miss in a few sampled cells. Empty if not known.
  std::vector<double> unexplained_variance;
};

/// All kernels of a circuit, and what they were derived for.
struct CircuitKernels {
  std::uint64_t edge_hash = 0;  ///< of the edges (run.json: edge_hash)
  std::uint64_t seed = 0;
  std::vector<FieldKernels> probes;
};

}  // namespace triscale::network

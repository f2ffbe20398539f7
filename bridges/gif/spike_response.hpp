/// What a cell's own spike adds to the potentials of its linearised self: upstroke, reset, after-currents.
///
/// The linear cell gives V_lin at every node from the synaptic input (in the frequency domain, exact for the tree). The
/// rest of what the detailed cell does is regressed on its own spikes,
///   V_n(t) - V_lin,n(t) = c_n + sum over spikes k of  r_n(t - t_k) + error,
/// by least squares with r piecewise constant: fine around the spike, coarse behind it. Least squares rather than an
/// average around spikes, because the after-effects of successive spikes overlap.
#pragma once

#include <cstdint>
#include <vector>

#include "bridges/cable/quasi_active.hpp"
#include "bridges/point/cell_sample.hpp"
#include "bridges/point/linear_input.hpp"

namespace triscale::bridges {

/// Spike times of every cell by label, and their rates.
struct SourceTrains {
  std::vector<std::vector<double>> spikes_ms;
  std::vector<double> rates_hz;
};
SourceTrains trains_of(const network::Circuit& circuit, const measure::Activity& activity);

/// Intervals of time after a spike (before it, if negative): [edges[i], edges[i + 1]).
struct LagBasis {
  std::vector<double> edges_ms;
  std::size_t size() const { return edges_ms.size() - 1; }
  double centre_ms(std::size_t i) const { return 0.5 * (edges_ms[i] + edges_ms[i + 1]); }
  /// `step_ms`: width of the finest intervals.
  static LagBasis around_spike(double step_ms);
};

struct SpikeResponse {
  LagBasis basis;
  std::vector<double> V_mV;  ///< [interval][node]; empty if there were too few spikes
  std::size_t spikes = 0;
  bool known() const { return !V_mV.empty(); }
};

/// Deviations of the linear cells' potentials from their mean: [cell][step][node], as in the sample.
std::vector<float> linear_potentials(const CellSample& sample, const QuasiActiveCell& cell, Channels channels,
                                     const LinearInput& input, const SourceTrains& sources);

SpikeResponse fit_spike_response(const CellSample& sample, const std::vector<float>& linear_mV);

/// Adds c and r * spikes to the linear potentials: the whole prediction.
void add_spike_response(const CellSample& sample, const SpikeResponse& response, std::vector<float>& linear_mV);

}  // namespace triscale::bridges

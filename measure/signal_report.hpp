/// Signals of the tiers compared channel by channel, as plain data: bridges/checks/signal_checks.hpp makes it,
/// io/signals_json.hpp writes it, the page draws it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace triscale::measure {

/// One statistic of one channel; channels for which it says nothing are left out.
struct ChannelValue {
  std::size_t channel = 0;
  double finer = 0, coarser = 0;
  std::optional<double> difference_low, difference_high;
};

/// A probe between two neighbouring tiers.
struct SignalComparison {
  std::string probe, finer, coarser;
  std::vector<ChannelValue> amplitude;    ///< standard deviations, unit of the probe
  std::vector<ChannelValue> correlation;  ///< finer: what a copy with its own chance would reach
  std::vector<ChannelValue> spectrum;     ///< coarser: largest difference of power in a band, dB
};

/// How far a signal made by kernels from the detailed tier's own spikes is from the detailed tier's signal, relative to
/// its standard deviation: measured, and as predicted without looking at that signal. Per channel.
struct KernelError {
  std::string probe;
  std::vector<double> cell_measured, cell_predicted;              ///< a kernel for every cell; empty if there are none
  std::vector<double> population_measured, population_predicted;  ///< the mean kernel of each population
  std::vector<double> cell_correlation, population_correlation;   ///< with the detailed tier's signal
  /// Of the point tier's own signal, whose spikes are other ones; empty if it did not run. `spikes`: the difference
  /// that they make, the same kernels under the spikes of the one and of the other tier.
  std::vector<double> point_measured, point_predicted, point_spikes, point_correlation;
};

struct SignalReport {
  std::vector<SignalComparison> comparisons;
  std::vector<KernelError> kernel_errors;
  bool empty() const { return comparisons.empty() && kernel_errors.empty(); }
};

}  // namespace triscale::measure

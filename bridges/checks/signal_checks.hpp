/// Do the signals of neighbouring tiers agree? For every field probe and channel, over blocks of time as all checks
/// (bridges/checks/judge.hpp), in intervals of 1 ms (or the probe's own, if longer):
///
/// signal_amplitude: standard deviation. Tolerance 20 % of the finer tier's: the conductivity of the tissue, by which
/// all potentials scale, is not known better.
///
/// signal_correlation: Pearson's correlation of the two signals. Two tiers that share input and connections, but whose
/// cells fire by their own chance, correlate by the share of variance that is not private to single cells
/// (bridges/fields/kernel_error.hpp); that is `finer_value`, and only falling short of it by more than 0.1 counts. Of a
/// mean field, which has no chance at all, the square root.
///
/// signal_spectrum: the largest difference of power between the two in the bands 4-12, 12-30, 30-80 and 80-200 Hz that
/// hold at least 1 % of the finer tier's power. Tolerance 3 dB, a factor of two: what recordings a day apart differ by.
///
/// One row a probe and statistic: that of the channel which decides (the worst), with the number of channels that agree
/// in its note; measure::SignalReport has all of them. Against a mean field, amplitude and spectrum are those of the
/// part of the finer signal that is not chance, hence omitted where that is little.
#pragma once

#include <string>
#include <vector>

#include "bridges/checks/judge.hpp"
#include "measure/activity.hpp"
#include "measure/signal.hpp"
#include "measure/signal_report.hpp"
#include "network/circuit.hpp"
#include "network/field_kernels.hpp"

namespace triscale::bridges {

/// The signals of one tier.
struct TierSignals {
  std::string tier;
  bool spiking = true;
  const measure::Activity* activity = nullptr;
  std::vector<measure::Signal> probes;  ///< one a field probe
};

struct SignalTolerances {
  double amplitude_relative = 0.2;
  double correlation_shortfall = 0.1;
  double spectrum_dB = 3;
};

/// `tiers` from the finest to the coarsest. Files its checks with the judge; returns every channel's values.
std::vector<measure::SignalComparison> check_signals(Judge& judge, const network::Circuit& circuit,
                                                     const network::CircuitKernels& kernels,
                                                     const std::vector<TierSignals>& tiers,
                                                     const SignalTolerances& tolerances = {});

}  // namespace triscale::bridges

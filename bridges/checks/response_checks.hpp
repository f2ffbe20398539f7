/// Do the levels respond alike to a brief pulse and to a step of their external drive (bridges/checks/stimulus.hpp)?
/// Cycles of the stimulus are the blocks of the bootstrap (for more than forty of them, several cycles are one block);
/// the rate of a population, averaged over cycles, is r(t), its mean before the pulse r_0. For either stimulus, over
/// the time until it has died away or ends,
///
///   *_peak     extreme of r - r_0, in bins of 5 ms smoothed with (1 2 1) / 4, in Hz
///   *_area     integral of r - r_0: further spikes per cell
///   *_latency  time from the onset to half the peak, linear between bins, in ms
///
/// A population that the stimulus makes fire less has a negative peak; the sign of the finer tier's area decides which
/// side is looked at, in both tiers. Chance makes extremes too large and their half too early; the bootstrap's bias
/// correction, 2 x - mean(x*), removes most of it from every value.
#pragma once

#include <string>
#include <vector>

#include "bridges/checks/consistency.hpp"
#include "bridges/checks/stimulus.hpp"
#include "measure/consistency_result.hpp"

namespace triscale::bridges {

/// The difference that still counts as agreement: a share of the finer tier's response, but not less than what is as
/// good as no response.
struct ResponseTolerances {
  /// Like that of the mean rate: the area is a mean rate, less another.
  double area_relative = 0.1;
  /// One further spike in fifty cells.
  double area_spikes = 0.02;
  /// Twice that of the area: a response of the same size that is spread over a few more milliseconds has a lower peak.
  double peak_relative = 0.2;
  double peak_hz = 1.0;
  /// Half a membrane time constant of a cell under bombardment (about 10 ms).
  double latency_ms = 5;
};

/// r(t) of one tier's population.
struct MeanResponse {
  std::string tier, population;
  std::vector<double> rates_hz;  ///< mean over cycles, one value a bin of kResponseBin_ms
};
inline constexpr double kResponseBin_ms = 5;
std::vector<MeanResponse> mean_responses(const Run& run, const StimulusPlan& plan, const ConsistencyOptions& options);

/// `run`: what the tiers did under the stimulus, from the finest to the coarsest.
measure::Consistency check_responses(const Run& run, const StimulusPlan& plan, const ConsistencyOptions& options,
                                     const ResponseTolerances& tolerances = {});

}  // namespace triscale::bridges

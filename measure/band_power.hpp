/// Power of a population's rate in bands of frequency, block by block, so that every bootstrap replicate's follows. A
/// block gives one periodogram with a Hann window (measure::power_spectrum); the mean over blocks is Welch's estimate
/// without overlap.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "measure/activity.hpp"
#include "measure/bootstrap.hpp"

namespace triscale::measure {

/// low <= f < high.
struct Band {
  double low_hz = 0, high_hz = 0;
};

class BandPower {
 public:
  /// Over all runs; rates are taken in bins of `bin_ms`.
  BandPower(std::span<const PopulationActivity* const> runs, Activity::Kind kind, const BlockGrid& grid,
            std::vector<Band> bands, double bin_ms);

  /// Mean power density in a band, Hz^2 / Hz, one-sided; 0 if no frequency falls into it.
  double of(std::size_t band, std::span<const double> multiplicity) const;

 private:
  std::vector<Band> bands_;
  std::size_t blocks_;
  std::vector<double> power_;  ///< [band][block]
};

}  // namespace triscale::measure

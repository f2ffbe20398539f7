#include "measure/band_power.hpp"

#include <numeric>
#include <utility>

#include "measure/spike_statistics.hpp"

namespace triscale::measure {

namespace {

double mean_in(const Spectrum& spectrum, const Band& band) {
  double sum = 0, count = 0;
  for (std::size_t f = 1; f < spectrum.power.size(); ++f) {  // 0 is the mean, which is no fluctuation
    if (spectrum.frequency_hz[f] < band.low_hz || spectrum.frequency_hz[f] >= band.high_hz) continue;
    sum += spectrum.power[f];
    count += 1;
  }
  return count > 0 ? sum / count : 0.0;
}

}  // namespace

BandPower::BandPower(std::span<const PopulationActivity* const> runs, Activity::Kind kind, const BlockGrid& grid,
                     std::vector<Band> bands, double bin_ms)
    : bands_(std::move(bands)), blocks_(grid.blocks * runs.size()), power_(bands_.size() * blocks_, 0.0) {
  const auto bins = static_cast<std::size_t>(grid.block_ms / bin_ms + 1e-9);
  for (std::size_t run = 0; run < runs.size(); ++run) {
    const std::vector<double> rates_hz = rate_time_course_hz(*runs[run], kind, grid.window(), bin_ms);
    for (std::size_t block = 0; block < grid.blocks; ++block) {
      const auto begin = static_cast<std::size_t>(static_cast<double>(block) * grid.block_ms / bin_ms + 1e-9);
      if (begin + bins > rates_hz.size()) break;
      const Spectrum spectrum = power_spectrum(std::span(rates_hz).subspan(begin, bins), bin_ms, bins);
      for (std::size_t band = 0; band < bands_.size(); ++band) {
        power_[band * blocks_ + run * grid.blocks + block] = mean_in(spectrum, bands_[band]);
      }
    }
  }
}

double BandPower::of(std::size_t band, std::span<const double> multiplicity) const {
  const double* power = power_.data() + band * blocks_;
  return std::inner_product(multiplicity.begin(), multiplicity.end(), power, 0.0) / static_cast<double>(blocks_);
}

}  // namespace triscale::measure

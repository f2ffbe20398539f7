#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "bridges/checks/population_checks.hpp"
#include "measure/band_power.hpp"

namespace triscale::bridges {

namespace {

using measure::BandPower;
using measure::ConsistencyCheck;

struct NamedBand {
  const char* statistic;
  measure::Band band;
};
/// Below 15 Hz, where cortex alternates with its input and its adaptation; beta and low gamma; high gamma and above,
/// where loops through inhibition with delays of milliseconds resonate.
constexpr std::array kBands{NamedBand{"power_below_15_hz", {0, 15}}, NamedBand{"power_15_to_40_hz", {15, 40}},
                            NamedBand{"power_40_to_150_hz", {40, 150}}};
constexpr double kBin_ms = 2;

double decibel(double power) {
  return 10 * std::log10(power);
}

/// Mean of what finite populations would add in a band, over all runs; from the lowest frequency that blocks of this
/// length show.
double noise_in(const TierPopulation& tier, const measure::Band& band, double block_ms) {
  double sum = 0, count = 0;
  for (const measure::PopulationActivity* run : tier.runs) {
    for (std::size_t f = 0; f < run->noise.frequencies_hz.size(); ++f) {
      const double at_hz = run->noise.frequencies_hz[f];
      if (at_hz < std::max(band.low_hz, 1000 / block_ms) || at_hz >= band.high_hz) continue;
      sum += run->noise.power[f];
      count += 1;
    }
  }
  return count > 0 ? sum / count : 0.0;
}

std::vector<measure::Band> bands() {
  std::vector<measure::Band> all;
  for (const NamedBand& named : kBands) all.push_back(named.band);
  return all;
}

std::string note_on(const TierPopulation& tier) {
  const measure::FiniteSizeNoise& noise = tier.runs.front()->noise;
  if (noise.frequencies_hz.empty()) return "";
  if (noise.independent)
    return "; with the mean field goes the power of independent spikes, which the network may damp";
  return "; with the mean field goes the noise of its cells' spikes, filtered by the network";
}

}  // namespace

void check_power(Judge& judge, const TierPair& pair) {
  const BandPower finer(pair.finer_tier.runs, pair.finer_tier.kind, judge.grid(), bands(), kBin_ms);
  const BandPower coarser(pair.coarser_tier.runs, pair.coarser_tier.kind, judge.grid(), bands(), kBin_ms);
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    // A mean-field's rate is what infinitely many cells would do.
    const auto of = [&](const BandPower& power, const TierPopulation& tier, Multiplicity m) {
      return decibel(power.of(band, m) + noise_in(tier, kBands[band].band, judge.grid().block_ms));
    };
    const char* name = kBands[band].statistic;
    const double finer_db = of(finer, pair.finer_tier, judge.original()),
                 coarser_db = of(coarser, pair.coarser_tier, judge.original());
    if (!std::isfinite(finer_db) || !std::isfinite(coarser_db)) {
      judge.omit(pair.subject, name, "one of the two tiers does not fire");
      continue;
    }
    ConsistencyCheck check = judge.begin_check(pair.subject, name, judge.options().tolerances.power_db);
    check.finer_value = finer_db;
    check.coarser_value = coarser_db;
    check.difference = coarser_db - finer_db;
    check.note = "dB re 1 Hz^2/Hz";
    check.note += note_on(pair.coarser_tier);
    judge.decide(std::move(check), judge.interval_of(judge.replicates_of([&](Multiplicity m) -> std::optional<double> {
      const double difference = of(coarser, pair.coarser_tier, m) - of(finer, pair.finer_tier, m);
      return std::isfinite(difference) ? std::optional(difference) : std::nullopt;
    })));
  }
}

}  // namespace triscale::bridges

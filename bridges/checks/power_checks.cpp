#include <fmt/format.h>

#include <array>
#include <cmath>

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

std::vector<measure::Band> bands() {
  std::vector<measure::Band> all;
  for (const NamedBand& named : kBands) all.push_back(named.band);
  return all;
}

}  // namespace

void check_power(Judge& judge, const TierPair& pair) {
  const BandPower finer(pair.finer_tier.runs, pair.finer_tier.kind, judge.grid(), bands(), kBin_ms);
  const BandPower coarser(pair.coarser_tier.runs, pair.coarser_tier.kind, judge.grid(), bands(), kBin_ms);
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    // A mean-field's rate is what infinitely many cells would do; the spikes of this many add 2 rate / cells,
    // one-sided.
    const auto of = [&](const BandPower& power, const measure::BlockedPopulation& population, Multiplicity m) {
      const double chance =
          population.spiking() ? 0.0 : 2 * population.mean_rate_hz(m) / static_cast<double>(population.cells());
      return decibel(power.of(band, m) + chance);
    };
    const char* name = kBands[band].statistic;
    const double finer_db = of(finer, pair.finer, judge.original()),
                 coarser_db = of(coarser, pair.coarser, judge.original());
    if (!std::isfinite(finer_db) || !std::isfinite(coarser_db)) {
      judge.omit(pair.subject, name, "one of the two tiers does not fire");
      continue;
    }
    ConsistencyCheck check = judge.begin_check(pair.subject, name, judge.options().tolerances.power_db);
    check.finer_value = finer_db;
    check.coarser_value = coarser_db;
    check.difference = coarser_db - finer_db;
    check.note = "dB re 1 Hz^2/Hz";
    if (!pair.coarser.spiking())
      check.note += "; with the mean-field goes the power of independent spikes, which the network itself may damp";
    judge.decide(std::move(check), judge.interval_of(judge.replicates_of([&](Multiplicity m) -> std::optional<double> {
      const double difference = of(coarser, pair.coarser, m) - of(finer, pair.finer, m);
      return std::isfinite(difference) ? std::optional(difference) : std::nullopt;
    })));
  }
}

}  // namespace triscale::bridges

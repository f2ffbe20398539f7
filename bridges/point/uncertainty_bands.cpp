#include "bridges/point/uncertainty_bands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "bridges/point/operating_point.hpp"

namespace triscale::bridges {

std::vector<RateBand> point_rate_bands(const network::Circuit& circuit, const PointDraws& draws,
                                       const BandOptions& options, std::size_t threads, core::Progress& progress) {
  std::size_t sets = 0;
  for (const auto& [type, models] : draws) sets = std::max(sets, models.size());
  core::NoProgress silent;
  std::vector<std::vector<double>> rates_hz;  // [set][population]
  for (std::size_t k = 0; k < sets; ++k) {
    progress.advance(static_cast<double>(k), static_cast<double>(sets));
    network::Circuit drawn = circuit;
    for (const auto& [type, models] : draws) {
      if (!models.empty()) drawn.cell_types[type].point = network::PointCell{models[k % models.size()]};
    }
    rates_hz.push_back(point_rates(drawn, options.duration_ms, options.settle_ms, threads, silent));
  }
  std::vector<RateBand> bands;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    const auto entry = draws.find(population.cell_type);
    if (population.is_virtual || population.size == 0 || entry == draws.end() || entry->second.empty()) continue;
    RateBand band{p, rates_hz[0][p], rates_hz[0][p], 0, 0, sets};
    const auto n = static_cast<double>(sets);
    double squares = 0;
    for (const std::vector<double>& rates : rates_hz) {
      band.low_hz = std::min(band.low_hz, rates[p]);
      band.high_hz = std::max(band.high_hz, rates[p]);
      band.mean_hz += rates[p] / n;
    }
    for (const std::vector<double>& rates : rates_hz) squares += std::pow(rates[p] - band.mean_hz, 2);
    band.sd_hz = sets > 1 ? std::sqrt(squares / (n - 1)) : 0;
    bands.push_back(band);
  }
  return bands;
}

namespace {

/// A standard deviation of a population's rate, from the provenance of its cells in that tier.
std::optional<double> rate_sd_hz(const network::Circuit& circuit, const network::Derivation& derivation,
                                 const std::string& tier, const std::string& name, const std::string& kind) {
  if (tier != "point" && tier != "meanfield") return std::nullopt;
  const auto& cells = tier == "point" ? derivation.point_cells : derivation.meanfield_cells;
  const auto population = std::find_if(circuit.populations.begin(), circuit.populations.end(),
                                       [&](const auto& p) { return p.name == name; });
  if (population == circuit.populations.end() || population->is_virtual) return std::nullopt;
  const auto type = cells.find(circuit.cell_types[population->cell_type].name);
  if (type == cells.end()) return std::nullopt;
  const auto sd_hz = type->second.uncertainty.find(kind + name + "_hz");
  return sd_hz == type->second.uncertainty.end() ? std::nullopt : std::optional<double>(sd_hz->second);
}

void remark(measure::ConsistencyCheck& check, const std::string& text) {
  check.note += (check.note.empty() ? "" : "; ") + text;
}

}  // namespace

std::optional<double> rate_parameter_sd_hz(const network::Circuit& circuit, const network::Derivation& derivation,
                                           const std::string& tier, const std::string& population) {
  return rate_sd_hz(circuit, derivation, tier, population, "network_rate_");
}

void add_bands(const network::Circuit& circuit, const network::Derivation& derivation, measure::Consistency& result) {
  for (measure::TierSummary& tier : result.tiers) {
    tier.rate_parameter_sd_hz = rate_parameter_sd_hz(circuit, derivation, tier.tier, tier.population);
    tier.rate_variant_sd_hz = rate_sd_hz(circuit, derivation, tier.tier, tier.population, "variants_network_rate_");
    for (measure::ConsistencyCheck& check : result.checks) {
      if (check.statistic != "mean_rate" || check.population != tier.population || check.coarser != tier.tier) continue;
      if (tier.rate_parameter_sd_hz) {
        remark(check, fmt::format("the derived parameters are known to {:.2g} Hz of it", *tier.rate_parameter_sd_hz));
      }
      if (tier.rate_variant_sd_hz) {
        remark(check, fmt::format("sets of detailed parameters spread it by {:.2g} Hz", *tier.rate_variant_sd_hz));
      }
    }
  }
}

}  // namespace triscale::bridges

#include "bridges/point/variants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "bridges/gif/gif_fit.hpp"
#include "bridges/point/operating_point.hpp"

namespace triscale::bridges {

namespace {

std::string region_name(std::size_t kind) {
  return " " + std::string(network::to_string(static_cast<network::SectionKind>(kind)));
}

/// All numbers of a detailed description, by name; those of regions without sections do nothing and are left out.
std::map<std::string, double> parameters_of(const network::DetailedCell& cell) {
  std::map<std::string, double> out;
  std::array<bool, network::kSectionKinds> present{};
  for (const network::Section& section : cell.morphology->sections)
    present[static_cast<std::size_t>(section.kind)] = true;
  for (std::size_t k = 0; k < network::kSectionKinds; ++k) {
    if (!present[k]) continue;
    const network::RegionProperties& r = cell.regions[k];
    const std::string at = region_name(k);
    out["Ra_Ohm_cm" + at] = r.Ra_Ohm_cm;
    out["C_m_uF_cm2" + at] = r.C_m_uF_cm2;
    out["g_pas_S_cm2" + at] = r.g_pas_S_cm2;
    out["e_pas_mV" + at] = r.e_pas_mV;
  }
  for (const network::MechanismPlacement& mechanism : cell.mechanisms) {
    const std::string at = region_name(static_cast<std::size_t>(mechanism.region));
    for (const auto& [parameter, value] : mechanism.parameters) {
      out[mechanism.mechanism + "." + parameter + at] = value;
    }
  }
  out["sections"] = static_cast<double>(cell.morphology->sections.size());
  return out;
}

double sd_of(const std::vector<double>& x) {
  double mean = 0, squares = 0;
  for (const double value : x) mean += value / static_cast<double>(x.size());
  for (const double value : x) squares += (value - mean) * (value - mean);
  return x.size() > 1 ? std::sqrt(squares / static_cast<double>(x.size() - 1)) : 0;
}

/// Coefficient of variation of each parameter of a cell type that differs between variants; missing ones count as 0.
std::map<std::string, double> detailed_spread(const std::vector<network::Circuit>& derived, std::size_t type) {
  std::map<std::string, std::vector<double>> values;
  for (std::size_t v = 0; v < derived.size(); ++v) {
    if (!derived[v].cell_types[type].detailed) continue;
    for (const auto& [name, value] : parameters_of(*derived[v].cell_types[type].detailed)) {
      values.try_emplace(name, derived.size(), 0.0).first->second[v] = value;
    }
  }
  std::map<std::string, double> out;
  for (const auto& [name, x] : values) {
    const double sd = sd_of(x);
    double size = 0;
    for (const double value : x) size += std::abs(value) / static_cast<double>(x.size());
    if (sd > 0) out[name] = sd / size;
  }
  return out;
}

/// Names of the parameters that all models have: terms are chosen for each of them, at potentials of its own.
std::set<std::string> common_parameters(const std::vector<network::GifModel>& models) {
  std::map<std::string, std::size_t> count;
  for (const network::GifModel& model : models) {
    for (const auto& [name, sd] : spread_of(std::vector<network::GifModel>{model, model})) ++count[name];
  }
  std::set<std::string> common;
  for (const auto& [name, n] : count) {
    if (n == models.size()) common.insert(name);
  }
  return common;
}

std::string listed(const std::map<std::string, double>& spread) {
  constexpr std::size_t kMost = 12;
  std::vector<std::pair<std::string, double>> sorted(spread.begin(), spread.end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (std::size_t k = 0; k < std::min(kMost, sorted.size()); ++k) {
    text += fmt::format("{}{} {:.0f} %", k == 0 ? "" : ", ", sorted[k].first, 100 * sorted[k].second);
  }
  if (sorted.size() > kMost) text += fmt::format(" and {} more", sorted.size() - kMost);
  return text;
}

}  // namespace

std::vector<core::Problem> no_variant(const network::Circuit& circuit, const network::Circuit& other) {
  std::vector<core::Problem> problems;
  const auto differ = [&](const std::string& place, const std::string& value, const std::string& rule) {
    problems.push_back({"", place, value, rule,
                        "a variant may differ in the detailed descriptions of its cell types, and in nothing else"});
  };
  if (circuit.cell_types.size() != other.cell_types.size()) {
    differ("cell_types", std::to_string(other.cell_types.size()),
           fmt::format("must be the {} of the first circuit", circuit.cell_types.size()));
  }
  for (std::size_t t = 0; t < std::min(circuit.cell_types.size(), other.cell_types.size()); ++t) {
    const network::CellType &a = circuit.cell_types[t], &b = other.cell_types[t];
    if (a.name != b.name) differ("cell_types", b.name, "must be named " + a.name + ", as in the first circuit");
    if (a.detailed.has_value() != b.detailed.has_value()) {
      differ("cell_types." + b.name, "", "must have a detailed description in both circuits or in none");
    }
  }
  if (circuit.populations.size() != other.populations.size()) {
    differ("populations", std::to_string(other.populations.size()),
           fmt::format("must be the {} of the first circuit", circuit.populations.size()));
  }
  for (std::size_t p = 0; p < std::min(circuit.populations.size(), other.populations.size()); ++p) {
    const network::Population &a = circuit.populations[p], &b = other.populations[p];
    if (a.name == b.name && a.size == b.size && a.cell_type == b.cell_type) continue;
    differ("populations." + b.name, fmt::format("{} cells", b.size),
           fmt::format("must be {} of {} cells, as in the first circuit", a.name, a.size));
  }
  if (circuit.projections.size() != other.projections.size()) {
    differ("projections", std::to_string(other.projections.size()),
           fmt::format("must be the {} of the first circuit", circuit.projections.size()));
  }
  for (std::size_t k = 0; k < std::min(circuit.projections.size(), other.projections.size()); ++k) {
    const network::Projection &a = circuit.projections[k], &b = other.projections[k];
    if (a.source != b.source || a.target != b.target || a.synapse_type != b.synapse_type) {
      differ("projections." + b.name, "", "must connect what it connects in the first circuit");
    }
  }
  return problems;
}

void note_variants(const std::vector<network::Circuit>& derived, std::size_t threads, network::Derivation& derivation,
                   core::Progress& progress) {
  constexpr double kDuration_ms = 3000, kSettle_ms = 300;
  const network::Circuit& first = derived.front();
  std::vector<std::vector<double>> rates_hz(first.populations.size());  // [population][variant]
  core::NoProgress silent;
  for (std::size_t v = 0; v < derived.size(); ++v) {
    progress.advance(static_cast<double>(v), static_cast<double>(derived.size()));
    const std::vector<double> rates = point_rates(derived[v], kDuration_ms, kSettle_ms, threads, silent);
    for (std::size_t p = 0; p < rates_hz.size(); ++p) rates_hz[p].push_back(rates[p]);
  }
  progress.advance(1, 1);
  std::string rates_text;
  std::map<std::string, double> rate_spread;
  for (std::size_t p = 0; p < rates_hz.size(); ++p) {
    if (first.populations[p].is_virtual) continue;
    rates_text += (rates_text.empty() ? "" : "; ") + first.populations[p].name;
    for (const double rate_hz : rates_hz[p]) rates_text += fmt::format(" {:.3g}", rate_hz);
    rate_spread["variants_network_rate_" + first.populations[p].name + "_hz"] = sd_of(rates_hz[p]);
  }
  for (std::size_t t = 0; t < first.cell_types.size(); ++t) {
    const auto entry = derivation.point_cells.find(first.cell_types[t].name);
    const std::map<std::string, double> spread = detailed_spread(derived, t);
    if (entry == derivation.point_cells.end() || spread.empty()) continue;
    network::Provenance& p = entry->second;
    std::vector<network::GifModel> models;
    for (const network::Circuit& variant : derived) {
      const auto* model = std::get_if<network::GifModel>(&variant.cell_types[t].point->model);
      if (model != nullptr) models.push_back(*model);
    }
    const std::set<std::string> common = common_parameters(models);
    for (const auto& [name, sd] : spread_of(models)) {
      if (common.contains(name)) p.uncertainty["variants_" + name] = sd;
    }
    p.uncertainty.insert(rate_spread.begin(), rate_spread.end());
    p.notes.push_back(fmt::format("{} sets of detailed parameters differ in (standard deviation over mean): {}",
                                  derived.size(), listed(spread)));
    p.notes.push_back("rates of the point networks derived from them (Hz, in their order): " + rates_text);
  }
}

}  // namespace triscale::bridges

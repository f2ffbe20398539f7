#include "bridges/point/variants.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <regex>

#include "bridges/point/uncertainty_bands.hpp"

namespace triscale::bridges {
namespace {

/// 20 cells under 20 Poisson sources each, with a detailed description that nobody runs here.
network::Circuit circuit_of(double g_Na, double V_threshold_mV) {
  network::Circuit c;
  c.run.duration_ms = 3000;
  c.run.dt_ms = 0.1;
  network::Morphology m;
  m.sections.push_back({network::SectionKind::soma, -1, 1, {{-8, 0, 0, 16}, {8, 0, 0, 16}}, {}});
  network::CellType type;
  type.name = "cell";
  type.detailed.emplace();
  type.detailed->morphology = std::make_shared<network::Morphology>(m);
  type.detailed->mechanisms = {{"NaTs", network::SectionKind::soma, {{"gbar", g_Na}}}};
  network::GifModel gif;
  gif.V_threshold_mV = V_threshold_mV;
  type.point = network::PointCell{gif};
  c.cell_types = {type};
  network::SynapseType synapse;
  synapse.name = "excitation";
  synapse.point = network::PointSynapse{{{0.5, 3, 0}}, {}};
  c.synapse_types = {synapse};
  network::Population cells, external;
  cells.name = "cells";
  cells.size = 20;
  external.name = "external";
  external.size = 100;
  external.is_virtual = true;
  external.source = network::PoissonTrains{{0.0}, {40.0}};
  c.populations = {cells, external};
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
  rule.number = 20;
  rule.weight = {network::Distribution::Kind::constant, 0.002};
  rule.delay_ms = {network::Distribution::Kind::constant, 1.0};
  network::Projection projection;
  projection.name = "external->cells";
  projection.source = 1;
  projection.connectivity = rule;
  c.projections = {projection};
  return c;
}

TEST(Variants, TellNoSpreadOfATermThatOnlySomeOfThemHave) {
  std::vector<network::Circuit> derived = {circuit_of(1, -60), circuit_of(1.5, -61), circuit_of(2, -62)};
  for (std::size_t v = 0; v < derived.size(); ++v) {
    auto& model = std::get<network::GifModel>(derived[v].cell_types[0].point->model);
    model.eta_nA = {{0.01 * static_cast<double>(v), 150.0}};
    if (v > 0) model.eta_nA.push_back({0.01 * static_cast<double>(v), 20.0});
  }
  network::Derivation derivation;
  derivation.point_cells["cell"];
  core::NoProgress progress;
  note_variants(derived, 1, derivation, progress);
  const auto& uncertainty = derivation.point_cells.at("cell").uncertainty;
  EXPECT_NEAR(uncertainty.at("variants_eta_150ms_nA"), 0.01, 1e-12);
  EXPECT_FALSE(uncertainty.contains("variants_eta_20ms_nA"));
}

TEST(Variants, ShowTheSpreadOfTheRatesBesideThatOfTheParameters) {
  const std::vector<network::Circuit> derived = {circuit_of(1, -60), circuit_of(1.5, -61), circuit_of(2, -62)};
  network::Derivation derivation;
  derivation.point_cells["cell"];
  core::NoProgress progress;
  note_variants(derived, 1, derivation, progress);
  const network::Provenance& p = derivation.point_cells.at("cell");
  EXPECT_NEAR(p.uncertainty.at("variants_V_threshold_mV"), 1, 1e-9);
  EXPECT_NEAR(p.uncertainty.at("variants_C_m_nF"), 0, 1e-12);
  EXPECT_GT(p.uncertainty.at("variants_network_rate_cells_hz"), 0.1);
  ASSERT_EQ(p.notes.size(), 2u);
  EXPECT_NE(p.notes[0].find("NaTs.gbar soma 33 %"), std::string::npos) << p.notes[0];
  EXPECT_EQ(p.notes[0].find("g_pas"), std::string::npos) << "does not differ: " << p.notes[0];
  EXPECT_TRUE(std::regex_search(p.notes[1], std::regex("cells [0-9.]+ [0-9.]+ [0-9.]+$"))) << p.notes[1];
}

TEST(Variants, OfTheSameParametersAddNothing) {
  network::Derivation derivation;
  derivation.point_cells["cell"];
  core::NoProgress progress;
  note_variants({circuit_of(1, -60), circuit_of(1, -60)}, 1, derivation, progress);
  EXPECT_TRUE(derivation.point_cells.at("cell").uncertainty.empty());
}

TEST(Variants, MayDifferInDetailedDescriptionsOnly) {
  const network::Circuit first = circuit_of(1, -60);
  EXPECT_TRUE(no_variant(first, circuit_of(2, -60)).empty());
  network::Circuit other = first;
  other.populations[0].size = 21;
  other.cell_types[0].name = "else";
  other.projections[0].source = 0;
  EXPECT_EQ(no_variant(first, other).size(), 3u);
  other = first;
  other.cell_types[0].detailed.reset();
  other.populations.pop_back();
  other.projections.clear();
  EXPECT_EQ(no_variant(first, other).size(), 3u);
}

TEST(Bands, StandBesideTheRatesOfTheirTierAndInTheRemarksOfTheirChecks) {
  const network::Circuit circuit = circuit_of(1, -60);
  network::Derivation derivation;
  derivation.point_cells["cell"].uncertainty = {{"network_rate_cells_hz", 0.5}, {"variants_network_rate_cells_hz", 2}};
  measure::Consistency result;
  result.tiers.resize(3);
  const char* tiers[] = {"detailed", "point", "meanfield"};
  for (std::size_t t = 0; t < 3; ++t) {
    result.tiers[t].tier = tiers[t];
    result.tiers[t].population = "cells";
  }
  result.checks.resize(2);
  for (measure::ConsistencyCheck& check : result.checks) {
    check.population = "cells";
    check.finer = "detailed";
    check.coarser = "point";
  }
  result.checks[0].statistic = "mean_rate";
  result.checks[1].statistic = "cv_isi";
  add_bands(circuit, derivation, result);
  EXPECT_FALSE(result.tiers[0].rate_parameter_sd_hz);
  EXPECT_EQ(result.tiers[1].rate_parameter_sd_hz, 0.5);
  EXPECT_EQ(result.tiers[1].rate_variant_sd_hz, 2);
  EXPECT_FALSE(result.tiers[2].rate_parameter_sd_hz);
  EXPECT_EQ(rate_parameter_sd_hz(circuit, derivation, "point", "cells"), 0.5);
  EXPECT_FALSE(rate_parameter_sd_hz(circuit, derivation, "point", "no such cells"));
  EXPECT_NE(result.checks[0].note.find("0.5 Hz"), std::string::npos) << result.checks[0].note;
  EXPECT_TRUE(result.checks[1].note.empty());
}

}  // namespace
}  // namespace triscale::bridges

#include "bridges/point/receptor_reduction.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "bridges/cable/quasi_active.hpp"
#include "bridges/point/derive_point.hpp"
#include "bridges/point/point_membrane.hpp"
#include "detailed/simulate.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale::bridges {
namespace {

network::DetailedCell passive_cell(std::size_t dendrites, double length_um) {
  network::RegionProperties region;
  region.Ra_Ohm_cm = 150;
  region.C_m_uF_cm2 = 1;
  region.g_pas_S_cm2 = 1.0 / 15000;
  region.e_pas_mV = -75;
  region.E_Na_mV = 53;
  region.E_K_mV = -90;
  network::Morphology m;
  m.sections.push_back({network::SectionKind::soma, -1, 1, {{-9, 0, 0, 18}, {9, 0, 0, 18}}, {}});
  for (std::size_t d = 0; d < dendrites; ++d) {
    m.sections.push_back({network::SectionKind::basal, 0, 1, {{9, 0, 0, 1.6}, {9 + length_um, 0, 0, 0.8}}, {}});
  }
  network::DetailedCell cell;
  cell.morphology = std::make_shared<network::Morphology>(m);
  cell.regions.fill(region);
  return cell;
}

/// 16 cells that hear 60 of 200 Poisson sources through synapses of AMPA and NMDA receptors.
network::Circuit circuit_of(const network::DetailedCell& cell, double nmda_factor, double Mg_mM,
                            network::SectionKind where, double weight_uS = 0.0006) {
  network::Circuit c;
  c.run.duration_ms = 3000;
  c.run.dt_ms = 0.1;
  c.run.V_init_mV = -75;
  c.cell_types.resize(1);
  c.cell_types[0].name = "cell";
  c.cell_types[0].detailed = cell;
  network::SynapseType type;
  type.name = "excitation";
  type.detailed = network::ReceptorSynapse{{{{0.2, 1.7, 0}, 1, 0}, {{2, 65, 0}, nmda_factor, Mg_mM}}};
  c.synapse_types = {type};
  network::Population cells, external;
  cells.name = "cells";
  cells.size = 16;
  external.name = "external";
  external.size = 200;
  external.is_virtual = true;
  external.source = network::PoissonTrains{{0.0}, {6.0}};
  c.populations = {cells, external};
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
  rule.number = 60;
  rule.weight = {network::Distribution::Kind::constant, weight_uS};
  rule.delay_ms = {network::Distribution::Kind::constant, 1.0};
  network::Projection projection;
  projection.name = "external->cells";
  projection.source = 1;
  projection.target = 0;
  projection.connectivity = rule;
  projection.placement.kinds = {where};
  c.projections = {projection};
  return c;
}

ReceptorReduction reduce(const network::Circuit& c) {
  const QuasiActiveCell rest(*c.cell_types[0].detailed, c.run);
  const ImpedanceSpectrum spectrum = impedance_spectrum(rest, Channels::linearised);
  return reduce_receptors(
      c, 0, {c.cell_types[0], rest.tree(), spectrum, fit_membrane(spectrum, rest.V_soma_mV()), rest.V_soma_mV()});
}

TEST(ReduceReceptors, OnTheSomaNeedNoLocalDepolarisation) {
  const ReceptorReduction r = reduce(circuit_of(passive_cell(1, 30), 1, 1, network::SectionKind::soma));
  ASSERT_GT(r.volleys, 10u);
  EXPECT_NEAR(r.delta_mV, 0, 0.3);
  EXPECT_NEAR(r.factor, 1, 0.02);
  EXPECT_LT(r.error_effective, 0.01);
  EXPECT_GT(r.error_frozen, 0.3) << "the block opens with the potential";
  EXPECT_FALSE(r.frozen);
}

TEST(ReduceReceptors, OnLongDendritesNeedMoreThanTheBlockOfTheSomasPotential) {
  const ReceptorReduction r = reduce(circuit_of(passive_cell(6, 350), 1, 1, network::SectionKind::basal, 0.002));
  ASSERT_GT(r.volleys, 10u);

  EXPECT_LT(r.error_effective, 0.7 * r.error_somatic) << r.error_somatic;
  EXPECT_LT(r.error_effective, ReceptorReduction::kBad);
  EXPECT_GT(r.error_frozen, 2 * r.error_effective);
  EXPECT_FALSE(r.frozen);
  // The fitted synapse is what the figures are of.
  EXPECT_NEAR(r.synapse.receptors[1].Mg_mM, std::exp(-0.062 * r.delta_mV), 1e-9);
  EXPECT_EQ(r.synapse.receptors[0].Mg_mM, 0);
}

TEST(ReduceReceptors, AreTakenAsLinearWhereThatIsEnough) {
  // Hardly any NMDA receptors: freezing their block at rest changes nothing.
  const ReceptorReduction r = reduce(circuit_of(passive_cell(1, 30), 0.002, 1, network::SectionKind::soma));
  EXPECT_LT(r.error_frozen, ReceptorReduction::kGood);
  EXPECT_TRUE(r.frozen);
  EXPECT_EQ(r.synapse.receptors[1].Mg_mM, 0);
  network::Provenance p;
  describe(r, p);
  EXPECT_NE(p.method.find("frozen"), std::string::npos) << p.method;
}

TEST(ReduceReceptors, WithoutABlockKeepTheirShares) {
  network::Circuit c = circuit_of(passive_cell(1, 30), 0.3, 0, network::SectionKind::soma);
  const ReceptorReduction r = reduce(c);
  EXPECT_FALSE(r.blocked);
  ASSERT_EQ(r.synapse.receptors.size(), 2u);
  EXPECT_NEAR(r.synapse.receptors[1].weight_factor, 0.3, 0.01);
  EXPECT_NEAR(r.synapse.receptors[1].kinetics.tau_decay_ms, 65, 1);
}

class SpikeCount : public core::NullRecorder {
 public:
  void record_spikes(std::size_t population, double, std::span<const std::uint32_t> cells) override {
    if (population == 0) count += static_cast<double>(cells.size());
  }
  double count = 0;
};

TEST(DerivePoint, CarriesNmdaSynapsesSoThatThePointNetworkFiresAsTheDetailedOne) {
  network::DetailedCell cell = passive_cell(4, 300);
  cell.mechanisms = {{"NaTs", network::SectionKind::soma, {{"gbar", 1.0}}},
                     {"Kv3_1", network::SectionKind::soma, {{"gbar", 0.6}}},
                     {"Im", network::SectionKind::soma, {{"gbar", 0.001}}}};
  network::Circuit c = circuit_of(cell, 2, 1, network::SectionKind::basal);
  std::get<network::PoissonTrains>(c.populations[1].source).rates_hz = {8};
  ASSERT_TRUE(missing_for_point(c).empty());
  PointDerivationOptions options;
  options.level_ms = 500;
  options.draws = 2;
  network::Derivation derivation;
  core::NoProgress progress;
  const network::Circuit derived = derive_point(c, options, 2, derivation, progress);
  SpikeCount detailed_spikes, point_spikes;
  detailed::simulate(derived, 1, detailed_spikes, progress);
  pointneuron::simulate(derived, 1, point_spikes, progress);
  ASSERT_GT(detailed_spikes.count, 100);
  EXPECT_NEAR(point_spikes.count / detailed_spikes.count, 1, 0.15);
  const network::Provenance& p = derivation.point_synapses.at("excitation");
  EXPECT_LT(p.fit_error.at("volleys_effective_block"), 0.75 * p.fit_error.at("volleys_linear"));
  EXPECT_LT(std::abs(p.fit_error.at("psp_area")), 0.15);
}

}  // namespace
}  // namespace triscale::bridges

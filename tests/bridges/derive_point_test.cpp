#include "bridges/point/derive_point.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "bridges/cable/quasi_active.hpp"
#include "bridges/meanfield/derive_meanfield.hpp"
#include "bridges/point/operating_point.hpp"
#include "bridges/point/point_membrane.hpp"
#include "bridges/point/synapse_reduction.hpp"
#include "bridges/point/synaptic_drive.hpp"
#include "bridges/point/validity_watch.hpp"
#include "detailed/simulate.hpp"
#include "meanfield/stationary.hpp"
#include "pointneuron/simulate.hpp"
#include "tests/bridges/small_cell.hpp"

namespace triscale::bridges {
namespace {

/// 16 cells that hear 40 external Poisson sources of 20 Hz through synapses on their dendrites.
network::Circuit small_circuit() {
  network::Circuit c;
  c.run.duration_ms = 2000;
  c.run.dt_ms = 0.1;
  c.run.V_init_mV = -72;
  c.cell_types = {spiking_cell("cell")};
  network::SynapseType ampa;
  ampa.name = "ampa";
  ampa.detailed = network::BiexponentialSynapse{0.5, 3, 0};
  c.synapse_types = {ampa};
  network::Population cells, external;
  cells.name = "cells";
  cells.size = 16;
  external.name = "external";
  external.size = 100;
  external.is_virtual = true;
  external.source = network::PoissonTrains{{0.0}, {20.0}};
  c.populations = {cells, external};
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
  rule.number = 40;
  rule.weight = {network::Distribution::Kind::constant, 0.0012};
  rule.delay_ms = {network::Distribution::Kind::constant, 1.0};
  network::Projection projection;
  projection.name = "external->cells";
  projection.source = 1;
  projection.target = 0;
  projection.connectivity = rule;
  projection.placement.kinds = {network::SectionKind::basal};
  c.projections = {projection};
  return c;
}

PointDerivationOptions quick() {
  PointDerivationOptions options;
  options.level_ms = 400;
  options.current_sweep_ms = 3000;
  options.repetitions = 5;
  options.draws = 3;
  return options;
}

class SpikeCount : public core::Recorder {
 public:
  void record_spikes(std::size_t population, double, std::span<const std::uint32_t> cells) override {
    if (population == 0) count += static_cast<double>(cells.size());
  }
  void record_probe(std::size_t, double, std::span<const double>) override {}
  void record_rates(double, std::span<const double>) override {}
  double count = 0;
};

/// Rate that the mean field predicts for small_circuit() with the point cells of `circuit`.
double meanfield_rate_hz(const network::Circuit& circuit, MeasuredOn tier) {
  TransferFitOptions options;
  options.measured_on = tier;
  options.scout_points = 30;
  options.grid_points = 60;
  options.test_points = 10;
  options.settle_ms = 100;
  network::Derivation derivation;
  core::NoProgress progress;
  const network::Circuit derived = derive_meanfield(circuit, options, 2, derivation, progress);
  return meanfield::stationary_state(meanfield::Model(derived)).rates_hz[0];
}

const network::GifModel& gif(const network::Circuit& circuit) {
  return std::get<network::GifModel>(circuit.cell_types[0].point->model);
}

TEST(DerivePoint, PointNetworkFiresAsOftenAsTheDetailedOne) {
  const network::Circuit circuit = small_circuit();
  network::Derivation derivation;
  core::NoProgress progress;
  const network::Circuit derived = derive_point(circuit, quick(), 2, derivation, progress);
  SpikeCount detailed_spikes, point_spikes;
  detailed::simulate(derived, 1, detailed_spikes, progress);
  pointneuron::simulate(derived, 1, point_spikes, progress);
  ASSERT_GT(detailed_spikes.count, 60);
  EXPECT_NEAR(point_spikes.count / detailed_spikes.count, 1, 0.2);

  const network::Provenance& p = derivation.point_cells.at("cell");
  EXPECT_FALSE(p.method.empty());
  EXPECT_LT(std::abs(p.fit_error.at("rate_relative")), 0.2);
  EXPECT_LT(p.fit_error.at("V_unexplained_variance"), 0.3);
  EXPECT_LT(p.fit_error.at("missed_coincidence_4ms"), 0.5);
  EXPECT_GT(p.validity_range.at("rate_hz")[1], 2);
  const network::Provenance& s = derivation.point_synapses.at("ampa");
  EXPECT_LT(std::abs(s.fit_error.at("psp_peak")), 0.2);
  EXPECT_LT(std::abs(s.fit_error.at("psp_area")), 0.2);
  // Passive dendrites: synapses at one place take driving force from each other, and none amplifies.
  EXPECT_LT(s.fit_error.at("summation_cluster"), 0.02);
  EXPECT_GT(s.fit_error.at("summation_pair"), -0.2);
}

/// Raising the point cell's threshold by 5 mV takes away a third of its spikes.
TEST(DerivePoint, MeanFieldMeasuredOnDetailedCellsDoesNotTakeOverAWrongPointCell) {
  network::Circuit circuit = small_circuit();
  circuit.populations[1].source = network::PoissonTrains{{0.0}, {5.0}};
  network::Derivation derivation;
  core::NoProgress progress;
  network::Circuit derived = derive_point(circuit, quick(), 2, derivation, progress);
  SpikeCount spikes;
  detailed::simulate(derived, 1, spikes, progress);
  const double rate_Hz = spikes.count / 16 / 2;
  std::get<network::GifModel>(derived.cell_types[0].point->model).V_threshold_mV += 5;
  // Spike counts are known to 3 % here, the fit to about 7 %.
  EXPECT_NEAR(meanfield_rate_hz(derived, MeasuredOn::detailed) / rate_Hz, 1, 0.1);
  EXPECT_LT(meanfield_rate_hz(derived, MeasuredOn::point) / rate_Hz, 0.75);
}

TEST(DerivePoint, DerivesAtTheRatesOfItsOwnPointNetwork) {
  network::Circuit circuit = small_circuit();
  network::Projection recurrent = circuit.projections[0];
  recurrent.name = "cells->cells";
  recurrent.source = 0;
  auto& rule = std::get<network::ConnectionRule>(recurrent.connectivity);
  rule.number = 8;
  rule.weight.mean = 0.0006;
  circuit.projections.push_back(recurrent);
  network::Derivation derivation;
  core::NoProgress progress;
  PointDerivationOptions options = quick();
  options.level_ms = 300;
  const network::Circuit derived = derive_point(circuit, options, 2, derivation, progress);
  const network::Provenance& p = derivation.point_cells.at("cell");
  EXPECT_GE(p.operating_point.at("rounds"), 2);
  EXPECT_LE(p.operating_point.at("change_of_rates_over_tolerance"), 1);
  const double assumed_hz = p.operating_point.at("source_cells_hz");
  const std::vector<double> rates = point_rates(derived, 3000, 300, 1, progress);
  EXPECT_NE(assumed_hz, 5);  // the first guess
  // Intervals of the parameters, and what they mean for the network.
  const double V_T_error_mV = p.uncertainty.at("V_threshold_mV");
  EXPECT_GT(V_T_error_mV, 0.01);
  EXPECT_LT(V_T_error_mV, 5);
  EXPECT_GT(p.uncertainty.at("network_rate_cells_hz"), 0);
  EXPECT_LT(p.uncertainty.at("network_rate_cells_hz"), 0.5 * rates[0]);
  EXPECT_LE(change_of_rates(circuit, {assumed_hz, 0}, rates), 1) << assumed_hz << " against " << rates[0];
}

TEST(ValidityWatch, WarnsOfRatesAndPotentialsOutsideTheRangeOfTheDerivationAndOfNothingElse) {
  network::Circuit circuit = small_circuit();
  network::GifModel given;
  given.V_threshold_mV = -60;
  given.E_L_mV = -70;
  circuit.cell_types[0].point = network::PointCell{given};
  circuit.synapse_types[0].point = network::PointSynapse{{{0.5, 3, 0}}, {}};
  const auto warnings = [&](std::array<double, 2> rate_hz, std::array<double, 2> V_mV, double& spikes) {
    network::Derivation derivation;
    derivation.point_cells["cell"].validity_range = {{"rate_hz", rate_hz}, {"V_mV", V_mV}};
    SpikeCount counter;
    core::NoProgress progress;
    ValidityWatch watch(circuit, derivation, counter);
    pointneuron::simulate(watch.circuit(), 1, watch, progress);
    spikes = counter.count;
    return watch.warnings();
  };
  double spikes = 0, same = 0;
  EXPECT_TRUE(warnings({0, 500}, {-90, 0}, spikes).empty());
  ASSERT_GT(spikes, 32);  // more than 1 Hz
  const std::vector<core::Problem> found = warnings({0, 1}, {-69, 0}, same);
  EXPECT_EQ(spikes, same);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].place, "populations.cells.rate_hz");
  EXPECT_EQ(found[1].place, "populations.cells.V_mV");
  // A cell that is held far below after its spike, or about to fire, is not "between spikes".
  given.V_reset_mV = -100;
  given.t_ref_ms = 100;
  circuit.cell_types[0].point = network::PointCell{given};
  for (const core::Problem& problem : warnings({0, 500}, {-100, 0}, spikes)) ADD_FAILURE() << problem.rule;
  ASSERT_GT(spikes, 32);
  const std::vector<core::Problem> held = warnings({0, 500}, {-99.999, 0}, same);
  for (const core::Problem& problem : held) EXPECT_EQ(problem.value.find("-100"), std::string::npos) << problem.value;
}

TEST(ValidityWatch, APotentialJustBeforeASpikeIsNotBetweenSpikes) {
  network::Circuit circuit = small_circuit();
  circuit.cell_types[0].point = network::PointCell{network::GifModel{}};
  network::Derivation derivation;
  derivation.point_cells["cell"].validity_range = {{"V_mV", {-90, -60}}};
  const auto warnings_of_spike_at = [&](double t_ms) {
    SpikeCount counter;
    ValidityWatch watch(circuit, derivation, counter);
    const std::vector<double> V(16, -55.0);
    const std::vector<std::uint32_t> all{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    watch.record_probe(0, 10, V);
    watch.record_spikes(0, t_ms, all);
    watch.record_probe(0, 20, std::vector<double>(16, -65.0));
    return watch.warnings().size();
  };
  EXPECT_EQ(warnings_of_spike_at(11), 0u);
  EXPECT_EQ(warnings_of_spike_at(13), 1u);
}

TEST(DerivePoint, TrainsFastCellsAtTheirOwnDrive) {
  network::Circuit circuit = small_circuit();
  circuit.populations[1].source = network::PoissonTrains{{0.0}, {80.0}};
  network::Derivation derivation;
  core::NoProgress progress;
  derive_point(circuit, quick(), 2, derivation, progress);
  const double highest_hz = derivation.point_cells.at("cell").validity_range.at("rate_hz")[1];
  SpikeCount counter;
  detailed::simulate(circuit, 2, counter, progress);
  const double own_hz = counter.count / 16 / 2;
  ASSERT_GT(own_hz, 25);
  EXPECT_GE(highest_hz, own_hz);
}

TEST(DerivePoint, GivesTheSameBitsForAnyNumberOfThreads) {
  network::Circuit circuit = small_circuit();
  circuit.cell_types.push_back(spiking_cell("other"));
  circuit.cell_types[1].detailed->regions[0].g_pas_S_cm2 *= 2;
  circuit.populations.push_back(circuit.populations[0]);
  circuit.populations.back().name = "others";
  circuit.populations.back().cell_type = 1;
  network::Derivation first, second;
  core::NoProgress progress;
  PointDerivationOptions options = quick();
  options.level_ms = 200;
  options.current_sweep_ms = 1500;
  const network::Circuit one = derive_point(circuit, options, 1, first, progress);
  const network::Circuit two = derive_point(circuit, options, 2, second, progress);
  ASSERT_TRUE(one.cell_types[1].point);
  for (std::size_t t = 0; t < 2; ++t) {
    const auto& a = std::get<network::GifModel>(one.cell_types[t].point->model);
    const auto& b = std::get<network::GifModel>(two.cell_types[t].point->model);
    EXPECT_EQ(a.C_m_nF, b.C_m_nF);
    EXPECT_EQ(a.V_threshold_mV, b.V_threshold_mV);
    EXPECT_EQ(a.Delta_V_mV, b.Delta_V_mV);
    EXPECT_EQ(a.eta_nA[0].amplitude, b.eta_nA[0].amplitude);
  }
  EXPECT_EQ(first.point_cells.at("cell").fit_error, second.point_cells.at("cell").fit_error);
  // The cell without synapses is fitted to somatic current.
  EXPECT_NE(first.point_cells.at("other").notes.front().find("current"), std::string::npos);
}

TEST(DerivePoint, KeepsAPointCellThatIsGivenAndReducesItsSynapsesOnly) {
  network::Circuit circuit = small_circuit();
  network::GifModel given;
  given.C_m_nF = 0.05;
  given.g_L_uS = 0.004;
  given.E_L_mV = -72;
  circuit.cell_types[0].point = network::PointCell{given};
  network::Derivation derivation;
  core::NoProgress progress;
  const network::Circuit derived = derive_point(circuit, quick(), 1, derivation, progress);
  EXPECT_EQ(gif(derived).C_m_nF, 0.05);
  EXPECT_TRUE(derivation.point_cells.empty());
  EXPECT_TRUE(derived.synapse_types[0].point);
  EXPECT_TRUE(missing_for_point(derived).empty());
}

/// Mean conductance over cells and time that the point neuron of `circuit` is given at the soma.
double mean_conductance_uS(const network::Circuit& circuit) {
  const network::CellType& type = circuit.cell_types[0];
  const QuasiActiveCell cell(*type.detailed, circuit.run);
  const ImpedanceSpectrum spectrum = impedance_spectrum(cell, Channels::linearised);
  const PassiveMembrane membrane = fit_membrane(spectrum, cell.V_soma_mV());
  std::vector<network::SynapseType> synapse_types = circuit.synapse_types;
  synapse_types[0].point = reduce_synapse({0.5, 3, 0}, cell.tree(), spectrum, membrane).synapse;
  const SynapticDrive drive(circuit, 0, {0, 1, 2, 3}, std::vector<double>(circuit.populations.size(), 0.0));
  const std::vector<DriveLevel> levels{{}};
  constexpr double kDuration_ms = 3000;
  core::NoProgress progress;
  std::vector<GifSweep> sweeps = drive.record(levels, kDuration_ms, 1, progress);
  drive.add_conductances(synapse_types, membrane, levels, kDuration_ms, 1, sweeps);
  double sum = 0, samples = 0;
  for (const GifSweep& sweep : sweeps) {
    for (const double G_uS : sweep.G_uS) sum += G_uS;
    samples += static_cast<double>(sweep.G_uS.size());
  }
  return sum / samples;
}

TEST(SynapticDrive, ConductancesOfAllProjectionsAddUp) {
  network::Circuit circuit = small_circuit();
  const double one_uS = mean_conductance_uS(circuit);
  network::Projection more = circuit.projections[0];
  more.name = "more";
  std::get<network::ConnectionRule>(more.connectivity).weight.mean *= 2;
  circuit.projections.push_back(more);
  // 9600 and 19,200 events: the ratio is sure to about 2 %.
  EXPECT_NEAR(mean_conductance_uS(circuit) / one_uS, 3, 0.2);
}

TEST(SynapticDrive, ConductancesAtTheSomaStandApartBesideADendriteAndCarryTheirCurrent) {
  const network::Circuit circuit = small_circuit();
  const SynapticDrive drive(circuit, 0, {0, 1}, std::vector<double>(circuit.populations.size(), 0.0));
  const std::vector<DriveLevel> levels{{}};
  constexpr double kDuration_ms = 300;
  core::NoProgress progress;
  const std::vector<GifSweep> recorded = drive.record(levels, kDuration_ms, 1, progress);
  const auto with = [&](bool at_soma, bool has_dendrite) {
    std::vector<network::SynapseType> synapse_types = circuit.synapse_types;
    synapse_types[0].point = network::PointSynapse{{{0.5, 3, -20, at_soma}}, {}};
    PassiveMembrane membrane{0.02, 0.002, -72};
    if (has_dendrite) membrane.dendrite = network::GifModel::Dendrite{0.08, 0.003, 0.03, 0, 0};
    std::vector<GifSweep> sweeps = recorded;
    drive.add_conductances(synapse_types, membrane, levels, kDuration_ms, 1, sweeps);
    return sweeps[0];
  };
  const GifSweep dendrite = with(false, true), soma = with(true, true), one = with(true, false);
  EXPECT_TRUE(dendrite.G_soma_uS.empty());
  EXPECT_EQ(soma.G_soma_uS, dendrite.G_uS);
  EXPECT_EQ(soma.I_nA, dendrite.GE_nA);
  EXPECT_EQ(one.G_uS, dendrite.G_uS);
  EXPECT_TRUE(one.G_soma_uS.empty());
  double largest = 0;
  for (std::size_t k = 0; k < soma.G_uS.size(); ++k) {
    EXPECT_EQ(soma.G_uS[k], 0);
    EXPECT_EQ(soma.GE_nA[k], 0);
    largest = std::max(largest, soma.G_soma_uS[k]);
  }
  EXPECT_GT(largest, 0.001);
}

TEST(DerivePoint, SaysWhatCannotBeDerived) {
  network::Circuit circuit = small_circuit();
  circuit.cell_types[0].detailed.reset();
  network::Derivation derivation;
  core::NoProgress progress;
  EXPECT_EQ(missing_for_point(circuit).size(), 2u);
  EXPECT_THROW(derive_point(circuit, quick(), 1, derivation, progress), core::InputError);
}

}  // namespace
}  // namespace triscale::bridges

// Synapses of a dendrite, carried to a point neuron.
#include "bridges/point/synapse_reduction.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numeric>

#include "bridges/cable/quasi_active.hpp"
#include "bridges/point/circuit_synapses.hpp"
#include "bridges/point/point_membrane.hpp"
#include "bridges/point/psp_check.hpp"
#include "tests/bridges/small_cell.hpp"

namespace triscale::bridges {
namespace {

TEST(ReduceSynapse, SynapseOnAnIsopotentialCellKeepsItsWeightTimeCourseAndDelay) {
  network::CellType type = spiking_cell("ball");
  type.detailed->mechanisms.clear();
  network::Morphology ball;
  ball.sections.push_back(type.detailed->morphology->sections[0]);
  type.detailed->morphology = std::make_shared<network::Morphology>(ball);
  const QuasiActiveCell cell(*type.detailed, network::RunSettings{});
  const ImpedanceSpectrum spectrum = impedance_spectrum(cell, Channels::linearised);
  const PassiveMembrane membrane = fit_membrane(spectrum, cell.V_soma_mV());
  EXPECT_NEAR(membrane.C_m_nF / membrane.g_L_uS, 15, 1e-6);  // R_m C_m
  const SynapseReduction r = reduce_synapse({0.5, 3, 0}, cell.tree(), spectrum, membrane);
  for (const network::SiteTransfer& row : r.synapse.sites) {
    EXPECT_NEAR(row.attenuation, 1, 1e-6);
    EXPECT_EQ(row.extra_delay_ms, 0);
    EXPECT_NEAR(row.shunt_per_uS, 0, 1e-6);
    EXPECT_DOUBLE_EQ(r.synapse.receptors[row.receptor].tau_decay_ms, 3);
  }
  EXPECT_LT(r.largest_psp_error, 1e-6);
}

TEST(ReduceSynapse, DistalSynapsesArriveSmallerLaterAndSaturateMore) {
  const network::CellType type = spiking_cell("cell");
  network::RunSettings run;
  run.V_init_mV = -72;
  const QuasiActiveCell cell(*type.detailed, run);
  const ImpedanceSpectrum spectrum = impedance_spectrum(cell, Channels::linearised);
  const SynapseReduction r =
      reduce_synapse({0.5, 3, 0}, cell.tree(), spectrum, fit_membrane(spectrum, cell.V_soma_mV()));
  const network::SiteTransfer *near = r.synapse.find({1, 0.05}), *far = r.synapse.find({1, 0.95});
  ASSERT_TRUE(near && far);
  EXPECT_GT(near->attenuation, far->attenuation);
  EXPECT_LT(near->shunt_per_uS, far->shunt_per_uS);
  const auto mean_time = [&](const network::SiteTransfer& row) {
    const network::BiexponentialSynapse& receptor = r.synapse.receptors[row.receptor];
    return row.extra_delay_ms + receptor.tau_rise_ms + receptor.tau_decay_ms;
  };
  EXPECT_GT(mean_time(*far), mean_time(*near) + 0.3);
}

TEST(LowPass, AddsItsMomentsToTheSynapse) {
  const network::BiexponentialSynapse k{0.5, 3, 0};
  const network::BiexponentialSynapse slow = low_pass(k, 1);
  EXPECT_NEAR(slow.tau_rise_ms + slow.tau_decay_ms, 4.5, 1e-12);
  EXPECT_NEAR(slow.tau_rise_ms * slow.tau_rise_ms + slow.tau_decay_ms * slow.tau_decay_ms, 10.25, 1e-12);
  // The spectrum is that of the sampled time course with peak 1.
  double area = 0, peak = 0;
  Complex transform = 0;
  const double h = 0.001, f = 40;
  const double t_peak = std::log(6.0) * 0.5 * 3 / 2.5;
  const double factor = 1 / (std::exp(-t_peak / 3) - std::exp(-t_peak / 0.5));
  for (double t = h / 2; t < 60; t += h) {
    const double g = factor * (std::exp(-t / 3) - std::exp(-t / 0.5));
    area += g * h;
    peak = std::max(peak, g);
    transform += g * h * std::polar(1.0, -2e-3 * 3.141592653589793 * f * t);
  }
  EXPECT_NEAR(peak, 1, 1e-5);
  EXPECT_NEAR(integral_of(k), area, 1e-5);
  EXPECT_LT(std::abs(spectrum_of(k, f) - transform), 1e-5);
}

/// A passive cell at rest.
struct Passive {
  network::CellType type = spiking_cell("cell");
  network::RunSettings run;
  std::unique_ptr<QuasiActiveCell> cell;
  ImpedanceSpectrum spectrum;
  Passive() {
    type.detailed->mechanisms.clear();
    run.V_init_mV = -72;
    run.dt_ms = 0.025;
    cell = std::make_unique<QuasiActiveCell>(*type.detailed, run);
    spectrum = impedance_spectrum(*cell, Channels::linearised);
  }
  /// Potentials of a synapse at a place, carried to the membrane with the statistics of a circuit.
  PspCheck check(const network::Site& site, double weight_uS, const PassiveMembrane& membrane,
                 const SiteStatistics& sites) const {
    const network::BiexponentialSynapse kinetics{0.5, 5, 0};
    network::SynapseType synapse;
    synapse.detailed = kinetics;
    synapse.point = reduce_synapse(kinetics, cell->tree(), spectrum, membrane, 6, sites).synapse;
    return check_psps(type, synapse, {{site, weight_uS}}, run, membrane);
  }
};

TEST(ReduceSynapse, StrongSynapsesHaveTheShapeThatTheirOwnDepolarisationLeaves) {
  const Passive passive;
  const PassiveMembrane membrane = fit_two_compartments(passive.spectrum, passive.cell->V_soma_mV());
  constexpr double kStrong_uS = 0.005;
  const PspCheck with = passive.check({1, 0.7}, kStrong_uS, membrane, {{}, kStrong_uS});
  EXPECT_NEAR(with.half_width, 0, 0.03);
  EXPECT_NEAR(with.peak, 0, 0.08);
  const PspCheck small = passive.check({1, 0.7}, kStrong_uS, membrane, {});
  EXPECT_LT(small.half_width, with.half_width - 0.03);
  // Weak ones keep the potentials that they have without.
  EXPECT_NEAR(passive.check({1, 0.7}, 1e-5, membrane, {{}, 1e-5}).peak,
              passive.check({1, 0.7}, 1e-5, membrane, {}).peak, 1e-3);
}

TEST(ReduceSynapse, FastSynapsesNearTheSomaActAtTheSomaBesideADendrite) {
  const Passive passive;
  const network::BiexponentialSynapse fast{0.1, 0.5, 0};
  SiteStatistics near;
  near.density.assign(passive.cell->tree().size(), 1e-3);
  near.density[passive.cell->tree().node_at({1, 0.1})] = 1;
  const double V_mV = passive.cell->V_soma_mV();
  const PassiveMembrane two = fit_two_compartments(passive.spectrum, V_mV),
                        one = fit_one_compartment(passive.spectrum, V_mV);
  const auto at_the_site = [&](const PassiveMembrane& membrane) {
    const SynapseReduction r = reduce_synapse(fast, passive.cell->tree(), passive.spectrum, membrane, 6, near);
    return r.synapse.receptors[r.synapse.find({1, 0.1})->receptor].at_soma;
  };
  EXPECT_TRUE(at_the_site(two));
  EXPECT_FALSE(at_the_site(one));  // all are at the soma
}

TEST(ReduceSynapse, TimeCoursesAreChosenForThePlacesThatTheCircuitHas) {
  const Passive passive;
  const PassiveMembrane membrane = fit_two_compartments(passive.spectrum, passive.cell->V_soma_mV());
  const auto error_of_one_time_course = [&](const SiteStatistics& sites) {
    return reduce_synapse({0.5, 3, 0}, passive.cell->tree(), passive.spectrum, membrane, 1, sites).mean_psp_error;
  };
  SiteStatistics far;
  far.density.assign(passive.cell->tree().size(), 1e-9);
  far.density[passive.cell->tree().node_at({1, 0.95})] = 1;
  EXPECT_LT(error_of_one_time_course(far), 0.3 * error_of_one_time_course({}));
}

TEST(CircuitSynapses, CountByConductanceWhereTheyAre) {
  const Passive passive;
  const auto& tree = passive.cell->tree();
  network::Circuit circuit;
  circuit.cell_types = {passive.type};
  circuit.synapse_types.resize(2);
  network::Population cells, source;
  cells.size = 1;
  source.size = 3;
  source.is_virtual = true;
  circuit.populations = {cells, source};
  network::Projection projection;
  projection.source = 1;
  projection.target = 0;
  projection.connectivity =
      network::ExplicitEdges{{0, 1, 2}, {0, 0, 0}, {0.001, 0.002, 0.003}, {1, 1, 1}, {{1, 0.5}, {1, 0.5}, {2, 0.9}}};
  circuit.projections = {projection};
  const SiteStatistics sites = site_statistics(circuit, 0, tree);
  EXPECT_NEAR(sites.mean_weight_uS, 0.002, 1e-15);
  EXPECT_NEAR(std::accumulate(sites.density.begin(), sites.density.end(), 0.0), 1, 1e-12);
  const std::size_t a = tree.node_at({1, 0.5}), b = tree.node_at({2, 0.9}), empty = tree.node_at({1, 0.9});
  EXPECT_GT(sites.density[a], 0.4);
  EXPECT_GT(sites.density[b], 0.4);
  EXPECT_LT(sites.density[empty], 0.02);
  EXPECT_GT(sites.density[empty], 0);
  EXPECT_TRUE(site_statistics(circuit, 1, tree).density.empty());
}

}  // namespace
}  // namespace triscale::bridges

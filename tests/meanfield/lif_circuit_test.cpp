#include "meanfield/lif_circuit.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "meanfield/model.hpp"
#include "meanfield/simulate.hpp"
#include "meanfield/stationary_states.hpp"
#include "network/validate.hpp"

namespace triscale::meanfield {
namespace {

/// Brunel's model A, inhibition-dominated, with exponential currents; `external` cells of Poisson input per target.
network::Circuit circuit(double g = 5, double external_hz = 20, double delay_sd_ms = 0) {
  using network::ConnectionRule;
  network::Circuit c;
  network::CellType cells;
  cells.name = "lif";
  cells.point = network::PointCell{network::LifModel{0.25, 0.0125, -70, -60, 2, -50}};
  network::CellType source;
  source.name = "source";
  c.cell_types = {cells, source};
  for (const int sign : {1, -1}) {
    network::SynapseType type;
    type.name = sign > 0 ? "exc" : "inh";
    type.point = network::CurrentSynapse{network::CurrentSynapse::Shape::exponential, 0.5, sign};
    c.synapse_types.push_back(type);
  }
  const auto population = [&](const char* name, std::size_t size, bool is_virtual) {
    network::Population p;
    p.name = name;
    p.size = size;
    p.is_virtual = is_virtual;
    p.cell_type = is_virtual ? 1 : 0;
    if (is_virtual) p.source = network::PoissonTrains{{0.0}, {external_hz}, 0};
    c.populations.push_back(p);
  };
  population("E", 80, false);
  population("I", 20, false);
  population("outside", 200, true);
  const double w_nA = 0.1 * 0.25 / 0.5;  // 0.1 mV
  const auto project = [&](std::size_t from, std::size_t to, std::uint64_t number, double weight, std::size_t type) {
    ConnectionRule rule;
    rule.kind = ConnectionRule::Kind::fixed_in_degree;
    rule.number = number;
    rule.weight = {network::Distribution::Kind::constant, weight};
    rule.delay_ms = {network::Distribution::Kind::constant, 1.5};
    if (delay_sd_ms > 0) rule.delay_ms = {network::Distribution::Kind::normal, 1.5, delay_sd_ms, 0.1, 100};
    c.projections.push_back({"p" + std::to_string(c.projections.size()), from, to, type, rule, {}});
  };
  for (const std::size_t to : {0u, 1u}) {
    project(0, to, 400, w_nA, 0);
    project(1, to, 100, g * w_nA, 1);
    project(2, to, 1000, w_nA, 0);
  }
  c.run.duration_ms = 400;
  return c;
}

LifNetwork by_hand(double g, double external_hz) {
  LifNetwork network;
  for (const char* name : {"E", "I"}) {
    LifPopulation population;
    population.name = name;
    population.cells = name[0] == 'E' ? 80 : 20;
    population.cell = {20, 2, 20, 10, 0.5};
    add_poisson_input(population, 1000, 0.1, 0.01, external_hz);
    network.populations.push_back(population);
  }
  network.in_degree = Eigen::MatrixXd(2, 2);
  network.in_degree << 400, 100, 400, 100;
  network.psp_mV = Eigen::MatrixXd(2, 2);
  network.psp_mV << 0.1, -g * 0.1, 0.1, -g * 0.1;
  network.psp2_mV2 = network.psp_mV.cwiseAbs2();
  network.delay_ms = Eigen::MatrixXd::Constant(2, 2, 1.5);
  network.delay_sd_ms = Eigen::MatrixXd::Zero(2, 2);
  return network;
}

class LastRates : public core::NullRecorder {
 public:
  void record_rates(double, std::span<const double> rates_hz) override {
    rates.assign(rates_hz.begin(), rates_hz.end());
  }
  std::vector<double> rates;
};

TEST(LifCircuit, GivesTheNetworkThatItDescribes) {
  const network::Circuit c = circuit();
  for (const std::uint64_t max_edges : {std::uint64_t{0}, std::uint64_t{10'000'000}}) {
    LifCircuitOptions options;
    options.max_edges = max_edges;
    const LifCircuit lif(c, options);
    const LifNetwork network = lif.network_during(0, 400), expected = by_hand(5, 20);
    EXPECT_LT((network.in_degree - expected.in_degree).norm(), 1e-9);
    EXPECT_LT((network.psp_mV - expected.psp_mV).norm(), 1e-12);
    EXPECT_LT((network.psp2_mV2 - expected.psp2_mV2).norm(), 1e-12);
    EXPECT_LT((network.delay_ms - expected.delay_ms).norm(), 1e-12);
    EXPECT_LT(network.delay_sd_ms.norm(), 1e-6);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(network.populations[i].mu_external_mV, expected.populations[i].mu_external_mV, 1e-9);
      EXPECT_NEAR(network.populations[i].sigma2_external_mV2, expected.populations[i].sigma2_external_mV2, 1e-9);
      EXPECT_EQ(network.populations[i].cell.tau_syn_ms, 0.5);
    }
    EXPECT_EQ(lif.synapses(), 150'000u);
    EXPECT_EQ(lif.edge_hash() != 0, max_edges > 0);
    EXPECT_TRUE(lif.warnings().empty());
  }
}

TEST(LifCircuit, RuleStatisticsAgreeWithListedEdges) {
  const network::Circuit c = circuit(5, 20, 0.75);
  LifCircuitOptions rules, edges;
  rules.max_edges = 0;
  edges.max_edges = 10'000'000;
  const LifNetwork a = LifCircuit(c, rules).network_during(0, 400), b = LifCircuit(c, edges).network_during(0, 400);
  EXPECT_LT((a.delay_ms - b.delay_ms).cwiseAbs().maxCoeff(), 0.02);  // sampling error of 20,000 delays and more
  EXPECT_LT((a.delay_sd_ms - b.delay_sd_ms).cwiseAbs().maxCoeff(), 0.02);
}

TEST(LifCircuit, TimeCourseEndsInTheStationaryState) {
  const network::Circuit c = circuit(5, 22);
  LastRates recorder;
  core::NoProgress progress;
  const core::RunStatistics statistics = simulate(c, 1, recorder, progress);
  EXPECT_EQ(statistics.cells, 100u);
  const auto point = find_stationary_point(LifTheory(by_hand(5, 22)), Eigen::VectorXd::Zero(2));
  ASSERT_TRUE(point.has_value());
  ASSERT_EQ(recorder.rates.size(), 3u);
  EXPECT_NEAR(recorder.rates[0] / point->rates_hz[0], 1, 1e-6);
  EXPECT_NEAR(recorder.rates[1] / point->rates_hz[1], 1, 1e-6);
  EXPECT_EQ(recorder.rates[2], 22);
}

TEST(LifCircuit, CurrentsMoveTheMeanByTheirResistance) {
  network::Circuit c = circuit();
  network::CurrentClamp clamp;
  clamp.name = "step";
  clamp.population = 0;
  clamp.waveform = network::CurrentSegment{0, 400, 0.05, 0.05};
  c.current_clamps.push_back(clamp);
  const LifNetwork network = LifCircuit(c).network_during(0, 400);
  EXPECT_NEAR(network.populations[0].mu_external_mV, by_hand(5, 20).populations[0].mu_external_mV + 0.05 / 0.0125,
              1e-9);
  EXPECT_NEAR(network.populations[1].mu_external_mV, by_hand(5, 20).populations[1].mu_external_mV, 1e-9);
}

TEST(LifCircuit, WhatTheTheoryCannotDoIsNamed) {
  network::Circuit c = circuit();
  EXPECT_TRUE(missing(c).empty());
  std::get<network::CurrentSynapse>(*c.synapse_types[0].point).shape = network::CurrentSynapse::Shape::alpha;
  network::CurrentClamp noise;
  noise.name = "noise";
  noise.waveform = network::NoiseCurrent{};
  c.current_clamps.push_back(noise);
  EXPECT_EQ(missing(c).size(), 5u);  // four projections, one current
  EXPECT_THROW(LifCircuit{c}, core::InputError);
}

TEST(LifCircuit, DifferentSynapticTimeConstantsAreReported) {
  network::Circuit c = circuit();
  std::get<network::CurrentSynapse>(*c.synapse_types[1].point).tau_ms = 5;
  EXPECT_EQ(LifCircuit(c).warnings().size(), 2u);
}

TEST(LowPass, TimeConstantIsFiniteAndFallsWithTheDrive) {
  const LifCell cell{20, 2, 20, 10, 0.5};
  const double slow = low_pass_time_constant_ms(cell, {12, 4}), fast = low_pass_time_constant_ms(cell, {22, 8});
  EXPECT_GT(slow, fast);
  EXPECT_GT(fast, 0.05);
  EXPECT_LT(slow, 40);
}

TEST(Moments, OfDistributionsEqualQuadrature) {
  using Kind = network::Distribution::Kind;
  const network::Distribution d{Kind::normal, 1.5, 0.75, 0.1, 2.5};
  double mass = 0, first = 0, second = 0;
  for (int k = 0; k < 200'000; ++k) {
    const double x = 0.1 + 2.4 * (k + 0.5) / 200'000, p = std::exp(-0.5 * std::pow((x - 1.5) / 0.75, 2));
    mass += p;
    first += p * x;
    second += p * x * x;
  }
  EXPECT_NEAR(moments(d).mean, first / mass, 1e-9);
  EXPECT_NEAR(moments(d).mean_square, second / mass, 1e-9);
  EXPECT_NEAR(moments({Kind::normal, 1.5, 0.75, 0.1, 1e9}).mean, 1.5 + 0.75 * 0.0698 / 0.969, 5e-4);
  EXPECT_DOUBLE_EQ(moments({Kind::uniform, 0, 0, 1, 3}).mean_square, 13.0 / 3);
}

}  // namespace
}  // namespace triscale::meanfield

// Small deterministic networks of every point model: spikes equal those of NEST 3.10, and Izhikevich's those of Brian2.
// Networks and spikes come from reference/point_models_nest.json, which reference/point_models_nest.py wrote.
//
// Where both integrate exactly (LIF with currents, GLIF), every spike must fall on the same step. AdEx and conductances
// are solved adaptively there and with second order here, and Izhikevich by Runge-Kutta at a fiftieth of the step.
// There a cell resets at its crossing, here at the end of the step: every spike may add up to one step (0.01 ms;
// Izhikevich 0.1 ms) to the times of those that follow it in the same cell, and that is the tolerance.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/paths.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

using Json = nlohmann::json;

Json reference(const std::string& network) {
  std::ifstream file(tests::source_dir() + std::string("/tests/validation/reference/point_models_nest.json"));
  return Json::parse(file).at(network);
}

struct Kind {
  network::PointModel model;
  network::SynapseType excitation, inhibition;
  double weight_unit = 1e-3;     ///< of the reference's weights: pA to nA, nS to uS; mV stay
  double current_begin_ms = -1;  ///< NEST's generators act two steps late
};

network::SynapseType current(network::CurrentSynapse::Shape shape, double tau_ms, int sign) {
  network::SynapseType type;
  type.point = network::CurrentSynapse{shape, tau_ms, sign};
  return type;
}
network::SynapseType conductance(double E_rev_mV) {
  network::SynapseType type;
  type.point = network::PointSynapse{{{0, 2, E_rev_mV}}, {}};
  return type;
}

testing::KeepingRecorder run(const Json& expected, Kind kind) {
  network::Circuit circuit =
      testing::cells_of(kind.model, 4, expected.at("duration_ms").get<double>(), expected.at("dt_ms").get<double>());
  for (std::uint32_t i = 0; i < 4; ++i) {
    testing::add_step_current(circuit, kind.current_begin_ms, 1e9, 1e-3 * expected.at("currents_pA")[i].get<double>());
    circuit.current_clamps.back().name += std::to_string(i);
    circuit.current_clamps.back().cells = {i};
  }
  kind.excitation.name = "excitation";
  kind.inhibition.name = "inhibition";
  circuit.synapse_types = {kind.excitation, kind.inhibition};
  network::ExplicitEdges edges[2];
  const Json weights = expected.value("weights", Json::array());
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    const double weight = weights[i];
    network::ExplicitEdges& list = edges[weight < 0 ? 1 : 0];
    list.sources.push_back(i);
    list.targets.push_back((i + 1) % 4);
    list.weights.push_back(std::abs(weight) * kind.weight_unit);
    list.delays_ms.push_back(expected.at("delays_ms")[i]);
  }
  if (!weights.empty()) {
    testing::add_edges(circuit, 0, 0, 0, edges[0]);
    testing::add_edges(circuit, 0, 0, 1, edges[1]);
  }
  return testing::run(circuit);
}

/// Times of each cell in steps.
std::vector<std::vector<double>> by_cell(const Json& expected) {
  std::vector<std::vector<double>> cells(4);
  for (std::size_t i = 0; i < expected.at("cells").size(); ++i) {
    const double step = expected.contains("steps")
                            ? expected["steps"][i].get<double>()
                            : expected["times_ms"][i].get<double>() / expected["dt_ms"].get<double>();
    cells[expected["cells"][i].get<std::size_t>()].push_back(step);
  }
  return cells;
}

/// `late`: how many steps a spike may be off, for every spike of the cell so far; 0: exact.
void expect_spikes(const std::string& network, const Kind& kind, double late) {
  const Json expected = reference(network);
  const auto recorder = run(expected, kind);
  const auto cells = by_cell(expected);
  std::size_t total = 0;
  double worst = 0;
  for (std::uint32_t cell = 0; cell < 4; ++cell) {
    const auto times = recorder.times_of(0, cell);
    ASSERT_EQ(times.size(), cells[cell].size()) << network << ", cell " << cell;
    for (std::size_t n = 0; n < times.size(); ++n) {
      const double off = times[n] / expected.at("dt_ms").get<double>() - cells[cell][n];
      worst = std::max(worst, std::abs(off));
      EXPECT_LE(std::abs(off), 1e-6 + late * static_cast<double>(n + 1))
          << network << ", cell " << cell << ", spike " << n << " at " << times[n] << " ms";
    }
    total += times.size();
  }
  EXPECT_GT(total, 20u) << network;
  ::testing::Test::RecordProperty(network + "_worst_steps", std::to_string(worst));
}

network::LifModel lif() {
  return {0.25, 0.025, -65, -65, 2, -50};
}
network::AdExModel adex() {
  network::AdExModel m;
  m.C_m_nF = 0.2;
  m.g_L_uS = 0.01;
  m.E_L_mV = -70;
  m.V_T_mV = -50;
  m.Delta_T_mV = 2;
  m.V_peak_mV = 0;
  m.V_reset_mV = -58;
  m.t_ref_ms = 2;
  m.a_uS = 0.002;
  m.b_nA = 0.06;
  m.tau_w_ms = 120;
  return m;
}
network::GlifModel glif(int number) {
  network::GlifModel m;
  m.C_m_nF = 0.1;
  m.g_L_uS = 0.005;
  m.E_L_mV = -75;
  m.V_reset_mV = -75;
  m.V_threshold_mV = -48;
  m.t_ref_ms = 3;
  if (number == 2 || number > 3) {
    m.reset_fraction = 0.3;
    m.V_reset_mV = -72;
    m.threshold_jump_mV = 2;
    m.threshold_jump_tau_ms = 50;
  }
  if (number > 2) m.after_spike_currents = {{-0.009, 1 / 0.003, 1.0, 0}, {-0.12, 10, 0.8, 0}};
  if (number == 5) {
    m.threshold_voltage_per_ms = 0.006;
    m.threshold_voltage_tau_ms = 12.5;
  }
  return m;
}

using Shape = network::CurrentSynapse::Shape;

TEST(PointModelsNest, LifWithCurrentsSpikesOnTheSameSteps) {
  expect_spikes("lif_exponential", {lif(), current(Shape::exponential, 0.5, 1), current(Shape::exponential, 0.5, -1)},
                0);
  expect_spikes("lif_alpha", {lif(), current(Shape::alpha, 2, 1), current(Shape::alpha, 2, -1)}, 0);
  expect_spikes("lif_delta", {lif(), current(Shape::delta, 0, 1), current(Shape::delta, 0, -1), 1.0}, 0);
}

TEST(PointModelsNest, GlifOneToFiveSpikeOnTheSameSteps) {
  for (int number = 1; number <= 5; ++number) {
    expect_spikes("glif" + std::to_string(number),
                  {glif(number), current(Shape::alpha, 2, 1), current(Shape::alpha, 2, -1), 1e-3, 0.2}, 0);
  }
}

TEST(PointModelsNest, LifWithConductancesSpikesWithinOneStep) {
  expect_spikes("lif_conductance", {lif(), conductance(0), conductance(-80)}, 1);
}

TEST(PointModelsNest, AdExSpikesWithinFewSteps) {
  expect_spikes("adex_exponential", {adex(), current(Shape::exponential, 2, 1), current(Shape::exponential, 2, -1)}, 1);
  expect_spikes("adex_conductance", {adex(), conductance(0), conductance(-80)}, 1);
}

TEST(PointModelsBrian2, IzhikevichSpikesWithinTheGrid) {
  // The reference's spikes lie between grid points; ours are at the end of the step: late by up to one step each.
  expect_spikes("izhikevich", {network::IzhikevichModel{}, {}, {}}, 1);
}

}  // namespace
}  // namespace triscale

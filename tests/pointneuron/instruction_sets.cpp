// Every model gives the same bits on every instruction set, and its loops treat all cells alike, wherever they stand.
#include <gtest/gtest.h>

#include <cmath>

#include "core/elementary.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

using Shape = network::CurrentSynapse::Shape;

TEST(Elementary, ExponentialsAreThoseOfTheLibraryToTwoUnitsInTheLastPlace) {
  for (double x = -700; x < 700; x += 0.0713) {
    ASSERT_NEAR(core::exp_of(x) / std::exp(x), 1, 4.5e-16) << x;
  }
  for (double x = -3.0001; x < 3; x += 0.00137) ASSERT_NEAR(core::expm1_of(x) / std::expm1(x), 1, 4.5e-16) << x;
  for (const double x : {1e-3, -1e-7, 1e-12, -1e-300}) ASSERT_NEAR(core::expm1_of(x) / std::expm1(x), 1, 4.5e-16) << x;
  EXPECT_EQ(core::exp_of(0.0), 1);
  EXPECT_EQ(core::expm1_of(0.0), 0);
  EXPECT_TRUE(std::isnan(core::exp_of(std::nan(""))));
  EXPECT_LT(core::exp_of(-1e9), 1e-300);
  EXPECT_GT(core::exp_of(1e9), 1e300);
}

network::GlifModel glif_5() {
  network::GlifModel m;
  m.after_spike_currents = {{-0.01, 300, 1, 0.002}, {-0.1, 10, 0.8, 0}};
  m.reset_fraction = 0.2;
  m.threshold_jump_mV = 2;
  m.threshold_voltage_per_ms = 0.005;
  return m;
}

/// Cells of a model under noise, with synapses of three kinds among them: 270 cells are one block of 256 and a rest.
network::Circuit network_of(const network::PointModel& model, double mean_nA, bool conductances) {
  network::Circuit circuit = testing::cells_of(model, 270, 150, 0.1);
  network::CurrentClamp clamp;
  clamp.name = "noise";
  clamp.waveform = network::NoiseCurrent{0, 1e9, mean_nA, mean_nA, 5};
  circuit.current_clamps.push_back(clamp);
  network::SynapseType delta, current, conductance;
  delta.name = "delta";
  delta.point = network::CurrentSynapse{Shape::delta, 0, 1};
  current.name = "current";
  current.point = network::CurrentSynapse{Shape::alpha, 3, -1};
  conductance.name = "conductance";
  conductance.point = network::PointSynapse{{{0.5, 5, 0}}, {}};
  circuit.synapse_types = {delta, current, conductance};
  for (std::size_t type = 0; type < (conductances ? 3u : 2u); ++type) {
    network::Projection projection;
    projection.name = std::to_string(type);
    projection.synapse_type = type;
    network::ConnectionRule rule;
    rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
    rule.number = 10;
    rule.weight.mean = type == 0 ? 0.3 : type == 1 ? 0.01 : 0.0005;
    rule.delay_ms = {network::Distribution::Kind::uniform, 0, 0, 0.3, 2};
    projection.connectivity = rule;
    circuit.projections.push_back(projection);
  }
  testing::add_probe(circuit, "v");
  return circuit;
}

testing::KeepingRecorder run_on(const network::Circuit& circuit, core::Isa isa, std::size_t threads) {
  testing::KeepingRecorder recorder;
  core::NoProgress progress;
  pointneuron::Options options;
  options.isa = isa;
  pointneuron::simulate(circuit, threads, recorder, progress, options);
  return recorder;
}

class EveryModel : public ::testing::TestWithParam<std::pair<network::PointModel, double>> {};

TEST_P(EveryModel, GivesTheSameBitsOnEveryInstructionSetAndForAnyThreads) {
  const auto& [model, mean_nA] = GetParam();
  for (const bool conductances : {false, true}) {
    const network::Circuit circuit = network_of(model, mean_nA, conductances);
    const auto first = run_on(circuit, core::Isa::baseline, 1);
    EXPECT_GT(first.spikes.size(), 100u);
    for (const core::Isa isa : {core::Isa::baseline, core::Isa::avx2, core::Isa::avx512}) {
      if (isa > core::best_isa()) continue;
      for (const std::size_t threads : {1u, 3u}) {
        const auto other = run_on(circuit, isa, threads);
        EXPECT_EQ(other.spikes, first.spikes) << static_cast<int>(isa) << ' ' << threads;
        EXPECT_EQ(other.probes, first.probes) << static_cast<int>(isa) << ' ' << threads;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, EveryModel,
                         ::testing::Values(std::pair{network::PointModel(network::LifModel{}), 0.5},
                                           std::pair{network::PointModel(network::GifModel{}), 0.15},
                                           std::pair{network::PointModel(glif_5()), 0.4},
                                           std::pair{network::PointModel(network::AdExModel{}), 0.35},
                                           std::pair{network::PointModel(network::IzhikevichModel{}), 0.15}));

}  // namespace
}  // namespace triscale

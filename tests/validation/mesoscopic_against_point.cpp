/// A circuit of adapting GIF cells, run cell by cell on the point tier and as mesoscopic populations.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "core/error.hpp"
#include "meanfield/mesoscopic_circuit.hpp"
#include "network/circuit.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale {
namespace {

using network::Circuit;
constexpr double kBin_ms = 5, kStart_ms = 1000;

/// 800 excitatory and 200 inhibitory cells, all connected to all, driven by a current.
Circuit circuit(double duration_ms) {
  Circuit c;
  for (const bool excitatory : {true, false}) {
    network::CellType type;
    type.name = excitatory ? "E" : "I";
    network::GifModel model;
    model.C_m_nF = 0.2;
    model.g_L_uS = 0.01;
    model.E_L_mV = -70;
    model.V_reset_mV = -70;
    model.t_ref_ms = 4;
    model.V_threshold_mV = -55;
    model.Delta_V_mV = 2.5;
    model.lambda_0_Hz = 10;
    if (excitatory) {
      model.eta_nA = {{0.02, 80}};
      model.gamma_mV = {{1.5, 150}};
    }
    type.point = network::PointCell{model};
    c.cell_types.push_back(type);
    network::SynapseType synapse;
    synapse.name = type.name;
    synapse.point = network::CurrentSynapse{network::CurrentSynapse::Shape::exponential, excitatory ? 3.0 : 6.0,
                                            excitatory ? 1 : -1};
    c.synapse_types.push_back(synapse);
    network::Population population;
    population.name = type.name;
    population.size = excitatory ? 800 : 200;
    population.cell_type = excitatory ? 0 : 1;
    c.populations.push_back(population);
    network::CurrentClamp clamp;
    clamp.name = type.name;
    clamp.population = population.cell_type;
    for (std::uint32_t cell = 0; cell < population.size; ++cell) clamp.cells.push_back(cell);
    clamp.waveform = network::CurrentSegment{0, 1e9, 0.24, 0.24};
    c.current_clamps.push_back(clamp);
  }
  for (const std::size_t from : {0u, 1u}) {
    for (const std::size_t to : {0u, 1u}) {
      network::ConnectionRule rule;
      rule.kind = network::ConnectionRule::Kind::all_to_all;
      rule.autapses = true;
      const double psp_mV = from == 0 ? 0.06 : 0.3;
      rule.weight = {network::Distribution::Kind::constant, psp_mV * 0.2 / (from == 0 ? 3.0 : 6.0)};
      rule.delay_ms = {network::Distribution::Kind::constant, 1};
      c.projections.push_back({"p" + std::to_string(2 * from + to), from, to, from, rule, {}});
    }
  }
  c.run.duration_ms = duration_ms;
  c.run.dt_ms = 0.2;
  return c;
}

struct Statistics {
  double mean_hz = 0, sd_hz = 0;
};

/// Activity in bins, from spikes or from rates.
class Binned : public core::NullRecorder {
 public:
  explicit Binned(const Circuit& c) : circuit_(c) {
    for (auto& bins : bins_hz_) bins.assign(static_cast<std::size_t>(c.run.duration_ms / kBin_ms), 0.0);
  }
  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    add(population, t_ms,
        1000 * static_cast<double>(cells.size()) /
            (kBin_ms * static_cast<double>(circuit_.populations[population].size)));
  }
  void record_rates(double t_ms, std::span<const double> rates_hz) override {  // means of the last ms
    if (!(t_ms > 0)) return;
    for (std::size_t p = 0; p < 2; ++p) add(p, t_ms - 0.5, rates_hz[p] / kBin_ms);
  }
  Statistics of(std::size_t population) const {
    Statistics s;
    double square = 0, count = 0;
    for (auto k = static_cast<std::size_t>(kStart_ms / kBin_ms); k < bins_hz_[population].size(); ++k) {
      s.mean_hz += bins_hz_[population][k];
      square += bins_hz_[population][k] * bins_hz_[population][k];
      ++count;
    }
    s.mean_hz /= count;
    s.sd_hz = std::sqrt(square / count - s.mean_hz * s.mean_hz);
    return s;
  }

 private:
  void add(std::size_t population, double t_ms, double rate_hz) {
    const auto bin = static_cast<std::size_t>(t_ms / kBin_ms);
    if (bin < bins_hz_[population].size()) bins_hz_[population][bin] += rate_hz;
  }
  const Circuit& circuit_;
  std::array<std::vector<double>, 2> bins_hz_;
};

/// Means and fluctuations of the mesoscopic populations relative to those of the cells.
void compare(const Circuit& small, const Circuit& large, double mean_tolerance, double sd_tolerance) {
  Binned cells(small), populations(large);
  core::NoProgress progress;
  std::vector<core::Problem> warnings;
  pointneuron::simulate(small, 1, cells, progress);
  meanfield::simulate_mesoscopic_circuit(large, populations, progress, warnings);
  EXPECT_TRUE(warnings.empty());
  for (std::size_t p = 0; p < 2; ++p) {
    const Statistics micro = cells.of(p), meso = populations.of(p);
    std::printf("mean %.3f (cells %.3f), SD %.3f (cells %.3f)\n", meso.mean_hz, micro.mean_hz, meso.sd_hz, micro.sd_hz);
    EXPECT_NEAR(meso.mean_hz / micro.mean_hz, 1, mean_tolerance);
    EXPECT_NEAR(meso.sd_hz / micro.sd_hz, 1, sd_tolerance);
  }
}

void remove_adaptation(Circuit& c) {
  auto& model = std::get<network::GifModel>(c.cell_types[0].point->model);
  model.eta_nA.clear();
  model.gamma_mV.clear();
}

/// Measured: within 0.1 % and 1 %; standard deviations are known to 5 % each in so short a time.
TEST(MesoscopicCircuit, PopulationsAgreeWithTheirCellsInMeanAndFluctuation) {
  Circuit small = circuit(10'000), large = circuit(20'000);
  remove_adaptation(small);
  remove_adaptation(large);
  compare(small, large, 0.01, 0.10);
}

/// Measured: -0.6 % and -0.2 % in the mean, -5 % and -3 % in the SD. Quasi-renewal theory, which takes spikes before
/// the last one from the population at any time, gives -7.5 % and -2.7 %, -11 % and -6 %: cells that fire as regularly
/// as these (CV 0.5) cannot have fired just before their last spike.
TEST(MesoscopicCircuit, AdaptingPopulationsAgreeWithTheirCellsInMeanAndFluctuation) {
  compare(circuit(16'000), circuit(60'000), 0.01, 0.10);
}

TEST(MesoscopicCircuit, AdaptationLowersTheRate) {
  Circuit with = circuit(3000), without = circuit(3000);
  remove_adaptation(without);
  core::NoProgress progress;
  std::vector<core::Problem> warnings;
  Binned a(with), b(without);
  meanfield::simulate_mesoscopic_circuit(with, a, progress, warnings);
  meanfield::simulate_mesoscopic_circuit(without, b, progress, warnings);
  EXPECT_LT(a.of(0).mean_hz, 0.8 * b.of(0).mean_hz);
}

TEST(MesoscopicCircuit, WhatItCannotDescribeIsNamed) {
  Circuit c = circuit(10);
  std::get<network::GifModel>(c.cell_types[0].point->model).Delta_V_mV = 0;
  c.cell_types[1].point->model = network::LifModel{};
  std::get<network::CurrentSynapse>(*c.synapse_types[1].point).shape = network::CurrentSynapse::Shape::alpha;
  c.current_clamps[0].cells.pop_back();
  EXPECT_EQ(meanfield::missing_for_mesoscopic(c).size(), 1u + 1u + 2u + 1u);
}

TEST(MesoscopicCircuit, WhatThePublishedModelDoesNotHaveIsRefused) {
  for (int term = 0; term < 3; ++term) {
    Circuit c = circuit(10);
    auto& model = std::get<network::GifModel>(c.cell_types[0].point->model);
    if (term == 0) model.currents = {{0.001, -60, 0}};
    if (term == 1) model.threshold_follows = {{0.1, -60, 10}};
    if (term == 2) model.V_filter_ms = 1;
    EXPECT_EQ(meanfield::missing_for_mesoscopic(c).size(), 1u) << term;
  }
}

}  // namespace
}  // namespace triscale

#include "meanfield/known_input.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.hpp"
#include "meanfield/simulate.hpp"

namespace triscale::meanfield {
namespace {

constexpr double kDuration_ms = 20000;

/// 50 cells, each with `number` of 100 sources of 40 Hz; trains given one by one, or only their rate.
network::Circuit driven(bool given, std::uint64_t number = 40) {
  network::Circuit circuit;
  network::CellType type;
  type.name = "E";
  network::MeanfieldCell cell;
  cell.transfer.C_m_nF = 0.2;
  cell.transfer.g_L_uS = 0.01;
  cell.transfer.E_L_mV = -65;
  cell.transfer.P_mV = {-50, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  type.meanfield = cell;
  circuit.cell_types = {type};
  network::SynapseType synapse;
  synapse.name = "exc";
  network::PointSynapse point;
  point.receptors.push_back({0.5, 5, 0});
  synapse.point = point;
  circuit.synapse_types = {synapse};
  circuit.populations.resize(2);
  circuit.populations[0].name = "E";
  circuit.populations[0].size = 50;
  circuit.populations[1].name = "external";
  circuit.populations[1].size = 100;
  circuit.populations[1].is_virtual = true;
  circuit.populations[1].source = network::PoissonTrains{{0}, {40}};
  circuit.run.duration_ms = kDuration_ms;
  if (given) {
    std::vector<network::SourceSpike> spikes;
    network::SpikeSourceReader(circuit, 1, 0, 100).take_until(kDuration_ms, spikes);
    std::sort(spikes.begin(), spikes.end(), [](const auto& a, const auto& b) { return a.t_ms < b.t_ms; });
    network::SpikeTrains trains;
    for (const network::SourceSpike& spike : spikes) {
      trains.times_ms.push_back(spike.t_ms);
      trains.cells.push_back(spike.cell);
    }
    circuit.populations[1].source = trains;
  }
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
  rule.number = number;
  rule.multapses = false;
  // The mean potential does not depend on the number; of 40, it is 1.3 standard deviations below threshold.
  rule.weight.mean = 0.01 / static_cast<double>(number);
  rule.delay_ms.mean = 2;
  network::Projection projection;
  projection.name = "drive";
  projection.source = 1;
  projection.connectivity = rule;
  circuit.projections = {projection};
  return circuit;
}

class RateRecorder : public core::NullRecorder {
 public:
  void record_rates(double, std::span<const double> rates_hz) override { course_hz.push_back(rates_hz[0]); }
  std::vector<double> course_hz;
};

struct Moments {
  double mean = 0, sd = 0;
};

Moments moments(const std::vector<double>& values, std::size_t skip) {
  Moments result;
  const double n = static_cast<double>(values.size() - skip);
  for (std::size_t k = skip; k < values.size(); ++k) result.mean += values[k] / n;
  for (std::size_t k = skip; k < values.size(); ++k) result.sd += std::pow(values[k] - result.mean, 2) / n;
  result.sd = std::sqrt(result.sd);
  return result;
}

std::vector<double> course(const network::Circuit& circuit, bool follow_spikes = true) {
  RateRecorder recorder;
  core::NoProgress progress;
  std::vector<core::Problem> warnings;
  SimulationOptions options;
  options.follow_spikes = follow_spikes;
  simulate(circuit, options, recorder, progress, warnings);
  return recorder.course_hz;
}

TEST(KnownInput, DeviationOfThePotentialHasTheVarianceThatItTakesFromTheNoise) {
  const network::Circuit circuit = driven(true);
  const Model model(circuit);
  KnownInput known(model, 1.0);
  ASSERT_TRUE(known.any());
  std::vector<PopulationInput> inputs(1);
  inputs[0].source_hz = {model.external(1).mean(0, kDuration_ms)};
  std::vector<double> of_cell_3;
  double expected_mV2 = 0;
  std::vector<MembraneCourse> courses{MembraneCourse(model.populations()[0])};
  for (int step = 0; step < static_cast<int>(kDuration_ms); ++step) {
    courses[0].step(inputs[0], {std::vector<double>(model.populations()[0].classes.size(), 0.0)}, 1.0);
    known.advance(step, inputs, courses);
    of_cell_3.push_back(known.deviations(0)[3].delta_mV);
    expected_mV2 = known.deviations(0)[3].variance_mV2;
  }
  const Moments delta = moments(of_cell_3, 200);
  // About 750 independent samples (20 s over two membrane time constants): the variance is known to 5 %.
  EXPECT_NEAR(delta.sd * delta.sd / expected_mV2, 1, 0.15);
  EXPECT_NEAR(delta.mean, 0, 0.1 * delta.sd);
}

TEST(KnownInput, LetsTheRateFollowTheSpikesAndKeepsItsMean) {
  const Moments by_rate = moments(course(driven(false), false), 500), by_spikes = moments(course(driven(true)), 500);
  EXPECT_LT(by_rate.sd, 0.01 * by_rate.mean);
  EXPECT_GT(by_spikes.sd, 0.2 * by_spikes.mean);
  EXPECT_NEAR(by_spikes.mean / by_rate.mean, 1, 0.1);
}

/// A Poisson source's spikes are drawn from counter-based streams: given one by one in a file, they are the same.
TEST(KnownInput, DrawnSpikesAreFollowedLikeGivenOnes) {
  const std::vector<double> drawn = course(driven(false)), given = course(driven(true));
  ASSERT_EQ(drawn.size(), given.size());
  const Moments of_drawn = moments(drawn, 500), of_given = moments(given, 500);
  double product = 0;
  for (std::size_t k = 500; k < drawn.size(); ++k) product += (drawn[k] - of_drawn.mean) * (given[k] - of_given.mean);
  EXPECT_GT(product / static_cast<double>(drawn.size() - 500) / (of_drawn.sd * of_given.sd), 0.99);
}

/// Forty sources of its own for every cell: the rate stays flat, as it does in a large population.
TEST(KnownInput, PrivateSourcesAreLeftToTheNoise) {
  network::Circuit circuit = driven(false);
  circuit.populations[1].size = 2000;
  network::ExplicitEdges edges;
  for (std::uint32_t source = 0; source < 2000; ++source) {
    edges.sources.push_back(source);
    edges.targets.push_back(source / 40);
    edges.weights.push_back(0.01 / 40);
    edges.delays_ms.push_back(2);
  }
  circuit.projections[0].connectivity = edges;
  const Moments rate = moments(course(circuit), 500);
  EXPECT_GT(rate.mean, 1);
  EXPECT_LT(rate.sd, 1e-6 * rate.mean);
}

/// Their potential is skewed: without holding the mean, the rate would be off by more than this.
TEST(KnownInput, KeepsTheMeanWithFewStrongSynapses) {
  const double by_rate = moments(course(driven(false, 3), false), 500).mean;
  EXPECT_NEAR(moments(course(driven(true, 3)), 500).mean / by_rate, 1, 0.03);
}

}  // namespace
}  // namespace triscale::meanfield

// Virtual spike sources and injected currents.
#include <gtest/gtest.h>

#include <cmath>

#include "network/spike_source.hpp"
#include "pointneuron/current_input.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

bool operator_equal(const network::SourceSpike& a, const network::SourceSpike& b) {
  return a.t_ms == b.t_ms && a.cell == b.cell;
}

network::Circuit poisson_circuit(std::size_t cells, network::PoissonTrains rates) {
  network::Circuit circuit;
  testing::add_spikes(circuit, cells, std::move(rates));
  return circuit;
}

std::vector<network::SourceSpike> all_spikes(const network::Circuit& circuit, std::size_t begin, std::size_t end,
                                             double duration_ms, int windows) {
  network::SpikeSourceReader reader(circuit, 0, begin, end);
  std::vector<network::SourceSpike> spikes;
  for (int k = 1; k <= windows; ++k) reader.take_until(duration_ms * k / windows, spikes);
  std::sort(spikes.begin(), spikes.end(),
            [](const auto& a, const auto& b) { return a.cell != b.cell ? a.cell < b.cell : a.t_ms < b.t_ms; });
  return spikes;
}

TEST(PoissonSource, RateFollowsThePiecewiseConstantRate) {
  const std::size_t cells = 200;
  const auto circuit = poisson_circuit(cells, {{0, 500, 1000, 1500}, {40, 0, 160, 10}});
  const auto spikes = all_spikes(circuit, 0, cells, 2000, 7);
  std::array<double, 4> counts{};
  for (const auto& spike : spikes) counts[static_cast<std::size_t>(spike.t_ms / 500)] += 1;
  const std::array<double, 4> rates{40, 0, 160, 10};
  for (std::size_t i = 0; i < 4; ++i) {
    const double expected = rates[i] * 0.5 * cells;
    EXPECT_NEAR(counts[i], expected, 4 * std::sqrt(expected)) << i;
  }
}

/// Mean count per cell and bin, and the mean correlation of the counts of two cells, from the variance of the sum:
/// var(sum) = N var (1 + (N - 1) c).
TEST(PoissonSource, CorrelatedTrainsHaveTheirRateAndPairwiseCorrelationWhateverTheParts) {
  const std::size_t cells = 50, bins = 4000;
  for (const double correlation : {0.05, 0.3}) {
    network::PoissonTrains trains{{0}, {20}};
    trains.correlation = correlation;
    const auto circuit = poisson_circuit(cells, trains);
    auto spikes = all_spikes(circuit, 0, 20, 10.0 * bins, 3);
    const auto rest = all_spikes(circuit, 20, cells, 10.0 * bins, 7);
    spikes.insert(spikes.end(), rest.begin(), rest.end());
    const auto whole = all_spikes(circuit, 0, cells, 10.0 * bins, 1);
    ASSERT_EQ(spikes.size(), whole.size());
    std::vector<double> sum(bins, 0.0);
    double singles = 0, total = 0, squares = 0;
    std::vector<std::vector<int>> counts(cells, std::vector<int>(bins, 0));
    for (std::size_t i = 0; i < spikes.size(); ++i) {
      ASSERT_EQ(spikes[i].t_ms, whole[i].t_ms);
      const auto bin = static_cast<std::size_t>(spikes[i].t_ms / 10);
      sum[bin] += 1;
      ++counts[spikes[i].cell][bin];
    }
    const double mean = static_cast<double>(spikes.size()) / (cells * bins);
    for (const auto& row : counts) {
      for (const int n : row) singles += (n - mean) * (n - mean) / (cells * bins);
    }
    for (const double n : sum) total += n, squares += n * n;
    const double variance = squares / bins - total / bins * total / bins;
    const double measured = (variance / (cells * singles) - 1) / (cells - 1);
    // The common train has 20/c events per second, so the mean rate over 40 s has a relative error of sqrt(c / 800);
    // the variance of the sum has one of about sqrt((2 + 1/lambda) / bins), lambda = 0.2/c events per bin.
    EXPECT_NEAR(mean, 0.2, 4 * 0.2 * std::sqrt(correlation / 800)) << correlation;
    EXPECT_NEAR(singles, 0.2, 0.02) << "Poisson variance";
    EXPECT_NEAR(measured, correlation, 4 * (correlation + 0.02) * std::sqrt((2 + correlation / 0.2) / bins));
  }
}

TEST(PoissonSource, CountsOfCellsHavePoissonVarianceAndIntervalsHaveCvOne) {
  const std::size_t cells = 400;
  const auto spikes = all_spikes(poisson_circuit(cells, {{0}, {50}}), 0, cells, 1000, 1);
  std::vector<double> counts(cells, 0.0);
  double n = 0, sum = 0, squares = 0;
  for (std::size_t i = 0; i < spikes.size(); ++i) {
    counts[spikes[i].cell] += 1;
    if (i == 0 || spikes[i].cell != spikes[i - 1].cell) continue;
    const double interval = spikes[i].t_ms - spikes[i - 1].t_ms;
    n += 1;
    sum += interval;
    squares += interval * interval;
  }
  double mean = 0, variance = 0;
  for (double c : counts) mean += c / cells;
  for (double c : counts) variance += (c - mean) * (c - mean) / (cells - 1);
  EXPECT_NEAR(mean, 50, 4 * std::sqrt(50.0 / cells));
  EXPECT_NEAR(variance / mean, 1, 4 * std::sqrt(2.0 / cells));
  EXPECT_NEAR(std::sqrt(squares / n - sum * sum / n / n) / (sum / n), 1, 0.05);
}

TEST(PoissonSource, TrainsDependNeitherOnWindowsNorOnTheShareOfAThread) {
  const auto circuit = poisson_circuit(10, {{0, 300}, {20, 200}});
  const auto whole = all_spikes(circuit, 0, 10, 1000, 1);
  auto pieces = all_spikes(circuit, 0, 3, 1000, 10000);
  const auto rest = all_spikes(circuit, 3, 10, 1000, 13);
  pieces.insert(pieces.end(), rest.begin(), rest.end());
  ASSERT_GT(whole.size(), 1000u);
  EXPECT_TRUE(std::equal(whole.begin(), whole.end(), pieces.begin(), pieces.end(), operator_equal));
}

TEST(PoissonSource, SeveralSpikesOfACellInOneStepAllCount) {
  network::GifModel model;
  model.V_threshold_mV = 1e6;
  network::Circuit circuit = testing::cells_of(model, 1, 1000, 0.1);
  const std::size_t source = testing::add_spikes(circuit, 1, network::PoissonTrains{{0}, {50000}});  // 5 a step
  testing::add_edges(circuit, source, 0, testing::add_synapse(circuit, {{0, 100, 0}}), {{0}, {0}, {1e-6}, {1}, {}});
  testing::add_probe(circuit, "g");
  const auto samples = testing::run(circuit).probes[0];
  double mean = 0, n = 0;
  for (const auto& [t, g] : samples) {
    if (t < 500) continue;
    mean += g[0];
    n += 1;
  }
  // <g> = w rate tau (1 - e^{-5..}); shot noise of a mean over 500 ms with tau 100 ms: below 0.7 %
  EXPECT_NEAR(mean / n, 1e-6 * 50 * 100, 0.04 * 1e-6 * 50 * 100);
}

TEST(NoiseCurrent, HasTheStationaryMomentsOfAnOrnsteinUhlenbeckProcessFromTheStart) {
  const std::size_t cells = 400, steps = 3000, lag = 30;
  network::Circuit circuit = testing::cells_of(network::GifModel{}, cells, 300, 0.1);
  network::CurrentClamp clamp;
  clamp.name = "noise";
  clamp.waveform = network::NoiseCurrent{0, 1e300, 0.3, 0.2, 3};
  circuit.current_clamps.push_back(clamp);
  pointneuron::CurrentInput input(circuit, 0);
  std::vector<std::vector<double>> I(steps, std::vector<double>(cells, 0.0));
  for (std::size_t k = 0; k < steps; ++k) input.step(static_cast<std::int64_t>(k), 0, cells, I[k]);
  double mean = 0, variance = 0, covariance = 0, first_variance = 0;
  for (std::size_t c = 0; c < cells; ++c) {
    first_variance += (I[0][c] - 0.3) * (I[0][c] - 0.3) / static_cast<double>(cells);
    for (std::size_t k = 0; k + lag < steps; ++k) {
      const double n = static_cast<double>(cells * (steps - lag));
      mean += I[k][c] / n;
      variance += (I[k][c] - 0.3) * (I[k][c] - 0.3) / n;
      covariance += (I[k][c] - 0.3) * (I[k + lag][c] - 0.3) / n;
    }
  }
  // 400 cells x 300 ms / (2 x 3 ms) = 20000 independent values.
  EXPECT_NEAR(mean, 0.3, 4 * 0.2 / std::sqrt(20000.0));
  EXPECT_NEAR(variance, 0.04, 4 * 0.04 * std::sqrt(2.0 / 20000));
  EXPECT_NEAR(covariance / variance, std::exp(-1.0), 0.03);
  EXPECT_NEAR(first_variance, 0.04, 4 * 0.04 * std::sqrt(2.0 / 400));
}

TEST(NoiseCurrent, ActsOnTheListedCellsWithinItsTimeOnly) {
  network::Circuit circuit = testing::cells_of(network::GifModel{}, 4, 10, 0.1);
  network::CurrentClamp clamp;
  clamp.name = "noise";
  clamp.cells = {2, 1};
  clamp.waveform = network::NoiseCurrent{1, 2, 0, 0.2, 3};
  circuit.current_clamps.push_back(clamp);
  pointneuron::CurrentInput input(circuit, 0);
  for (std::int64_t k = 0; k < 100; ++k) {
    std::vector<double> I(4, 0.0);
    input.step(k, 0, 4, I);
    EXPECT_EQ(I[0], 0);
    EXPECT_EQ(I[3], 0);
    EXPECT_EQ(I[1] != 0, k >= 10 && k < 20) << k;
    EXPECT_EQ(I[2] != 0, k >= 10 && k < 20) << k;
  }
}

TEST(Current, SegmentsAndSamplesAreAveragedExactlyOverAStep) {
  const network::CurrentSegment ramp{1.0, 3.0, 0.0, 2.0};  // I = t - 1
  EXPECT_NEAR(pointneuron::mean_nA(ramp, 0, 1), 0, 1e-15);
  EXPECT_NEAR(pointneuron::mean_nA(ramp, 1.4, 1.6), 0.5, 1e-15);
  EXPECT_NEAR(pointneuron::mean_nA(ramp, 0, 4), 0.5, 1e-15);
  EXPECT_NEAR(pointneuron::mean_nA(ramp, 2.9, 3.1), 0.5 * 1.95, 1e-12);
  const network::SampledCurrent samples{1.0, 0.5, {1, 2, 4}};
  EXPECT_NEAR(pointneuron::mean_nA(samples, 1.0, 1.5), 1, 1e-15);
  EXPECT_NEAR(pointneuron::mean_nA(samples, 1.25, 1.75), 1.5, 1e-15);
  EXPECT_NEAR(pointneuron::mean_nA(samples, 0, 10), 0.35, 1e-15);
  EXPECT_EQ(pointneuron::mean_nA(samples, 2.5, 3.0), 0);
  EXPECT_EQ(pointneuron::mean_nA(samples, 0.0, 1.0), 0);
}

}  // namespace
}  // namespace triscale

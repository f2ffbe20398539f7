#include "bridges/fields/kernel_residual.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/random.hpp"

namespace triscale::bridges {
namespace {

constexpr std::size_t kCells = 8, kSteps = 20000;

/// Cells with a soma and a dendrite whose potentials are common(t) at both places and, on their own account, noise at
/// the dendrite; cell c fires c spikes, and its noise grows with them if asked.
CellSample sample_of(double common_sd, double own_sd, double growth) {
  CellSample sample;
  sample.dt_ms = 1;
  sample.steps = kSteps;
  sample.nodes = 2;
  sample.V_mV.resize(kCells * kSteps * 2);
  core::RandomStream shared(1, core::Purpose::test, 99);
  std::vector<double> common(kSteps);
  for (double& x : common) x = common_sd * shared.next_normal();
  for (std::size_t c = 0; c < kCells; ++c) {
    sample.cells.push_back(static_cast<std::uint32_t>(c));
    sample.spikes_ms.emplace_back(c, 1.0);
    core::RandomStream own(1, core::Purpose::test, c);
    const double sd = own_sd * std::sqrt(1 + growth * (static_cast<double>(c) - 3.5));
    for (std::size_t k = 0; k < kSteps; ++k) {
      float* V = sample.V_mV.data() + (c * kSteps + k) * 2;
      V[0] = static_cast<float>(common[k] - 60);
      V[1] = static_cast<float>(common[k] + sd * own.next_normal() - 58);
    }
  }
  return sample;
}

/// What a channel sees that weighs the nodes of every cell by (1, 2).
double variance_of(const CellSample& sample, std::size_t cells, double spikes) {
  const CellResiduals residuals = residuals_of(sample, std::vector<float>(sample.V_mV.size(), 0.0f));
  ProbeResidual probe(1);
  const FieldWeights weights{1, {1, 2}, {}};
  for (std::size_t c = 0; c < cells; ++c) probe.add_cell(residuals, weights, spikes);
  probe.end_population(residuals);
  return probe.variance(0);
}

TEST(KernelResidual, WhatCellsShareAddsUpAndWhatTheyDoNotAddsUpInVariance) {
  // 50 cells: (50 x 3)^2 x 0.04 = 900 in common, 50 x 4 x 1 = 200 by chance.
  EXPECT_NEAR(variance_of(sample_of(0.2, 1, 0), 50, 3.5), 1100, 60);
  EXPECT_NEAR(variance_of(sample_of(0, 1, 0), 50, 3.5), 200, 10);
  EXPECT_NEAR(variance_of(sample_of(0.2, 0, 0), 50, 3.5), 900, 30);
}

TEST(KernelResidual, OfACellThatFiresMoreIsLarger) {
  const CellSample sample = sample_of(0, 1, 0.2);
  EXPECT_NEAR(variance_of(sample, 10, 3.5), 40, 3);
  EXPECT_NEAR(variance_of(sample, 10, 8.5), 80, 8);
}

TEST(KernelResidual, IsNothingWhereThePredictionIsRight) {
  const CellSample sample = sample_of(0.2, 1, 0);
  const CellResiduals residuals = residuals_of(sample, sample.V_mV);
  ProbeResidual probe(1);
  probe.add_cell(residuals, FieldWeights{1, {1, 2}, {}}, 3);
  probe.end_population(residuals);
  EXPECT_EQ(probe.variance(0), 0);
}

TEST(KernelResidual, MixesComponentsIntoChannels) {
  const FieldWeights weights{2, {1, 2, 3, 4}, {1, 0, 0, 1, 1, 1}};
  const Eigen::MatrixXd w = channel_weights(weights, 3);
  EXPECT_EQ(w(0, 0), 1);
  EXPECT_EQ(w(1, 1), 4);
  EXPECT_EQ(w(1, 2), 7);
}

}  // namespace
}  // namespace triscale::bridges

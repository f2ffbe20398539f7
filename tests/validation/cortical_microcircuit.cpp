// The cortical microcircuit (Potjans & Diesmann 2014) at scale 0.2 with Poisson drive: rates, irregularity, synchrony.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "core/random.hpp"
#include "io/recipe.hpp"
#include "network/validate.hpp"
#include "pointneuron/simulate.hpp"
#include "tests/paths.hpp"

namespace triscale {
namespace {

constexpr double kDiscard_ms = 500, kDuration_ms = 4500, kBin_ms = 2;
constexpr std::size_t kPopulations = 8, kPairs = 100;
constexpr std::array<const char*, kPopulations> kNames{"L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"};

/// Intervals of every cell, and spike counts in bins of some.
class Statistics : public core::NullRecorder {
 public:
  explicit Statistics(const network::Circuit& circuit) {
    for (std::size_t p = 0; p < kPopulations; ++p) {
      last_[p].assign(circuit.populations[p].size, -1);
      intervals_[p].resize(circuit.populations[p].size);
      counts_[p].assign(kPairs,
                        std::vector<double>(static_cast<std::size_t>((kDuration_ms - kDiscard_ms) / kBin_ms), 0));
    }
  }
  void record_spikes(std::size_t p, double t_ms, std::span<const std::uint32_t> cells) override {
    if (t_ms <= kDiscard_ms) return;
    for (const std::uint32_t cell : cells) {
      ++spikes_[p];
      if (last_[p][cell] >= 0) intervals_[p][cell].push_back(t_ms - last_[p][cell]);
      last_[p][cell] = t_ms;
      const auto bin = static_cast<std::size_t>((t_ms - kDiscard_ms) / kBin_ms);
      if (cell < kPairs && bin < counts_[p][cell].size()) counts_[p][cell][bin] += 1;
    }
  }
  double rate_hz(std::size_t p) const {
    return static_cast<double>(spikes_[p]) / static_cast<double>(last_[p].size()) / (kDuration_ms - kDiscard_ms) * 1e3;
  }
  /// Over cells with at least 3 spikes, as the reference evaluation does.
  double mean_cv(std::size_t p) const {
    double sum = 0, cells = 0;
    for (const auto& intervals : intervals_[p]) {
      if (intervals.size() < 2) continue;
      const double n = static_cast<double>(intervals.size());
      double mean = 0, variance = 0;
      for (const double i : intervals) mean += i / n;
      for (const double i : intervals) variance += (i - mean) * (i - mean) / n;
      sum += std::sqrt(variance) / mean;
      cells += 1;
    }
    return sum / cells;
  }
  double mean_correlation(std::size_t p) const {
    double sum = 0, pairs = 0;
    std::vector<std::vector<double>> normalised;
    for (const auto& counts : counts_[p]) {
      const double n = static_cast<double>(counts.size());
      double mean = 0, square = 0;
      for (const double c : counts) mean += c / n;
      for (const double c : counts) square += (c - mean) * (c - mean);
      if (!(square > 0)) continue;
      normalised.emplace_back();
      for (const double c : counts) normalised.back().push_back((c - mean) / std::sqrt(square));
    }
    for (std::size_t i = 0; i < normalised.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        for (std::size_t k = 0; k < normalised[i].size(); ++k) sum += normalised[i][k] * normalised[j][k];
        pairs += 1;
      }
    }
    return sum / pairs;
  }

 private:
  std::array<std::uint64_t, kPopulations> spikes_{};
  std::array<std::vector<double>, kPopulations> last_;
  std::array<std::vector<std::vector<double>>, kPopulations> intervals_;
  std::array<std::vector<std::vector<double>>, kPopulations> counts_;
};

TEST(CorticalMicrocircuit, AtAFifthOfItsSizeFiresIrregularlyAndAsynchronouslyAtTheExpectedRates) {
  const std::string path =
      std::string(tests::source_dir()) + "/experiments/cortical_microcircuit/recipe_poisson_0.2.json";
  core::Diagnostics diagnostics;
  network::Circuit circuit = io::read_recipe(path, diagnostics);
  network::validate(circuit, path, diagnostics);
  ASSERT_TRUE(diagnostics.ok());
  circuit.run.duration_ms = kDuration_ms;
  // A network that the references were not taken from.
  circuit.run.seed = 20;
  Statistics statistics(circuit);
  core::NoProgress progress;
  const core::RunStatistics run = pointneuron::simulate(circuit, 2, statistics, progress);
  EXPECT_EQ(run.cells, 15435u);
  EXPECT_EQ(run.synapses, 11955239u + 15435u);

  // Means over four networks (seeds 1 to 4, 5 s) of this implementation: no published values exist at this scale. The
  // standard deviation between the networks is at most 0.18 Hz (L5E, which has slow fluctuations) and 0.03 Hz
  // elsewhere; the tolerance is four times that. The full-scale run is what is compared with NEST (experiments README).
  const std::array<double, kPopulations> rates{0.598, 2.499, 4.286, 5.506, 7.066, 8.253, 1.015, 7.472};
  const std::array<double, kPopulations> tolerance{0.12, 0.12, 0.12, 0.12, 0.72, 0.12, 0.12, 0.12};
  for (std::size_t p = 0; p < kPopulations; ++p) {
    EXPECT_NEAR(statistics.rate_hz(p), rates[p], tolerance[p]) << kNames[p];
    // The full circuit has 0.76 to 0.84 in 10 s (NEST); fewer synapses make the drive's share of the noise larger.
    EXPECT_GT(statistics.mean_cv(p), 0.6) << kNames[p];
    EXPECT_LT(statistics.mean_cv(p), 1.0) << kNames[p];
    // The full circuit has 0.001 to 0.009; correlations grow as 1/N: up to five times that.
    EXPECT_GT(statistics.mean_correlation(p), -0.005) << kNames[p];
    EXPECT_LT(statistics.mean_correlation(p), 0.045) << kNames[p];
  }
}

}  // namespace
}  // namespace triscale

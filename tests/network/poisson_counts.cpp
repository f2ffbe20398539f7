#include "network/poisson_counts.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "network/spike_source.hpp"

namespace triscale::network {
namespace {

Circuit circuit_of(std::size_t cells, PoissonTrains trains) {
  Circuit circuit;
  Population population;
  population.name = "source";
  population.size = cells;
  population.is_virtual = true;
  population.source = std::move(trains);
  circuit.populations = {population, population};
  return circuit;
}

PoissonTrains constant(double mean) {
  return {{0.0}, {mean / 0.1 * 1e3}, 0.1};
}

TEST(PoissonCounts, FollowThePoissonDistribution) {
  for (const double mean : {0.02, 1.68, 2.32, 40.0}) {
    const std::size_t cells = 2000, bins = 500;
    const Circuit circuit = circuit_of(cells, constant(mean));
    PoissonCounts counts(circuit, 1);
    std::vector<std::uint16_t> drawn(cells);
    std::vector<double> found(400, 0.0);
    for (std::size_t bin = 0; bin < bins; ++bin) {
      counts.draw(static_cast<std::int64_t>(bin), 0, drawn);
      for (const auto n : drawn) found.at(n) += 1;
    }
    double chi2 = 0, classes = 0;
    for (std::size_t n = 0; n < found.size(); ++n) {
      const double p =
          std::exp(static_cast<double>(n) * std::log(mean) - mean - std::lgamma(static_cast<double>(n) + 1));
      const double expected = p * static_cast<double>(cells * bins);
      if (expected < 10) continue;  // too rare for chi^2
      chi2 += (found[n] - expected) * (found[n] - expected) / expected;
      classes += 1;
    }
    EXPECT_LT(chi2, classes + 5 * std::sqrt(2 * classes)) << "mean " << mean;
  }
}

TEST(PoissonCounts, DependOnNeitherRangeNorInstructionSetNorOrder) {
  const std::size_t cells = 5001;
  const Circuit circuit = circuit_of(cells, constant(1.7));
  PoissonCounts whole(circuit, 0, core::Isa::baseline);
  std::vector<std::uint16_t> all(cells), some(1234);
  for (const core::Isa isa : {core::Isa::baseline, core::Isa::avx2, core::Isa::avx512}) {
    if (isa > core::best_isa()) continue;
    PoissonCounts piece(circuit, 0, isa);
    for (const std::int64_t bin : {5, 3, 100000}) {
      whole.draw(bin, 0, all);
      piece.draw(bin, 2400, some);
      for (std::size_t i = 0; i < some.size(); ++i) ASSERT_EQ(some[i], all[2400 + i]) << bin << " " << i;
    }
  }
}

TEST(PoissonCounts, MeanFollowsAPiecewiseConstantRateWithinABin) {
  const Circuit circuit = circuit_of(1, {{1.0, 2.25, 3.0}, {1000, 3000, 0}, 0.5});
  const PoissonCounts counts(circuit, 0);
  EXPECT_EQ(counts.mean(0), 0) << "no rate is given before 1 ms";
  EXPECT_DOUBLE_EQ(counts.mean(2), 0.5);
  EXPECT_DOUBLE_EQ(counts.mean(4), 0.25 * 1 + 0.25 * 3);
  EXPECT_DOUBLE_EQ(counts.mean(5), 1.5);
  EXPECT_DOUBLE_EQ(counts.mean(6), 0);
}

TEST(PoissonCounts, SpikesOfABinnedSourceAreTheseNumbersAtTheBeginningOfEachBin) {
  const Circuit circuit = circuit_of(50, constant(1.2));
  SpikeSourceReader reader(circuit, 0, 11, 50);
  std::vector<SourceSpike> spikes;
  reader.take_until(0.55, spikes);
  reader.take_until(1.0, spikes);
  std::vector<std::vector<std::uint16_t>> found(10, std::vector<std::uint16_t>(50, 0));
  for (const SourceSpike& spike : spikes) {
    const double bin = spike.t_ms / 0.1;
    ASSERT_NEAR(bin, std::round(bin), 1e-9);
    ++found.at(static_cast<std::size_t>(std::lround(bin))).at(spike.cell);
  }
  PoissonCounts counts(circuit, 0);
  std::vector<std::uint16_t> drawn(50);
  for (std::size_t bin = 0; bin < 10; ++bin) {
    counts.draw(static_cast<std::int64_t>(bin), 0, drawn);
    for (std::size_t cell = 11; cell < 50; ++cell) ASSERT_EQ(found[bin][cell], drawn[cell]) << bin << " " << cell;
  }
}

}  // namespace
}  // namespace triscale::network

// The cortical microcircuit (Potjans & Diesmann 2014) at scale 0.2 with Poisson drive against NEST 3.10: distributions
// of firing rates, coefficients of variation and correlations of single cells, population by population. The reference
// was written by benchmarks/nest/microcircuit_statistics.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "io/recipe.hpp"
#include "network/validate.hpp"
#include "pointneuron/simulate.hpp"
#include "tests/paths.hpp"
#include "tests/validation/microcircuit_statistics.hpp"

namespace triscale {
namespace {

using testing::ks_distance_to_quantiles;
using testing::NestStatistics;
using testing::ReferenceDistribution;

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The value below which 95 % of some values lie, between the two nearest of them.
double quantile_95(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double at = 0.95 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double fraction = at - static_cast<double>(below);
  return values[below] + (fraction > 0 ? fraction * (values[below + 1] - values[below]) : 0);
}

// Runs differ in their seed, hence in their network: the mean rate of L5E has a standard deviation of 0.2 Hz between
// networks, and stays as it is within one. So three of our networks are compared with all of NEST's. The tolerance is
// NEST's own: 95 % of the distances between two of its runs are below it. Ours is the mean of all distances.
TEST(CorticalMicrocircuit, AtAFifthOfItsSizeDiffersFromNestAsNestDoesFromItself) {
  const std::string source = tests::source_dir();
  const NestStatistics nest(source + "/tests/validation/reference/microcircuit_nest_0.2.json");
  ASSERT_GE(nest.seeds.size(), 5u);
  const std::string path = source + "/experiments/cortical_microcircuit/recipe_poisson_0.2.json";
  core::Diagnostics diagnostics;
  network::Circuit circuit = io::read_recipe(path, diagnostics);
  network::validate(circuit, path, diagnostics);
  ASSERT_TRUE(diagnostics.ok());
  const double discard_ms = nest.json["discard_ms"];
  circuit.run.duration_ms = discard_ms + nest.json["simulate_ms"].get<double>();
  std::vector<testing::SpikeTrainStatistics> ours;
  for (const std::uint64_t seed : {20, 21, 22}) {
    circuit.run.seed = seed;
    ours.emplace_back(circuit, discard_ms);
    core::NoProgress progress;
    const core::RunStatistics run = pointneuron::simulate(circuit, 2, ours.back(), progress);
    EXPECT_EQ(run.cells, 15435u);
    // Its connections and one Poisson train per cell.
    EXPECT_EQ(run.synapses, 11955239u + 15435u);
  }

  for (std::size_t p = 0; p < 8; ++p) {
    const network::Population& population = circuit.populations[p];
    const char* names[] = {"rate_hz", "cv", "correlation"};
    for (std::size_t s = 0; s < 3; ++s) {
      std::vector<double> distances, nests, means, nests_means;
      for (const testing::SpikeTrainStatistics& one : ours) {
        const std::vector<double> sample = s == 0 ? one.rates_hz(p)
                                           : s == 1
                                               ? one.cvs(p, nest.json["min_intervals"])
                                               : one.correlations(p, nest.json["bin_ms"], nest.json["paired_cells"]);
        means.push_back(mean_of(sample));
        for (const std::string& seed : nest.seeds)
          distances.push_back(ks_distance_to_quantiles(sample, nest.of(seed, population.name, names[s]).quantiles));
      }
      for (std::size_t i = 0; i < nest.seeds.size(); ++i) {
        const ReferenceDistribution one = nest.of(nest.seeds[i], population.name, names[s]);
        nests_means.push_back(one.mean);
        for (std::size_t j = 0; j < i; ++j)
          nests.push_back(
              ks_distance_to_quantiles(nest.of(nest.seeds[j], population.name, names[s]).quantiles, one.quantiles));
      }
      std::printf("%-5s %-11s mean %8.4g (NEST %8.4g), distance %.3f (NEST from itself %.3f, 95 %% below %.3f)\n",
                  population.name.c_str(), names[s], mean_of(means), mean_of(nests_means), mean_of(distances),
                  mean_of(nests), quantile_95(nests));
      EXPECT_LE(mean_of(distances), quantile_95(nests)) << population.name << ' ' << names[s];
      if (s > 0) continue;
      // Four standard deviations between networks (at most 0.03 Hz, but 0.2 Hz in L5E). Inhibition that is 3 % too
      // strong fails here; the distances alone would not see it.
      EXPECT_NEAR(mean_of(means), mean_of(nests_means), population.name == "L5E" ? 0.72 : 0.12) << population.name;
    }
  }
}

}  // namespace
}  // namespace triscale

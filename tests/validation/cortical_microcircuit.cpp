// The cortical microcircuit (Potjans & Diesmann 2014) at scale 0.2 with Poisson drive against NEST 3.10: distributions
// of firing rates, coefficients of variation and correlations of single cells, population by population. The reference
// was written by benchmarks/nest/microcircuit_statistics.py.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
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

/// The value below which 95 % of some values lie, between the two nearest of them.
double quantile_95(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const double at = 0.95 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double fraction = at - static_cast<double>(below);
  return values[below] + (fraction > 0 ? fraction * (values[below + 1] - values[below]) : 0);
}

// Seeds of NEST differ in their networks, too. Tolerances are NEST's own: 95 % of the differences between two of its
// runs, ten pairs. Ours is the mean of the differences from each of its runs.
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
  circuit.run.seed = 20;
  testing::SpikeTrainStatistics ours(circuit, discard_ms);
  core::NoProgress progress;
  const core::RunStatistics run = pointneuron::simulate(circuit, 2, ours, progress);
  EXPECT_EQ(run.cells, 15435u);
  // Its connections and one Poisson train per cell.
  EXPECT_EQ(run.synapses, 11955239u + 15435u);

  for (std::size_t p = 0; p < 8; ++p) {
    const network::Population& population = circuit.populations[p];
    const std::vector<double> samples[] = {ours.rates_hz(p), ours.cvs(p, nest.json["min_intervals"]),
                                           ours.correlations(p, nest.json["bin_ms"], nest.json["paired_cells"])};
    const char* names[] = {"rate_hz", "cv", "correlation"};
    for (std::size_t s = 0; s < 3; ++s) {
      double distance = 0, nests_mean = 0, mean = 0;
      std::vector<double> distances, differences;  // of pairs of NEST's runs
      for (const double x : samples[s]) mean += x / static_cast<double>(samples[s].size());
      const auto runs = static_cast<double>(nest.seeds.size());
      for (std::size_t i = 0; i < nest.seeds.size(); ++i) {
        const ReferenceDistribution one = nest.of(nest.seeds[i], population.name, names[s]);
        distance += ks_distance_to_quantiles(samples[s], one.quantiles) / runs;
        nests_mean += one.mean / runs;
        for (std::size_t j = 0; j < i; ++j) {
          const ReferenceDistribution two = nest.of(nest.seeds[j], population.name, names[s]);
          distances.push_back(ks_distance_to_quantiles(two.quantiles, one.quantiles));
          differences.push_back(std::abs(two.mean - one.mean));
        }
      }
      std::printf(
          "%-5s %-11s mean %8.4g (NEST %8.4g, two runs differ by %.2g), distance %.3f (NEST from itself %.3f)\n",
          population.name.c_str(), names[s], mean, nests_mean, quantile_95(differences), distance,
          quantile_95(distances));
      EXPECT_LE(std::abs(mean - nests_mean), quantile_95(differences)) << population.name << ' ' << names[s];
      EXPECT_LE(distance, quantile_95(distances)) << population.name << ' ' << names[s];
    }
  }
}

}  // namespace
}  // namespace triscale

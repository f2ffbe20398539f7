// The error of signals by kernels, predicted and measured.
#include "bridges/fields/kernel_error.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.hpp"
#include "tests/bridges/passive_circuit.hpp"

namespace triscale::bridges {
namespace {

// Independent Poisson sources with different kernels: the mean kernel misses exactly the heterogeneity.
TEST(KernelError, PredictsWhatMeanKernelsMiss) {
  network::Circuit circuit = passive_circuit(1e-4);
  circuit.run.duration_ms = 20000;
  circuit.field_probes.pop_back();
  circuit.populations[1].source = network::PoissonTrains{{0}, {30}, 0};
  const network::CircuitKernels kernels = kernels_at_rest(circuit);
  measure::Activity activity = silence(circuit);
  activity.duration_ms = circuit.run.duration_ms;
  const std::vector<measure::Signal> truth = signals_of(circuit, kernels, activity);
  const auto errors = kernel_errors(circuit, kernels, activity, truth, 500);
  ASSERT_EQ(errors.size(), 1u);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_LT(errors[0].cell_measured[c], 1e-6);
    EXPECT_GT(errors[0].population_measured[c], 0.2);
    EXPECT_NEAR(errors[0].population_predicted[c] / errors[0].population_measured[c], 1, 0.15) << "channel " << c;
  }
}

// Kernels that some populations share miss what their cells do not have in common, however right the others are.
TEST(KernelError, OfCellsCountsWhatSharedKernelsMiss) {
  const network::Circuit circuit = many_sources();
  measure::Activity activity = silence(circuit);
  activity.duration_ms = circuit.run.duration_ms;
  const std::vector<measure::Signal> truth = signals_of(circuit, kernels_within(circuit, 50'000'000), activity);
  const auto errors = kernel_errors(circuit, kernels_within(circuit, kThreeCells), activity, truth, 500);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_GT(errors[0].cell_measured[c], 0.2);
    // A sample of 8 of 40.
    EXPECT_NEAR(errors[0].cell_predicted[c] / errors[0].cell_measured[c], 1, 0.3) << "channel " << c;
    EXPECT_NEAR(errors[0].population_predicted[c], errors[0].cell_predicted[c], 1e-3);
  }
}

/// Poisson trains of all cells; of the spikes of `other`, if given, each is kept with a chance of one half instead.
void fire_at_random(measure::PopulationActivity& population, double rate_hz, double duration_ms, std::uint64_t entity,
                    const measure::PopulationActivity* other = nullptr) {
  core::RandomStream random(1, core::Purpose::test, entity);
  std::vector<std::pair<double, std::uint32_t>> spikes;
  for (std::uint32_t cell = 0; cell < population.cells; ++cell) {
    const double fresh_hz = other != nullptr ? rate_hz / 2 : rate_hz;
    for (double t_ms = 0;;) {
      t_ms -= 1000 / fresh_hz * std::log(1 - random.next_uniform());
      if (!(t_ms < duration_ms)) break;
      spikes.emplace_back(t_ms, cell);
    }
  }
  for (std::size_t k = 0; other != nullptr && k < other->spike_cells.size(); ++k) {
    if (random.next_uniform() < 0.5) spikes.emplace_back(other->spike_times_ms[k], other->spike_cells[k]);
  }
  std::sort(spikes.begin(), spikes.end());
  for (const auto& [t_ms, cell] : spikes) {
    population.spike_times_ms.push_back(t_ms);
    population.spike_cells.push_back(cell);
  }
}

// A point tier that shares half of its spikes with the detailed one: the difference has as much variance as the signal
// (1/2 that only the one fired and 1/2 that only the other did), and what the kernels miss adds to it.
TEST(KernelError, OfThePointTierAddsWhatItsSpikesChange) {
  constexpr double kDuration_ms = 40000, kMissed = 0.5;
  network::Circuit circuit = passive_circuit(1e-4);
  circuit.run.duration_ms = kDuration_ms;
  circuit.field_probes.pop_back();
  fire(circuit, {}, {});
  network::CircuitKernels kernels = kernels_at_rest(circuit);
  network::FieldKernels& probe = kernels.probes[0];
  for (std::size_t i = 0; i < probe.sources[0].values.size(); ++i) {
    const auto channel = static_cast<double>(i % probe.channels);
    const auto sample = static_cast<double>(i / probe.channels % probe.samples);
    probe.sources[0].values[i] = static_cast<float>((channel + 1) * std::exp(-0.1 * probe.dt_ms * sample));
  }
  probe.unexplained_variance.assign(probe.channels, kMissed * kMissed / (1 + kMissed * kMissed));
  measure::Activity detailed = silence(circuit), point = detailed;
  detailed.duration_ms = point.duration_ms = kDuration_ms;
  fire_at_random(detailed.populations[0], 20, kDuration_ms, 1);
  fire_at_random(point.populations[0], 20, kDuration_ms, 2, &detailed.populations[0]);
  std::vector<measure::Signal> truth = signals_of(circuit, kernels, detailed);
  const std::vector<measure::Signal> other = signals_of(circuit, kernels, point);
  core::RandomStream random(1, core::Purpose::test, 3);
  for (std::size_t c = 0; c < 2; ++c) {
    // Shot noise of three cells: rate times int h^2, h = (c + 1) exp(-t / 10 ms).
    const double sd = static_cast<double>(c + 1) * std::sqrt(3 * 0.02 * 5);
    for (std::size_t k = 0; k < truth[0].samples(); ++k) {
      truth[0].values[2 * k + c] += static_cast<float>(kMissed * sd * random.next_normal());
    }
  }
  const auto errors = kernel_errors(circuit, kernels, detailed, truth, 500, &other);
  ASSERT_EQ(errors.size(), 1u);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(errors[0].cell_measured[c], std::sqrt(kMissed * kMissed / (1 + kMissed * kMissed)), 0.03);
    EXPECT_NEAR(errors[0].cell_predicted[c], errors[0].cell_measured[c], 0.03);
    EXPECT_NEAR(errors[0].point_spikes[c], 1, 0.08) << "channel " << c;
    EXPECT_NEAR(errors[0].point_measured[c], std::sqrt((1 + kMissed * kMissed) / (1 + kMissed * kMissed)), 0.08);
    EXPECT_NEAR(errors[0].point_correlation[c], 0.5 / std::sqrt(1 + kMissed * kMissed), 0.05);
    EXPECT_NEAR(errors[0].point_predicted[c] / errors[0].point_measured[c], 1, 0.05) << "channel " << c;
  }
  EXPECT_TRUE(kernel_errors(circuit, kernels, detailed, truth, 500)[0].point_measured.empty());
}

}  // namespace
}  // namespace triscale::bridges

/// Spike trains with known statistics, for tests.
#pragma once

#include <algorithm>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "measure/activity.hpp"

namespace triscale::measure::testing {

/// Sorts the spikes of a population by time.
inline void sort_by_time(PopulationActivity& population) {
  std::vector<std::size_t> order(population.spike_times_ms.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return population.spike_times_ms[a] < population.spike_times_ms[b]; });
  PopulationActivity sorted = population;
  for (std::size_t k = 0; k < order.size(); ++k) {
    sorted.spike_times_ms[k] = population.spike_times_ms[order[k]];
    sorted.spike_cells[k] = population.spike_cells[order[k]];
  }
  population = std::move(sorted);
}

/// Every cell fires a gamma process of integer `shape` (intervals are sums of `shape` exponentials): CV = 1 /
/// sqrt(shape); shape 1 is Poisson. rate_hz(cell, t_ms) may change in time: candidate events at max_hz are thinned.
inline PopulationActivity gamma_population(const std::string& name, std::size_t cells, double duration_ms,
                                           const std::function<double(std::size_t, double)>& rate_hz, double max_hz,
                                           int shape, std::uint64_t seed) {
  PopulationActivity population;
  population.name = name;
  population.cells = cells;
  for (std::size_t cell = 0; cell < cells; ++cell) {
    core::RandomStream random(seed, core::Purpose::test, cell);
    int stage = static_cast<int>(random.next_below(static_cast<std::uint64_t>(shape)));
    for (double t_ms = 0;;) {
      t_ms += random.next_exponential() * 1000.0 / (max_hz * shape);
      if (t_ms >= duration_ms) break;
      if (random.next_uniform() * max_hz > rate_hz(cell, t_ms)) continue;
      if (++stage % shape != 0) continue;
      population.spike_times_ms.push_back(t_ms);
      population.spike_cells.push_back(static_cast<std::uint32_t>(cell));
    }
  }
  sort_by_time(population);
  return population;
}

inline PopulationActivity poisson_population(const std::string& name, std::size_t cells, double duration_ms, double hz,
                                             std::uint64_t seed, int shape = 1) {
  return gamma_population(
      name, cells, duration_ms, [hz](std::size_t, double) { return hz; }, hz, shape, seed);
}

inline Activity spiking_activity(const std::string& tier, double duration_ms,
                                 std::vector<PopulationActivity> populations) {
  Activity activity;
  activity.tier = tier;
  activity.duration_ms = duration_ms;
  activity.populations = std::move(populations);
  return activity;
}

/// A mean-field run with the given rate, sampled every millisecond, and the noise of independent spikes.
inline Activity rate_activity(double duration_ms, const std::string& name, std::size_t cells,
                              const std::function<double(double)>& rate_hz) {
  Activity activity;
  activity.tier = "meanfield";
  activity.kind = Activity::Kind::rates;
  activity.duration_ms = duration_ms;
  PopulationActivity population;
  population.name = name;
  population.cells = cells;
  for (int k = 0; k <= static_cast<int>(duration_ms); ++k) {
    population.rate_times_ms.push_back(k);
    population.rates_hz.push_back(rate_hz(k));
  }
  const double independent = 2 * rate_hz(0) / static_cast<double>(cells);
  population.noise = {{1, 14, 16, 39, 41, 149}, std::vector<double>(6, independent), true};
  activity.populations.push_back(std::move(population));
  return activity;
}

}  // namespace triscale::measure::testing

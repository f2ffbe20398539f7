#include "bridges/checks/stimulus.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "core/random.hpp"

namespace triscale::bridges {

namespace {

using network::PoissonTrains;
using network::SpikeTrains;

/// Edges of the pieces on which the factor is constant.
std::vector<double> changes_of(const StimulusPlan& plan) {
  std::vector<double> times_ms = {0.0};
  for (std::size_t k = 0; k < plan.repetitions; ++k) {
    const double begin_ms = plan.settle_ms + static_cast<double>(k) * plan.cycle_ms;
    for (const double t_ms : {plan.pulse_begin_ms, plan.pulse_end_ms, plan.step_begin_ms, plan.step_end_ms}) {
      times_ms.push_back(begin_ms + t_ms);
    }
  }
  return times_ms;
}

double rate_at(const PoissonTrains& trains, double t_ms) {
  const auto after = std::upper_bound(trains.times_ms.begin(), trains.times_ms.end(), t_ms);
  if (after == trains.times_ms.begin()) return 0;
  return trains.rates_hz[static_cast<std::size_t>(after - trains.times_ms.begin()) - 1];
}

PoissonTrains stimulated(const PoissonTrains& trains, const StimulusPlan& plan) {
  std::vector<double> times_ms = changes_of(plan);
  times_ms.insert(times_ms.end(), trains.times_ms.begin(), trains.times_ms.end());
  std::sort(times_ms.begin(), times_ms.end());
  times_ms.erase(std::unique(times_ms.begin(), times_ms.end()), times_ms.end());
  PoissonTrains result = trains;
  result.times_ms = times_ms;
  result.rates_hz.clear();
  for (const double t_ms : times_ms) result.rates_hz.push_back(rate_at(trains, t_ms) * plan.factor_at(t_ms));
  return result;
}

SpikeTrains stimulated(const SpikeTrains& trains, std::size_t cells, double given_ms, const StimulusPlan& plan,
                       std::uint64_t seed, std::size_t population) {
  std::vector<std::pair<double, std::uint32_t>> spikes;
  std::size_t given = 0;
  for (double offset_ms = 0; offset_ms < plan.duration_ms(); offset_ms += given_ms) {
    for (std::size_t k = 0; k < trains.times_ms.size(); ++k) {
      if (trains.times_ms[k] >= given_ms || offset_ms + trains.times_ms[k] >= plan.duration_ms()) continue;
      spikes.push_back({offset_ms + trains.times_ms[k], trains.cells[k]});
      given += offset_ms == 0 ? 1 : 0;
    }
  }
  const double mean_per_ms = static_cast<double>(given) / (given_ms * static_cast<double>(cells));
  std::vector<double> edges_ms = changes_of(plan);
  edges_ms.push_back(plan.duration_ms());
  for (std::size_t cell = 0; cell < cells && mean_per_ms > 0; ++cell) {
    core::RandomStream random(seed, core::Purpose::fit_stimulus, (std::uint64_t{population} << 32) | cell);
    for (std::size_t piece = 0; piece + 1 < edges_ms.size(); ++piece) {
      const double extra_per_ms = mean_per_ms * (plan.factor_at(edges_ms[piece]) - 1);
      if (!(extra_per_ms > 0)) continue;
      for (double t_ms = edges_ms[piece];;) {
        t_ms += random.next_exponential() / extra_per_ms;
        if (t_ms >= edges_ms[piece + 1]) break;
        spikes.push_back({t_ms, static_cast<std::uint32_t>(cell)});
      }
    }
  }
  std::sort(spikes.begin(), spikes.end());
  SpikeTrains result;
  for (const auto& [t_ms, cell] : spikes) {
    result.times_ms.push_back(t_ms);
    result.cells.push_back(cell);
  }
  return result;
}

}  // namespace

double StimulusPlan::factor_at(double t_ms) const {
  if (t_ms < settle_ms) return 1;
  constexpr double kHair_ms = 1e-6;  // times are sums of others
  const double in_cycle_ms = std::fmod(t_ms - settle_ms + kHair_ms, cycle_ms);
  if (in_cycle_ms >= pulse_begin_ms && in_cycle_ms < pulse_end_ms) return pulse_factor;
  if (in_cycle_ms >= step_begin_ms && in_cycle_ms < step_end_ms) return step_factor;
  return 1;
}

std::vector<core::Problem> missing_for_stimulus(const network::Circuit& circuit) {
  for (const network::Population& population : circuit.populations) {
    if (population.is_virtual && !std::holds_alternative<std::monostate>(population.source)) return {};
  }
  return {{"", "--responses", "", "needs external spike sources, and the circuit has none", "leave the option out"}};
}

network::Circuit with_stimulus(network::Circuit circuit, const StimulusPlan& plan) {
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    network::Population& population = circuit.populations[p];
    if (!population.is_virtual) continue;
    if (const auto* poisson = std::get_if<PoissonTrains>(&population.source)) {
      population.source = stimulated(*poisson, plan);
    } else if (const auto* trains = std::get_if<SpikeTrains>(&population.source)) {
      population.source = stimulated(*trains, population.size, circuit.run.duration_ms, plan, circuit.run.seed, p);
    }
  }
  circuit.run.duration_ms = plan.duration_ms();
  circuit.probes.clear();
  circuit.field_probes.clear();
  circuit.weight_probes.clear();
  return circuit;
}

}  // namespace triscale::bridges

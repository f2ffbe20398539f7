#include "bridges/point/cell_recording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/time_grid.hpp"
#include "detailed/simulate.hpp"

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000.0;
constexpr std::size_t kProbedCells = 8;  // as many as the detailed tier runs side by side

/// Keeps V and spikes of the cells of one population.
class SweepRecorder : public core::Recorder {
 public:
  SweepRecorder(std::size_t population, std::vector<GifSweep>& sweeps, std::size_t steps)
      : population_(population), sweeps_(sweeps), steps_(steps) {}

  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    if (population != population_) return;
    for (const std::uint32_t cell : cells) sweeps_[cell].spikes_ms.push_back(t_ms);
  }
  void record_probe(std::size_t, double, std::span<const double> values) override {
    for (std::size_t cell = 0; cell < values.size(); ++cell) {
      if (sweeps_[cell].V_mV.size() < steps_) sweeps_[cell].V_mV.push_back(values[cell]);
    }
  }
  void record_rates(double, std::span<const double>) override {}

 private:
  std::size_t population_;
  std::vector<GifSweep>& sweeps_;
  std::size_t steps_;
};

}  // namespace

std::vector<double> sample_current(const FluctuatingCurrent& current, double dt_ms, std::size_t steps,
                                   std::uint64_t seed, std::uint64_t entity) {
  const core::RandomStream random(seed, core::Purpose::fit_stimulus, entity);
  const double keep = std::exp(-dt_ms / current.tau_ms), kick = std::sqrt(1 - keep * keep);
  std::vector<double> out(steps);
  double x = random.normal(0);
  for (std::size_t k = 0; k < steps; ++k) {
    out[k] = current.mean_nA + current.sd_nA * x;
    x = keep * x + kick * random.normal(k + 1);
  }
  return out;
}

std::vector<GifSweep> record_population(network::Circuit circuit, std::size_t population, core::Progress& progress) {
  const core::TimeGrid grid{circuit.run.dt_ms, circuit.run.duration_ms};
  const auto steps = static_cast<std::size_t>(grid.steps());
  std::vector<GifSweep> sweeps(circuit.populations[population].size);
  for (GifSweep& sweep : sweeps) {
    sweep.dt_ms = circuit.run.dt_ms;
    sweep.V_mV.reserve(steps);
  }
  network::Probe probe;
  probe.name = "v";
  probe.population = population;
  circuit.probes = {probe};
  circuit.field_probes.clear();
  SweepRecorder recorder(population, sweeps, steps);
  detailed::simulate(circuit, 1, recorder, progress);
  return sweeps;
}

std::vector<GifSweep> record_currents(const network::CellType& type, const network::RunSettings& run,
                                      std::vector<std::vector<double>> currents_nA, core::Progress& progress) {
  network::Circuit circuit;
  circuit.run = run;
  circuit.run.duration_ms = static_cast<double>(currents_nA.front().size()) * run.dt_ms;
  circuit.cell_types = {type};
  network::Population population;
  population.name = "cells";
  population.size = currents_nA.size();
  circuit.populations = {population};
  for (std::size_t cell = 0; cell < currents_nA.size(); ++cell) {
    network::CurrentClamp clamp;
    clamp.name = fmt::format("current {}", cell);
    clamp.cells = {static_cast<std::uint32_t>(cell)};
    clamp.waveform = network::SampledCurrent{0, run.dt_ms, currents_nA[cell]};
    circuit.current_clamps.push_back(std::move(clamp));
  }
  std::vector<GifSweep> sweeps = record_population(std::move(circuit), 0, progress);
  for (std::size_t cell = 0; cell < sweeps.size(); ++cell) sweeps[cell].I_nA = std::move(currents_nA[cell]);
  return sweeps;
}

double CurrentScale::mean_for(double rate_hz) const {
  for (std::size_t k = 1; k < levels_nA.size(); ++k) {
    if (rates_hz[k] < rate_hz) continue;
    const double rise = rates_hz[k] - rates_hz[k - 1];
    const double fraction = rise > 0 ? std::clamp((rate_hz - rates_hz[k - 1]) / rise, 0.0, 1.0) : 1.0;
    return levels_nA[k - 1] + fraction * (levels_nA[k] - levels_nA[k - 1]);
  }
  return levels_nA.back();
}

namespace {

/// Rate after `skip_ms` of one cell a level, with noise of the given sd.
std::vector<double> rates_at(const network::CellType& type, const network::RunSettings& run,
                             const std::vector<FluctuatingCurrent>& levels, double duration_ms, double skip_ms,
                             std::uint64_t seed, core::Progress& progress) {
  const auto steps = static_cast<std::size_t>(duration_ms / run.dt_ms);
  std::vector<std::vector<double>> currents;
  for (std::size_t k = 0; k < levels.size(); ++k) {
    currents.push_back(sample_current(levels[k], run.dt_ms, steps, seed, k));
  }
  std::vector<double> rates;
  for (const GifSweep& sweep : record_currents(type, run, std::move(currents), progress)) {
    const auto first = std::lower_bound(sweep.spikes_ms.begin(), sweep.spikes_ms.end(), skip_ms);
    rates.push_back(static_cast<double>(sweep.spikes_ms.end() - first) / (duration_ms - skip_ms) * kMsPerS);
  }
  return rates;
}

/// Interval [silent, firing] of constant currents around the threshold.
std::pair<double, double> bracket_threshold(const network::CellType& type, const network::RunSettings& run,
                                            core::Progress& progress) {
  constexpr double kDuration_ms = 700, kSkip_ms = 200;
  double low = 0, high = 0;
  // 2 pA .. 5 nA in two octave steps, then linear within the octave pair.
  std::vector<FluctuatingCurrent> levels(kProbedCells);
  for (std::size_t k = 0; k < kProbedCells; ++k) levels[k].mean_nA = 0.002 * std::pow(3.0, static_cast<double>(k));
  for (int round = 0; round < 2; ++round) {
    const std::vector<double> rates = rates_at(type, run, levels, kDuration_ms, kSkip_ms, 0, progress);
    const auto first = std::find_if(rates.begin(), rates.end(), [](double rate) { return rate > 0; });
    if (first == rates.end()) {
      if (round > 0) break;
      throw core::NumericalError(fmt::format("cell type {} does not fire at {} nA", type.name, levels.back().mean_nA));
    }
    const auto k = static_cast<std::size_t>(first - rates.begin());
    low = k > 0 ? levels[k - 1].mean_nA : low;
    high = levels[k].mean_nA;
    for (std::size_t j = 0; j < kProbedCells; ++j) {
      levels[j].mean_nA = low + (high - low) * static_cast<double>(j + 1) / static_cast<double>(kProbedCells);
    }
  }
  return {low, high};
}

}  // namespace

CurrentScale find_current_scale(const network::CellType& type, const network::RunSettings& run, double relative_sd,
                                double tau_ms, std::uint64_t seed, core::Progress& progress) {
  constexpr double kDuration_ms = 2500, kSkip_ms = 500;
  CurrentScale out;
  const auto [low, high] = bracket_threshold(type, run, progress);
  out.threshold_nA = 0.5 * (low + high);
  std::vector<FluctuatingCurrent> levels(kProbedCells);
  for (std::size_t k = 0; k < kProbedCells; ++k) {
    const double relative = -0.2 + 2.2 * static_cast<double>(k) / (kProbedCells - 1);
    levels[k] = {relative * out.threshold_nA, relative_sd * out.threshold_nA, tau_ms};
    out.levels_nA.push_back(levels[k].mean_nA);
  }
  out.rates_hz = rates_at(type, run, levels, kDuration_ms, kSkip_ms, seed, progress);
  return out;
}

}  // namespace triscale::bridges

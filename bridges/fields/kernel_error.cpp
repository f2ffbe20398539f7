#include "bridges/fields/kernel_error.hpp"

#include <algorithm>
#include <cmath>

#include "bridges/fields/signal_recorder.hpp"
#include "bridges/point/cell_sample.hpp"

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000;
constexpr double kBin_ms = 20;  // synaptic and membrane time constants: what makes spikes count as together

/// Private part of the spike counts of every cell, per ms.
std::vector<double> private_rates(const measure::PopulationActivity& population, double duration_ms) {
  const auto bins = static_cast<std::size_t>(duration_ms / kBin_ms);
  std::vector<double> rates(population.cells, 0.0);
  if (bins < 2 || population.cells == 0) return rates;
  std::vector<std::vector<float>> counts(population.cells, std::vector<float>(bins, 0.0f));
  std::vector<double> total(bins, 0.0);
  for (std::size_t k = 0; k < population.spike_cells.size(); ++k) {
    const auto bin = static_cast<std::size_t>(population.spike_times_ms[k] / kBin_ms);
    if (bin >= bins) continue;
    counts[population.spike_cells[k]][bin] += 1;
    total[bin] += 1;
  }
  const auto variance = [&](const auto& values) {
    double sum = 0, squares = 0;
    for (const double x : values) sum += x, squares += x * x;
    const double n = static_cast<double>(bins);
    return std::max(0.0, squares / n - sum * sum / (n * n));
  };
  double of_single = 0, deviations = 0;
  for (std::size_t i = 0; i < population.cells; ++i) {
    rates[i] = variance(counts[i]);
    of_single += rates[i];
    deviations += std::sqrt(rates[i]);
  }
  const double pairs = deviations * deviations - of_single;
  const double rho = pairs > 0 ? std::clamp((variance(total) - of_single) / pairs, 0.0, 1.0) : 0.0;
  for (double& rate : rates) rate *= (1 - rho) / kBin_ms;
  return rates;
}

struct Comparison {
  double error = 0, correlation = 0;
};

/// Relative error and correlation of a channel from `begin_ms` on.
Comparison compare_channel(const measure::Signal& truth, const measure::Signal& other, std::size_t channel,
                           double begin_ms) {
  double n = 0, x = 0, y = 0, xx = 0, yy = 0, xy = 0;
  const std::size_t samples = std::min(truth.samples(), other.samples());
  for (std::size_t k = 0; k < samples; ++k) {
    if (truth.begin_ms + static_cast<double>(k) * truth.dt_ms < begin_ms) continue;
    const double a = truth.values[k * truth.channels + channel], b = other.values[k * other.channels + channel];
    n += 1, x += a, y += b, xx += a * a, yy += b * b, xy += a * b;
  }
  if (!(n > 0)) return {};
  const double vx = xx / n - x * x / (n * n), vy = yy / n - y * y / (n * n), c = xy / n - x * y / (n * n);
  if (!(vx > 0)) return {};
  return {std::sqrt(std::max(0.0, vx + vy - 2 * c) / vx), vy > 0 ? c / std::sqrt(vx * vy) : 0.0};
}

double variance_of(const measure::Signal& signal, std::size_t channel, double begin_ms) {
  double n = 0, x = 0, xx = 0;
  for (std::size_t k = 0; k < signal.samples(); ++k) {
    if (signal.begin_ms + static_cast<double>(k) * signal.dt_ms < begin_ms) continue;
    const double a = signal.values[k * signal.channels + channel];
    n += 1, x += a, xx += a * a;
  }
  return n > 0 ? std::max(0.0, xx / n - x * x / (n * n)) : 0.0;
}

}  // namespace

void add_kernel_power(const network::FieldKernels& kernels, const float* h, const float* mean, double interval_ms,
                      double factor, std::vector<double>& power) {
  const auto together = static_cast<std::size_t>(std::max(1.0, std::round(interval_ms / kernels.dt_ms)));
  const std::size_t channels = kernels.channels;
  std::vector<double> sum(channels, 0.0);
  for (std::size_t k = 0; k < kernels.samples; ++k) {
    for (std::size_t c = 0; c < channels; ++c) {
      sum[c] += h[k * channels + c] - (mean != nullptr ? mean[k * channels + c] : 0.0f);
    }
    if ((k + 1) % together != 0) continue;
    for (std::size_t c = 0; c < channels; ++c) {
      power[c] += factor * sum[c] * sum[c] * kernels.dt_ms / static_cast<double>(together);
      sum[c] = 0;
    }
  }
}

PrivateVariance private_variance(const network::Circuit& circuit, const network::FieldKernels& kernels,
                                 const measure::Activity& activity, double interval_ms) {
  PrivateVariance out;
  out.heterogeneity.assign(kernels.channels, 0.0);
  out.chance = out.mean_kernel_chance = out.shared = out.heterogeneity;
  const std::size_t size = kernels.samples * kernels.channels;
  for (const network::SourceKernels& source : kernels.sources) {
    const measure::PopulationActivity& population = activity.populations.at(source.population);
    const std::vector<double> rates = private_rates(population, activity.duration_ms);
    std::vector<double> sum(size, 0.0);
    for (std::size_t i = 0; i < source.values.size(); ++i) sum[i % size] += source.values[i];
    std::vector<float> mean(size);
    const double cells = static_cast<double>(source.values.size() / std::max<std::size_t>(1, size));
    for (std::size_t i = 0; i < size; ++i) mean[i] = static_cast<float>(sum[i] / std::max(1.0, cells));
    const bool simulated = !circuit.populations[source.population].is_virtual;
    double together = 0;
    for (std::size_t i = 0; i < population.cells; ++i) {
      if (!(rates[i] > 0)) continue;
      together += rates[i];
      if (!source.per_cell) continue;
      const float* h = source.values.data() + i * size;
      if (simulated) add_kernel_power(kernels, h, nullptr, interval_ms, rates[i], out.chance);
      add_kernel_power(kernels, h, mean.data(), interval_ms, rates[i], out.heterogeneity);
    }
    if (!(together > 0)) continue;
    add_kernel_power(kernels, mean.data(), nullptr, interval_ms, together, out.mean_kernel_chance);
    if (source.per_cell) continue;
    if (simulated) add_kernel_power(kernels, mean.data(), nullptr, interval_ms, together, out.chance);
    for (std::size_t c = 0; c < source.spread.size(); ++c) {
      out.shared[c] += together * source.spread[c];
      out.heterogeneity[c] += together * source.spread[c];
    }
  }
  return out;
}

std::vector<measure::Signal> signals_of(const network::Circuit& circuit, const network::CircuitKernels& kernels,
                                        const measure::Activity& activity) {
  std::vector<measure::SignalKeeper::Probe> probes;
  for (const network::FieldProbe& probe : circuit.field_probes) {
    probes.push_back({probe.name, probe.dt_ms > 0 ? probe.dt_ms : circuit.run.dt_ms});
  }
  core::NullRecorder nobody;
  measure::SignalKeeper keeper(probes, nobody);
  SignalRecorder recorder(circuit, kernels, keeper);
  struct Spike {
    double t_ms;
    std::size_t population;
    std::uint32_t cell;
  };
  std::vector<Spike> spikes;
  for (std::size_t p = 0; p < activity.populations.size(); ++p) {
    if (circuit.populations[p].is_virtual) continue;
    const measure::PopulationActivity& population = activity.populations[p];
    for (std::size_t k = 0; k < population.spike_cells.size(); ++k) {
      spikes.push_back({population.spike_times_ms[k], p, population.spike_cells[k]});
    }
  }
  std::stable_sort(spikes.begin(), spikes.end(), [](const Spike& a, const Spike& b) { return a.t_ms < b.t_ms; });
  for (const Spike& spike : spikes) recorder.record_spikes(spike.population, spike.t_ms, std::span(&spike.cell, 1));
  recorder.finish();
  return keeper.take();
}

std::vector<measure::KernelError> kernel_errors(const network::Circuit& circuit, const network::CircuitKernels& kernels,
                                                const measure::Activity& detailed,
                                                const std::vector<measure::Signal>& truth, double begin_ms,
                                                const std::vector<measure::Signal>* point) {
  measure::Activity activity = detailed;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (circuit.populations[p].is_virtual) {
      add_source_spikes(circuit, p, detailed.duration_ms, activity.populations[p]);
    }
  }
  const std::vector<measure::Signal> by_cell = signals_of(circuit, kernels, activity);
  const std::vector<measure::Signal> by_population = signals_of(circuit, population_kernels(kernels), activity);
  std::vector<measure::KernelError> out;
  for (std::size_t k = 0; k < truth.size(); ++k) {
    const network::FieldKernels& kernel = kernels.probes[k];
    const bool per_cell =
        std::any_of(kernel.sources.begin(), kernel.sources.end(), [](const auto& s) { return s.per_cell; });
    const PrivateVariance privately = private_variance(circuit, kernel, activity, truth[k].dt_ms);
    measure::KernelError error;
    error.probe = truth[k].probe;
    for (std::size_t c = 0; c < truth[k].channels; ++c) {
      const double unexplained = kernel.unexplained_variance.empty() ? 0.0 : kernel.unexplained_variance[c];
      const Comparison population = compare_channel(truth[k], by_population[k], c, begin_ms);
      error.population_measured.push_back(population.error);
      error.population_correlation.push_back(population.correlation);
      // What a copy by mean kernels shows, and what it misses, add up to the signal.
      const double heterogeneity = privately.heterogeneity[c];
      const double total = variance_of(by_population[k], c, begin_ms) + heterogeneity;
      error.population_predicted.push_back(
          std::sqrt((total > 0 ? heterogeneity / total : 0.0) * (1 - unexplained) + unexplained));
      if (per_cell) {
        const Comparison cell = compare_channel(truth[k], by_cell[k], c, begin_ms);
        error.cell_measured.push_back(cell.error);
        error.cell_correlation.push_back(cell.correlation);
        const double of_cells = variance_of(by_cell[k], c, begin_ms) + privately.shared[c];
        const double shared = of_cells > 0 ? privately.shared[c] / of_cells : 0.0;
        error.cell_predicted.push_back(std::sqrt(shared * (1 - unexplained) + unexplained));
      }
      if (point == nullptr) continue;
      const Comparison coarser = compare_channel(truth[k], (*point)[k], c, begin_ms);
      error.point_measured.push_back(coarser.error);
      error.point_correlation.push_back(coarser.correlation);
      const double of_spikes = compare_channel(by_cell[k], (*point)[k], c, begin_ms).error;
      const double of_kernels = per_cell ? error.cell_predicted.back() : error.population_predicted.back();
      error.point_spikes.push_back(of_spikes);
      const double missed = of_kernels * of_kernels;  // of the whole signal; the rest is what the kernels show
      error.point_predicted.push_back(std::sqrt(of_spikes * of_spikes * std::max(0.0, 1 - missed) + missed));
    }
    out.push_back(std::move(error));
  }
  return out;
}

}  // namespace triscale::bridges

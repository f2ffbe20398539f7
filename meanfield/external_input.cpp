#include "meanfield/external_input.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace triscale::meanfield {

namespace {

std::vector<double> counts_in_bins(const network::SpikeTrains& trains, double duration_ms, std::size_t bins) {
  std::vector<double> counts(bins, 0.0);
  for (const double t_ms : trains.times_ms) {
    if (!(t_ms >= 0 && t_ms <= duration_ms)) continue;
    const auto bin = static_cast<std::size_t>(t_ms / duration_ms * static_cast<double>(bins));
    counts[std::min(bin, bins - 1)] += 1;
  }
  return counts;
}

std::size_t best_number_of_bins(const network::SpikeTrains& trains, double duration_ms) {
  const auto most = static_cast<std::size_t>(std::max(1.0, std::floor(duration_ms / kSmallestBin_ms)));
  std::size_t best = 1;
  double smallest_cost = std::numeric_limits<double>::infinity();
  for (std::size_t bins = 1; bins <= most; bins = std::max(bins + 1, bins * 6 / 5)) {
    const std::vector<double> counts = counts_in_bins(trains, duration_ms, bins);
    const auto n = static_cast<double>(bins);
    double mean = 0;
    for (const double count : counts) mean += count / n;
    double variance = 0;
    for (const double count : counts) variance += (count - mean) * (count - mean) / n;
    const double cost = (2 * mean - variance) * n * n;  // times duration^2, which does not change the order
    if (cost < smallest_cost) {
      smallest_cost = cost;
      best = bins;
    }
  }
  return best;
}

}  // namespace

double PiecewiseRate::at(double t_ms) const {
  const auto after = std::upper_bound(times_ms.begin(), times_ms.end(), t_ms);
  return after == times_ms.begin() ? 0.0 : rates_hz[static_cast<std::size_t>(after - times_ms.begin()) - 1];
}

double PiecewiseRate::mean(double begin_ms, double end_ms) const {
  if (!(end_ms > begin_ms)) return at(begin_ms);
  const auto after = std::upper_bound(times_ms.begin(), times_ms.end(), begin_ms);
  auto i = static_cast<std::size_t>(after - times_ms.begin());
  if (i > 0) --i;
  double integral = 0;
  for (; i < times_ms.size() && times_ms[i] < end_ms; ++i) {
    const double from = std::max(begin_ms, times_ms[i]);
    const double to = i + 1 < times_ms.size() ? std::min(end_ms, times_ms[i + 1]) : end_ms;
    integral += rates_hz[i] * (to - from);
  }
  return integral / (end_ms - begin_ms);
}

PiecewiseRate rate_of_spikes(const network::SpikeTrains& trains, std::size_t cells, double duration_ms, double bin_ms) {
  PiecewiseRate rate;
  if (cells == 0 || !(duration_ms > 0)) return rate;
  const std::size_t bins = bin_ms > 0 ? static_cast<std::size_t>(std::max(1.0, std::round(duration_ms / bin_ms)))
                                      : best_number_of_bins(trains, duration_ms);
  const double width_ms = duration_ms / static_cast<double>(bins);
  rate.times_ms.clear();
  rate.rates_hz.clear();
  const std::vector<double> counts = counts_in_bins(trains, duration_ms, bins);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    rate.times_ms.push_back(static_cast<double>(bin) * width_ms);
    rate.rates_hz.push_back(counts[bin] * 1000.0 / (width_ms * static_cast<double>(cells)));
  }
  return rate;
}

PiecewiseRate rate_of_source(const network::Population& population, double duration_ms, double bin_ms) {
  if (const auto* trains = std::get_if<network::SpikeTrains>(&population.source)) {
    return rate_of_spikes(*trains, population.size, duration_ms, bin_ms);
  }
  if (const auto* poisson = std::get_if<network::PoissonTrains>(&population.source)) {
    return {poisson->times_ms, poisson->rates_hz};
  }
  return {};
}

std::vector<double> relative_cell_rates(const network::Population& population, double duration_ms) {
  std::vector<double> relative(population.size, 1.0);
  const auto* trains = std::get_if<network::SpikeTrains>(&population.source);
  if (trains == nullptr) return relative;
  std::vector<double> counts(population.size, 0.0);
  double total = 0;
  for (std::size_t i = 0; i < trains->times_ms.size(); ++i) {
    if (!(trains->times_ms[i] >= 0 && trains->times_ms[i] <= duration_ms)) continue;
    counts[trains->cells[i]] += 1;
    total += 1;
  }
  if (!(total > 0)) return relative;
  for (std::size_t cell = 0; cell < counts.size(); ++cell) {
    relative[cell] = counts[cell] * static_cast<double>(population.size) / total;
  }
  return relative;
}

namespace {

double overlap_ms(double begin_a, double end_a, double begin_b, double end_b) {
  return std::max(0.0, std::min(end_a, end_b) - std::max(begin_a, begin_b));
}

double integral(const network::CurrentSegment& segment, double begin_ms, double end_ms) {
  const double length_ms = overlap_ms(segment.begin_ms, segment.end_ms, begin_ms, end_ms);
  if (!(length_ms > 0)) return 0;
  const double middle_ms = std::max(segment.begin_ms, begin_ms) + length_ms / 2;  // the ramp is linear
  const double fraction = (middle_ms - segment.begin_ms) / (segment.end_ms - segment.begin_ms);
  return length_ms * (segment.begin_nA + fraction * (segment.end_nA - segment.begin_nA));
}

double integral(const network::NoiseCurrent& noise, double begin_ms, double end_ms) {
  return noise.mean_nA * overlap_ms(noise.begin_ms, noise.end_ms, begin_ms, end_ms);
}

double integral(const network::SampledCurrent& sampled, double begin_ms, double end_ms) {
  const double first = std::max(0.0, std::floor((begin_ms - sampled.begin_ms) / sampled.dt_ms));
  double sum = 0;
  for (auto k = static_cast<std::size_t>(first); k < sampled.values_nA.size(); ++k) {
    const double from_ms = sampled.begin_ms + static_cast<double>(k) * sampled.dt_ms;
    if (from_ms >= end_ms) break;
    sum += sampled.values_nA[k] * overlap_ms(from_ms, from_ms + sampled.dt_ms, begin_ms, end_ms);
  }
  return sum;
}

}  // namespace

double mean_current_nA(const network::CurrentClamp& clamp, double begin_ms, double end_ms) {
  return std::visit([&](const auto& waveform) { return integral(waveform, begin_ms, end_ms); }, clamp.waveform) /
         (end_ms - begin_ms);
}

}  // namespace triscale::meanfield

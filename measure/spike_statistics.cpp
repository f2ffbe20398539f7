#include "measure/spike_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <complex>
#include <functional>
#include <numbers>
#include <numeric>
#include <unsupported/Eigen/FFT>

namespace triscale::measure {

namespace {

constexpr double kMsPerS = 1000.0;

/// Integral of the sampled rate from the first sample to t (piecewise linear, constant outside), Hz ms. `hint` is the
/// running position: calls come with ascending t.
class RateIntegral {
 public:
  explicit RateIntegral(const PopulationActivity& population)
      : times_(population.rate_times_ms), rates_(population.rates_hz) {}

  double up_to(double t_ms) {
    if (t_ms <= times_.front()) return (t_ms - times_.front()) * rates_.front();
    while (position_ + 1 < times_.size() && times_[position_ + 1] <= t_ms) {
      sum_ += 0.5 * (rates_[position_] + rates_[position_ + 1]) * (times_[position_ + 1] - times_[position_]);
      ++position_;
    }
    const double step_ms = t_ms - times_[position_];
    if (position_ + 1 == times_.size()) return sum_ + step_ms * rates_.back();
    const double slope = (rates_[position_ + 1] - rates_[position_]) / (times_[position_ + 1] - times_[position_]);
    return sum_ + step_ms * (rates_[position_] + 0.5 * slope * step_ms);
  }

 private:
  const std::vector<double>& times_;
  const std::vector<double>& rates_;
  std::size_t position_ = 0;
  double sum_ = 0;
};

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

std::optional<double> mean_rate_hz(const PopulationActivity& population, Activity::Kind kind, Window window) {
  if (population.cells == 0 || !(window.length_ms() > 0)) return std::nullopt;
  if (kind == Activity::Kind::rates) {
    if (population.rate_times_ms.empty()) return std::nullopt;
    RateIntegral integral(population);
    const double before = integral.up_to(window.begin_ms);
    return (integral.up_to(window.end_ms) - before) / window.length_ms();
  }
  const auto spikes = std::count_if(population.spike_times_ms.begin(), population.spike_times_ms.end(),
                                    [&](double t_ms) { return window.contains(t_ms); });
  return static_cast<double>(spikes) * kMsPerS / (static_cast<double>(population.cells) * window.length_ms());
}

std::vector<double> cell_rates_hz(const PopulationActivity& population, Window window) {
  std::vector<double> rates(population.cells, 0.0);
  for (std::size_t k = 0; k < population.spike_times_ms.size(); ++k) {
    if (window.contains(population.spike_times_ms[k])) rates[population.spike_cells[k]] += 1.0;
  }
  for (double& rate : rates) rate *= kMsPerS / window.length_ms();
  return rates;
}

std::optional<double> cv_isi(const PopulationActivity& population, Window window, std::size_t min_intervals) {
  struct Sums {
    double last_ms = -1, n = 0, sum = 0, squares = 0;
    bool started = false;
  };
  std::vector<Sums> cells(population.cells);
  for (std::size_t k = 0; k < population.spike_times_ms.size(); ++k) {
    const double t_ms = population.spike_times_ms[k];
    if (!window.contains(t_ms)) continue;
    Sums& cell = cells[population.spike_cells[k]];
    if (cell.started) {
      const double interval = t_ms - cell.last_ms;
      cell.n += 1;
      cell.sum += interval;
      cell.squares += interval * interval;
    }
    cell.started = true;
    cell.last_ms = t_ms;
  }
  const double needed = static_cast<double>(std::max<std::size_t>(min_intervals, 2));
  double total = 0, counted = 0;
  for (const Sums& cell : cells) {
    if (cell.n < needed || !(cell.sum > 0)) continue;
    const double mean = cell.sum / cell.n;
    const double variance = std::max(0.0, (cell.squares - cell.n * mean * mean) / (cell.n - 1));
    total += std::sqrt(variance) / mean;
    counted += 1;
  }
  if (!(counted > 0)) return std::nullopt;
  return total / counted;
}

std::optional<double> top_share(std::span<const double> cell_rates, double fraction) {
  const double total = std::accumulate(cell_rates.begin(), cell_rates.end(), 0.0);
  if (!(total > 0)) return std::nullopt;
  std::vector<double> sorted(cell_rates.begin(), cell_rates.end());
  // The number of cells is read with a hair of tolerance, so that 0.1 * 30 is three cells and not 3.0000000000000004.
  const double wanted = fraction * static_cast<double>(sorted.size());
  const auto whole = static_cast<std::size_t>(wanted + 1e-9);
  const double part = std::max(0.0, wanted - static_cast<double>(whole));
  const std::size_t used = std::min(sorted.size(), whole + 1);
  std::partial_sort(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(used), sorted.end(), std::greater<>());
  double top =
      std::accumulate(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(std::min(whole, used)), 0.0);
  if (whole < sorted.size()) top += part * sorted[whole];
  return top / total;
}

std::optional<double> silent_fraction(std::span<const double> cell_rates) {
  if (cell_rates.empty()) return std::nullopt;
  const auto silent = std::count_if(cell_rates.begin(), cell_rates.end(), [](double rate) { return !(rate > 0); });
  return static_cast<double>(silent) / static_cast<double>(cell_rates.size());
}

std::optional<double> ks_distance(std::vector<double> a, std::vector<double> b) {
  if (a.empty() || b.empty()) return std::nullopt;
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  const double size_a = static_cast<double>(a.size()), size_b = static_cast<double>(b.size());
  std::size_t i = 0, j = 0;
  double distance = 0;
  while (i < a.size() && j < b.size()) {
    const double x = std::min(a[i], b[j]);  // both functions jump at x by all their values equal to x
    while (i < a.size() && a[i] == x) ++i;
    while (j < b.size() && b[j] == x) ++j;
    distance = std::max(distance, std::abs(static_cast<double>(i) / size_a - static_cast<double>(j) / size_b));
  }
  return distance;
}

std::vector<double> poisson_mixture_cdf(std::span<const double> expected, std::size_t highest) {
  std::vector<double> cdf(highest + 1, 0.0);
  for (const double mean : expected) {
    double below = 0;
    for (std::size_t n = 0; n <= highest; ++n) {
      // exp(n ln mean - mean - ln n!): safe for means where exp(-mean) underflows
      const auto k = static_cast<double>(n);
      below += mean > 0 ? std::exp(k * std::log(mean) - mean - std::lgamma(k + 1)) : (n == 0 ? 1.0 : 0.0);
      cdf[n] += below / static_cast<double>(expected.size());
    }
  }
  return cdf;
}

std::optional<double> ks_distance_to_cdf(std::span<const double> counts, std::span<const double> cdf) {
  if (counts.empty() || cdf.empty()) return std::nullopt;
  std::vector<double> share(cdf.size(), 0.0);
  for (const double count : counts) {
    share[std::min(cdf.size() - 1, static_cast<std::size_t>(std::llround(count)))] +=
        1 / static_cast<double>(counts.size());
  }
  double below = 0, distance = 0;
  for (std::size_t n = 0; n < cdf.size(); ++n) {
    below += share[n];
    distance = std::max(distance, std::abs(below - cdf[n]));
  }
  return distance;
}

std::vector<double> rate_time_course_hz(const PopulationActivity& population, Activity::Kind kind, Window window,
                                        double bin_ms) {
  const auto bins = static_cast<std::size_t>(std::max(0.0, std::floor(window.length_ms() / bin_ms + 1e-9)));
  std::vector<double> course(bins, 0.0);
  if (kind == Activity::Kind::rates) {
    if (population.rate_times_ms.empty()) return {};
    RateIntegral integral(population);
    double before = integral.up_to(window.begin_ms);
    for (std::size_t bin = 0; bin < bins; ++bin) {
      const double after = integral.up_to(window.begin_ms + static_cast<double>(bin + 1) * bin_ms);
      course[bin] = (after - before) / bin_ms;
      before = after;
    }
    return course;
  }
  if (population.cells == 0) return {};
  for (const double t_ms : population.spike_times_ms) {
    if (!window.contains(t_ms)) continue;
    const auto bin = static_cast<std::size_t>((t_ms - window.begin_ms) / bin_ms);
    if (bin < bins) course[bin] += 1.0;
  }
  for (double& rate : course) rate *= kMsPerS / (bin_ms * static_cast<double>(population.cells));
  return course;
}

std::optional<double> correlation(std::span<const double> a, std::span<const double> b) {
  if (a.size() != b.size() || a.size() < 2) return std::nullopt;
  const double mean_a = mean_of(a), mean_b = mean_of(b);
  double aa = 0, bb = 0, ab = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    aa += (a[k] - mean_a) * (a[k] - mean_a);
    bb += (b[k] - mean_b) * (b[k] - mean_b);
    ab += (a[k] - mean_a) * (b[k] - mean_b);
  }
  if (!(aa > 0) || !(bb > 0)) return std::nullopt;
  return std::clamp(ab / std::sqrt(aa * bb), -1.0, 1.0);
}

std::optional<double> shared_variance(double cells, double sum_of_cell_variances, double variance_of_sum) {
  if (!(cells >= 2) || !(variance_of_sum > 0)) return std::nullopt;
  return std::clamp(cells / (cells - 1) * (1 - sum_of_cell_variances / variance_of_sum), 0.0, 1.0);
}

Spectrum power_spectrum(std::span<const double> rates_hz, double bin_ms, std::size_t segment) {
  const std::size_t length = std::min(std::max<std::size_t>(segment, 2), rates_hz.size());
  if (length < 2) return {};
  const double mean = mean_of(rates_hz);
  std::vector<double> hann(length);
  double hann_power = 0;
  for (std::size_t k = 0; k < length; ++k) {
    hann[k] = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * (static_cast<double>(k) + 0.5) / static_cast<double>(length));
    hann_power += hann[k] * hann[k];
  }
  const double bin_s = bin_ms / kMsPerS;
  const std::size_t frequencies = length / 2 + 1;
  Spectrum spectrum;
  spectrum.power.assign(frequencies, 0.0);
  Eigen::FFT<double> fft;
  std::vector<double> piece(length);
  std::vector<std::complex<double>> transform;
  std::size_t segments = 0;
  for (std::size_t begin = 0; begin + length <= rates_hz.size(); begin += std::max<std::size_t>(1, length / 2)) {
    for (std::size_t k = 0; k < length; ++k) piece[k] = hann[k] * (rates_hz[begin + k] - mean);
    fft.fwd(transform, piece);
    for (std::size_t f = 0; f < frequencies; ++f) spectrum.power[f] += std::norm(transform[f]);
    ++segments;
  }
  for (std::size_t f = 0; f < frequencies; ++f) {
    // Positive and negative frequencies are folded together; zero and the highest frequency occur only once.
    const bool once = f == 0 || (length % 2 == 0 && f == length / 2);
    spectrum.power[f] *= (once ? 1.0 : 2.0) * bin_s / (hann_power * static_cast<double>(segments));
    spectrum.frequency_hz.push_back(static_cast<double>(f) / (static_cast<double>(length) * bin_s));
  }
  return spectrum;
}

}  // namespace triscale::measure

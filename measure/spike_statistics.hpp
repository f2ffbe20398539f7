/// Statistics of spike trains and of population rates. A statistic that the data cannot give (the variability of
/// intervals of cells that do not fire) is std::nullopt, never NaN.
///
/// All functions look at the window begin_ms <= t < end_ms.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "measure/activity.hpp"

namespace triscale::measure {

struct Window {
  double begin_ms = 0;
  double end_ms = 0;
  double length_ms() const { return end_ms - begin_ms; }
  bool contains(double t_ms) const { return t_ms >= begin_ms && t_ms < end_ms; }
};

/// Mean over cells and time. Spikes / (cells * time); for sampled rates the time average. nullopt without cells or
/// time.
std::optional<double> mean_rate_hz(const PopulationActivity& population, Activity::Kind kind, Window window);

/// Spike count of every cell over the window's length.
std::vector<double> cell_rates_hz(const PopulationActivity& population, Window window);

/// Coefficient of variation of inter-spike intervals: per cell, standard deviation (n - 1) over mean of its intervals;
/// then the mean over the cells with at least `min_intervals` (>= 2). nullopt if no cell has as many.
std::optional<double> cv_isi(const PopulationActivity& population, Window window, std::size_t min_intervals = 10);

/// Share of all activity that the most active `fraction` of cells has. When fraction * n is not whole, the next cell
/// counts in part, so the share of n equal cells is exactly `fraction`. nullopt if nothing is active.
std::optional<double> top_share(std::span<const double> cell_rates, double fraction = 0.1);

/// Share of cells with no spike at all; nullopt without cells.
std::optional<double> silent_fraction(std::span<const double> cell_rates);

/// Two-sample Kolmogorov-Smirnov distance: the largest difference between the two empirical distribution functions.
/// Ties, within and between samples, are exact. nullopt if a sample is empty.
std::optional<double> ks_distance(std::vector<double> a, std::vector<double> b);

/// Distribution function of the number of spikes of a cell taken at random, at n = 0 .. highest, where cell i fires a
/// Poisson number with mean expected[i].
std::vector<double> poisson_mixture_cdf(std::span<const double> expected, std::size_t highest);
/// Kolmogorov-Smirnov distance of the distribution of whole numbers `counts` from `cdf`, given at 0, 1, ...; the first
/// must not exceed the last of the second.
std::optional<double> ks_distance_to_cdf(std::span<const double> counts, std::span<const double> cdf);

/// Population rate in Hz in the whole bins of `bin_ms` that fit into the window, from its begin. Spikes are counted;
/// sampled rates are averaged over each bin (linear between samples, constant before the first and after the last).
std::vector<double> rate_time_course_hz(const PopulationActivity& population, Activity::Kind kind, Window window,
                                        double bin_ms);

/// Pearson's correlation; nullopt if the lengths differ, or one of the two does not vary.
std::optional<double> correlation(std::span<const double> a, std::span<const double> b);

/// Share of the variance of a population's rate time course that its cells have in common:
///   alpha = n / (n - 1) (1 - sum_i Var(x_i) / Var(sum_i x_i)),   x_i: counts of cell i in the bins,
/// Cronbach's alpha (Cronbach 1951, Psychometrika 16:297). It is what the rates of two populations driven by the same
/// signal, but with independent chance, would correlate by. Clipped to [0, 1]; nullopt with fewer than 2 cells or
/// without variance.
std::optional<double> shared_variance(double cells, double sum_of_cell_variances, double variance_of_sum);

/// One-sided power spectral density of a rate time course by Welch's method (Welch 1967, IEEE Trans. Audio
/// Electroacoust. 15:70): mean removed, Hann windows of `segment` bins that overlap by half. Its integral over
/// frequency is the variance.
struct Spectrum {
  std::vector<double> frequency_hz;
  std::vector<double> power;  ///< Hz^2 / Hz
};
/// `segment` >= 2 bins; a shorter time course is taken as one segment. Empty for fewer than 2 bins.
Spectrum power_spectrum(std::span<const double> rates_hz, double bin_ms, std::size_t segment);

}  // namespace triscale::measure

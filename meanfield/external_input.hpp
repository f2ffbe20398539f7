/// Rates of virtual populations and injected currents as functions of time.
///
/// A list of spike trains becomes a rate by counting the spikes of all cells in bins of equal width. A mean-field rate
/// is the intensity behind the spikes; their shot noise is already in sigma_V. Narrow bins would pass shot noise on as
/// rate and count it twice, wide bins would hide a change of the stimulus. The width therefore minimises the estimated
/// integrated squared error of the histogram, cost(width) = (2 mean - variance) / width^2 with mean and variance of the
/// counts per bin (Shimazaki & Shinomoto 2007, Neural Computation 19:1503): a stationary input gives one bin. The
/// number of spikes is conserved exactly.
#pragma once

#include <cstddef>
#include <vector>

#include "network/circuit.hpp"

namespace triscale::meanfield {

/// A rate that is constant between given times: rates_hz[i] from times_ms[i] on, 0 before the first.
struct PiecewiseRate {
  std::vector<double> times_ms{0.0};
  std::vector<double> rates_hz{0.0};

  double at(double t_ms) const;
  /// Average over [begin, end].
  double mean(double begin_ms, double end_ms) const;
};

/// Narrowest bin that is tried for spike trains.
inline constexpr double kSmallestBin_ms = 5.0;

/// Histogram with the best width between kSmallestBin_ms and the duration; bin_ms > 0 asks for that width (rounded so
/// that bins divide the duration).
PiecewiseRate rate_of_spikes(const network::SpikeTrains& trains, std::size_t cells, double duration_ms,
                             double bin_ms = 0);

/// Rate of a virtual population, averaged over its cells. A population without source is silent.
PiecewiseRate rate_of_source(const network::Population& population, double duration_ms, double bin_ms = 0);

/// Rate of every cell of a virtual population over the run, relative to the population's mean; ones where all cells are
/// alike or none fires.
std::vector<double> relative_cell_rates(const network::Population& population, double duration_ms);

/// Deterministic part of an injected current (of a noise current, its mean), averaged over [begin, end], begin < end.
double mean_current_nA(const network::CurrentClamp& clamp, double begin_ms, double end_ms);

}  // namespace triscale::meanfield

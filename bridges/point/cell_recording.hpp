/// Records single cells of the detailed tier: somatic current, or synaptic conductance on the dendrites, in; membrane
/// potential and spikes out; in the form in which the GIF fit takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridges/gif/gif_fit.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// In-vivo-like current: Ornstein-Uhlenbeck noise of given mean, standard deviation and correlation time.
struct FluctuatingCurrent {
  double mean_nA = 0, sd_nA = 0;
  double tau_ms = 3;
};

/// Samples of the current, a pure function of (seed, entity).
std::vector<double> sample_current(const FluctuatingCurrent& current, double dt_ms, std::size_t steps,
                                   std::uint64_t seed, std::uint64_t entity);

/// Runs one unconnected cell a waveform (nA, one value a time step, at the soma) and returns what it did.
std::vector<GifSweep> record_currents(const network::CellType& type, const network::RunSettings& run,
                                      std::vector<std::vector<double>> currents_nA, core::Progress& progress);

/// Runs `circuit` on the detailed tier and returns V and spikes of the cells of one population; currents are left
/// empty.
std::vector<GifSweep> record_population(network::Circuit circuit, std::size_t population, core::Progress& progress);

/// Mean currents at which a cell fires at given rates, for noise with sd = relative_sd * (current scale of the cell).
/// `scale_nA` is the constant current that just makes it fire. Found by runs of eight cells side by side.
struct CurrentScale {
  double threshold_nA = 0;        ///< constant current at which the cell begins to fire
  std::vector<double> levels_nA;  ///< mean currents probed with noise, ascending
  std::vector<double> rates_hz;   ///< rates there
  /// Mean current for a rate by linear interpolation; the last level if the rate is not reached.
  double mean_for(double rate_hz) const;
};
CurrentScale find_current_scale(const network::CellType& type, const network::RunSettings& run, double relative_sd,
                                double tau_ms, std::uint64_t seed, core::Progress& progress);

}  // namespace triscale::bridges

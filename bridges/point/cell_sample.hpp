/// A few detailed cells of a population as the network drives them: every synapse of theirs gets the spikes that its
/// source fired in a run of a coarser tier (Hagen et al. 2016, Cereb Cortex 26:4461: populations driven by the spikes
/// of a point network). Their potentials show about which state the population may be linearised, and what a spike
/// adds.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/recorder.hpp"
#include "detailed/compartments.hpp"
#include "measure/activity.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

struct CellSample {
  std::vector<std::uint32_t> cells;  ///< indices within the population
  double dt_ms = 0.1;
  std::size_t steps = 0;                       ///< from 0 ms on
  std::size_t settled = 0;                     ///< steps before this one still show the start
  std::size_t nodes = 0;                       ///< of the tree, branch nodes included
  std::vector<float> V_mV;                     ///< [cell][step][node]
  std::vector<std::vector<double>> spikes_ms;  ///< one list a cell

  const float* at(std::size_t cell, std::size_t step) const { return V_mV.data() + (cell * steps + step) * nodes; }
  /// Mean potential of every node over cells and time, without the time around each cell's own spikes.
  std::vector<double> mean_V_mV() const;
};

/// `sources`: spikes of all populations, virtual ones included. Up to `most_cells` cells, spread over the population.
CellSample sample_cells(const network::Circuit& circuit, std::size_t population, const measure::Activity& sources,
                        double duration_ms, std::size_t most_cells, core::Progress& progress);

/// What each population fires in the first `duration_ms` on the point tier, with the spikes of virtual populations.
measure::Activity point_activity(const network::Circuit& circuit, double duration_ms, std::size_t threads,
                                 core::Progress& progress);

/// Spikes of a virtual population.
void add_source_spikes(const network::Circuit& circuit, std::size_t population, double duration_ms,
                       measure::PopulationActivity& activity);

/// Mean rate of every cell by label (SourceLabels).
std::vector<double> rates_of(const network::Circuit& circuit, const measure::Activity& activity);

}  // namespace triscale::bridges

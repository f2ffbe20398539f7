/// Drives a few cells of one type through their own synapses: the edges of the circuit, with every source replaced by a
/// Poisson process. So the point model is fitted to the input that it will get: conductances on dendrites, with the
/// circuit's weights, places and in-degrees, over a range of external and recurrent rates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bridges/gif/gif_fit.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Rates of the sources during one stretch of time, as multiples of their base rates. Base rate of a virtual source:
/// its mean rate in the circuit; of a simulated one: that of the operating point, 0.5 Hz at least.
struct DriveLevel {
  double external = 1, recurrent = 1;
};

class SynapticDrive {
 public:
  /// Cells of one population, ascending (bridges/point/training_cells.hpp). `rates_hz`: of every population
  /// (bridges/point/operating_point.hpp).
  SynapticDrive(const network::Circuit& circuit, std::size_t population, const std::vector<std::uint32_t>& cells,
                const std::vector<double>& rates_hz);

  /// False if the cells receive no synapses with conductances.
  bool has_input() const { return !projections_.empty(); }
  /// Runs the detailed tier through the levels, each for level_ms. The sweeps have no currents yet.
  std::vector<GifSweep> record(const std::vector<DriveLevel>& levels, double level_ms, std::uint64_t seed,
                               core::Progress& progress) const;
  /// Adds GE = sum g E and G = sum g to what record() returned for the same arguments, as the point tier computes them
  /// from the point descriptions in `synapse_types` (one for each of the circuit's) for cells of this membrane.
  void add_conductances(const std::vector<network::SynapseType>& synapse_types, const PassiveMembrane& membrane,
                        const std::vector<DriveLevel>& levels, double level_ms, std::uint64_t seed,
                        std::vector<GifSweep>& sweeps) const;
  /// Levels around the circuit's own external rates and the operating point's recurrent ones; if the cells are nearly
  /// silent or very busy there, around the multiple of the external rates that brings them nearest to 6 Hz. Empty if
  /// none makes them fire.
  std::vector<DriveLevel> find_levels(std::uint64_t seed, core::Progress& progress) const;

 private:
  struct Input {
    std::size_t population;  ///< in circuit_
    double base_rate_hz;
    bool external;
  };
  network::Circuit driven(const std::vector<DriveLevel>& levels, double level_ms, std::uint64_t seed) const;

  network::Circuit circuit_;  ///< population 0: the cells; the others: their sources
  std::vector<Input> inputs_;
  std::vector<std::size_t> projections_;  ///< those with edges
};

}  // namespace triscale::bridges

/// A measurement of the field that the currents of many cells make together: extracellular potential, current source
/// density, current dipole moment, EEG, MEG. Plain data; the forward models stand in measure/.
///
/// Positions are in the coordinates of the circuit, um; conductivities in S/m.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/forward_model.hpp"

namespace triscale::network {

/// A contact: a point, or a disc if its radius is > 0.
struct Electrode {
  std::uint64_t id = 0;  ///< channel id in result files
  core::Vec3 position_um{};
  double radius_um = 0;
  core::Vec3 normal{0, 0, 1};  ///< of the disc; any length
};

/// Extracellular potential, mV.
struct ExtracellularPotential {
  enum class Source { point, line, root_as_point } source = Source::line;
  std::vector<Electrode> electrodes;
  core::Vec3 conductivity_S_m{0.3, 0.3, 0.3};  ///< along x, y, z
  int disc_points = 50;                        ///< over which the potential on a disc is averaged
};

struct FieldProbe {
  std::string name;
  std::variant<ExtracellularPotential> signal;

  /// Cells that count; all cells of the population if `cells` is empty.
  struct Contribution {
    std::size_t population = 0;  ///< index into Circuit::populations
    std::vector<std::uint32_t> cells;
  };
  std::vector<Contribution> contributions;  ///< empty: all populations that are not virtual

  double begin_ms = 0, end_ms = 1e300;  ///< samples at begin, begin + dt, ... < end
  double dt_ms = 0;                     ///< sampling interval; 0: every step
  bool average = false;                 ///< a sample is the mean over the dt that begins at its time
  /// Name of the result file, without extension; empty: the probe's name.
  std::string report{};
};

}  // namespace triscale::network

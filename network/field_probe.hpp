/// A measurement of the field that the currents of many cells make together: extracellular potential, current source
/// density, current dipole moment, EEG, MEG. Plain data; the forward models stand in measure/.
///
/// Positions are in the coordinates of the circuit, um; conductivities in S/m.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
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

/// A box, or a cylinder along one axis.
struct Volume {
  std::uint64_t id = 0;
  enum class Shape { box, cylinder } shape = Shape::box;
  core::Vec3 low_um{}, high_um{};  ///< opposite corners; of the box around the cylinder
  int axis = 2;                    ///< of the cylinder: 0, 1, 2 for x, y, z
};

/// Current source density in volumes, nA/um3.
struct CurrentSourceDensity {
  std::vector<Volume> volumes;
};

/// Current dipole moment of the cells, nA um: three channels x, y, z.
struct CurrentDipole {};

/// Four concentric spheres: brain, cerebrospinal fluid, skull, scalp.
struct HeadModel {
  core::Vec3 centre_um{};
  std::array<double, 4> radii_um{79000, 80000, 85000, 90000};
  std::array<double, 4> conductivities_S_m{0.3, 1.5, 0.015, 0.3};
};

/// Potential of the cells' current dipoles, mV, in an infinite medium or on and in a head.
struct Eeg {
  std::vector<Electrode> electrodes;
  double conductivity_S_m = 0.3;  ///< of the infinite medium
  std::optional<HeadModel> head;
  /// Where the dipoles are; each at its cell's soma if not given.
  std::optional<core::Vec3> dipole_position_um;
};

/// Magnetic field of the cells' current dipoles, fT, in an infinite medium or outside a spherical conductor: three
/// channels a sensor (x, y, z), or one where the sensor has a direction.
struct Meg {
  struct Sensor {
    std::uint64_t id = 0;
    core::Vec3 position_um{};
    std::optional<core::Vec3> direction;
  };
  std::vector<Sensor> sensors;
  std::optional<core::Vec3> sphere_centre_um;
  std::optional<core::Vec3> dipole_position_um;
};

struct FieldProbe {
  std::string name;
  std::variant<ExtracellularPotential, CurrentSourceDensity, CurrentDipole, Eeg, Meg> signal;

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
  /// Folder of a file for each cell with what it adds to the field, beside the result file; empty: none. Detailed tier.
  std::string contributions_dir{};
};

}  // namespace triscale::network

/// What a measurement makes of the membrane currents of a cell: the interface between the tiers that have currents and
/// the forward models in measure/, which know neither cells nor files.
///
/// All models are linear: channel c sees sum_s w[s][c] I_s with I_s the current that leaves the cell through the
/// membrane of segment s (nA, outward positive). Some see the cell through a few components only (its dipole moment);
/// they give the weights of the components and a matrix from components to channels.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace triscale::core {

/// A place or a direction: x, y, z.
using Vec3 = std::array<double, 3>;

/// A straight piece of membrane, in the coordinates of the circuit.
struct Segment {
  Vec3 start_um{}, end_um{};
  double diameter_um = 0;
};

/// A cell where it stands. The first `soma_segments` segments are those of the soma.
struct PlacedCell {
  std::span<const Segment> segments;
  std::size_t soma_segments = 1;
  Vec3 soma_um{};  ///< middle of the soma
};

class ForwardModel {
 public:
  virtual ~ForwardModel() = default;

  virtual std::size_t channels() const = 0;
  /// Numbers accumulated for a cell; channels() unless mixing() says otherwise.
  virtual std::size_t components() const { return channels(); }
  /// weights[s * components() + c] per nA.
  virtual void weights(const PlacedCell& cell, std::span<double> weights) const = 0;
  /// Empty: the components are the channels. Otherwise the matrix [channel * components() + component] of this cell.
  virtual std::vector<double> mixing(const PlacedCell&) const { return {}; }
};

}  // namespace triscale::core

/// Extracellular potential of membrane currents in an infinite, homogeneous, purely resistive medium.
///
/// Point source. The current I of a segment enters the medium at its middle r_s:
///   phi(r) = I / (4 pi sigma max(|r - r_s|, d/2)),
/// d the segment's diameter.
///
/// Line source (Holt & Koch 1999). The current leaves evenly along the axis of the segment, of length L. With l and h
/// the positions of the electrode along the axis, seen from the start and from the end of the segment (h = l - L), and
/// rho its distance from the axis, not less than d/2:
///   phi(r) = I / (4 pi sigma L) (asinh(l/rho) - asinh(h/rho)).
/// The logarithm of one ratio is used instead of the difference of two asinh, in the form that subtracts nothing.
///
/// Anisotropic medium, conductivities sigma_x, sigma_y, sigma_z along the axes (Nicholson & Freeman 1975): for a point
///   phi(r) = I / (4 pi sqrt(sigma_y sigma_z dx^2 + sigma_x sigma_z dy^2 + sigma_x sigma_y dz^2)),
/// that is, the isotropic formula with unit conductivity in coordinates stretched by (sqrt(sigma_y sigma_z), ...). A
/// straight, evenly loaded line stays one under stretching, so the line formula holds there too; d is stretched by the
/// geometric mean of the three factors.
///
/// Units: um, nA, S/m, mV (nA / (S/m um) = mV).
///
/// Sources: Holt & Koch 1999, J Comput Neurosci 6:169; Linden et al. 2014, Front Neuroinform 7:41; Nicholson & Freeman
/// 1975, J Neurophysiol 38:356.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/forward_model.hpp"

namespace triscale::measure {

/// An infinite homogeneous medium, as the stretch of coordinates that makes it isotropic with conductivity 1.
struct Medium {
  explicit Medium(const core::Vec3& conductivity_S_m);
  explicit Medium(double conductivity_S_m) : Medium({conductivity_S_m, conductivity_S_m, conductivity_S_m}) {}

  core::Vec3 stretch;
  double diameter_stretch;
};

/// Potential in mV at `electrode_um` of 1 nA from the middle of a segment.
double point_source_mV(const core::Vec3& electrode_um, const core::Segment& source, const Medium& medium);
/// Potential in mV at `electrode_um` of 1 nA spread evenly over a segment's axis; a segment without length is a point.
double line_source_mV(const core::Vec3& electrode_um, const core::Segment& source, const Medium& medium);

/// Which segments are points and which are lines.
enum class SourceModel { point, line, soma_point };
/// Of segment `index` of a cell; soma_point: the soma is a sphere, the rest are lines.
double source_mV(SourceModel model, const core::Vec3& electrode_um, const core::PlacedCell& cell, std::size_t index,
                 const Medium& medium);

/// Points spread evenly over a disc (Vogel's spiral: radius R sqrt((i + 1/2)/n), angle i times the golden angle).
std::vector<core::Vec3> points_on_disc(const core::Vec3& centre_um, const core::Vec3& normal, double radius_um, int n);

/// Potential at electrodes: mV a channel. A disc electrode measures the mean potential over its points (Ness et al.
/// 2015).
class ExtracellularModel : public core::ForwardModel {
 public:
  /// contacts[channel]: the points whose potential is averaged, at least one.
  ExtracellularModel(std::vector<std::vector<core::Vec3>> contacts, SourceModel sources, Medium medium)
      : contacts_(std::move(contacts)), sources_(sources), medium_(medium) {}

  std::size_t channels() const override { return contacts_.size(); }
  void weights(const core::PlacedCell& cell, std::span<double> weights) const override;

 private:
  std::vector<std::vector<core::Vec3>> contacts_;
  SourceModel sources_;
  Medium medium_;
};

}  // namespace triscale::measure

#include "detailed/segments.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace triscale::detailed {

namespace {

using core::Vec3;

/// The axis of a section as a curve parametrised by the fraction of its length.
class Axis {
 public:
  explicit Axis(const network::Section& section) : section_(section) {
    arcs_.push_back(0);
    for (std::size_t j = 1; j < section.points.size(); ++j) {
      const auto &a = section.points[j - 1], &b = section.points[j];
      const double dx = b.x_um - a.x_um, dy = b.y_um - a.y_um, dz = b.z_um - a.z_um;
      arcs_.push_back(arcs_.back() + std::sqrt(dx * dx + dy * dy + dz * dz));
    }
  }

  double length_um() const { return arcs_.back(); }

  Vec3 at(double fraction) const {
    const double arc = std::clamp(fraction, 0.0, 1.0) * length_um();
    std::size_t j = 1;
    while (j + 1 < arcs_.size() && arcs_[j] < arc) ++j;
    const double h = arcs_[j] - arcs_[j - 1];
    const double t = h > 0 ? (arc - arcs_[j - 1]) / h : 0.0;
    const auto &a = section_.points[j - 1], &b = section_.points[j];
    return {a.x_um + t * (b.x_um - a.x_um), a.y_um + t * (b.y_um - a.y_um), a.z_um + t * (b.z_um - a.z_um)};
  }

 private:
  const network::Section& section_;
  std::vector<double> arcs_;
};

/// Moves a point of a morphology to where it is in the circuit.
class Mover {
 public:
  Mover(const network::Placement& placement, const Vec3& soma_um)
      : soma_(soma_um),
        place_{placement.x_um, placement.y_um, placement.z_um},
        sines_{std::sin(placement.rotation_x_rad), std::sin(placement.rotation_y_rad),
               std::sin(placement.rotation_z_rad)},
        cosines_{std::cos(placement.rotation_x_rad), std::cos(placement.rotation_y_rad),
                 std::cos(placement.rotation_z_rad)} {}

  Vec3 operator()(const Vec3& point) const {
    Vec3 p{point[0] - soma_[0], point[1] - soma_[1], point[2] - soma_[2]};
    for (const int axis : {2, 1, 0}) {
      // Right-handed: about z from x to y, about y from z to x, about x from y to z.
      const auto from = static_cast<std::size_t>((axis + 1) % 3), to = static_cast<std::size_t>((axis + 2) % 3);
      const double s = sines_[static_cast<std::size_t>(axis)], c = cosines_[static_cast<std::size_t>(axis)];
      const double a = p[from], b = p[to];
      p[from] = c * a - s * b;
      p[to] = s * a + c * b;
    }
    return {p[0] + place_[0], p[1] + place_[1], p[2] + place_[2]};
  }

 private:
  Vec3 soma_, place_, sines_, cosines_;
};

}  // namespace

std::vector<core::Segment> place_segments(const network::Morphology& morphology, const CompartmentTree& tree,
                                          const network::Placement& placement) {
  std::vector<Axis> axes;
  for (const network::Section& section : morphology.sections) axes.emplace_back(section);
  const Mover move(placement, axes[0].at(0.5));
  std::vector<core::Segment> segments;
  for (std::size_t node = 0; node < tree.size(); ++node) {
    const Axis& axis = axes[tree.sections[node]];
    const double segments_of_section = tree.segments_per_section[tree.sections[node]];
    const bool branch = !(tree.areas_um2[node] > 0);
    const double half = branch ? 0.0 : 0.5 / segments_of_section;
    core::Segment segment;
    segment.start_um = move(axis.at(tree.positions[node] - half));
    segment.end_um = move(axis.at(tree.positions[node] + half));
    if (!branch) {
      segment.diameter_um = tree.areas_um2[node] / (std::numbers::pi * axis.length_um() / segments_of_section);
    }
    segments.push_back(segment);
  }
  return segments;
}

}  // namespace triscale::detailed

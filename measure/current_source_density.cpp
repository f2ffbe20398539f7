#include "measure/current_source_density.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "measure/vectors.hpp"

namespace triscale::measure {

namespace {

/// A part of a segment, as fractions of its length.
struct Part {
  double begin = 0, end = 1;

  void keep(double from, double to) {
    begin = std::max(begin, from);
    end = std::min(end, to);
  }
  void drop() { end = begin; }
};

/// Between two planes: start + t step in [low, high].
void clip_slab(Part& part, double start, double step, double low, double high) {
  if (step == 0) {
    if (!(start >= low && start <= high)) part.drop();
    return;
  }
  const double a = (low - start) / step, b = (high - start) / step;
  part.keep(std::min(a, b), std::max(a, b));
}

/// Inside the unit circle: |start + t step|^2 <= 1.
void clip_circle(Part& part, double x, double y, double dx, double dy) {
  const double a = dx * dx + dy * dy, b = x * dx + y * dy, c = x * x + y * y - 1;
  if (a == 0) {
    if (!(c <= 0)) part.drop();
    return;
  }
  const double square = b * b - a * c;
  if (!(square > 0)) return part.drop();
  const double root = std::sqrt(square);
  part.keep((-b - root) / a, (-b + root) / a);
}

}  // namespace

double CsdVolume::volume_um3() const {
  const Vec3 size = high_um - low_um;
  return size[0] * size[1] * size[2] * (cylinder_axis < 0 ? 1.0 : 0.25 * std::numbers::pi);
}

double fraction_inside(const core::Segment& segment, const CsdVolume& volume) {
  const Vec3 step = segment.end_um - segment.start_um;
  Part part;
  for (int k = 0; k < 3; ++k) {
    const auto axis = static_cast<std::size_t>(k);
    if (volume.cylinder_axis < 0 || volume.cylinder_axis == k) {
      clip_slab(part, segment.start_um[axis], step[axis], volume.low_um[axis], volume.high_um[axis]);
    }
  }
  if (volume.cylinder_axis >= 0) {
    const auto u = static_cast<std::size_t>((volume.cylinder_axis + 1) % 3);
    const auto v = static_cast<std::size_t>((volume.cylinder_axis + 2) % 3);
    const Vec3 centre = 0.5 * (volume.low_um + volume.high_um), radii = 0.5 * (volume.high_um - volume.low_um);
    clip_circle(part, (segment.start_um[u] - centre[u]) / radii[u], (segment.start_um[v] - centre[v]) / radii[v],
                step[u] / radii[u], step[v] / radii[v]);
  }
  return std::max(0.0, part.end - part.begin);
}

void CsdModel::weights(const core::PlacedCell& cell, std::span<double> weights) const {
  for (std::size_t s = 0; s < cell.segments.size(); ++s) {
    for (std::size_t c = 0; c < volumes_.size(); ++c) {
      weights[s * volumes_.size() + c] = fraction_inside(cell.segments[s], volumes_[c]) / volumes_[c].volume_um3();
    }
  }
}

}  // namespace triscale::measure

#include "measure/extracellular.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "measure/vectors.hpp"

namespace triscale::measure {

namespace {

constexpr double kPi = std::numbers::pi;

/// asinh(l/rho) - asinh(h/rho) for l > h: ln of (l + |(l, rho)|) / (h + |(h, rho)|), where a negative position turns
/// its factor into rho^2 / (|(x, rho)| - x).
double asinh_difference(double l, double h, double rho) {
  const double to_l = std::sqrt(l * l + rho * rho), to_h = std::sqrt(h * h + rho * rho);
  if (h >= 0) return std::log((to_l + l) / (to_h + h));
  if (l <= 0) return std::log((to_h - h) / (to_l - l));
  return std::log((to_l + l) / rho * ((to_h - h) / rho));
}

}  // namespace

Medium::Medium(const Vec3& conductivity_S_m) {
  const auto& [x, y, z] = conductivity_S_m;
  stretch = {std::sqrt(y * z), std::sqrt(x * z), std::sqrt(x * y)};
  diameter_stretch = std::cbrt(stretch[0] * stretch[1] * stretch[2]);
}

double point_source_mV(const Vec3& electrode_um, const core::Segment& source, const Medium& medium) {
  const double r = norm(scaled(electrode_um - middle(source), medium.stretch));
  return 1.0 / (4.0 * kPi * std::max(r, 0.5 * source.diameter_um * medium.diameter_stretch));
}

double line_source_mV(const Vec3& electrode_um, const core::Segment& source, const Medium& medium) {
  const Vec3 axis = scaled(source.end_um - source.start_um, medium.stretch);
  const double length = norm(axis);
  if (!(length > 0)) return point_source_mV(electrode_um, source, medium);
  const Vec3 from_start = scaled(electrode_um - source.start_um, medium.stretch);
  const double l = dot(from_start, axis) / length;
  const double from_axis = norm(from_start - (l / length) * axis);
  const double rho = std::max(from_axis, 0.5 * source.diameter_um * medium.diameter_stretch);
  return asinh_difference(l, l - length, rho) / (4.0 * kPi * length);
}

double source_mV(SourceModel model, const Vec3& electrode_um, const core::PlacedCell& cell, std::size_t index,
                 const Medium& medium) {
  const bool point = model == SourceModel::point || (model == SourceModel::soma_point && index < cell.soma_segments);
  return point ? point_source_mV(electrode_um, cell.segments[index], medium)
               : line_source_mV(electrode_um, cell.segments[index], medium);
}

std::vector<Vec3> points_on_disc(const Vec3& centre_um, const Vec3& normal, double radius_um, int n) {
  if (!(radius_um > 0)) return {centre_um};
  // Two directions in the disc: orthogonal to the normal and to each other.
  const Vec3 up = (1.0 / norm(normal)) * normal;
  const Vec3 other = std::abs(up[0]) < 0.9 ? Vec3{1, 0, 0} : Vec3{0, 1, 0};
  Vec3 u = cross(up, other);
  u = (1.0 / norm(u)) * u;
  const Vec3 v = cross(up, u);
  const double golden_angle = kPi * (3.0 - std::sqrt(5.0));
  std::vector<Vec3> points;
  for (int i = 0; i < n; ++i) {
    const double r = radius_um * std::sqrt((i + 0.5) / n), angle = i * golden_angle;
    points.push_back(centre_um + (r * std::cos(angle)) * u + (r * std::sin(angle)) * v);
  }
  return points;
}

void ExtracellularModel::weights(const core::PlacedCell& cell, std::span<double> weights) const {
  for (std::size_t s = 0; s < cell.segments.size(); ++s) {
    for (std::size_t c = 0; c < contacts_.size(); ++c) {
      double sum = 0;
      for (const Vec3& point : contacts_[c]) sum += source_mV(sources_, point, cell, s, medium_);
      weights[s * contacts_.size() + c] = sum / static_cast<double>(contacts_[c].size());
    }
  }
}

}  // namespace triscale::measure

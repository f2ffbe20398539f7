/// Arithmetic of core::Vec3, the little that the forward models need.
#pragma once

#include <cmath>

#include "core/forward_model.hpp"

namespace triscale::measure {

using core::Vec3;

inline Vec3 operator+(const Vec3& a, const Vec3& b) {
  return {a[0] + b[0], a[1] + b[1], a[2] + b[2]};
}
inline Vec3 operator-(const Vec3& a, const Vec3& b) {
  return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
inline Vec3 operator*(double k, const Vec3& a) {
  return {k * a[0], k * a[1], k * a[2]};
}
inline double dot(const Vec3& a, const Vec3& b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
inline Vec3 cross(const Vec3& a, const Vec3& b) {
  return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
inline double norm(const Vec3& a) {
  return std::sqrt(dot(a, a));
}
/// Component by component.
inline Vec3 scaled(const Vec3& a, const Vec3& by) {
  return {a[0] * by[0], a[1] * by[1], a[2] * by[2]};
}
inline Vec3 middle(const core::Segment& s) {
  return 0.5 * (s.start_um + s.end_um);
}

}  // namespace triscale::measure

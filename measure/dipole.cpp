#include "measure/dipole.hpp"

#include <cmath>
#include <numbers>

#include "measure/vectors.hpp"

namespace triscale::measure {

double dipole_potential_mV(const Vec3& P_nA_um, const Vec3& from_dipole_um, double conductivity_S_m) {
  const double R = norm(from_dipole_um);
  return dot(P_nA_um, from_dipole_um) / (4.0 * std::numbers::pi * conductivity_S_m * R * R * R);
}

Vec3 dipole_field_fT(const Vec3& P_nA_um, const Vec3& from_dipole_um) {
  const double R = norm(from_dipole_um);
  return (kFemtoteslaPerDipole / (R * R * R)) * cross(P_nA_um, from_dipole_um);
}

void DipoleModel::weights(const core::PlacedCell& cell, std::span<double> weights) const {
  for (std::size_t s = 0; s < cell.segments.size(); ++s) {
    const Vec3 r = middle(cell.segments[s]) - cell.soma_um;
    for (std::size_t axis = 0; axis < 3; ++axis) weights[3 * s + axis] = r[axis];
  }
}

}  // namespace triscale::measure

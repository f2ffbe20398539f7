#include "measure/magnetic.hpp"

#include "measure/dipole.hpp"
#include "measure/vectors.hpp"

namespace triscale::measure {

Vec3 sphere_field_fT(const Vec3& P_nA_um, const Vec3& sensor_um, const Vec3& dipole_um) {
  const Vec3 from_dipole = sensor_um - dipole_um;
  const double a = norm(from_dipole), r = norm(sensor_um), along = dot(from_dipole, sensor_um) / a;
  const double F = a * (r * a + r * r - dot(dipole_um, sensor_um));
  const Vec3 grad_F = (a * a / r + along + 2 * a + 2 * r) * sensor_um - (a + 2 * r + along) * dipole_um;
  const Vec3 moment = cross(P_nA_um, dipole_um);
  return (kFemtoteslaPerDipole / (F * F)) * (F * moment - dot(moment, sensor_um) * grad_F);
}

}  // namespace triscale::measure

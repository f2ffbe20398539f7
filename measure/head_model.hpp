/// Potential of a current dipole in four concentric spheres of different conductivity: brain, cerebrospinal fluid,
/// skull, scalp (Naess et al. 2017, Front Hum Neurosci 11:490; with the boundary conditions solved directly).
///
/// With r the distance from the centre, r_z that of the dipole, theta the angle between both, and shells s = 1..4 of
/// outer radius r_s and conductivity sigma_s (brain 1 ... scalp 4), the potential is a sum over n >= 1 of
///   in the brain         S_n ((r_1/r)^(n+1) + A_1 (r/r_1)^n),   S_n = (r_z/r_1)^(n-1) / r_1^2,
///   in the other shells  S_n (A_s (r/r_s)^n + B_s (r_(s-1)/r)^(n+1)),
/// times  (n p_r P_n(cos theta) + p_t cos(beta) P_n^1(cos theta)) / (4 pi sigma_1):  p_r the radial and p_t the
/// tangential component of the dipole, beta the azimuth between the latter and the electrode, P_n^1 without the sign of
/// Condon and Shortley. The seven unknowns A_1, A_2, B_2, ..., B_4 of each n follow from seven conditions: potential
/// and radial current are continuous at r_1, r_2, r_3, and no current leaves at r_4. They do not depend on the dipole.
/// Every power is of a ratio below 1, so the systems are well conditioned for any n. The first term of the brain is the
/// dipole in an infinite medium and is used in closed form; only the correction is summed there.
///
/// The sum ends where the rest is below 1e-12 of the largest term.
///
/// Units: um, S/m, nA um, mV.
#pragma once

#include <array>
#include <vector>

#include "core/forward_model.hpp"

namespace triscale::measure {

class FourSphereHead {
 public:
  /// Ascending radii; positive conductivities.
  FourSphereHead(const std::array<double, 4>& radii_um, const std::array<double, 4>& conductivities_S_m);

  /// Potential in mV at `electrode_um` (not outside the scalp) of 1 nA um in x, y and z at `dipole_um` (inside the
  /// brain); positions from the centre. Throws core::InputError where the positions are not so.
  core::Vec3 lead_field_mV(const core::Vec3& electrode_um, const core::Vec3& dipole_um) const;

 private:
  /// Of one n: A[0] is A_1; B[0] is not used.
  struct Coefficients {
    std::array<double, 4> A{}, B{};
  };
  Coefficients solve(int n) const;
  /// Factor of S_n and of the angular part, at r in shell s (0: brain, without the dipole's own term).
  double radial_part(int n, std::size_t shell, double r_um) const;

  std::array<double, 4> radii_um_, sigma_S_m_;
  std::vector<Coefficients> coefficients_;  // of n = 1, 2, ...
};

}  // namespace triscale::measure

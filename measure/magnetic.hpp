/// Magnetic field of a current dipole outside a spherically symmetric conductor (Sarvas 1987, Phys Med Biol 32:11; here
/// as in Hamalainen et al. 1993, Rev Mod Phys 65:413, eq. 34). Positions from the centre: r of the sensor, r_p of the
/// dipole, a = r - r_p:
///   F = |a| (|r| |a| + |r|^2 - r_p . r)
///   grad F = (|a|^2/|r| + a . r/|a| + 2|a| + 2|r|) r - (|a| + 2|r| + a . r/|a|) r_p
///   B = mu_0/(4 pi F^2) (F P x r_p - (P x r_p . r) grad F)
/// It does not depend on the conductivities. A radial dipole makes no field; r . B is that of the dipole alone.
///
/// Units: nA um, um, fT.
#pragma once

#include "core/forward_model.hpp"

namespace triscale::measure {

/// The sensor must be further from the centre than the dipole.
core::Vec3 sphere_field_fT(const core::Vec3& P_nA_um, const core::Vec3& sensor_um, const core::Vec3& dipole_um);

}  // namespace triscale::measure

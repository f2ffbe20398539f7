/// Current dipole moment of a cell, and what a dipole does in an infinite homogeneous medium.
///
///   P = sum_s I_s r_s   (r_s the middle of segment s),
/// independent of the origin as long as the membrane currents sum up to zero, that is, without injected current;
/// positions are taken from the soma, so that an injected current, which has no other pole in the model, counts from
/// there.
///   phi(r) = P . R / (4 pi sigma |R|^3),  R = r - r_dipole
///   B(r) = mu_0 P x R / (4 pi |R|^3)      (Biot & Savart; the volume currents of an infinite medium add nothing)
///
/// Units: nA um, um, S/m; phi in mV, B in fT (mu_0/(4 pi) nA um / um2 = 1e-7 * 1e-15 / 1e-12 T = 1e5 fT).
///
/// Source: Nunez & Srinivasan 2006, Electric Fields of the Brain; Hamalainen et al. 1993, Rev Mod Phys 65:413.
#pragma once

#include <array>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/forward_model.hpp"

namespace triscale::measure {

inline constexpr double kFemtoteslaPerDipole = 1e5;  ///< mu_0 / (4 pi), in fT um2 / (nA um)

/// Potential of a dipole in an infinite medium, mV.
double dipole_potential_mV(const core::Vec3& P_nA_um, const core::Vec3& from_dipole_um, double conductivity_S_m);
/// Magnetic field of a dipole in an infinite medium, fT.
core::Vec3 dipole_field_fT(const core::Vec3& P_nA_um, const core::Vec3& from_dipole_um);

/// Three channels: the sum of the dipole moments of the cells, nA um.
class DipoleModel : public core::ForwardModel {
 public:
  std::size_t channels() const override { return 3; }
  void weights(const core::PlacedCell& cell, std::span<double> weights) const override;
};

/// Channels that see a cell through its dipole moment, from the place of its soma or from one place for all.
class DipoleFieldModel : public DipoleModel {
 public:
  /// Three numbers a channel, [channel][x y z]: what it measures of a unit dipole at a place.
  using LeadField = std::function<std::vector<double>(const core::Vec3& dipole_um)>;
  DipoleFieldModel(std::size_t channels, LeadField lead_field, std::optional<core::Vec3> dipole_um)
      : channels_(channels), lead_field_(std::move(lead_field)), dipole_um_(dipole_um) {}

  std::size_t channels() const override { return channels_; }
  std::size_t components() const override { return 3; }
  std::vector<double> mixing(const core::PlacedCell& cell) const override {
    return lead_field_(dipole_um_ ? *dipole_um_ : cell.soma_um);
  }

 private:
  std::size_t channels_;
  LeadField lead_field_;
  std::optional<core::Vec3> dipole_um_;
};

}  // namespace triscale::measure

/// Current source density: membrane current per volume, in boxes and cylinders.
///
/// A segment's current leaves it evenly along its axis; what leaves within a volume is the share of the axis that lies
/// in it:  CSD = (1/V) sum_s I_s (length of s inside) / (length of s). A segment without length is inside or outside as
/// a whole.
///
/// Units: nA, um; CSD in nA/um3 (1 nA/um3 = 1e3 A/mm3 = 1e9 uA/mm3).
///
/// Source: the definition, e.g. Pettersen et al. 2008, J Comput Neurosci 24:291.
#pragma once

#include <span>
#include <vector>

#include "core/forward_model.hpp"

namespace triscale::measure {

/// A box, or the cylinder with an elliptic cross-section that fills it.
struct CsdVolume {
  core::Vec3 low_um{}, high_um{};
  int cylinder_axis = -1;  ///< 0, 1, 2: a cylinder along x, y, z; -1: a box

  double volume_um3() const;
};

/// Share of the segment's axis that lies in the volume, 0..1.
double fraction_inside(const core::Segment& segment, const CsdVolume& volume);

class CsdModel : public core::ForwardModel {
 public:
  explicit CsdModel(std::vector<CsdVolume> volumes) : volumes_(std::move(volumes)) {}
  std::size_t channels() const override { return volumes_.size(); }
  void weights(const core::PlacedCell& cell, std::span<double> weights) const override;

 private:
  std::vector<CsdVolume> volumes_;
};

}  // namespace triscale::measure

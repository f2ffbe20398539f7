/// How a density varies along the dendrites: the factor that a DensityProfile (network/cell_models.hpp) gives at a
/// place.
#pragma once

#include <cstddef>

#include "network/cell_models.hpp"

namespace triscale::network {

class DensityFactors {
 public:
  /// Without a profile the factor is 1 everywhere.
  DensityFactors(const Morphology& morphology, const MechanismPlacement& placement);

  /// Factor of the densities at a place of the placement's region.
  double at(std::size_t section, double position) const;
  bool uniform() const { return !profile_; }

 private:
  double distance_um(std::size_t section, double position) const;

  const Morphology* morphology_;
  SectionKind region_;
  std::optional<DensityProfile> profile_;
  double farthest_um_ = 1;
};

}  // namespace triscale::network

#include "network/density_profile.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::network {

DensityFactors::DensityFactors(const Morphology& morphology, const MechanismPlacement& placement)
    : morphology_(&morphology), region_(placement.region), profile_(placement.density) {
  if (!profile_ || !profile_->relative) return;
  double farthest = 0;
  for (std::size_t s = 0; s < morphology.sections.size(); ++s) {
    if (morphology.sections[s].kind == region_) farthest = std::max(farthest, distance_um(s, 1.0));
  }
  if (farthest > 0) farthest_um_ = farthest;
}

double DensityFactors::distance_um(std::size_t section, double position) const {
  const double from_soma = morphology_->path_distance_um(section, position);
  if (profile_->origin == DensityProfile::Origin::soma) return from_soma;
  std::size_t first = section;
  while (true) {
    const std::int32_t parent = morphology_->sections[first].parent;
    if (parent < 0 || morphology_->sections[static_cast<std::size_t>(parent)].kind != region_) break;
    first = static_cast<std::size_t>(parent);
  }
  return from_soma - morphology_->path_distance_um(first, 0.0);
}

double DensityFactors::at(std::size_t section, double position) const {
  if (!profile_) return 1;
  const DensityProfile& p = *profile_;
  const double distance = distance_um(section, position);
  const double x = p.relative ? distance / farthest_um_ : distance;
  switch (p.shape) {
    case DensityProfile::Shape::linear:
      return p.offset + p.slope * x;
    case DensityProfile::Shape::exponential:
      return p.offset + p.amplitude * std::exp(p.slope * (x - p.center));
    case DensityProfile::Shape::sigmoid:
      return p.offset + p.amplitude / (1.0 + std::exp((x - p.center) / p.width));
    case DensityProfile::Shape::step:
      return x > p.begin && x < p.end ? p.inside : p.outside;
  }
  return 1;
}

}  // namespace triscale::network

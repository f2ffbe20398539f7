#include "network/morphology.hpp"

#include <cassert>
#include <cmath>

namespace triscale::network {

std::string_view to_string(SectionKind kind) {
  switch (kind) {
    case SectionKind::soma:
      return "soma";
    case SectionKind::axon:
      return "axon";
    case SectionKind::basal:
      return "basal";
    case SectionKind::apical:
      return "apical";
  }
  return "unknown";
}

double Section::length_um() const {
  double length = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto& a = points[i - 1];
    const auto& b = points[i];
    length += std::hypot(b.x_um - a.x_um, b.y_um - a.y_um, b.z_um - a.z_um);
  }
  return length;
}

double Morphology::path_distance_um(std::size_t section, double position) const {
  assert(section < sections.size());
  // Walk towards the root: within each section from the place of entry to its beginning, on the root to its middle.
  double distance = 0;
  while (section != 0) {
    const Section& here = sections[section];
    assert(here.parent >= 0 && static_cast<std::size_t>(here.parent) < section);
    distance += position * here.length_um();
    position = here.parent_position;
    section = static_cast<std::size_t>(here.parent);
  }
  return distance + std::abs(position - 0.5) * sections[0].length_um();
}

}  // namespace triscale::network

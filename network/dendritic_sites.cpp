#include "network/dendritic_sites.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>

namespace triscale::network {

DendriticSites::DendriticSites(const Morphology& morphology, const DendriticPlacement& placement) {
  const double low_um = placement.min_distance_um, high_um = placement.max_distance_um;
  for (std::size_t s = 0; s < morphology.sections.size(); ++s) {
    const Section& section = morphology.sections[s];
    if (std::find(placement.kinds.begin(), placement.kinds.end(), section.kind) == placement.kinds.end()) continue;
    const double length_um = section.length_um();
    if (!(length_um > 0)) continue;
    if (s == 0) {
      // On the root the distance grows from the middle towards both ends.
      const double near = std::min(low_um / length_um, 0.5), far = std::min(high_um / length_um, 0.5);
      add_section(morphology, s, 0.5 - far, 0.5 - near);
      add_section(morphology, s, 0.5 + near, 0.5 + far);
    } else {
      const double start_um = morphology.path_distance_um(s, 0.0);
      add_section(morphology, s, std::clamp((low_um - start_um) / length_um, 0.0, 1.0),
                  std::clamp((high_um - start_um) / length_um, 0.0, 1.0));
    }
  }
}

void DendriticSites::add_section(const Morphology& morphology, std::size_t section, double begin, double end) {
  if (!(begin < end)) return;
  const auto& points = morphology.sections[section].points;
  const double length_um = morphology.sections[section].length_um();
  double before_um = 0;
  for (std::size_t i = 1; i < points.size(); ++i) {
    const auto& a = points[i - 1];
    const auto& b = points[i];
    const double step_um = std::hypot(b.x_um - a.x_um, b.y_um - a.y_um, b.z_um - a.z_um);
    const double cone_begin = before_um / length_um, cone_end = (before_um + step_um) / length_um;
    before_um += step_um;
    const double from = std::max(begin, cone_begin), to = std::min(end, cone_end);
    if (!(from < to)) continue;
    const auto diameter_at = [&](double position) {
      return a.diameter_um + (b.diameter_um - a.diameter_um) * (position - cone_begin) / (cone_end - cone_begin);
    };
    add_piece({section, from, to, diameter_at(from), diameter_at(to)}, (to - from) * length_um);
  }
}

void DendriticSites::add_piece(const Piece& piece, double height_um) {
  const double r0 = piece.begin_diameter_um / 2, r1 = piece.end_diameter_um / 2;
  const double lateral_um2 = std::numbers::pi * (r0 + r1) * std::hypot(r1 - r0, height_um);
  if (!(lateral_um2 > 0)) return;
  pieces_.push_back(piece);
  cumulative_um2_.push_back(area_um2() + lateral_um2);
}

Site DendriticSites::at(double u) const {
  assert(area_um2() > 0);
  const double wanted_um2 = u * area_um2();
  const auto found = std::upper_bound(cumulative_um2_.begin(), cumulative_um2_.end(), wanted_um2);
  const auto i = std::min(static_cast<std::size_t>(found - cumulative_um2_.begin()), pieces_.size() - 1);
  const double below_um2 = i == 0 ? 0.0 : cumulative_um2_[i - 1];
  const Piece& piece = pieces_[i];
  const double share = std::clamp((wanted_um2 - below_um2) / (cumulative_um2_[i] - below_um2), 0.0, 1.0);
  // Solve d0 f + (d1 - d0) f^2 / 2 = share (d0 + d1) / 2 for f, in the form that stays exact for d1 = d0.
  const double d0 = piece.begin_diameter_um, d1 = piece.end_diameter_um;
  const double area = share * (d0 + d1) / 2;
  const double denominator = d0 + std::sqrt(d0 * d0 + 2 * (d1 - d0) * area);
  const double fraction = denominator > 0 ? std::clamp(2 * area / denominator, 0.0, 1.0) : 0.0;
  return {static_cast<std::uint32_t>(piece.section), piece.begin + fraction * (piece.end - piece.begin)};
}

}  // namespace triscale::network

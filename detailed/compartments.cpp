#include "detailed/compartments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace triscale::detailed {

using network::CompartmentRule;
using network::DetailedCell;
using network::MorphologyPoint;
using network::RegionProperties;
using network::Section;

namespace {

constexpr double kPi = std::numbers::pi;
// 1 Ohm cm * um / um2 = 1e4 Ohm = 1e-2 MOhm
constexpr double kMOhmPerOhmCmPerUm = 1e-2;
constexpr double kNanofaradPerUm2 = 1e-5;     // of 1 uF/cm2
constexpr double kMicrosiemensPerUm2 = 1e-2;  // of 1 S/cm2

double distance(const MorphologyPoint& a, const MorphologyPoint& b) {
  const double dx = b.x_um - a.x_um, dy = b.y_um - a.y_um, dz = b.z_um - a.z_um;
  return std::sqrt(dx * dx + dy * dy + dz * dz);
}

void add_cone(CablePiece& piece, double h, double d1, double d2, double Ra_Ohm_cm) {
  const double slant = std::sqrt(h * h + 0.25 * (d1 - d2) * (d1 - d2));
  piece.area_um2 += kPi * 0.5 * (d1 + d2) * slant;
  if (h > 0) piece.R_MOhm += 4.0 * Ra_Ohm_cm * kMOhmPerOhmCmPerUm * h / (kPi * d1 * d2);
}

}  // namespace

std::vector<CablePiece> cut_section(const Section& section, double Ra_Ohm_cm, std::size_t pieces) {
  std::vector<CablePiece> cut(pieces);
  const double length = section.length_um();
  double arc = 0;  // arc length at the start of the current cone
  std::size_t piece = 0;
  for (std::size_t j = 0; j + 1 < section.points.size(); ++j) {
    const double h = distance(section.points[j], section.points[j + 1]);
    const double d1 = section.points[j].diameter_um, d2 = section.points[j + 1].diameter_um;
    double done = 0;  // part of this cone that has been given to pieces
    double d = d1;
    // Cut the cone wherever a boundary between pieces falls inside it.
    while (piece + 1 < pieces) {
      const double boundary = length * static_cast<double>(piece + 1) / static_cast<double>(pieces);
      if (arc + h <= boundary) break;
      const double part = boundary - arc;
      const double d_cut = d1 + (d2 - d1) * part / h;
      add_cone(cut[piece], part - done, d, d_cut, Ra_Ohm_cm);
      done = part;
      d = d_cut;
      ++piece;
    }
    add_cone(cut[piece], h - done, d, d2, Ra_Ohm_cm);
    arc += h;
  }
  return cut;
}

std::uint32_t segments_of(const Section& section, const RegionProperties& region, const CompartmentRule& rule) {
  if (rule.kind == CompartmentRule::Kind::max_length) {
    return 1 + 2 * static_cast<std::uint32_t>(section.length_um() / (2.0 * rule.max_length_um));
  }
  // AC length constant of a cylinder, um: 0.5e5 sqrt(d / (pi f Ra Cm)) with d in um, Ra in Ohm cm, Cm in uF/cm2.
  double electrotonic_length = 0;
  for (std::size_t j = 0; j + 1 < section.points.size(); ++j) {
    const double d = 0.5 * (section.points[j].diameter_um + section.points[j + 1].diameter_um);
    const double lambda = 0.5e5 * std::sqrt(d / (kPi * rule.frequency_Hz * region.Ra_Ohm_cm * region.C_m_uF_cm2));
    electrotonic_length += distance(section.points[j], section.points[j + 1]) / lambda;
  }
  return 2 * static_cast<std::uint32_t>((electrotonic_length / rule.d_lambda + 0.9) / 2.0) + 1;
}

namespace {

void check(const DetailedCell& cell) {
  core::Diagnostics diagnostics;
  for (std::size_t k = 0; k < cell.morphology->sections.size(); ++k) {
    const Section& section = cell.morphology->sections[k];
    const std::string place = fmt::format("section {}", k);
    if (section.points.size() < 2 || !(section.length_um() > 0)) {
      diagnostics.error({"", place, fmt::format("{}", section.points.size()), "points must span a length > 0", ""});
    }
    for (const MorphologyPoint& point : section.points) {
      if (!(point.diameter_um > 0)) {
        diagnostics.error({"", place, fmt::format("{}", point.diameter_um), "diameter must be > 0 um", ""});
      }
    }
    const RegionProperties& region = cell.regions[static_cast<std::size_t>(section.kind)];
    if (!(region.Ra_Ohm_cm > 0) || !(region.C_m_uF_cm2 > 0)) {
      diagnostics.error({"", place, fmt::format("Ra {} Ohm cm, C_m {} uF/cm2", region.Ra_Ohm_cm, region.C_m_uF_cm2),
                         "axial resistivity and capacitance must be > 0", ""});
    }
  }
  diagnostics.throw_if_errors();
}

/// Where a section is connected. The beginning of a section is the place where that section itself starts, so only the
/// root's beginning stays one.
struct Connection {
  std::int32_t parent = -1;
  double position = 0;
  bool at_beginning() const { return position <= 0.0; }
  bool at_end() const { return position >= 1.0; }
};

Connection connection_of(const network::Morphology& morphology, std::size_t k) {
  const Section* section = &morphology.sections[k];
  while (section->parent > 0 && section->parent_position <= 0.0) {
    section = &morphology.sections[static_cast<std::size_t>(section->parent)];
  }
  return {section->parent, section->parent_position};
}

class TreeBuilder {
 public:
  TreeBuilder(const DetailedCell& cell, const CompartmentRule& rule)
      : cell_(cell), rule_(rule), end_children_(cell.morphology->sections.size(), 0) {}

  CompartmentTree build() {
    const auto& sections = cell_.morphology->sections;
    ends_.resize(sections.size());
    for (std::size_t k = 1; k < sections.size(); ++k) {
      connections_.push_back(connection_of(*cell_.morphology, k));
      const Connection& at = connections_.back();
      if (at.at_end()) ++end_children_[static_cast<std::size_t>(at.parent)];
      if (at.at_beginning()) ++root_children_;
    }
    for (std::size_t k = 0; k < sections.size(); ++k) add_section(k);
    return std::move(tree_);
  }

 private:
  /// A node and the resistance between it and the point where something is to be connected.
  struct Terminal {
    std::int32_t node = -1;
    double R_MOhm = 0;
  };

  void add_section(std::size_t k) {
    const Section& section = cell_.morphology->sections[k];
    const RegionProperties& region = cell_.regions[static_cast<std::size_t>(section.kind)];
    const std::uint32_t nseg = segments_of(section, region, rule_);
    const std::vector<CablePiece> halves = cut_section(section, region.Ra_Ohm_cm, 2 * nseg);

    tree_.segments_per_section.push_back(nseg);
    tree_.first_nodes.push_back(static_cast<std::uint32_t>(tree_.size()));
    Terminal from = k == 0 ? Terminal{} : start_of(connections_[k - 1]);
    for (std::uint32_t s = 0; s < nseg; ++s) {
      const double area = halves[2 * s].area_um2 + halves[2 * s + 1].area_um2;
      const double position = (s + 0.5) / nseg;
      const std::int32_t node = add_node(from.node, from.R_MOhm + halves[2 * s].R_MOhm, k, position, area);
      from = {node, halves[2 * s + 1].R_MOhm};
    }
    if (k == 0) {
      const auto first = static_cast<std::int32_t>(tree_.first_nodes[0]);
      root_start_ = {first, halves.front().R_MOhm};
      if (root_children_ >= 2) root_start_ = {add_node(first, root_start_.R_MOhm, 0, 0.0, 0.0), 0.0};
    }
    if (end_children_[k] >= 2) from = {add_node(from.node, from.R_MOhm, k, 1.0, 0.0), 0.0};
    ends_[k] = from;
  }

  Terminal start_of(const Connection& at) const {
    if (at.at_end()) return ends_[static_cast<std::size_t>(at.parent)];
    if (at.at_beginning()) return root_start_;
    return {static_cast<std::int32_t>(tree_.node_at({static_cast<std::uint32_t>(at.parent), at.position})), 0.0};
  }

  std::int32_t add_node(std::int32_t parent, double R_MOhm, std::size_t section, double position, double area) {
    const network::SectionKind kind = cell_.morphology->sections[section].kind;
    const RegionProperties& region = cell_.regions[static_cast<std::size_t>(kind)];
    tree_.parents.push_back(parent);
    tree_.g_axial_uS.push_back(parent < 0 ? 0.0 : 1.0 / R_MOhm);
    tree_.areas_um2.push_back(area);
    tree_.C_nF.push_back(region.C_m_uF_cm2 * area * kNanofaradPerUm2);
    tree_.g_pas_uS.push_back(region.g_pas_S_cm2 * area * kMicrosiemensPerUm2);
    tree_.e_pas_mV.push_back(region.e_pas_mV);
    tree_.kinds.push_back(kind);
    tree_.sections.push_back(static_cast<std::uint32_t>(section));
    tree_.positions.push_back(position);
    return static_cast<std::int32_t>(tree_.size() - 1);
  }

  const DetailedCell& cell_;
  const CompartmentRule& rule_;
  std::vector<Connection> connections_;  // of the sections from 1 on
  std::vector<int> end_children_;        // how many sections start at the end of each
  int root_children_ = 0;                // how many start at the beginning of the root
  Terminal root_start_;
  std::vector<Terminal> ends_;
  CompartmentTree tree_;
};

}  // namespace

CompartmentTree build_compartments(const DetailedCell& cell, const CompartmentRule& rule) {
  check(cell);
  return TreeBuilder(cell, rule).build();
}

std::size_t CompartmentTree::segments() const {
  std::size_t count = 0;
  for (const std::uint32_t nseg : segments_per_section) count += nseg;
  return count;
}

std::size_t CompartmentTree::node_at(const network::Site& site) const {
  const std::uint32_t nseg = segments_per_section[site.section];
  const auto segment = static_cast<std::uint32_t>(std::clamp(site.position, 0.0, 1.0) * nseg);
  return first_nodes[site.section] + std::min(segment, nseg - 1);
}

}  // namespace triscale::detailed

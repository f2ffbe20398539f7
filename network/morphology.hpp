/// The shape of a neuron as unbranched sections of truncated cones, the form in which NEURON, SONATA and the Allen cell
/// files think of it.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace triscale::network {

/// SWC structure identifiers 1-4; SONATA calls them somatic, axonal, basal, apical.
enum class SectionKind : std::uint8_t { soma = 0, axon = 1, basal = 2, apical = 3 };
inline constexpr std::size_t kSectionKinds = 4;
std::string_view to_string(SectionKind kind);

struct MorphologyPoint {
  double x_um = 0, y_um = 0, z_um = 0;
  double diameter_um = 0;
};

/// An unbranched cable. Points run from the end that is connected to the parent to the other end.
struct Section {
  SectionKind kind = SectionKind::basal;
  std::int32_t parent = -1;      ///< index of the parent section; always smaller than the own index; -1 for the root
  double parent_position = 1.0;  ///< where on the parent it is connected, 0..1 of the parent's length
  std::vector<MorphologyPoint> points;  ///< at least 2
  std::vector<std::int32_t> swc_ids;    ///< SWC sample number of each point (-1: made by a rule); may be empty

  double length_um() const;
};

/// Sections in the order in which SONATA files of the Allen dialect number them: soma, basal, apical, then axon; within
/// a kind in order of first appearance in the file. Section 0 is the soma.
struct Morphology {
  std::vector<Section> sections;

  /// Path distance in um from the middle of section 0 to `position` (0..1) on `section`, NEURON's distance() with the
  /// origin at soma(0.5).
  double path_distance_um(std::size_t section, double position) const;
};

/// A place on the cell: section and fraction (0..1) of its length.
struct Site {
  std::uint32_t section = 0;
  double position = 0.5;
};

}  // namespace triscale::network

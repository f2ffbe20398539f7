/// From a morphology to a tree of isopotential compartments, with NEURON's placement of nodes.
///
/// A section is divided into nseg (odd) segments of equal length with a node in the middle of each. Membrane area and
/// axial resistance of a segment are integrals over the truncated cones between its points:
///   area = sum pi (d1 + d2)/2 sqrt(h^2 + ((d1 - d2)/2)^2),   R = sum 4 Ra h / (pi d1 d2),
/// h the length of a cone and d1, d2 its end diameters. The end of a section is a node without area when two or more
/// children start there; where only one child starts the two half resistances are in series, and an end without
/// children carries no current, so that neither needs a node. The same holds for the beginning of the root; children at
/// the beginning of another section start where that section itself is connected. A child connected inside a section
/// starts at the node of the segment that holds the position.
///
/// Source: Hines & Carnevale 1997, "The NEURON simulation environment", Neural Computation 9.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "network/cell_models.hpp"
#include "network/morphology.hpp"

namespace triscale::detailed {

/// Compartments of a cell as a rooted tree; node 0 is the root, parents come before children. Arrays have one value a
/// node.
struct CompartmentTree {
  std::vector<std::int32_t> parents;  ///< -1 for the root
  std::vector<double> g_axial_uS;     ///< conductance to the parent; 0 for the root
  std::vector<double> areas_um2;      ///< membrane area; 0 for a branch node
  std::vector<double> C_nF;           ///< membrane capacitance
  std::vector<double> g_pas_uS;       ///< leak conductance
  std::vector<double> e_pas_mV;       ///< leak reversal potential
  std::vector<network::SectionKind> kinds;
  std::vector<std::uint32_t> sections;  ///< section of the node
  std::vector<double> positions;        ///< middle of the segment, 0..1 of the section; 0 or 1 for a branch node

  std::vector<std::uint32_t> segments_per_section;  ///< nseg of each section
  std::vector<std::uint32_t> first_nodes;           ///< node of the first segment of each section; the others follow

  std::size_t size() const { return parents.size(); }
  /// Number of segments, without branch nodes.
  std::size_t segments() const;
  /// Node whose segment holds the site; positions 0 and 1 belong to the first and the last segment.
  std::size_t node_at(const network::Site& site) const;
  /// Node of the middle of section 0, where spikes are detected and currents are injected by default.
  std::size_t soma() const { return node_at({0, 0.5}); }
};

/// Throws core::InputError if a section has no length or a parameter is not positive.
CompartmentTree build_compartments(const network::DetailedCell& cell, const network::CompartmentRule& rule);

/// nseg of one section under a rule.
std::uint32_t segments_of(const network::Section& section, const network::RegionProperties& region,
                          const network::CompartmentRule& rule);

/// Splits a section into `pieces` pieces of equal length: area (um2) and resistance (MOhm) of each.
struct CablePiece {
  double area_um2 = 0;
  double R_MOhm = 0;
};
std::vector<CablePiece> cut_section(const network::Section& section, double Ra_Ohm_cm, std::size_t pieces);

}  // namespace triscale::detailed

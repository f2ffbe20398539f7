/// Draws places on a dendrite, uniform in membrane area over what a DendriticPlacement allows.
///
/// Each pair of neighbouring points of a section bounds a truncated cone of height h and end radii r0, r1; its lateral
/// area is pi (r0 + r1) sqrt((r1 - r0)^2 + h^2) (the membrane of NEURON's 3-d sections). Within a cone the area up to
/// the fraction f of the height grows as d0 f + (d1 - d0) f^2 / 2, which is inverted in closed form.
#pragma once

#include <cstddef>
#include <vector>

#include "network/circuit.hpp"

namespace triscale::network {

class DendriticSites {
 public:
  DendriticSites(const Morphology& morphology, const DendriticPlacement& placement);

  /// Membrane area that synapses may sit on; 0 if there is none.
  double area_um2() const { return cumulative_um2_.empty() ? 0.0 : cumulative_um2_.back(); }
  /// The place below which the share u (0..1) of the area lies. Needs area_um2() > 0.
  Site at(double u) const;

 private:
  /// A piece of a truncated cone on one section, between two positions (0..1) with the diameters there.
  struct Piece {
    std::size_t section = 0;
    double begin = 0, end = 1;
    double begin_diameter_um = 1, end_diameter_um = 1;
  };
  void add_section(const Morphology& morphology, std::size_t section, double begin, double end);
  void add_piece(const Piece& piece, double height_um);

  std::vector<Piece> pieces_;
  std::vector<double> cumulative_um2_;
};

}  // namespace triscale::network

/// Where the segments of a placed cell are in space.
///
/// A segment goes straight from the point of its section's axis at its start to that at its end (its arc length is a
/// little longer where the section bends). Its diameter is that of a cylinder with the segment's membrane area,
/// d = area / (pi L), as NEURON has it. The cell is moved so that the middle of its soma is at the origin, rotated
/// about the world axes z, then y, then x, and moved to its place.
#pragma once

#include <vector>

#include "core/forward_model.hpp"
#include "detailed/compartments.hpp"
#include "network/circuit.hpp"

namespace triscale::detailed {

/// One a node of the tree; the segment of a branch node has no length and no diameter.
std::vector<core::Segment> place_segments(const network::Morphology& morphology, const CompartmentTree& tree,
                                          const network::Placement& placement);

}  // namespace triscale::detailed

/// Reads a neuron's shape from an SWC file (columns: sample, type, x, y, z, radius, parent; Cannon et al. 1998).
///
/// What SWC leaves open is settled as NEURON's Import3d does it, so that sections, lengths, areas and axial resistances
/// are NEURON's:
/// - An unbranched run of samples of one type whose parents are the sample before is a section. A change of type, a
///   branch, or a parent that is not the sample before ends it.
/// - A section starts with a copy of its parent's last point. If the parent is a soma and the section is not, that copy
///   has the diameter of the section's own first point.
/// - A soma of one sample of radius r is a cylinder along x from x0 - r to x0 + r with diameter 2r (the area of the
/// sphere).
///   The neurites that leave it are connected at its middle and start at their own first point, if they have at least
///   two; the way from the soma to there is a wire without resistance or membrane. The same cylinder stands for the
///   three-sample soma of neuromorpho.org.
/// - A soma of several samples one after the other is a chain of truncated cones, a section like any other, unless the
///   samples go round an outline (see below).
/// - A branch that leaves from the first own point of a neurite on the soma is connected to the beginning of that
/// neurite.
/// - Coordinates and diameters are held in single precision.
///
/// One thing is not as Import3d does it: soma samples that go round an outline, each thin against it, would be a thin
/// cable along the outline there. Here the outline stands for a sphere about its centroid, with the mean distance of
/// its samples as radius (the rule of neuromorpho.org), and a warning says so.
///
/// Every rule that was applied is reported: as a note what is ordinary, as a warning what changes the shape.
#pragma once

#include <filesystem>

#include "core/error.hpp"
#include "network/morphology.hpp"

namespace triscale::io {

/// Sections come in the order soma, basal, apical, axon; within a kind in the order of the file. Problems go to
/// `diagnostics`; a morphology without sections is returned if there were errors.
network::Morphology read_swc(const std::filesystem::path& path, core::Diagnostics& diagnostics);

}  // namespace triscale::io

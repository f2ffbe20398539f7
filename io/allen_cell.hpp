/// What the cell models of the Allen Cell Types Database share, whichever file describes them: the axon stubs that
/// replace the reconstructed axon, and the channels with their parameters (Gouwens et al. 2018, Nature Communications
/// 9:710).
#pragma once

#include <map>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "network/cell_models.hpp"

namespace triscale::io {

/// Perisomatic models: the reconstructed axon goes; two stubs of length 30 um and diameter 1 um come last, the first on
/// the middle of the soma, the second at its end. They point to where the axon began (else down, -y).
network::Morphology replace_axon_perisomatic(const network::Morphology& morphology);

/// All-active models: likewise, with the mean diameters of the first and the last axon section, and on the soma's end.
network::Morphology replace_axon_allactive(const network::Morphology& morphology);

/// The section kind called soma, axon, dend (basal), apic, or by its SONATA name.
std::optional<network::SectionKind> allen_section_kind(const std::string& name);

/// Parameters of a mechanism with their defaults; null if the mechanism is not known. Every channel has `gbar` (S/cm2);
/// CaDynamics has gamma, decay (ms), depth (um), minCai (mM).
const std::map<std::string, double>* mechanism_parameters(const std::string& mechanism);

/// Sets one parameter of a mechanism on a kind of section, adding the mechanism with its defaults where it is new.
void set_parameter(network::DetailedCell& cell, network::SectionKind region, const std::string& mechanism,
                   const std::string& parameter, double value);

/// Brings the mechanisms into one order (region, then name), so that two files that say the same give equal cells.
void sort_mechanisms(network::DetailedCell& cell);

}  // namespace triscale::io

/// Degeneracy: different sets of detailed parameters can describe the same cells equally well (Prinz, Bucher & Marder
/// 2004, Nat Neurosci 7:1345). Each set gives point cells of its own and, with them, other rates of the network. How
/// far these spread is what one cannot know from the cells, and stands beside how far the parameters themselves do.
///
/// A variant is a circuit that differs from the first in the detailed descriptions of cell types only (channels,
/// membranes, morphologies). Each was derived for itself, at its own operating point. What is found goes into the
/// provenance of every cell type whose detailed description differs somewhere:
///   uncertainty   variants_<parameter>               standard deviation of the derived parameter over variants,
///                                                  if all have it
///                 variants_network_rate_<population>_hz   of the point network's rate
///   notes         what differs in the detailed descriptions, as the coefficient of variation over variants; the rates
///                 of each
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

/// Why `other` is no variant of `circuit`; empty if it is.
std::vector<core::Problem> no_variant(const network::Circuit& circuit, const network::Circuit& other);

/// `derived`: the circuit itself first, then its variants, all with point descriptions. `derivation`: of the first.
void note_variants(const std::vector<network::Circuit>& derived, std::size_t threads, network::Derivation& derivation,
                   core::Progress& progress);

}  // namespace triscale::bridges

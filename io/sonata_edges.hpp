/// Makes circuit projections and synapse types of SONATA edge populations: one projection per source population, target
/// population and edge type, the order of the file kept.
#pragma once

#include "io/sonata_cells.hpp"

namespace triscale::io {

/// Reads the files of `networks.edges` and fills synapse types and projections of `circuit`.
void read_projections(const ConfigFile& circuit_config, const Components& components, const Nodes& nodes,
                      network::Circuit& circuit, core::Diagnostics& diagnostics);

}  // namespace triscale::io

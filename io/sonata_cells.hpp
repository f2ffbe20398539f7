/// Makes circuit populations and cell types of SONATA node populations: one population per node type.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "io/nest_cell.hpp"
#include "io/sonata_config.hpp"
#include "io/sonata_nodes.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// Folders of the circuit config's `components`; empty where not given.
struct Components {
  std::filesystem::path morphologies, synapses, biophysical, point;
};
Components read_components(const ConfigFile& circuit_config);

/// Where a node went.
struct NodePlace {
  std::size_t population = 0;  ///< index into Circuit::populations
  std::uint32_t cell = 0;
};

struct Nodes {
  std::vector<NodePopulation> populations;
  std::vector<std::vector<NodePlace>> places;  ///< [node population][row]
  std::vector<std::optional<NestCell>> nest;   ///< [population of the circuit]: cells with NEST's units and receptors

  const NodePopulation* find(const std::string& name) const;
  std::size_t index_of(const NodePopulation& population) const {
    return static_cast<std::size_t>(&population - populations.data());
  }
};

/// Reads the files of `networks.nodes` and fills cell types and populations of `circuit`.
Nodes read_populations(const ConfigFile& circuit_config, const Components& components, network::Circuit& circuit,
                       core::Diagnostics& diagnostics);

}  // namespace triscale::io

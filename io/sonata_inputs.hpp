/// Node sets, inputs and reports of a SONATA simulation config.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "io/sonata.hpp"
#include "io/sonata_cells.hpp"

namespace triscale::io {

/// Cells by circuit population, ascending.
using Selection = std::map<std::size_t, std::vector<std::uint32_t>>;

/// Resolves what `node_set` and `cells` may be: the name of a set, of a node population, or "all"; an inline set
/// {"population": ..., "node_id": [...], attribute: value or list}; a list of node ids (of populations that are not
/// virtual); a list of set names (their union).
class NodeSets {
 public:
  NodeSets(const SonataConfig& config, const Nodes& nodes, const network::Circuit& circuit,
           core::Diagnostics& diagnostics);

  /// Reports an error and returns nothing where the set is unknown or malformed.
  std::optional<Selection> select(const JsonObject& owner, const std::string& key) const;

 private:
  std::optional<Selection> select_named(const std::string& name, const JsonObject& owner, const std::string& key,
                                        int depth) const;
  std::optional<Selection> select_value(const JsonObject& owner, const std::string& key, int depth) const;
  Selection select_matching(const JsonObject& conditions) const;
  Selection select_ids(const std::vector<double>& ids) const;

  const Nodes& nodes_;
  const network::Circuit& circuit_;
  std::vector<JsonObject> files_;
};

/// Spike trains and current clamps.
void read_inputs(const ConfigFile& simulation, const NodeSets& sets, const Nodes& nodes, network::Circuit& circuit,
                 core::Diagnostics& diagnostics);

/// Membrane reports become probes, extracellular reports field probes; others are named in a warning.
std::vector<ReportSettings> read_reports(const ConfigFile& simulation, const NodeSets& sets, const Nodes& nodes,
                                         network::Circuit& circuit, core::Diagnostics& diagnostics);

}  // namespace triscale::io

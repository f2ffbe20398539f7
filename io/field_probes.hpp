/// Field probes in files: electrode lists (SONATA CSV), recipe JSON, SONATA's extracellular reports.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "io/json_object.hpp"
#include "io/sonata_inputs.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// Columns channel, x_pos, y_pos, z_pos (um), separated by spaces.
std::vector<network::Electrode> read_electrodes(const std::filesystem::path& path, core::Diagnostics& diagnostics);

/// An entry of a recipe's "field_probes". `folder`: what file names are relative to. Populations are looked up in
/// `circuit`, so it must have them.
std::optional<network::FieldProbe> read_field_probe(const JsonObject& json, const std::filesystem::path& folder,
                                                    const network::Circuit& circuit, core::Diagnostics& diagnostics);

/// A SONATA report with module "extracellular": line sources in a medium of 0.3 S/m, as BMTK computes it.
void read_extracellular_report(const JsonObject& entry, const std::string& name, const ConfigFile& simulation,
                               const NodeSets& sets, network::Circuit& circuit, core::Diagnostics& diagnostics);

}  // namespace triscale::io

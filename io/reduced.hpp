/// reduced.json: everything that the bridges derived, with its provenance, for people to read and edit and for later
/// runs to take instead of deriving again.
///
///   {"triscale_reduced": 1,
///    "cell_types":    [{"name", "point": {...}, "point_provenance": {...}, "meanfield": {...},
///                       "meanfield_provenance": {...}}],
///    "synapse_types": [{"name", "point": ..., "point_provenance": ..., "meanfield": ..., "meanfield_provenance":
///    ...}],
///    "field_kernels": [{"probe", "provenance": {...}}]}       the kernels themselves: io/field_kernels.hpp
///
/// Numbers come back to the last bit. The models' keys: io/model_json.hpp.
#pragma once

#include <filesystem>

#include "core/error.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::io {

/// Writes the descriptions that `derivation` names; others came with the circuit and are not written.
void write_reduced(const std::filesystem::path& path, const network::Circuit& circuit,
                   const network::Derivation& derivation);

/// Puts the descriptions of a file into the circuit, replacing what is there, and returns their provenance. A name that
/// the circuit does not have is an error; so is a type that is in use, has no point description, and is not in the
/// file.
network::Derivation apply_reduced(const std::filesystem::path& path, network::Circuit& circuit,
                                  core::Diagnostics& diagnostics);

}  // namespace triscale::io

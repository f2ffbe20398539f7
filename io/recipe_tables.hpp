/// The parts of a recipe that may stand in tables beside it, one row per cell or synapse (io/recipe.hpp). A table has a
/// header row; its fields are separated by commas or by spaces.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/json_object.hpp"
#include "io/recipe_cells.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// Where the `size` cells of a population are, from its key `positions`:
///   {"file": ...}                        columns x_um y_um z_um and, where needed, rotation_x_rad rotation_y_rad
///                                        rotation_z_rad; row k is cell k;
///   {"low_um": [...], "high_um": [...]}  uniform in that box, or in the cylinder within it along "cylinder_axis";
///                                        "random_rotation_about": "x", "y" or "z" turns each cell by a random angle.
/// Drawn from (seed, population, cell). Problems go to the diagnostics of `json`.
std::vector<network::Placement> read_positions(const JsonObject& json, const std::filesystem::path& folder,
                                               std::size_t size, std::uint64_t seed, std::size_t population,
                                               core::Diagnostics& diagnostics);

/// Edges given one by one: columns source, target (cell indices from 0), the weight (named with its unit, as in the
/// recipe), delay_ms and, where needed, section (a name in `sections`, or an index) and position (0 to 1, default 0.5).
/// `has_delay`: a gap junction has none, and no column for it.
network::ExplicitEdges read_edges_table(const std::filesystem::path& path, const std::string& weight_column,
                                        bool has_delay, const SectionNames& sections, core::Diagnostics& diagnostics);

}  // namespace triscale::io

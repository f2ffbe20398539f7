/// The part of a recipe that describes detailed cells (io/recipe.hpp).
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "io/json_object.hpp"
#include "network/cell_models.hpp"

namespace triscale::io {

/// Section names of a stylised morphology and their indices.
using SectionNames = std::map<std::string, std::uint32_t>;

std::optional<network::SectionKind> section_kind(const std::string& name);

/// Kinds listed under `key`; unknown names are errors.
std::vector<network::SectionKind> read_kinds(const JsonObject& json, const std::string& key);

/// `folder`: of the recipe, from which relative file names start.
network::DetailedCell read_detailed_cell(const JsonObject& json, const std::filesystem::path& folder,
                                         SectionNames& names, core::Diagnostics& diagnostics);

}  // namespace triscale::io

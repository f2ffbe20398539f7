/// Recipe: a circuit given by rules, as one JSON file. docs/recipe.schema.json describes every key; the reader is as
/// strict as the schema: an unknown key, or a key without effect, is an error, and all problems are reported together.
///
/// Distributions and rules are those of network/circuit.hpp. A stylised morphology is a list of straight, tapered
/// sections, each attached to an earlier one by name.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// Whether a JSON file is a recipe: its top level has the key "triscale_recipe".
bool is_recipe(const std::filesystem::path& path);

/// Reads a recipe. Problems go to `diagnostics`; what is returned beside errors is incomplete and must not be used. The
/// caller runs network::validate() on the result.
///
/// All problems are reported at once: where the kind or the model of an object is missing or not known, its other keys
/// are judged by the kind that they fit best, and nothing is asked for that would follow from it.
network::Circuit read_recipe(const std::filesystem::path& path, core::Diagnostics& diagnostics);

/// The keys of every kind of object of a recipe, as docs/recipe.schema.json has them under $defs ("recipe": the top
/// level).
const std::map<std::string, std::vector<std::string>>& recipe_keys();

}  // namespace triscale::io

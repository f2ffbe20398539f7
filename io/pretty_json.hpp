/// JSON for people.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace triscale::io {

/// Indented, but objects and arrays that fit on a line stay on one. Numbers have the shortest form that reads back to
/// the same bits.
std::string pretty(const nlohmann::ordered_json& json);

}  // namespace triscale::io

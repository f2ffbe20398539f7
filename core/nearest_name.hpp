/// "Did you mean ...?" for a name that is not one of the known ones.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace triscale::core {

struct NearestName {
  std::string name;          ///< empty if no names are known
  std::size_t distance = 0;  ///< letters to insert, delete or replace (Levenshtein 1966)
};

/// The first of the least distant names. One that only adds a unit to `name`, as in "tau" for "tau_ms", is at distance
/// 0.
NearestName nearest_name(std::string_view name, const std::vector<std::string>& known);

}  // namespace triscale::core

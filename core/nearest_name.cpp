#include "core/nearest_name.hpp"

#include <algorithm>

namespace triscale::core {

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

NearestName nearest_name(std::string_view name, const std::vector<std::string>& known) {
  NearestName best;
  const std::string with_unit = std::string(name) + "_";
  for (const std::string& other : known) {
    const std::size_t distance = other.starts_with(with_unit) ? 0 : edit_distance(name, other);
    if (best.name.empty() || distance < best.distance) best = {other, distance};
  }
  return best;
}

}  // namespace triscale::core

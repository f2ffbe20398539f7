#include <algorithm>
#include <set>

#include "io/sonata_inputs.hpp"

namespace triscale::io {
namespace {

constexpr int kDeepestSet = 20;  // sets that contain each other in a circle go no deeper

void merge(Selection& into, const Selection& other) {
  for (const auto& [population, cells] : other) {
    auto& list = into[population];
    list.insert(list.end(), cells.begin(), cells.end());
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  }
}

}  // namespace

NodeSets::NodeSets(const SonataConfig& config, const Nodes& nodes, const network::Circuit& circuit,
                   core::Diagnostics& diagnostics)
    : nodes_(nodes), circuit_(circuit) {
  std::set<std::filesystem::path> seen;
  for (const auto* part : {&config.simulation, &config.circuit}) {
    if (!*part) continue;
    const auto path = (*part)->path_at((*part)->json, "node_sets_file");
    if (path.empty() || !seen.insert(path).second) continue;
    if (auto file = JsonObject::load(path, diagnostics)) files_.push_back(std::move(*file));
  }
}

std::optional<Selection> NodeSets::select(const JsonObject& owner, const std::string& key) const {
  if (!owner.has(key)) {
    owner.error(key, "must be given: which nodes");
    return std::nullopt;
  }
  return select_value(owner, key, 0);
}

std::optional<Selection> NodeSets::select_value(const JsonObject& owner, const std::string& key, int depth) const {
  if (owner.is_text(key)) return select_named(*owner.text(key), owner, key, depth);
  if (owner.is_object(key)) return select_matching(*owner.object(key));
  if (owner.is_list_of_numbers(key)) return select_ids(owner.numbers(key));
  if (owner.is_list_of_texts(key)) {
    Selection all;
    for (const std::string& name : owner.texts(key)) {
      const auto part = select_named(name, owner, key, depth + 1);
      if (!part) return std::nullopt;
      merge(all, *part);
    }
    return all;
  }
  owner.error(key, "must be a set name, a list of names, a list of node ids or a set { ... }");
  return std::nullopt;
}

std::optional<Selection> NodeSets::select_named(const std::string& name, const JsonObject& owner,
                                                const std::string& key, int depth) const {
  if (depth > kDeepestSet) {
    owner.error(key, "must not use node sets that contain each other");
    return std::nullopt;
  }
  for (const JsonObject& file : files_) {
    if (file.has(name)) return select_value(file, name, depth + 1);
  }
  Selection selection;
  for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
    const network::Population& population = circuit_.populations[p];
    if (name != "all" && population.file_population != name) continue;
    for (std::uint32_t cell = 0; cell < population.size; ++cell) selection[p].push_back(cell);
  }
  if (!selection.empty()) return selection;
  owner.error(key, "must be a node set, a node population or \"all\" ('" + name + "' is none)");
  return std::nullopt;
}

Selection NodeSets::select_matching(const JsonObject& conditions) const {
  Selection selection;
  for (std::size_t p = 0; p < nodes_.populations.size(); ++p) {
    const NodePopulation& population = nodes_.populations[p];
    for (std::size_t row = 0; row < population.rows.size(); ++row) {
      const bool fits = [&] {
        for (const std::string& key : conditions.keys()) {
          bool any = false;
          if (conditions.is_text(key) || conditions.is_list_of_texts(key)) {
            const auto own = key == "population" ? population.name : population.rows.text(row, key);
            const auto wanted = conditions.texts(key);
            any = own && std::find(wanted.begin(), wanted.end(), *own) != wanted.end();
          } else {
            const auto own =
                key == "node_id" ? static_cast<double>(population.ids[row]) : population.rows.number(row, key);
            const auto wanted = conditions.numbers(key);
            any = own && std::find(wanted.begin(), wanted.end(), *own) != wanted.end();
          }
          if (!any) return false;
        }
        return true;
      }();
      if (!fits) continue;
      const NodePlace place = nodes_.places[p][row];
      selection[place.population].push_back(place.cell);
    }
  }
  for (auto& [population, cells] : selection) std::sort(cells.begin(), cells.end());
  return selection;
}

Selection NodeSets::select_ids(const std::vector<double>& ids) const {
  Selection selection;
  for (std::size_t p = 0; p < nodes_.populations.size(); ++p) {
    for (const double id : ids) {
      if (!(id >= 0)) continue;
      const auto row = nodes_.populations[p].row_of_id.find(static_cast<std::uint64_t>(id));
      if (row == nodes_.populations[p].row_of_id.end()) continue;
      const NodePlace place = nodes_.places[p][row->second];
      if (!circuit_.populations[place.population].is_virtual) selection[place.population].push_back(place.cell);
    }
  }
  for (auto& [population, cells] : selection) {
    std::sort(cells.begin(), cells.end());
    cells.erase(std::unique(cells.begin(), cells.end()), cells.end());
  }
  return selection;
}

}  // namespace triscale::io

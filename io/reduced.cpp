#include "io/reduced.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>

#include "io/atomic_file.hpp"
#include "io/json_object.hpp"
#include "io/model_json.hpp"
#include "io/pretty_json.hpp"

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;
using network::Provenance;

constexpr int kFormat = 1;

/// A number that could not be determined is null.
Json number_or_null(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

Json numbers(const std::map<std::string, double>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = number_or_null(value);
  return json;
}

Json provenance_to_json(const Provenance& p) {
  Json ranges = Json::object();
  for (const auto& [name, range] : p.validity_range) ranges[name] = {range[0], range[1]};
  return {{"method", p.method},
          {"version", p.version},
          {"operating_point", numbers(p.operating_point)},
          {"fit_error", numbers(p.fit_error)},
          {"tolerance", numbers(p.tolerance)},
          {"uncertainty", numbers(p.uncertainty)},
          {"validity_range", ranges},
          {"notes", p.notes}};
}

/// Adds a description and its provenance to the entry of a type if it was derived.
template <class Description>
void add(Json& entry, const char* key, const std::string& name, const std::optional<Description>& description,
         const std::map<std::string, Provenance>& derived) {
  const auto found = derived.find(name);
  if (!description || found == derived.end()) return;
  entry[key] = to_json(*description);
  entry[std::string(key) + "_provenance"] = provenance_to_json(found->second);
}

std::map<std::string, double> read_numbers(const JsonObject& json, const std::string& key) {
  std::map<std::string, double> values;
  const auto object = json.object(key);
  if (!object) return values;
  for (const std::string& name : object->keys()) {
    values[name] = object->number(name).value_or(std::numeric_limits<double>::quiet_NaN());
  }
  return values;
}

Provenance read_provenance(const JsonObject& json) {
  Provenance p;
  p.method = json.text("method").value_or("");
  p.version = json.text("version").value_or("");
  p.operating_point = read_numbers(json, "operating_point");
  p.fit_error = read_numbers(json, "fit_error");
  p.tolerance = read_numbers(json, "tolerance");
  p.uncertainty = read_numbers(json, "uncertainty");
  p.notes = json.texts("notes");
  if (const auto ranges = json.object("validity_range")) {
    for (const std::string& name : ranges->keys()) {
      const std::vector<double> range = ranges->numbers(name);
      if (range.size() == 2) {
        p.validity_range[name] = {range[0], range[1]};
      } else {
        ranges->error(name, "must be a list of two numbers");
      }
    }
  }
  json.reject_unread(
      {"method", "version", "operating_point", "fit_error", "tolerance", "uncertainty", "validity_range", "notes"});
  return p;
}

/// The type of this name; null and an error if there is none.
template <class Type>
Type* find(std::vector<Type>& types, const JsonObject& json, std::set<std::string>& seen) {
  const std::string name = json.required_text("name").value_or("");
  if (name.empty()) return nullptr;
  if (!seen.insert(name).second) {
    json.error("name", "must not stand twice", "remove one of the two entries");
    return nullptr;
  }
  for (Type& type : types) {
    if (type.name == name) return &type;
  }
  json.error("name", "is not the name of a type of this circuit",
             "the file belongs to another circuit, or a type was renamed");
  return nullptr;
}

template <class Description, class Read>
void take(const JsonObject& json, const char* key, const std::string& name, std::optional<Description>& description,
          std::map<std::string, Provenance>& derived, Read read) {
  const std::string provenance_key = std::string(key) + "_provenance";
  const auto given = json.object(key);
  const auto provenance = json.object(provenance_key);
  if (!given) {
    if (provenance) json.error(provenance_key, "stands beside no description", "remove it, or restore the description");
    return;
  }
  description = Description(read(*given));
  derived[name] = provenance ? read_provenance(*provenance) : Provenance{};
}

const std::vector<std::string> kEntryKeys{"name", "point", "point_provenance", "meanfield", "meanfield_provenance"};

/// Types that are used, lack a point description and were not in the file.
void report_missing(const std::string& file, const network::Circuit& circuit, core::Diagnostics& diagnostics) {
  std::set<std::size_t> cells, synapses;
  for (const auto& population : circuit.populations) {
    if (!population.is_virtual) cells.insert(population.cell_type);
  }
  for (const auto& projection : circuit.projections) synapses.insert(projection.synapse_type);
  const auto report = [&](const char* list, const std::string& name) {
    diagnostics.error({file, list, name, "must have a point description here, because the circuit gives none",
                       "derive again, or add the entry"});
  };
  for (const std::size_t i : cells) {
    if (i < circuit.cell_types.size() && !circuit.cell_types[i].point) report("cell_types", circuit.cell_types[i].name);
  }
  for (const std::size_t i : synapses) {
    if (i < circuit.synapse_types.size() && !circuit.synapse_types[i].point) {
      report("synapse_types", circuit.synapse_types[i].name);
    }
  }
}

}  // namespace

void write_reduced(const std::filesystem::path& path, const network::Circuit& circuit,
                   const network::Derivation& derivation) {
  Json cells = Json::array(), synapses = Json::array();
  for (const auto& type : circuit.cell_types) {
    Json entry = {{"name", type.name}};
    add(entry, "point", type.name, type.point, derivation.point_cells);
    add(entry, "meanfield", type.name, type.meanfield, derivation.meanfield_cells);
    if (entry.size() > 1) cells.push_back(std::move(entry));
  }
  for (const auto& type : circuit.synapse_types) {
    Json entry = {{"name", type.name}};
    add(entry, "point", type.name, type.point, derivation.point_synapses);
    add(entry, "meanfield", type.name, type.meanfield, derivation.meanfield_synapses);
    if (entry.size() > 1) synapses.push_back(std::move(entry));
  }
  Json kernels = Json::array();
  for (const auto& [probe, provenance] : derivation.field_kernels) {
    kernels.push_back({{"probe", probe}, {"provenance", provenance_to_json(provenance)}});
  }
  Json root = {{"triscale_reduced", kFormat}, {"cell_types", cells}, {"synapse_types", synapses}};
  if (!kernels.empty()) root["field_kernels"] = kernels;
  write_text_file(path, pretty(root));
}

network::Derivation apply_reduced(const std::filesystem::path& path, network::Circuit& circuit,
                                  core::Diagnostics& diagnostics) {
  network::Derivation derivation;
  const auto root = JsonObject::load(path, diagnostics);
  if (!root) return derivation;
  if (const auto format = root->required_number("triscale_reduced"); format && *format != kFormat) {
    root->error("triscale_reduced", "must be 1, the format that this version reads");
  }
  std::set<std::string> seen_cells, seen_synapses;
  for (const JsonObject& entry : root->objects("cell_types")) {
    network::CellType* type = find(circuit.cell_types, entry, seen_cells);
    if (type == nullptr) continue;
    take(entry, "point", type->name, type->point, derivation.point_cells, read_point_cell);
    take(entry, "meanfield", type->name, type->meanfield, derivation.meanfield_cells, read_meanfield_cell);
    entry.reject_unread(kEntryKeys);
  }
  for (const JsonObject& entry : root->objects("synapse_types")) {
    network::SynapseType* type = find(circuit.synapse_types, entry, seen_synapses);
    if (type == nullptr) continue;
    take(entry, "point", type->name, type->point, derivation.point_synapses, read_point_synapse);
    take(entry, "meanfield", type->name, type->meanfield, derivation.meanfield_synapses, read_meanfield_synapse);
    entry.reject_unread(kEntryKeys);
  }
  for (const JsonObject& entry : root->objects("field_kernels")) {
    const std::string probe = entry.required_text("probe").value_or("");
    if (const auto provenance = entry.object("provenance"))
      derivation.field_kernels[probe] = read_provenance(*provenance);
    entry.reject_unread({"probe", "provenance"});
  }
  root->reject_unread({"triscale_reduced", "cell_types", "synapse_types", "field_kernels"});
  report_missing(root->file(), circuit, diagnostics);
  return derivation;
}

}  // namespace triscale::io

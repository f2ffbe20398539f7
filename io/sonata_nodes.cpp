#include "io/sonata_nodes.hpp"

#include <cmath>

#include "io/hdf5.hpp"
#include "io/many_problems.hpp"
#include "io/sonata_config.hpp"

namespace triscale::io {
namespace {

/// Columns of a group: datasets directly in it. Sub-groups (dynamics_params) are not supported and named.
AttributeGroup read_group(const Hdf5File& file, const std::string& path, core::Diagnostics& diagnostics) {
  AttributeGroup group;
  bool first = true;
  for (const std::string& name : file.children(path)) {
    const std::string column = path + "/" + name;
    if (file.is_group(column)) {
      if (file.children(column).empty()) continue;
      diagnostics.error({file.name(), column, "", "is a group of attributes that is not supported yet", ""});
      continue;
    }
    std::size_t rows = 0;
    if (file.is_string(column)) {
      rows = (group.texts[name] = file.read_strings(column)).size();
    } else {
      rows = (group.numbers[name] = file.read<double>(column)).size();
    }
    if (!first && rows != group.rows) {
      diagnostics.error(
          {file.name(), column, std::to_string(rows) + " rows",
           "must have as many rows as the other columns of its group (" + std::to_string(group.rows) + ")", ""});
    }
    group.rows = first ? rows : std::min(rows, group.rows);
    first = false;
  }
  return group;
}

bool is_index(const std::string& name) {
  return !name.empty() && name.find_first_not_of("0123456789") == std::string::npos;
}

}  // namespace

std::optional<std::string> TypedRows::text(std::size_t row, const std::string& name) const {
  const AttributeGroup& own = groups[group[row]];
  const std::size_t i = group_row[row];
  if (const auto found = own.texts.find(name); found != own.texts.end() && i < found->second.size()) {
    return found->second[i];
  }
  if (const auto found = own.numbers.find(name); found != own.numbers.end() && i < found->second.size()) {
    const double value = found->second[i];
    return value == std::floor(value) ? std::to_string(static_cast<std::int64_t>(value)) : std::to_string(value);
  }
  const auto type = type_rows.find(type_ids[row]);
  return type == type_rows.end() ? std::nullopt : types.field(type->second, name);
}

std::optional<double> TypedRows::number(std::size_t row, const std::string& name) const {
  const AttributeGroup& own = groups[group[row]];
  const auto found = own.numbers.find(name);
  if (found != own.numbers.end() && group_row[row] < found->second.size()) return found->second[group_row[row]];
  const auto field = text(row, name);
  return field ? parse_number(*field) : std::nullopt;
}

bool TypedRows::in_group(std::size_t row, const std::string& name) const {
  const AttributeGroup& own = groups[group[row]];
  return own.numbers.contains(name) || own.texts.contains(name);
}

bool TypedRows::has(const std::string& name) const {
  if (types.column(name)) return true;
  for (const AttributeGroup& one : groups) {
    if (one.numbers.contains(name) || one.texts.contains(name)) return true;
  }
  return false;
}

std::string TypedRows::place(std::size_t row, const std::string& name) const {
  return path + ", row " + std::to_string(row) + ", " + name;
}

void TypedRows::report_unknown(const std::set<std::string>& known, core::Diagnostics& diagnostics) const {
  for (const std::string& name : types.columns) {
    if (known.contains(name)) continue;
    diagnostics.warning({types.file, "column " + name, "", "is a column that is not known here and has no effect", ""});
  }
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto check = [&](const std::string& name) {
      if (known.contains(name)) return;
      diagnostics.warning({file, path + "/" + group_names[g] + "/" + name, "",
                           "is an attribute that is not known here and has no effect", ""});
    };
    for (const auto& [name, values] : groups[g].numbers) check(name);
    for (const auto& [name, values] : groups[g].texts) check(name);
  }
}

TypedRows read_typed_rows(const Hdf5File& file, const std::string& path, const std::string& prefix, std::size_t count,
                          const CsvTable& types, core::Diagnostics& diagnostics) {
  TypedRows rows;
  rows.file = file.name();
  rows.path = path;
  rows.types = types;
  for (std::size_t t = 0; t < types.rows.size(); ++t) {
    const auto field = types.field(t, prefix + "_type_id");
    const auto id = field ? parse_id(*field) : std::nullopt;
    if (!id) {
      diagnostics.error(
          {types.file, types.place(t, prefix + "_type_id"), field.value_or(""), "must be an integer >= 0", ""});
    } else if (!rows.type_rows.emplace(*id, t).second) {
      diagnostics.error({types.file, types.place(t, prefix + "_type_id"), *field, "must not repeat", ""});
    }
  }
  const auto read_column = [&](const std::string& name, std::vector<std::uint64_t> fallback) {
    const std::string column = path + "/" + prefix + name;
    if (!file.exists(column)) return fallback;
    auto values = file.read<std::uint64_t>(column);
    if (values.size() == count) return values;
    diagnostics.error({file.name(), column, std::to_string(values.size()) + " rows",
                       "must have one row per " + prefix + " (" + std::to_string(count) + ")", ""});
    return std::vector<std::uint64_t>(count, 0);
  };
  if (!file.exists(path + "/" + prefix + "_type_id")) {
    diagnostics.error({file.name(), path + "/" + prefix + "_type_id", "", "must be given", ""});
  }
  rows.type_ids = read_column("_type_id", std::vector<std::uint64_t>(count, 0));
  ManyProblems unknown_types(diagnostics);
  for (std::size_t i = 0; i < count; ++i) {
    if (rows.type_rows.contains(rows.type_ids[i])) continue;
    unknown_types.add({file.name(), rows.place(i, prefix + "_type_id"), std::to_string(rows.type_ids[i]),
                       "must be a type of " + types.file, ""});
  }

  std::unordered_map<std::uint64_t, std::size_t> group_of_name;
  for (const std::string& name : file.children(path)) {
    if (!is_index(name) || !file.is_group(path + "/" + name)) continue;
    group_of_name[*parse_id(name)] = rows.groups.size();
    rows.groups.push_back(read_group(file, path + "/" + name, diagnostics));
    rows.group_names.push_back(name);
  }
  if (rows.groups.empty()) {
    rows.groups.emplace_back();
    rows.group_names.emplace_back("0");
    group_of_name[0] = 0;
  }
  std::vector<std::uint64_t> in_order(count);
  for (std::size_t i = 0; i < count; ++i) in_order[i] = i;
  const auto group_ids = read_column("_group_id", std::vector<std::uint64_t>(count, 0));
  const auto group_indices = read_column("_group_index", std::move(in_order));
  rows.group.assign(count, 0);
  rows.group_row.assign(count, 0);
  ManyProblems bad_groups(diagnostics);
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = group_of_name.find(group_ids[i]);
    if (found == group_of_name.end()) {
      bad_groups.add({file.name(), rows.place(i, prefix + "_group_id"), std::to_string(group_ids[i]),
                      "must be a group of this population", ""});
      continue;
    }
    const AttributeGroup& group = rows.groups[found->second];
    const bool has_columns = !group.numbers.empty() || !group.texts.empty();
    if (has_columns && group_indices[i] >= group.rows) {
      bad_groups.add({file.name(), rows.place(i, prefix + "_group_index"), std::to_string(group_indices[i]),
                      "must be a row of its group (it has " + std::to_string(group.rows) + ")", ""});
      continue;
    }
    rows.group[i] = found->second;
    rows.group_row[i] = group_indices[i];
  }
  return rows;
}

std::vector<NodePopulation> read_nodes(const std::filesystem::path& nodes_file, const std::filesystem::path& types_file,
                                       core::Diagnostics& diagnostics) {
  std::vector<NodePopulation> populations;
  const CsvTable types = read_csv(types_file, diagnostics);
  const Hdf5File file = Hdf5File::open(nodes_file);
  check_magic(file, diagnostics);
  for (const std::string& name : file.children("/nodes")) {
    const std::string path = "/nodes/" + name;
    if (!file.exists(path + "/node_type_id")) {
      diagnostics.error({file.name(), path, "", "must have a dataset node_type_id", ""});
      continue;
    }
    NodePopulation population;
    population.name = name;
    const std::size_t count = file.shape(path + "/node_type_id").at(0);
    population.rows = read_typed_rows(file, path, "node", count, types, diagnostics);
    if (file.exists(path + "/node_id")) {
      population.ids = file.read<std::uint64_t>(path + "/node_id");
    } else {
      for (std::size_t i = 0; i < count; ++i) population.ids.push_back(i);
    }
    if (population.ids.size() != count) {
      diagnostics.error({file.name(), path + "/node_id", std::to_string(population.ids.size()) + " rows",
                         "must have one row per node (" + std::to_string(count) + ")", ""});
      continue;
    }
    ManyProblems repeated(diagnostics);
    for (std::size_t i = 0; i < count; ++i) {
      if (population.row_of_id.emplace(population.ids[i], i).second) continue;
      repeated.add(
          {file.name(), population.rows.place(i, "node_id"), std::to_string(population.ids[i]), "must not repeat", ""});
    }
    populations.push_back(std::move(population));
  }
  return populations;
}

}  // namespace triscale::io

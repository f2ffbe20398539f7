/// Node populations of SONATA: nodes.h5 with groups and node_types.csv, before cell models are made of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/error.hpp"
#include "io/csv.hpp"

namespace triscale::io {

class Hdf5File;

/// Columns of one group of an HDF5 population (nodes or edges), by name.
struct AttributeGroup {
  std::map<std::string, std::vector<double>> numbers;
  std::map<std::string, std::vector<std::string>> texts;
  std::size_t rows = 0;
};

/// Nodes or edges of one population: which type each has, and where its own attributes are.
struct TypedRows {
  std::string file, path;
  std::vector<std::uint64_t> type_ids;
  std::vector<std::size_t> group, group_row;  ///< index into `groups`, row in it
  std::vector<AttributeGroup> groups;
  std::vector<std::string> group_names;
  CsvTable types;
  std::unordered_map<std::uint64_t, std::size_t> type_rows;  ///< type id -> row of `types`

  std::size_t size() const { return type_ids.size(); }
  /// An attribute of a row: of its group if the group has it, else of its type; nothing if neither.
  std::optional<std::string> text(std::size_t row, const std::string& name) const;
  std::optional<double> number(std::size_t row, const std::string& name) const;
  /// True if some group or the type table has it.
  bool has(const std::string& name) const;
  bool in_group(std::size_t row, const std::string& name) const;
  std::string place(std::size_t row, const std::string& name) const;
  /// Warns of columns that are in none of the lists.
  void report_unknown(const std::set<std::string>& known, core::Diagnostics& diagnostics) const;
};

/// Reads <prefix>_type_id, <prefix>_group_id, <prefix>_group_index and the groups under `path`, and checks them.
/// `prefix` is "node" or "edge". `count` is the number of rows.
TypedRows read_typed_rows(const Hdf5File& file, const std::string& path, const std::string& prefix, std::size_t count,
                          const CsvTable& types, core::Diagnostics& diagnostics);

struct NodePopulation {
  std::string name;
  TypedRows rows;
  std::vector<std::uint64_t> ids;
  std::unordered_map<std::uint64_t, std::size_t> row_of_id;
};

/// All populations of a nodes file. A population without rows is kept.
std::vector<NodePopulation> read_nodes(const std::filesystem::path& nodes_file, const std::filesystem::path& types_file,
                                       core::Diagnostics& diagnostics);

}  // namespace triscale::io

/// Tables of the SONATA kind: ASCII, a header row, fields separated by one or more spaces (or by another character),
/// quoted with " where needed ("" inside quotes is one quote). NULL, NONE and an empty field mean that the value is
/// missing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace triscale::io {

struct CsvTable {
  using Field = std::optional<std::string>;

  std::string file;
  std::vector<std::string> columns;
  std::vector<std::vector<Field>> rows;
  std::vector<int> lines;  ///< line number in the file of each row

  std::optional<std::size_t> column(const std::string& name) const;
  /// The field of a row; missing if there is no such column.
  Field field(std::size_t row, const std::string& name) const;
  /// "line 3, column delay"
  std::string place(std::size_t row, const std::string& name) const;
};

/// Problems go to `diagnostics`; rows with a wrong number of fields are errors and left out.
CsvTable read_csv(const std::filesystem::path& path, core::Diagnostics& diagnostics, char separator = ' ');

/// The whole text as a number; nothing if it is not one, or not finite.
std::optional<double> parse_number(const std::string& text);
/// The whole text as an integer >= 0.
std::optional<std::uint64_t> parse_id(const std::string& text);

}  // namespace triscale::io

#include "io/csv.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <fstream>

namespace triscale::io {
namespace {

/// Splits one line; nothing if a quote is not closed. Spaces separate however many there are, other characters one by
/// one.
std::optional<std::vector<CsvTable::Field>> split(const std::string& line, char separator) {
  std::vector<CsvTable::Field> fields;
  std::size_t i = 0;
  const std::size_t n = line.size();
  while (true) {
    while (i < n && line[i] == ' ') ++i;
    if (i == n && separator == ' ') return fields;
    std::string text;
    bool quoted = false;
    while (i < n && (line[i] != separator)) {
      if (line[i] != '"') {
        text += line[i++];
        continue;
      }
      quoted = true;
      for (++i;; ++i) {
        if (i >= n) return std::nullopt;
        if (line[i] != '"') {
          text += line[i];
        } else if (i + 1 < n && line[i + 1] == '"') {
          text += line[++i];
        } else {
          break;
        }
      }
      ++i;
    }
    const bool missing = !quoted && (text.empty() || text == "NULL" || text == "NONE");
    fields.push_back(missing ? CsvTable::Field() : CsvTable::Field(std::move(text)));
    if (i >= n) return fields;
    ++i;
  }
}

}  // namespace

std::optional<std::size_t> CsvTable::column(const std::string& name) const {
  const auto found = std::find(columns.begin(), columns.end(), name);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

CsvTable::Field CsvTable::field(std::size_t row, const std::string& name) const {
  const auto index = column(name);
  return index ? rows[row][*index] : std::nullopt;
}

std::string CsvTable::place(std::size_t row, const std::string& name) const {
  return "line " + std::to_string(lines[row]) + ", column " + name;
}

CsvTable read_csv(const std::filesystem::path& path, core::Diagnostics& diagnostics, char separator) {
  CsvTable table;
  table.file = path.string();
  const auto error = [&](int line, const std::string& value, const std::string& rule, const std::string& hint = "") {
    diagnostics.error({table.file, line > 0 ? "line " + std::to_string(line) : "", value, rule, hint});
  };
  std::ifstream stream(path);
  std::error_code ignored;
  if (!stream || std::filesystem::is_directory(path, ignored)) {
    error(0, "", "must be a readable CSV file");
    return table;
  }
  std::string line;
  for (int number = 1; std::getline(stream, line); ++number) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (line.find_first_not_of(' ') == std::string::npos) continue;
    auto fields = split(line, separator);
    if (!fields) {
      error(number, line.substr(0, 60), "must close every quote");
    } else if (table.columns.empty()) {
      for (auto& field : *fields) table.columns.push_back(field.value_or(""));
    } else if (fields->size() != table.columns.size()) {
      error(number, std::to_string(fields->size()) + " fields",
            "must have as many fields as the header (" + std::to_string(table.columns.size()) + ")",
            "a missing value is written NULL; a text with spaces needs quotes");
    } else {
      table.rows.push_back(std::move(*fields));
      table.lines.push_back(number);
    }
  }
  if (table.columns.empty()) error(0, "", "must have a header row");
  return table;
}

std::optional<double> parse_number(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || end != text.c_str() + text.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> parse_id(const std::string& text) {
  std::uint64_t value = 0;
  const auto [end, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (status != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace triscale::io

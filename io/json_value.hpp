/// A tree of values to be written as JSON, for results whose shape depends on what was asked for.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace triscale::io {

class JsonValue {
 public:
  using List = std::vector<JsonValue>;
  using Members = std::vector<std::pair<std::string, JsonValue>>;  ///< order is kept

  JsonValue() = default;
  JsonValue(bool value) : value_(value) {}
  JsonValue(double value) : value_(value) {}
  JsonValue(int value) : value_(static_cast<double>(value)) {}
  JsonValue(const char* value) : value_(std::string(value)) {}
  JsonValue(std::string value) : value_(std::move(value)) {}
  JsonValue(List value) : value_(std::move(value)) {}
  JsonValue(Members value) : value_(std::move(value)) {}
  JsonValue(const std::vector<double>& values) : value_(List(values.begin(), values.end())) {}

  const std::variant<std::monostate, bool, double, std::string, List, Members>& value() const { return value_; }

 private:
  std::variant<std::monostate, bool, double, std::string, List, Members> value_;
};

/// Writes the file atomically. Numbers that are not finite become null.
void write_json(const std::filesystem::path& path, const JsonValue& value);

}  // namespace triscale::io

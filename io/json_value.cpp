#include "io/json_value.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "io/atomic_file.hpp"

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;

Json to_json(const JsonValue& value) {
  if (const auto* flag = std::get_if<bool>(&value.value())) return *flag;
  if (const auto* number = std::get_if<double>(&value.value())) return std::isfinite(*number) ? Json(*number) : Json();
  if (const auto* text = std::get_if<std::string>(&value.value())) return *text;
  if (const auto* list = std::get_if<JsonValue::List>(&value.value())) {
    Json result = Json::array();
    for (const JsonValue& item : *list) result.push_back(to_json(item));
    return result;
  }
  if (const auto* members = std::get_if<JsonValue::Members>(&value.value())) {
    Json result = Json::object();
    for (const auto& [key, item] : *members) result[key] = to_json(item);
    return result;
  }
  return {};
}

}  // namespace

void write_json(const std::filesystem::path& path, const JsonValue& value) {
  write_text_file(path, to_json(value).dump(1) + "\n");
}

}  // namespace triscale::io

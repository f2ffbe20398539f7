#include "io/pretty_json.hpp"

#include <nlohmann/json.hpp>

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;

void print(const Json& json, std::size_t indent, std::string& text) {
  constexpr std::size_t kLine = 130;
  const std::string compact = json.dump();
  if (!json.is_structured() || json.empty() || indent + compact.size() <= kLine) {
    text += compact;
    return;
  }
  const bool object = json.is_object();
  text += object ? "{" : "[";
  bool first = true;
  for (const auto& [key, value] : json.items()) {
    text += (first ? "\n" : ",\n") + std::string(indent + 2, ' ');
    if (object) text += Json(key).dump() + ": ";
    print(value, indent + 2, text);
    first = false;
  }
  text += "\n" + std::string(indent, ' ') + (object ? "}" : "]");
}

}  // namespace

std::string pretty(const Json& json) {
  std::string text;
  print(json, 0, text);
  return text + "\n";
}

}  // namespace triscale::io

#include "io/json_object.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/nearest_name.hpp"

namespace triscale::io {
namespace {

using nlohmann::json;

std::string shorten(std::string text) {
  constexpr std::size_t kLongest = 60;
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "...";
  return text;
}

bool all_of(const json& list, bool (*test)(const json&)) {
  if (!list.is_array()) return false;
  for (const json& item : list) {
    if (!test(item)) return false;
  }
  return true;
}
bool is_number(const json& value) {
  return value.is_number();
}
bool is_string(const json& value) {
  return value.is_string();
}

}  // namespace

std::optional<JsonObject> JsonObject::load(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  const auto fail = [&](const std::string& place, const std::string& value, const std::string& rule,
                        const std::string& hint) {
    diagnostics.error({path.string(), place, value, rule, hint});
    return std::nullopt;
  };
  std::ifstream stream(path);
  std::error_code ignored;
  if (!stream || std::filesystem::is_directory(path, ignored)) {
    return fail("", "", "must be a readable JSON file", "check the path and the manifest of the configuration");
  }
  // Keys of the objects that are open while parsing.
  std::vector<std::set<std::string>> open;
  std::vector<std::string> repeated;
  const auto watch = [&](int, json::parse_event_t event, json& value) {
    if (event == json::parse_event_t::object_start) open.emplace_back();
    if (event == json::parse_event_t::object_end) open.pop_back();
    if (event == json::parse_event_t::key && !open.back().insert(value.get<std::string>()).second) {
      repeated.push_back(value.get<std::string>());
    }
    return true;
  };
  auto root = std::make_shared<json>();
  try {
    *root = json::parse(stream, watch);
  } catch (const json::parse_error& error) {
    std::string message = error.what();
    const std::size_t begin = message.find("parse error");
    if (begin != std::string::npos) message = message.substr(begin);
    return fail("", "", "must be well-formed JSON: " + message, "");
  }
  for (const std::string& key : repeated) fail(key, "", "must not stand twice in one object", "remove one of the two");
  if (!root->is_object()) return fail("", "", "must hold a JSON object", "");
  const json* node = root.get();
  return JsonObject(path.string(), "", std::move(root), node, diagnostics);
}

JsonObject::JsonObject(std::string file, std::string place, std::shared_ptr<const json> root, const json* node,
                       core::Diagnostics& diagnostics)
    : file_(std::move(file)),
      place_(std::move(place)),
      root_(std::move(root)),
      node_(node),
      diagnostics_(&diagnostics),
      read_(std::make_shared<std::set<std::string>>()) {}

JsonObject JsonObject::with(core::Diagnostics& diagnostics) const {
  return JsonObject(file_, place_, root_, node_, diagnostics);
}

std::string JsonObject::place(const std::string& key) const {
  if (key.empty() || place_.empty()) return place_ + key;
  return place_ + "." + key;
}

bool JsonObject::has(const std::string& key) const {
  return node_->contains(key);
}

std::vector<std::string> JsonObject::keys() const {
  std::vector<std::string> result;
  for (const auto& item : node_->items()) result.push_back(item.key());
  return result;
}

const json* JsonObject::find(const std::string& key) const {
  read_->insert(key);
  const auto found = node_->find(key);
  if (found == node_->end() || found->is_null()) return nullptr;
  return &*found;
}

std::optional<double> JsonObject::number(const std::string& key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (value->is_number()) return value->get<double>();
  error(key, "must be a number");
  return std::nullopt;
}

std::optional<double> JsonObject::number_or_numeric_text(const std::string& key) const {
  const json* value = find(key);
  if (!value || !value->is_string()) return number(key);
  const auto text = value->get<std::string>();
  char* end = nullptr;
  const double result = std::strtod(text.c_str(), &end);
  if (!text.empty() && end == text.c_str() + text.size() && std::isfinite(result)) return result;
  error(key, "must be a number");
  return std::nullopt;
}

std::optional<std::string> JsonObject::text(const std::string& key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (value->is_string()) return value->get<std::string>();
  error(key, "must be a text");
  return std::nullopt;
}

std::optional<bool> JsonObject::flag(const std::string& key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (value->is_boolean()) return value->get<bool>();
  error(key, "must be true or false");
  return std::nullopt;
}

std::optional<JsonObject> JsonObject::object(const std::string& key) const {
  const json* value = find(key);
  if (!value) return std::nullopt;
  if (value->is_object()) return JsonObject(file_, place(key), root_, value, *diagnostics_);
  error(key, "must be an object { ... }");
  return std::nullopt;
}

std::vector<double> JsonObject::numbers(const std::string& key) const {
  const json* value = find(key);
  if (!value) return {};
  if (value->is_number()) return {value->get<double>()};
  if (all_of(*value, is_number)) return value->get<std::vector<double>>();
  error(key, "must be a number or a list of numbers");
  return {};
}

std::vector<std::string> JsonObject::texts(const std::string& key) const {
  const json* value = find(key);
  if (!value) return {};
  if (value->is_string()) return {value->get<std::string>()};
  if (all_of(*value, is_string)) return value->get<std::vector<std::string>>();
  error(key, "must be a text or a list of texts");
  return {};
}

std::vector<JsonObject> JsonObject::objects(const std::string& key) const {
  const json* value = find(key);
  if (!value) return {};
  std::vector<JsonObject> result;
  if (value->is_array()) {
    for (std::size_t i = 0; i < value->size(); ++i) {
      const json& item = (*value)[i];
      const std::string where = place(key) + "[" + std::to_string(i) + "]";
      if (item.is_object()) {
        result.push_back(JsonObject(file_, where, root_, &item, *diagnostics_));
      } else {
        diagnostics_->error({file_, where, shorten(item.dump()), "must be an object { ... }", ""});
      }
    }
  } else {
    error(key, "must be a list of objects");
  }
  return result;
}

std::optional<double> JsonObject::required_number(const std::string& key) const {
  if (!find(key)) error(key, "must be given (a number)");
  return number(key);
}

std::optional<std::string> JsonObject::required_text(const std::string& key) const {
  if (!find(key)) error(key, "must be given (a text)");
  return text(key);
}

bool JsonObject::is_text(const std::string& key) const {
  const json* value = find(key);
  return value && value->is_string();
}
bool JsonObject::is_object(const std::string& key) const {
  const json* value = find(key);
  return value && value->is_object();
}
bool JsonObject::is_list_of_numbers(const std::string& key) const {
  const json* value = find(key);
  return value && all_of(*value, is_number);
}
bool JsonObject::is_list_of_texts(const std::string& key) const {
  const json* value = find(key);
  return value && all_of(*value, is_string);
}

std::string JsonObject::shown(const std::string& key) const {
  const auto found = node_->find(key);
  if (found == node_->end()) return "";
  return shorten(found->is_string() ? found->get<std::string>() : found->dump());
}

void JsonObject::accept(const std::vector<std::string>& known) const {
  read_->insert(known.begin(), known.end());
}

void JsonObject::error(const std::string& key, const std::string& rule, const std::string& hint) const {
  diagnostics_->error({file_, place(key), shown(key), rule, hint});
}

void JsonObject::warning(const std::string& key, const std::string& rule, const std::string& hint) const {
  diagnostics_->warning({file_, place(key), shown(key), rule, hint});
}

void JsonObject::report_unread() const {
  for (const std::string& key : keys()) {
    if (!read_->contains(key)) warning(key, "is a key that is not known here and has no effect");
  }
}

void JsonObject::reject_unread(const std::vector<std::string>& known) const {
  for (const std::string& key : keys()) {
    if (read_->contains(key) && std::find(known.begin(), known.end(), key) != known.end()) continue;
    if (std::find(known.begin(), known.end(), key) != known.end()) {
      error(key, "has no effect beside the other keys here", "remove it, or the key that excludes it");
      continue;
    }
    const std::string nearest = core::nearest_name(key, known).name;
    error(key, "is not a known key", nearest.empty() ? "" : "did you mean " + nearest + "?");
  }
}

}  // namespace triscale::io

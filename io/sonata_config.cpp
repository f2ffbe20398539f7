#include "io/sonata_config.hpp"

#include <cctype>

#include "io/hdf5.hpp"

namespace triscale::io {
namespace {

constexpr std::uint32_t kSonataMagic = 0x0A7A;
constexpr int kDeepestNesting = 20;  // variables that use each other in a circle go no deeper

/// Name of the variable at text[begin] == '$', and the position after it; an empty name if there is none.
std::pair<std::string, std::size_t> variable_at(const std::string& text, std::size_t begin) {
  std::size_t i = begin + 1;
  if (i < text.size() && text[i] == '{') {
    const std::size_t end = text.find('}', i);
    if (end == std::string::npos) return {"", begin};
    return {text.substr(i + 1, end - i - 1), end + 1};
  }
  while (i < text.size() && (std::isalnum(static_cast<unsigned char>(text[i])) || text[i] == '_')) ++i;
  return {text.substr(begin + 1, i - begin - 1), i};
}

}  // namespace

Manifest::Manifest(const JsonObject& config, const std::filesystem::path& folder) : folder_(folder) {
  variables_["configdir"] = folder.string();
  const auto manifest = config.object("manifest");
  if (!manifest) return;
  for (const std::string& key : manifest->keys()) {
    const auto value = manifest->required_text(key);
    if (!value) continue;
    std::string name = key;
    if (name.starts_with("${") && name.ends_with("}")) {
      name = name.substr(2, name.size() - 3);
    } else if (name.starts_with("$")) {
      name = name.substr(1);
    }
    variables_[name] = *value;
  }
  for (const std::string& key : manifest->keys()) {
    if (const auto value = manifest->text(key)) expand(*value, *manifest, key);
  }
}

std::string Manifest::expand(const std::string& text, const JsonObject& place, const std::string& key) const {
  std::string result = text;
  for (int depth = 0; result.find('$') != std::string::npos; ++depth) {
    const std::size_t begin = result.find('$');
    const auto [name, end] = variable_at(result, begin);
    const auto found = variables_.find(name);
    if (found == variables_.end()) {
      place.error(key, "must use variables of the manifest only ('" + name + "' is not one)");
      return "";
    }
    if (depth > kDeepestNesting) {
      place.error(key, "must not use manifest variables that are defined by each other in a circle");
      return "";
    }
    result = result.substr(0, begin) + found->second + result.substr(end);
  }
  return result;
}

std::filesystem::path Manifest::resolve(const std::string& text, const JsonObject& place,
                                        const std::string& key) const {
  const std::filesystem::path path = expand(text, place, key);
  if (path.empty()) return {};
  return (path.is_absolute() ? path : folder_ / path).lexically_normal();
}

std::optional<ConfigFile> ConfigFile::load(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  auto json = JsonObject::load(path, diagnostics);
  if (!json) return std::nullopt;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  Manifest manifest(*json, folder);
  return ConfigFile{std::move(*json), std::move(manifest)};
}

std::filesystem::path ConfigFile::path_at(const JsonObject& object, const std::string& key) const {
  const auto text = object.text(key);
  return text ? manifest.resolve(*text, object, key) : std::filesystem::path();
}

SonataConfig SonataConfig::load(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  SonataConfig config;
  auto top = ConfigFile::load(path, diagnostics);
  if (!top) return config;
  std::filesystem::path circuit_path = top->path_at(top->json, "network");
  if (top->json.has("simulation")) {
    const auto simulation_path = top->path_at(top->json, "simulation");
    if (!simulation_path.empty()) config.simulation = ConfigFile::load(simulation_path, diagnostics);
    if (config.simulation && config.simulation->json.has("network")) {
      const auto own = config.simulation->path_at(config.simulation->json, "network");
      if (circuit_path.empty()) {
        circuit_path = own;
      } else if (own != circuit_path) {
        config.simulation->json.warning("network", "differs from the network of the wrapper config, which is used");
      }
    }
    top->json.report_unread();
  } else {
    config.simulation = top;
  }
  if (config.simulation && config.simulation->json.has("networks")) {
    config.circuit = config.simulation;
  } else if (!circuit_path.empty()) {
    config.circuit = ConfigFile::load(circuit_path, diagnostics);
  } else if (config.simulation) {
    config.simulation->json.error("network", "must name the circuit config",
                                  "or put `networks` and `components` into this file");
  }
  return config;
}

void check_magic(const Hdf5File& file, core::Diagnostics& diagnostics) {
  if (!file.has_attribute("/", "magic") || !file.has_attribute("/", "version")) {
    diagnostics.warning(
        {file.name(), "/", "", "has no attributes `magic` and `version`, which SONATA asks for", "read all the same"});
    return;
  }
  const auto magic = file.attribute<std::int64_t>("/", "magic");
  if (magic.size() != 1 || magic[0] != kSonataMagic) {
    diagnostics.error({file.name(), "/@magic", magic.empty() ? "" : std::to_string(magic[0]),
                       "must be 2682 (0x0A7A) in a SONATA file", ""});
  }
}

}  // namespace triscale::io

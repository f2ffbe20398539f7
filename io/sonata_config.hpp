/// SONATA configs: which files a circuit is made of, and the variables in their paths.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "io/json_object.hpp"

namespace triscale::io {

class Hdf5File;

/// Variables of a config's `manifest`: $NAME or ${NAME}, which may use each other; "." is the folder of the config,
/// which is also ${configdir}.
class Manifest {
 public:
  Manifest() = default;
  Manifest(const JsonObject& config, const std::filesystem::path& folder);

  /// Puts in the variables; an unknown one is reported at `place`.
  std::string expand(const std::string& text, const JsonObject& place, const std::string& key) const;
  /// Expands and makes the path absolute with respect to the config's folder.
  std::filesystem::path resolve(const std::string& text, const JsonObject& place, const std::string& key) const;

 private:
  std::filesystem::path folder_;
  std::map<std::string, std::string> variables_;
};

/// One config file with its variables.
struct ConfigFile {
  JsonObject json;
  Manifest manifest;

  static std::optional<ConfigFile> load(const std::filesystem::path& path, core::Diagnostics& diagnostics);
  /// The path at `key` of `object`, or an empty path if the key is absent.
  std::filesystem::path path_at(const JsonObject& object, const std::string& key) const;
};

/// The two halves of a SONATA config; they are the same file if the user combined them.
struct SonataConfig {
  std::optional<ConfigFile> simulation, circuit;

  static SonataConfig load(const std::filesystem::path& path, core::Diagnostics& diagnostics);
};

/// Warns if the root attributes `magic` and `version` of a SONATA file are absent, reports an error if magic is wrong.
void check_magic(const Hdf5File& file, core::Diagnostics& diagnostics);

}  // namespace triscale::io

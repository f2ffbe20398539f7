/// Strict reading of JSON objects. Every problem goes to a core::Diagnostics with file and place, so that all are
/// reported together; a key that nobody asked for is found by report_unread(), so nothing is ignored in silence. A key
/// that stands twice in one object is an error (JSON leaves its meaning open).
#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace triscale::io {

/// One object of a JSON file. Copies share the record of which keys were read. Holds on to `diagnostics`.
class JsonObject {
 public:
  /// Reads a file whose top level is an object; on failure reports an error and returns nothing.
  static std::optional<JsonObject> load(const std::filesystem::path& path, core::Diagnostics& diagnostics);

  /// The same object, nothing of it read yet, with another place for its problems.
  JsonObject with(core::Diagnostics& diagnostics) const;

  const std::string& file() const { return file_; }
  /// Place of `key` in the file, e.g. "inputs.LGN.amp"; of the object itself if `key` is empty.
  std::string place(const std::string& key = "") const;

  bool has(const std::string& key) const;
  std::vector<std::string> keys() const;

  // An absent key gives nothing. A value of the wrong kind is reported and gives nothing.
  std::optional<double> number(const std::string& key) const;
  std::optional<std::string> text(const std::string& key) const;
  std::optional<bool> flag(const std::string& key) const;
  std::optional<JsonObject> object(const std::string& key) const;
  /// A list of numbers, or a single number as a list of one.
  std::vector<double> numbers(const std::string& key) const;
  /// A list of texts, or a single text as a list of one.
  std::vector<std::string> texts(const std::string& key) const;
  /// A list of objects.
  std::vector<JsonObject> objects(const std::string& key) const;
  /// A number, or a text that is one ("0.01"), as the Allen Institute's all-active fits write them.
  std::optional<double> number_or_numeric_text(const std::string& key) const;

  /// As above, but an absent key is an error.
  std::optional<double> required_number(const std::string& key) const;
  std::optional<std::string> required_text(const std::string& key) const;

  /// Kind of a value, for values that may be of several.
  bool is_text(const std::string& key) const;
  bool is_object(const std::string& key) const;
  bool is_list_of_numbers(const std::string& key) const;
  bool is_list_of_texts(const std::string& key) const;

  /// The value as text for messages.
  std::string shown(const std::string& key) const;

  /// Marks keys as known although they have no effect here.
  void accept(const std::vector<std::string>& known) const;
  void error(const std::string& key, const std::string& rule, const std::string& hint = "") const;
  void warning(const std::string& key, const std::string& rule, const std::string& hint = "") const;
  /// A warning for each key that was not asked for.
  void report_unread() const;
  /// The stricter form: an error for each key that is not in `known`, with the nearest known one as a hint, and for
  /// each known key that was not asked for, because it has no effect beside the others.
  void reject_unread(const std::vector<std::string>& known) const;

 private:
  JsonObject(std::string file, std::string place, std::shared_ptr<const nlohmann::json> root,
             const nlohmann::json* node, core::Diagnostics& diagnostics);
  const nlohmann::json* find(const std::string& key) const;

  std::string file_, place_;
  std::shared_ptr<const nlohmann::json> root_;
  const nlohmann::json* node_;
  core::Diagnostics* diagnostics_;
  std::shared_ptr<std::set<std::string>> read_;
};

}  // namespace triscale::io

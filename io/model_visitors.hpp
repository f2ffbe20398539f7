/// What can be done with the lists of keys in io/model_fields.hpp: write a structure as JSON, read it from JSON, name
/// its keys.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/json_object.hpp"
#include "io/model_fields.hpp"

namespace triscale::io {

class ModelWriter {
 public:
  template <class T>
  static nlohmann::ordered_json of(const T& value, const char* model = nullptr) {
    ModelWriter writer;
    if (model != nullptr) writer.json_["model"] = model;
    T copy = value;  // fields() serves the reader too and so takes what it could change
    fields(writer, copy);
    return std::move(writer.json_);
  }

  void operator()(const char* key, double value) { json_[key] = value; }
  void optional(const char* key, double value) { json_[key] = value; }
  template <class Integer>
  void whole(const char* key, Integer value) {
    json_[key] = value;
  }
  template <class Integer>
  void optional_whole(const char* key, Integer value) {
    json_[key] = value;
  }
  void optional_flag(const char* key, bool value) {
    if (value) json_[key] = true;
  }
  template <std::size_t n>
  void list(const char* key, const std::array<double, n>& values) {
    json_[key] = values;
  }
  template <std::size_t n>
  void optional_list(const char* key, const std::array<double, n>& values) {
    json_[key] = values;
  }
  template <class T>
  void objects(const char* key, const std::vector<T>& items) {
    json_[key] = nlohmann::ordered_json::array();
    for (const T& item : items) json_[key].push_back(of(item));
  }
  template <class T>
  void optional_objects(const char* key, const std::vector<T>& items) {
    objects(key, items);
  }
  template <class T>
  void optional_object(const char* key, const std::optional<T>& item) {
    if (item) json_[key] = of(*item);
  }
  void kernels(const char* key, const char* amplitude, const std::vector<network::ExponentialKernel>& kernels) {
    json_[key] = nlohmann::ordered_json::array();
    for (const auto& kernel : kernels) json_[key].push_back({{amplitude, kernel.amplitude}, {"tau_ms", kernel.tau_ms}});
  }

 private:
  nlohmann::ordered_json json_ = nlohmann::ordered_json::object();
};

class ModelReader {
 public:
  /// `extra`: keys that the caller reads itself, such as "model".
  template <class T>
  static T of(const JsonObject& json, std::vector<std::string> extra = {}) {
    ModelReader reader(json, std::move(extra));
    T value;
    fields(reader, value);
    json.reject_unread(reader.known_);
    return value;
  }

  void operator()(const char* key, double& value) {
    known_.emplace_back(key);
    if (const auto number = json_.required_number(key)) value = *number;
  }
  template <class Number>
  void optional(const char* key, Number& value) {
    known_.emplace_back(key);
    if (const auto number = json_.number(key)) value = *number;
  }
  template <class Integer>
  void whole(const char* key, Integer& value) {
    known_.emplace_back(key);
    const auto number = json_.required_number(key);
    if (!number) return;
    const bool fits = *number == std::floor(*number) &&
                      *number >= static_cast<double>(std::numeric_limits<Integer>::min()) &&
                      *number <= static_cast<double>(std::numeric_limits<Integer>::max());
    if (fits) {
      value = static_cast<Integer>(*number);
    } else {
      json_.error(key, "must be a whole number in the range of its type");
    }
  }
  template <class Integer>
  void optional_whole(const char* key, Integer& value) {
    known_.emplace_back(key);
    if (!json_.has(key)) return;
    known_.pop_back();
    whole(key, value);
  }
  void optional_flag(const char* key, bool& value) {
    known_.emplace_back(key);
    if (const auto given = json_.flag(key)) value = *given;
  }
  template <std::size_t n>
  void list(const char* key, std::array<double, n>& values) {
    if (!json_.has(key)) json_.error(key, "must be given (a list of " + std::to_string(n) + " numbers)");
    optional_list(key, values);
  }
  template <std::size_t n>
  void optional_list(const char* key, std::array<double, n>& values) {
    known_.emplace_back(key);
    if (!json_.has(key)) return;
    const std::vector<double> given = json_.numbers(key);
    if (given.size() != n) return json_.error(key, "must be a list of " + std::to_string(n) + " numbers");
    std::copy(given.begin(), given.end(), values.begin());
  }
  template <class T>
  void objects(const char* key, std::vector<T>& items) {
    if (!json_.has(key)) json_.error(key, "must be given (a list of objects)");
    optional_objects(key, items);
  }
  template <class T>
  void optional_objects(const char* key, std::vector<T>& items) {
    known_.emplace_back(key);
    for (const JsonObject& item : json_.objects(key)) items.push_back(of<T>(item));
  }
  template <class T>
  void optional_object(const char* key, std::optional<T>& item) {
    known_.emplace_back(key);
    if (const auto found = json_.object(key)) item = of<T>(*found);
  }
  void kernels(const char* key, const char* amplitude, std::vector<network::ExponentialKernel>& kernels) {
    known_.emplace_back(key);
    for (const JsonObject& item : json_.objects(key)) {
      network::ExponentialKernel kernel;
      if (const auto number = item.required_number(amplitude)) kernel.amplitude = *number;
      if (const auto number = item.required_number("tau_ms")) kernel.tau_ms = *number;
      item.reject_unread({amplitude, "tau_ms"});
      kernels.push_back(kernel);
    }
  }

 private:
  ModelReader(const JsonObject& json, std::vector<std::string> extra) : json_(json), known_(std::move(extra)) {}
  const JsonObject& json_;
  std::vector<std::string> known_;
};

class ModelKeys {
 public:
  template <class T>
  static std::vector<std::string> of(std::vector<std::string> extra = {}) {
    ModelKeys lister;
    lister.keys_ = std::move(extra);
    T value;
    fields(lister, value);
    return lister.keys_;
  }
  void operator()(const char* key, double&) { keys_.emplace_back(key); }
  template <class Number>
  void optional(const char* key, Number&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void whole(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_whole(const char* key, T&) {
    keys_.emplace_back(key);
  }
  void optional_flag(const char* key, bool&) { keys_.emplace_back(key); }
  template <class T>
  void list(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_list(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void objects(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_objects(const char* key, T&) {
    keys_.emplace_back(key);
  }
  template <class T>
  void optional_object(const char* key, T&) {
    keys_.emplace_back(key);
  }
  void kernels(const char* key, const char*, std::vector<network::ExponentialKernel>&) { keys_.emplace_back(key); }

 private:
  std::vector<std::string> keys_;
};

}  // namespace triscale::io

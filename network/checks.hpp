/// Small helpers that validate() is made of: they turn a broken rule into a core::Problem with its place.
#pragma once

#include <fmt/format.h>

#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::network {

/// Adds problems of one file to a list. Rules are written so that NaN breaks them.
class Checks {
 public:
  Checks(std::string file, core::Diagnostics& diagnostics) : file_(std::move(file)), diagnostics_(diagnostics) {}

  void error(std::string place, std::string value, std::string rule, std::string hint = "") {
    diagnostics_.error({file_, std::move(place), std::move(value), std::move(rule), std::move(hint)});
  }
  void warning(std::string place, std::string value, std::string rule, std::string hint = "") {
    diagnostics_.warning({file_, std::move(place), std::move(value), std::move(rule), std::move(hint)});
  }
  /// An error unless `holds`.
  void require(bool holds, const std::string& place, const std::string& value, const std::string& rule,
               const std::string& hint = "") {
    if (!holds) error(place, value, rule, hint);
  }
  void positive(const std::string& place, double value) {
    require(value > 0 && std::isfinite(value), place, fmt::format("{}", value), "must be > 0 and finite");
  }
  void not_negative(const std::string& place, double value) {
    require(value >= 0 && std::isfinite(value), place, fmt::format("{}", value), "must be >= 0 and finite");
  }
  void finite(const std::string& place, double value) {
    require(std::isfinite(value), place, fmt::format("{}", value), "must be finite");
  }
  /// An index into a list of `size` entries. Returns whether it is one.
  bool index(const std::string& place, std::size_t value, std::size_t size, const std::string& what) {
    require(value < size, place, fmt::format("{}", value),
            fmt::format("must be the index of one of {} {}", size, what));
    return value < size;
  }

 private:
  std::string file_;
  core::Diagnostics& diagnostics_;
};

/// Names of one kind of thing must be given and differ.
class UniqueNames {
 public:
  UniqueNames(Checks& checks, std::string list) : checks_(checks), list_(std::move(list)) {}
  /// Returns the place of the entry: "populations.E", or "populations[3]" if it has no name.
  std::string add(const std::string& name, std::size_t index) {
    if (name.empty()) {
      checks_.error(fmt::format("{}[{}].name", list_, index), "", "must be given");
      return fmt::format("{}[{}]", list_, index);
    }
    const auto [first, is_new] = first_.emplace(name, index);
    if (!is_new) {
      checks_.error(fmt::format("{}[{}].name", list_, index), name,
                    fmt::format("must be unique, but entry {} has the same name", first->second));
    }
    return list_ + "." + name;
  }

 private:
  Checks& checks_;
  std::string list_;
  std::map<std::string, std::size_t> first_;
};

void check_cell_types(const Circuit& circuit, Checks& checks);
void check_synapse_types(const Circuit& circuit, Checks& checks);
void check_populations(const Circuit& circuit, Checks& checks);
void check_projections(const Circuit& circuit, Checks& checks);
void check_inputs_and_probes(const Circuit& circuit, Checks& checks);
void check_field_probes(const Circuit& circuit, Checks& checks);
/// Times at which a probe samples.
void check_sampling(const Circuit& circuit, double begin_ms, double end_ms, double dt_ms, const std::string& place,
                    Checks& checks);

}  // namespace triscale::network

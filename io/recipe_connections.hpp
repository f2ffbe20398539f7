/// The part of a recipe that says how cells are connected: rules, distributions of weights and delays, places on
/// dendrites (io/recipe.hpp). An object whose kind is missing or not known is read as far as it goes, so that its other
/// problems are reported as well.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "io/json_object.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// A whole number from 0 on that a double holds exactly.
std::optional<std::uint64_t> read_whole(const JsonObject& json, const std::string& key);

/// A number, or an object that describes a distribution.
network::Distribution read_distribution(const JsonObject& json, const std::string& key);

/// The unit of a synapse's weights as it stands at the end of keys: "_uS" of a conductance, "_nA" of a current, "_mV"
/// of a jump of the potential, nothing of an instantaneous synapse.
std::string weight_unit(const network::SynapseType& type);

/// From the keys `rule` and `placement` of a projection or an input.
network::ConnectionRule read_rule(const JsonObject& json);
network::DendriticPlacement read_placement(const JsonObject& json);

}  // namespace triscale::io

#include "io/recipe_connections.hpp"

#include <cmath>
#include <map>
#include <variant>

#include "io/recipe.hpp"
#include "io/recipe_cells.hpp"

namespace triscale::io {

namespace {

using network::ConnectionRule;
using network::Distribution;

const std::vector<std::string>& keys(const char* kind) {
  return recipe_keys().at(kind);
}

}  // namespace

/// A whole number from 0 on that a double holds exactly.
std::optional<std::uint64_t> read_whole(const JsonObject& json, const std::string& key) {
  constexpr double kLargest = 9007199254740992.0;  // 2^53
  const auto number = json.number(key);
  if (!number) return std::nullopt;
  if (*number >= 0 && *number <= kLargest && *number == std::floor(*number)) return static_cast<std::uint64_t>(*number);
  json.error(key, "must be a whole number from 0 to 2^53");
  return std::nullopt;
}

Distribution read_distribution(const JsonObject& json, const std::string& key) {
  Distribution d;
  if (!json.is_object(key)) {
    d.mean = json.required_number(key).value_or(0);
    return d;
  }
  const auto object = json.object(key);
  const std::string kind = object->required_text("kind").value_or("");
  using Kind = Distribution::Kind;
  static const std::map<std::string, Kind> kKinds = {{"constant", Kind::constant},
                                                     {"normal", Kind::normal},
                                                     {"lognormal", Kind::lognormal},
                                                     {"uniform", Kind::uniform}};
  const auto found = kKinds.find(kind);
  if (found == kKinds.end()) {
    if (!kind.empty()) object->error("kind", "must be constant, normal, lognormal or uniform");
    for (const char* number : {"mean", "sd", "low", "high"}) object->number(number);
    object->reject_unread(keys("distribution"));
    return d;
  }
  d.kind = found->second;
  if (d.kind != Kind::uniform) d.mean = object->required_number("mean").value_or(0);
  if (d.kind == Kind::normal || d.kind == Kind::lognormal) d.sd = object->required_number("sd").value_or(0);
  if (d.kind == Kind::uniform) {
    d.low = object->required_number("low").value_or(0);
    d.high = object->required_number("high").value_or(0);
  } else if (d.kind != Kind::constant && (object->has("low") || object->has("high"))) {
    d.low = object->number("low").value_or(0);
    d.high = object->number("high").value_or(1e300);
  }
  object->reject_unread(keys("distribution"));
  return d;
}

std::string weight_unit(const network::SynapseType& type) {
  if (!type.detailed && type.point) {
    if (const auto* current = std::get_if<network::CurrentSynapse>(&*type.point)) {
      return current->shape == network::CurrentSynapse::Shape::delta ? "_mV" : "_nA";
    }
  }
  const bool instantaneous =
      (type.detailed && std::holds_alternative<network::InstantaneousSynapse>(*type.detailed)) ||
      (!type.detailed && type.point && std::holds_alternative<network::InstantaneousSynapse>(*type.point));
  return instantaneous ? "" : "_uS";
}

network::DendriticPlacement read_placement(const JsonObject& json) {
  network::DendriticPlacement placement;
  const auto object = json.object("placement");
  if (!object) return placement;
  placement.kinds = read_kinds(*object, "kinds");
  if (!object->has("kinds")) object->error("kinds", "must be given (a list of section kinds)");
  placement.min_distance_um = object->number("min_distance_um").value_or(placement.min_distance_um);
  placement.max_distance_um = object->number("max_distance_um").value_or(placement.max_distance_um);
  object->reject_unread(keys("placement"));
  return placement;
}

ConnectionRule read_rule(const JsonObject& json) {
  ConnectionRule rule;
  const auto object = json.object("rule");
  if (!object) {
    if (!json.has("rule")) json.error("rule", "must be given (an object with the key kind)");
    return rule;
  }
  using Kind = ConnectionRule::Kind;
  static const std::map<std::string, Kind> kKinds = {{"all_to_all", Kind::all_to_all},
                                                     {"one_to_one", Kind::one_to_one},
                                                     {"pairwise_bernoulli", Kind::pairwise_bernoulli},
                                                     {"fixed_in_degree", Kind::fixed_in_degree},
                                                     {"fixed_total_number", Kind::fixed_total_number}};
  const std::string kind = object->required_text("kind").value_or("");
  const auto found = kKinds.find(kind);
  if (found == kKinds.end()) {
    if (!kind.empty()) {
      object->error("kind",
                    "must be all_to_all, one_to_one, pairwise_bernoulli, fixed_in_degree or fixed_total_number");
    }
    object->number("probability");
    read_whole(*object, "number");
    for (const char* flag : {"multapses", "autapses"}) object->flag(flag);
    object->reject_unread(keys("rule"));
    return rule;
  }
  rule.kind = found->second;
  if (rule.kind == Kind::pairwise_bernoulli) rule.probability = object->required_number("probability").value_or(0);
  if (rule.kind == Kind::fixed_in_degree || rule.kind == Kind::fixed_total_number) {
    if (!object->has("number")) object->error("number", "must be given (a number of synapses)");
    rule.number = read_whole(*object, "number").value_or(0);
    rule.multapses = object->flag("multapses").value_or(rule.multapses);
  } else if (rule.kind == Kind::one_to_one) {
    rule.number = read_whole(*object, "number").value_or(0);
  }
  rule.autapses = object->flag("autapses").value_or(rule.autapses);
  object->reject_unread(keys("rule"));
  return rule;
}

}  // namespace triscale::io

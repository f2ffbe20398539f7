#include "cli/overrides.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/nearest_name.hpp"
#include "meanfield/theory_of.hpp"
#include "network/validate.hpp"

namespace triscale::cli {

namespace {

/// Sets a field from text; false if the text is not a value of the field's type.
using Setter = std::function<bool(std::string_view)>;
using Fields = std::map<std::string, Setter>;

template <class Number>
std::optional<Number> parse(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Setter apply_real(std::function<void(double)> apply) {
  return [apply = std::move(apply)](std::string_view text) {
    const std::optional<double> value = parse<double>(text);
    if (!value || !std::isfinite(*value)) return false;
    apply(*value);
    return true;
  };
}

Setter set_real(double& field) {
  return apply_real([&field](double value) { field = value; });
}

void add_run_fields(network::RunSettings& run, Fields& fields) {
  using Kind = network::CompartmentRule::Kind;
  const auto set_rule = [&run](Kind kind, double network::CompartmentRule::*field) {
    return apply_real([&run, kind, field](double value) {
      run.compartments.kind = kind;
      run.compartments.*field = value;
    });
  };
  fields["run.duration_ms"] = fields["run.tstop"] = set_real(run.duration_ms);
  fields["run.dt_ms"] = fields["run.dt"] = set_real(run.dt_ms);
  fields["run.celsius"] = fields["conditions.celsius"] = set_real(run.celsius);
  fields["run.V_init_mV"] = fields["conditions.v_init"] = set_real(run.V_init_mV);
  fields["run.spike_threshold_mV"] = fields["run.spike_threshold"] = set_real(run.spike_threshold_mV);
  fields["run.compartments.max_length_um"] = fields["run.dL"] =
      set_rule(Kind::max_length, &network::CompartmentRule::max_length_um);
  fields["run.compartments.d_lambda"] = set_rule(Kind::d_lambda, &network::CompartmentRule::d_lambda);
  fields["run.seed"] = [&run](std::string_view text) {
    const std::optional<std::uint64_t> value = parse<std::uint64_t>(text);
    if (value) run.seed = *value;
    return value.has_value();
  };
  fields["run.scheme"] = [&run](std::string_view text) {
    const auto scheme = network::time_scheme_of(text);
    if (scheme) run.scheme = *scheme;
    return scheme.has_value();
  };
}

core::Problem unusable(const std::string& key, const std::string& value) {
  if (key == "run.scheme") return {"", "--set run.scheme", value, "must be backward_euler or second_order", ""};
  return {"", "--set " + key, value, "is not a usable number",
          key == "run.seed" ? "a seed is a whole number from 0 on" : ""};
}

void add_clamp_fields(network::CurrentClamp& clamp, Fields& fields) {
  const std::string prefix = "inputs." + clamp.name + ".";
  if (auto* segment = std::get_if<network::CurrentSegment>(&clamp.waveform)) {
    fields[prefix + "begin_ms"] = set_real(segment->begin_ms);
    fields[prefix + "end_ms"] = set_real(segment->end_ms);
    fields[prefix + "begin_nA"] = set_real(segment->begin_nA);
    fields[prefix + "end_nA"] = set_real(segment->end_nA);
    fields[prefix + "amplitude_nA"] =
        apply_real([segment](double value) { segment->begin_nA = segment->end_nA = value; });
  } else if (auto* noise = std::get_if<network::NoiseCurrent>(&clamp.waveform)) {
    fields[prefix + "begin_ms"] = set_real(noise->begin_ms);
    fields[prefix + "end_ms"] = set_real(noise->end_ms);
    fields[prefix + "mean_nA"] = set_real(noise->mean_nA);
    fields[prefix + "sd_nA"] = set_real(noise->sd_nA);
    fields[prefix + "tau_ms"] = set_real(noise->tau_ms);
  } else if (auto* sampled = std::get_if<network::SampledCurrent>(&clamp.waveform)) {
    fields[prefix + "begin_ms"] = set_real(sampled->begin_ms);
    fields[prefix + "dt_ms"] = set_real(sampled->dt_ms);
  }
}

Setter scale_of(std::vector<network::Projection*> projections) {
  return [projections = std::move(projections)](std::string_view text) {
    const std::optional<double> factor = parse<double>(text);
    if (!factor || !std::isfinite(*factor) || *factor < 0) return false;
    for (network::Projection* projection : projections) meanfield::scale_weights(*projection, *factor);
    return true;
  };
}

/// scale.<projection> multiplies its weights; scale.* those of all, scale.external of those from virtual populations,
/// scale.excitatory and scale.inhibitory of the recurrent ones of that sign.
void add_scales(network::Circuit& circuit, Fields& fields) {
  std::map<std::string, std::vector<network::Projection*>> groups;
  for (network::Projection& projection : circuit.projections) {
    const int sign = network::synapse_sign(circuit.synapse_types[projection.synapse_type]);
    const bool external = circuit.populations[projection.source].is_virtual;
    groups["scale." + projection.name].push_back(&projection);
    groups["scale.*"].push_back(&projection);
    if (external) groups["scale.external"].push_back(&projection);
    if (!external && sign > 0) groups["scale.excitatory"].push_back(&projection);
    if (!external && sign < 0) groups["scale.inhibitory"].push_back(&projection);
  }
  for (auto& [key, projections] : groups) fields[key] = scale_of(std::move(projections));
}

Fields fields_of(network::Circuit& circuit) {
  Fields fields;
  add_run_fields(circuit.run, fields);
  add_scales(circuit, fields);
  for (network::CurrentClamp& clamp : circuit.current_clamps) add_clamp_fields(clamp, fields);
  for (network::Population& population : circuit.populations) {
    auto* poisson = std::get_if<network::PoissonTrains>(&population.source);
    if (poisson == nullptr) continue;
    fields["inputs." + population.name + ".rate_hz"] = apply_real([poisson](double value) {
      *poisson = {{0.0}, {value}};  // constant from now on
    });
  }
  return fields;
}

std::string hint_for(const std::string& key, const Fields& fields) {
  std::vector<std::string> names;
  for (const auto& field : fields) names.push_back(field.first);
  const core::NearestName nearest = core::nearest_name(key, names);
  if (nearest.distance <= 1 + key.size() / 4) return fmt::format("did you mean {}?", nearest.name);
  constexpr std::size_t kShown = 30;
  const bool all = names.size() <= kShown;
  if (!all) names.resize(kShown);
  return fmt::format("the keys here are {}{}", fmt::join(names, ", "), all ? "" : ", ...");
}

}  // namespace

void apply_overrides(const std::vector<std::string>& settings, network::Circuit& circuit,
                     core::Diagnostics& diagnostics) {
  const Fields fields = fields_of(circuit);
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) {
      diagnostics.error({"", "--set", setting, "must have the form KEY=VALUE", "for example --set run.seed=7"});
      continue;
    }
    const std::string key = setting.substr(0, equals);
    const std::string value = setting.substr(equals + 1);
    const auto field = fields.find(key);
    if (field == fields.end()) {
      diagnostics.error({"", "--set", key, "is not a field of this circuit that can be set", hint_for(key, fields)});
    } else if (!field->second(value)) {
      diagnostics.error(unusable(key, value));
    }
  }
}

}  // namespace triscale::cli

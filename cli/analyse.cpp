/// `triscale analyse`: questions to the mean-field theory of a circuit. Stationary states, their stability, the
/// distribution of rates and the validity of the theory always; spectra, pulse responses, bifurcations and maps on
/// request. Writes DIR/analysis.json and, where Python is at hand, DIR/analysis.html.
#include "cli/analyse.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "bridges/point/derive.hpp"
#include "bridges/point/uncertainty_bands.hpp"
#include "cli/axis.hpp"
#include "cli/commands.hpp"
#include "cli/derive.hpp"
#include "cli/load.hpp"
#include "cli/overrides.hpp"
#include "cli/report.hpp"
#include "cli/run_tier.hpp"
#include "io/json_value.hpp"
#include "meanfield/bifurcation.hpp"
#include "meanfield/pulse_response.hpp"
#include "meanfield/spectra.hpp"
#include "meanfield/theory_of.hpp"
#include "meanfield/wilson_cowan.hpp"

namespace triscale::cli {

namespace {

using io::JsonValue;
using List = JsonValue::List;
using Members = JsonValue::Members;

std::vector<double> to_vector(const Eigen::VectorXd& values) {
  return {values.data(), values.data() + values.size()};
}

JsonValue columns(const Eigen::MatrixXd& values) {
  List list;
  for (Eigen::Index c = 0; c < values.cols(); ++c) list.push_back(to_vector(values.col(c)));
  return list;
}

[[noreturn]] void refuse(const std::string& option, const std::string& value, const std::string& rule,
                         const std::string& hint) {
  throw core::InputError({"", option, value, rule, hint});
}

void set_parameter(network::Circuit& circuit, const std::string& key, double value) {
  core::Diagnostics diagnostics;
  apply_overrides({fmt::format("{}={:.17g}", key, value)}, circuit, diagnostics);
  diagnostics.throw_if_errors();
}

/// A theory that owns the circuit it describes.
class OwningTheory : public meanfield::RateTheory {
 public:
  explicit OwningTheory(network::Circuit circuit)
      : circuit_(std::make_unique<network::Circuit>(std::move(circuit))), theory_(meanfield::theory_of(*circuit_)) {}

  std::size_t size() const override { return theory_.theory->size(); }
  std::string name(std::size_t i) const override { return theory_.theory->name(i); }
  double highest_rate_hz(std::size_t i) const override { return theory_.theory->highest_rate_hz(i); }
  Eigen::VectorXd transfer_hz(const Eigen::VectorXd& nu, Eigen::MatrixXd* slope) const override {
    return theory_.theory->transfer_hz(nu, slope);
  }
  std::unique_ptr<meanfield::Linearisation> linearise(const Eigen::VectorXd& nu) const override {
    return theory_.theory->linearise(nu);
  }

 private:
  std::unique_ptr<network::Circuit> circuit_;
  meanfield::CircuitTheory theory_;
};

JsonValue json_of(const meanfield::Mode& mode) {
  List shape;
  for (Eigen::Index i = 0; i < mode.shape.size(); ++i) {
    shape.push_back(List{mode.shape[i].real(), mode.shape[i].imag()});
  }
  return Members{{"growth_per_s", mode.growth_per_s()}, {"frequency_hz", mode.frequency_hz()}, {"shape", shape}};
}

JsonValue json_of(const meanfield::RateDistribution& d) {
  return Members{{"mean_hz", d.mean_hz},
                 {"sd_hz", d.sd_hz},
                 {"nearly_silent_share", d.nearly_silent},
                 {"spikes_of_most_active_tenth", d.top_tenth},
                 {"deciles_hz", d.deciles_hz}};
}

/// Relative changes of the rate at fixed rates of the sources.
JsonValue json_of(const meanfield::InputEffects& e) {
  return Members{{"jumps", e.jumps},
                 {"regular_sources", e.colour},
                 {"population_fluctuations", e.fluctuations ? JsonValue(*e.fluctuations) : JsonValue()},
                 {"cv_over_cells", e.cv}};
}

JsonValue json_of(const meanfield::ValidityFinding& f) {
  return Members{{"population", f.population},
                 {"assumption", f.assumption},
                 {"value", f.value},
                 {"limit", f.limit},
                 {"text", f.text},
                 {"expected_error", f.expected_error}};
}

/// All states with their stability. States where most cells of a population work outside the range that their transfer
/// function was fitted on may belong to the function, not to the cells. The first stable state that does not, if there
/// is one, is the one that other questions are about.
struct States {
  std::vector<meanfield::StationaryPoint> points;
  std::vector<meanfield::Stability> stability;
  std::vector<double> extrapolated_share;
  std::size_t chosen = 0;

  bool extrapolated(std::size_t k) const { return extrapolated_share[k] > 0.5; }
};

std::size_t choose(const States& states) {
  for (const bool also_extrapolated : {false, true}) {
    for (std::size_t k = 0; k < states.points.size(); ++k) {
      if (states.stability[k].stable && (also_extrapolated || !states.extrapolated(k))) return k;
    }
  }
  return 0;
}

States states_of(const meanfield::CircuitTheory& theory, Members& json) {
  // One state from silence, as other tools search, and all states.
  const auto start = std::chrono::steady_clock::now();
  meanfield::find_stationary_point(*theory.theory,
                                   Eigen::VectorXd::Zero(static_cast<Eigen::Index>(theory.theory->size())));
  const auto one = std::chrono::steady_clock::now();
  const meanfield::StationaryPoints found = meanfield::find_stationary_points(*theory.theory);
  const auto all = std::chrono::steady_clock::now();
  json.push_back({"seconds", Members{{"one_state", std::chrono::duration<double>(one - start).count()},
                                     {"all_states", std::chrono::duration<double>(all - one).count()}}});
  if (found.points.empty()) throw core::NumericalError("mean-field tier: no stationary state was found");
  States states{found.points, {}, {}, 0};
  List list;
  for (const meanfield::StationaryPoint& point : states.points) {
    const auto result = meanfield::stability(*theory.theory->linearise(point.rates_hz));
    const double extrapolated = meanfield::extrapolated_share(theory, point.rates_hz);
    List modes;
    for (const meanfield::Mode& mode : result.modes) modes.push_back(json_of(mode));
    list.push_back(Members{{"rates_hz", to_vector(point.rates_hz)},
                           {"cv", meanfield::cv_at(theory, point.rates_hz)},
                           {"residual_hz", point.residual_hz},
                           {"stable", result.stable},
                           {"extrapolated_share", extrapolated},
                           {"unstable_roots", result.unstable_roots},
                           {"unstable_roots_all_found", result.roots_complete},
                           {"modes", modes}});
    states.stability.push_back(result);
    states.extrapolated_share.push_back(extrapolated);
  }
  states.chosen = choose(states);
  json.push_back({"states", list});
  json.push_back({"chosen_state", static_cast<int>(states.chosen)});
  json.push_back({"search_consistent", found.degree_is_one});
  return states;
}

std::vector<meanfield::ValidityFinding> add_validity(const meanfield::CircuitTheory& theory, const States& states,
                                                     Members& json) {
  const Eigen::VectorXd& rates_hz = states.points[states.chosen].rates_hz;
  std::vector<meanfield::ValidityFinding> findings = meanfield::findings_at(theory, rates_hz);
  std::vector<meanfield::Stability> credible;
  std::size_t chosen = 0;
  for (std::size_t k = 0; k < states.points.size(); ++k) {
    if (k == states.chosen) chosen = credible.size();
    if (k == states.chosen || !states.extrapolated(k)) credible.push_back(states.stability[k]);
  }
  for (auto& finding : meanfield::check_dynamics(credible, chosen)) findings.push_back(finding);
  List list;
  for (const auto& finding : findings) list.push_back(json_of(finding));
  json.push_back({"validity", list});
  const auto rates = meanfield::distributions_at(theory, rates_hz);
  List distributions, effects;
  for (const auto& d : rates) distributions.push_back(json_of(d));
  json.push_back({"rate_distributions", distributions});
  const auto linear = states.stability[states.chosen].stable ? theory.theory->linearise(rates_hz) : nullptr;
  for (const auto& e : meanfield::input_effects_at(theory, rates, linear.get())) effects.push_back(json_of(e));
  if (!effects.empty()) json.push_back({"input_effects", effects});
  if (const auto second = meanfield::second_order_at(theory, rates_hz); linear && second) {
    const Eigen::VectorXd sd_hz = second->covariance_hz2.diagonal().cwiseMax(0.0).cwiseSqrt();
    json.push_back({"second_order", Members{{"rates_hz", to_vector(second->rates_hz)},
                                            {"sd_hz", to_vector(sd_hz)},
                                            {"covariance_hz2", columns(second->covariance_hz2)}}});
  }
  return findings;
}

void add_spectra(const meanfield::Linearisation& linear, double highest_hz, Members& json) {
  std::vector<double> frequencies;
  for (double f = 1; f <= highest_hz; f += 1) frequencies.push_back(f);
  const Eigen::MatrixXd power = meanfield::power_spectra(linear, frequencies);
  json.push_back({"spectra", Members{{"frequency_hz", frequencies}, {"power_hz2_per_hz", columns(power)}}});
}

/// Of --response; without it a pulse of 5 ms to the first population that would change its rate by a tenth if it
/// lasted.
meanfield::Pulse pulse_of(const meanfield::CircuitTheory& theory, const meanfield::Linearisation& linear,
                          const Eigen::VectorXd& rates_hz, const std::string& request) {
  constexpr double kUsual_ms = 5, kUsualChange = 0.1;
  if (request.empty()) {
    const double gain = linear.input_response(0)[0].real();
    return {0, gain > 0 ? kUsualChange * rates_hz[0] / gain : 1.0, kUsual_ms};
  }
  const KeyedNumbers parsed = keyed_numbers("--response", request, 2, "POPULATION=amplitude:duration_ms");
  meanfield::Pulse pulse{theory.theory->size(), parsed.numbers[0], parsed.numbers[1]};
  for (std::size_t i = 0; i < theory.theory->size(); ++i) {
    if (theory.theory->name(i) == parsed.key) pulse.target = i;
  }
  if (pulse.target == theory.theory->size()) refuse("--response", parsed.key, "names no simulated population", "");
  if (!(pulse.duration_ms > 0)) refuse("--response", request, "must have a positive duration", "");
  return pulse;
}

std::vector<double> times_around(const meanfield::Pulse& pulse) {
  std::vector<double> times;
  const double end_ms = std::min(pulse.duration_ms, 200.0) + 100;
  for (double t = -10; t <= end_ms; t += 0.5) times.push_back(t);
  return times;
}

Members json_of(const meanfield::CircuitTheory& theory, const meanfield::Pulse& pulse) {
  return {{"population", theory.theory->name(pulse.target)},
          {"amplitude", pulse.amplitude},
          {"unit", theory.input_unit},
          {"duration_ms", pulse.duration_ms},
          {"time_ms", times_around(pulse)}};
}

void add_response(const meanfield::CircuitTheory& theory, const meanfield::Linearisation& linear,
                  const meanfield::Pulse& pulse, Members& json) {
  Members response = json_of(theory, pulse);
  response.push_back({"rate_change_hz", columns(meanfield::pulse_response(linear, pulse, times_around(pulse)))});
  json.push_back({"response", std::move(response)});
}

void add_wilson_cowan(const meanfield::CircuitTheory& theory, const meanfield::Linearisation& linear,
                      const Eigen::VectorXd& rates_hz, const meanfield::Pulse& pulse, Members& json) {
  constexpr double kPoor = 0.25;
  const meanfield::WilsonCowan model(*theory.theory, rates_hz);
  const auto reduced = model.linearise(rates_hz);
  const meanfield::Stability stability = meanfield::stability(*reduced);
  Members response = json_of(theory, pulse);
  const std::vector<double> times = times_around(pulse);
  response.push_back({"theory_hz", columns(meanfield::pulse_response(linear, pulse, times))});
  response.push_back({"wilson_cowan_hz", columns(meanfield::pulse_response(*reduced, pulse, times))});
  List modes;
  for (const meanfield::Mode& mode : stability.modes) modes.push_back(json_of(mode));
  json.push_back({"wilson_cowan", Members{{"rates_hz", to_vector(model.rates_hz)},
                                          {"highest_hz", to_vector(model.highest_hz)},
                                          {"tau_ms", to_vector(model.tau_ms)},
                                          {"input_gain_hz", to_vector(model.input_gain)},
                                          {"coupling", columns(model.coupling.transpose())},
                                          {"delay_ms", columns(model.delay_ms.transpose())},
                                          {"misfit", to_vector(model.misfit)},
                                          {"stable", stability.stable},
                                          {"modes", modes},
                                          {"response", std::move(response)}}});
  fmt::print("\n{:<24} {:>9} {:>9} {:>8}  coupling from\n{:<24} {:>9} {:>9} {:>8} ", "Wilson-Cowan", "rate Hz",
             "tau ms", "misfit", "", "", "", "");
  for (std::size_t j = 0; j < model.size(); ++j) fmt::print(" {:>8}", model.name(j));
  fmt::print("\n");
  for (std::size_t i = 0; i < model.size(); ++i) {
    const auto row = static_cast<Eigen::Index>(i);
    fmt::print("{:<24} {:>9.4g} {:>9.3g} {:>8.2g} ", model.name(i), model.rates_hz[row], model.tau_ms[row],
               model.misfit[row]);
    for (Eigen::Index j = 0; j < model.coupling.cols(); ++j) fmt::print(" {:>8.3g}", model.coupling(row, j));
    fmt::print("{}\n", model.misfit[row] > kPoor ? "   one time constant does not describe it" : "");
  }
}

void add_density(const meanfield::CircuitTheory& theory, const Eigen::VectorXd& rates_hz, Members& json) {
  constexpr double kMatters = 0.05;
  List list;
  fmt::print("\n{:<24} {:>12} {:>14} {:>14}   with synapses that act at once\n", "density", "jumps up to", "jumps",
             "diffusion");
  const std::vector<meanfield::JumpDensity> densities = meanfield::jump_densities_at(theory, rates_hz);
  for (std::size_t i = 0; i < densities.size(); ++i) {
    const meanfield::JumpDensity& d = densities[i];
    const double change = d.diffusion_rate_hz > 0 ? d.rate_hz / d.diffusion_rate_hz - 1 : 0;
    list.push_back(Members{{"potential_mV", d.potential_mV},
                           {"with_jumps_per_mV", d.with_jumps},
                           {"by_diffusion_per_mV", d.by_diffusion},
                           {"rate_hz", d.rate_hz},
                           {"diffusion_rate_hz", d.diffusion_rate_hz},
                           {"change_by_jumps", change},
                           {"largest_jump_mV", d.largest_jump_mV}});
    fmt::print("{:<24} {:>9.3g} mV {:>11.4g} Hz {:>11.4g} Hz{}\n", theory.theory->name(i), d.largest_jump_mV, d.rate_hz,
               d.diffusion_rate_hz,
               std::abs(change) > kMatters
                   ? fmt::format("   the size of the synapses changes the rate by {:+.0f} %", 100 * change)
                   : "");
  }
  json.push_back({"density", list});
}

meanfield::TheoryFamily family_of(const network::Circuit& circuit, const std::string& key) {
  return [&circuit, key](double value) -> std::unique_ptr<meanfield::RateTheory> {
    throw_if_interrupted();
    network::Circuit changed = circuit;
    set_parameter(changed, key, value);
    return std::make_unique<OwningTheory>(std::move(changed));
  };
}

void add_bifurcation(const network::Circuit& circuit, const std::string& request, Members& json) {
  const Axis axis = axis_of("--bifurcation", request);
  const meanfield::Bifurcation result = meanfield::bifurcation(family_of(circuit, axis.key), axis.values);
  List points, critical;
  for (const meanfield::BranchPoint& point : result.points) {
    points.push_back(Members{{"parameter", point.parameter},
                             {"rates_hz", to_vector(point.state.rates_hz)},
                             {"stable", point.stable},
                             {"growth_per_s", point.growth_per_s},
                             {"frequency_hz", point.frequency_hz}});
  }
  for (const meanfield::CriticalPoint& point : result.critical) {
    const bool fold = point.kind == meanfield::CriticalPoint::Kind::fold;
    critical.push_back(Members{{"kind", fold ? "fold" : "hopf"},
                               {"parameter", point.parameter},
                               {"rates_hz", to_vector(point.rates_hz)},
                               {"frequency_hz", point.frequency_hz}});
    fmt::print("{} at {} = {:.8g}{}\n", fold ? "fold" : "Hopf point", axis.key, point.parameter,
               fold ? "" : fmt::format(", {:.4g} Hz", point.frequency_hz));
  }
  json.push_back({"bifurcation", Members{{"key", axis.key}, {"points", points}, {"critical", critical}}});
}

void add_map(const network::Circuit& circuit, const std::vector<std::string>& requests, Members& json) {
  if (requests.size() != 2) refuse("--map", "", "needs two parameters", "--map KEY=a:b:n,KEY=a:b:n");
  const Axis x = axis_of("--map", requests[0]), y = axis_of("--map", requests[1]);
  meanfield::SearchOptions search;
  search.starts = 12;
  List rows;
  for (const double y_value : y.values) {
    network::Circuit row_circuit = circuit;
    set_parameter(row_circuit, y.key, y_value);
    List row;
    for (const double x_value : x.values) {
      const auto theory = family_of(row_circuit, x.key)(x_value);
      const meanfield::StationaryPoints found = meanfield::find_stationary_points(*theory, search);
      int stable = 0;
      double growth = 0, frequency = 0;
      std::vector<double> rates;
      for (const meanfield::StationaryPoint& point : found.points) {
        const meanfield::BranchPoint branch = meanfield::branch_point(*theory, x_value, point, {});
        stable += branch.stable ? 1 : 0;
        if (!rates.empty() && !branch.stable) continue;
        rates = to_vector(point.rates_hz);
        growth = branch.growth_per_s;
        frequency = branch.frequency_hz;
      }
      row.push_back(Members{{"states", static_cast<int>(found.points.size())},
                            {"stable_states", stable},
                            {"rates_hz", rates},
                            {"growth_per_s", growth},
                            {"frequency_hz", frequency}});
    }
    rows.push_back(row);
  }
  json.push_back(
      {"map", Members{{"x_key", x.key}, {"x", x.values}, {"y_key", y.key}, {"y", y.values}, {"rows", rows}}});
}

/// Standard deviations of the chosen state's rates by the derived parameters; null where they are not known, nothing if
/// none is.
List rate_bands(const meanfield::CircuitTheory& theory, const LoadedCircuit& loaded) {
  List bands;
  bool any = false;
  for (std::size_t i = 0; i < theory.theory->size(); ++i) {
    const auto sd_hz =
        bridges::rate_parameter_sd_hz(loaded.circuit, loaded.derivation, "meanfield", theory.theory->name(i));
    bands.push_back(sd_hz ? JsonValue(*sd_hz) : JsonValue());
    any = any || sd_hz;
  }
  return any ? bands : List{};
}

void print_states(const meanfield::CircuitTheory& theory, const States& states, const List& bands) {
  fmt::print("{:<24}", "population");
  for (std::size_t k = 0; k < states.points.size(); ++k) {
    const char* kind = states.extrapolated(k) ? "extrapolated" : states.stability[k].stable ? "stable" : "unstable";
    fmt::print(" {:>18}", fmt::format("{} {}", k + 1, kind));
  }
  if (!bands.empty()) fmt::print("   SD of state {} by the derived parameters", states.chosen + 1);
  fmt::print("\n");
  for (std::size_t i = 0; i < theory.theory->size(); ++i) {
    fmt::print("{:<24}", theory.theory->name(i));
    for (const auto& point : states.points) {
      fmt::print(" {:>15.6g} Hz", point.rates_hz[static_cast<Eigen::Index>(i)]);
    }
    if (!bands.empty()) {
      if (const auto* sd_hz = std::get_if<double>(&bands[i].value())) fmt::print("   {:.2g} Hz", *sd_hz);
    }
    fmt::print("\n");
  }
  for (std::size_t k = 0; k < states.points.size(); ++k) {
    if (!states.extrapolated(k)) continue;
    fmt::print(
        "State {}: {:.0f} % of the cells of a population work where their transfer function was not measured; the "
        "cells may have no such state.\n",
        k + 1, 100 * states.extrapolated_share[k]);
  }
}

void print_findings(const std::vector<meanfield::ValidityFinding>& findings) {
  for (const meanfield::ValidityFinding& finding : findings) {
    fmt::print(stderr, "triscale: warning: {}: {}: {} (expect: {})\n",
               finding.population.empty() ? "circuit" : finding.population, finding.assumption, finding.text,
               finding.expected_error);
  }
}

}  // namespace

int analyse(const Options& options) {
  LoadedCircuit loaded = load(options);
  prepare_folder(options.output);
  derive_missing(loaded, true, true, options);
  const meanfield::CircuitTheory theory = meanfield::theory_of(loaded.circuit);
  print_warnings(theory.warnings);
  if (options.analysis.density && !theory.lif) {
    refuse("--density", options.config.string(), "is for leaky cells (lif) with current synapses",
           "other cells have no one-dimensional potential with known noise");
  }

  Members json;
  List names;
  for (std::size_t i = 0; i < theory.theory->size(); ++i) names.push_back(theory.theory->name(i));
  json.push_back({"version", TRISCALE_VERSION});
  json.push_back({"config", options.config.string()});
  json.push_back({"populations", names});
  const States states = states_of(theory, json);
  const List bands = rate_bands(theory, loaded);
  if (!bands.empty()) json.push_back({"rate_parameter_sd_hz", bands});
  print_states(theory, states, bands);
  print_findings(add_validity(theory, states, json));
  const auto linear = theory.theory->linearise(states.points[states.chosen].rates_hz);
  if (options.analysis.spectra) add_spectra(*linear, options.analysis.highest_hz, json);
  const Eigen::VectorXd& rates_hz = states.points[states.chosen].rates_hz;
  const meanfield::Pulse pulse = pulse_of(theory, *linear, rates_hz, options.analysis.response);
  if (!options.analysis.response.empty()) add_response(theory, *linear, pulse, json);
  if (options.analysis.wilson_cowan) add_wilson_cowan(theory, *linear, rates_hz, pulse, json);
  if (options.analysis.density) add_density(theory, rates_hz, json);
  if (!options.analysis.bifurcation.empty()) add_bifurcation(loaded.circuit, options.analysis.bifurcation, json);
  if (!options.analysis.map.empty()) add_map(loaded.circuit, options.analysis.map, json);
  io::write_json(options.output / "analysis.json", json);
  if (const core::Problem problem = write_analysis_page(options.output, options.quiet); !problem.rule.empty()) {
    print_warnings({problem});
  }
  return kDone;
}

}  // namespace triscale::cli

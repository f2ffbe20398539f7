#include "io/allen_glif.hpp"

#include <string>

#include "io/json_object.hpp"

namespace triscale::io {

namespace {

using network::GlifModel;

double value(const JsonObject& json, const char* key, double otherwise) {
  return json.number(key).value_or(otherwise);
}
double required(const JsonObject& json, const char* key) {
  return json.required_number(key).value_or(1);
}

/// A rate of decay in 1/ms as a time constant.
double time_constant_ms(const JsonObject& json, const char* key, double rate_per_ms) {
  if (rate_per_ms > 0) return 1 / rate_per_ms;
  json.error(key, "must be > 0");
  return 1;
}

/// Element i, or a default where the list is missing.
double element(const std::vector<double>& list, std::size_t i, double otherwise) {
  return i < list.size() ? list[i] : otherwise;
}

// --------------------------------------------------------------------------------------------------------- NEST's form

/// Values that NEST's glif_psc has where a file does not say.
constexpr double kThresholdJump_mV = 0.37, kThresholdJumpDecay_per_ms = 0.009, kResetFraction = 0.20;
constexpr double kResetAdd_mV = 18.51, kThresholdVoltage_per_ms = 0.005, kThresholdVoltageDecay_per_ms = 0.09;

void read_after_spike_currents(const JsonObject& json, GlifModel& model) {
  const char* amplitudes_key = "asc_amps";
  const std::vector<double> decays = json.numbers("asc_decay"), amplitudes = json.numbers(amplitudes_key);
  const std::vector<double> initial = json.numbers("asc_init"), kept = json.numbers("asc_r");
  if (decays.size() != amplitudes.size() || decays.empty()) {
    json.error(amplitudes_key, "must have as many values as asc_decay, and at least one");
    return;
  }
  for (std::size_t i = 0; i < decays.size(); ++i) {
    model.after_spike_currents.push_back({1e-3 * amplitudes[i], time_constant_ms(json, "asc_decay", decays[i]),
                                          element(kept, i, 1), 1e-3 * element(initial, i, 0)});
  }
}

AllenGlif read_nest_form(const JsonObject& json) {
  AllenGlif glif;
  GlifModel& m = glif.model;
  m.C_m_nF = 1e-3 * required(json, "C_m");
  m.g_L_uS = 1e-3 * required(json, "g");
  m.E_L_mV = required(json, "E_L");
  m.V_threshold_mV = required(json, "V_th");
  m.t_ref_ms = required(json, "t_ref");
  m.V_reset_mV = value(json, "V_reset", m.E_L_mV);
  glif.V_init_mV = json.number("V_m");
  glif.tau_syn_ms = json.numbers("tau_syn");
  if (json.flag("after_spike_currents").value_or(false)) {
    read_after_spike_currents(json, m);
  } else {
    json.accept({"asc_init", "asc_decay", "asc_amps", "asc_r"});
  }
  if (json.flag("spike_dependent_threshold").value_or(false)) {
    m.threshold_jump_mV = value(json, "th_spike_add", kThresholdJump_mV);
    m.threshold_jump_tau_ms =
        time_constant_ms(json, "th_spike_decay", value(json, "th_spike_decay", kThresholdJumpDecay_per_ms));
    m.reset_fraction = value(json, "voltage_reset_fraction", kResetFraction);
    m.V_reset_mV = m.E_L_mV + value(json, "voltage_reset_add", kResetAdd_mV);
  } else {
    json.accept({"th_spike_add", "th_spike_decay", "voltage_reset_fraction", "voltage_reset_add"});
  }
  if (json.flag("adapting_threshold").value_or(false)) {
    m.threshold_voltage_per_ms = value(json, "th_voltage_index", kThresholdVoltage_per_ms);
    m.threshold_voltage_tau_ms =
        time_constant_ms(json, "th_voltage_decay", value(json, "th_voltage_decay", kThresholdVoltageDecay_per_ms));
  } else {
    json.accept({"th_voltage_index", "th_voltage_decay"});
  }
  return glif;
}

// ------------------------------------------------------------------------------------- form of the Cell Types Database

/// The name and the parameters of one of the file's methods.
struct Method {
  std::string name;
  std::optional<JsonObject> parameters;
};
Method read_method(const JsonObject& json, const char* key) {
  const auto object = json.object(key);
  if (!object) {
    json.error(key, "must be given (an object with name and params)");
    return {};
  }
  return {object->required_text("name").value_or(""), object->object("params")};
}

void read_reset(const JsonObject& json, GlifModel& m) {
  const char* key = "voltage_reset_method";
  const Method method = read_method(json, key);
  if (method.name == "v_before" && method.parameters) {
    m.reset_fraction = required(*method.parameters, "a");
    m.V_reset_mV = m.E_L_mV + 1e3 * required(*method.parameters, "b");
  } else if (method.name != "zero" && !method.name.empty()) {
    json.error(key, "must have the name zero, or v_before with the params a and b");
  }
}

void read_threshold(const JsonObject& json, const JsonObject& coefficients, GlifModel& m) {
  const char* key = "threshold_dynamics_method";
  const Method method = read_method(json, key);
  if (method.name == "inf" || method.name.empty()) return;
  const bool three = method.name == "three_components_exact";
  if (!method.parameters || (!three && method.name != "spike_component")) {
    json.error(key, "must have the name inf, or spike_component or three_components_exact with params");
    return;
  }
  const JsonObject& p = *method.parameters;
  m.threshold_jump_mV = 1e3 * required(p, "a_spike");
  m.threshold_jump_tau_ms = time_constant_ms(p, "b_spike", 1e-3 * required(p, "b_spike"));
  if (!three) return;
  m.threshold_voltage_per_ms = 1e-3 * required(p, "a_voltage") * value(coefficients, "a", 1);
  m.threshold_voltage_tau_ms =
      time_constant_ms(p, "b_voltage", 1e-3 * required(p, "b_voltage") * value(coefficients, "b", 1));
}

void read_database_currents(const JsonObject& json, const JsonObject& coefficients, GlifModel& m) {
  const char* key = "AScurrent_reset_method";
  const Method method = read_method(json, key);
  const std::vector<double> tau_s = json.numbers("asc_tau_array"), amplitudes_A = json.numbers("asc_amp_array");
  const std::vector<double> factors = coefficients.numbers("asc_amp_array"),
                            initial_A = json.numbers("init_AScurrents");
  if (method.name == "none" || method.name.empty()) return;
  if (method.name != "sum") return json.error(key, "must have the name none or sum");
  if (tau_s.size() != amplitudes_A.size() || tau_s.empty()) {
    return json.error("asc_amp_array", "must have as many values as asc_tau_array, and at least one");
  }
  const std::vector<double> kept = method.parameters ? method.parameters->numbers("r") : std::vector<double>();
  for (std::size_t i = 0; i < tau_s.size(); ++i) {
    m.after_spike_currents.push_back({1e9 * amplitudes_A[i] * element(factors, i, 1), 1e3 * tau_s[i],
                                      element(kept, i, 1), 1e9 * element(initial_A, i, 0)});
  }
}

AllenGlif read_database_form(const JsonObject& json) {
  AllenGlif glif;
  GlifModel& m = glif.model;
  const auto coefficients = json.object("coeffs");
  if (!coefficients) {
    json.error("coeffs", "must be given (an object)");
    return glif;
  }
  const double reference_mV = 1e3 * value(json, "El_reference", 0);
  m.C_m_nF = 1e9 * required(json, "C") * value(*coefficients, "C", 1);
  m.g_L_uS = 1e6 * value(*coefficients, "G", 1) / required(json, "R_input");
  m.E_L_mV = 1e3 * value(json, "El", 0) + reference_mV;
  m.V_threshold_mV = 1e3 * required(json, "th_inf") * value(*coefficients, "th_inf", 1) + reference_mV;
  m.V_reset_mV = reference_mV;
  m.t_ref_ms = 1e3 * required(json, "spike_cut_length") * required(json, "dt");
  glif.V_init_mV = 1e3 * value(json, "init_voltage", 0) + reference_mV;
  read_reset(json, m);
  read_threshold(json, *coefficients, m);
  read_database_currents(json, *coefficients, m);
  // What the file says besides has no meaning for a simulation, or stands in others of its keys.
  json.accept({"type", "name", "dt_multiplier", "init_threshold", "AScurrent_dynamics_method",
               "voltage_dynamics_method", "threshold_reset_method", "extrapolated_voltage", "init_method"});
  return glif;
}

}  // namespace

AllenGlif read_allen_glif(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  const auto json = JsonObject::load(path, diagnostics);
  if (!json) return {};
  AllenGlif glif = json->has("coeffs") || json->has("R_input") ? read_database_form(*json) : read_nest_form(*json);
  json->report_unread();
  return glif;
}

}  // namespace triscale::io

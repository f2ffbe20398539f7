#include "io/nest_cell.hpp"

#include <cmath>
#include <limits>

#include "io/allen_glif.hpp"
#include "io/json_object.hpp"

namespace triscale::io {
namespace {

using Shape = network::CurrentSynapse::Shape;
constexpr double kNanoPerPico = 1e-3;

/// Defaults of NEST's iaf_psc_alpha, iaf_psc_exp and iaf_psc_delta, which are the same.
constexpr double kC_m_pF = 250, kTau_m_ms = 10, kE_L_mV = -70, kV_th_mV = -55, kV_reset_mV = -70, kT_ref_ms = 2,
                 kV_m_mV = -70, kTau_syn_ms = 2;

std::optional<Shape> shape_of(const std::string& model) {
  if (model == "iaf_psc_alpha") return Shape::alpha;
  if (model == "iaf_psc_exp") return Shape::exponential;
  if (model == "iaf_psc_delta") return Shape::delta;
  return std::nullopt;
}

/// Parameters that these models have and that must stand at the value that switches their effect off.
void check_switched_off(const JsonObject& json, Shape shape) {
  if (json.number("V_min").value_or(-std::numeric_limits<double>::infinity()) > -1e100)
    json.error("V_min", "must not be given", "a lower bound of the potential is not supported");
  if (shape == Shape::exponential && json.number("delta").value_or(0) != 0)
    json.error("delta", "must be 0", "the stochastic threshold of iaf_psc_exp is not supported; see the model gif");
  if (shape == Shape::delta && json.flag("refractory_input").value_or(false))
    json.error("refractory_input", "must be false", "keeping input during refractoriness is not supported");
  // rho acts with delta only; tau_minus belongs to plastic synapses.
  json.accept({"rho", "tau_minus"});
}

NestCell read_iaf(const JsonObject& json, Shape shape) {
  NestCell cell;
  network::LifModel lif;
  const double tau_m_ms = json.number("tau_m").value_or(kTau_m_ms);
  if (!(tau_m_ms > 0)) json.error("tau_m", "must be > 0 (ms)");
  lif.C_m_nF = kNanoPerPico * json.number("C_m").value_or(kC_m_pF);
  lif.g_L_uS = lif.C_m_nF / tau_m_ms;
  lif.E_L_mV = json.number("E_L").value_or(kE_L_mV);
  lif.V_threshold_mV = json.number("V_th").value_or(kV_th_mV);
  lif.V_reset_mV = json.number("V_reset").value_or(kV_reset_mV);
  lif.t_ref_ms = json.number("t_ref").value_or(kT_ref_ms);
  cell.model = lif;
  cell.shape = shape;
  cell.V_init_mV = json.number("V_m").value_or(kV_m_mV);
  cell.I_e_nA = kNanoPerPico * json.number("I_e").value_or(0);
  if (shape == Shape::delta) {
    cell.tau_syn_ms = {0, 0};
  } else {
    cell.tau_syn_ms = {json.number("tau_syn_ex").value_or(kTau_syn_ms),
                       json.number("tau_syn_in").value_or(kTau_syn_ms)};
  }
  check_switched_off(json, shape);
  json.report_unread();
  return cell;
}

/// glif_psc, and BMTK's names for its five forms, such as glif_lif_asc_psc; the file says which form it is.
bool is_glif(const std::string& model) {
  const auto ends_with = [&](const std::string& end) {
    return model.size() >= end.size() && model.compare(model.size() - end.size(), end.size(), end) == 0;
  };
  return model == "glif_psc" || (model.rfind("glif_lif", 0) == 0 && !ends_with("_cond"));
}

NestCell read_glif(const std::filesystem::path& parameters, core::Diagnostics& diagnostics) {
  constexpr double kGlifV_m_mV = -78.85;
  AllenGlif glif = read_allen_glif(parameters, diagnostics);
  NestCell cell;
  cell.model = std::move(glif.model);
  cell.has_ports = true;
  cell.tau_syn_ms = glif.tau_syn_ms.empty() ? std::vector<double>{kTau_syn_ms} : std::move(glif.tau_syn_ms);
  cell.V_init_mV = glif.V_init_mV.value_or(kGlifV_m_mV);
  return cell;
}

}  // namespace

std::optional<network::CurrentSynapse> NestCell::synapse(int receptor_type, int sign) const {
  const int port = has_ports ? receptor_type - 1 : (sign < 0 ? 1 : 0);
  if (port < 0 || static_cast<std::size_t>(port) >= tau_syn_ms.size()) return std::nullopt;
  if (!has_ports && receptor_type != 0) return std::nullopt;
  return network::CurrentSynapse{shape, tau_syn_ms[static_cast<std::size_t>(port)], sign};
}

double NestCell::weight(double nest_weight) const {
  return std::abs(nest_weight) * (shape == Shape::delta ? 1.0 : kNanoPerPico);
}

std::optional<NestCell> read_nest_cell(const std::string& model, const std::filesystem::path& parameters,
                                       const core::Problem& where, core::Diagnostics& diagnostics) {
  if (is_glif(model)) return read_glif(parameters, diagnostics);
  const auto shape = shape_of(model);
  if (!shape) {
    core::Problem problem = where;
    problem.rule = "is a NEST model that is not supported here";
    problem.hint = "supported: iaf_psc_alpha, iaf_psc_exp, iaf_psc_delta, glif_psc and BMTK's glif_lif_..._psc";
    diagnostics.error(problem);
    return std::nullopt;
  }
  const auto json = JsonObject::load(parameters, diagnostics);
  if (!json) return std::nullopt;
  return read_iaf(*json, *shape);
}

}  // namespace triscale::io

#include "io/sonata_synapses.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>

#include "io/allen_cell.hpp"
#include "io/json_object.hpp"

namespace triscale::io {
namespace {

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

/// Items of a Python or JSON list of texts or numbers: [a, 'b', "c"]; a lone item is a list of one.
std::vector<std::string> list_items(const std::string& text) {
  std::vector<std::string> items(1);
  for (const char c : text) {
    if (c == ',') {
      items.emplace_back();
    } else if (std::string_view("[]()'\" ").find(c) == std::string_view::npos) {
      items.back() += c;
    }
  }
  return items;
}

/// A number that a file must give unless BMTK has one of its own.
double number_or(const JsonObject& json, const std::string& key, std::optional<double> otherwise) {
  return (otherwise ? json.number(key) : json.required_number(key)).value_or(otherwise.value_or(1.0));
}

/// A process of the release and its time constant, which is nothing without it.
void set_process(double& share, double& tau_ms, double file_share, double file_tau_ms) {
  share = file_share;
  tau_ms = file_share == 0 ? 0 : file_tau_ms;
}

/// What BMTK sets in a synapse of its stp family; none: the file must say it.
struct StpDefaults {
  std::optional<double> p0, tau_1_ms, tau_r_ms, tau_FDR_ms;
};

/// BMTK's stp1syn to stp4syn (Hennig 2013, Front Comput Neurosci 7:45): a single exponential whose events carry
/// w n p0 (stp3syn: times D), n the vesicles that are ready. They recover with tau_r, which moves in stp2syn and
/// stp3syn (from tau_r0); D are the receptors that are not desensitised, in stp3syn. The release probability that
/// stp4syn moves with each spike enters nothing, its conductance has p0. What BMTK sets whatever the file says is the
/// default here; a file that says otherwise is followed.
SynapseModel read_stp(const JsonObject& json, const StpDefaults& defaults, bool speeds_up, bool desensitises) {
  network::BiexponentialSynapse synapse;
  synapse.tau_rise_ms = 0;
  synapse.tau_decay_ms = number_or(json, "tau_1", defaults.tau_1_ms);
  if (const auto E_rev = json.required_number("erev")) synapse.E_rev_mV = *E_rev;
  network::Release release;
  release.U = number_or(json, "p0", defaults.p0);
  release.tau_recovery_ms = number_or(json, speeds_up ? "tau_r0" : "tau_r", defaults.tau_r_ms);
  if (speeds_up) {
    set_process(release.recovery_speedup, release.tau_speedup_ms, number_or(json, "a_FDR", 0.5),
                number_or(json, "tau_FDR", defaults.tau_FDR_ms));
  }
  if (desensitises) {
    set_process(release.desensitisation, release.tau_desensitisation_ms, number_or(json, "a_D", 0.5),
                number_or(json, "tau_D", 500));
  }
  json.accept({"level_of_detail"});
  return {synapse, release};
}

/// BMTK's stp5syn: all processes of Hennig's review. The probability starts at 1, as in BMTK's file, and comes down to
/// its baseline pbtilde with tau_f.
SynapseModel read_stp5(const JsonObject& json) {
  network::BiexponentialSynapse synapse;
  synapse.tau_rise_ms = 0;
  synapse.tau_decay_ms = number_or(json, "tau_1", {});
  if (const auto E_rev = json.required_number("erev")) synapse.E_rev_mV = *E_rev;
  network::Release release;
  release.U = number_or(json, "pbtilde", {});
  release.p_start = 1;
  release.tau_recovery_ms = number_or(json, "tau_r0", {});
  release.facilitation = number_or(json, "a_f", {});
  release.tau_facilitation_ms = number_or(json, "tau_f", 10);
  set_process(release.recovery_speedup, release.tau_speedup_ms, number_or(json, "a_FDR", {}),
              number_or(json, "tau_FDR", {}));
  set_process(release.desensitisation, release.tau_desensitisation_ms, number_or(json, "a_D", {}),
              number_or(json, "tau_D", 100));
  set_process(release.baseline_drop, release.tau_baseline_ms, number_or(json, "a_i", {}),
              number_or(json, "tau_i", 100));
  json.accept({"level_of_detail"});
  return {synapse, release};
}

/// What the two stochastic synapses of the Blue Brain Project have in common, under the names of their files: release
/// with Use, Dep and Fac at Nrrp sites, and a conductance of gmax uS for a weight of 1.
network::Release read_stochastic_release(const JsonObject& json) {
  network::Release release;
  release.U = json.required_number("Use").value_or(0.5);
  release.tau_recovery_ms = json.required_number("Dep").value_or(0);
  release.tau_facilitation_ms = json.required_number("Fac").value_or(0);
  const double sites = json.number("Nrrp").value_or(1);
  if (!(sites >= 1 && sites <= 1e6 && sites == std::floor(sites))) json.error("Nrrp", "must be a whole number >= 1");
  release.sites = sites >= 1 && sites <= 1e6 ? static_cast<std::uint32_t>(sites) : 1;
  // u0: the facilitation at time 0, without which p is Use.
  const double u0 = json.number("u0").value_or(0);
  if (release.tau_facilitation_ms > 0 && u0 != 0) release.p_start = release.U + (1 - release.U) * u0;
  json.accept({"level_of_detail"});
  return release;
}

/// One receptor; the keys are those of its file, e.g. tau_r_AMPA.
network::Receptor read_receptor(const JsonObject& json, const std::string& suffix, double tau_rise_ms,
                                double tau_decay_ms, double E_rev_mV, double weight_factor) {
  network::Receptor receptor;
  receptor.kinetics.tau_rise_ms = json.number("tau_r_" + suffix).value_or(tau_rise_ms);
  receptor.kinetics.tau_decay_ms = json.number("tau_d_" + suffix).value_or(tau_decay_ms);
  receptor.kinetics.E_rev_mV = E_rev_mV;
  receptor.weight_factor = weight_factor;
  return receptor;
}

/// ProbAMPANMDA_EMS: AMPA and, under magnesium block, NMDA receptors behind one stochastic release.
SynapseModel read_ampa_nmda(const JsonObject& json) {
  const double E_rev_mV = json.number("e").value_or(0), gmax_uS = json.number("gmax").value_or(1e-3);
  network::ReceptorSynapse synapse;
  synapse.receptors.push_back(read_receptor(json, "AMPA", 0.2, 1.7, E_rev_mV, gmax_uS));
  const double ratio = json.number("NMDA_ratio").value_or(0.71);
  synapse.receptors.push_back(read_receptor(json, "NMDA", 0.29, 43, E_rev_mV, ratio * gmax_uS));
  synapse.receptors.back().Mg_mM = json.number("mg").value_or(1);
  if (ratio == 0) synapse.receptors.pop_back();
  return {synapse, read_stochastic_release(json)};
}

/// ProbGABAAB_EMS: GABA_A and, by default none of, GABA_B receptors behind one stochastic release.
SynapseModel read_gaba(const JsonObject& json) {
  const double gmax_uS = json.number("gmax").value_or(1e-3);
  network::ReceptorSynapse synapse;
  synapse.receptors.push_back(read_receptor(json, "GABAA", 0.2, 8, json.number("e_GABAA").value_or(-80), gmax_uS));
  const double ratio = json.number("GABAB_ratio").value_or(0);
  synapse.receptors.push_back(
      read_receptor(json, "GABAB", 3.5, 260.9, json.number("e_GABAB").value_or(-97), ratio * gmax_uS));
  if (ratio == 0) synapse.receptors.pop_back();
  return {synapse, read_stochastic_release(json)};
}

}  // namespace

std::optional<SynapseModel> SynapseModels::find(const TypedRows& edges, std::size_t row, bool target_is_point) {
  const std::string name = edges.text(row, "dynamics_params").value_or("");
  const std::string model_template = lower(edges.text(row, "model_template").value_or(""));
  const core::Problem where{
      edges.types.file, "edge type " + std::to_string(edges.type_ids[row]) + ", column dynamics_params", name, "", ""};
  const auto error = [&](const std::string& column, const std::string& value, const std::string& rule,
                         const std::string& hint = "") {
    diagnostics_.error({edges.types.file, "edge type " + std::to_string(edges.type_ids[row]) + ", column " + column,
                        value, rule, hint});
    return std::nullopt;
  };
  if (name.empty()) return error("dynamics_params", "", "must name a synapse file");
  const std::pair key(name, model_template);
  if (!known_.contains(key)) known_[key] = read(name, model_template, where);
  const auto& model = known_[key];
  if (!model) return std::nullopt;
  const bool instantaneous = std::holds_alternative<network::InstantaneousSynapse>(model->kinetics);
  if (instantaneous != target_is_point) {
    return error("dynamics_params", name,
                 target_is_point ? "must be an instantaneous synapse for an IntFire1 target"
                                 : "must be a conductance synapse (exp2syn) for a biophysical target");
  }
  constexpr std::array kTemplates{"exp2syn", "expsyn",  "stp1syn",          "stp2syn",       "stp3syn",
                                  "stp4syn", "stp5syn", "probampanmda_ems", "probgabaab_ems"};
  if (!instantaneous && std::find(kTemplates.begin(), kTemplates.end(), model_template) == kTemplates.end()) {
    return error("model_template", model_template,
                 "must be Exp2Syn, ExpSyn, stp1syn to stp5syn, ProbAMPANMDA_EMS or ProbGABAAB_EMS",
                 "other synapse templates are not supported");
  }
  return model;
}

std::optional<int> SynapseModels::nest_receptor(const TypedRows& edges, std::size_t row) {
  const std::string place = "edge type " + std::to_string(edges.type_ids[row]) + ", column ";
  const std::string model_template = edges.text(row, "model_template").value_or("");
  if (!model_template.empty() && model_template != "static_synapse" && model_template != "nest:static_synapse") {
    diagnostics_.error({edges.types.file, place + "model_template", model_template,
                        "must be static_synapse where the target is a cell of NEST",
                        "its weights are in pA (iaf_psc_delta: mV), not conductances"});
    return std::nullopt;
  }
  const std::string name = edges.text(row, "dynamics_params").value_or("");
  if (name.empty()) return 0;
  if (const auto known = receptors_.find(name); known != receptors_.end()) return known->second;
  std::optional<int>& receptor = receptors_[name];
  if (folder_.empty()) {
    diagnostics_.error({edges.types.file, place + "dynamics_params", name,
                        "needs components.synaptic_models_dir in the circuit config", ""});
    return receptor;
  }
  const auto json = JsonObject::load(folder_ / name, diagnostics_);
  if (!json) return receptor;
  const double number = json->number("receptor_type").value_or(0);
  json->report_unread();
  if (!(number >= 0 && number == std::floor(number) && number < 1e6)) {
    json->error("receptor_type", "must be an integer >= 0");
  } else {
    receptor = static_cast<int>(number);
  }
  return receptor;
}

std::optional<SynapseModel> SynapseModels::read(const std::string& name, const std::string& model_template,
                                                const core::Problem& where) {
  if (folder_.empty()) {
    core::Problem problem = where;
    problem.rule = "needs components.synaptic_models_dir in the circuit config";
    diagnostics_.error(problem);
    return std::nullopt;
  }
  const auto json = JsonObject::load(folder_ / name, diagnostics_);
  if (!json) return std::nullopt;
  const std::map<std::string, std::function<SynapseModel()>> readers = {
      {"stp1syn",
       [&] {
         return read_stp(*json, {0.5, 5, 200, {}}, false, false);
       }},
      {"stp2syn", [&] { return read_stp(*json, {}, true, false); }},
      {"stp3syn",
       [&] {
         return read_stp(*json, {0.6, 5, 200, 2000}, true, true);
       }},
      {"stp4syn",
       [&] {
         return read_stp(*json, {0.6, 5, 200, {}}, false, false);
       }},
      {"stp5syn", [&] { return read_stp5(*json); }},
      {"probampanmda_ems", [&] { return read_ampa_nmda(*json); }},
      {"probgabaab_ems", [&] { return read_gaba(*json); }},
  };
  if (const auto reader = readers.find(model_template); reader != readers.end()) {
    SynapseModel model = reader->second();
    json->report_unread();
    return model;
  }
  const auto simple = [&json](auto kinetics) {
    json->report_unread();
    return SynapseModel{kinetics, std::nullopt};
  };
  const auto level = lower(json->required_text("level_of_detail").value_or(""));
  if (level == "expsyn") {
    network::BiexponentialSynapse synapse;
    synapse.tau_rise_ms = 0;
    if (const auto decay = json->required_number("tau")) synapse.tau_decay_ms = *decay;
    if (const auto E_rev = json->required_number("erev")) synapse.E_rev_mV = *E_rev;
    if (!(synapse.tau_decay_ms > 0)) json->error("tau", "must be > 0");
    return simple(synapse);
  }
  if (level == "exp2syn") {
    network::BiexponentialSynapse synapse;
    const auto rise = json->required_number("tau1");
    const auto decay = json->required_number("tau2");
    const auto E_rev = json->required_number("erev");
    if (rise && !(*rise > 0)) json->error("tau1", "must be > 0");
    if (rise && decay && !(*decay > *rise)) json->error("tau2", "must be > tau1");
    synapse.tau_rise_ms = rise.value_or(synapse.tau_rise_ms);
    synapse.tau_decay_ms = decay.value_or(synapse.tau_decay_ms);
    synapse.E_rev_mV = E_rev.value_or(synapse.E_rev_mV);
    return simple(synapse);
  }
  if (level == "instantaneous") {
    const auto sign = json->required_number("sign");
    if (sign && *sign != 1 && *sign != -1) json->error("sign", "must be 1 or -1");
    return simple(network::InstantaneousSynapse{sign.value_or(1) < 0 ? -1 : 1});
  }
  json->error("level_of_detail", "must be exp2syn, expsyn or instantaneous", "other synapse models are not supported");
  return std::nullopt;
}

std::optional<network::DendriticPlacement> read_placement(const TypedRows& edges, std::size_t row,
                                                          core::Diagnostics& diagnostics) {
  const auto error = [&](const std::string& column, const std::string& value, const std::string& rule) {
    diagnostics.error({edges.types.file, "edge type " + std::to_string(edges.type_ids[row]) + ", column " + column,
                       value, rule, "the edges give no afferent_section_id"});
    return std::nullopt;
  };
  network::DendriticPlacement placement;
  const auto sections = edges.text(row, "target_sections");
  if (!sections) return error("target_sections", "", "must say where the synapses sit, e.g. \"['basal', 'apical']\"");
  placement.kinds.clear();
  for (const std::string& item : list_items(*sections)) {
    const auto kind = allen_section_kind(item);
    if (!kind) return error("target_sections", *sections, "must list somatic, axonal, basal or apical");
    placement.kinds.push_back(*kind);
  }
  if (const auto range = edges.text(row, "distance_range")) {
    const auto items = list_items(*range);
    const auto last = parse_number(items.back());
    const auto first = items.size() == 2 ? parse_number(items.front()) : std::optional<double>(0.0);
    if (items.size() > 2 || !first || !last || !(*first <= *last)) {
      return error("distance_range", *range, "must be [from, to] in um with from <= to");
    }
    placement.min_distance_um = *first;
    placement.max_distance_um = *last;
  }
  return placement;
}

double gaussian_tuning_weight(double weight, double source_angle_deg, double target_angle_deg, double sigma_deg) {
  const double turn = std::fmod(std::abs(target_angle_deg - source_angle_deg), 360.0);
  const double delta = std::abs(std::abs(std::abs(180.0 - turn) - 90.0) - 90.0);
  return weight * std::exp(-(delta / sigma_deg) * (delta / sigma_deg));
}

}  // namespace triscale::io

#include "io/allen_fit.hpp"

#include <string>

#include "io/allen_cell.hpp"
#include "io/json_object.hpp"

namespace triscale::io {
namespace {

using network::DetailedCell;
using network::SectionKind;

std::optional<SectionKind> kind_of(const JsonObject& row) {
  const auto name = row.required_text("section");
  if (!name) return std::nullopt;
  const auto kind = allen_section_kind(*name);
  if (!kind) row.error("section", "must be soma, axon, dend or apic");
  return kind;
}

void read_passive(const JsonObject& passive, DetailedCell& cell) {
  for (auto& region : cell.regions) {
    if (const auto ra = passive.number_or_numeric_text("ra")) region.Ra_Ohm_cm = *ra;
    if (const auto e_pas = passive.number_or_numeric_text("e_pas")) region.e_pas_mV = *e_pas;
  }
  for (const JsonObject& row : passive.objects("cm")) {
    const auto kind = kind_of(row);
    const auto cm = row.number_or_numeric_text("cm");
    if (!cm) row.error("cm", "must be given (uF/cm2)");
    if (kind && cm) cell.regions[static_cast<std::size_t>(*kind)].C_m_uF_cm2 = *cm;
    row.report_unread();
  }
  passive.report_unread();
}

void read_conditions(const JsonObject& conditions, DetailedCell& cell) {
  conditions.accept({"celsius", "v_init"});
  for (const JsonObject& row : conditions.objects("erev")) {
    const auto kind = kind_of(row);
    const auto E_Na = row.number_or_numeric_text("ena");
    const auto E_K = row.number_or_numeric_text("ek");
    if (kind) {
      auto& region = cell.regions[static_cast<std::size_t>(*kind)];
      if (E_Na) region.E_Na_mV = *E_Na;
      if (E_K) region.E_K_mV = *E_K;
    }
    row.report_unread();
  }
  conditions.report_unread();
}

/// A row names its parameter as in NEURON: gbar_NaTs, decay_CaDynamics, gNaTa_tbar_NaTa_t (the files of Hay et al.); or
/// g_pas, e_pas, cm, Ra, which need no mechanism.
void read_gene(const JsonObject& row, DetailedCell& cell) {
  const auto kind = kind_of(row);
  const auto name = row.required_text("name");
  auto mechanism = row.text("mechanism").value_or("");
  const auto value = row.number_or_numeric_text("value");
  if (!value) row.error("value", "must be a number");
  row.report_unread();
  if (!kind || !name || !value) return;
  auto& region = cell.regions[static_cast<std::size_t>(*kind)];
  if (mechanism.empty() || mechanism == "pas") {
    if (*name == "g_pas") {
      region.g_pas_S_cm2 = *value;
    } else if (*name == "e_pas") {
      region.e_pas_mV = *value;
    } else if (*name == "cm") {
      region.C_m_uF_cm2 = *value;
    } else if (*name == "Ra") {
      region.Ra_Ohm_cm = *value;
    } else {
      row.error("name", "must be g_pas, e_pas, cm or Ra where no mechanism is given");
    }
    return;
  }
  const std::string suffix = "_" + mechanism;
  const bool has_suffix = name->size() > suffix.size() && name->ends_with(suffix);
  std::string parameter = has_suffix ? name->substr(0, name->size() - suffix.size()) : "";
  if (parameter == "g" + mechanism + "bar") {
    parameter = "gbar";
    // Two channels are called Im; the spelling of its density tells which.
    if (mechanism == "Im") mechanism = "Im_Hay";
  }
  const auto* parameters = mechanism_parameters(mechanism);
  if (!parameters) return row.error("mechanism", "must be a channel that triscale knows", "see docs for the list");
  if (!parameters->contains(parameter)) return row.error("name", "must be a parameter of " + mechanism);
  set_parameter(cell, *kind, mechanism, parameter, *value);
}

}  // namespace

DetailedCell read_allen_fit(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  DetailedCell cell;
  const auto fit = JsonObject::load(path, diagnostics);
  if (!fit) return cell;
  // How the fit was made; nothing of it is needed to run the cell.
  fit->accept({"fitting", "axon_morph"});
  const auto passive = fit->objects("passive");
  if (passive.size() != 1) fit->error("passive", "must be a list of one object");
  for (const JsonObject& object : passive) read_passive(object, cell);
  const auto conditions = fit->objects("conditions");
  if (conditions.size() != 1) fit->error("conditions", "must be a list of one object");
  for (const JsonObject& object : conditions) read_conditions(object, cell);
  const auto genome = fit->objects("genome");
  if (genome.empty()) fit->error("genome", "must be a list of parameters");
  for (const JsonObject& row : genome) read_gene(row, cell);
  fit->report_unread();
  sort_mechanisms(cell);
  return cell;
}

}  // namespace triscale::io

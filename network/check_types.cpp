// Rules for cell types and synapse types.
#include <fmt/format.h>

#include "network/checks.hpp"
#include "network/validate.hpp"

namespace triscale::network {

namespace {

void check_section(const Morphology& morphology, std::size_t s, const std::string& place, Checks& checks) {
  const Section& section = morphology.sections[s];
  if (s == 0) {
    checks.require(section.parent == -1 && section.kind == SectionKind::soma, place,
                   fmt::format("kind {}, parent {}", to_string(section.kind), section.parent),
                   "must be the soma and have no parent (-1)");
  } else {
    checks.require(section.parent >= 0 && static_cast<std::size_t>(section.parent) < s, place + ".parent",
                   fmt::format("{}", section.parent), "must be the index of an earlier section",
                   "the morphology is not connected; order the sections from the soma outwards");
  }
  checks.require(section.parent_position >= 0 && section.parent_position <= 1, place + ".parent_position",
                 fmt::format("{}", section.parent_position), "must lie between 0 and 1");
  checks.require(section.points.size() >= 2, place + ".points", fmt::format("{} points", section.points.size()),
                 "must have at least 2 points");
  checks.require(section.swc_ids.empty() || section.swc_ids.size() == section.points.size(), place + ".swc_ids",
                 fmt::format("{} ids", section.swc_ids.size()), "must be empty or one per point");
  for (const auto& point : section.points) {
    if (std::isfinite(point.x_um + point.y_um + point.z_um) && point.diameter_um > 0 &&
        std::isfinite(point.diameter_um)) {
      continue;
    }
    checks.error(place + ".points",
                 fmt::format("({}, {}, {}) um, diameter {} um", point.x_um, point.y_um, point.z_um, point.diameter_um),
                 "must have finite coordinates and a diameter > 0");
    return;
  }
  const double length_um = section.length_um();
  checks.require(length_um > 0, place + ".points", fmt::format("length {} um", length_um), "must have a length > 0");
}

void check_profile(const DensityProfile& profile, const std::string& place, Checks& checks) {
  for (const double value : {profile.offset, profile.slope, profile.amplitude, profile.center, profile.width,
                             profile.begin, profile.end, profile.inside, profile.outside}) {
    checks.finite(place, value);
  }
  using Shape = DensityProfile::Shape;
  checks.require(profile.shape != Shape::sigmoid || profile.width != 0, place + ".width", "0", "must not be 0");
  checks.require(profile.shape != Shape::step || profile.begin < profile.end, place + ".end",
                 fmt::format("{}", profile.end), "must be larger than begin");
}

void check_detailed(const DetailedCell& cell, const std::string& place, Checks& checks) {
  if (!cell.morphology || cell.morphology->sections.empty()) {
    checks.error(place + ".morphology", "", "must have at least one section");
    return;
  }
  std::array<bool, kSectionKinds> present{};
  for (std::size_t s = 0; s < cell.morphology->sections.size(); ++s) {
    check_section(*cell.morphology, s, fmt::format("{}.morphology.sections[{}]", place, s), checks);
    present[static_cast<std::size_t>(cell.morphology->sections[s].kind)] = true;
  }
  for (std::size_t kind = 0; kind < kSectionKinds; ++kind) {
    if (!present[kind]) continue;
    const RegionProperties& region = cell.regions[kind];
    const std::string where = fmt::format("{}.regions.{}", place, to_string(static_cast<SectionKind>(kind)));
    checks.positive(where + ".Ra_Ohm_cm", region.Ra_Ohm_cm);
    checks.positive(where + ".C_m_uF_cm2", region.C_m_uF_cm2);
    checks.not_negative(where + ".g_pas_S_cm2", region.g_pas_S_cm2);
    checks.finite(where + ".e_pas_mV", region.e_pas_mV);
    checks.finite(where + ".E_Na_mV", region.E_Na_mV);
    checks.finite(where + ".E_K_mV", region.E_K_mV);
  }
  for (std::size_t i = 0; i < cell.mechanisms.size(); ++i) {
    const MechanismPlacement& mechanism = cell.mechanisms[i];
    const std::string where = fmt::format("{}.mechanisms[{}]", place, i);
    checks.require(!mechanism.mechanism.empty(), where, "", "must name a mechanism");
    if (!present[static_cast<std::size_t>(mechanism.region)]) {
      checks.warning(where, mechanism.mechanism,
                     fmt::format("is placed on {} sections, but the morphology has none", to_string(mechanism.region)));
    }
    for (const auto& [name, value] : mechanism.parameters) checks.finite(where + "." + name, value);
    if (mechanism.density) check_profile(*mechanism.density, where + ".density", checks);
  }
  checks.positive(place + ".Ca_out_mM", cell.Ca_out_mM);
}

void check_kernels(const std::vector<ExponentialKernel>& kernels, const std::string& place, Checks& checks) {
  for (std::size_t i = 0; i < kernels.size(); ++i) {
    checks.finite(fmt::format("{}[{}].amplitude", place, i), kernels[i].amplitude);
    checks.positive(fmt::format("{}[{}].tau_ms", place, i), kernels[i].tau_ms);
  }
}

/// The rules that a point model hands its values to (network/point_models.hpp).
struct PointModelRules {
  const std::string& place;
  Checks& checks;

  void positive(const std::string& key, double value) { checks.positive(place + "." + key, value); }
  void not_negative(const std::string& key, double value) { checks.not_negative(place + "." + key, value); }
  void finite(const std::string& key, double value) { checks.finite(place + "." + key, value); }
  void kernels(const std::string& key, const std::vector<ExponentialKernel>& kernels) {
    check_kernels(kernels, place + "." + key, checks);
  }
  void require(bool holds, const std::string& key, double value, const std::string& rule, const std::string& hint) {
    checks.require(holds, place + "." + key, fmt::format("{}", value), rule, hint);
  }
};

void check_point_cell(const PointCell& cell, const std::string& place, Checks& checks) {
  PointModelRules rules{place, checks};
  std::visit([&rules](const auto& model) { model.check(rules); }, cell.model);
}

void check_meanfield(const MeanfieldCell& cell, const std::string& place, Checks& checks) {
  const TransferFunction& f = cell.transfer;
  checks.positive(place + ".C_m_nF", f.C_m_nF);
  checks.positive(place + ".g_L_uS", f.g_L_uS);
  checks.finite(place + ".E_L_mV", f.E_L_mV);
  checks.not_negative(place + ".t_ref_ms", f.t_ref_ms);
  checks.not_negative(place + ".dead_time_ms", f.dead_time_ms);
  checks.not_negative(place + ".dead_time_at_hz", f.dead_time_at_hz);
  for (std::size_t i = 0; i < f.P_mV.size(); ++i) checks.finite(fmt::format("{}.P_mV[{}]", place, i), f.P_mV[i]);
  checks.finite(place + ".mu_0_mV", f.mu_0_mV);
  checks.finite(place + ".sigma_0_mV", f.sigma_0_mV);
  checks.finite(place + ".tau_0", f.tau_0);
  checks.positive(place + ".d_mu_mV", f.d_mu_mV);
  checks.positive(place + ".d_sigma_mV", f.d_sigma_mV);
  checks.positive(place + ".d_tau", f.d_tau);
  check_kernels(f.adaptation_nA, place + ".adaptation_nA", checks);
  checks.positive(place + ".time_constant_ms", cell.time_constant_ms);
}

void check_biexponential(const BiexponentialSynapse& synapse, const std::string& place, Checks& checks) {
  checks.positive(place + ".tau_decay_ms", synapse.tau_decay_ms);
  checks.not_negative(place + ".tau_rise_ms", synapse.tau_rise_ms);
  checks.require(!(synapse.tau_decay_ms > 0 && synapse.tau_rise_ms >= synapse.tau_decay_ms), place + ".tau_rise_ms",
                 fmt::format("{}", synapse.tau_rise_ms), "must be smaller than tau_decay_ms",
                 "an alpha function is the limit tau_rise = 0.9999 tau_decay");
  checks.finite(place + ".E_rev_mV", synapse.E_rev_mV);
}

void check_instantaneous(const InstantaneousSynapse& synapse, const std::string& place, Checks& checks) {
  checks.require(synapse.sign == 1 || synapse.sign == -1, place + ".sign", fmt::format("{}", synapse.sign),
                 "must be 1 or -1");
}

void check_current_synapse(const CurrentSynapse& synapse, const std::string& place, Checks& checks) {
  checks.require(synapse.sign == 1 || synapse.sign == -1, place + ".sign", fmt::format("{}", synapse.sign),
                 "must be 1 or -1");
  if (synapse.shape != CurrentSynapse::Shape::delta) checks.positive(place + ".tau_ms", synapse.tau_ms);
}

void check_receptors(const ReceptorSynapse& synapse, const std::string& place, Checks& checks) {
  checks.require(!synapse.receptors.empty(), place + ".receptors", "none", "must have at least one receptor");
  for (std::size_t i = 0; i < synapse.receptors.size(); ++i) {
    const std::string where = fmt::format("{}.receptors[{}]", place, i);
    check_biexponential(synapse.receptors[i].kinetics, where, checks);
    checks.not_negative(where + ".weight_factor", synapse.receptors[i].weight_factor);
    checks.not_negative(where + ".Mg_mM", synapse.receptors[i].Mg_mM);
  }
}

void check_release(const Release& release, const std::string& place, Checks& checks) {
  checks.require(release.U > 0 && release.U <= 1, place + ".U", fmt::format("{}", release.U), "must lie in (0, 1]");
  checks.not_negative(place + ".tau_recovery_ms", release.tau_recovery_ms);
  checks.not_negative(place + ".tau_facilitation_ms", release.tau_facilitation_ms);
  const auto share = [&](const std::string& key, double value) {
    checks.require(value >= 0 && value <= 1, place + key, fmt::format("{}", value), "must lie in [0, 1]");
  };
  /// A process and the time constants without which it would have no effect.
  const auto process = [&](const std::string& key, double value, const std::string& tau_key, double tau_ms) {
    share(key, value);
    checks.require(!(value > 0) || tau_ms > 0, place + tau_key, fmt::format("{}", tau_ms), "must be > 0",
                   "for " + key.substr(1));
    checks.require(value != 0 || tau_ms == 0, place + tau_key, fmt::format("{}", tau_ms), "must not be given",
                   key.substr(1) + " is 0");
  };
  const double facilitation = release.facilitation.value_or(0), start = release.p_start.value_or(0);
  share(".facilitation", facilitation);
  share(".p_start", start);
  for (const auto& [key, given] : {std::pair(".facilitation", facilitation > 0), {".p_start", start > 0}}) {
    checks.require(!given || release.tau_facilitation_ms > 0, place + key, "", "needs tau_facilitation_ms > 0");
  }
  process(".recovery_speedup", release.recovery_speedup, ".tau_speedup_ms", release.tau_speedup_ms);
  checks.require(!(release.recovery_speedup > 0) || release.tau_recovery_ms > 0, place + ".recovery_speedup", "",
                 "needs tau_recovery_ms > 0");
  checks.require(release.recovery_speedup != 1, place + ".recovery_speedup", "1", "must be < 1");
  process(".baseline_drop", release.baseline_drop, ".tau_baseline_ms", release.tau_baseline_ms);
  process(".desensitisation", release.desensitisation, ".tau_desensitisation_ms", release.tau_desensitisation_ms);
  checks.require(!(release.desensitisation > 0) || release.sites == 0, place + ".desensitisation", "",
                 "must not stand beside sites", "desensitisation is part of deterministic synapses only");
}

/// The rules that a plasticity hands its values to (network/plasticity.hpp).
struct PlasticityRules {
  const std::string& place;
  Checks& checks;
  void positive(const std::string& key, double value) { checks.positive(place + "." + key, value); }
  void not_negative(const std::string& key, double value) { checks.not_negative(place + "." + key, value); }
  void finite(const std::string& key, double value) { checks.finite(place + "." + key, value); }
};

void check_plasticity(const Plasticity& plasticity, const std::string& place, Checks& checks) {
  PlasticityRules rules{place, checks};
  std::visit(
      [&rules](const auto& rule) {
        if constexpr (requires { rule.check(rules); }) rule.check(rules);
      },
      plasticity.rule);
  checks.positive(place + ".w_max", plasticity.w_max);
  checks.require(plasticity.scaling || !std::holds_alternative<std::monostate>(plasticity.rule), place, "",
                 "must have a rule, homeostasis, or both");
  if (!plasticity.scaling) return;
  const std::string scaling_place = place + ".homeostasis";
  PlasticityRules scaling{scaling_place, checks};
  plasticity.scaling->check(scaling);
}

void check_site_table(const std::vector<SiteTransfer>& sites, std::size_t receptors, const std::string& place,
                      Checks& checks) {
  for (std::size_t i = 0; i < sites.size(); ++i) {
    const SiteTransfer& row = sites[i];
    const std::string where = fmt::format("{}.sites[{}]", place, i);
    checks.require(row.begin >= 0 && row.begin < row.end && row.end <= 1, where,
                   fmt::format("[{}, {}]", row.begin, row.end), "must be an interval of positions within 0..1");
    checks.not_negative(where + ".attenuation", row.attenuation);
    checks.not_negative(where + ".shunt_per_uS", row.shunt_per_uS);
    checks.not_negative(where + ".extra_delay_ms", row.extra_delay_ms);
    checks.index(where + ".receptor", row.receptor, receptors, "receptors");
    const bool last_of_section = i + 1 == sites.size() || sites[i + 1].section != row.section;
    const bool first_of_section = i == 0 || sites[i - 1].section != row.section;
    const bool ascending =
        i == 0 || sites[i - 1].section < row.section || (!first_of_section && sites[i - 1].end == row.begin);
    checks.require(ascending && (!first_of_section || row.begin == 0) && (!last_of_section || row.end == 1), where,
                   fmt::format("section {}, [{}, {}]", row.section, row.begin, row.end),
                   "must, with its neighbours, cover the section from 0 to 1 in ascending order without gaps");
  }
}

void check_point_synapse(const PointSynapse& synapse, const std::string& place, Checks& checks) {
  checks.require(!synapse.receptors.empty(), place + ".receptors", "none", "must have at least one receptor");
  for (std::size_t i = 0; i < synapse.receptors.size(); ++i) {
    check_biexponential(synapse.receptors[i], fmt::format("{}.receptors[{}]", place, i), checks);
  }
  check_site_table(synapse.sites, synapse.receptors.size(), place, checks);
}

void check_synapse_type(const SynapseType& type, const std::string& place, Checks& checks) {
  checks.require(type.detailed || type.point, place, "", "must have a detailed or a point description");
  if (type.detailed) {
    if (const auto* s = std::get_if<BiexponentialSynapse>(&*type.detailed)) {
      check_biexponential(*s, place + ".detailed", checks);
    } else if (const auto* several = std::get_if<ReceptorSynapse>(&*type.detailed)) {
      check_receptors(*several, place + ".detailed", checks);
      checks.require(
          several->sites.empty(), place + ".detailed.sites", "", "must not be given",
          "a table of sites carries synapses to the soma of a point neuron; their places belong to the edges");
    } else if (const auto* instantaneous = std::get_if<InstantaneousSynapse>(&*type.detailed)) {
      check_instantaneous(*instantaneous, place + ".detailed", checks);
    }
  }
  if (type.release) check_release(*type.release, place + ".release", checks);
  if (type.plasticity) check_plasticity(*type.plasticity, place + ".plasticity", checks);
  checks.require(!is_gap_junction(type) || (!type.point && !type.meanfield && !type.release && !type.plasticity), place,
                 "", "must be described by its detailed description alone, because it is a gap junction");
  if (type.point) {
    if (const auto* s = std::get_if<PointSynapse>(&*type.point)) {
      check_point_synapse(*s, place + ".point", checks);
    } else if (const auto* current = std::get_if<CurrentSynapse>(&*type.point)) {
      check_current_synapse(*current, place + ".point", checks);
      // The same weights would mean a conductance on one tier and a current on the other.
      checks.require(!type.detailed, place, "", "must not have a detailed description beside a current synapse",
                     "give the synapse of the detailed tier a synapse type of its own");
    } else if (const auto* several = std::get_if<ReceptorSynapse>(&*type.point)) {
      check_receptors(*several, place + ".point", checks);
      check_site_table(several->sites, 1, place + ".point", checks);
    } else {
      check_instantaneous(std::get<InstantaneousSynapse>(*type.point), place + ".point", checks);
    }
  }
  if (type.meanfield) checks.not_negative(place + ".meanfield.gain", type.meanfield->gain);
  if (type.detailed && type.point) {
    SynapseType point_only;
    point_only.point = type.point;
    const int detailed = synapse_sign(type), point = synapse_sign(point_only);
    checks.require(detailed == point || detailed == 0 || point == 0, place, fmt::format("{} and {}", detailed, point),
                   "must have the same sign in its detailed and point descriptions");
  }
}

int sign_of(const BiexponentialSynapse& synapse, double boundary_mV) {
  if (std::isnan(synapse.E_rev_mV)) return 0;
  return synapse.E_rev_mV > boundary_mV ? 1 : -1;
}

int sign_of(const InstantaneousSynapse& synapse, double /*boundary_mV*/) {
  return synapse.sign > 0 ? 1 : (synapse.sign < 0 ? -1 : 0);
}

int sign_of(const CurrentSynapse& synapse, double /*boundary_mV*/) {
  return synapse.sign > 0 ? 1 : (synapse.sign < 0 ? -1 : 0);
}

int sign_of(const GapJunction& /*synapse*/, double /*boundary_mV*/) {
  return 0;
}

int sign_of(const ReceptorSynapse& synapse, double boundary_mV) {
  int sign = 0;
  for (const auto& receptor : synapse.receptors) {
    const int one = sign_of(receptor.kinetics, boundary_mV);
    if (sign != 0 && one != sign) return 0;
    sign = one;
  }
  return sign;
}

int sign_of(const PointSynapse& synapse, double boundary_mV) {
  int sign = 0;
  for (const auto& receptor : synapse.receptors) {
    const int one = sign_of(receptor, boundary_mV);
    if (sign != 0 && one != sign) return 0;
    sign = one;
  }
  return sign;
}

}  // namespace

int synapse_sign(const SynapseType& type, double boundary_mV) {
  const auto sign = [boundary_mV](const auto& synapse) { return sign_of(synapse, boundary_mV); };
  if (type.detailed) return std::visit(sign, *type.detailed);
  if (type.point) return std::visit(sign, *type.point);
  return 0;
}

void check_cell_types(const Circuit& circuit, Checks& checks) {
  UniqueNames names(checks, "cell_types");
  for (std::size_t i = 0; i < circuit.cell_types.size(); ++i) {
    const CellType& type = circuit.cell_types[i];
    const std::string place = names.add(type.name, i);
    if (type.detailed) check_detailed(*type.detailed, place + ".detailed", checks);
    if (type.point) check_point_cell(*type.point, place + ".point", checks);
    if (type.meanfield) check_meanfield(*type.meanfield, place + ".meanfield", checks);
  }
}

void check_synapse_types(const Circuit& circuit, Checks& checks) {
  UniqueNames names(checks, "synapse_types");
  for (std::size_t i = 0; i < circuit.synapse_types.size(); ++i) {
    const SynapseType& type = circuit.synapse_types[i];
    check_synapse_type(type, names.add(type.name, i), checks);
  }
}

}  // namespace triscale::network

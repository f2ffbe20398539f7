#include "detailed/mechanisms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "detailed/calcium_dynamics.hpp"
#include "detailed/gated_channel.hpp"
#include "detailed/kernels.hpp"
#include "detailed/nav_mechanism.hpp"
#include "network/density_profile.hpp"

namespace triscale::detailed {

namespace {

using Parameters = std::map<std::string, double>;
using Maker = std::vector<std::unique_ptr<Mechanism>> (*)(const Parameters&, const MechanismEnvironment&);

struct Entry {
  MechanismInfo info;
  Maker make;
};

template <class Kinetics, ChannelKernels Kernels::*kSet>
std::vector<std::unique_ptr<Mechanism>> make_channel(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<GatedChannel<Kinetics, kSet>>(p.at("gbar"), environment));
  return made;
}

template <class Kinetics, ChannelKernels Kernels::*kSet>
Entry channel(const char* name, std::vector<std::string> states, const char* summary, double gbar = 1e-5) {
  return {{name, {{"gbar", gbar, "S/cm2"}}, std::move(states), summary}, &make_channel<Kinetics, kSet>};
}

std::vector<std::unique_ptr<Mechanism>> make_nav(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<Nav>(p.at("gbar"), p.at("published_start") != 0, environment));
  return made;
}

std::vector<std::unique_ptr<Mechanism>> make_ca_dynamics(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<CaDynamics>(p.at("gamma"), p.at("decay"), p.at("depth"), p.at("minCai"),
                                              p.at("minCai"), environment));
  return made;
}

std::vector<std::unique_ptr<Mechanism>> make_ca_dynamics_e2(const Parameters& p,
                                                            const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<CaDynamics>(p.at("gamma"), p.at("decay"), p.at("depth"), p.at("minCai"),
                                              kDefaultCa_mM, environment));
  return made;
}

std::vector<std::unique_ptr<Mechanism>> make_hh(const Parameters& p, const MechanismEnvironment& environment) {
  std::vector<std::unique_ptr<Mechanism>> made;
  made.push_back(std::make_unique<GatedChannel<HhSodium, &Kernels::HhSodium>>(p.at("gnabar"), environment));
  made.push_back(std::make_unique<GatedChannel<HhPotassium, &Kernels::HhPotassium>>(p.at("gkbar"), environment));
  made.push_back(std::make_unique<ConstantConductance>(p.at("gl"), p.at("el")));
  return made;
}

const std::vector<Entry>& entries() {
  static const std::vector<Entry> all = [] {
    std::vector<Entry> e;
    e.push_back(channel<NaTs, &Kernels::NaTs>("NaTs", {"m", "h"}, "transient sodium, somatic"));
    e.push_back(channel<NaTa, &Kernels::NaTa>("NaTa", {"m", "h"}, "transient sodium, axonal"));
    e.push_back(channel<Nap, &Kernels::Nap>("Nap", {"h"}, "persistent sodium"));
    e.push_back(channel<K_T, &Kernels::K_T>("K_T", {"m", "h"}, "transient potassium"));
    e.push_back(channel<K_P, &Kernels::K_P>("K_P", {"m", "h"}, "persistent potassium"));
    e.push_back(channel<Kv2like, &Kernels::Kv2like>("Kv2like", {"m", "h1", "h2"}, "Kv2-like delayed rectifier"));
    e.push_back(channel<Kv3_1, &Kernels::Kv3_1>("Kv3_1", {"m"}, "Kv3.1 potassium"));
    e.push_back(channel<Kd, &Kernels::Kd>("Kd", {"m", "h"}, "D-type potassium"));
    e.push_back(channel<Im, &Kernels::Im>("Im", {"m"}, "M-type potassium"));
    e.push_back(channel<Im_v2, &Kernels::Im_v2>("Im_v2", {"m"}, "M-type potassium, second version"));
    e.push_back(channel<Ih, &Kernels::Ih>("Ih", {"m"}, "hyperpolarisation-activated cation current"));
    e.push_back(channel<Ca_HVA, &Kernels::Ca_HVA>("Ca_HVA", {"m", "h"}, "high-voltage-activated calcium"));
    e.push_back(channel<Ca_LVA, &Kernels::Ca_LVA>("Ca_LVA", {"m", "h"}, "low-voltage-activated calcium"));
    e.push_back(channel<SK, &Kernels::SK>("SK", {"z"}, "calcium-activated potassium", 1e-6));
    e.push_back({{"NaV",
                  {{"gbar", 0.015, "S/cm2"}, {"published_start", 0, "1"}},
                  {"C1", "I1", "C2", "I2", "C3", "I3", "C4", "I4", "C5", "I5", "O", "I6"},
                  "sodium channel with 12 states"},
                 &make_nav});
    e.push_back({{"CaDynamics",
                  {{"gamma", 0.05, "1"}, {"decay", 80, "ms"}, {"depth", 0.1, "um"}, {"minCai", 1e-4, "mM"}},
                  {"cai"},
                  "calcium under the membrane"},
                 &make_ca_dynamics});
    e.push_back(channel<NaTa_t, &Kernels::NaTa_t>("NaTa_t", {"m", "h"}, "transient sodium, axonal (Hay et al.)"));
    e.push_back(channel<NaTs2_t, &Kernels::NaTs2_t>("NaTs2_t", {"m", "h"}, "transient sodium, somatic (Hay et al.)"));
    e.push_back(channel<Nap_Et2, &Kernels::Nap_Et2>("Nap_Et2", {"m", "h"}, "persistent sodium (Hay et al.)"));
    e.push_back(channel<K_Tst, &Kernels::K_Tst>("K_Tst", {"m", "h"}, "transient potassium (Hay et al.)"));
    e.push_back(channel<K_Pst, &Kernels::K_Pst>("K_Pst", {"m", "h"}, "persistent potassium (Hay et al.)"));
    e.push_back(channel<Kv3_1, &Kernels::Kv3_1>("SKv3_1", {"m"}, "Kv3.1 potassium (Hay et al.)"));
    e.push_back(channel<SK, &Kernels::SK>("SK_E2", {"z"}, "calcium-activated potassium (Hay et al.)", 1e-6));
    e.push_back(channel<Im_Hay, &Kernels::Im_Hay>("Im_Hay", {"m"}, "M-type potassium (Hay et al., there called Im)"));
    e.push_back(
        channel<Ca_LVAst, &Kernels::Ca_LVAst>("Ca_LVAst", {"m", "h"}, "low-voltage-activated calcium (Hay et al.)"));
    e.push_back({{"CaDynamics_E2",
                  {{"gamma", 0.05, "1"}, {"decay", 80, "ms"}, {"depth", 0.1, "um"}, {"minCai", 1e-4, "mM"}},
                  {"cai"},
                  "calcium under the membrane (Hay et al.)"},
                 &make_ca_dynamics_e2});
    e.push_back({{"hh",
                  {{"gnabar", 0.12, "S/cm2"}, {"gkbar", 0.036, "S/cm2"}, {"gl", 0.0003, "S/cm2"}, {"el", -54.3, "mV"}},
                  {"m", "h", "n"},
                  "squid axon of Hodgkin and Huxley"},
                 &make_hh});
    return e;
  }();
  return all;
}

const Entry* find_entry(const std::string& name) {
  for (const Entry& entry : entries()) {
    if (entry.info.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace

const std::vector<MechanismInfo>& mechanism_catalogue() {
  static const std::vector<MechanismInfo> all = [] {
    std::vector<MechanismInfo> infos;
    for (const Entry& entry : entries()) infos.push_back(entry.info);
    return infos;
  }();
  return all;
}

const MechanismInfo* find_mechanism(const std::string& name) {
  const Entry* entry = find_entry(name);
  return entry ? &entry->info : nullptr;
}

std::vector<std::unique_ptr<Mechanism>> make_mechanisms(const network::MechanismPlacement& placement,
                                                        const MechanismEnvironment& environment) {
  const Entry* entry = find_entry(placement.mechanism);
  if (!entry) throw core::InputError({"", "mechanism", placement.mechanism, "is not a known mechanism", ""});
  Parameters parameters;
  for (const ParameterInfo& parameter : entry->info.parameters) parameters[parameter.name] = parameter.default_value;
  for (const auto& [name, value] : placement.parameters) parameters.at(name) = value;
  return entry->make(parameters, environment);
}

namespace {

bool is_density(const ParameterInfo& parameter) {
  return parameter.unit == "S/cm2";
}

/// A profile needs densities to act on and must not make them negative.
void check_profile(const network::MechanismPlacement& placement, const MechanismInfo& info,
                   const network::Morphology* morphology, const std::string& place, core::Diagnostics& diagnostics) {
  if (std::none_of(info.parameters.begin(), info.parameters.end(), is_density)) {
    diagnostics.error({"", place, "", "has no conductance density that could vary with distance", "leave it out"});
    return;
  }
  if (!morphology) return;
  const network::DensityFactors factors(*morphology, placement);
  for (std::size_t s = 0; s < morphology->sections.size(); ++s) {
    if (morphology->sections[s].kind != placement.region) continue;
    for (const double position : {0.0, 0.5, 1.0}) {
      const double factor = factors.at(s, position);
      if (factor >= 0 && std::isfinite(factor)) continue;
      diagnostics.error({"", place, fmt::format("{} at section {}, position {}", factor, s, position),
                         "must not be negative anywhere in the region", ""});
      return;
    }
  }
}

}  // namespace

network::MechanismPlacement scaled(const network::MechanismPlacement& placement, double factor) {
  network::MechanismPlacement result = placement;
  result.density.reset();
  const MechanismInfo* info = find_mechanism(placement.mechanism);
  if (!info) return result;
  for (const ParameterInfo& parameter : info->parameters) {
    if (!is_density(parameter)) continue;
    const auto given = placement.parameters.find(parameter.name);
    result.parameters[parameter.name] =
        factor * (given == placement.parameters.end() ? parameter.default_value : given->second);
  }
  return result;
}

void check_mechanisms(const network::DetailedCell& cell, const std::string& place, core::Diagnostics& diagnostics) {
  for (const network::MechanismPlacement& placement : cell.mechanisms) {
    const MechanismInfo* info = find_mechanism(placement.mechanism);
    if (!info) {
      std::string known;
      for (const Entry& entry : entries()) known += (known.empty() ? "" : ", ") + entry.info.name;
      diagnostics.error({"", place, placement.mechanism, "is not a known mechanism", "known: " + known});
      continue;
    }
    for (const auto& [name, value] : placement.parameters) {
      const bool known = std::any_of(info->parameters.begin(), info->parameters.end(),
                                     [&key = name](const ParameterInfo& parameter) { return parameter.name == key; });
      if (!known) {
        std::string names;
        for (const ParameterInfo& p : info->parameters) names += (names.empty() ? "" : ", ") + p.name;
        diagnostics.error({"", fmt::format("{}, mechanism {}", place, info->name), name, "is not a parameter of it",
                           "parameters: " + names});
      } else if (!std::isfinite(value)) {
        diagnostics.error({"", fmt::format("{}, mechanism {}, {}", place, info->name, name), fmt::format("{}", value),
                           "must be finite", ""});
      }
    }
    if (placement.density) {
      check_profile(placement, *info, cell.morphology.get(),
                    fmt::format("{}, mechanism {}, density profile", place, info->name), diagnostics);
    }
  }
}

double nernst_Ca_mV(double celsius, double Ca_out_mM, double Ca_in_mM) {
  return nernst_factor_mV(celsius) * std::log(Ca_out_mM / Ca_in_mM);
}

}  // namespace triscale::detailed

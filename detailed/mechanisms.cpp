#include "detailed/mechanisms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "detailed/channels.hpp"
#include "detailed/kernels.hpp"
#include "detailed/nav.hpp"
#include "network/density_profile.hpp"

namespace triscale::detailed {

namespace {

constexpr double kFaraday = 96485.33212;      // C/mol
constexpr double kGasConstant = 8.314462618;  // J/(mol K)
constexpr double kMicrosiemensPerUm2 = 1e-2;  // of 1 S/cm2

double nernst_factor_mV(double celsius) {
  return 1e3 * kGasConstant * (celsius + 273.15) / (2.0 * kFaraday);
}

/// Conductances in uS and state vectors of a mechanism at the nodes of a group.
class Placed {
 public:
  void place(const MechanismSite& site, double gbar_S_cm2, std::size_t n_states) {
    nodes_ = site.nodes;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const double density = site.factors.empty() ? gbar_S_cm2 : gbar_S_cm2 * site.factors[i];
      densities_S_cm2_.push_back(density);
      g_max_uS_.push_back(density * site.areas_um2[i] * kMicrosiemensPerUm2);
    }
    states.assign(nodes_.size() * n_states * kColumns, Lanes{});
    // Where the instances of each block begin.
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      while (begins_.size() <= nodes_[i] / kBlockNodes) begins_.push_back(i);
    }
    begins_.push_back(nodes_.size());
  }
  bool any_in(std::size_t block) const { return block + 1 < begins_.size() && begins_[block] < begins_[block + 1]; }
  Instances in(std::size_t block) const {
    const bool any = block + 1 < begins_.size();
    // States are not the placement's own: what a mechanism may do with them is its matter.
    return {any ? begins_[block] : 0, any ? begins_[block + 1] : 0, nodes_.data(),
            g_max_uS_.data(),         densities_S_cm2_.data(),      const_cast<Lanes*>(states.data())};
  }

  LaneArray states;  // [instance][state][column]

 private:
  std::vector<std::uint32_t> nodes_;
  std::vector<double> g_max_uS_, densities_S_cm2_;
  std::vector<std::size_t> begins_;
};

constexpr double kE_h_mV = -45.0;

double reversal_of(Ion ion, const MechanismEnvironment& environment) {
  switch (ion) {
    case Ion::sodium:
      return environment.E_Na_mV;
    case Ion::potassium:
      return environment.E_K_mV;
    case Ion::hcn:
      return kE_h_mV;
    case Ion::calcium:
      return kDefaultE_Ca_mV;
  }
  return 0;
}

template <class Kinetics, ChannelKernels Kernels::*kSet>
class GatedChannel final : public Mechanism {
 public:
  static constexpr int n = Kinetics::n_gates;

  GatedChannel(double gbar_S_cm2, const MechanismEnvironment& environment)
      : gbar_(gbar_S_cm2),
        q_(Kinetics::q(environment.celsius)),
        E_mV_(reversal_of(Kinetics::ion, environment)),
        kernels_(kernels().*kSet) {}

  void place(const MechanismSite& site) override { placed_.place(site, gbar_, n); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView& view, std::size_t block) override {
    kernels_.initialise(placed_.in(block), view, q_);
  }
  void add_currents(const MembraneView& view, std::size_t block) const override {
    kernels_.add(placed_.in(block), view, E_mV_);
  }
  void advance(const MembraneView& view, double dt_ms, std::size_t block) override {
    kernels_.advance(placed_.in(block), view, q_, dt_ms);
  }

  std::size_t n_states() const override { return n; }
  void steady_state(double V_mV, double Ca_mM, double* x) const override {
    const Gates<double, n> gates = Kinetics::gates(clamped(V_mV), Ca_mM, q_);
    std::copy(gates.inf, gates.inf + n, x);
  }
  void derivative(double V_mV, double Ca_mM, double, const double* x, double* dx) const override {
    const Gates<double, n> gates = Kinetics::gates(clamped(V_mV), Ca_mM, q_);
    for (int k = 0; k < n; ++k) dx[k] = (gates.inf[k] - x[k]) * gates.rate[k];
  }
  double conductance_S_cm2(double V_mV, const double* x) const override { return gbar_ * Kinetics::open(x, V_mV); }
  double reversal_mV(double E_Ca_mV) const override { return carries_calcium() ? E_Ca_mV : E_mV_; }
  bool carries_calcium() const override { return Kinetics::ion == Ion::calcium; }
  bool reads_calcium() const override { return Kinetics::needs_calcium; }

 private:
  double gbar_, q_, E_mV_;
  ChannelKernels kernels_;
  Placed placed_;
};

// --------------------------------------------------------------------------------------------------- constant --------

/// A conductance without gates (the leak of hh).
class ConstantConductance final : public Mechanism {
 public:
  ConstantConductance(double g_S_cm2, double E_mV) : g_(g_S_cm2), E_mV_(E_mV) {}
  void place(const MechanismSite& site) override { placed_.place(site, g_, 0); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView&, std::size_t) override {}
  void add_currents(const MembraneView& view, std::size_t block) const override {
    kernels().constant_add(placed_.in(block), view, E_mV_);
  }
  void advance(const MembraneView&, double, std::size_t) override {}
  std::size_t n_states() const override { return 0; }
  void steady_state(double, double, double*) const override {}
  void derivative(double, double, double, const double*, double*) const override {}
  double conductance_S_cm2(double, const double*) const override { return g_; }
  double reversal_mV(double) const override { return E_mV_; }

 private:
  double g_, E_mV_;
  Placed placed_;
};

// ------------------------------------------------------------------------------------------------------- NaV --------

/// NaV (detailed/nav.hpp).
class Nav final : public Mechanism {
 public:
  Nav(double gbar_S_cm2, bool published_start, const MechanismEnvironment& environment)
      : gbar_(gbar_S_cm2),
        published_start_(published_start),
        k_(q10_factor(2.3, environment.celsius, 37)),
        E_mV_(environment.E_Na_mV),
        advance_(environment.scheme == network::TimeScheme::second_order ? kernels().nav_advance_second_order
                                                                         : kernels().nav_advance) {}

  void place(const MechanismSite& site) override { placed_.place(site, gbar_, NavScheme::kStates); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView& view, std::size_t block) override {
    const Instances at = placed_.in(block);
    kernels().nav_initialise(at, view, k_);
    if (!published_start_) return;
    for (std::size_t i = at.first; i < at.last; ++i) {
      for (int cell = 0; cell < kGroupCells; ++cell) {
        const int c = cell / kLaneWidth, lane = cell % kLaneWidth;
        double x[NavScheme::kStates];
        start_state(view.V_mV[at.nodes[i] * kColumns + c][lane], 0, x);
        for (int s = 0; s < NavScheme::kStates; ++s)
          at.states[(i * NavScheme::kStates + s) * kColumns + c][lane] = x[s];
      }
    }
  }
  void add_currents(const MembraneView& view, std::size_t block) const override {
    kernels().nav_add(placed_.in(block), view, E_mV_);
  }
  void advance(const MembraneView& view, double dt_ms, std::size_t block) override {
    advance_(placed_.in(block), view, k_, dt_ms);
  }

  std::size_t n_states() const override { return NavScheme::kStates; }
  void steady_state(double V_mV, double, double* x) const override {
    NavScheme::stationary(NavScheme::rates(V_mV, k_), x, 1);
  }
  void start_state(double V_mV, double Ca_mM, double* x) const override {
    if (!published_start_) return steady_state(V_mV, Ca_mM, x);
    NavScheme::published_start(NavScheme::rates(V_mV, k_), x);
  }
  void derivative(double V_mV, double, double, const double* x, double* dx) const override {
    NavScheme::derivative(NavScheme::rates(V_mV, k_), x, dx);
  }
  double conductance_S_cm2(double, const double* x) const override { return gbar_ * x[NavScheme::kOpen]; }
  double reversal_mV(double) const override { return E_mV_; }

 private:
  double gbar_;
  bool published_start_;
  double k_, E_mV_;
  void (*advance_)(const Instances&, const MembraneView&, double, double);
  Placed placed_;
};

// ------------------------------------------------------------------------------------------------ CaDynamics --------

/// Calcium in a thin shell under the membrane (Destexhe et al. 1994):
///   d[Ca]/dt = -1e4 gamma i_Ca / (2 F depth) - ([Ca] - minCai)/decay,     E_Ca = RT/(2F) ln(Ca_out/[Ca]),
/// i_Ca in mA/cm2, depth in um, F = 96485 C/mol. Starts at minCai; CaDynamics_E2, which has no initial block, at
/// NEURON's default concentration. In the second-order scheme the concentration stands
/// at whole steps, moves with the current in the middle of the step, and E_Ca of the step is taken half a step ahead.
class CaDynamics final : public Mechanism {
 public:
  CaDynamics(double gamma, double decay_ms, double depth_um, double min_Ca_mM, double start_mM,
             const MechanismEnvironment& environment)
      : pool_{-1e4 * gamma / (2.0 * kFaraday * depth_um),
              decay_ms,
              min_Ca_mM,
              nernst_factor_mV(environment.celsius),
              environment.Ca_out_mM,
              environment.scheme == network::TimeScheme::second_order},
        start_mM_(start_mM) {}

  void place(const MechanismSite& site) override { placed_.place(site, 0, 0); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView& view, std::size_t block) override {
    const Instances at = placed_.in(block);
    for (std::size_t i = at.first; i < at.last; ++i) {
      for (int c = 0; c < kColumns; ++c) view.Ca_mM[at.nodes[i] * kColumns + c] = broadcast<Lanes>(start_mM_);
    }
    prepare(view, 0, block);
  }
  void prepare(const MembraneView& view, double dt_ms, std::size_t block) const override {
    const double ahead = pool_.second_order ? -std::expm1(-0.5 * dt_ms / pool_.decay_ms) : 0.0;
    kernels().calcium_prepare(placed_.in(block), view, pool_, ahead);
  }
  void add_currents(const MembraneView&, std::size_t) const override {}
  void advance(const MembraneView& view, double dt_ms, std::size_t block) override {
    kernels().calcium_advance(placed_.in(block), view, pool_, -std::expm1(-dt_ms / pool_.decay_ms));
  }
  std::size_t n_states() const override { return 1; }
  void steady_state(double, double, double* x) const override { x[0] = pool_.min_Ca_mM; }
  void start_state(double, double, double* x) const override { x[0] = start_mM_; }
  void derivative(double, double, double i_Ca_mA_cm2, const double* x, double* dx) const override {
    dx[0] = pool_.source * i_Ca_mA_cm2 - (x[0] - pool_.min_Ca_mM) / pool_.decay_ms;
  }
  double conductance_S_cm2(double, const double*) const override { return 0; }
  double reversal_mV(double E_Ca_mV) const override { return E_Ca_mV; }
  bool is_calcium_pool() const override { return true; }

 private:
  CalciumPool pool_;
  double start_mM_;
  Placed placed_;
};

// ------------------------------------------------------------------------------------------------- catalogue --------

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

// Rules for populations and projections.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "network/checks.hpp"
#include "network/connectivity.hpp"
#include "network/dendritic_sites.hpp"
#include "network/validate.hpp"

namespace triscale::network {

namespace {

/// Cell indices are 32 bits wide; the largest one is reserved (network/connectivity.cpp).
constexpr std::size_t kMaxPopulationSize = 0xffffffffu;

// ------------------------------------------------------------------------------------------------- populations
// --------

void check_source(const Population& population, const std::string& place, Checks& checks) {
  if (!population.is_virtual) {
    checks.require(std::holds_alternative<std::monostate>(population.source), place, "",
                   "may be given for a virtual population only", "connect a virtual population to this one");
    return;
  }
  if (const auto* trains = std::get_if<SpikeTrains>(&population.source)) {
    checks.require(trains->times_ms.size() == trains->cells.size(), place,
                   fmt::format("{} times, {} cells", trains->times_ms.size(), trains->cells.size()),
                   "must have as many times as cells");
    checks.require(
        std::all_of(trains->times_ms.begin(), trains->times_ms.end(), [](double t) { return std::isfinite(t); }),
        place + ".times_ms", "", "must be finite");
    checks.require(std::is_sorted(trains->times_ms.begin(), trains->times_ms.end()), place + ".times_ms", "",
                   "must be in ascending order");
    for (const auto cell : trains->cells) {
      if (cell < population.size) continue;
      checks.error(place + ".cells", fmt::format("{}", cell), fmt::format("must be smaller than {}", population.size));
      break;
    }
  } else if (const auto* poisson = std::get_if<PoissonTrains>(&population.source)) {
    const auto& times = poisson->times_ms;
    checks.require(!times.empty() && times.size() == poisson->rates_hz.size(), place,
                   fmt::format("{} times, {} rates", times.size(), poisson->rates_hz.size()),
                   "must have as many times as rates, and at least one");
    bool ascending = true;
    for (std::size_t i = 0; i < times.size(); ++i) {
      ascending = ascending && std::isfinite(times[i]) && (i == 0 || times[i] > times[i - 1]);
    }
    checks.require(ascending, place + ".times_ms", "", "must be finite and strictly ascending");
    for (const double rate : poisson->rates_hz) checks.not_negative(place + ".rates_hz", rate);
    checks.not_negative(place + ".bin_ms", poisson->bin_ms);
    checks.require(poisson->correlation >= 0 && poisson->correlation <= 1, place + ".correlation",
                   fmt::format("{}", poisson->correlation), "must lie between 0 and 1");
    checks.require(poisson->correlation == 0 || poisson->bin_ms == 0, place + ".bin_ms",
                   fmt::format("{}", poisson->bin_ms), "must be 0 for correlated trains");
  } else {
    checks.warning(place, "", "is empty: the virtual population never fires", "give spike trains or a Poisson rate");
  }
}

/// A distribution over all real numbers.
void check_values(const Distribution& d, const std::string& place, Checks& checks) {
  using Kind = Distribution::Kind;
  const bool uniform = d.kind == Kind::uniform;
  if (uniform || d.low < d.high) {
    checks.finite(place + ".low", d.low);
    checks.finite(place + ".high", d.high);
    checks.require(d.low <= d.high, place + ".low", fmt::format("{}", d.low), "must not be above high");
  }
  if (uniform) return;
  checks.finite(place + ".mean", d.mean);
  checks.not_negative(place + ".sd", d.sd);
  if (d.kind == Kind::lognormal) checks.positive(place + ".mean", d.mean);
  if (d.low < d.high) {
    checks.require(d.mean >= d.low && d.mean <= d.high, place + ".mean", fmt::format("{}", d.mean),
                   "must lie between low and high");
  }
}

void check_population(const Circuit& circuit, const Population& population, const std::string& place, Checks& checks) {
  checks.require(population.size > 0 && population.size < kMaxPopulationSize, place + ".size",
                 fmt::format("{}", population.size), "must be > 0 and fit into 32 bits");
  if (checks.index(place + ".cell_type", population.cell_type, circuit.cell_types.size(), "cell types") &&
      !population.is_virtual) {
    const CellType& type = circuit.cell_types[population.cell_type];
    checks.require(type.detailed || type.point || type.meanfield, place + ".cell_type", type.name,
                   "must have a detailed, point or mean-field description");
  }
  checks.require(population.placements.empty() || population.placements.size() == population.size,
                 place + ".placements", fmt::format("{} placements", population.placements.size()),
                 "must be empty or one per cell");
  for (const auto& p : population.placements) {
    if (std::isfinite(p.x_um + p.y_um + p.z_um + p.rotation_x_rad + p.rotation_y_rad + p.rotation_z_rad)) continue;
    checks.error(place + ".placements", "", "must be finite");
    break;
  }
  checks.require(population.file_ids.empty() || population.file_ids.size() == population.size, place + ".file_ids",
                 fmt::format("{} ids", population.file_ids.size()), "must be empty or one per cell");
  check_source(population, place + ".source", checks);
  if (!population.V_init_mV) return;
  checks.require(!population.is_virtual, place + ".V_init_mV", "", "must not be given for a virtual population",
                 "its cells have no membrane");
  check_values(*population.V_init_mV, place + ".V_init_mV", checks);
}

/// Two cells that share a name in result files would be mixed up there.
void check_file_ids(const Circuit& circuit, Checks& checks) {
  std::map<std::string, std::set<std::uint64_t>> seen;
  std::set<std::string> own_names;
  for (const Population& population : circuit.populations) {
    const bool already_reported = !own_names.insert(population.name).second ||
                                  (!population.file_ids.empty() && population.file_ids.size() != population.size);
    if (already_reported) continue;
    const std::string& name = population.file_population.empty() ? population.name : population.file_population;
    std::set<std::uint64_t>& ids = seen[name];
    for (std::size_t cell = 0; cell < population.size && cell < kMaxPopulationSize; ++cell) {
      const std::uint64_t id = population.file_ids.empty() ? cell : population.file_ids[cell];
      if (ids.insert(id).second) continue;
      checks.error(fmt::format("populations.{}.file_ids", population.name), fmt::format("{} in {}", id, name),
                   "must be unique within the population of the file");
      break;
    }
  }
}

// ------------------------------------------------------------------------------------------------- projections
// --------

/// Reports the first entry of a list that breaks a rule, and how many do.
template <typename Breaks, typename Show>
void check_rows(std::size_t rows, const std::string& place, const std::string& rule, Checks& checks, Breaks breaks,
                Show show) {
  std::size_t count = 0, first = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    if (!breaks(i)) continue;
    if (count++ == 0) first = i;
  }
  if (count == 0) return;
  checks.error(fmt::format("{}[{}]", place, first), show(first), rule,
               count > 1 ? fmt::format("{} edges in all break this rule", count) : "");
}

bool long_enough(double delay_ms, double dt_ms) {
  constexpr double kRounding = 1e-9;
  return delay_ms >= dt_ms * (1 - kRounding) && std::isfinite(delay_ms);
}

void check_explicit(const Circuit& circuit, const Projection& p, const ExplicitEdges& edges, bool gap_junctions,
                    const std::string& place, Checks& checks) {
  const std::size_t n = edges.targets.size();
  if (edges.sources.size() != n || edges.weights.size() != n || edges.delays_ms.size() != n ||
      (!edges.sites.empty() && edges.sites.size() != n)) {
    checks.error(place,
                 fmt::format("{} sources, {} targets, {} weights, {} delays, {} sites", edges.sources.size(), n,
                             edges.weights.size(), edges.delays_ms.size(), edges.sites.size()),
                 "must have as many entries of each");
    return;
  }
  const Population& source = circuit.populations[p.source];
  const Population& target = circuit.populations[p.target];
  const auto text = [](const auto& value) { return fmt::format("{}", value); };
  check_rows(
      n, place + ".sources", fmt::format("must be smaller than {}", source.size), checks,
      [&](std::size_t i) { return edges.sources[i] >= source.size; },
      [&](std::size_t i) { return text(edges.sources[i]); });
  check_rows(
      n, place + ".targets", fmt::format("must be smaller than {}", target.size), checks,
      [&](std::size_t i) { return edges.targets[i] >= target.size; },
      [&](std::size_t i) { return text(edges.targets[i]); });
  check_rows(
      n, place + ".weights", "must be >= 0 and finite (the synapse type holds the sign)", checks,
      [&](std::size_t i) { return !(edges.weights[i] >= 0 && std::isfinite(edges.weights[i])); },
      [&](std::size_t i) { return text(edges.weights[i]); });
  if (gap_junctions) {
    check_rows(
        n, place + ".delays_ms", "must be 0: a gap junction has no delay", checks,
        [&](std::size_t i) { return edges.delays_ms[i] != 0; },
        [&](std::size_t i) { return text(edges.delays_ms[i]); });
  } else {
    check_rows(
        n, place + ".delays_ms", fmt::format("must be at least dt = {} ms", circuit.run.dt_ms), checks,
        [&](std::size_t i) { return !long_enough(edges.delays_ms[i], circuit.run.dt_ms); },
        [&](std::size_t i) { return text(edges.delays_ms[i]); });
  }
  if (edges.sites.empty() || target.cell_type >= circuit.cell_types.size()) return;
  const auto& detailed = circuit.cell_types[target.cell_type].detailed;
  const std::size_t sections = detailed && detailed->morphology ? detailed->morphology->sections.size() : SIZE_MAX;
  check_rows(
      n, place + ".sites", "must be a section of the target cell and a position between 0 and 1", checks,
      [&](std::size_t i) {
        const Site& s = edges.sites[i];
        return s.section >= sections || !(s.position >= 0 && s.position <= 1);
      },
      [&](std::size_t i) { return fmt::format("section {}, {}", edges.sites[i].section, edges.sites[i].position); });
}

/// A distribution whose values all are at least `minimum`.
void check_distribution(const Distribution& d, double minimum, const std::string& place, const std::string& what,
                        Checks& checks) {
  using Kind = Distribution::Kind;
  const auto at_least = [minimum](double value) {
    return std::isfinite(value) && (minimum > 0 ? long_enough(value, minimum) : value >= minimum);
  };
  const std::string rule = fmt::format("must be finite and at least {}{}", what, minimum);
  if (d.kind == Kind::uniform) {
    checks.require(at_least(d.low), place + ".low", fmt::format("{}", d.low), rule);
    checks.require(d.low <= d.high && std::isfinite(d.high), place + ".high", fmt::format("{}", d.high),
                   "must be finite and not below low");
    return;
  }
  if (d.kind == Kind::constant) {
    checks.require(at_least(d.mean), place + ".mean", fmt::format("{}", d.mean), rule);
    return;
  }
  const bool bounded = d.low < d.high;
  checks.finite(place + ".mean", d.mean);
  checks.not_negative(place + ".sd", d.sd);
  if (d.kind == Kind::lognormal) checks.positive(place + ".mean", d.mean);
  checks.require(!bounded || at_least(d.low), place + ".low", fmt::format("{}", d.low), rule);
  const bool safe_without_bounds = d.sd == 0 ? at_least(d.mean) : d.kind == Kind::lognormal && minimum <= 0;
  checks.require(bounded || safe_without_bounds, place, fmt::format("mean {}, sd {}", d.mean, d.sd),
                 fmt::format("may give values below {}{}", what, minimum), "give bounds low and high");
  checks.require(!bounded || (d.mean >= d.low && d.mean <= d.high), place + ".mean", fmt::format("{}", d.mean),
                 "must lie between low and high");
}

void check_rule(const Circuit& circuit, const Projection& p, const ConnectionRule& rule, bool gap_junctions,
                const std::string& place, Checks& checks) {
  const std::string why = impossible_rule(rule, circuit.populations[p.source].size, circuit.populations[p.target].size,
                                          p.source == p.target);
  checks.require(why.empty(), place + ".rule", "", why.empty() ? "" : "cannot be met: " + why,
                 "change the rule, its number, or allow multapses or autapses");
  check_distribution(rule.weight, 0.0, place + ".weight", "", checks);
  if (gap_junctions) {
    const Distribution& delay = rule.delay_ms;
    checks.require(delay.kind == Distribution::Kind::constant && delay.mean == 0, place + ".delay_ms",
                   fmt::format("{}", delay.mean), "must be 0: a gap junction has no delay");
  } else {
    // What is drawn between half a step and a step is taken for a step.
    const bool constant = rule.delay_ms.kind == Distribution::Kind::constant;
    check_distribution(rule.delay_ms, constant ? circuit.run.dt_ms : circuit.run.dt_ms / 2, place + ".delay_ms",
                       constant ? "dt = " : "dt / 2 = ", checks);
  }
}

bool morphology_is_sound(const Morphology& morphology) {
  for (std::size_t s = 1; s < morphology.sections.size(); ++s) {
    if (morphology.sections[s].parent < 0 || static_cast<std::size_t>(morphology.sections[s].parent) >= s) return false;
  }
  return !morphology.sections.empty();
}

void check_placement(const CellType& target, const DendriticPlacement& placement, const std::string& place,
                     Checks& checks) {
  if (!(placement.min_distance_um >= 0 && placement.min_distance_um <= placement.max_distance_um)) {
    checks.error(place, fmt::format("{} .. {} um", placement.min_distance_um, placement.max_distance_um),
                 "must be a range of distances with 0 <= min <= max");
    return;
  }
  if (!target.detailed || !target.detailed->morphology || !morphology_is_sound(*target.detailed->morphology)) return;
  checks.require(DendriticSites(*target.detailed->morphology, placement).area_um2() > 0, place, "",
                 fmt::format("must leave some membrane of cell type {} to sit on", target.name),
                 "name section kinds that the morphology has, or widen the range of distances");
}

/// The kind of synapse must be one that the target's model of the same tier can take.
void check_synapse_fits(const CellType& target, const SynapseType& type, const std::string& place, Checks& checks) {
  const bool normalised = target.point && std::holds_alternative<IntFire1Model>(target.point->model);
  const std::string hint =
      "normalised cells (intfire1) take instantaneous synapses, all others conductance and current synapses";
  if (type.detailed && target.detailed) {
    checks.require(!std::holds_alternative<InstantaneousSynapse>(*type.detailed), place, type.name,
                   fmt::format("must be a conductance synapse, because cell type {} is detailed", target.name), hint);
  }
  if (type.point && target.point) {
    checks.require(std::holds_alternative<InstantaneousSynapse>(*type.point) == normalised, place, type.name,
                   fmt::format("does not fit the point model of cell type {}", target.name), hint);
  }
}

void check_dale(const CellType& source, const SynapseType& type, const std::string& place, Checks& checks) {
  const int sign = synapse_sign(type);
  const bool contradicts =
      (source.dale == Dale::excitatory && sign < 0) || (source.dale == Dale::inhibitory && sign > 0);
  checks.require(
      !contradicts, place, type.name,
      fmt::format("is {}, but its source cell type {} is {} (Dale's law)", sign > 0 ? "excitatory" : "inhibitory",
                  source.name, source.dale == Dale::excitatory ? "excitatory" : "inhibitory"),
      "correct the reversal potential, the sign, or the cell type");
}

void check_gap_junction_source(const Circuit& circuit, const Projection& p, const std::string& place, Checks& checks) {
  const Population& source = circuit.populations[p.source];
  checks.require(!source.is_virtual, place + ".source", source.name,
                 "must not be a virtual population: a gap junction couples two membranes");
  if (source.cell_type >= circuit.cell_types.size()) return;
  const auto& detailed = circuit.cell_types[source.cell_type].detailed;
  const std::size_t sections = detailed && detailed->morphology ? detailed->morphology->sections.size() : SIZE_MAX;
  checks.require(p.source_site.section < sections && p.source_site.position >= 0 && p.source_site.position <= 1,
                 place + ".source_site", fmt::format("section {}, {}", p.source_site.section, p.source_site.position),
                 "must be a section of the source cell and a position between 0 and 1");
}

void check_projection(const Circuit& circuit, const Projection& p, const std::string& place, Checks& checks) {
  const std::size_t populations = circuit.populations.size();
  const bool ends = checks.index(place + ".source", p.source, populations, "populations") &
                    checks.index(place + ".target", p.target, populations, "populations");
  const bool synapse =
      checks.index(place + ".synapse_type", p.synapse_type, circuit.synapse_types.size(), "synapse types");
  if (!ends) return;
  const Population& source = circuit.populations[p.source];
  const Population& target = circuit.populations[p.target];
  checks.require(!target.is_virtual, place + ".target", target.name, "must not be a virtual population");
  const auto* given = std::get_if<ExplicitEdges>(&p.connectivity);
  const bool gap_junctions = synapse && is_gap_junction(circuit.synapse_types[p.synapse_type]);
  if (given != nullptr) {
    check_explicit(circuit, p, *given, gap_junctions, place + ".edges", checks);
  } else {
    check_rule(circuit, p, std::get<ConnectionRule>(p.connectivity), gap_junctions, place, checks);
  }
  if (gap_junctions) check_gap_junction_source(circuit, p, place, checks);
  const bool types = source.cell_type < circuit.cell_types.size() && target.cell_type < circuit.cell_types.size();
  if (!types) return;
  const CellType& target_type = circuit.cell_types[target.cell_type];
  if (given == nullptr || (given->sites.empty() && !given->targets.empty())) {
    check_placement(target_type, p.placement, place + ".placement", checks);
  }
  if (!synapse) return;
  const SynapseType& type = circuit.synapse_types[p.synapse_type];
  check_synapse_fits(target_type, type, place + ".synapse_type", checks);
  check_dale(circuit.cell_types[source.cell_type], type, place + ".synapse_type", checks);
}

}  // namespace

void check_populations(const Circuit& circuit, Checks& checks) {
  UniqueNames names(checks, "populations");
  for (std::size_t i = 0; i < circuit.populations.size(); ++i) {
    const Population& population = circuit.populations[i];
    check_population(circuit, population, names.add(population.name, i), checks);
  }
  check_file_ids(circuit, checks);
}

void check_projections(const Circuit& circuit, Checks& checks) {
  UniqueNames names(checks, "projections");
  for (std::size_t i = 0; i < circuit.projections.size(); ++i) {
    check_projection(circuit, circuit.projections[i], names.add(circuit.projections[i].name, i), checks);
  }
}

}  // namespace triscale::network

#include "io/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "io/allen_glif.hpp"
#include "io/field_probes.hpp"
#include "io/json_object.hpp"
#include "io/model_json.hpp"
#include "io/recipe_cells.hpp"
#include "io/recipe_connections.hpp"
#include "io/recipe_tables.hpp"
#include "io/spike_file.hpp"
#include "network/validate.hpp"

namespace triscale::io {

namespace {

using network::Circuit;
using network::ConnectionRule;
using network::Dale;
using network::Distribution;

constexpr int kFormat = 1;
constexpr std::size_t kUnknownType = static_cast<std::size_t>(-1);  ///< of a population, beside an error

const std::vector<std::string>& keys(const char* kind) {
  return recipe_keys().at(kind);
}

std::vector<std::uint32_t> cell_list(const JsonObject& json, const std::string& key) {
  std::vector<std::uint32_t> cells;
  for (const double value : json.numbers(key)) {
    if (value >= 0 && value < 4294967295.0 && value == std::floor(value)) {
      cells.push_back(static_cast<std::uint32_t>(value));
    } else {
      json.error(key, "must hold whole numbers from 0 on");
      break;
    }
  }
  return cells;
}

void take(const JsonObject& json, const char* key, double& value) {
  if (const auto number = json.number(key)) value = *number;
}

class RecipeReader {
 public:
  RecipeReader(const std::filesystem::path& path, core::Diagnostics& diagnostics)
      : folder_(path.parent_path()), diagnostics_(diagnostics) {}

  Circuit read(const JsonObject& root) {
    if (const auto format = root.required_number("triscale_recipe"); format && *format != kFormat) {
      root.error("triscale_recipe", "must be 1, the format that this version reads");
    }
    root.accept({"$schema", "description"});
    if (const auto run = root.object("run")) read_run(*run);
    for (const JsonObject& json : root.objects("cell_types")) read_cell_type(json);
    for (const JsonObject& json : root.objects("synapse_types")) read_synapse_type(json);
    for (const JsonObject& json : root.objects("populations")) read_population(json);
    for (const JsonObject& json : root.objects("projections")) read_projection(json);
    for (const JsonObject& json : root.objects("inputs")) read_input(json);
    for (const JsonObject& json : root.objects("probes")) read_probe(json);
    for (const JsonObject& json : root.objects("field_probes")) {
      if (auto probe = read_field_probe(json, folder_, circuit_, diagnostics_)) {
        circuit_.field_probes.push_back(std::move(*probe));
      }
    }
    if (circuit_.populations.empty() && !root.has("populations")) root.error("populations", "must be given");
    root.reject_unread(keys("recipe"));
    return std::move(circuit_);
  }

 private:
  void read_run(const JsonObject& json) {
    network::RunSettings& run = circuit_.run;
    take(json, "duration_ms", run.duration_ms);
    take(json, "dt_ms", run.dt_ms);
    take(json, "celsius", run.celsius);
    take(json, "V_init_mV", run.V_init_mV);
    take(json, "spike_threshold_mV", run.spike_threshold_mV);
    if (const auto seed = read_whole(json, "seed")) run.seed = *seed;
    if (const auto scheme = json.text("scheme")) {
      if (const auto known = network::time_scheme_of(*scheme)) {
        run.scheme = *known;
      } else {
        json.error("scheme", "must be backward_euler or second_order");
      }
    }
    if (const auto rule = json.object("compartments")) {
      using Kind = network::CompartmentRule::Kind;
      if (rule->has("max_length_um")) {
        take(*rule, "max_length_um", run.compartments.max_length_um);
      } else {
        run.compartments.kind = Kind::d_lambda;
        take(*rule, "d_lambda", run.compartments.d_lambda);
        take(*rule, "frequency_Hz", run.compartments.frequency_Hz);
      }
      rule->reject_unread(keys("compartments"));
    }
    json.reject_unread(keys("run"));
  }

  Dale read_sign(const JsonObject& json) {
    const auto sign = json.text("sign");
    if (!sign) return Dale::unknown;
    if (*sign == "excitatory") return Dale::excitatory;
    if (*sign == "inhibitory") return Dale::inhibitory;
    json.error("sign", "must be excitatory or inhibitory");
    return Dale::unknown;
  }

  /// A point cell, written out or in a file of the Allen Institute.
  network::PointCell read_point(const JsonObject& json) {
    if (!json.has("allen_file")) return read_point_cell(json);
    const std::string file = json.required_text("allen_file").value_or("");
    if (json.required_text("model").value_or("glif") != "glif") json.error("model", "must be glif beside allen_file");
    json.reject_unread(keys("glif_file"));
    return {read_allen_glif(folder_ / file, diagnostics_).model};
  }

  void read_cell_type(const JsonObject& json) {
    network::CellType type;
    type.name = json.required_text("name").value_or("");
    type.dale = read_sign(json);
    SectionNames names;
    if (const auto detailed = json.object("detailed")) {
      type.detailed = read_detailed_cell(*detailed, folder_, names, diagnostics_);
    }
    if (const auto point = json.object("point")) type.point = read_point(*point);
    if (const auto meanfield = json.object("meanfield")) type.meanfield = read_meanfield_cell(*meanfield);
    json.reject_unread(keys("cell_type"));
    circuit_.cell_types.push_back(std::move(type));
    section_names_.push_back(std::move(names));
  }

  void read_synapse_type(const JsonObject& json) {
    network::SynapseType type;
    type.name = json.required_text("name").value_or("");
    const std::size_t before = diagnostics_.errors().size();
    if (const auto detailed = json.object("detailed")) type.detailed = read_detailed_synapse(*detailed);
    if (const auto point = json.object("point")) type.point = read_point_synapse(*point);
    const bool sound = diagnostics_.errors().size() == before;
    if (!sound) doubtful_synapses_.insert(circuit_.synapse_types.size());
    if (const auto meanfield = json.object("meanfield")) type.meanfield = read_meanfield_synapse(*meanfield);
    if (const auto release = json.object("release")) type.release = read_release(*release);
    if (const auto plasticity = json.object("plasticity")) {
      std::string unit = weight_unit(type);
      for (const char* other : {"", "_uS", "_nA", "_mV"}) {
        if (!sound && plasticity->has(std::string("w_max") + other)) unit = other;
      }
      type.plasticity = read_plasticity(*plasticity, unit);
    }
    json.reject_unread(keys("synapse_type"));
    circuit_.synapse_types.push_back(std::move(type));
  }

  // ------------------------------------------------------------------------------------------- populations
  // ------------

  /// Index of the entry of this name under `key`; nothing and an error if there is none.
  template <class Entry>
  std::optional<std::size_t> find(const JsonObject& json, const char* key, const std::vector<Entry>& entries,
                                  const char* what) {
    const auto name = json.required_text(key);
    if (!name) return std::nullopt;
    std::string known;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].name == *name) return i;
      known += (known.empty() ? "" : ", ") + entries[i].name;
    }
    json.error(key, fmt::format("must be the name of a {}", what),
               known.empty() ? "there is none" : "there are: " + known);
    return std::nullopt;
  }

  /// The type, if it is known for certain: what follows from it is not asked for otherwise.
  const network::SynapseType* certain(std::optional<std::size_t> synapse_type) const {
    const bool doubtful = !synapse_type || doubtful_synapses_.contains(*synapse_type);
    return doubtful ? nullptr : &circuit_.synapse_types[*synapse_type];
  }

  /// Section names of a population's cells; none if they are not known.
  const SectionNames* section_names(std::optional<std::size_t> population) const {
    if (!population) return nullptr;
    const std::size_t type = circuit_.populations[*population].cell_type;
    return type < section_names_.size() ? &section_names_[type] : nullptr;
  }

  /// Index of the section that `key` names, 0 if it names none.
  std::uint32_t read_section(const JsonObject& json, const char* key, std::optional<std::size_t> population) {
    const auto name = json.text(key);
    const SectionNames* names = section_names(population);
    if (!name || names == nullptr) return 0;
    const auto found = names->find(*name);
    if (found != names->end()) return found->second;
    json.error(key, "must be the name of a section of the cell type of " + circuit_.populations[*population].name);
    return 0;
  }

  /// Cell type of virtual cells of a sign; made when first needed.
  std::size_t source_type(Dale sign) {
    const char* name = sign == Dale::excitatory   ? "excitatory source"
                       : sign == Dale::inhibitory ? "inhibitory source"
                                                  : "source";
    for (std::size_t i = 0; i < circuit_.cell_types.size(); ++i) {
      if (circuit_.cell_types[i].name == name) return i;
    }
    network::CellType type;
    type.name = name;
    type.dale = sign;
    circuit_.cell_types.push_back(std::move(type));
    section_names_.emplace_back();
    return circuit_.cell_types.size() - 1;
  }

  network::PoissonTrains read_poisson(const JsonObject& json) {
    network::PoissonTrains trains;
    if (json.has("rate_hz") || !json.has("times_ms")) {
      trains.rates_hz = {json.required_number("rate_hz").value_or(0)};
    } else {
      trains.times_ms = json.numbers("times_ms");
      trains.rates_hz = json.numbers("rates_hz");
    }
    take(json, "bin_ms", trains.bin_ms);
    take(json, "correlation", trains.correlation);
    return trains;
  }

  /// Spikes written out, or those of a population of a file.
  network::SpikeTrains read_spikes(const JsonObject& json) {
    const auto file = json.text("file");
    if (!file) return {json.numbers("times_ms"), cell_list(json, "cells")};
    const SpikesByPopulation spikes = read_spike_file(folder_ / *file, diagnostics_);
    const std::string name = json.text("population").value_or(spikes.size() == 1 ? spikes.begin()->first : "");
    const auto found = spikes.find(name);
    if (found == spikes.end()) {
      std::string known;
      for (const auto& [other, trains] : spikes) known += (known.empty() ? "" : ", ") + other;
      json.error("population", "must be the name of a population of the file", "there are: " + known);
      return {};
    }
    network::SpikeTrains trains{found->second.times_ms, {}};
    for (const std::uint64_t id : found->second.ids)
      trains.cells.push_back(static_cast<std::uint32_t>(std::min<std::uint64_t>(id, UINT32_MAX)));
    sort_in_time(trains);
    return trains;
  }

  void read_population(const JsonObject& json) {
    network::Population population;
    population.name = json.required_text("name").value_or("");
    if (!json.has("size")) json.error("size", "must be given (a number of cells)");
    population.size = read_whole(json, "size").value_or(0);
    population.is_virtual = json.flag("virtual").value_or(false);
    if (population.is_virtual) {
      population.cell_type = source_type(read_sign(json));
      if (const auto poisson = json.object("poisson")) {
        population.source = read_poisson(*poisson);
        poisson->reject_unread(keys("poisson"));
      } else if (const auto spikes = json.object("spikes")) {
        population.source = read_spikes(*spikes);
        spikes->reject_unread(keys("spikes"));
      } else {
        json.error("virtual", "needs the key poisson or spikes beside it",
                   "a virtual population fires what it is told");
      }
    } else {
      population.cell_type = find(json, "cell_type", circuit_.cell_types, "cell type").value_or(kUnknownType);
      if (json.has("V_init_mV")) population.V_init_mV = read_distribution(json, "V_init_mV");
    }
    if (const auto positions = json.object("positions")) {
      population.placements = read_positions(*positions, folder_, population.size, circuit_.run.seed,
                                             circuit_.populations.size(), diagnostics_);
    }
    json.reject_unread(keys("population"));
    circuit_.populations.push_back(std::move(population));
  }

  // ------------------------------------------------------------------------------------------- projections
  // ------------

  /// The key says the weight's unit, which is that of the synapse. Where the synapse is not known, any will do.
  Distribution read_weight(const JsonObject& json, const network::SynapseType* synapse) {
    if (synapse != nullptr) return read_distribution(json, "weight" + weight_unit(*synapse));
    Distribution weight;
    bool given = false;
    for (const char* key : {"weight", "weight_uS", "weight_nA", "weight_mV"}) {
      if (!json.has(key)) continue;
      weight = read_distribution(json, key);
      given = true;
    }
    if (!given) json.error("weight", "must be given, with the unit of the synapse in its key");
    return weight;
  }

  void read_projection(const JsonObject& json) {
    network::Projection p;
    const auto source = find(json, "source", circuit_.populations, "population");
    const auto target = find(json, "target", circuit_.populations, "population");
    const auto type = find(json, "synapse_type", circuit_.synapse_types, "synapse type");
    const network::SynapseType* synapse = certain(type);
    p.source = source.value_or(0);
    p.target = target.value_or(0);
    p.synapse_type = type.value_or(0);
    const bool gap_junctions = synapse != nullptr && network::is_gap_junction(*synapse);
    if (const auto file = json.text("edges_file")) {
      if (const SectionNames* names = section_names(target); synapse != nullptr && names != nullptr) {
        p.connectivity =
            read_edges_table(folder_ / *file, "weight" + weight_unit(*synapse), !gap_junctions, *names, diagnostics_);
      }
    } else {
      ConnectionRule rule = read_rule(json);
      rule.weight = read_weight(json, synapse);
      const bool must_have_delay = synapse != nullptr && !gap_junctions;
      if (must_have_delay || json.has("delay_ms")) rule.delay_ms = read_distribution(json, "delay_ms");
      p.connectivity = rule;
    }
    p.placement = read_placement(json);
    if (const auto* given = std::get_if<network::ExplicitEdges>(&p.connectivity)) {
      if (!given->sites.empty() && json.has("placement")) {
        json.error("placement", "must not be given: the table of edges has the places");
      }
    }
    if (gap_junctions || synapse == nullptr) {
      p.source_site = {read_section(json, "source_section", source), json.number("source_position").value_or(0.5)};
    }
    const auto name = json.text("name");
    p.name = name.value_or(json.text("source").value_or("") + "->" + json.text("target").value_or(""));
    json.reject_unread(keys("projection"));
    circuit_.projections.push_back(std::move(p));
  }

  // ------------------------------------------------------------------------------------------------ inputs
  // ------------

  void read_input(const JsonObject& json) {
    const std::string kind = json.required_text("kind").value_or("");
    static const std::vector<std::string> kKinds = {"poisson", "current_step", "current_ramp", "current_noise"};
    if (std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end()) return read_input(json, kind);
    if (!kind.empty()) json.error("kind", "must be poisson, current_step, current_ramp or current_noise");
    // Its other problems are those of the kind that its keys tell.
    if (json.has("synapse_type")) return read_input(json, "poisson");
    if (json.has("sd_nA")) return read_input(json, "current_noise");
    if (json.has("begin_nA")) return read_input(json, "current_ramp");
    if (json.has("amplitude_nA")) return read_input(json, "current_step");
  }

  void read_input(const JsonObject& json, const std::string& kind) {
    return kind == "poisson" ? read_poisson_input(json) : read_current(json, kind);
  }

  /// Private Poisson trains: a virtual population with `sources_per_cell` cells for each target, and its projection.
  void read_poisson_input(const JsonObject& json) {
    const std::string name = json.required_text("name").value_or("");
    const auto target = find(json, "target", circuit_.populations, "population");
    const auto type = find(json, "synapse_type", circuit_.synapse_types, "synapse type");
    network::Population sources;
    sources.name = name;
    sources.is_virtual = true;
    sources.source = read_poisson(json);
    ConnectionRule rule;
    rule.kind = ConnectionRule::Kind::one_to_one;
    rule.number = read_whole(json, "sources_per_cell").value_or(1);
    if (rule.number == 0) json.error("sources_per_cell", "must be > 0");
    rule.weight = read_weight(json, certain(type));
    rule.delay_ms = read_distribution(json, "delay_ms");
    network::Projection p;
    p.placement = read_placement(json);
    json.reject_unread(keys("poisson_input"));
    if (!target || !type) return;
    const int sign = network::synapse_sign(circuit_.synapse_types[*type]);
    sources.cell_type = source_type(sign > 0 ? Dale::excitatory : sign < 0 ? Dale::inhibitory : Dale::unknown);
    sources.size = rule.number * circuit_.populations[*target].size;
    p.name = name + "->" + circuit_.populations[*target].name;
    p.source = circuit_.populations.size();
    p.target = *target;
    p.synapse_type = *type;
    p.connectivity = rule;
    circuit_.populations.push_back(std::move(sources));
    circuit_.projections.push_back(std::move(p));
  }

  void read_current(const JsonObject& json, const std::string& kind) {
    network::CurrentClamp clamp;
    clamp.name = json.required_text("name").value_or("");
    const auto target = find(json, "target", circuit_.populations, "population");
    clamp.population = target.value_or(0);
    clamp.cells = cell_list(json, "cells");
    clamp.site = {read_section(json, "section", target), json.number("position").value_or(0.5)};
    const double begin_ms = json.required_number("begin_ms").value_or(0);
    const double end_ms = json.required_number("end_ms").value_or(0);
    if (kind == "current_noise") {
      clamp.waveform =
          network::NoiseCurrent{begin_ms, end_ms, json.number("mean_nA").value_or(0),
                                json.required_number("sd_nA").value_or(0), json.required_number("tau_ms").value_or(1)};
    } else if (kind == "current_ramp") {
      clamp.waveform = network::CurrentSegment{begin_ms, end_ms, json.required_number("begin_nA").value_or(0),
                                               json.required_number("end_nA").value_or(0)};
    } else {
      const double amplitude_nA = json.required_number("amplitude_nA").value_or(0);
      clamp.waveform = network::CurrentSegment{begin_ms, end_ms, amplitude_nA, amplitude_nA};
    }
    json.reject_unread(keys(kind.c_str()));
    if (target) circuit_.current_clamps.push_back(std::move(clamp));
  }

  void read_weight_probe(const JsonObject& json) {
    network::WeightProbe probe;
    probe.name = json.required_text("name").value_or("");
    const auto projection = find(json, "projection", circuit_.projections, "projection");
    probe.projection = projection.value_or(0);
    take(json, "begin_ms", probe.begin_ms);
    take(json, "end_ms", probe.end_ms);
    take(json, "dt_ms", probe.dt_ms);
    json.reject_unread(keys("weight_probe"));
    if (projection) circuit_.weight_probes.push_back(std::move(probe));
  }

  void read_probe(const JsonObject& json) {
    if (json.has("projection")) return read_weight_probe(json);
    network::Probe probe;
    probe.name = json.required_text("name").value_or("");
    const auto population = find(json, "population", circuit_.populations, "population");
    probe.population = population.value_or(0);
    probe.variable = json.text("variable").value_or(probe.variable);
    probe.cells = cell_list(json, "cells");
    const std::string where = json.text("where").value_or("soma");
    if (where == "all_compartments") {
      probe.where = network::Probe::Where::all_compartments;
    } else if (where != "soma") {
      json.error("where", "must be soma or all_compartments");
    }
    take(json, "begin_ms", probe.begin_ms);
    take(json, "end_ms", probe.end_ms);
    take(json, "dt_ms", probe.dt_ms);
    json.reject_unread(keys("probe"));
    if (population) circuit_.probes.push_back(std::move(probe));
  }

  std::filesystem::path folder_;
  core::Diagnostics& diagnostics_;
  Circuit circuit_;
  std::vector<SectionNames> section_names_;  ///< one per cell type
  std::set<std::size_t> doubtful_synapses_;  ///< types with problems
};

}  // namespace

bool is_recipe(const std::filesystem::path& path) {
  std::ifstream file(path);
  const nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  return json.is_object() && json.contains("triscale_recipe");
}

Circuit read_recipe(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  const auto root = JsonObject::load(path, diagnostics);
  return root ? RecipeReader(path, diagnostics).read(*root) : Circuit{};
}

}  // namespace triscale::io

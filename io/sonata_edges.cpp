#include "io/sonata_edges.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "io/hdf5.hpp"
#include "io/many_problems.hpp"
#include "io/sonata_synapses.hpp"

namespace triscale::io {
namespace {

const std::set<std::string>& known_columns() {
  static const std::set<std::string> names{
      "edge_type_id", "population", "delay", "syn_weight", "nsyns", "dynamics_params", "model_template",
      "weight_function", "weight_sigma", "target_sections", "distance_range", "afferent_section_id",
      "afferent_section_pos", "sec_id", "sec_x", "afferent_swc_id",
      // How the edges were chosen: for people. The place within a sample is given by the section position already.
      "target_query", "source_query", "afferent_swc_pos"};
  return names;
}

/// Section numbers that a file may use: index into Morphology::sections by number.
using Numbering = std::vector<std::size_t>;

/// The order of the SONATA guide: soma, axon, basal, apical. Allen files and the Morphology itself put the axon last.
Numbering guide_numbering(const network::Morphology& morphology) {
  Numbering numbering;
  for (const auto kind : {network::SectionKind::soma, network::SectionKind::axon, network::SectionKind::basal,
                          network::SectionKind::apical}) {
    for (std::size_t s = 0; s < morphology.sections.size(); ++s) {
      if (morphology.sections[s].kind == kind) numbering.push_back(s);
    }
  }
  return numbering;
}

bool holds_sample(const network::Section& section, std::int64_t swc_id) {
  return std::find(section.swc_ids.begin(), section.swc_ids.end(), swc_id) != section.swc_ids.end();
}

struct ProjectionKey {
  std::size_t source, target;
  std::uint64_t edge_type;
  bool has_sites;
  int sign;  ///< of the weights, where they carry it (cells of NEST); else 0
  auto operator<=>(const ProjectionKey&) const = default;
};

struct ProjectionDraft {
  network::ExplicitEdges edges;
  std::vector<std::int64_t> swc_ids;  ///< one per edge where the file gives them
  std::size_t first_row = 0;
};

class EdgeReader {
 public:
  EdgeReader(const Components& components, const Nodes& nodes, network::Circuit& circuit,
             core::Diagnostics& diagnostics)
      : nodes_(nodes), circuit_(circuit), diagnostics_(diagnostics), models_(components.synapses, diagnostics) {}

  void read_file(const std::filesystem::path& edges_file, const std::filesystem::path& types_file) {
    const CsvTable types = read_csv(types_file, diagnostics_);
    const Hdf5File file = Hdf5File::open(edges_file);
    check_magic(file, diagnostics_);
    for (const std::string& name : file.children("/edges")) read_population(file, name, types);
  }

 private:
  const NodePopulation* node_population(const Hdf5File& file, const std::string& column) {
    if (!file.has_attribute(column, "node_population")) {
      diagnostics_.error({file.name(), column, "", "must have the attribute node_population", ""});
      return nullptr;
    }
    const std::string name = file.string_attribute(column, "node_population");
    const NodePopulation* population = nodes_.find(name);
    if (!population) {
      diagnostics_.error(
          {file.name(), column + "@node_population", name, "must be a node population of the circuit", ""});
    }
    return population;
  }

  void read_population(const Hdf5File& file, const std::string& name, const CsvTable& types) {
    const std::string path = "/edges/" + name;
    source_nodes_ = node_population(file, path + "/source_node_id");
    target_nodes_ = node_population(file, path + "/target_node_id");
    if (!source_nodes_ || !target_nodes_) return;
    const auto sources = file.read<std::uint64_t>(path + "/source_node_id");
    const auto targets = file.read<std::uint64_t>(path + "/target_node_id");
    if (sources.size() != targets.size()) {
      diagnostics_.error({file.name(), path, std::to_string(sources.size()) + " and " + std::to_string(targets.size()),
                          "must have as many source_node_id as target_node_id", ""});
      return;
    }
    const std::size_t errors_before = diagnostics_.errors().size();
    rows_ = read_typed_rows(file, path, "edge", sources.size(), types, diagnostics_);
    rows_.report_unknown(known_columns(), diagnostics_);
    check_nodes(sources, *source_nodes_, "source_node_id");
    check_nodes(targets, *target_nodes_, "target_node_id");
    if (diagnostics_.errors().size() > errors_before) return;
    std::map<ProjectionKey, ProjectionDraft> drafts;
    {
      ManyProblems problems(diagnostics_);
      for (std::size_t row = 0; row < sources.size(); ++row) {
        read_edge(row, source_nodes_->row_of_id.at(sources[row]), target_nodes_->row_of_id.at(targets[row]), drafts,
                  problems);
      }
    }
    if (diagnostics_.errors().size() > errors_before) return;
    for (auto& [key, draft] : drafts) add_projection(key, std::move(draft), name);
  }

  void check_nodes(const std::vector<std::uint64_t>& ids, const NodePopulation& population, const std::string& column) {
    ManyProblems problems(diagnostics_);
    for (std::size_t row = 0; row < ids.size(); ++row) {
      if (population.row_of_id.contains(ids[row])) continue;
      problems.add({rows_.file, rows_.place(row, column), std::to_string(ids[row]),
                    "must be a node of population '" + population.name + "'", ""});
    }
  }

  void read_edge(std::size_t row, std::size_t source_row, std::size_t target_row,
                 std::map<ProjectionKey, ProjectionDraft>& drafts, ManyProblems& problems) {
    const NodePlace source = nodes_.places[nodes_.index_of(*source_nodes_)][source_row];
    const NodePlace target = nodes_.places[nodes_.index_of(*target_nodes_)][target_row];
    const auto error = [&](const std::string& column, const std::string& rule, const std::string& hint = "") {
      problems.add({rows_.file, rows_.place(row, column), rows_.text(row, column).value_or(""), rule, hint});
    };
    const bool point_target = is_point(target.population);
    const auto weight = weight_of(row, source_row, target_row, error);
    const auto delay = rows_.number(row, "delay");
    const auto site = point_target ? std::optional<network::Site>() : site_of(row, error);
    const double nsyns = rows_.number(row, "nsyns").value_or(1.0);
    if (circuit_.populations[target.population].is_virtual) error("target_node_id", "must not be a virtual node");
    if (!delay) error("delay", "must be a number (ms)");
    if (!(nsyns >= 0 && nsyns == std::floor(nsyns) && nsyns < 1e9)) return error("nsyns", "must be an integer >= 0");
    if (!weight || !delay) return;
    const auto& nest = nodes_.nest[target.population];
    const int sign = !nest ? 0 : *weight < 0 ? -1 : 1;
    ProjectionDraft& draft =
        drafts
            .try_emplace({source.population, target.population, rows_.type_ids[row], site.has_value(), sign},
                         ProjectionDraft{{}, {}, row})
            .first->second;
    // A place is given for one synapse; several events at once add up in a point neuron's synapse.
    const std::size_t copies = site || point_target ? 1 : static_cast<std::size_t>(nsyns);
    const double factor = point_target ? nsyns : 1.0;
    const double strength = nest ? nest->weight(*weight) : *weight;
    for (std::size_t copy = 0; copy < copies; ++copy) {
      draft.edges.sources.push_back(source.cell);
      draft.edges.targets.push_back(target.cell);
      draft.edges.weights.push_back(factor * strength);
      draft.edges.delays_ms.push_back(*delay);
      if (!site) continue;
      draft.edges.sites.push_back(*site);
      if (const auto swc_id = rows_.number(row, "afferent_swc_id")) {
        draft.swc_ids.push_back(static_cast<std::int64_t>(*swc_id));
      }
    }
  }

  bool is_point(std::size_t population) const {
    const auto& type = circuit_.cell_types[circuit_.populations[population].cell_type];
    return type.point.has_value() && !type.detailed.has_value();
  }

  template <class Error>
  std::optional<double> weight_of(std::size_t row, std::size_t source_row, std::size_t target_row, const Error& error) {
    const auto weight = rows_.number(row, "syn_weight");
    if (!weight) {
      error("syn_weight", "must be a number");
      return std::nullopt;
    }
    const std::string rule = rows_.text(row, "weight_function").value_or("");
    if (rule.empty() || rule == "wmax" || rule == "default_weight_fnc") return weight;
    if (rule != "gaussianLL") {
      error("weight_function", "must be wmax or gaussianLL",
            "other weight functions are Python code of the model's authors");
      return std::nullopt;
    }
    const auto sigma = rows_.number(row, "weight_sigma");
    if (!sigma || !(*sigma > 0)) {
      error("weight_sigma", "must be a number > 0 for gaussianLL");
      return std::nullopt;
    }
    const auto source_angle = source_nodes_->rows.number(source_row, "tuning_angle");
    const auto target_angle = target_nodes_->rows.number(target_row, "tuning_angle");
    if (!source_angle || !target_angle) {
      error("weight_function", "needs tuning_angle of both nodes for gaussianLL");
      return std::nullopt;
    }
    return gaussian_tuning_weight(*weight, *source_angle, *target_angle, *sigma);
  }

  template <class Error>
  std::optional<network::Site> site_of(std::size_t row, const Error& error) {
    for (const auto& [id_column, position_column] :
         {std::pair("afferent_section_id", "afferent_section_pos"), std::pair("sec_id", "sec_x")}) {
      const auto id = rows_.number(row, id_column);
      if (!id) continue;
      const auto position = rows_.number(row, position_column);
      if (!(*id >= 0 && *id == std::floor(*id) && *id < 1e9)) {
        error(id_column, "must be an integer >= 0");
      } else if (!position || !(*position >= 0 && *position <= 1)) {
        error(position_column, "must be a number from 0 to 1");
      } else {
        return network::Site{static_cast<std::uint32_t>(*id), *position};
      }
      return std::nullopt;
    }
    return std::nullopt;
  }

  void add_projection(const ProjectionKey& key, ProjectionDraft&& draft, const std::string& edge_population) {
    network::Projection projection;
    const std::string edge_type = std::to_string(key.edge_type);
    projection.source = key.source;
    projection.target = key.target;
    projection.name =
        circuit_.populations[key.source].name + ">" + circuit_.populations[key.target].name + "#" + edge_type;
    if (key.sign < 0) projection.name += "-";
    const auto same_name = [&](const network::Projection& other) { return other.name == projection.name; };
    if (std::any_of(circuit_.projections.begin(), circuit_.projections.end(), same_name)) {
      projection.name += "/" + edge_population + (key.has_sites ? "" : "/drawn");
    }
    const auto type = synapse_type(draft.first_row, key.target, key.sign);
    if (!type) return;
    projection.synapse_type = *type;
    if (!is_point(key.target)) {
      if (key.has_sites) {
        check_sites(key, draft, edge_population);
      } else if (const auto placement = read_placement(rows_, draft.first_row, diagnostics_)) {
        projection.placement = *placement;
      }
    }
    projection.connectivity = std::move(draft.edges);
    circuit_.projections.push_back(std::move(projection));
  }

  /// The synapse type of an edge type onto one target cell type, made where it is new.
  std::optional<std::size_t> synapse_type(std::size_t row, std::size_t target, int sign) {
    if (nodes_.nest[target]) return nest_synapse_type(row, target, sign);
    const auto model = models_.find(rows_, row, is_point(target));
    if (!model) return std::nullopt;
    const std::string dynamics = rows_.text(row, "dynamics_params").value_or("");
    const auto key = std::tuple(dynamics, circuit_.populations[target].cell_type, 0);
    if (const auto found = synapse_types_.find(key); found != synapse_types_.end()) return found->second;
    network::SynapseType type;
    type.name = std::filesystem::path(dynamics).stem().string() + ">" + circuit_.cell_types[std::get<1>(key)].name;
    std::visit([&](const auto& kinetics) { type.detailed = kinetics; }, model->kinetics);
    type.release = model->release;
    if (const auto* instantaneous = std::get_if<network::InstantaneousSynapse>(&model->kinetics))
      type.point = *instantaneous;
    circuit_.synapse_types.push_back(std::move(type));
    return synapse_types_[key] = circuit_.synapse_types.size() - 1;
  }

  /// The same for a target of NEST: its receptor for weights of this sign.
  std::optional<std::size_t> nest_synapse_type(std::size_t row, std::size_t target, int sign) {
    const auto receptor = models_.nest_receptor(rows_, row);
    if (!receptor) return std::nullopt;
    const std::string dynamics = rows_.text(row, "dynamics_params").value_or("");
    const auto key = std::tuple(dynamics, circuit_.populations[target].cell_type, sign);
    if (const auto found = synapse_types_.find(key); found != synapse_types_.end()) return found->second;
    const auto synapse = nodes_.nest[target]->synapse(*receptor, sign);
    if (!synapse) {
      diagnostics_.error({rows_.types.file,
                          "edge type " + std::to_string(rows_.type_ids[row]) + ", column dynamics_params",
                          dynamics + ", receptor_type " + std::to_string(*receptor),
                          "must be a receptor of cell type " + circuit_.cell_types[std::get<1>(key)].name,
                          nodes_.nest[target]->has_ports
                              ? "its ports are 1 to " + std::to_string(nodes_.nest[target]->tau_syn_ms.size())
                              : "it has only receptor_type 0, and the sign of the weight chooses the time constant"});
      return std::nullopt;
    }
    network::SynapseType type;
    const std::string stem = dynamics.empty() ? "static_synapse" : std::filesystem::path(dynamics).stem().string();
    type.name = stem + (sign < 0 ? "->" : ">") + circuit_.cell_types[std::get<1>(key)].name;
    type.point = *synapse;
    circuit_.synapse_types.push_back(std::move(type));
    return synapse_types_[key] = circuit_.synapse_types.size() - 1;
  }

  /// Section numbers must exist, and lie where the SWC samples say, if the file gives those. A file that counts
  /// sections in the order of the SONATA guide is recognised by that.
  void check_sites(const ProjectionKey& key, ProjectionDraft& draft, const std::string& edge_population) {
    const auto& cell = circuit_.cell_types[circuit_.populations[key.target].cell_type].detailed;
    if (!cell || !cell->morphology) return;
    const auto& sections = cell->morphology->sections;
    const std::string place = fmt::format("/edges/{}, edge type {} onto {}", edge_population, key.edge_type,
                                          circuit_.populations[key.target].name);
    ManyProblems problems(diagnostics_);
    for (const network::Site& site : draft.edges.sites) {
      if (site.section < sections.size()) continue;
      problems.add({rows_.file, place + ", afferent_section_id", std::to_string(site.section),
                    "must be a section of the target cell (it has " + std::to_string(sections.size()) + ")",
                    "numbering: soma, basal, apical, axon stubs"});
    }
    const std::size_t n = draft.edges.sites.size();
    if (draft.swc_ids.size() != n) return;
    const Numbering guide = guide_numbering(*cell->morphology);
    std::size_t allen_fits = 0, guide_fits = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::size_t number = draft.edges.sites[i].section;
      if (number >= sections.size()) return;
      allen_fits += holds_sample(sections[number], draft.swc_ids[i]) ? 1 : 0;
      guide_fits += holds_sample(sections[guide[number]], draft.swc_ids[i]) ? 1 : 0;
    }
    if (allen_fits == n) return;
    const bool use_guide = guide_fits > allen_fits;
    diagnostics_.warning(
        {rows_.file, place, "",
         fmt::format(
             "has afferent_swc_id in the section of that number for {} of {} synapses if sections are counted soma, "
             "basal, apical, axon, and for {} if counted soma, axon, basal, apical; the {} order is used",
             allen_fits, n, guide_fits, use_guide ? "second" : "first"),
         "are these the morphologies that the edges were made for?"});
    if (!use_guide) return;
    for (network::Site& site : draft.edges.sites) site.section = static_cast<std::uint32_t>(guide[site.section]);
  }

  const Nodes& nodes_;
  network::Circuit& circuit_;
  core::Diagnostics& diagnostics_;
  SynapseModels models_;
  std::map<std::tuple<std::string, std::size_t, int>, std::size_t> synapse_types_;  // by file, cell type, sign
  // Of the edge population that is being read:
  const NodePopulation* source_nodes_ = nullptr;
  const NodePopulation* target_nodes_ = nullptr;
  TypedRows rows_;
};

}  // namespace

void read_projections(const ConfigFile& circuit_config, const Components& components, const Nodes& nodes,
                      network::Circuit& circuit, core::Diagnostics& diagnostics) {
  const auto networks = circuit_config.json.object("networks");
  if (!networks || !networks->has("edges")) return;
  EdgeReader reader(components, nodes, circuit, diagnostics);
  for (const JsonObject& entry : networks->objects("edges")) {
    const auto edges_file = circuit_config.path_at(entry, "edges_file");
    const auto types_file = circuit_config.path_at(entry, "edge_types_file");
    entry.report_unread();
    if (edges_file.empty()) entry.error("edges_file", "must be given");
    if (types_file.empty()) entry.error("edge_types_file", "must be given");
    if (edges_file.empty() || types_file.empty()) continue;
    try {
      reader.read_file(edges_file, types_file);
    } catch (const core::InputError& error) {
      for (const core::Problem& problem : error.problems()) diagnostics.error(problem);
    }
  }
}

}  // namespace triscale::io

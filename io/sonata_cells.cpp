#include "io/sonata_cells.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>

#include "io/allen_cell.hpp"
#include "io/allen_fit.hpp"
#include "io/neuroml_cell.hpp"
#include "io/swc.hpp"

namespace triscale::io {
namespace {

constexpr double kMillisecondsPerSecond = 1000.0;

/// Attributes that decide what a cell is; they must be the same for all nodes of a type.
const std::vector<std::string>& model_attributes() {
  static const std::vector<std::string> names{"model_type", "model_template",  "model_processing",
                                              "morphology", "dynamics_params", "ei",
                                              "model_name", "pop_name"};
  return names;
}

const std::set<std::string>& known_columns() {
  static const std::set<std::string> names{"node_type_id", "population", "model_type", "model_template",
                                           "model_processing", "morphology", "dynamics_params", "ei", "model_name",
                                           "pop_name", "x", "y", "z", "rotation_angle_xaxis", "rotation_angle_yaxis",
                                           "rotation_angle_zaxis",
                                           // Read where a weight function asks for it.
                                           "tuning_angle",
                                           // A label for people.
                                           "location"};
  return names;
}

using Attributes = std::map<std::string, std::string>;

/// Builds cell types; remembers morphologies that several types share.
class CellFactory {
 public:
  CellFactory(const Components& components, core::Diagnostics& diagnostics)
      : components_(components), diagnostics_(diagnostics) {}

  /// What the cell is in NEST, if it is one of NEST's, goes to `nest`.
  network::CellType make(const Attributes& attributes, const std::string& file, const std::string& place,
                         std::optional<NestCell>& nest) {
    attributes_ = &attributes;
    file_ = file;
    place_ = place;
    network::CellType type;
    type.dale = dale();
    const std::string model_type = get("model_type");
    if (model_type == "biophysical") {
      type.detailed = biophysical();
    } else if (model_type == "point_neuron" || model_type == "point_process") {
      type.point = point(nest);
    } else if (model_type != "virtual") {
      error("model_type", "must be biophysical, point_neuron or virtual", "other model types are not supported");
    }
    return type;
  }

 private:
  std::string get(const std::string& name) const {
    const auto found = attributes_->find(name);
    return found == attributes_->end() ? "" : found->second;
  }
  void error(const std::string& column, const std::string& rule, const std::string& hint = "") {
    diagnostics_.error({file_, place_ + ", column " + column, get(column), rule, hint});
  }
  void warning(const std::string& column, const std::string& rule, const std::string& hint = "") {
    diagnostics_.warning({file_, place_ + ", column " + column, get(column), rule, hint});
  }

  network::Dale dale() {
    const std::string ei = get("ei");
    if (ei.empty()) return network::Dale::unknown;
    if (ei == "e" || ei == "E" || ei == "exc" || ei == "excitatory") return network::Dale::excitatory;
    if (ei == "i" || ei == "I" || ei == "inh" || ei == "inhibitory") return network::Dale::inhibitory;
    error("ei", "must be e or i");
    return network::Dale::unknown;
  }

  /// A file in a component folder; reports where the folder or the name is missing.
  std::filesystem::path component(const std::filesystem::path& folder, const std::string& key, const std::string& name,
                                  const std::string& column) {
    if (folder.empty()) {
      error(column, "needs components." + key + " in the circuit config");
      return {};
    }
    if (name.empty()) {
      error(column, "must name a file in " + folder.string());
      return {};
    }
    return folder / name;
  }

  std::optional<network::DetailedCell> biophysical() {
    const std::string model_template = get("model_template");
    const std::size_t colon = model_template.find(':');
    const std::string schema = model_template.substr(0, colon);
    const std::string resource = colon == std::string::npos ? "" : model_template.substr(colon + 1);
    network::DetailedCell cell;
    if (schema == "nml") {
      const auto path = component(components_.biophysical, "biophysical_neuron_models_dir", resource, "model_template");
      if (path.empty()) return std::nullopt;
      if (!get("dynamics_params").empty()) warning("dynamics_params", "is not used beside an nml: template");
      cell = read_neuroml_cell(path, diagnostics_);
    } else if (schema == "ctdb" && (resource == "Biophys1" || resource == "Biophys1.hoc")) {
      const auto path = component(components_.biophysical, "biophysical_neuron_models_dir", get("dynamics_params"),
                                  "dynamics_params");
      if (path.empty()) return std::nullopt;
      cell = read_allen_fit(path, diagnostics_);
    } else {
      error("model_template", "must be nml:FILE or ctdb:Biophys1.hoc for a biophysical cell",
            "other templates are not supported");
      return std::nullopt;
    }
    cell.morphology = morphology(schema);
    return cell;
  }

  std::shared_ptr<const network::Morphology> morphology(const std::string& schema) {
    auto path = component(components_.morphologies, "morphologies_dir", get("morphology"), "morphology");
    if (path.empty()) return nullptr;
    // SONATA gives the name without extension, BMTK with it.
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored) && path.extension() != ".swc") path += ".swc";
    const std::string processing = get("model_processing");
    auto& known = morphologies_[path.string() + "|" + processing];
    if (known) return known;
    network::Morphology shape = read_swc(path, diagnostics_);
    if (shape.sections.empty()) return nullptr;
    try {
      shape = process(std::move(shape), processing, schema);
    } catch (const core::InputError& problem) {
      error("model_processing", problem.problems().front().rule, path.string());
    }
    known = std::make_shared<const network::Morphology>(std::move(shape));
    return known;
  }

  network::Morphology process(network::Morphology shape, const std::string& processing, const std::string& schema) {
    if (processing.empty() && schema == "nml") {
      warning("model_processing", "is not given, so the reconstructed axon is kept",
              "BMTK replaces the axon of every nml: cell; write aibs_perisomatic to get that");
    }
    std::istringstream steps(processing);
    std::string step;
    while (std::getline(steps, step, ',')) {
      if (step == "aibs_perisomatic") {
        shape = replace_axon_perisomatic(shape);
      } else if (step == "aibs_allactive") {
        shape = replace_axon_allactive(shape);
      } else if (step != "fullaxon") {
        error("model_processing", "must be aibs_perisomatic, aibs_allactive or fullaxon", "others are not supported");
      }
    }
    return shape;
  }

  std::optional<network::PointCell> point(std::optional<NestCell>& nest) {
    const std::string model_template = get("model_template");
    const bool of_nest = model_template.rfind("nest:", 0) == 0;
    if (!of_nest && model_template != "nrn:IntFire1") {
      error("model_template", "must be nrn:IntFire1 or nest:MODEL for a point neuron",
            "other templates are not supported");
      return std::nullopt;
    }
    const auto path =
        component(components_.point, "point_neuron_models_dir", get("dynamics_params"), "dynamics_params");
    if (path.empty()) return std::nullopt;
    if (of_nest) {
      nest = read_nest_cell(model_template.substr(5), path,
                            {file_, place_ + ", column model_template", model_template, "", ""}, diagnostics_);
      return nest ? std::optional(network::PointCell{nest->model}) : std::nullopt;
    }
    const auto json = JsonObject::load(path, diagnostics_);
    if (!json) return std::nullopt;
    json->accept({"type"});
    // BMTK's files for IntFire1 give seconds.
    network::IntFire1Model model;
    model.tau_m_ms = kMillisecondsPerSecond * json->required_number("tau").value_or(model.tau_m_ms);
    model.t_ref_ms = kMillisecondsPerSecond * json->required_number("refrac").value_or(model.t_ref_ms);
    json->report_unread();
    return network::PointCell{model};
  }

  const Components& components_;
  core::Diagnostics& diagnostics_;
  const Attributes* attributes_ = nullptr;
  std::string file_, place_;
  std::map<std::string, std::shared_ptr<const network::Morphology>> morphologies_;
};

/// The model attributes of all nodes of one type; an error where they differ.
Attributes common_attributes(const NodePopulation& nodes, const std::vector<std::size_t>& members,
                             core::Diagnostics& diagnostics) {
  Attributes attributes;
  for (const std::string& name : model_attributes()) {
    const auto first = nodes.rows.text(members.front(), name);
    for (const std::size_t row : members) {
      const auto other = nodes.rows.text(row, name);
      if (other == first) continue;
      diagnostics.error({nodes.rows.file, nodes.rows.place(row, name), other.value_or("NULL"),
                         "must be the same for all nodes of one node type ('" + first.value_or("NULL") + "' so far)",
                         "split the node type"});
      break;
    }
    if (first) attributes[name] = *first;
  }
  return attributes;
}

std::vector<network::Placement> placements(const NodePopulation& nodes, const std::vector<std::size_t>& members) {
  const std::map<std::string, double network::Placement::*> columns{
      {"x", &network::Placement::x_um},
      {"y", &network::Placement::y_um},
      {"z", &network::Placement::z_um},
      {"rotation_angle_xaxis", &network::Placement::rotation_x_rad},
      {"rotation_angle_yaxis", &network::Placement::rotation_y_rad},
      {"rotation_angle_zaxis", &network::Placement::rotation_z_rad}};
  std::vector<network::Placement> result(members.size());
  bool any = false;
  for (const auto& [name, member] : columns) {
    if (!nodes.rows.has(name)) continue;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const auto value = nodes.rows.number(members[i], name);
      if (!value) continue;
      any = true;
      result[i].*member = *value;
    }
  }
  if (!any) result.clear();
  return result;
}

/// NEST's models start at V_m and get the constant current I_e. `population` is about to be added to the circuit.
void start_as_nest(const NestCell& nest, network::Circuit& circuit, network::Population& population) {
  network::Distribution V_init;
  V_init.mean = nest.V_init_mV;
  population.V_init_mV = V_init;
  if (nest.I_e_nA == 0) return;
  network::CurrentClamp constant;
  constant.name = "I_e/" + population.name;
  constant.population = circuit.populations.size();
  constant.waveform = network::CurrentSegment{0, circuit.run.duration_ms, nest.I_e_nA, nest.I_e_nA};
  circuit.current_clamps.push_back(std::move(constant));
}

/// Population names must be unique; those that are not get the node population, then the node type id into their name.
void make_names_unique(network::Circuit& circuit, const std::vector<std::string>& type_ids) {
  const auto repeated = [&](std::size_t p) {
    return std::count_if(circuit.populations.begin(), circuit.populations.end(), [&](const network::Population& other) {
             return other.name == circuit.populations[p].name;
           }) > 1;
  };
  for (int round = 0; round < 2; ++round) {
    std::vector<std::size_t> to_rename;
    for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
      if (repeated(p)) to_rename.push_back(p);
    }
    for (const std::size_t p : to_rename) {
      network::Population& population = circuit.populations[p];
      population.name = round == 0 ? population.file_population + "/" + population.name
                                   : population.file_population + "/" + type_ids[p];
    }
  }
}

}  // namespace

Components read_components(const ConfigFile& circuit_config) {
  Components components;
  const auto object = circuit_config.json.object("components");
  if (!object) return components;
  components.morphologies = circuit_config.path_at(*object, "morphologies_dir");
  components.synapses = circuit_config.path_at(*object, "synaptic_models_dir");
  components.biophysical = circuit_config.path_at(*object, "biophysical_neuron_models_dir");
  components.point = circuit_config.path_at(*object, "point_neuron_models_dir");
  // Compiled NEURON mechanisms and hoc templates: channels are built in here.
  object->accept({"mechanisms_dir", "templates_dir"});
  object->report_unread();
  return components;
}

const NodePopulation* Nodes::find(const std::string& name) const {
  const auto found = std::find_if(populations.begin(), populations.end(),
                                  [&](const NodePopulation& population) { return population.name == name; });
  return found == populations.end() ? nullptr : &*found;
}

Nodes read_populations(const ConfigFile& circuit_config, const Components& components, network::Circuit& circuit,
                       core::Diagnostics& diagnostics) {
  Nodes nodes;
  const auto networks = circuit_config.json.object("networks");
  if (!networks || !networks->has("nodes")) {
    circuit_config.json.error("networks", "must list `nodes`");
    return nodes;
  }
  networks->accept({"nodes", "edges"});
  networks->report_unread();
  for (const JsonObject& entry : networks->objects("nodes")) {
    const auto nodes_file = circuit_config.path_at(entry, "nodes_file");
    const auto types_file = circuit_config.path_at(entry, "node_types_file");
    entry.report_unread();
    if (nodes_file.empty()) entry.error("nodes_file", "must be given");
    if (types_file.empty()) entry.error("node_types_file", "must be given");
    if (nodes_file.empty() || types_file.empty()) continue;
    try {
      for (NodePopulation& population : read_nodes(nodes_file, types_file, diagnostics)) {
        if (nodes.find(population.name)) {
          diagnostics.error(
              {nodes_file.string(), "/nodes/" + population.name, "", "must not repeat a node population", ""});
          continue;
        }
        population.rows.report_unknown(known_columns(), diagnostics);
        nodes.populations.push_back(std::move(population));
      }
    } catch (const core::InputError& error) {
      for (const core::Problem& problem : error.problems()) diagnostics.error(problem);
    }
  }

  CellFactory factory(components, diagnostics);
  std::vector<std::string> type_ids;
  for (NodePopulation& population : nodes.populations) {
    nodes.places.emplace_back(population.rows.size());
    std::map<std::uint64_t, std::vector<std::size_t>> members;
    for (std::size_t row = 0; row < population.rows.size(); ++row)
      members[population.rows.type_ids[row]].push_back(row);
    for (const auto& [type_id, rows] : members) {
      const auto type_row = population.rows.type_rows.find(type_id);
      if (type_row == population.rows.type_rows.end()) continue;
      const Attributes attributes = common_attributes(population, rows, diagnostics);
      const auto get = [&](const std::string& name) {
        const auto found = attributes.find(name);
        return found == attributes.end() ? std::string() : found->second;
      };
      network::Population made;
      made.name = get("model_name");
      if (made.name.empty()) made.name = get("pop_name");
      if (made.name.empty()) made.name = population.name + "/" + std::to_string(type_id);
      made.size = rows.size();
      made.is_virtual = get("model_type") == "virtual";
      made.cell_type = circuit.cell_types.size();
      made.placements = placements(population, rows);
      made.file_population = population.name;
      for (std::size_t i = 0; i < rows.size(); ++i) {
        nodes.places.back()[rows[i]] = {circuit.populations.size(), static_cast<std::uint32_t>(i)};
        made.file_ids.push_back(population.ids[rows[i]]);
      }
      const CsvTable& types = population.rows.types;
      std::optional<NestCell> nest;
      circuit.cell_types.push_back(
          factory.make(attributes, types.file, "line " + std::to_string(types.lines[type_row->second]), nest));
      if (nest) start_as_nest(*nest, circuit, made);
      nodes.nest.push_back(std::move(nest));
      circuit.populations.push_back(std::move(made));
      type_ids.push_back(std::to_string(type_id));
    }
  }
  make_names_unique(circuit, type_ids);
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    circuit.cell_types[circuit.populations[p].cell_type].name = circuit.populations[p].name;
  }
  return nodes;
}

}  // namespace triscale::io

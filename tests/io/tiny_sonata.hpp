/// Writes a small but whole SONATA circuit that tests can spoil in one place: three excitatory two-dendrite cells and
/// one inhibitory cell ("net"), two virtual sources ("ext"), four edges from "ext" and two within "net", spikes for
/// "ext".
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "io/hdf5.hpp"
#include "io/sonata.hpp"

namespace triscale::io {

struct TinySonata {
  std::filesystem::path folder;
  std::map<std::string, std::string> texts;  ///< file -> contents
  std::vector<std::uint64_t> node_type_ids{100, 100, 100, 101};
  std::vector<std::uint64_t> ext_sources{0, 1, 0, 1}, ext_targets{0, 1, 2, 3}, ext_types{200, 200, 200, 201};
  std::vector<std::int64_t> ext_sections{1, 1, 2, 0}, ext_swc_ids{2, 3, 5, 1};
  std::vector<double> ext_positions{0.5, 0.5, 1.0, 0.5};
  std::vector<double> ext_weights{1e-4, 2e-4, 3e-4, 4e-4};
  std::vector<double> spike_times_ms{20, 10, 30};
  std::vector<std::uint64_t> spike_ids{0, 1, 1};
  bool magic = true;

  explicit TinySonata(const std::string& name)
      : folder(std::filesystem::temp_directory_path() / "triscale_tiny_sonata" / name) {
    std::filesystem::remove_all(folder);
    texts["config.simulation.json"] = R"({
  "manifest": {"$BASE": ".", "${INPUT}": "$BASE/inputs"},
  "run": {"tstop": 100.0, "dt": 0.1, "dL": 30.0, "spike_threshold": -20},
  "target_simulator": "NEURON",
  "conditions": {"celsius": 34.0, "v_init": -75},
  "inputs": {"drive": {"input_type": "spikes", "module": "sonata", "input_file": "${INPUT}/spikes.h5", "node_set": "ext"}},
  "output": {"output_dir": "$BASE/output"},
  "network": "$BASE/config.circuit.json"
})";
    texts["config.circuit.json"] = R"({
  "manifest": {"$NET": "${configdir}/network", "$COMPONENTS": "./components"},
  "components": {"morphologies_dir": "$COMPONENTS", "synaptic_models_dir": "$COMPONENTS",
                 "biophysical_neuron_models_dir": "$COMPONENTS", "mechanisms_dir": "$COMPONENTS"},
  "networks": {
    "nodes": [{"nodes_file": "$NET/nodes.h5", "node_types_file": "$NET/node_types.csv"},
              {"nodes_file": "$NET/ext_nodes.h5", "node_types_file": "$NET/ext_node_types.csv"}],
    "edges": [{"edges_file": "$NET/ext_edges.h5", "edge_types_file": "$NET/ext_edge_types.csv"},
              {"edges_file": "$NET/edges.h5", "edge_types_file": "$NET/edge_types.csv"}]
  }
})";
    texts["network/node_types.csv"] =
        "node_type_id model_type model_template model_processing morphology dynamics_params ei model_name\n"
        "100 biophysical ctdb:Biophys1.hoc aibs_perisomatic cell.swc fit.json e Pyr\n"
        "101 biophysical ctdb:Biophys1.hoc aibs_perisomatic cell fit.json i Bas\n";
    texts["network/ext_node_types.csv"] = "node_type_id model_type ei\n300 virtual e\n";
    texts["network/ext_edge_types.csv"] =
        "edge_type_id target_query source_query dynamics_params delay model_template\n"
        "200 ei=='e' * exc.json 2.0 Exp2Syn\n"
        "201 ei=='i' * exc.json 1.5 Exp2Syn\n";
    texts["network/edge_types.csv"] =
        "edge_type_id dynamics_params delay model_template syn_weight target_sections distance_range weight_function\n"
        "210 inh.json 1.0 exp2syn 0.001 \"['somatic', 'basal']\" \"[0.0, 50.0]\" wmax\n"
        "211 exc.json 1.0 exp2syn 0.002 \"['apical']\" NULL NULL\n";
    texts["components/cell.swc"] =
        "1 1 0 0 0 5 -1\n2 3 0 6 0 1 1\n3 3 0 60 0 1 2\n4 4 6 0 0 1 1\n5 4 60 0 0 1 4\n6 2 -6 0 0 1 1\n7 2 -60 0 0 1 "
        "6\n";
    texts["components/fit.json"] = R"({
  "passive": [{"ra": 100, "cm": [{"section": "soma", "cm": 1.0}], "e_pas": -80}],
  "conditions": [{"erev": [{"section": "soma", "ena": 53, "ek": -107}]}],
  "genome": [{"section": "soma", "name": "gbar_NaTs", "mechanism": "NaTs", "value": 0.5},
             {"section": "soma", "name": "g_pas", "mechanism": "", "value": 1e-5}]
})";
    texts["components/exc.json"] = R"({"level_of_detail": "exp2syn", "tau1": 1.0, "tau2": 3.0, "erev": 0.0})";
    texts["components/inh.json"] = R"({"level_of_detail": "exp2syn", "tau1": 2.7, "tau2": 15.0, "erev": -80.0})";
  }

  /// Replaces a piece of a text file that must be there.
  TinySonata& replace(const std::string& file, const std::string& what, const std::string& by) {
    std::string& text = texts.at(file);
    const std::size_t at = text.find(what);
    if (at == std::string::npos) throw std::logic_error("no '" + what + "' in " + file);
    text.replace(at, what.size(), by);
    return *this;
  }

  /// Writes everything; returns the simulation config.
  std::filesystem::path write() const {
    for (const char* sub : {"network", "components", "inputs"}) std::filesystem::create_directories(folder / sub);
    for (const auto& [name, text] : texts) std::ofstream(folder / name) << text;
    write_nodes("network/nodes.h5", "net", node_type_ids);
    write_nodes("network/ext_nodes.h5", "ext", {300, 300});
    {
      Hdf5File file = start("network/ext_edges.h5");
      write_edges(file, "ext_to_net", "ext", "net", ext_sources, ext_targets, ext_types);
      file.write("/edges/ext_to_net/0/afferent_section_id", ext_sections);
      file.write("/edges/ext_to_net/0/afferent_section_pos", ext_positions);
      file.write("/edges/ext_to_net/0/afferent_swc_id", ext_swc_ids);
      file.write("/edges/ext_to_net/0/syn_weight", ext_weights);
      file.close();
    }
    {
      Hdf5File file = start("network/edges.h5");
      write_edges(file, "net_to_net", "net", "net", {3, 0}, {0, 3}, {210, 211});
      file.write("/edges/net_to_net/0/nsyns", std::vector<std::uint32_t>{3, 2});
      file.close();
    }
    {
      Hdf5File file = start("inputs/spikes.h5");
      file.write("/spikes/ext/timestamps", spike_times_ms);
      file.write("/spikes/ext/node_ids", spike_ids);
      file.write_attribute("/spikes/ext/timestamps", "units", "ms");
      file.close();
    }
    return folder / "config.simulation.json";
  }

 private:
  Hdf5File start(const std::string& name) const {
    Hdf5File file = Hdf5File::create(folder / name);
    if (!magic) return file;
    const std::vector<std::uint32_t> number{2682}, version{0, 1};
    file.write_attribute<std::uint32_t>("/", "magic", number);
    file.write_attribute<std::uint32_t>("/", "version", version);
    return file;
  }

  void write_nodes(const std::string& name, const std::string& population,
                   const std::vector<std::uint64_t>& types) const {
    Hdf5File file = start(name);
    const std::string path = "/nodes/" + population;
    std::vector<double> x;
    std::vector<std::uint64_t> zero(types.size(), 0), index;
    for (std::size_t i = 0; i < types.size(); ++i) {
      x.push_back(10.0 * static_cast<double>(i));
      index.push_back(i);
    }
    file.write(path + "/node_type_id", types);
    file.write(path + "/node_group_id", zero);
    file.write(path + "/node_group_index", index);
    file.write(path + "/0/x", x);
    file.close();
  }

  static void write_edges(Hdf5File& file, const std::string& name, const std::string& source, const std::string& target,
                          const std::vector<std::uint64_t>& sources, const std::vector<std::uint64_t>& targets,
                          const std::vector<std::uint64_t>& types) {
    const std::string path = "/edges/" + name;
    std::vector<double> group(types.size(), 0.0);  // some files hold integers as floating-point numbers
    std::vector<std::int64_t> index;
    for (std::size_t i = 0; i < types.size(); ++i) index.push_back(static_cast<std::int64_t>(i));
    file.write(path + "/source_node_id", sources);
    file.write(path + "/target_node_id", targets);
    file.write_attribute(path + "/source_node_id", "node_population", source);
    file.write_attribute(path + "/target_node_id", "node_population", target);
    file.write(path + "/edge_type_id", types);
    file.write(path + "/edge_group_id", group);
    file.write(path + "/edge_group_index", index);
    file.make_group(path + "/0");
  }
};

/// What is said about a circuit that cannot be read.
inline std::string errors_of(const TinySonata& tiny) {
  try {
    load_sonata(tiny.write());
  } catch (const core::InputError& error) {
    return error.what();
  }
  return "no error";
}

#define EXPECT_PIECE(text, piece) EXPECT_NE((text).find(piece), std::string::npos) << (text)

}  // namespace triscale::io

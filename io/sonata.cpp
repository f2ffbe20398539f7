#include "io/sonata.hpp"

#include "io/sonata_cells.hpp"
#include "io/sonata_config.hpp"
#include "io/sonata_edges.hpp"
#include "io/sonata_inputs.hpp"
#include "network/validate.hpp"

namespace triscale::io {
namespace {

void read_run(const ConfigFile& simulation, network::RunSettings& run) {
  const auto object = simulation.json.object("run");
  if (!object) {
    simulation.json.error("run", "must be given, with tstop and dt");
    return;
  }
  run.duration_ms = object->required_number("tstop").value_or(run.duration_ms);
  run.dt_ms = object->number("dt").value_or(run.dt_ms);
  run.compartments.kind = network::CompartmentRule::Kind::max_length;
  run.compartments.max_length_um = object->number("dL").value_or(run.compartments.max_length_um);
  run.spike_threshold_mV = object->number("spike_threshold").value_or(run.spike_threshold_mV);
  if (object->number("tstart").value_or(0.0) != 0.0)
    object->error("tstart", "must be 0", "other starts are not supported");
  for (const char* key : {"random_seed", "seed"}) {
    const auto seed = object->number(key);
    if (!seed) continue;
    if (*seed >= 0) {
      run.seed = static_cast<std::uint64_t>(*seed);
    } else {
      object->error(key, "must be >= 0");
    }
  }
  // How often BMTK flushes its buffers and how it reports: no effect on results.
  object->accept({"nsteps_block", "overwrite_output_dir", "verbose_memory"});
  object->report_unread();
}

void read_conditions(const ConfigFile& simulation, network::RunSettings& run) {
  const auto object = simulation.json.object("conditions");
  if (!object) return;
  run.celsius = object->number("celsius").value_or(run.celsius);
  run.V_init_mV = object->number("v_init").value_or(run.V_init_mV);
  object->report_unread();
}

OutputSettings read_output(const ConfigFile& simulation) {
  OutputSettings output;
  const auto object = simulation.json.object("output");
  if (!object) return output;
  if (const auto folder = object->text("output_dir")) {
    output.output_dir = simulation.manifest.resolve(*folder, *object, "output_dir").string();
  }
  output.spikes_file = object->text("spikes_file").value_or(output.spikes_file);
  output.spikes_sort_order = object->text("spikes_sort_order").value_or(output.spikes_sort_order);
  // Where results go is decided on the command line; the spikes are written to HDF5 only.
  object->accept({"log_file", "spikes_file_csv", "overwrite_output_dir", "log_level", "log_to_console"});
  object->report_unread();
  return output;
}

/// Numbers go to a simulator without conversion, so the one that is named must be the one that the cells are for.
void check_target_simulator(const ConfigFile& config, const Nodes& nodes, const network::Circuit& circuit) {
  const auto simulator = config.json.text("target_simulator");
  if (!simulator) return;
  const bool nest = *simulator == "NEST";
  if (!nest && *simulator != "NEURON" && *simulator != "CORENEURON") {
    config.json.error("target_simulator", "must be NEURON or NEST",
                      "units of weights and currents differ between simulators");
    return;
  }
  for (std::size_t p = 0; p < nodes.nest.size(); ++p) {
    if (circuit.populations[p].is_virtual || nodes.nest[p].has_value() == nest) continue;
    config.json.error("target_simulator", "must be the simulator that the cells are for",
                      "population '" + circuit.populations[p].name + (nest ? "' is not" : "' is") + " of NEST");
    return;
  }
}

}  // namespace

LoadedCircuit load_sonata(const std::filesystem::path& path) {
  LoadedCircuit loaded;
  core::Diagnostics diagnostics;
  const SonataConfig config = SonataConfig::load(path, diagnostics);
  if (!config.simulation || !config.circuit) {
    diagnostics.throw_if_errors();
    throw core::InputError({path.string(), "", "", "must lead to a simulation config and a circuit config", ""});
  }
  const ConfigFile& simulation = *config.simulation;
  const ConfigFile& circuit_config = *config.circuit;
  network::Circuit& circuit = loaded.circuit;

  read_run(simulation, circuit.run);
  read_conditions(simulation, circuit.run);
  loaded.output = read_output(simulation);

  const Components components = read_components(circuit_config);
  const Nodes nodes = read_populations(circuit_config, components, circuit, diagnostics);
  check_target_simulator(simulation, nodes, circuit);
  check_target_simulator(circuit_config, nodes, circuit);
  // Edges and inputs refer to nodes: without sound nodes they would only repeat their problems.
  const bool nodes_are_sound = nodes.places.size() == nodes.populations.size() && !nodes.populations.empty();
  if (nodes_are_sound) {
    read_projections(circuit_config, components, nodes, circuit, diagnostics);
    const NodeSets sets(config, nodes, circuit, diagnostics);
    read_inputs(simulation, sets, nodes, circuit, diagnostics);
    loaded.reports = read_reports(simulation, sets, nodes, circuit, diagnostics);
  }
  circuit_config.json.accept({"target_simulator_version"});
  circuit_config.json.report_unread();
  if (simulation.json.file() != circuit_config.json.file()) simulation.json.report_unread();
  diagnostics.throw_if_errors();
  network::validate(circuit, path.string(), diagnostics);
  diagnostics.throw_if_errors();
  loaded.diagnostics = std::move(diagnostics);
  return loaded;
}

bool looks_like_sonata(const std::filesystem::path& config) {
  core::Diagnostics ignored;
  const auto json = JsonObject::load(config, ignored);
  return json && (json->has("networks") || json->has("simulation") || (json->has("network") && json->has("run")));
}

}  // namespace triscale::io

#include "io/sonata_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "io/allen_cell.hpp"
#include "io/field_probes.hpp"
#include "io/many_problems.hpp"
#include "io/spike_file.hpp"

namespace triscale::io {
namespace {

class InputReader {
 public:
  InputReader(const ConfigFile& simulation, const NodeSets& sets, const Nodes& nodes, network::Circuit& circuit,
              core::Diagnostics& diagnostics)
      : simulation_(simulation), sets_(sets), nodes_(nodes), circuit_(circuit), diagnostics_(diagnostics) {}

  void read(const JsonObject& input, const std::string& name) {
    if (input.has("enabled") && !input.flag("enabled").value_or(true)) return;
    const std::string kind = input.required_text("input_type").value_or("");
    const std::string module = input.required_text("module").value_or("");
    if (kind == "spikes" && (module == "sonata" || module == "h5" || module == "csv")) {
      read_spikes(input, module);
    } else if (kind == "current_clamp" && module == "IClamp") {
      read_current_clamp(input, name);
    } else if (!kind.empty() && !module.empty()) {
      input.error("module", "is not a supported input of type " + kind,
                  "supported: spikes with module sonata, h5 or csv; current_clamp with module IClamp");
      return;
    }
    input.report_unread();
  }

 private:
  void read_spikes(const JsonObject& input, const std::string& module) {
    const auto path = simulation_.path_at(input, "input_file");
    const auto selection = sets_.select(input, "node_set");
    if (path.empty()) input.error("input_file", "must name a spike file");
    if (path.empty() || !selection) return;
    const SpikesByPopulation spikes = read_spike_file(path, diagnostics_, module == "csv");
    for (const auto& [p, cells] : *selection) {
      network::Population& population = circuit_.populations[p];
      if (!population.is_virtual) {
        input.error("node_set", "must hold virtual nodes only", "population '" + population.name + "' is not virtual");
        continue;
      }
      if (std::holds_alternative<std::monostate>(population.source)) population.source = network::SpikeTrains{};
      for (const std::string& name : {population.file_population, std::string()}) {
        if (const auto found = spikes.find(name); found != spikes.end()) give(found->second, path.string(), p, cells);
      }
    }
    check_all_used(spikes, path.string(), *selection, input);
  }

  /// Adds the spikes of the selected cells to a population.
  void give(const FileSpikes& spikes, const std::string& file, std::size_t p, const std::vector<std::uint32_t>& cells) {
    network::Population& population = circuit_.populations[p];
    auto& trains = std::get<network::SpikeTrains>(population.source);
    const NodePopulation& nodes = *nodes_.find(population.file_population);
    const auto& places = nodes_.places[nodes_.index_of(nodes)];
    ManyProblems problems(diagnostics_);
    for (std::size_t i = 0; i < spikes.ids.size(); ++i) {
      const std::string place = "/spikes/" + population.file_population + ", row " + std::to_string(i);
      const auto row = nodes.row_of_id.find(spikes.ids[i]);
      if (row == nodes.row_of_id.end()) {
        problems.add({file, place, std::to_string(spikes.ids[i]), "must be a node of '" + nodes.name + "'", ""});
        continue;
      }
      if (!(spikes.times_ms[i] >= 0) || !std::isfinite(spikes.times_ms[i])) {
        problems.add({file, place, std::to_string(spikes.times_ms[i]), "must be a time >= 0", ""});
        continue;
      }
      const NodePlace target = places[row->second];
      if (target.population != p || !std::binary_search(cells.begin(), cells.end(), target.cell)) continue;
      trains.times_ms.push_back(spikes.times_ms[i]);
      trains.cells.push_back(target.cell);
    }
    sort_in_time(trains);
  }

  void check_all_used(const SpikesByPopulation& spikes, const std::string& file, const Selection& selection,
                      const JsonObject& input) {
    for (const auto& [name, trains] : spikes) {
      const bool used = name.empty() || std::any_of(selection.begin(), selection.end(), [&](const auto& item) {
                          return circuit_.populations[item.first].file_population == name;
                        });
      if (used) continue;
      diagnostics_.warning(
          {file, "/spikes/" + name, "", "holds spikes that no node of " + input.place("node_set") + " fires", ""});
    }
  }

  void read_current_clamp(const JsonObject& input, const std::string& name) {
    const auto selection = sets_.select(input, "node_set");
    const auto amplitudes = input.numbers("amp");
    const auto delays = input.numbers("delay");
    const auto durations = input.numbers("duration");
    const auto section_name = input.text("section_name").value_or("soma");
    const double section_index = input.number("section_index").value_or(0);
    const double section_position = input.number("section_dist").value_or(0.5);
    if (amplitudes.empty()) input.error("amp", "must be given (nA; pA into cells of NEST)");
    if (delays.size() != amplitudes.size()) input.error("delay", "must have as many values as amp");
    if (durations.size() != amplitudes.size()) input.error("duration", "must have as many values as amp");
    if (!selection || amplitudes.empty() || delays.size() != amplitudes.size() || durations.size() != amplitudes.size())
      return;
    for (const auto& [p, cells] : *selection) {
      const network::Population& population = circuit_.populations[p];
      const auto& detailed = circuit_.cell_types[population.cell_type].detailed;
      const bool of_nest = nodes_.nest[p].has_value();
      if (!detailed && !of_nest) {
        input.error("node_set", "must hold biophysical cells or cells of NEST (a current into a cell without membrane)",
                    "population '" + population.name + "' has none");
        continue;
      }
      const auto site = of_nest
                            ? std::optional(network::Site())
                            : site_on(detailed->morphology.get(), section_name, section_index, section_position, input);
      if (!site) return;
      // The number goes to the simulator as it is: nA in NEURON, pA in NEST.
      const double nA = of_nest ? 1e-3 : 1.0;
      if (of_nest) warn_of_small(input, amplitudes);
      for (std::size_t i = 0; i < amplitudes.size(); ++i) {
        network::CurrentClamp clamp;
        clamp.name = name + (amplitudes.size() > 1 ? "[" + std::to_string(i) + "]" : "") + "/" + population.name;
        clamp.population = p;
        if (cells.size() < population.size) clamp.cells = cells;
        clamp.site = *site;
        clamp.waveform =
            network::CurrentSegment{delays[i], delays[i] + durations[i], nA * amplitudes[i], nA * amplitudes[i]};
        circuit_.current_clamps.push_back(std::move(clamp));
      }
    }
  }

  /// Amplitudes copied from a config for NEURON are a thousand times too small.
  void warn_of_small(const JsonObject& input, const std::vector<double>& amplitudes) {
    constexpr double kSmall_pA = 1;
    const auto small = [](double pA) { return pA != 0 && std::abs(pA) < kSmall_pA; };
    if (!std::any_of(amplitudes.begin(), amplitudes.end(), small)) return;
    input.warning("amp", "is in pA for a cell of NEST, which makes it very small", "nA times 1000 is pA");
  }

  /// BMTK names places as NEURON does: the k-th section of a kind.
  std::optional<network::Site> site_on(const network::Morphology* morphology, const std::string& name, double index,
                                       double position, const JsonObject& input) {
    const auto kind = allen_section_kind(name);
    if (!kind) {
      input.error("section_name", "must be soma, dend, apic or axon");
      return std::nullopt;
    }
    if (!(position >= 0 && position <= 1)) {
      input.error("section_dist", "must be from 0 to 1");
      return std::nullopt;
    }
    double k = 0;
    for (std::size_t s = 0; morphology && s < morphology->sections.size(); ++s) {
      if (morphology->sections[s].kind != *kind) continue;
      if (k == index) return network::Site{static_cast<std::uint32_t>(s), position};
      k += 1;
    }
    input.error("section_index", "must be the number of a section of this kind, from 0");
    return std::nullopt;
  }

  const ConfigFile& simulation_;
  const NodeSets& sets_;
  const Nodes& nodes_;
  network::Circuit& circuit_;
  core::Diagnostics& diagnostics_;
};

}  // namespace

void read_inputs(const ConfigFile& simulation, const NodeSets& sets, const Nodes& nodes, network::Circuit& circuit,
                 core::Diagnostics& diagnostics) {
  InputReader reader(simulation, sets, nodes, circuit, diagnostics);
  if (const auto inputs = simulation.json.object("inputs")) {
    for (const std::string& name : inputs->keys()) {
      if (const auto input = inputs->object(name)) reader.read(*input, name);
    }
  }
  for (network::Population& population : circuit.populations) {
    if (!population.is_virtual || !std::holds_alternative<std::monostate>(population.source)) continue;
    diagnostics.warning({simulation.json.file(), "inputs", population.name, "is a virtual population without input",
                         "its cells never fire"});
    population.source = network::SpikeTrains{};
  }
}

std::vector<ReportSettings> read_reports(const ConfigFile& simulation, const NodeSets& sets, const Nodes& nodes,
                                         network::Circuit& circuit, core::Diagnostics& diagnostics) {
  std::vector<ReportSettings> reports;
  const auto list = simulation.json.object("reports");
  if (!list) return reports;
  for (const std::string& name : list->keys()) {
    const auto entry = list->object(name);
    if (!entry || !entry->flag("enabled").value_or(true)) continue;
    const std::string module = entry->required_text("module").value_or("");
    if (module == "extracellular") {
      read_extracellular_report(*entry, name, simulation, sets, circuit, diagnostics);
      continue;
    }
    if (module != "membrane_report" && module != "multimeter_report") {
      entry->warning("module", "is a kind of report that is not supported: it is not written",
                     "supported: membrane_report, multimeter_report, extracellular");
      continue;
    }
    const std::string sections = entry->text("sections").value_or("all");
    if (sections != "soma" && sections != "all") {
      entry->warning("sections", "is not supported in a report: it is not written", "supported: soma, all");
      continue;
    }
    const auto selection = sets.select(*entry, "cells");
    const double begin_ms = entry->number("start_time").value_or(0.0);
    const double end_ms = entry->number("end_time").value_or(circuit.run.duration_ms);
    const double dt_ms = entry->number("dt").value_or(0.0);
    const auto variables = entry->texts("variable_name");
    const std::string file_name = entry->text("file_name").value_or(name + ".h5");
    if (variables.empty()) entry->error("variable_name", "must be given");
    if (!(dt_ms >= 0)) entry->error("dt", "must be >= 0");
    entry->report_unread();
    if (!selection) continue;
    for (const std::string& given : variables) {
      const std::string variable = given == "V_m" ? "v" : given;  // NEST's name
      if (variable != "v" && variable != "cai") {
        entry->warning("variable_name", "cannot be recorded: '" + variable + "' is not written", "supported: v, cai");
        continue;
      }
      ReportSettings report{name, file_name, variable, {}};
      for (const auto& [p, cells] : *selection) {
        const network::Population& population = circuit.populations[p];
        const bool has_variable =
            circuit.cell_types[population.cell_type].detailed || (nodes.nest[p] && variable == "v");
        if (!has_variable) {
          diagnostics.warning({entry->file(), entry->place("cells"), population.name,
                               "has no such variable to record and is left out of the report", ""});
          continue;
        }
        network::Probe probe;
        probe.name = name + (variables.size() > 1 ? "/" + variable : "") + "/" + population.name;
        probe.variable = variable;
        probe.population = p;
        if (cells.size() < population.size) probe.cells = cells;
        probe.where = sections == "soma" ? network::Probe::Where::soma : network::Probe::Where::all_compartments;
        probe.begin_ms = begin_ms;
        probe.end_ms = end_ms;
        probe.dt_ms = dt_ms;
        probe.report = std::filesystem::path(file_name).stem().string() + (variables.size() > 1 ? "_" + variable : "");
        report.probes.push_back(circuit.probes.size());
        circuit.probes.push_back(std::move(probe));
      }
      reports.push_back(std::move(report));
    }
  }
  return reports;
}

}  // namespace triscale::io

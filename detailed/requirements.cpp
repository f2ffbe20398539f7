// What the detailed tier needs of a circuit.
#include "detailed/cell_network.hpp"
#include "detailed/simulate.hpp"

namespace triscale::detailed {

using network::Circuit;
using network::Population;
using network::Projection;

std::vector<core::Problem> missing(const Circuit& circuit) {
  core::Diagnostics diagnostics;
  for (const network::CellType& type : circuit.cell_types) {
    if (type.detailed) check_mechanisms(*type.detailed, "cell type " + type.name, diagnostics);
  }
  for (const Population& population : circuit.populations) {
    if (population.is_virtual || detailed_model(circuit, population) || artificial_model(circuit, population)) continue;
    diagnostics.error({"", "population " + population.name, circuit.cell_types[population.cell_type].name,
                       "has no detailed description", "give its cell type one, or run another tier"});
  }
  for (const Projection& projection : circuit.projections) {
    const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
    const bool onto_artificial = artificial_model(circuit, circuit.populations[projection.target]);
    const bool fits =
        type.detailed && onto_artificial == std::holds_alternative<network::InstantaneousSynapse>(*type.detailed);
    if (network::is_gap_junction(type) && !detailed_model(circuit, circuit.populations[projection.source])) {
      diagnostics.error({"", "projection " + projection.name, circuit.populations[projection.source].name,
                         "must be multi-compartment cells: a gap junction couples two membranes", ""});
    }
    if (!fits) {
      diagnostics.error({"", "projection " + projection.name, type.name,
                         onto_artificial
                             ? "must be an instantaneous synapse, as its target is an integrate-and-fire cell"
                             : "has no detailed conductance synapse",
                         ""});
    }
  }
  for (const network::SynapseType& type : circuit.synapse_types) {
    if (!type.plasticity) continue;
    diagnostics.error({"", "synapse type " + type.name, "plasticity", "is not supported by the detailed tier",
                       "run the point tier, or leave it out"});
  }
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    if (!detailed_model(circuit, circuit.populations[clamp.population])) {
      diagnostics.error({"", "current clamp " + clamp.name, circuit.populations[clamp.population].name,
                         "is not a population of multi-compartment cells", "inject into cells that have a membrane"});
    }
  }
  for (const network::Probe& probe : circuit.probes) {
    if (probe.variable != "v" && probe.variable != "cai") {
      diagnostics.error(
          {"", "probe " + probe.name, probe.variable, "is not a variable of the detailed tier", "record v or cai"});
    }
  }
  for (const network::FieldProbe& probe : circuit.field_probes) {
    const auto has_membrane = [&](std::size_t p) { return detailed_model(circuit, circuit.populations[p]) != nullptr; };
    bool any = false;
    for (std::size_t p = 0; probe.contributions.empty() && p < circuit.populations.size(); ++p) any |= has_membrane(p);
    for (const auto& contribution : probe.contributions) any |= has_membrane(contribution.population);
    if (any) continue;
    diagnostics.error({"", "field_probes." + probe.name, "",
                       "has no multi-compartment cells whose currents it could see",
                       "name populations that have a membrane"});
  }
  return diagnostics.errors();
}

}  // namespace triscale::detailed

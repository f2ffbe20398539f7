// What the point tier can run, and what it leaves out.
#include <fmt/format.h>

#include <algorithm>

#include "pointneuron/neuron_model.hpp"
#include "pointneuron/sampling.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale::pointneuron {

bool can_sample(const network::Circuit& circuit, const network::Probe& probe) {
  const network::Population& population = circuit.populations[probe.population];
  if (population.is_virtual || probe.where != network::Probe::Where::soma) return false;
  const network::PointModel& model = circuit.cell_types[population.cell_type].point->model;
  if (probe.variable == "g" || probe.variable == "i_syn") return !std::holds_alternative<network::IntFire1Model>(model);
  const auto names = recordable(model);
  return std::find(names.begin(), names.end(), probe.variable) != names.end();
}

namespace {

core::Problem problem(std::string place, std::string value, std::string rule, std::string hint) {
  return {"", std::move(place), std::move(value), std::move(rule), std::move(hint)};
}

/// What a projection onto a cell of the point tier lacks.
void check_projection(const network::Circuit& circuit, std::size_t p, std::vector<core::Problem>& problems) {
  const network::Projection& projection = circuit.projections[p];
  const network::Population& target = circuit.populations[projection.target];
  const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
  if (target.is_virtual) return;
  if (!type.point) {
    problems.push_back(problem(fmt::format("synapse_types.{}", type.name), "", "must have a point description",
                               "derive it with 'triscale derive', or give one"));
    return;
  }
  const auto* synapse = std::get_if<network::PointSynapse>(&*type.point);
  if (synapse && synapse->receptors.empty()) {
    problems.push_back(
        problem(fmt::format("synapse_types.{}.point.receptors", type.name), "", "must not be empty", ""));
  }
  const auto& cell = circuit.cell_types[target.cell_type].point;
  if (!cell) return;
  const bool instantaneous = std::holds_alternative<network::InstantaneousSynapse>(*type.point);
  if (instantaneous != std::holds_alternative<network::IntFire1Model>(cell->model)) {
    problems.push_back(problem(fmt::format("projections.{}", projection.name), type.name,
                               "must use instantaneous synapses if its target is IntFire1, conductances or currents "
                               "otherwise",
                               "use a synapse type of the other kind"));
  }
}

}  // namespace

std::vector<core::Problem> missing(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  std::vector<bool> reported(circuit.cell_types.size(), false);
  for (const network::Population& population : circuit.populations) {
    if (population.is_virtual || reported[population.cell_type]) continue;
    const network::CellType& type = circuit.cell_types[population.cell_type];
    if (type.point) continue;
    reported[population.cell_type] = true;
    problems.push_back(problem(fmt::format("cell_types.{}", type.name), "", "must have a point description",
                               "derive it with 'triscale derive', or give one"));
  }
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) check_projection(circuit, p, problems);
  for (const network::WeightProbe& probe : circuit.weight_probes) {
    const network::Projection& projection = circuit.projections[probe.projection];
    if (circuit.synapse_types[projection.synapse_type].plasticity) continue;
    problems.push_back(problem(fmt::format("weight_probes.{}", probe.name), projection.name,
                               "must name a projection with plasticity", "the weights of all others stay as they are"));
  }
  for (const network::Population& population : circuit.populations) {
    const auto& cell = circuit.cell_types[population.cell_type].point;
    if (!population.V_init_mV || !cell || !std::holds_alternative<network::IntFire1Model>(cell->model)) continue;
    problems.push_back(problem(fmt::format("populations.{}.V_init_mV", population.name), "",
                               "must not be given for normalised cells", "they have no membrane potential"));
  }
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    const network::Population& population = circuit.populations[clamp.population];
    const auto& cell = circuit.cell_types[population.cell_type].point;
    if (!population.is_virtual && (!cell || !std::holds_alternative<network::IntFire1Model>(cell->model))) continue;
    problems.push_back(problem(fmt::format("current_clamps.{}", clamp.name), population.name,
                               "must act on cells that have a membrane", "remove it, or choose another population"));
  }
  return problems;
}

std::vector<core::Problem> left_out(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  for (const network::Probe& probe : circuit.probes) {
    const network::Population& population = circuit.populations[probe.population];
    if (!population.is_virtual && !circuit.cell_types[population.cell_type].point) continue;
    if (can_sample(circuit, probe)) continue;
    problems.push_back(problem(fmt::format("probes.{}", probe.name), probe.variable,
                               "is not recorded: point neurons of this population have no such variable or place", ""));
  }
  return problems;
}

}  // namespace triscale::pointneuron

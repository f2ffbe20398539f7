#include "detailed/cell_network.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace triscale::detailed {

using network::Circuit;
using network::Population;
using network::Projection;

const network::IntFire1Model* artificial_model(const Circuit& circuit, const Population& population) {
  const network::CellType& type = circuit.cell_types[population.cell_type];
  if (population.is_virtual || type.detailed || !type.point) return nullptr;
  return std::get_if<network::IntFire1Model>(&type.point->model);
}

const network::DetailedCell* detailed_model(const Circuit& circuit, const Population& population) {
  const network::CellType& type = circuit.cell_types[population.cell_type];
  return population.is_virtual || !type.detailed ? nullptr : &*type.detailed;
}

CellNetwork::CellNetwork(const Circuit& circuit)
    : circuit_(circuit), grid_{circuit.run.dt_ms, circuit.run.duration_ms} {
  label_sources();
  build_templates();
  build_gap_junctions(build_cells());
  build_injections();
}

void CellNetwork::label_sources() {
  std::uint32_t next = 0;
  for (const Population& population : circuit_.populations) {
    first_label_.push_back(next);
    next += static_cast<std::uint32_t>(population.size);
  }
}

void CellNetwork::build_templates() {
  const auto& populations = circuit_.populations;
  templates_.resize(populations.size());
  for (std::size_t p = 0; p < populations.size(); ++p) {
    if (const network::DetailedCell* cell = detailed_model(circuit_, populations[p])) {
      templates_[p] = std::make_unique<CellTemplate>(
          CellTemplate{*cell, build_compartments(*cell, circuit_.run.compartments), circuit_.run.celsius});
    }
  }
}

/// Returns the gap junctions, whose cells must be there before them.
std::vector<CellNetwork::GapJunctions> CellNetwork::build_cells() {
  const auto& populations = circuit_.populations;
  std::vector<GapJunctions> junctions;
  // Synapses by target population and group.
  std::vector<GroupSynapses> synapses(populations.size());
  std::vector<std::vector<ArtificialSynapse>> artificial(populations.size());
  for (std::size_t p = 0; p < populations.size(); ++p) {
    synapses[p].resize((populations[p].size + kGroupCells - 1) / kGroupCells);
  }
  std::uint64_t hash = network::kEdgeHashStart;
  double shortest_delay = 1e300;
  for (std::size_t k = 0; k < circuit_.projections.size(); ++k) {
    const Projection& projection = circuit_.projections[k];
    const network::EdgeList edges = network::edges_of(circuit_, k);
    hash = network::hash_edges(hash, k, edges);
    statistics_.synapses += edges.size();
    if (network::is_gap_junction(circuit_.synapse_types[projection.synapse_type])) {
      junctions.push_back({k, edges});
      continue;
    }
    if (templates_[projection.target]) {
      add_synapses(k, edges, synapses[projection.target]);
    } else {
      add_artificial_synapses(k, edges, artificial[projection.target]);
    }
    if (!populations[projection.source].is_virtual) {
      for (const double delay : edges.delays_ms) shortest_delay = std::min(shortest_delay, delay);
    }
  }
  statistics_.edge_hash = hash;
  // A spike at the start of a window must not be able to act before its end.
  constexpr double kLongestWindow = 64;
  window_ = static_cast<std::int64_t>(std::clamp(std::floor(shortest_delay / grid_.dt_ms + 1e-9), 1.0, kLongestWindow));
  // Gap junctions couple cells in every step.
  if (!junctions.empty()) window_ = 1;
  for (std::size_t p = 0; p < populations.size(); ++p) build_population(p, synapses[p], std::move(artificial[p]));
  return junctions;
}

/// Receptors and release of a synapse type; made when first needed.
const SynapseKinetics* CellNetwork::kinetics_of(std::size_t synapse_type) {
  kinetics_.resize(circuit_.synapse_types.size());
  auto& kinetics = kinetics_[synapse_type];
  if (!kinetics) {
    const network::SynapseType& type = circuit_.synapse_types[synapse_type];
    kinetics = std::make_unique<SynapseKinetics>();
    kinetics->release = type.release;
    if (const auto* several = std::get_if<network::ReceptorSynapse>(&*type.detailed)) {
      kinetics->receptors = several->receptors;
    } else {
      kinetics->receptors = {{std::get<network::BiexponentialSynapse>(*type.detailed)}};
    }
  }
  return kinetics.get();
}

void CellNetwork::add_synapses(std::size_t k, const network::EdgeList& edges, GroupSynapses& groups) {
  const Projection& projection = circuit_.projections[k];
  const SynapseKinetics* kinetics = kinetics_of(projection.synapse_type);
  const CompartmentTree& tree = templates_[projection.target]->tree;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const std::uint32_t target = edges.targets[e];
    const network::Site site = edges.sites.empty() ? network::Site{} : edges.sites[e];
    groups[target / kGroupCells].push_back({label(projection.source, edges.sources[e]),
                                            target % static_cast<std::uint32_t>(kGroupCells),
                                            static_cast<std::uint32_t>(tree.node_at(site)), kinetics, edges.weights[e],
                                            edges.delays_ms[e], network::release_entity(k, e)});
  }
}

void CellNetwork::add_artificial_synapses(std::size_t k, const network::EdgeList& edges,
                                          std::vector<ArtificialSynapse>& synapses) const {
  const Projection& projection = circuit_.projections[k];
  const network::SynapseType& type = circuit_.synapse_types[projection.synapse_type];
  const auto& kinetics = std::get<network::InstantaneousSynapse>(*type.detailed);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    synapses.push_back({label(projection.source, edges.sources[e]), edges.targets[e], kinetics.sign * edges.weights[e],
                        edges.delays_ms[e], type.release ? &*type.release : nullptr, network::release_entity(k, e)});
  }
}

void CellNetwork::build_population(std::size_t p, const GroupSynapses& synapses,
                                   std::vector<ArtificialSynapse> artificial) {
  const Population& population = circuit_.populations[p];
  if (population.is_virtual) return;
  statistics_.cells += population.size;
  if (const network::IntFire1Model* model = artificial_model(circuit_, population)) {
    artificial_.emplace_back(p, ArtificialCells(*model, population.size, std::move(artificial), circuit_.run.seed));
    return;
  }
  first_worker_.resize(circuit_.populations.size(), 0);
  first_worker_[p] = workers_.size();
  statistics_.compartments += population.size * templates_[p]->tree.segments();
  for (std::size_t g = 0; g < synapses.size(); ++g) {
    const std::size_t first = g * kGroupCells;
    const std::size_t cells = std::min<std::size_t>(kGroupCells, population.size - first);
    workers_.push_back({CellGroup(*templates_[p], cells, grid_.dt_ms, circuit_.run.V_init_mV, synapses[g],
                                  circuit_.run.scheme, circuit_.run.seed),
                        p,
                        static_cast<std::uint32_t>(first),
                        {},
                        std::vector<double>(cells, circuit_.run.V_init_mV),
                        {}});
  }
}

/// Both sides of every gap junction of the circuit.
void CellNetwork::build_gap_junctions(const std::vector<GapJunctions>& junctions) {
  for (const auto& [k, edges] : junctions) {
    const Projection& projection = circuit_.projections[k];
    const std::size_t source_node = templates_[projection.source]->tree.node_at(projection.source_site);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const network::Site site = edges.sites.empty() ? network::Site{} : edges.sites[e];
      const Place source = place_of(projection.source, edges.sources[e], source_node);
      const Place target =
          place_of(projection.target, edges.targets[e], templates_[projection.target]->tree.node_at(site));
      for (const auto& [here, there] : {std::pair{source, target}, std::pair{target, source}}) {
        const std::size_t index = workers_[here.group].group.add_gap_junction(here.cell, here.node, edges.weights[e]);
        couplings_.push_back({here.group, index, there});
      }
    }
  }
}

void CellNetwork::exchange_potentials() {
  for (const Coupling& coupling : couplings_) {
    const Place& partner = coupling.partner;
    workers_[coupling.group].group.set_partner_mV(coupling.junction,
                                                  workers_[partner.group].group.V_mV(partner.cell, partner.node));
  }
}

void CellNetwork::build_injections() {
  for (std::size_t k = 0; k < circuit_.current_clamps.size(); ++k) {
    const network::CurrentClamp& clamp = circuit_.current_clamps[k];
    if (!templates_[clamp.population]) continue;
    const std::size_t node = templates_[clamp.population]->tree.node_at(clamp.site);
    for_cells(circuit_, clamp.population, clamp.cells, [&](std::uint32_t cell) {
      Worker& worker = workers_[first_worker_[clamp.population] + cell / kGroupCells];
      worker.injections.emplace_back(clamp, circuit_.run.seed, k, cell % kGroupCells, cell, node, grid_.dt_ms);
    });
  }
}

}  // namespace triscale::detailed

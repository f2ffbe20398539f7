/// The cells of a circuit that the detailed tier integrates, in groups of one type, with all that acts on them:
/// synapses, gap junctions, injected currents; and the integrate-and-fire cells among them.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/recorder.hpp"
#include "core/time_grid.hpp"
#include "detailed/artificial_cells.hpp"
#include "detailed/cell_group.hpp"
#include "detailed/injection.hpp"
#include "network/circuit.hpp"
#include "network/edges.hpp"

namespace triscale::detailed {

/// The integrate-and-fire model of a population that SONATA puts beside multi-compartment cells; null if it is none.
const network::IntFire1Model* artificial_model(const network::Circuit& circuit, const network::Population& population);
/// Null if the population has no membrane.
const network::DetailedCell* detailed_model(const network::Circuit& circuit, const network::Population& population);

/// A compartment of a cell of a group.
struct Place {
  std::size_t group, cell, node;
};

/// A group together with what belongs to it.
struct Worker {
  CellGroup group;
  std::size_t population;
  std::uint32_t first_cell;  // index within the population
  std::vector<Injection> injections;
  std::vector<double> soma_V_mV;                         // after the last step, a cell
  std::vector<std::pair<double, std::uint32_t>> spikes;  // (time, cell within the group) of a window
};

class CellNetwork {
 public:
  explicit CellNetwork(const network::Circuit& circuit);

  /// Label of a cell as a source of spikes.
  std::uint32_t label(std::size_t population, std::uint32_t cell) const { return first_label_[population] + cell; }
  std::vector<Worker>& workers() { return workers_; }
  const std::vector<Worker>& workers() const { return workers_; }
  /// (population, cells)
  std::vector<std::pair<std::size_t, ArtificialCells>>& artificial() { return artificial_; }
  /// So many steps that a spike at the start of a window cannot act before its end.
  std::int64_t window() const { return window_; }
  /// Cells, compartments, synapses and hash of the edges.
  const core::RunStatistics& statistics() const { return statistics_; }

  /// Null if the population has no membrane.
  const CompartmentTree* tree(std::size_t population) const {
    return templates_[population] ? &templates_[population]->tree : nullptr;
  }
  Place place_of(std::size_t population, std::uint32_t cell, std::size_t node) const {
    return {first_worker_[population] + cell / kGroupCells, cell % kGroupCells, node};
  }
  const CellGroup& group(const Place& place) const { return workers_[place.group].group; }

  /// Every gap junction gets its partner's potential as it is now; called while no group is running.
  void exchange_potentials();

 private:
  using GroupSynapses = std::vector<std::vector<GroupSynapse>>;  // by group
  struct GapJunctions {
    std::size_t projection;
    network::EdgeList edges;
  };
  /// One side of a gap junction.
  struct Coupling {
    std::size_t group, junction;
    Place partner;
  };

  void label_sources();
  void build_templates();
  std::vector<GapJunctions> build_cells();
  const SynapseKinetics* kinetics_of(std::size_t synapse_type);
  void add_synapses(std::size_t k, const network::EdgeList& edges, GroupSynapses& groups);
  void add_artificial_synapses(std::size_t k, const network::EdgeList& edges,
                               std::vector<ArtificialSynapse>& synapses) const;
  void build_population(std::size_t p, const GroupSynapses& synapses, std::vector<ArtificialSynapse> artificial);
  void build_gap_junctions(const std::vector<GapJunctions>& junctions);
  void build_injections();

  const network::Circuit& circuit_;
  core::TimeGrid grid_;
  core::RunStatistics statistics_;
  std::vector<std::uint32_t> first_label_;  // of each population
  std::vector<std::unique_ptr<CellTemplate>> templates_;
  std::vector<Worker> workers_;
  std::vector<std::size_t> first_worker_;
  std::vector<std::pair<std::size_t, ArtificialCells>> artificial_;
  std::vector<std::unique_ptr<SynapseKinetics>> kinetics_;  // by synapse type
  std::vector<Coupling> couplings_;
  std::int64_t window_ = 1;
};

/// Calls body(cell) for the chosen cells, or all if none are.
template <class Body>
void for_cells(const network::Circuit& circuit, std::size_t population, const std::vector<std::uint32_t>& cells,
               Body body) {
  if (!cells.empty()) {
    for (const std::uint32_t cell : cells) body(cell);
  } else {
    for (std::uint32_t cell = 0; cell < circuit.populations[population].size; ++cell) body(cell);
  }
}

}  // namespace triscale::detailed

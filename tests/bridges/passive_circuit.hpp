/// A small circuit of passive cells for tests of field kernels, and kernels of it.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "bridges/fields/field_kernels.hpp"
#include "measure/activity.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Passive cells with a soma and a branching dendrite, placed and turned, driven by four sources through synapses at
/// several places; two electrodes and the dipole, which goes through components.
inline network::Circuit passive_circuit(double weight_uS) {
  network::Morphology m;
  m.sections.push_back({network::SectionKind::soma, -1, 1, {{-10, 0, 0, 20}, {10, 0, 0, 20}}, {}});
  m.sections.push_back({network::SectionKind::basal, 0, 1, {{10, 0, 0, 2}, {210, 0, 0, 2}}, {}});
  m.sections.push_back({network::SectionKind::apical, 1, 1, {{210, 0, 0, 1}, {210, 150, 0, 1}}, {}});
  m.sections.push_back({network::SectionKind::apical, 1, 1, {{210, 0, 0, 1}, {350, 0, 60, 1}}, {}});
  network::DetailedCell cell;
  cell.morphology = std::make_shared<network::Morphology>(m);
  for (auto& region : cell.regions) {
    region.Ra_Ohm_cm = 150;
    region.C_m_uF_cm2 = 1;
    region.g_pas_S_cm2 = 5e-5;
    region.e_pas_mV = -70;
  }
  network::Circuit circuit;
  circuit.run.dt_ms = 0.025;
  circuit.run.duration_ms = 200;
  circuit.run.V_init_mV = -70;
  circuit.run.scheme = network::TimeScheme::second_order;
  circuit.cell_types.push_back({"cell", network::Dale::excitatory, cell, {}, {}});
  network::Population cells;
  cells.name = "cells";
  cells.size = 3;
  cells.placements = {{0, 0, 0, 0, 0, 0}, {30, -20, 10, 0.3, 1.0, 2.0}, {-40, 15, -5, 1.2, -0.4, 0.7}};
  network::Population sources;
  sources.name = "sources";
  sources.size = 4;
  sources.is_virtual = true;
  circuit.populations = {cells, sources};
  network::SynapseType synapse;
  synapse.name = "s";
  synapse.detailed = network::BiexponentialSynapse{0.5, 3, 0};
  circuit.synapse_types = {synapse};
  network::Projection projection;
  projection.name = "p";
  projection.source = 1;
  projection.target = 0;
  network::ExplicitEdges edges;
  for (std::uint32_t source = 0; source < 4; ++source) {
    for (std::uint32_t target = 0; target < 3; ++target) {
      edges.sources.push_back(source);
      edges.targets.push_back(target);
      edges.weights.push_back(weight_uS);
      edges.delays_ms.push_back(1.0 + 0.5 * target);
      edges.sites.push_back({(source + target) % 4, 0.3 + 0.1 * source});
    }
  }
  projection.connectivity = std::move(edges);
  circuit.projections = {projection};
  network::FieldProbe potential;
  potential.name = "lfp";
  network::ExtracellularPotential electrodes;
  electrodes.electrodes = {{0, {50, 40, 10}, 0, {0, 0, 1}}, {1, {200, -60, 30}, 0, {0, 0, 1}}};
  potential.signal = electrodes;
  potential.dt_ms = 0.5;
  network::FieldProbe eeg;
  eeg.name = "eeg";
  eeg.signal = network::Eeg{{{0, {0, 0, 5000}, 0, {0, 0, 1}}}, 0.3, {}, {}};
  eeg.dt_ms = 0.5;
  circuit.field_probes = {potential, eeg};
  return circuit;
}

/// An activity in which nobody fires: the state of rest.
inline measure::Activity silence(const network::Circuit& circuit) {
  measure::Activity activity;
  activity.duration_ms = 100;
  for (const network::Population& population : circuit.populations) {
    measure::PopulationActivity entry;
    entry.name = population.name;
    entry.cells = population.size;
    entry.is_virtual = population.is_virtual;
    activity.populations.push_back(std::move(entry));
  }
  return activity;
}

inline network::CircuitKernels kernels_at_rest(const network::Circuit& circuit) {
  network::Derivation derivation;
  core::NoProgress progress;
  FieldKernelOptions options;
  options.highest_Hz = 5000;
  options.length_ms = 200;
  return derive_field_kernels(circuit, silence(circuit), options, 1, derivation, progress);
}

inline void fire(network::Circuit& circuit, std::vector<double> times_ms, std::vector<std::uint32_t> cells) {
  circuit.populations[1].source = network::SpikeTrains{std::move(times_ms), std::move(cells)};
}

/// 40 independent Poisson sources with other places and weights each, and kernels that are shared if `most_values` is
/// too small for all.
inline network::Circuit many_sources() {
  network::Circuit circuit = passive_circuit(1e-4);
  circuit.run.duration_ms = 20000;
  circuit.field_probes.pop_back();
  circuit.populations[1].size = 40;
  circuit.populations[1].source = network::PoissonTrains{{0}, {10}, 0};
  network::ExplicitEdges edges;
  for (std::uint32_t source = 0; source < 40; ++source) {
    edges.sources.push_back(source);
    edges.targets.push_back(source % 3);
    edges.weights.push_back(1e-5 * (5 + source % 7));
    edges.delays_ms.push_back(1.0);
    edges.sites.push_back({source % 4, 0.1 + 0.02 * source});
  }
  circuit.projections[0].connectivity = std::move(edges);
  return circuit;
}

inline network::CircuitKernels kernels_within(const network::Circuit& circuit, std::size_t most_values) {
  network::Derivation derivation;
  core::NoProgress progress;
  FieldKernelOptions options;
  options.length_ms = 200;
  options.most_values = most_values;
  return derive_field_kernels(circuit, silence(circuit), options, 2, derivation, progress);
}

inline constexpr std::size_t kThreeCells = 3 * 2 * 2000;  // kernels of the simulated cells alone

}  // namespace triscale::bridges

#include "bridges/point/synaptic_drive.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "bridges/point/cell_recording.hpp"
#include "bridges/point/edges_onto.hpp"
#include "bridges/point/training_cells.hpp"
#include "network/edges.hpp"
#include "network/spike_source.hpp"
#include "pointneuron/dendrite.hpp"
#include "pointneuron/receptors.hpp"

namespace triscale::bridges {

namespace {

constexpr double kLeastRecurrent_hz = 0.5;  // a source that is silent now may not be so under other input
constexpr double kMsPerS = 1000;

/// V with a straight line in place of each spike: a point neuron has none, and holds V at its reset meanwhile.
std::vector<double> without_spikes(const GifSweep& sweep) {
  constexpr double kBefore_ms = 1, kAfter_ms = 4;
  std::vector<double> V = sweep.V_mV;
  const auto last = static_cast<double>(V.size() - 1);
  for (const double t_ms : sweep.spikes_ms) {
    const auto begin = static_cast<std::size_t>(std::clamp((t_ms - kBefore_ms) / sweep.dt_ms, 0.0, last));
    const auto end = static_cast<std::size_t>(std::clamp((t_ms + kAfter_ms) / sweep.dt_ms, 0.0, last));
    for (std::size_t k = begin + 1; k < end; ++k) {
      V[k] = V[begin] + (V[end] - V[begin]) * static_cast<double>(k - begin) / static_cast<double>(end - begin);
    }
  }
  return V;
}

/// What arrives through one projection, and its synapses.
struct ProjectionInput {
  struct Arrival {
    std::size_t step, row;  ///< row: [receptor][cell]
    double weight;
  };
  std::vector<Arrival> arrivals;  ///< in the order of time
  pointneuron::Receptors receptors;
  std::vector<double> row;
  std::size_t next = 0;
};

ProjectionInput input_through(const network::Circuit& circuit, std::size_t k, std::size_t cells, std::size_t steps) {
  const double dt_ms = circuit.run.dt_ms;
  const network::Projection& projection = circuit.projections[k];
  const auto groups = pointneuron::groups_of(circuit.synapse_types[projection.synapse_type]);
  const network::PointEdgeList edges = network::point_edges_of(circuit, k, network::edges_of(circuit, k));
  std::vector<std::vector<std::size_t>> edges_of_source(circuit.populations[projection.source].size);
  for (std::size_t e = 0; e < edges.sources.size(); ++e) edges_of_source[edges.sources[e]].push_back(e);
  ProjectionInput out{{}, {groups, cells, dt_ms}, std::vector<double>(groups.size() * cells)};
  std::vector<network::SourceSpike> spikes;
  network::SpikeSourceReader(circuit, projection.source, 0, edges_of_source.size())
      .take_until(circuit.run.duration_ms, spikes);
  for (const network::SourceSpike& spike : spikes) {
    for (const std::size_t e : edges_of_source[spike.cell]) {
      const auto step = static_cast<std::size_t>(std::llround((spike.t_ms + edges.delays_ms[e]) / dt_ms));
      if (step < steps) out.arrivals.push_back({step, edges.receptors[e] * cells + edges.targets[e], edges.weights[e]});
    }
  }
  std::stable_sort(
      out.arrivals.begin(), out.arrivals.end(),
      [](const ProjectionInput::Arrival& a, const ProjectionInput::Arrival& b) { return a.step < b.step; });
  return out;
}

}  // namespace

SynapticDrive::SynapticDrive(const network::Circuit& circuit, std::size_t target,
                             const std::vector<std::uint32_t>& cells, const std::vector<double>& rates_hz) {
  circuit_.run = circuit.run;
  circuit_.cell_types = circuit.cell_types;
  circuit_.synapse_types = circuit.synapse_types;
  network::Population driven;
  driven.name = "cells";
  driven.size = cells.size();
  driven.cell_type = circuit.populations[target].cell_type;
  circuit_.populations = {driven};
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    const network::Projection& projection = circuit.projections[k];
    if (projection.target != target) continue;
    const auto& type = circuit.synapse_types[projection.synapse_type];
    if (!network::is_conductance(type)) continue;
    network::ExplicitEdges edges = edges_onto(network::edges_of(circuit, k), cells);
    if (edges.targets.empty()) continue;
    const network::Population& source = circuit.populations[projection.source];
    network::Projection copy = projection;
    copy.source = circuit_.populations.size();
    copy.target = 0;
    copy.connectivity = std::move(edges);
    network::Population sources;
    sources.name = projection.name;
    sources.size = source.size;
    sources.is_virtual = true;
    sources.cell_type = source.cell_type;
    const double base = source.is_virtual ? source_rate_hz(circuit, projection.source)
                                          : std::max(kLeastRecurrent_hz, rates_hz[projection.source]);
    inputs_.push_back({circuit_.populations.size(), base, source.is_virtual});
    circuit_.populations.push_back(std::move(sources));
    projections_.push_back(circuit_.projections.size());
    circuit_.projections.push_back(std::move(copy));
  }
}

network::Circuit SynapticDrive::driven(const std::vector<DriveLevel>& levels, double level_ms,
                                       std::uint64_t seed) const {
  network::Circuit out = circuit_;
  out.run.seed = seed;
  out.run.duration_ms = level_ms * static_cast<double>(levels.size());
  for (const Input& input : inputs_) {
    network::PoissonTrains trains;
    trains.times_ms.clear();
    trains.rates_hz.clear();
    for (std::size_t l = 0; l < levels.size(); ++l) {
      trains.times_ms.push_back(static_cast<double>(l) * level_ms);
      trains.rates_hz.push_back(input.base_rate_hz * (input.external ? levels[l].external : levels[l].recurrent));
    }
    out.populations[input.population].source = std::move(trains);
  }
  return out;
}

std::vector<GifSweep> SynapticDrive::record(const std::vector<DriveLevel>& levels, double level_ms, std::uint64_t seed,
                                            core::Progress& progress) const {
  return record_population(driven(levels, level_ms, seed), 0, progress);
}

void SynapticDrive::add_conductances(const std::vector<network::SynapseType>& synapse_types,
                                     const PassiveMembrane& membrane, const std::vector<DriveLevel>& levels,
                                     double level_ms, std::uint64_t seed, std::vector<GifSweep>& sweeps) const {
  network::Circuit circuit = driven(levels, level_ms, seed);
  circuit.synapse_types = synapse_types;
  for (GifSweep& sweep : sweeps) {
    sweep.I_nA.assign(sweep.V_mV.size(), 0.0);
    sweep.G_uS.assign(sweep.V_mV.size(), 0.0);
    sweep.GE_nA.assign(sweep.V_mV.size(), 0.0);
    sweep.G_soma_uS.clear();
  }
  const std::size_t steps = sweeps.front().V_mV.size(), cells = sweeps.size();
  const double dt_ms = circuit.run.dt_ms;
  std::vector<ProjectionInput> inputs;
  for (const std::size_t k : projections_) inputs.push_back(input_through(circuit, k, cells, steps));
  const bool some_at_soma = membrane.dendrite && std::any_of(inputs.begin(), inputs.end(), [](const auto& input) {
                              return input.receptors.some_at_soma();
                            });
  if (some_at_soma) {
    for (GifSweep& sweep : sweeps) sweep.G_soma_uS.assign(steps, 0.0);
  }

  // A magnesium block sees the potential at the synapses: that of the soma, or of a dendrite that follows it.
  std::vector<std::vector<double>> soma;
  for (const GifSweep& sweep : sweeps) soma.push_back(without_spikes(sweep));
  std::optional<pointneuron::DendriteStep> dendrite;
  double coupling_uS = 0;
  if (membrane.dendrite) {
    network::GifModel::Dendrite clamped = *membrane.dendrite;
    coupling_uS = clamped.spike_coupling_uS = clamped.coupling_uS;
    clamped.spike_E_mV = 0;
    dendrite.emplace(clamped, membrane.C_m_nF, membrane.E_L_mV, dt_ms);
  }
  std::vector<double> V(cells), G(cells), GE(cells), all_G(cells), all_GE(cells);
  std::vector<double> G_soma(some_at_soma ? cells : 0), GE_soma(G_soma);
  for (std::size_t cell = 0; cell < cells; ++cell) V[cell] = soma[cell].front();
  for (std::size_t step = 0; step < steps; ++step) {
    std::fill(all_G.begin(), all_G.end(), 0.0);
    std::fill(all_GE.begin(), all_GE.end(), 0.0);
    for (std::size_t cell = 0; cell < cells && !dendrite; ++cell) V[cell] = soma[cell][step];
    for (ProjectionInput& input : inputs) {
      for (; input.next < input.arrivals.size() && input.arrivals[input.next].step == step; ++input.next) {
        input.row[input.arrivals[input.next].row] += input.arrivals[input.next].weight;
      }
      input.receptors.step(0, cells, input.row, V, {G, GE, G_soma, GE_soma});
      for (std::size_t cell = 0; cell < cells; ++cell) {
        all_G[cell] += G[cell];
        all_GE[cell] += GE[cell];
        if (!some_at_soma) continue;
        sweeps[cell].G_soma_uS[step] += G_soma[cell];
        sweeps[cell].I_nA[step] += GE_soma[cell];
      }
    }
    for (std::size_t cell = 0; cell < cells; ++cell) {
      sweeps[cell].G_uS[step] = all_G[cell];
      sweeps[cell].GE_nA[step] = all_GE[cell];
      if (dendrite)
        V[cell] = dendrite->refractory_step(V[cell], all_G[cell], all_GE[cell] + coupling_uS * soma[cell][step]);
    }
  }
}

std::vector<DriveLevel> SynapticDrive::find_levels(std::uint64_t seed, core::Progress& progress) const {
  constexpr double kPilot_ms = 600, kSettle_ms = 100, kLeast_hz = 1.5, kMost_hz = 20, kAim_hz = 6;
  constexpr std::size_t kPilots = 9;
  constexpr double kExternalShares[] = {1, 0.7, 1.4}, kRecurrentShares[] = {1, 0.4, 2};
  if (!has_input()) return {};
  std::vector<DriveLevel> pilots;
  for (std::size_t k = 0; k < kPilots; ++k) pilots.push_back({0.25 * std::pow(2.0, static_cast<double>(k)), 1});
  const std::size_t as_it_is = 2;  // external rates times 1
  std::vector<double> rates(kPilots, 0.0);
  const std::vector<GifSweep> sweeps = record(pilots, kPilot_ms, seed, progress);
  for (const GifSweep& sweep : sweeps) {
    for (const double t : sweep.spikes_ms) {
      const auto level = std::min(kPilots - 1, static_cast<std::size_t>(t / kPilot_ms));
      if (t - static_cast<double>(level) * kPilot_ms < kSettle_ms) continue;
      rates[level] += kMsPerS / (kPilot_ms - kSettle_ms) / static_cast<double>(sweeps.size());
    }
  }
  // The circuit's own external rates where they make the cells fire; else the lowest multiple that does: far above it
  // cells fall into depolarisation block, and their rates go down again. So a high rate is taken for the circuit's own
  // only where still more drive raises it.
  std::size_t centre = as_it_is;
  const bool blocked = rates[as_it_is] > kMost_hz && rates[as_it_is + 1] <= rates[as_it_is];
  if (!(rates[centre] >= kLeast_hz) || blocked) {
    centre = 0;
    while (centre + 1 < kPilots && rates[centre] < kAim_hz) ++centre;
    // The one before may be nearer.
    if (centre > 0 && rates[centre - 1] >= kLeast_hz && rates[centre] - kAim_hz > kAim_hz - rates[centre - 1]) --centre;
    if (!(rates[centre] >= kLeast_hz)) {
      centre = static_cast<std::size_t>(std::max_element(rates.begin(), rates.end()) - rates.begin());
    }
  }
  if (!(rates[centre] >= kLeast_hz)) return {};
  std::vector<DriveLevel> levels;
  for (const double recurrent : kRecurrentShares) {
    for (const double external : kExternalShares) levels.push_back({external * pilots[centre].external, recurrent});
  }
  return levels;
}

}  // namespace triscale::bridges

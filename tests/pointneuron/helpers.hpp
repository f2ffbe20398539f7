/// Small circuits for the tests of the point tier, and a recorder that keeps everything.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/recorder.hpp"
#include "network/circuit.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale::testing {

struct Spike {
  std::size_t population;
  double t_ms;
  std::uint32_t cell;
  bool operator==(const Spike&) const = default;
};

class KeepingRecorder : public core::Recorder {
 public:
  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    for (std::uint32_t cell : cells) spikes.push_back({population, t_ms, cell});
  }
  void record_probe(std::size_t probe, double t_ms, std::span<const double> values) override {
    probes[probe].emplace_back(t_ms, std::vector<double>(values.begin(), values.end()));
  }
  void record_rates(double, std::span<const double>) override {}

  std::vector<double> times_of(std::size_t population, std::uint32_t cell = 0) const {
    std::vector<double> times;
    for (const Spike& s : spikes) {
      if (s.population == population && s.cell == cell) times.push_back(s.t_ms);
    }
    return times;
  }

  std::vector<Spike> spikes;
  std::map<std::size_t, std::vector<std::pair<double, std::vector<double>>>> probes;
};

/// `size` cells of one model, called "cells", population 0.
inline network::Circuit cells_of(const network::PointModel& model, std::size_t size, double duration_ms, double dt_ms) {
  network::Circuit circuit;
  network::CellType type;
  type.name = "type";
  type.point = network::PointCell{model};
  circuit.cell_types.push_back(type);
  network::Population population;
  population.name = "cells";
  population.size = size;
  circuit.populations.push_back(population);
  circuit.run.duration_ms = duration_ms;
  circuit.run.dt_ms = dt_ms;
  return circuit;
}

inline void add_step_current(network::Circuit& circuit, double begin_ms, double end_ms, double I_nA,
                             std::size_t population = 0) {
  network::CurrentClamp clamp;
  clamp.name = "step";
  clamp.population = population;
  clamp.waveform = network::CurrentSegment{begin_ms, end_ms, I_nA, I_nA};
  circuit.current_clamps.push_back(clamp);
}

inline std::size_t add_probe(network::Circuit& circuit, const std::string& variable, std::size_t population = 0) {
  network::Probe probe;
  probe.name = variable + std::to_string(circuit.probes.size());
  probe.variable = variable;
  probe.population = population;
  circuit.probes.push_back(probe);
  return circuit.probes.size() - 1;
}

/// A virtual population that fires the given spikes; returns its index.
inline std::size_t add_spikes(network::Circuit& circuit, std::size_t size, network::SpikeSource source) {
  network::Population population;
  population.name = "source" + std::to_string(circuit.populations.size());
  population.size = size;
  population.is_virtual = true;
  population.source = std::move(source);
  circuit.populations.push_back(population);
  return circuit.populations.size() - 1;
}

inline std::size_t add_synapse(network::Circuit& circuit, std::vector<network::BiexponentialSynapse> receptors) {
  network::SynapseType type;
  type.name = "synapse" + std::to_string(circuit.synapse_types.size());
  type.point = network::PointSynapse{std::move(receptors), {}};
  circuit.synapse_types.push_back(type);
  return circuit.synapse_types.size() - 1;
}

inline void add_edges(network::Circuit& circuit, std::size_t source, std::size_t target, std::size_t synapse_type,
                      network::ExplicitEdges edges) {
  network::Projection projection;
  projection.name = "projection" + std::to_string(circuit.projections.size());
  projection.source = source;
  projection.target = target;
  projection.synapse_type = synapse_type;
  projection.connectivity = std::move(edges);
  circuit.projections.push_back(projection);
}

inline KeepingRecorder run(const network::Circuit& circuit, std::size_t threads = 1) {
  KeepingRecorder recorder;
  core::NoProgress progress;
  pointneuron::simulate(circuit, threads, recorder, progress);
  return recorder;
}

/// (time, values) of one probe.
inline std::vector<std::pair<double, std::vector<double>>> samples_of(const network::Circuit& circuit,
                                                                      std::size_t probe) {
  return run(circuit).probes[probe];
}

}  // namespace triscale::testing

/// Small circuits that the tests of the detailed tier share.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::detailed::test {

inline network::Section cylinder(double length_um, double diameter_um, network::SectionKind kind,
                                 std::int32_t parent = -1, double parent_position = 1.0) {
  network::Section section;
  section.kind = kind;
  section.parent = parent;
  section.parent_position = parent_position;
  section.points = {{0, 0, 0, diameter_um}, {length_um, 0, 0, diameter_um}};
  return section;
}

/// A cell of the given sections with one leak everywhere.
inline network::DetailedCell passive_cell(std::vector<network::Section> sections, double Ra_Ohm_cm, double g_pas_S_cm2,
                                          double e_pas_mV, double C_m_uF_cm2 = 1.0) {
  network::DetailedCell cell;
  cell.morphology = std::make_shared<network::Morphology>(network::Morphology{std::move(sections)});
  for (auto& region : cell.regions) {
    region.Ra_Ohm_cm = Ra_Ohm_cm;
    region.C_m_uF_cm2 = C_m_uF_cm2;
    region.g_pas_S_cm2 = g_pas_S_cm2;
    region.e_pas_mV = e_pas_mV;
  }
  return cell;
}

/// A circuit of `cells` unconnected cells of one type.
inline network::Circuit one_population(network::DetailedCell cell, std::size_t cells, double dt_ms,
                                       double duration_ms) {
  network::Circuit circuit;
  circuit.cell_types.push_back({"cell", network::Dale::excitatory, std::move(cell), {}, {}});
  network::Population population;
  population.name = "cells";
  population.size = cells;
  circuit.populations.push_back(population);
  circuit.run.dt_ms = dt_ms;
  circuit.run.duration_ms = duration_ms;
  circuit.run.V_init_mV = -65;
  circuit.run.celsius = 6.3;
  circuit.run.spike_threshold_mV = -20;
  return circuit;
}

/// Keeps everything a run records.
class Trace : public core::Recorder {
 public:
  struct Spike {
    std::size_t population;
    double t_ms;
    std::uint32_t cell;
    bool operator==(const Spike&) const = default;
  };
  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    for (const std::uint32_t cell : cells) spikes.push_back({population, t_ms, cell});
  }
  void record_probe(std::size_t probe, double t_ms, std::span<const double> values) override {
    if (samples.size() <= probe) samples.resize(probe + 1);
    samples[probe].emplace_back(t_ms, std::vector<double>(values.begin(), values.end()));
  }
  void record_rates(double, std::span<const double>) override {}

  std::vector<Spike> spikes;
  std::vector<std::vector<std::pair<double, std::vector<double>>>> samples;
};

}  // namespace triscale::detailed::test

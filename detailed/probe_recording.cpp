#include "detailed/probe_recording.hpp"

#include <algorithm>
#include <cmath>
#include <span>

namespace triscale::detailed {

ProbeRecording::ProbeRecording(const network::Circuit& circuit, const CellNetwork& network)
    : network_(network), grid_{circuit.run.dt_ms, circuit.run.duration_ms} {
  for (std::size_t k = 0; k < circuit.probes.size(); ++k) {
    const network::Probe& probe = circuit.probes[k];
    if (!network.tree(probe.population)) continue;
    const CompartmentTree& tree = *network.tree(probe.population);
    ActiveProbe active;
    active.index = k;
    active.calcium = probe.variable == "cai";
    active.every = probe.dt_ms > 0 ? std::max<std::int64_t>(1, std::llround(probe.dt_ms / grid_.dt_ms)) : 1;
    active.first_step = static_cast<std::int64_t>(std::ceil(probe.begin_ms / grid_.dt_ms - 1e-9));
    active.last_step = static_cast<std::int64_t>(std::min(probe.end_ms / grid_.dt_ms + 1e-9, 9e15));
    for_cells(circuit, probe.population, probe.cells, [&](std::uint32_t cell) {
      if (probe.where == network::Probe::Where::soma) {
        active.elements.push_back(network.place_of(probe.population, cell, tree.soma()));
      } else {
        for (std::size_t node = 0; node < tree.size(); ++node) {
          if (tree.areas_um2[node] > 0) active.elements.push_back(network.place_of(probe.population, cell, node));
        }
      }
    });
    probes_.push_back(std::move(active));
  }
  // Which elements each group has to write.
  elements_of_.resize(network.workers().size());
  for (std::size_t k = 0; k < probes_.size(); ++k) {
    for (std::size_t e = 0; e < probes_[k].elements.size(); ++e)
      elements_of_[probes_[k].elements[e].group].push_back({k, e});
  }
}

double ProbeRecording::value_of(const ActiveProbe& probe, std::size_t element) const {
  const Place& e = probe.elements[element];
  const CellGroup& group = network_.group(e);
  return probe.calcium ? group.Ca_mM(e.cell, e.node) : group.V_mV(e.cell, e.node);
}

void ProbeRecording::record_start(core::Recorder& recorder) const {
  std::vector<double> values;
  for (const ActiveProbe& probe : probes_) {
    if (!probe.due(0)) continue;
    values.resize(probe.elements.size());
    for (std::size_t e = 0; e < values.size(); ++e) values[e] = value_of(probe, e);
    recorder.record_probe(probe.index, 0.0, values);
  }
}

void ProbeRecording::start_window(std::int64_t begin, std::int64_t end) {
  begin_ = begin;
  end_ = end;
  for (ActiveProbe& probe : probes_) {
    probe.samples.assign(static_cast<std::size_t>(end - begin) * probe.elements.size(), 0.0);
  }
}

void ProbeRecording::sample(std::size_t group, std::int64_t step) {
  for (const auto& [k, e] : elements_of_[group]) {
    ActiveProbe& probe = probes_[k];
    if (!probe.due(step)) continue;
    probe.samples[static_cast<std::size_t>(step - begin_ - 1) * probe.elements.size() + e] = value_of(probe, e);
  }
}

void ProbeRecording::emit(core::Recorder& recorder) const {
  for (std::int64_t step = begin_ + 1; step <= end_; ++step) {
    for (const ActiveProbe& probe : probes_) {
      if (!probe.due(step)) continue;
      const std::size_t n = probe.elements.size();
      recorder.record_probe(probe.index, grid_.time_ms(step),
                            std::span(probe.samples).subspan(static_cast<std::size_t>(step - begin_ - 1) * n, n));
    }
  }
}

}  // namespace triscale::detailed

#include <algorithm>

#include "pointneuron/simulation.hpp"

namespace triscale::pointneuron {

/// This block's share of the samples at a step.
void Simulation::sample_probes(std::size_t block, std::int64_t begin, std::int64_t step) {
  for (ProbeSampling& sampling : probes_) {
    if (!sampling.due(step)) continue;
    const network::Probe& probe = circuit_.probes[sampling.probe];
    const CellRange& range = layout_.ranges[block][probe.population];
    const Cells& cells = cells_[probe.population];
    const bool conductance = probe.variable == "g", current = probe.variable == "i_syn";
    const std::span<const double> state =
        conductance || current ? std::span<const double>() : cells.neurons->variable(probe.variable);
    const auto value_of = [&](std::uint32_t cell) {
      if (conductance) return cells.receptors ? cells.receptors->total_uS(cell) : 0.0;
      if (current) return cells.currents ? cells.currents->total_nA(cell) : cells.neurons->synaptic_current_nA(cell);
      return state[cell];
    };
    const std::size_t row = static_cast<std::size_t>(step - begin) * sampling.cells.size();
    for (std::size_t i = 0; i < sampling.cells.size(); ++i) {
      const std::uint32_t cell = sampling.cells[i];
      if (cell < range.begin || cell >= range.end) continue;
      sampling.values[row + i] = value_of(cell);
    }
  }
}

/// This block's share of the weights at a step.
void Simulation::sample_weights(std::size_t block, std::int64_t begin, std::int64_t step) {
  for (WeightSampling& sampling : weights_) {
    if (sampling.due(step)) dynamic_[sampling.projection][block].copy_weights(sampling.row(begin, step));
  }
}

void Simulation::gather_virtual() {
  for (std::size_t p = 0; p < virtual_shares_.size(); ++p) {
    virtual_spikes_[p].clear();
    for (const VirtualShare& share : virtual_shares_[p])
      virtual_spikes_[p].insert(virtual_spikes_[p].end(), share.spikes.begin(), share.spikes.end());
  }
}

/// Blocks hold ascending ranges of every population, so one after the other they give ascending cells.
void Simulation::record_spikes(std::int64_t begin, std::int64_t end, core::Recorder& recorder) {
  std::vector<std::uint32_t> cells;
  for (std::int64_t step = begin; step < end; ++step) {
    for (std::size_t p = 0; p < cells_.size(); ++p) {
      if (!cells_[p].neurons) continue;
      const std::uint32_t first = layout_.first_source[p];
      const auto last = static_cast<std::uint32_t>(first + circuit_.populations[p].size);
      cells.clear();
      for (std::size_t block = 0; block < layout_.blocks(); ++block) {
        const std::vector<std::uint32_t>& spikes = spikes_at(step, block);
        for (auto it = std::lower_bound(spikes.begin(), spikes.end(), first); it != spikes.end() && *it < last; ++it)
          cells.push_back(*it - first);
      }
      statistics_.spikes += cells.size();
      if (!cells.empty()) recorder.record_spikes(p, grid_.time_ms(step + 1), cells);
    }
  }
}

/// Hands out the samples of steps first..last of the window that begins at `begin`.
void Simulation::record_probes(std::int64_t begin, std::int64_t first, std::int64_t last, core::Recorder& recorder) {
  for (std::int64_t step = first; step <= last; ++step) {
    for (const ProbeSampling& sampling : probes_) {
      if (!sampling.due(step)) continue;
      const std::size_t n = sampling.cells.size();
      recorder.record_probe(sampling.probe, grid_.time_ms(step),
                            std::span(sampling.values).subspan(static_cast<std::size_t>(step - begin) * n, n));
    }
    for (WeightSampling& sampling : weights_) {
      if (sampling.due(step)) recorder.record_weights(sampling.probe, grid_.time_ms(step), sampling.row(begin, step));
    }
  }
}
}  // namespace triscale::pointneuron

#include "detailed/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <functional>
#include <tuple>
#include <utility>

#include "core/parallel.hpp"
#include "core/time_grid.hpp"
#include "detailed/cell_network.hpp"
#include "detailed/field_recording.hpp"
#include "detailed/probe_recording.hpp"
#include "network/spike_source.hpp"

namespace triscale::detailed {

using network::Circuit;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// A spike anywhere in the circuit, with the label of its source.
struct Spike {
  double t_ms;
  std::uint32_t source;
};

class Simulation {
 public:
  Simulation(const Circuit& circuit, std::size_t threads, core::Recorder& recorder, core::Progress& progress,
             std::span<const std::unique_ptr<core::ForwardModel>> models)
      : circuit_(circuit),
        grid_{circuit.run.dt_ms, circuit.run.duration_ms},
        pool_(threads),
        recorder_(recorder),
        progress_(progress),
        network_(circuit),
        statistics_(network_.statistics()),
        probes_(circuit, network_),
        fields_(circuit, models, grid_, network_.window()) {
    for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
      if (circuit.populations[p].is_virtual) {
        sources_.emplace_back(p, network::SpikeSourceReader(circuit, p, 0, circuit.populations[p].size));
      }
    }
    for (std::size_t w = 0; w < network_.workers().size(); ++w) by_cost_.push_back(w);
    std::stable_sort(by_cost_.begin(), by_cost_.end(), [&](std::size_t a, std::size_t b) {
      return network_.workers()[a].group.cost() > network_.workers()[b].group.cost();
    });
    build_fields();
  }

  core::RunStatistics run() {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t steps = grid_.steps();
    probes_.record_start(recorder_);
    for (std::int64_t step = 0; step < steps;) {
      const std::int64_t end = std::min(steps, step + network_.window());
      advance_window(step, end);
      step = end;
      progress_.advance(std::min(grid_.time_ms(step), grid_.duration_ms), grid_.duration_ms);
    }
    statistics_.wall_s = seconds_since(start);
    return statistics_;
  }

  core::RunStatistics& statistics() { return statistics_; }

 private:
  void build_fields() {
    fields_.set_groups(network_.workers().size(), pool_.size());
    for_workers([&](std::size_t w, std::size_t thread) {
      const Worker& worker = network_.workers()[w];
      std::vector<std::size_t> nodes;
      for (const Injection& injection : worker.injections) nodes.push_back(injection.node());
      worker.group.add_junction_nodes(nodes);
      std::sort(nodes.begin(), nodes.end());
      nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
      fields_.add_group(w, worker.population, worker.first_cell, worker.group, nodes);
      fields_.after_step(w, worker.group, 0, thread);
      fields_.end_window(w, 0, thread);
    });
  }

  void advance_window(std::int64_t begin, std::int64_t end) {
    // External spikes that can act before the end of the window; the others of the list wait for their turn.
    external_.clear();
    for (auto& [population, reader] : sources_) {
      taken_.clear();
      reader.take_until(grid_.time_ms(end + 1), taken_);
      for (const network::SourceSpike& spike : taken_) {
        const Spike labelled{spike.t_ms, network_.label(population, spike.cell)};
        external_.push_back(labelled);
        virtual_spikes_.push_back({spike.t_ms, population, spike.cell});
      }
    }
    probes_.start_window(begin, end);
    network_.exchange_potentials();
    for_workers([&](std::size_t w, std::size_t thread) { advance_worker(w, begin, end, thread); });
    advance_artificial(end);
    check_finite(end);
    collect_spikes(end);
    probes_.emit(recorder_);
    fields_.emit(recorder_);
  }

  /// Every group once, the dearest first, each by the next free thread: what is computed does not depend on which.
  void for_workers(const std::function<void(std::size_t, std::size_t)>& body) {
    std::atomic<std::size_t> next{0};
    pool_.run([&](std::size_t thread) {
      for (std::size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < by_cost_.size();) {
        body(by_cost_[i], thread);
      }
    });
  }

  void advance_worker(std::size_t w, std::int64_t begin, std::int64_t end, std::size_t thread) {
    Worker& worker = network_.workers()[w];
    for (const Spike& spike : external_) worker.group.receive(spike.source, spike.t_ms, begin);
    for (const Spike& spike : internal_) worker.group.receive(spike.source, spike.t_ms, begin);
    worker.spikes.clear();
    const std::size_t soma = worker.group.tree().soma();
    for (std::int64_t step = begin; step < end; ++step) {
      const double middle_ms = (static_cast<double>(step) + 0.5) * grid_.dt_ms;
      for (Injection& injection : worker.injections) {
        worker.group.inject(injection.cell(), injection.node(), injection.next_nA(middle_ms));
      }
      worker.group.advance(step);
      for (std::uint32_t cell = 0; cell < worker.group.cells(); ++cell) {
        const double V = worker.group.V_mV(cell, soma), before = std::exchange(worker.soma_V_mV[cell], V);
        const double threshold = circuit_.run.spike_threshold_mV;
        if (V > threshold && !(before > threshold)) worker.spikes.emplace_back(crossing_ms(step, before, V), cell);
      }
      probes_.sample(w, step + 1);
      fields_.after_step(w, worker.group, step + 1, thread);
    }
    fields_.end_window(w, end, thread);
  }

  /// When the potential passed the threshold during a step: at its end, or in between to second order.
  double crossing_ms(std::int64_t step, double V_before_mV, double V_after_mV) const {
    if (circuit_.run.scheme == network::TimeScheme::backward_euler) return grid_.time_ms(step + 1);
    const double part = (circuit_.run.spike_threshold_mV - V_before_mV) / (V_after_mV - V_before_mV);
    return (static_cast<double>(step) + part) * grid_.dt_ms;
  }

  void advance_artificial(std::int64_t end) {
    artificial_spikes_.clear();
    // Events at exact times: everything that can still arrive is later than the end of the window.
    const double end_ms = grid_.time_ms(end);
    for (auto& [population, cells] : network_.artificial()) {
      for (const Spike& spike : external_) cells.receive(spike.source, spike.t_ms);
      for (const Spike& spike : internal_) cells.receive(spike.source, spike.t_ms);
      std::vector<ArtificialSpike> fired;
      cells.advance_until(end_ms, fired);
      for (const ArtificialSpike& spike : fired) artificial_spikes_.push_back({spike.t_ms, population, spike.cell});
    }
  }

  /// A spike with its place in the circuit.
  struct PlacedSpike {
    double t_ms;
    std::size_t population;
    std::uint32_t cell;
    bool operator<(const PlacedSpike& other) const {
      return std::tie(t_ms, population, cell) < std::tie(other.t_ms, other.population, other.cell);
    }
  };

  void collect_spikes(std::int64_t end) {
    std::vector<PlacedSpike> spikes = artificial_spikes_;
    for (const Worker& worker : network_.workers()) {
      for (const auto& [t_ms, cell] : worker.spikes) {
        spikes.push_back({t_ms, worker.population, worker.first_cell + cell});
      }
    }
    std::sort(spikes.begin(), spikes.end());
    internal_.clear();
    for (const PlacedSpike& spike : spikes)
      internal_.push_back({spike.t_ms, network_.label(spike.population, spike.cell)});
    statistics_.spikes += spikes.size();

    // Spikes of virtual cells are recorded with the others, once their time has come.
    std::sort(virtual_spikes_.begin(), virtual_spikes_.end());
    const double until = end >= grid_.steps() ? grid_.duration_ms : grid_.time_ms(end);
    std::size_t due = 0;
    while (due < virtual_spikes_.size() && virtual_spikes_[due].t_ms <= until) ++due;
    spikes.insert(spikes.end(), virtual_spikes_.begin(), virtual_spikes_.begin() + static_cast<std::ptrdiff_t>(due));
    virtual_spikes_.erase(virtual_spikes_.begin(), virtual_spikes_.begin() + static_cast<std::ptrdiff_t>(due));
    std::sort(spikes.begin(), spikes.end());
    std::vector<std::uint32_t> cells;
    for (std::size_t i = 0; i < spikes.size();) {
      std::size_t j = i;
      cells.clear();
      for (; j < spikes.size() && spikes[j].t_ms == spikes[i].t_ms && spikes[j].population == spikes[i].population;
           ++j) {
        cells.push_back(spikes[j].cell);
      }
      recorder_.record_spikes(spikes[i].population, spikes[i].t_ms, cells);
      i = j;
    }
  }

  void check_finite(std::int64_t step) const {
    for (const Worker& worker : network_.workers()) {
      const auto [cell, node] = worker.group.find_not_finite();
      if (cell < 0) continue;
      const CompartmentTree& tree = worker.group.tree();
      throw core::NumericalError(
          fmt::format("detailed tier: population {}, cell {}, section {} at {:.3f}: v is not finite at or before {} ms",
                      circuit_.populations[worker.population].name, worker.first_cell + cell,
                      tree.sections[static_cast<std::size_t>(node)], tree.positions[static_cast<std::size_t>(node)],
                      grid_.time_ms(step)));
    }
  }

  const Circuit& circuit_;
  core::TimeGrid grid_;
  core::ThreadPool pool_;
  core::Recorder& recorder_;
  core::Progress& progress_;
  CellNetwork network_;
  core::RunStatistics statistics_;
  ProbeRecording probes_;
  FieldRecording fields_;
  std::vector<std::size_t> by_cost_;  // groups, the dearest first
  std::vector<std::pair<std::size_t, network::SpikeSourceReader>> sources_;

  std::vector<network::SourceSpike> taken_;
  std::vector<Spike> external_, internal_;  // spikes that the next window has to deliver
  std::vector<PlacedSpike> virtual_spikes_, artificial_spikes_;
};

}  // namespace

core::RunStatistics simulate(const Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, std::span<const std::unique_ptr<core::ForwardModel>> models) {
  if (const auto problems = missing(circuit); !problems.empty()) throw core::InputError(problems);
  const auto start = std::chrono::steady_clock::now();
  Simulation simulation(circuit, threads, recorder, progress, models);
  simulation.statistics().setup_s = seconds_since(start);
  return simulation.run();
}

}  // namespace triscale::detailed

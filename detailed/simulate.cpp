#include "detailed/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <optional>
#include <utility>

#include "core/parallel.hpp"
#include "core/random.hpp"
#include "core/time_grid.hpp"
#include "detailed/artificial_cells.hpp"
#include "detailed/cell_group.hpp"
#include "detailed/field_recording.hpp"
#include "network/edges.hpp"
#include "network/spike_source.hpp"

namespace triscale::detailed {

using network::Circuit;
using network::Population;
using network::Projection;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

const network::IntFire1Model* artificial_model(const Circuit& circuit, const Population& population) {
  const network::CellType& type = circuit.cell_types[population.cell_type];
  if (population.is_virtual || type.detailed || !type.point) return nullptr;
  return std::get_if<network::IntFire1Model>(&type.point->model);
}

const network::DetailedCell* detailed_model(const Circuit& circuit, const Population& population) {
  const network::CellType& type = circuit.cell_types[population.cell_type];
  return population.is_virtual || !type.detailed ? nullptr : &*type.detailed;
}

/// A spike anywhere in the circuit, with the label of its source.
struct Spike {
  double t_ms;
  std::uint32_t source;
};

/// An injected current as one cell sees it.
class Injection {
 public:
  Injection(const network::CurrentClamp& clamp, const Circuit& circuit, std::size_t index, std::size_t lane_cell,
            std::size_t population_cell, std::size_t node, double dt_ms)
      : clamp_(&clamp),
        stream_(circuit.run.seed, core::Purpose::current_noise, (std::uint64_t{index} << 32) | population_cell),
        cell_(lane_cell),
        node_(node) {
    if (const auto* noise = std::get_if<network::NoiseCurrent>(&clamp.waveform)) {
      keep_ = std::exp(-dt_ms / noise->tau_ms);
      kick_ = noise->sd_nA * std::sqrt(1.0 - keep_ * keep_);
      deviation_nA_ = noise->sd_nA * stream_.next_normal();
    }
  }

  std::size_t cell() const { return cell_; }
  std::size_t node() const { return node_; }

  /// Current in the middle of a step; called once a step, in order.
  double next_nA(double t_ms) {
    return std::visit([&](const auto& waveform) { return next(waveform, t_ms); }, clamp_->waveform);
  }

 private:
  double next(const network::CurrentSegment& segment, double t_ms) const {
    if (!(t_ms >= segment.begin_ms) || t_ms >= segment.end_ms) return 0;
    const double fraction = (t_ms - segment.begin_ms) / (segment.end_ms - segment.begin_ms);
    return segment.begin_nA + fraction * (segment.end_nA - segment.begin_nA);
  }
  double next(const network::NoiseCurrent& noise, double t_ms) {
    const double now = noise.mean_nA + deviation_nA_;
    deviation_nA_ = keep_ * deviation_nA_ + kick_ * stream_.next_normal();
    return t_ms >= noise.begin_ms && t_ms < noise.end_ms ? now : 0.0;
  }
  double next(const network::SampledCurrent& sampled, double t_ms) const {
    const double k = std::floor((t_ms - sampled.begin_ms) / sampled.dt_ms);
    return k >= 0 && k < static_cast<double>(sampled.values_nA.size()) ? sampled.values_nA[static_cast<std::size_t>(k)]
                                                                       : 0.0;
  }

  const network::CurrentClamp* clamp_;
  core::RandomStream stream_;
  std::size_t cell_, node_;
  double keep_ = 0, kick_ = 0, deviation_nA_ = 0;
};

/// A compartment of a cell of a group.
struct Place {
  std::size_t group, cell, node;
};

/// One side of a gap junction.
struct Coupling {
  std::size_t group, junction;
  Place partner;
};

struct ActiveProbe {
  std::size_t index;  // in Circuit::probes
  bool calcium;
  std::int64_t first_step, last_step, every;
  std::vector<Place> elements;
  std::vector<double> samples;  // of a window: [sample][element]

  bool due(std::int64_t step) const {
    return step >= first_step && step <= last_step && (step - first_step) % every == 0;
  }
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

class Simulation {
 public:
  Simulation(const Circuit& circuit, std::size_t threads, core::Recorder& recorder, core::Progress& progress,
             std::span<const std::unique_ptr<core::ForwardModel>> models)
      : circuit_(circuit),
        grid_{circuit.run.dt_ms, circuit.run.duration_ms},
        pool_(threads),
        recorder_(recorder),
        progress_(progress) {
    label_sources();
    build_cells();
    build_injections();
    build_probes();
    build_fields(models);
  }

  core::RunStatistics run() {
    const auto start = std::chrono::steady_clock::now();
    const std::int64_t steps = grid_.steps();
    record_probes_at_start();
    for (std::int64_t step = 0; step < steps;) {
      const std::int64_t end = std::min(steps, step + window_);
      advance_window(step, end);
      step = end;
      progress_.advance(std::min(grid_.time_ms(step), grid_.duration_ms), grid_.duration_ms);
    }
    statistics_.wall_s = seconds_since(start);
    return statistics_;
  }

  core::RunStatistics statistics_;

 private:
  // ------------------------------------------------------------------------------------------------ set up --------
  void label_sources() {
    std::uint32_t next = 0;
    for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
      first_label_.push_back(next);
      next += static_cast<std::uint32_t>(circuit_.populations[p].size);
      if (circuit_.populations[p].is_virtual) {
        sources_.emplace_back(p, network::SpikeSourceReader(circuit_, p, 0, circuit_.populations[p].size));
      }
    }
  }

  void build_cells() {
    const auto& populations = circuit_.populations;
    templates_.resize(populations.size());
    for (std::size_t p = 0; p < populations.size(); ++p) {
      if (const network::DetailedCell* cell = detailed_model(circuit_, populations[p])) {
        templates_[p] = std::make_unique<CellTemplate>(
            CellTemplate{*cell, build_compartments(*cell, circuit_.run.compartments), circuit_.run.celsius});
      }
    }
    // Synapses by target population and group.
    std::vector<std::vector<std::vector<GroupSynapse>>> synapses(populations.size());
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
        junctions_.push_back({k, edges});
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
    window_ =
        static_cast<std::int64_t>(std::clamp(std::floor(shortest_delay / grid_.dt_ms + 1e-9), 1.0, kLongestWindow));
    // Gap junctions couple cells in every step.
    if (!junctions_.empty()) window_ = 1;
    for (std::size_t p = 0; p < populations.size(); ++p) build_population(p, synapses[p], std::move(artificial[p]));
    build_gap_junctions();
  }

  /// Receptors and release of a synapse type; made when first needed.
  const SynapseKinetics* kinetics_of(std::size_t synapse_type) {
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

  void add_synapses(std::size_t k, const network::EdgeList& edges, std::vector<std::vector<GroupSynapse>>& groups) {
    const Projection& projection = circuit_.projections[k];
    const SynapseKinetics* kinetics = kinetics_of(projection.synapse_type);
    const CompartmentTree& tree = templates_[projection.target]->tree;
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const std::uint32_t target = edges.targets[e];
      const network::Site site = edges.sites.empty() ? network::Site{} : edges.sites[e];
      groups[target / kGroupCells].push_back({first_label_[projection.source] + edges.sources[e],
                                              target % static_cast<std::uint32_t>(kGroupCells),
                                              static_cast<std::uint32_t>(tree.node_at(site)), kinetics,
                                              edges.weights[e], edges.delays_ms[e], network::release_entity(k, e)});
    }
  }

  void add_artificial_synapses(std::size_t k, const network::EdgeList& edges,
                               std::vector<ArtificialSynapse>& synapses) const {
    const Projection& projection = circuit_.projections[k];
    const network::SynapseType& type = circuit_.synapse_types[projection.synapse_type];
    const auto& kinetics = std::get<network::InstantaneousSynapse>(*type.detailed);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      synapses.push_back({first_label_[projection.source] + edges.sources[e], edges.targets[e],
                          kinetics.sign * edges.weights[e], edges.delays_ms[e], type.release ? &*type.release : nullptr,
                          network::release_entity(k, e)});
    }
  }

  void build_population(std::size_t p, const std::vector<std::vector<GroupSynapse>>& synapses,
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
  void build_gap_junctions() {
    for (const auto& [k, edges] : junctions_) {
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
    junctions_.clear();
  }

  /// Every gap junction gets its partner's potential as it is now; called while no group is running.
  void exchange_potentials() {
    for (const Coupling& coupling : couplings_) {
      const Place& partner = coupling.partner;
      workers_[coupling.group].group.set_partner_mV(coupling.junction,
                                                    workers_[partner.group].group.V_mV(partner.cell, partner.node));
    }
  }

  void build_injections() {
    for (std::size_t k = 0; k < circuit_.current_clamps.size(); ++k) {
      const network::CurrentClamp& clamp = circuit_.current_clamps[k];
      if (!templates_[clamp.population]) continue;
      const std::size_t node = templates_[clamp.population]->tree.node_at(clamp.site);
      for_cells(clamp.population, clamp.cells, [&](std::uint32_t cell) {
        Worker& worker = workers_[first_worker_[clamp.population] + cell / kGroupCells];
        worker.injections.emplace_back(clamp, circuit_, k, cell % kGroupCells, cell, node, grid_.dt_ms);
      });
    }
  }

  void build_probes() {
    for (std::size_t k = 0; k < circuit_.probes.size(); ++k) {
      const network::Probe& probe = circuit_.probes[k];
      if (!templates_[probe.population]) continue;
      const CompartmentTree& tree = templates_[probe.population]->tree;
      ActiveProbe active;
      active.index = k;
      active.calcium = probe.variable == "cai";
      active.every = probe.dt_ms > 0 ? std::max<std::int64_t>(1, std::llround(probe.dt_ms / grid_.dt_ms)) : 1;
      active.first_step = static_cast<std::int64_t>(std::ceil(probe.begin_ms / grid_.dt_ms - 1e-9));
      active.last_step = static_cast<std::int64_t>(std::min(probe.end_ms / grid_.dt_ms + 1e-9, 9e15));
      for_cells(probe.population, probe.cells, [&](std::uint32_t cell) {
        const std::size_t group = first_worker_[probe.population] + cell / kGroupCells;
        if (probe.where == network::Probe::Where::soma) {
          active.elements.push_back({group, cell % kGroupCells, tree.soma()});
        } else {
          for (std::size_t node = 0; node < tree.size(); ++node) {
            if (tree.areas_um2[node] > 0) active.elements.push_back({group, cell % kGroupCells, node});
          }
        }
      });
      probes_.push_back(std::move(active));
    }
    // Which elements each group has to write.
    elements_of_.resize(workers_.size());
    for (std::size_t k = 0; k < probes_.size(); ++k) {
      for (std::size_t e = 0; e < probes_[k].elements.size(); ++e)
        elements_of_[probes_[k].elements[e].group].push_back({k, e});
    }
  }

  Place place_of(std::size_t population, std::uint32_t cell, std::size_t node) const {
    return {first_worker_[population] + cell / kGroupCells, cell % kGroupCells, node};
  }

  void build_fields(std::span<const std::unique_ptr<core::ForwardModel>> models) {
    fields_ = std::make_unique<FieldRecording>(circuit_, models, grid_, window_);
    fields_->set_groups(workers_.size());
    for_workers([&](std::size_t w) {
      const Worker& worker = workers_[w];
      std::vector<std::size_t> nodes;
      for (const Injection& injection : worker.injections) nodes.push_back(injection.node());
      worker.group.add_junction_nodes(nodes);
      std::sort(nodes.begin(), nodes.end());
      nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
      fields_->add_group(w, worker.population, worker.first_cell, worker.group, nodes);
      fields_->after_step(w, worker.group, 0);
    });
  }

  template <class Body>
  void for_cells(std::size_t population, const std::vector<std::uint32_t>& cells, Body body) const {
    if (!cells.empty()) {
      for (const std::uint32_t cell : cells) body(cell);
    } else {
      for (std::uint32_t cell = 0; cell < circuit_.populations[population].size; ++cell) body(cell);
    }
  }

  // --------------------------------------------------------------------------------------------------- run --------
  void advance_window(std::int64_t begin, std::int64_t end) {
    // External spikes that can act before the end of the window; the others of the list wait for their turn.
    external_.clear();
    for (auto& [population, reader] : sources_) {
      taken_.clear();
      reader.take_until(grid_.time_ms(end + 1), taken_);
      for (const network::SourceSpike& spike : taken_) {
        const Spike labelled{spike.t_ms, first_label_[population] + spike.cell};
        external_.push_back(labelled);
        virtual_spikes_.push_back({spike.t_ms, population, spike.cell});
      }
    }
    for (ActiveProbe& probe : probes_) {
      probe.samples.assign(static_cast<std::size_t>(end - begin) * probe.elements.size(), 0.0);
    }
    exchange_potentials();
    for_workers([&](std::size_t w) { advance_worker(w, begin, end); });
    advance_artificial(end);
    check_finite(end);
    collect_spikes(end);
    emit_probes(begin, end);
    fields_->emit(recorder_);
  }

  /// Every group once, on all threads.
  void for_workers(const std::function<void(std::size_t)>& body) {
    pool_.run([&](std::size_t part) {
      for (std::size_t w = part; w < workers_.size(); w += pool_.size()) body(w);
    });
  }

  void advance_worker(std::size_t w, std::int64_t begin, std::int64_t end) {
    Worker& worker = workers_[w];
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
      sample_probes(w, begin, step + 1);
      fields_->after_step(w, worker.group, step + 1);
    }
    fields_->end_window(w, end);
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
    for (auto& [population, cells] : artificial_) {
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
    for (const Worker& worker : workers_) {
      for (const auto& [t_ms, cell] : worker.spikes) {
        spikes.push_back({t_ms, worker.population, worker.first_cell + cell});
      }
    }
    std::sort(spikes.begin(), spikes.end());
    internal_.clear();
    for (const PlacedSpike& spike : spikes)
      internal_.push_back({spike.t_ms, first_label_[spike.population] + spike.cell});
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

  double probe_value(const ActiveProbe& probe, std::size_t element) const {
    const Place& e = probe.elements[element];
    const CellGroup& group = workers_[e.group].group;
    return probe.calcium ? group.Ca_mM(e.cell, e.node) : group.V_mV(e.cell, e.node);
  }

  /// State at time step * dt, which is after `step` steps.
  void sample_probes(std::size_t w, std::int64_t begin, std::int64_t step) {
    for (const auto& [k, e] : elements_of_[w]) {
      ActiveProbe& probe = probes_[k];
      if (!probe.due(step)) continue;
      probe.samples[static_cast<std::size_t>(step - begin - 1) * probe.elements.size() + e] = probe_value(probe, e);
    }
  }

  void record_probes_at_start() {
    std::vector<double> values;
    for (const ActiveProbe& probe : probes_) {
      if (!probe.due(0)) continue;
      values.resize(probe.elements.size());
      for (std::size_t e = 0; e < values.size(); ++e) values[e] = probe_value(probe, e);
      recorder_.record_probe(probe.index, 0.0, values);
    }
  }

  void emit_probes(std::int64_t begin, std::int64_t end) {
    for (std::int64_t step = begin + 1; step <= end; ++step) {
      for (const ActiveProbe& probe : probes_) {
        if (!probe.due(step)) continue;
        const std::size_t n = probe.elements.size();
        recorder_.record_probe(probe.index, grid_.time_ms(step),
                               std::span(probe.samples).subspan(static_cast<std::size_t>(step - begin - 1) * n, n));
      }
    }
  }

  void check_finite(std::int64_t step) const {
    for (const Worker& worker : workers_) {
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

  std::vector<std::uint32_t> first_label_;  // of each population
  std::vector<std::pair<std::size_t, network::SpikeSourceReader>> sources_;
  std::vector<std::unique_ptr<CellTemplate>> templates_;
  std::vector<Worker> workers_;
  std::vector<std::size_t> first_worker_;
  std::vector<std::pair<std::size_t, ArtificialCells>> artificial_;
  std::vector<std::unique_ptr<SynapseKinetics>> kinetics_;            // by synapse type
  std::vector<std::pair<std::size_t, network::EdgeList>> junctions_;  // projections of gap junctions, during set-up
  std::vector<Coupling> couplings_;
  std::vector<ActiveProbe> probes_;
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> elements_of_;
  std::int64_t window_ = 1;
  std::unique_ptr<FieldRecording> fields_;

  std::vector<network::SourceSpike> taken_;
  std::vector<Spike> external_, internal_;  // spikes that the next window has to deliver
  std::vector<PlacedSpike> virtual_spikes_, artificial_spikes_;
};

}  // namespace

std::vector<core::Problem> missing(const Circuit& circuit) {
  core::Diagnostics diagnostics;
  for (const network::CellType& type : circuit.cell_types) {
    if (type.detailed) check_mechanisms(*type.detailed, "cell type " + type.name, diagnostics);
  }
  for (const Population& population : circuit.populations) {
    if (population.is_virtual || detailed_model(circuit, population) || artificial_model(circuit, population)) continue;
    diagnostics.error({"", "population " + population.name, circuit.cell_types[population.cell_type].name,
                       "has no detailed description", "give its cell type one, or run another tier"});
  }
  for (const Projection& projection : circuit.projections) {
    const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
    const bool onto_artificial = artificial_model(circuit, circuit.populations[projection.target]);
    const bool fits =
        type.detailed && onto_artificial == std::holds_alternative<network::InstantaneousSynapse>(*type.detailed);
    if (network::is_gap_junction(type) && !detailed_model(circuit, circuit.populations[projection.source])) {
      diagnostics.error({"", "projection " + projection.name, circuit.populations[projection.source].name,
                         "must be multi-compartment cells: a gap junction couples two membranes", ""});
    }
    if (!fits) {
      diagnostics.error({"", "projection " + projection.name, type.name,
                         onto_artificial
                             ? "must be an instantaneous synapse, as its target is an integrate-and-fire cell"
                             : "has no detailed conductance synapse",
                         ""});
    }
  }
  for (const network::SynapseType& type : circuit.synapse_types) {
    if (!type.plasticity) continue;
    diagnostics.error({"", "synapse type " + type.name, "plasticity", "is not supported by the detailed tier",
                       "run the point tier, or leave it out"});
  }
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    if (!detailed_model(circuit, circuit.populations[clamp.population])) {
      diagnostics.error({"", "current clamp " + clamp.name, circuit.populations[clamp.population].name,
                         "is not a population of multi-compartment cells", "inject into cells that have a membrane"});
    }
  }
  for (const network::Probe& probe : circuit.probes) {
    if (probe.variable != "v" && probe.variable != "cai") {
      diagnostics.error(
          {"", "probe " + probe.name, probe.variable, "is not a variable of the detailed tier", "record v or cai"});
    }
  }
  for (const network::FieldProbe& probe : circuit.field_probes) {
    const auto has_membrane = [&](std::size_t p) { return detailed_model(circuit, circuit.populations[p]) != nullptr; };
    bool any = false;
    for (std::size_t p = 0; probe.contributions.empty() && p < circuit.populations.size(); ++p) any |= has_membrane(p);
    for (const auto& contribution : probe.contributions) any |= has_membrane(contribution.population);
    if (any) continue;
    diagnostics.error({"", "field_probes." + probe.name, "",
                       "has no multi-compartment cells whose currents it could see",
                       "name populations that have a membrane"});
  }
  return diagnostics.errors();
}

core::RunStatistics simulate(const Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, std::span<const std::unique_ptr<core::ForwardModel>> models) {
  if (const auto problems = missing(circuit); !problems.empty()) throw core::InputError(problems);
  const auto start = std::chrono::steady_clock::now();
  Simulation simulation(circuit, threads, recorder, progress, models);
  simulation.statistics_.setup_s = seconds_since(start);
  return simulation.run();
}

}  // namespace triscale::detailed

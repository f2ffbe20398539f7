#include "pointneuron/simulate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>

#include "core/parallel.hpp"
#include "core/time_grid.hpp"
#include "network/edges.hpp"
#include "network/spike_source.hpp"
#include "pointneuron/current_input.hpp"
#include "pointneuron/delivery.hpp"
#include "pointneuron/neuron_model.hpp"
#include "pointneuron/receptors.hpp"

namespace triscale::pointneuron {

namespace {

constexpr std::int64_t kLongestWindow = 64;  ///< steps; more would not save time any more

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool same(const network::BiexponentialSynapse& a, const network::BiexponentialSynapse& b) {
  return a.tau_rise_ms == b.tau_rise_ms && a.tau_decay_ms == b.tau_decay_ms && a.E_rev_mV == b.E_rev_mV;
}

/// A population with dynamics.
struct Cells {
  bool instantaneous = false;
  std::unique_ptr<NeuronModel> neurons;
  std::unique_ptr<Receptors> receptors;
  std::unique_ptr<RingBuffer> ring;
  std::unique_ptr<CurrentInput> current;
  std::vector<double> G_uS, GE_nA, I_nA;
};

/// A spike of a cell at step * dt.
struct Spike {
  std::int64_t step;
  std::uint32_t cell;
};

/// The part of a population that one thread owns, and the spikes that it made in the last window.
struct Share {
  std::size_t begin = 0, end = 0;
  std::vector<Spike> spikes;               ///< ascending by step, then cell
  std::vector<std::uint32_t> step_spikes;  ///< of one step
  std::unique_ptr<network::SpikeSourceReader> virtual_source;
  std::vector<network::SourceSpike> virtual_spikes;  ///< within the window that comes next
};

struct ProbeSampling {
  std::size_t probe = 0;
  std::vector<std::uint32_t> cells;
  std::int64_t first_step = 0, every_steps = 1, end_step = 0;
  std::vector<double> values;  ///< of a window: [step][cell]

  bool due(std::int64_t step) const {
    return step >= first_step && step < end_step && (step - first_step) % every_steps == 0;
  }
};

/// Time is cut into windows no longer than the shortest delay between cells. Within a window every thread runs its
/// cells on its own; spikes are exchanged between windows.
class Simulation {
 public:
  Simulation(const network::Circuit& circuit, std::size_t threads);
  void run(core::Recorder& recorder, core::Progress& progress);
  const core::RunStatistics& statistics() const { return statistics_; }

 private:
  void collect_receptors();
  void make_populations();
  void make_edges();
  void make_probes();
  std::vector<std::size_t> places_of(std::size_t projection, std::size_t receptors) const;

  void run_window(std::size_t part, std::int64_t begin, std::int64_t end);
  void deliver(std::size_t part, std::int64_t begin);
  void advance(std::size_t part, std::size_t population, std::int64_t step);
  void draw_virtual(std::size_t part, double end_ms);
  void gather_spikes(core::Recorder& recorder);
  void sample_probes(std::size_t part, std::int64_t begin, std::int64_t step);
  void record(std::int64_t begin, std::int64_t first, std::int64_t last, core::Recorder& recorder);

  const network::Circuit& circuit_;
  core::TimeGrid grid_;
  core::ThreadPool pool_;
  core::RunStatistics statistics_;
  std::vector<std::vector<network::BiexponentialSynapse>> receptors_;  ///< [population], without duplicates
  std::vector<Cells> cells_;                                           ///< [population]; empty for virtual ones
  std::vector<std::vector<Share>> shares_;                             ///< [population][part]
  std::vector<std::vector<OutgoingEdges>> edges_;                      ///< [projection][part]
  std::vector<std::vector<Spike>> spikes_;                             ///< [population], of the last window, ascending
  std::vector<std::vector<network::SourceSpike>> virtual_spikes_;      ///< [population], of this window, by cell
  std::int64_t window_ = kLongestWindow;
  std::vector<ProbeSampling> probes_;
};

Simulation::Simulation(const network::Circuit& circuit, std::size_t threads)
    : circuit_(circuit),
      grid_{circuit.run.dt_ms, circuit.run.duration_ms},
      pool_(threads),
      receptors_(circuit.populations.size()),
      cells_(circuit.populations.size()),
      shares_(circuit.populations.size()),
      spikes_(circuit.populations.size()),
      virtual_spikes_(circuit.populations.size()) {
  const Clock::time_point start = Clock::now();
  collect_receptors();
  make_populations();
  make_edges();
  make_probes();
  statistics_.setup_s = seconds_since(start);
}

/// Receptors of a population: those of all synapse types that end on it. Equal ones are one, because conductances add.
void Simulation::collect_receptors() {
  for (const network::Projection& projection : circuit_.projections) {
    if (circuit_.populations[projection.target].is_virtual) continue;
    const auto& type = *circuit_.synapse_types[projection.synapse_type].point;
    const auto* synapse = std::get_if<network::PointSynapse>(&type);
    if (!synapse) continue;
    auto& known = receptors_[projection.target];
    for (const network::BiexponentialSynapse& receptor : synapse->receptors) {
      const bool is_new = std::none_of(known.begin(), known.end(), [&](const auto& k) { return same(k, receptor); });
      if (is_new) known.push_back(receptor);
    }
  }
}

void Simulation::make_populations() {
  for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
    const network::Population& population = circuit_.populations[p];
    shares_[p].resize(pool_.size());
    for (std::size_t part = 0; part < pool_.size(); ++part) {
      Share& share = shares_[p][part];
      share.begin = population.size * part / pool_.size();
      share.end = population.size * (part + 1) / pool_.size();
      if (population.is_virtual) {
        share.virtual_source = std::make_unique<network::SpikeSourceReader>(circuit_, p, share.begin, share.end);
      }
    }
    if (population.is_virtual) continue;
    const network::PointModel& model = circuit_.cell_types[population.cell_type].point->model;
    Cells& cells = cells_[p];
    cells.instantaneous = std::holds_alternative<network::IntFire1Model>(model);
    cells.neurons = make_neurons(model, population.size, grid_.dt_ms, {circuit_.run.seed, p});
    cells.receptors = std::make_unique<Receptors>(receptors_[p], population.size, grid_.dt_ms);
    cells.current = std::make_unique<CurrentInput>(circuit_, p);
    cells.G_uS.assign(population.size, 0.0);
    cells.GE_nA.assign(population.size, 0.0);
    cells.I_nA.assign(population.size, 0.0);
    statistics_.cells += population.size;
  }
}

/// Where each receptor of the projection's synapse type stands in the ring buffer of the target population.
std::vector<std::size_t> Simulation::places_of(std::size_t projection, std::size_t receptors) const {
  const network::Projection& p = circuit_.projections[projection];
  std::vector<std::size_t> places(receptors, 0);
  const auto* synapse = std::get_if<network::PointSynapse>(&*circuit_.synapse_types[p.synapse_type].point);
  for (std::size_t r = 0; synapse && r < receptors; ++r) {
    const auto& known = receptors_[p.target];
    const auto found =
        std::find_if(known.begin(), known.end(), [&](const auto& k) { return same(k, synapse->receptors[r]); });
    places[r] = static_cast<std::size_t>(found - known.begin()) * circuit_.populations[p.target].size;
  }
  return places;
}

void Simulation::make_edges() {
  std::vector<double> longest_delay_ms(circuit_.populations.size(), 0.0);
  statistics_.edge_hash = network::kEdgeHashStart;
  for (std::size_t p = 0; p < circuit_.projections.size(); ++p) {
    const network::Projection& projection = circuit_.projections[p];
    const network::Population& source = circuit_.populations[projection.source];
    const network::Population& target = circuit_.populations[projection.target];
    const network::EdgeList edges = network::edges_of(circuit_, p);
    statistics_.edge_hash = network::hash_edges(statistics_.edge_hash, p, edges);
    edges_.emplace_back();
    if (target.is_virtual) continue;
    network::PointEdgeList point_edges = network::point_edges_of(circuit_, p, edges);
    statistics_.synapses += point_edges.targets.size();
    for (double delay_ms : point_edges.delays_ms) {
      longest_delay_ms[projection.target] = std::max(longest_delay_ms[projection.target], delay_ms);
      if (!source.is_virtual) {
        window_ = std::min(window_, std::max<std::int64_t>(1, std::llround(delay_ms / grid_.dt_ms)));
      }
    }
    const auto& type = *circuit_.synapse_types[projection.synapse_type].point;
    if (const auto* instantaneous = std::get_if<network::InstantaneousSynapse>(&type)) {
      for (double& weight : point_edges.weights) weight *= instantaneous->sign;
    }
    const auto* synapse = std::get_if<network::PointSynapse>(&type);
    const std::vector<std::size_t> places = places_of(p, synapse ? synapse->receptors.size() : 1);
    std::vector<std::unique_ptr<OutgoingEdges>> parts(pool_.size());
    pool_.run([&](std::size_t part) {
      const Share& share = shares_[projection.target][part];
      parts[part] = std::make_unique<OutgoingEdges>(point_edges, source.size, share.begin, share.end, places,
                                                    grid_.dt_ms, !source.is_virtual);
    });
    for (auto& part : parts) edges_.back().push_back(std::move(*part));
  }
  for (std::size_t p = 0; p < cells_.size(); ++p) {
    if (!cells_[p].neurons) continue;
    // An event arrives at most one step (rounding) and the window of its spike later than its delay says.
    const std::size_t slots =
        static_cast<std::size_t>(std::ceil(longest_delay_ms[p] / grid_.dt_ms)) + static_cast<std::size_t>(window_) + 3;
    const std::size_t rows = cells_[p].instantaneous ? 1 : receptors_[p].size();
    cells_[p].ring = std::make_unique<RingBuffer>(slots, rows * circuit_.populations[p].size);
  }
}

/// The probed variable is one that this tier has.
bool can_sample(const network::Circuit& circuit, const network::Probe& probe) {
  const network::Population& population = circuit.populations[probe.population];
  if (population.is_virtual || probe.where != network::Probe::Where::soma) return false;
  const network::PointModel& model = circuit.cell_types[population.cell_type].point->model;
  if (probe.variable == "g") return !std::holds_alternative<network::IntFire1Model>(model);
  const auto names = recordable(model);
  return std::find(names.begin(), names.end(), probe.variable) != names.end();
}

void Simulation::make_probes() {
  for (std::size_t p = 0; p < circuit_.probes.size(); ++p) {
    const network::Probe& probe = circuit_.probes[p];
    if (!can_sample(circuit_, probe)) continue;
    ProbeSampling sampling;
    sampling.probe = p;
    sampling.cells = probe.cells;
    for (std::uint32_t c = 0; probe.cells.empty() && c < circuit_.populations[probe.population].size; ++c) {
      sampling.cells.push_back(c);
    }
    const auto step_at = [&](double t_ms) {
      return static_cast<std::int64_t>(std::ceil(std::clamp(t_ms, 0.0, grid_.duration_ms) / grid_.dt_ms - 1e-9));
    };
    sampling.first_step = step_at(probe.begin_ms);
    sampling.end_step = step_at(probe.end_ms);
    sampling.every_steps = std::max<std::int64_t>(1, std::llround(probe.dt_ms / grid_.dt_ms));
    sampling.values.resize(sampling.cells.size() * static_cast<std::size_t>(window_ + 1));
    probes_.push_back(std::move(sampling));
  }
}

/// This part's share of the samples at a step.
void Simulation::sample_probes(std::size_t part, std::int64_t begin, std::int64_t step) {
  for (ProbeSampling& sampling : probes_) {
    if (!sampling.due(step)) continue;
    const network::Probe& probe = circuit_.probes[sampling.probe];
    const Share& share = shares_[probe.population][part];
    const Cells& cells = cells_[probe.population];
    const bool conductance = probe.variable == "g";
    const std::span<const double> state =
        conductance ? std::span<const double>() : cells.neurons->variable(probe.variable);
    const std::size_t row = static_cast<std::size_t>(step - begin) * sampling.cells.size();
    for (std::size_t i = 0; i < sampling.cells.size(); ++i) {
      const std::uint32_t cell = sampling.cells[i];
      if (cell < share.begin || cell >= share.end) continue;
      sampling.values[row + i] = conductance ? cells.receptors->total_uS(cell) : state[cell];
    }
  }
}

/// Spikes of the last window (of cells) and of this one (of virtual sources) go to the targets of this part.
void Simulation::deliver(std::size_t part, std::int64_t begin) {
  for (std::size_t p = 0; p < circuit_.projections.size(); ++p) {
    const network::Projection& projection = circuit_.projections[p];
    if (circuit_.populations[projection.target].is_virtual) continue;
    const OutgoingEdges& edges = edges_[p][part];
    RingBuffer& ring = *cells_[projection.target].ring;
    for (const Spike& spike : spikes_[projection.source]) {
      edges.deliver(spike.cell, static_cast<double>(spike.step), begin + 1, ring);
    }
    for (const network::SourceSpike& spike : virtual_spikes_[projection.source]) {
      const double t_steps = spike.t_ms / grid_.dt_ms;
      edges.deliver(spike.cell, t_steps, std::max(begin, static_cast<std::int64_t>(std::floor(t_steps))) + 1, ring);
    }
  }
}

void Simulation::advance(std::size_t part, std::size_t population, std::int64_t step) {
  Cells& cells = cells_[population];
  Share& share = shares_[population][part];
  if (!cells.instantaneous) {
    cells.receptors->step(share.begin, share.end, cells.ring->row(step), cells.G_uS, cells.GE_nA);
    cells.current->step(step, share.begin, share.end, cells.I_nA);
  }
  const StepInput input{step, cells.G_uS, cells.GE_nA, cells.I_nA,
                        cells.instantaneous ? cells.ring->row(step + 1) : std::span<double>()};
  try {
    share.step_spikes.clear();
    cells.neurons->step(share.begin, share.end, input, share.step_spikes);
    for (const std::uint32_t cell : share.step_spikes) share.spikes.push_back({step + 1, cell});
  } catch (const NonFinite& bad) {
    throw core::NumericalError(fmt::format("point tier: population {}, cell {}: {} is not finite at {} ms",
                                           circuit_.populations[population].name, bad.cell, bad.variable,
                                           grid_.time_ms(step + 1)));
  }
}

void Simulation::draw_virtual(std::size_t part, double end_ms) {
  for (auto& population : shares_) {
    Share& share = population[part];
    share.virtual_spikes.clear();
    if (share.virtual_source) share.virtual_source->take_until(end_ms, share.virtual_spikes);
  }
}

void Simulation::run_window(std::size_t part, std::int64_t begin, std::int64_t end) {
  deliver(part, begin);
  for (auto& population : shares_) population[part].spikes.clear();
  for (std::int64_t step = begin; step < end; ++step) {
    for (std::size_t p = 0; p < cells_.size(); ++p) {
      if (cells_[p].neurons) advance(part, p, step);
    }
    sample_probes(part, begin, step + 1);
  }
  draw_virtual(part, grid_.time_ms(end + window_));
}

/// Puts the parts' spikes together, ascending by step and cell (parts are contiguous), and records them.
void Simulation::gather_spikes(core::Recorder& recorder) {
  std::vector<std::uint32_t> cells;
  for (std::size_t p = 0; p < shares_.size(); ++p) {
    spikes_[p].clear();
    virtual_spikes_[p].clear();
    for (const Share& share : shares_[p]) {
      spikes_[p].insert(spikes_[p].end(), share.spikes.begin(), share.spikes.end());
      virtual_spikes_[p].insert(virtual_spikes_[p].end(), share.virtual_spikes.begin(), share.virtual_spikes.end());
    }
    std::stable_sort(spikes_[p].begin(), spikes_[p].end(),
                     [](const Spike& a, const Spike& b) { return a.step < b.step; });
    statistics_.spikes += spikes_[p].size();
  }
  // Recorded in the order of time over all populations.
  std::vector<std::size_t> next(spikes_.size(), 0);
  for (;;) {
    std::int64_t step = -1;
    for (std::size_t p = 0; p < spikes_.size(); ++p) {
      if (next[p] < spikes_[p].size() && (step < 0 || spikes_[p][next[p]].step < step)) step = spikes_[p][next[p]].step;
    }
    if (step < 0) return;
    for (std::size_t p = 0; p < spikes_.size(); ++p) {
      cells.clear();
      for (; next[p] < spikes_[p].size() && spikes_[p][next[p]].step == step; ++next[p]) {
        cells.push_back(spikes_[p][next[p]].cell);
      }
      if (!cells.empty()) recorder.record_spikes(p, grid_.time_ms(step), cells);
    }
  }
}

/// Hands out the samples of steps first..last of the window that begins at `begin`.
void Simulation::record(std::int64_t begin, std::int64_t first, std::int64_t last, core::Recorder& recorder) {
  for (std::int64_t step = first; step <= last; ++step) {
    for (const ProbeSampling& sampling : probes_) {
      if (!sampling.due(step)) continue;
      const std::size_t n = sampling.cells.size();
      recorder.record_probe(sampling.probe, grid_.time_ms(step),
                            std::span(sampling.values).subspan(static_cast<std::size_t>(step - begin) * n, n));
    }
  }
}

void Simulation::run(core::Recorder& recorder, core::Progress& progress) {
  const Clock::time_point start = Clock::now();
  pool_.run([&](std::size_t part) {
    draw_virtual(part, grid_.time_ms(window_));
    sample_probes(part, 0, 0);
  });
  gather_spikes(recorder);
  record(0, 0, 0, recorder);
  const std::int64_t steps = grid_.steps();
  for (std::int64_t begin = 0; begin < steps; begin += window_) {
    const std::int64_t end = std::min(steps, begin + window_);
    pool_.run([&](std::size_t part) { run_window(part, begin, end); });
    gather_spikes(recorder);
    record(begin, begin + 1, end, recorder);
    progress.advance(grid_.time_ms(end), grid_.duration_ms);
  }
  statistics_.wall_s = seconds_since(start);
}

core::Problem problem(std::string place, std::string value, std::string rule, std::string hint) {
  return {"", std::move(place), std::move(value), std::move(rule), std::move(hint)};
}

/// What a projection onto a cell of the point tier lacks.
void check_projection(const network::Circuit& circuit, std::size_t p, std::vector<core::Problem>& problems) {
  const network::Projection& projection = circuit.projections[p];
  const network::Population& target = circuit.populations[projection.target];
  const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
  if (target.is_virtual) return;
  if (!type.point) {
    problems.push_back(problem(fmt::format("synapse_types.{}", type.name), "", "must have a point description",
                               "derive it with 'triscale derive', or give one"));
    return;
  }
  const auto* synapse = std::get_if<network::PointSynapse>(&*type.point);
  if (synapse && synapse->receptors.empty()) {
    problems.push_back(
        problem(fmt::format("synapse_types.{}.point.receptors", type.name), "", "must not be empty", ""));
  }
  const auto& cell = circuit.cell_types[target.cell_type].point;
  if (!cell) return;
  const bool instantaneous = std::holds_alternative<network::InstantaneousSynapse>(*type.point);
  if (instantaneous != std::holds_alternative<network::IntFire1Model>(cell->model)) {
    problems.push_back(problem(fmt::format("projections.{}", projection.name), type.name,
                               "must use instantaneous synapses if its target is IntFire1, conductances otherwise",
                               "use a synapse type of the other kind"));
  }
}

}  // namespace

std::vector<core::Problem> missing(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  std::vector<bool> reported(circuit.cell_types.size(), false);
  for (const network::Population& population : circuit.populations) {
    if (population.is_virtual || reported[population.cell_type]) continue;
    const network::CellType& type = circuit.cell_types[population.cell_type];
    if (type.point && !std::holds_alternative<network::LifModel>(type.point->model)) continue;
    reported[population.cell_type] = true;
    problems.push_back(problem(fmt::format("cell_types.{}", type.name), "", "must have a point description",
                               "derive it with 'triscale derive', or give one"));
  }
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) check_projection(circuit, p, problems);
  for (const network::CurrentClamp& clamp : circuit.current_clamps) {
    const network::Population& population = circuit.populations[clamp.population];
    const auto& cell = circuit.cell_types[population.cell_type].point;
    if (!population.is_virtual && (!cell || !std::holds_alternative<network::IntFire1Model>(cell->model))) continue;
    problems.push_back(problem(fmt::format("current_clamps.{}", clamp.name), population.name,
                               "must act on cells that have a membrane", "remove it, or choose another population"));
  }
  return problems;
}

std::vector<core::Problem> left_out(const network::Circuit& circuit) {
  std::vector<core::Problem> problems;
  for (const network::Probe& probe : circuit.probes) {
    const network::Population& population = circuit.populations[probe.population];
    if (!population.is_virtual && !circuit.cell_types[population.cell_type].point) continue;
    if (can_sample(circuit, probe)) continue;
    problems.push_back(problem(fmt::format("probes.{}", probe.name), probe.variable,
                               "is not recorded: point neurons of this population have no such variable or place", ""));
  }
  return problems;
}

core::RunStatistics simulate(const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress) {
  std::vector<core::Problem> problems = missing(circuit);
  if (!problems.empty()) throw core::InputError(std::move(problems));
  Simulation simulation(circuit, threads);
  simulation.run(recorder, progress);
  return simulation.statistics();
}

}  // namespace triscale::pointneuron

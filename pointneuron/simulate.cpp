#include "pointneuron/simulate.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <memory>
#include <optional>

#include "core/parallel.hpp"
#include "core/spin_barrier.hpp"
#include "core/time_grid.hpp"
#include "network/connectivity.hpp"
#include "network/edges.hpp"
#include "network/spike_source.hpp"
#include "pointneuron/block_synapses.hpp"
#include "pointneuron/current_input.hpp"
#include "pointneuron/current_receptors.hpp"
#include "pointneuron/delivery.hpp"
#include "pointneuron/dynamic_synapses.hpp"
#include "pointneuron/neuron_model.hpp"
#include "pointneuron/private_drive.hpp"
#include "pointneuron/receptor_rows.hpp"
#include "pointneuron/receptors.hpp"
#include "pointneuron/sampling.hpp"

namespace triscale::pointneuron {

namespace {

/// Steps between two calls of the recorder; virtual spikes are drawn for as many at once. A multiple of every horizon.
constexpr std::int64_t kWindow = 32;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// A population with dynamics.
struct Cells {
  bool leaky = false;  ///< LifNeurons, which takes its events itself
  std::unique_ptr<NeuronModel> neurons;
  std::unique_ptr<Receptors> receptors;        ///< conductances
  std::unique_ptr<CurrentReceptors> currents;  ///< synaptic currents, unless leaky
  std::unique_ptr<RingBuffer> ring;  ///< events of virtual sources; unless leaky, where all events come together
  std::unique_ptr<CurrentInput> current;
  std::vector<std::unique_ptr<PrivateDrive>> drives;
  std::vector<double> G_uS, GE_nA, I_nA;
};

/// Virtual spikes of one population that one block draws.
struct VirtualShare {
  std::unique_ptr<network::SpikeSourceReader> source;
  std::vector<network::SourceSpike> spikes;
};

/// What one block works with.
struct Block {
  LargeArray<std::int32_t> narrow_sums;  ///< [slot][place]
  LargeArray<std::int64_t> wide_sums;
  std::vector<Due> due_narrow, due_wide;
  std::vector<std::uint32_t> step_spikes;
  std::vector<Arrivals> arrivals;
  std::vector<std::vector<DriveCounts>> drive_counts;  ///< [row]
};

class Simulation {
 public:
  Simulation(const network::Circuit& circuit, std::size_t threads, const Options& options);
  void run(core::Recorder& recorder, core::Progress& progress);
  const core::RunStatistics& statistics() const { return statistics_; }

 private:
  void make_populations();
  void set_potentials(std::size_t population);
  void make_cell_projections();
  void make_virtual_projections();
  void make_dynamic(std::size_t projection);
  void make_drive(std::size_t projection);
  void make_rings();
  void choose_horizon();

  template <class Work>
  void for_blocks_of(std::size_t part, const Work& work);
  void run_window(std::size_t part, std::int64_t begin, std::int64_t end);
  void deliver_virtual(std::size_t block, std::int64_t begin);
  void hand_over_dynamic(std::size_t block, std::int64_t first_spike, std::int64_t last_spike);
  void step_dynamic(std::size_t block, std::int64_t step);
  template <class Work>
  void for_spikes_of(std::size_t population, std::int64_t step, std::size_t block, const Work& work);
  void deliver(std::size_t block, std::int64_t first_spike, std::int64_t last_spike, std::int64_t first_arrival,
               std::int64_t last_arrival);
  void advance(std::size_t block, std::size_t population, std::int64_t step);
  void step_any(std::size_t block, std::size_t population, std::int64_t step, StepInput& input);
  void step_leaky(std::size_t block, std::size_t population, std::int64_t step, StepInput& input);
  void take_sums(std::size_t block, std::size_t population, std::int64_t step);
  std::span<double> events_of(std::size_t population, std::size_t row, std::int64_t step);
  void draw_virtual(std::size_t block, double end_ms);
  void gather_virtual();
  void sample_probes(std::size_t block, std::int64_t begin, std::int64_t step);
  void sample_weights(std::size_t block, std::int64_t begin, std::int64_t step);
  void record_spikes(std::int64_t begin, std::int64_t end, core::Recorder& recorder);
  void record_probes(std::int64_t begin, std::int64_t first, std::int64_t last, core::Recorder& recorder);
  std::vector<std::uint32_t>& spikes_at(std::int64_t step, std::size_t block) {
    return history_[static_cast<std::size_t>(step) % history_.size()][block];
  }

  const network::Circuit& circuit_;
  const Options options_;
  core::TimeGrid grid_;
  core::ThreadPool pool_;
  core::SpinBarrier barrier_;
  core::RunStatistics statistics_;
  std::vector<ReceptorRows> rows_;
  BlockLayout layout_;
  CellSynapses synapses_;
  std::int64_t horizon_ = 1;   ///< steps delivered together
  std::int64_t exchange_ = 1;  ///< steps between two exchanges of spikes: no spike acts earlier
  std::vector<Cells> cells_;   ///< [population]; empty for virtual ones
  std::vector<Block> blocks_;
  std::vector<std::vector<std::vector<std::uint32_t>>> history_;  ///< [step modulo][block]: cells that fired, numbered
                                                                  ///< through the circuit, ascending
  std::vector<std::vector<OutgoingEdges>> virtual_edges_;         ///< [projection][block]
  std::vector<std::vector<DynamicSynapses>> dynamic_;             ///< [projection][block]
  std::vector<WeightSampling> weights_;
  std::vector<double> longest_virtual_delay_ms_;                   ///< [population]
  std::vector<bool> has_dynamic_;                                  ///< [population]: it is the target of such synapses
  std::vector<std::vector<VirtualShare>> virtual_shares_;          ///< [population][block]
  std::vector<std::vector<network::SourceSpike>> virtual_spikes_;  ///< [population], of this window, by cell
  std::vector<ProbeSampling> probes_;
  std::atomic<std::int64_t> failed_step_{INT64_MAX};  ///< first step of the exchange interval in which a thread failed
};

Simulation::Simulation(const network::Circuit& circuit, std::size_t threads, const Options& options)
    : circuit_(circuit),
      options_(options),
      grid_{circuit.run.dt_ms, circuit.run.duration_ms},
      pool_(threads),
      barrier_(pool_.size()),
      rows_(receptor_rows(circuit)),
      cells_(circuit.populations.size()),
      virtual_edges_(circuit.projections.size()),
      dynamic_(circuit.projections.size()),
      longest_virtual_delay_ms_(circuit.populations.size(), 0.0),
      has_dynamic_(circuit.populations.size(), false),
      virtual_shares_(circuit.populations.size()),
      virtual_spikes_(circuit.populations.size()) {
  const Clock::time_point start = Clock::now();
  std::vector<std::size_t> row_counts;
  for (const ReceptorRows& rows : rows_) row_counts.push_back(rows.count());
  layout_ = block_layout(circuit, row_counts, pool_.size(), options.blocks);
  statistics_.edge_hash = network::kEdgeHashStart;
  make_populations();
  make_cell_projections();
  make_virtual_projections();
  make_rings();
  choose_horizon();
  for (std::size_t p = 0; p < circuit.probes.size(); ++p) {
    if (can_sample(circuit, circuit.probes[p])) probes_.emplace_back(circuit, p, grid_, kWindow);
  }
  for (std::size_t p = 0; p < circuit.weight_probes.size(); ++p) {
    weights_.emplace_back(circuit, p, grid_, kWindow);
    std::size_t edges = 0;
    for (const DynamicSynapses& block : dynamic_[weights_.back().projection]) edges += block.size();
    weights_.back().resize(edges);
  }
  statistics_.setup_s = seconds_since(start);
}

// --------------------------------------------------------------------------------------------------- building --------

void Simulation::make_populations() {
  for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
    const network::Population& population = circuit_.populations[p];
    if (population.is_virtual) continue;
    const network::PointModel& model = circuit_.cell_types[population.cell_type].point->model;
    Cells& cells = cells_[p];
    const bool has_conductances = !rows_[p].conductances.empty();
    cells.leaky = is_plain_lif(model, has_conductances);
    cells.neurons = make_neurons(model, {population.size,
                                         grid_.dt_ms,
                                         {circuit_.run.seed, p},
                                         rows_[p].currents,
                                         layout_.blocks(),
                                         options_.isa,
                                         has_conductances});
    cells.current = std::make_unique<CurrentInput>(circuit_, p);
    statistics_.cells += population.size;
    if (population.V_init_mV) set_potentials(p);
    if (has_conductances) {
      cells.receptors = std::make_unique<Receptors>(rows_[p].conductances, population.size, grid_.dt_ms);
      cells.G_uS.assign(population.size, 0.0);
      cells.GE_nA.assign(population.size, 0.0);
    }
    if (!cells.leaky && !rows_[p].currents.empty()) {
      cells.currents = std::make_unique<CurrentReceptors>(rows_[p].currents, population.size, grid_.dt_ms,
                                                          cells.neurons->membrane_rate_per_ms());
    }
    if (!cells.leaky || !cells.current->is_uniform()) cells.I_nA.assign(population.size, 0.0);
  }
}

void Simulation::set_potentials(std::size_t population) {
  const network::Population& p = circuit_.populations[population];
  std::vector<double> V_mV(p.size);
  network::draw(*p.V_init_mV,
                core::RandomStream(circuit_.run.seed, core::Purpose::initial_state, std::uint64_t{population} << 32),
                V_mV);
  cells_[population].neurons->set_potential(V_mV);
}

void Simulation::make_cell_projections() {
  std::vector<CellProjection> projections;
  for (std::size_t p = 0; p < circuit_.projections.size(); ++p) {
    const network::Projection& projection = circuit_.projections[p];
    const bool between_cells =
        !circuit_.populations[projection.source].is_virtual && !circuit_.populations[projection.target].is_virtual;
    if (!between_cells) continue;
    if (is_dynamic(circuit_, projection)) {
      make_dynamic(p);
      continue;
    }
    const Connection connection = connection_of(circuit_, p, rows_);
    projections.push_back({p, connection.rows, connection.sign, connection.at_end_of_step});
  }
  synapses_ = make_cell_synapses(circuit_, projections, layout_, pool_);
  statistics_.synapses += synapses_.synapses;
  statistics_.edge_hash += synapses_.edge_hash;
}

void Simulation::make_drive(std::size_t projection) {
  const std::size_t target = circuit_.projections[projection].target;
  const Connection connection = connection_of(circuit_, projection, rows_);
  std::vector<CellRange> ranges;
  for (const auto& block : layout_.ranges) ranges.push_back(block[target]);
  cells_[target].drives.push_back(std::make_unique<PrivateDrive>(
      circuit_, projection, connection.rows.front(), connection.sign, connection.at_end_of_step, ranges, options_.isa));
}

void Simulation::make_virtual_projections() {
  std::vector<bool> has_readers(circuit_.populations.size(), false);
  for (std::size_t p = 0; p < circuit_.projections.size(); ++p) {
    const network::Projection& projection = circuit_.projections[p];
    if (!circuit_.populations[projection.source].is_virtual) continue;
    if (!circuit_.populations[projection.target].is_virtual && is_dynamic(circuit_, projection)) {
      has_readers[projection.source] = true;
      make_dynamic(p);
      continue;
    }
    const network::EdgeList edges = network::edges_of(circuit_, p);
    statistics_.edge_hash = network::hash_edges(statistics_.edge_hash, p, edges);
    if (circuit_.populations[projection.target].is_virtual) continue;
    statistics_.synapses += edges.size();
    if (is_private_drive(circuit_, projection)) {
      make_drive(p);
      continue;
    }
    has_readers[projection.source] = true;
    network::PointEdgeList point_edges = network::point_edges_of(circuit_, p, edges);
    for (const double delay_ms : point_edges.delays_ms)
      longest_virtual_delay_ms_[projection.target] = std::max(longest_virtual_delay_ms_[projection.target], delay_ms);
    const Connection connection = connection_of(circuit_, p, rows_);
    for (double& weight : point_edges.weights) weight *= connection.sign;
    std::vector<std::size_t> places;
    for (const std::size_t row : connection.rows) places.push_back(row * circuit_.populations[projection.target].size);
    for (const auto& ranges : layout_.ranges) {
      const CellRange& range = ranges[projection.target];
      virtual_edges_[p].emplace_back(point_edges, circuit_.populations[projection.source].size, range.begin, range.end,
                                     places, grid_.dt_ms, false);
    }
  }
  for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
    if (!has_readers[p]) continue;
    for (const auto& ranges : layout_.ranges) {
      virtual_shares_[p].push_back(
          {std::make_unique<network::SpikeSourceReader>(circuit_, p, ranges[p].begin, ranges[p].end), {}});
    }
  }
}

/// Synapses with a state of their own, from cells or from virtual sources.
void Simulation::make_dynamic(std::size_t projection) {
  const network::EdgeMaker edges(circuit_, projection);
  const std::vector<std::uint64_t> first = first_edges(circuit_, edges, projection);
  const Connection connection = connection_of(circuit_, projection, rows_);
  const std::size_t target = circuit_.projections[projection].target;
  for (const auto& ranges : layout_.ranges) {
    dynamic_[projection].emplace_back(circuit_, projection, edges, first, ranges[target], connection.rows,
                                      connection.sign, connection.at_end_of_step);
    statistics_.edge_hash += dynamic_[projection].back().edge_hash();
    dynamic_[projection].back().make_room(kWindow + kSlots);
  }
  statistics_.synapses += first.back();
  has_dynamic_[target] = true;
}

void Simulation::make_rings() {
  for (std::size_t p = 0; p < cells_.size(); ++p) {
    Cells& cells = cells_[p];
    if (!cells.neurons) continue;
    const double longest_ms = longest_virtual_delay_ms_[p];
    if (cells.leaky && longest_ms == 0 && !has_dynamic_[p]) continue;
    // An event arrives at most one step (rounding) and the window of its spike later than its delay says.
    const auto slots = static_cast<std::size_t>(std::ceil(longest_ms / grid_.dt_ms)) +
                       (longest_ms > 0 ? static_cast<std::size_t>(kWindow) : 0) + 3;
    cells.ring = std::make_unique<RingBuffer>(slots, rows_[p].count() * circuit_.populations[p].size);
  }
}

/// The longest of 4, 2, 1 steps whose sums leave a quarter of the second-level cache to other data.
std::int64_t usual_horizon(const BlockLayout& layout, const network::Circuit& circuit) {
  double cache_bytes = 1 << 20;
#ifdef _SC_LEVEL2_CACHE_SIZE
  if (const long known = sysconf(_SC_LEVEL2_CACHE_SIZE); known > 0) cache_bytes = static_cast<double>(known);
#endif
  std::size_t places = 0;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    if (!circuit.populations[p].is_virtual) places += layout.rows[p] * layout.ranges[0][p].size();
  }
  std::int64_t horizon = 4;
  const double step_bytes = static_cast<double>(places * sizeof(std::int32_t));
  while (horizon > 1 && static_cast<double>(horizon) * step_bytes > 0.75 * cache_bytes) horizon /= 2;
  return horizon;
}

void Simulation::choose_horizon() {
  horizon_ = options_.horizon_steps > 0 ? options_.horizon_steps : usual_horizon(layout_, circuit_);
  if (horizon_ != 1 && horizon_ != 2 && horizon_ != 4 && horizon_ != 8) {
    throw core::InputError({"", "horizon_steps", fmt::format("{}", horizon_), "must be 0, 1, 2, 4 or 8", ""});
  }
  exchange_ = synapses_.synapses > 0 ? std::min(horizon_, synapses_.shortest_delay) : horizon_;
  for (std::size_t p = 0; p < dynamic_.size(); ++p) {
    if (circuit_.populations[circuit_.projections[p].source].is_virtual) continue;
    for (const DynamicSynapses& block : dynamic_[p]) exchange_ = std::min(exchange_, block.shortest_delay());
  }
  while (horizon_ % exchange_ != 0) --exchange_;
  const std::int64_t kept = synapses_.longest_delay + 2 * horizon_ + kWindow + 1;
  history_.assign(static_cast<std::size_t>(kept), std::vector<std::vector<std::uint32_t>>(layout_.blocks()));
  blocks_.resize(layout_.blocks());
  pool_.run([&](std::size_t part) {
    for_blocks_of(part, [&](std::size_t b) {
      const std::size_t sums = static_cast<std::size_t>(horizon_) * kPlaces;
      if (!synapses_.blocks[b].narrow.empty()) blocks_[b].narrow_sums = LargeArray<std::int32_t>(sums);
      if (!synapses_.blocks[b].wide.empty()) blocks_[b].wide_sums = LargeArray<std::int64_t>(sums);
      std::fill_n(blocks_[b].narrow_sums.data(), blocks_[b].narrow_sums.size(), 0);
      std::fill_n(blocks_[b].wide_sums.data(), blocks_[b].wide_sums.size(), 0);
    });
  });
}

// -------------------------------------------------------------------------------------------------------- time
// --------

template <class Work>
void Simulation::for_blocks_of(std::size_t part, const Work& work) {
  const std::size_t n = layout_.blocks();
  for (std::size_t b = n * part / pool_.size(); b < n * (part + 1) / pool_.size(); ++b) work(b);
}

/// Adds what spikes of the steps [first_spike, last_spike) do in the steps [first_arrival, last_arrival).
void Simulation::deliver(std::size_t block, std::int64_t first_spike, std::int64_t last_spike,
                         std::int64_t first_arrival, std::int64_t last_arrival) {
  Block& b = blocks_[block];
  const BlockSynapses& synapses = synapses_.blocks[block];
  const auto collect = [&](const auto& rows, std::vector<Due>& due) {
    due.clear();
    if (rows.empty()) return;
    const std::int64_t shortest = rows.shortest_delay(), longest = rows.longest_delay();
    for (std::int64_t step = std::max(first_spike, first_arrival - longest); step < last_spike; ++step) {
      const std::int64_t from = std::max(shortest, first_arrival - step);
      const std::int64_t to = std::min(longest + 1, last_arrival - step);
      if (from >= to) continue;
      for (std::size_t origin = 0; origin < layout_.blocks(); ++origin) {
        for (const std::uint32_t source : spikes_at(step, origin)) {
          due.push_back({source, static_cast<std::int32_t>(from), static_cast<std::int32_t>(to),
                         static_cast<std::uint32_t>(step % kSlots)});
        }
      }
    }
  };
  collect(synapses.narrow, b.due_narrow);
  collect(synapses.wide, b.due_wide);
  synapses.narrow.deliver(b.due_narrow, static_cast<std::uint32_t>(horizon_), b.narrow_sums.data());
  synapses.wide.deliver(b.due_wide, static_cast<std::uint32_t>(horizon_), b.wide_sums.data());
}

/// Spikes of virtual sources go to the ring buffers of this block's targets.
void Simulation::deliver_virtual(std::size_t block, std::int64_t begin) {
  for (std::size_t p = 0; p < circuit_.projections.size(); ++p) {
    const network::Projection& projection = circuit_.projections[p];
    const bool is_dynamic_here = !dynamic_[p].empty() && circuit_.populations[projection.source].is_virtual;
    if (virtual_edges_[p].empty() && !is_dynamic_here) continue;
    RingBuffer& ring = *cells_[projection.target].ring;
    for (const network::SourceSpike& spike : virtual_spikes_[projection.source]) {
      const double t_steps = spike.t_ms / grid_.dt_ms;
      const std::int64_t earliest = std::max(begin, static_cast<std::int64_t>(std::floor(t_steps))) + 1;
      if (is_dynamic_here) {
        dynamic_[p][block].virtual_spike(spike.cell, t_steps, earliest);
      } else {
        virtual_edges_[p][block].deliver(spike.cell, t_steps, earliest, ring);
      }
    }
  }
}

/// Calls work(cell) for the cells of a population, numbered within it, that one block saw firing in a step.
template <class Work>
void Simulation::for_spikes_of(std::size_t population, std::int64_t step, std::size_t block, const Work& work) {
  const std::uint32_t first = layout_.first_source[population];
  const auto last = static_cast<std::uint32_t>(first + circuit_.populations[population].size);
  const std::vector<std::uint32_t>& spikes = spikes_at(step, block);
  for (auto it = std::lower_bound(spikes.begin(), spikes.end(), first); it != spikes.end() && *it < last; ++it)
    work(*it - first);
}

/// Tells the dynamic synapses of a block of the spikes of steps [first_spike, last_spike).
void Simulation::hand_over_dynamic(std::size_t block, std::int64_t first_spike, std::int64_t last_spike) {
  for (std::size_t p = 0; p < dynamic_.size(); ++p) {
    const std::size_t source = circuit_.projections[p].source;
    if (dynamic_[p].empty() || circuit_.populations[source].is_virtual) continue;
    for (std::int64_t step = std::max<std::int64_t>(0, first_spike); step < last_spike; ++step) {
      for (std::size_t origin = 0; origin < layout_.blocks(); ++origin) {
        for_spikes_of(source, step, origin, [&](std::uint32_t cell) { dynamic_[p][block].cell_spike(cell, step); });
      }
    }
  }
}

/// What happens at the dynamic synapses of a block in a step, in the order of time: arrivals before target spikes of
/// the same moment.
void Simulation::step_dynamic(std::size_t block, std::int64_t step) {
  for (std::size_t p = 0; p < dynamic_.size(); ++p) {
    if (dynamic_[p].empty()) continue;
    DynamicSynapses& synapses = dynamic_[p][block];
    const std::size_t target = circuit_.projections[p].target;
    const auto arrive = [&] {
      synapses.arrive(step, [&](std::uint32_t row, std::uint32_t cell, double weight) {
        events_of(target, row, step)[cell] += weight;
      });
    };
    if (!synapses.acts_at_end()) arrive();
    std::vector<std::uint32_t>& fired = blocks_[block].step_spikes;
    fired.clear();
    if (step > 0) for_spikes_of(target, step - 1, block, [&](std::uint32_t cell) { fired.push_back(cell); });
    synapses.target_spikes(step, fired);
    if (synapses.acts_at_end()) arrive();
  }
}

/// Where the events of a kind of synapse that count in a step come together.
std::span<double> Simulation::events_of(std::size_t population, std::size_t row, std::int64_t step) {
  const std::size_t size = circuit_.populations[population].size;
  // What acts at the end of the step is one row further in the ring.
  return cells_[population].ring->row(rows_[population].acts_at_end(row) ? step + 1 : step).subspan(row * size, size);
}

/// Adds the integer sums of a step and the private drives to the rows of doubles.
void Simulation::take_sums(std::size_t block, std::size_t population, std::int64_t step) {
  Block& b = blocks_[block];
  const CellRange& range = layout_.ranges[block][population];
  const std::size_t slot = static_cast<std::size_t>(step % horizon_) * kPlaces;
  for (std::size_t r = 0; r < layout_.rows[population]; ++r) {
    const std::size_t place = slot + layout_.base[block][population] + r * range.size();
    double* events = events_of(population, r, step).data() + range.begin;
    const auto take = [&](auto& sums, double unit) {
      if (sums.size() == 0) return;
      for (std::size_t i = 0; i < range.size(); ++i) {
        events[i] += static_cast<double>(sums[place + i]) * unit;
        sums[place + i] = 0;
      }
    };
    take(b.narrow_sums, synapses_.narrow_unit[population][r]);
    take(b.wide_sums, synapses_.wide_unit);
  }
  for (auto& drive : cells_[population].drives) {
    const DriveCounts drawn = drive->draw(step, block);
    double* events = events_of(population, drive->row(), step).data() + range.begin;
    for (std::size_t i = 0; i < range.size(); ++i) events[i] += drawn.weight * drawn.counts[i];
  }
}

void Simulation::step_any(std::size_t block, std::size_t population, std::int64_t step, StepInput& input) {
  Cells& cells = cells_[population];
  const CellRange& range = layout_.ranges[block][population];
  take_sums(block, population, step);
  const std::size_t size = circuit_.populations[population].size;
  const std::span<double> row = cells.ring->row(step);
  if (cells.receptors) {
    cells.receptors->step(range.begin, range.end, row, cells.neurons->variable("v"), cells.G_uS, cells.GE_nA);
    input.G_uS = cells.G_uS;
    input.GE_nA = cells.GE_nA;
  }
  if (cells.currents) {
    std::fill(cells.I_nA.begin() + static_cast<std::ptrdiff_t>(range.begin),
              cells.I_nA.begin() + static_cast<std::ptrdiff_t>(range.end), 0.0);
  }
  cells.current->step(step, range.begin, range.end, cells.I_nA);
  if (cells.currents) {
    cells.currents->step(range.begin, range.end, row.subspan(rows_[population].conductances.size() * size), cells.I_nA);
  }
  input.I_nA = cells.I_nA;
  for (std::size_t r = 0; r < rows_[population].count(); ++r) {
    if (rows_[population].acts_at_end(r)) input.arrivals_at_end = events_of(population, r, step);
  }
}

void Simulation::step_leaky(std::size_t block, std::size_t population, std::int64_t step, StepInput& input) {
  Cells& cells = cells_[population];
  Block& b = blocks_[block];
  const CellRange& range = layout_.ranges[block][population];
  const std::size_t slot = static_cast<std::size_t>(step % horizon_) * kPlaces;
  const std::size_t rows = layout_.rows[population];
  b.arrivals.assign(rows, {});
  b.drive_counts.resize(std::max(rows, b.drive_counts.size()));
  for (auto& counts : b.drive_counts) counts.clear();
  for (auto& drive : cells.drives) b.drive_counts[drive->row()].push_back(drive->draw(step, block));
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t place = slot + layout_.base[block][population] + r * range.size();
    Arrivals& arrivals = b.arrivals[r];
    if (b.narrow_sums.size() > 0) arrivals.narrow = b.narrow_sums.data() + place;
    arrivals.narrow_unit = synapses_.narrow_unit[population][r];
    if (b.wide_sums.size() > 0) arrivals.wide = b.wide_sums.data() + place;
    arrivals.wide_unit = synapses_.wide_unit;
    const bool at_end = rows_[population].currents[r].shape == network::CurrentSynapse::Shape::delta;
    if (cells.ring)
      arrivals.doubles = cells.ring->row(at_end ? step + 1 : step).data() + r * circuit_.populations[population].size;
    arrivals.drives = b.drive_counts[r];
  }
  input.arrivals = b.arrivals;
  if (cells.current->is_uniform()) {
    input.uniform_I_nA = cells.current->uniform_nA(step);
  } else {
    cells.current->step(step, range.begin, range.end, cells.I_nA);
    input.I_nA = cells.I_nA;
  }
}

void Simulation::advance(std::size_t block, std::size_t population, std::int64_t step) {
  Cells& cells = cells_[population];
  const CellRange& range = layout_.ranges[block][population];
  StepInput input;
  input.step = step;
  input.part = block;
  input.range_begin = range.begin;
  if (cells.leaky) {
    step_leaky(block, population, step, input);
  } else {
    step_any(block, population, step, input);
  }
  std::vector<std::uint32_t>& spikes = blocks_[block].step_spikes;
  spikes.clear();
  try {
    cells.neurons->step(range.begin, range.end, input, spikes);
  } catch (const NonFinite& bad) {
    throw core::NumericalError(fmt::format("point tier: population {}, cell {}: {} is not finite at {} ms",
                                           circuit_.populations[population].name, bad.cell, bad.variable,
                                           grid_.time_ms(step + 1)));
  }
  if (!input.arrivals_at_end.empty()) {
    // The rows of delta synapses and instantaneous ones have been used up.
    for (std::size_t r = 0; r < rows_[population].count(); ++r) {
      if (!rows_[population].acts_at_end(r)) continue;
      const std::span<double> events = events_of(population, r, step);
      std::fill(events.begin() + static_cast<std::ptrdiff_t>(range.begin),
                events.begin() + static_cast<std::ptrdiff_t>(range.end), 0.0);
    }
  }
  std::vector<std::uint32_t>& all = spikes_at(step, block);
  for (const std::uint32_t cell : spikes) all.push_back(layout_.first_source[population] + cell);
}

void Simulation::draw_virtual(std::size_t block, double end_ms) {
  for (auto& shares : virtual_shares_) {
    if (shares.empty()) continue;
    shares[block].spikes.clear();
    shares[block].source->take_until(end_ms, shares[block].spikes);
  }
}

/// One thread's part of a window. Whoever fails goes on meeting the others until all leave together.
void Simulation::run_window(std::size_t part, std::int64_t begin, std::int64_t end) {
  std::exception_ptr error;
  std::int64_t now = begin;
  const auto guarded = [&](const auto& work) {
    if (error) return;
    try {
      for_blocks_of(part, work);
    } catch (...) {
      error = std::current_exception();
      failed_step_.store(now, std::memory_order_relaxed);
    }
  };
  guarded([&](std::size_t block) { deliver_virtual(block, begin); });
  bool stop = false;
  for (std::int64_t horizon = begin; horizon < end && !stop; horizon += horizon_) {
    const std::int64_t horizon_end = horizon + horizon_;
    now = horizon;
    guarded([&](std::size_t block) { deliver(block, 0, horizon, horizon, horizon_end); });
    for (std::int64_t from = horizon; from < std::min(end, horizon_end) && !stop; from += exchange_) {
      now = from;
      const std::int64_t to = std::min(end, from + exchange_);
      guarded([&](std::size_t block) {
        if (from > horizon) deliver(block, from - exchange_, from, from, horizon_end);
        hand_over_dynamic(block, from - exchange_, from);
        for (std::int64_t step = from; step < to; ++step) {
          spikes_at(step, block).clear();
          step_dynamic(block, step);
          for (std::size_t p = 0; p < cells_.size(); ++p) {
            if (cells_[p].neurons) advance(block, p, step);
          }
          sample_probes(block, begin, step + 1);
          sample_weights(block, begin, step + 1);
        }
      });
      barrier_.arrive_and_wait();
      // A failure of the interval that comes next may be seen already; everybody still meets once more then.
      stop = failed_step_.load(std::memory_order_relaxed) <= from;
    }
  }
  guarded([&](std::size_t block) { draw_virtual(block, grid_.time_ms(end + kWindow)); });
  if (error) std::rethrow_exception(error);
}

// --------------------------------------------------------------------------------------------------- recording
// --------

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

void Simulation::run(core::Recorder& recorder, core::Progress& progress) {
  const Clock::time_point start = Clock::now();
  pool_.run([&](std::size_t part) {
    for_blocks_of(part, [&](std::size_t block) {
      draw_virtual(block, grid_.time_ms(kWindow));
      sample_probes(block, 0, 0);
      sample_weights(block, 0, 0);
    });
  });
  gather_virtual();
  record_probes(0, 0, 0, recorder);
  const std::int64_t steps = grid_.steps();
  for (std::int64_t begin = 0; begin < steps; begin += kWindow) {
    const std::int64_t end = std::min(steps, begin + kWindow);
    pool_.run([&](std::size_t part) { run_window(part, begin, end); });
    record_spikes(begin, end, recorder);
    gather_virtual();
    record_probes(begin, begin + 1, end, recorder);
    progress.advance(grid_.time_ms(end), grid_.duration_ms);
  }
  statistics_.wall_s = seconds_since(start);
}

}  // namespace

core::RunStatistics simulate(const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, const Options& options) {
  std::vector<core::Problem> problems = missing(circuit);
  if (!problems.empty()) throw core::InputError(std::move(problems));
  Simulation simulation(circuit, threads, options);
  simulation.run(recorder, progress);
  return simulation.statistics();
}

}  // namespace triscale::pointneuron

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "network/connectivity.hpp"
#include "network/edges.hpp"
#include "pointneuron/simulation.hpp"

namespace triscale::pointneuron {

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
}

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
      cells.receptors = std::make_unique<Receptors>(rows_[p].conductances, population.size, grid_.dt_ms, options_.isa);
      cells.G_uS.assign(population.size, 0.0);
      cells.GE_nA.assign(population.size, 0.0);
      if (cells.neurons->has_dendrite() && cells.receptors->some_at_soma()) {
        cells.G_soma_uS.assign(population.size, 0.0);
        cells.GE_soma_nA.assign(population.size, 0.0);
      }
    }
    if (!cells.leaky && !rows_[p].currents.empty()) {
      cells.currents = std::make_unique<CurrentReceptors>(rows_[p].currents, population.size, grid_.dt_ms,
                                                          cells.neurons->membrane_rate_per_ms(), options_.isa);
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
    dynamic_[projection].emplace_back(circuit_, projection, edges, first, ranges[target],
                                      Action{connection.rows, connection.sign, connection.at_end_of_step},
                                      options_.isa);
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

namespace {
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
}  // namespace

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
      const BlockSynapses& synapses = synapses_.blocks[b];
      Block& block = blocks_[b];
      block.narrow_slots = static_cast<std::uint32_t>(horizon_);
      if (synapses.narrow.has_short_rows()) {
        block.narrow_slots = std::bit_ceil(static_cast<std::uint32_t>(synapses.narrow.longest_delay()) + 1);
        block.narrow_stride = 0;
        for (std::size_t p = 0; p < cells_.size(); ++p) {
          if (cells_[p].neurons) block.narrow_stride += layout_.rows[p] * layout_.ranges[b][p].size();
        }
      }
      if (!synapses.narrow.empty())
        block.narrow_sums = LargeArray<std::int32_t>(block.narrow_slots * block.narrow_stride);
      if (!synapses.wide.empty())
        block.wide_sums = LargeArray<std::int64_t>(static_cast<std::size_t>(horizon_) * kPlaces);
      std::fill_n(blocks_[b].narrow_sums.data(), blocks_[b].narrow_sums.size(), 0);
      std::fill_n(blocks_[b].wide_sums.data(), blocks_[b].wide_sums.size(), 0);
    });
  });
}
}  // namespace triscale::pointneuron

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "pointneuron/simulation.hpp"

namespace triscale::pointneuron {

namespace {

/// Cells that are taken through a step together, so that what passes between its parts stays in the first-level cache.
constexpr std::size_t kTogether = 1024;

/// events += sums unit; sums = 0.
template <class Sum>
void take(core::Isa isa, Sum* sums, double unit, double* events, std::size_t n) {
  core::compiled_for(isa, [=]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) {
      events[i] += static_cast<double>(sums[i]) * unit;
      sums[i] = 0;
    }
  });
}

}  // namespace

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
                         static_cast<std::uint32_t>(step)});
        }
      }
    }
  };
  if (synapses.narrow.has_short_rows()) {
    // Whole rows, once: of the spikes that were exchanged last.
    b.due_narrow.clear();
    for (std::int64_t step = std::max<std::int64_t>(0, last_spike - exchange_); step < last_spike; ++step) {
      for (std::size_t origin = 0; origin < layout_.blocks(); ++origin) {
        for (const std::uint32_t source : spikes_at(step, origin))
          b.due_narrow.push_back({source, 0, 0, static_cast<std::uint32_t>(step)});
      }
    }
    synapses.narrow.deliver_whole(b.due_narrow, b.narrow_slots, b.narrow_stride, b.narrow_sums.data());
  } else {
    collect(synapses.narrow, b.due_narrow);
    synapses.narrow.deliver(b.due_narrow, static_cast<std::uint32_t>(horizon_), b.narrow_sums.data());
  }
  collect(synapses.wide, b.due_wide);
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
    // What acts at the end of the step is one row further in the ring.
    const auto arrive = [&] {
      synapses.arrive(step, cells_[target].ring->row(synapses.acts_at_end() ? step + 1 : step).data());
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

/// Draws the private drives of a population, row by row.
void Simulation::draw_drives(std::size_t block, std::size_t population, std::int64_t step) {
  std::vector<std::vector<DriveCounts>>& counts = blocks_[block].drive_counts;
  counts.resize(std::max(layout_.rows[population], counts.size()));
  for (auto& row : counts) row.clear();
  for (auto& drive : cells_[population].drives) counts[drive->row()].push_back(drive->draw(step, block));
}

/// Adds the integer sums of a step and the private drives of some cells to the rows of doubles.
void Simulation::take_sums(std::size_t block, std::size_t population, std::int64_t step, const CellRange& some) {
  Block& b = blocks_[block];
  const CellRange& range = layout_.ranges[block][population];
  const std::size_t slot = static_cast<std::size_t>(step % horizon_) * kPlaces;
  for (std::size_t r = 0; r < layout_.rows[population]; ++r) {
    const std::size_t in_slot = layout_.base[block][population] + r * range.size() + (some.begin - range.begin);
    double* events = events_of(population, r, step).data() + some.begin;
    if (b.narrow_sums.size() > 0)
      take(options_.isa, b.narrow_sums.data() + b.narrow_slot(step) + in_slot, synapses_.narrow_unit[population][r],
           events, some.size());
    if (b.wide_sums.size() > 0)
      take(options_.isa, b.wide_sums.data() + slot + in_slot, synapses_.wide_unit, events, some.size());
    for (const DriveCounts& drive : b.drive_counts[r]) {
      const std::uint16_t* counts = drive.counts + (some.begin - range.begin);
      for (std::size_t i = 0; i < some.size(); ++i) events[i] += drive.weight * counts[i];
    }
  }
}

void Simulation::step_any(std::size_t block, std::size_t population, std::int64_t step, StepInput& input) {
  Cells& cells = cells_[population];
  const CellRange& range = layout_.ranges[block][population];
  const std::size_t size = circuit_.populations[population].size;
  const std::span<double> row = cells.ring->row(step);
  draw_drives(block, population, step);
  input.G_uS = cells.G_uS;
  input.GE_nA = cells.GE_nA;
  input.G_soma_uS = cells.G_soma_uS;
  input.GE_soma_nA = cells.GE_soma_nA;
  input.I_nA = cells.I_nA;
  for (std::size_t r = 0; r < rows_[population].count(); ++r) {
    if (rows_[population].acts_at_end(r)) input.arrivals_at_end = events_of(population, r, step);
  }
  for (std::size_t from = range.begin; from < range.end; from += kTogether) {
    const CellRange some{from, std::min(range.end, from + kTogether)};
    take_sums(block, population, step, some);
    if (cells.receptors) {
      cells.receptors->step(some.begin, some.end, row, cells.neurons->synaptic_potential(),
                            {cells.G_uS, cells.GE_nA, cells.G_soma_uS, cells.GE_soma_nA});
    }
    if (cells.current->is_uniform()) {
      std::fill_n(cells.I_nA.begin() + static_cast<std::ptrdiff_t>(some.begin), some.size(),
                  cells.current->uniform_nA(step));
    } else {
      cells.current->step(step, some.begin, some.end, cells.I_nA);
    }
    if (cells.currents) {
      cells.currents->step(some.begin, some.end, row.subspan(rows_[population].conductances.size() * size), cells.I_nA);
    }
    cells.neurons->step(some.begin, some.end, input, blocks_[block].step_spikes);
  }
}

void Simulation::step_leaky(std::size_t block, std::size_t population, std::int64_t step, StepInput& input) {
  Cells& cells = cells_[population];
  Block& b = blocks_[block];
  const CellRange& range = layout_.ranges[block][population];
  const std::size_t slot = static_cast<std::size_t>(step % horizon_) * kPlaces;
  const std::size_t rows = layout_.rows[population];
  b.arrivals.assign(rows, {});
  draw_drives(block, population, step);
  for (std::size_t r = 0; r < rows; ++r) {
    const std::size_t in_slot = layout_.base[block][population] + r * range.size();
    Arrivals& arrivals = b.arrivals[r];
    if (b.narrow_sums.size() > 0) arrivals.narrow = b.narrow_sums.data() + b.narrow_slot(step) + in_slot;
    arrivals.narrow_unit = synapses_.narrow_unit[population][r];
    if (b.wide_sums.size() > 0) arrivals.wide = b.wide_sums.data() + slot + in_slot;
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
  cells.neurons->step(range.begin, range.end, input, b.step_spikes);
}

void Simulation::advance(std::size_t block, std::size_t population, std::int64_t step) {
  Cells& cells = cells_[population];
  const CellRange& range = layout_.ranges[block][population];
  StepInput input;
  input.step = step;
  input.part = block;
  input.range_begin = range.begin;
  std::vector<std::uint32_t>& spikes = blocks_[block].step_spikes;
  spikes.clear();
  try {
    if (cells.leaky) {
      step_leaky(block, population, step, input);
    } else {
      step_any(block, population, step, input);
    }
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
}  // namespace triscale::pointneuron

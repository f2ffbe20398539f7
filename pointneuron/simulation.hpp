/// A run of the point tier: what it holds (simulation_setup.cpp makes it), how it moves in time
/// (simulation_stepping.cpp) and what it hands out (simulation_recording.cpp). The rules stand in simulate.hpp.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/parallel.hpp"
#include "core/spin_barrier.hpp"
#include "core/time_grid.hpp"
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
#include "pointneuron/simulate.hpp"

namespace triscale::pointneuron {

/// Steps between two calls of the recorder; virtual spikes are drawn for as many at once. A multiple of every horizon.
inline constexpr std::int64_t kWindow = 32;

/// A population with dynamics.
struct Cells {
  bool leaky = false;  ///< LifNeurons, which takes its events itself
  std::unique_ptr<NeuronModel> neurons;
  std::unique_ptr<Receptors> receptors;        ///< conductances
  std::unique_ptr<CurrentReceptors> currents;  ///< synaptic currents, unless leaky
  std::unique_ptr<RingBuffer> ring;  ///< events of virtual sources; unless leaky, where all events come together
  std::unique_ptr<CurrentInput> current;
  std::vector<std::unique_ptr<PrivateDrive>> drives;
  std::vector<double> G_uS, GE_nA, G_soma_uS, GE_soma_nA, I_nA;
};

/// Virtual spikes of one population that one block draws.
struct VirtualShare {
  std::unique_ptr<network::SpikeSourceReader> source;
  std::vector<network::SourceSpike> spikes;
};

/// What one block works with.
struct Block {
  LargeArray<std::int32_t> narrow_sums;  ///< [slot][place]
  std::uint32_t narrow_slots = 1;        ///< the horizon; where rows are delivered as wholes, above the longest delay
  std::size_t narrow_stride = kPlaces;   ///< between two slots
  std::size_t narrow_slot(std::int64_t step) const {
    return (static_cast<std::size_t>(step) & (narrow_slots - 1)) * narrow_stride;
  }
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

  /// Calls work(block) for the blocks of one thread.
  template <class Work>
  void for_blocks_of(std::size_t part, const Work& work) {
    const std::size_t n = layout_.blocks();
    for (std::size_t b = n * part / pool_.size(); b < n * (part + 1) / pool_.size(); ++b) work(b);
  }
  void run_window(std::size_t part, std::int64_t begin, std::int64_t end);
  void deliver_virtual(std::size_t block, std::int64_t begin);
  void hand_over_dynamic(std::size_t block, std::int64_t first_spike, std::int64_t last_spike);
  void step_dynamic(std::size_t block, std::int64_t step);
  template <class Work>
  void for_spikes_of(std::size_t population, std::int64_t step, std::size_t block, const Work& work);
  void deliver(std::size_t block, std::int64_t first_spike, std::int64_t last_spike, std::int64_t first_arrival,
               std::int64_t last_arrival);
  void advance(std::size_t block, std::size_t population, std::int64_t step);
  void draw_drives(std::size_t block, std::size_t population, std::int64_t step);
  void step_any(std::size_t block, std::size_t population, std::int64_t step, StepInput& input);
  void step_leaky(std::size_t block, std::size_t population, std::int64_t step, StepInput& input);
  void take_sums(std::size_t block, std::size_t population, std::int64_t step, const CellRange& some);
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
}  // namespace triscale::pointneuron

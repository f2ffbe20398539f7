/// Private Poisson drives: a virtual population that gives one source to every cell of its target, one to one, binned
/// to the time step, with one weight and one delay for all. Only the numbers of its events are drawn, step by step
/// (network/poisson_counts.hpp); they are those that the detailed tier gets as spikes.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "network/poisson_counts.hpp"
#include "pointneuron/block_synapses.hpp"
#include "pointneuron/neuron_model.hpp"

namespace triscale::pointneuron {

/// Whether a projection is such a drive.
bool is_private_drive(const network::Circuit& circuit, const network::Projection& projection);

class PrivateDrive {
 public:
  /// `ranges`: of the target population, one per block. Events act on `row` with `sign`.
  PrivateDrive(const network::Circuit& circuit, std::size_t projection, std::size_t row, double sign,
               bool at_end_of_step, const std::vector<CellRange>& ranges, core::Isa isa);

  std::size_t row() const { return row_; }
  /// Numbers of events that act in a step on the cells of a block. Valid until the block's next call.
  DriveCounts draw(std::int64_t step, std::size_t block);

 private:
  struct Block {
    network::PoissonCounts counts;
    std::size_t first, before;  ///< the first cell drawn, a multiple of 8, and how many of those are not ours
    std::vector<std::uint16_t> numbers;
  };
  std::size_t row_;
  double weight_;
  std::int64_t delay_steps_;  ///< from the bin to the step in which it acts
  std::vector<Block> blocks_;
};

}  // namespace triscale::pointneuron

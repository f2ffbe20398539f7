/// When and where a probe samples.
#pragma once

#include <cstdint>
#include <vector>

#include "core/time_grid.hpp"
#include "network/circuit.hpp"

namespace triscale::pointneuron {

/// The probed variable is one that this tier has.
bool can_sample(const network::Circuit& circuit, const network::Probe& probe);

struct ProbeSampling {
  std::size_t probe = 0;
  std::vector<std::uint32_t> cells;
  std::int64_t first_step = 0, every_steps = 1, end_step = 0;
  std::vector<double> values;  ///< of a window: [step][cell]

  ProbeSampling(const network::Circuit& circuit, std::size_t probe, const core::TimeGrid& grid, std::int64_t window);
  bool due(std::int64_t step) const {
    return step >= first_step && step < end_step && (step - first_step) % every_steps == 0;
  }
};

}  // namespace triscale::pointneuron

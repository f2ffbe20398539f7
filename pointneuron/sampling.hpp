/// When and where a probe samples.
#pragma once

#include <cstdint>
#include <span>
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

/// Samples of a weight probe.
struct WeightSampling {
  std::size_t probe = 0, projection = 0;
  std::int64_t first_step = 0, every_steps = 1, end_step = 0;

  WeightSampling(const network::Circuit& circuit, std::size_t probe, const core::TimeGrid& grid, std::int64_t window);
  /// How many weights a sample has.
  void resize(std::size_t weights);
  bool due(std::int64_t step) const {
    return step >= first_step && step < end_step && (step - first_step) % every_steps == 0;
  }
  /// Where the sample of a step goes that is due in the window from `begin` on.
  std::span<double> row(std::int64_t begin, std::int64_t step) {
    const std::int64_t first = begin <= first_step ? 0 : (begin - first_step + every_steps - 1) / every_steps;
    const auto at = static_cast<std::size_t>((step - first_step) / every_steps - first);
    return std::span(values_).subspan(at * weights_, weights_);
  }

 private:
  std::size_t rows_, weights_ = 0;
  std::vector<double> values_;
};

}  // namespace triscale::pointneuron

#include "pointneuron/sampling.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

namespace {
std::int64_t step_at(const core::TimeGrid& grid, double t_ms) {
  return static_cast<std::int64_t>(std::ceil(std::clamp(t_ms, 0.0, grid.duration_ms) / grid.dt_ms - 1e-9));
}
}  // namespace

ProbeSampling::ProbeSampling(const network::Circuit& circuit, std::size_t index, const core::TimeGrid& grid,
                             std::int64_t window)
    : probe(index), cells(circuit.probes[index].cells) {
  const network::Probe& p = circuit.probes[index];
  for (std::uint32_t c = 0; p.cells.empty() && c < circuit.populations[p.population].size; ++c) cells.push_back(c);
  first_step = step_at(grid, p.begin_ms);
  end_step = step_at(grid, p.end_ms);
  every_steps = std::max<std::int64_t>(1, std::llround(p.dt_ms / grid.dt_ms));
  values.resize(cells.size() * static_cast<std::size_t>(window + 1));
}

WeightSampling::WeightSampling(const network::Circuit& circuit, std::size_t index, const core::TimeGrid& grid,
                               std::int64_t window)
    : probe(index), projection(circuit.weight_probes[index].projection) {
  const network::WeightProbe& p = circuit.weight_probes[index];
  first_step = step_at(grid, p.begin_ms);
  end_step = step_at(grid, p.end_ms);
  every_steps = std::max<std::int64_t>(1, std::llround(p.dt_ms / grid.dt_ms));
  rows_ = static_cast<std::size_t>(window / every_steps + 2);
}

void WeightSampling::resize(std::size_t weights) {
  weights_ = weights;
  values_.assign(rows_ * weights, 0.0);
}

}  // namespace triscale::pointneuron

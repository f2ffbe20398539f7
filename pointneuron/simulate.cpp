#include "pointneuron/simulate.hpp"

#include <algorithm>
#include <chrono>

#include "pointneuron/simulation.hpp"

namespace triscale::pointneuron {

namespace {
using Clock = std::chrono::steady_clock;
}

void Simulation::run(core::Recorder& recorder, core::Progress& progress) {
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
}

core::RunStatistics simulate(const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, const Options& options) {
  std::vector<core::Problem> problems = missing(circuit);
  if (!problems.empty()) throw core::InputError(std::move(problems));
  const Clock::time_point start = Clock::now();
  Simulation simulation(circuit, threads, options);
  const Clock::time_point ready = Clock::now();
  simulation.run(recorder, progress);
  core::RunStatistics statistics = simulation.statistics();
  statistics.setup_s = std::chrono::duration<double>(ready - start).count();
  statistics.wall_s = std::chrono::duration<double>(Clock::now() - ready).count();
  return statistics;
}

}  // namespace triscale::pointneuron

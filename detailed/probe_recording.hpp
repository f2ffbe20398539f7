/// The probes of a run: membrane potentials and calcium of chosen compartments at chosen times.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "core/recorder.hpp"
#include "core/time_grid.hpp"
#include "detailed/cell_network.hpp"

namespace triscale::detailed {

class ProbeRecording {
 public:
  ProbeRecording(const network::Circuit& circuit, const CellNetwork& network);

  /// Hands over the state at the start.
  void record_start(core::Recorder& recorder) const;
  /// Before the steps begin..end-1.
  void start_window(std::int64_t begin, std::int64_t end);
  /// State of a group at time step * dt, which is after `step` steps. Different groups may be sampled by different
  /// threads.
  void sample(std::size_t group, std::int64_t step);
  /// Hands over the samples of the window.
  void emit(core::Recorder& recorder) const;

 private:
  struct ActiveProbe {
    std::size_t index;  // in Circuit::probes
    bool calcium;
    std::int64_t first_step, last_step, every;
    std::vector<Place> elements;
    std::vector<double> samples;  // of a window: [sample][element]

    bool due(std::int64_t step) const {
      return step >= first_step && step <= last_step && (step - first_step) % every == 0;
    }
  };
  double value_of(const ActiveProbe& probe, std::size_t element) const;

  const CellNetwork& network_;
  core::TimeGrid grid_;
  std::vector<ActiveProbe> probes_;
  std::vector<std::vector<std::pair<std::size_t, std::size_t>>> elements_of_;  // (probe, element) by group
  std::int64_t begin_ = 0, end_ = 0;
};

}  // namespace triscale::detailed

/// The field probes of a run: when to sample, which cells count, and the sums over groups of cells.
///
/// Each group of cells has a FieldSampler a probe. Samples of a group are made into sums over its cells by the thread
/// that runs the group, when some have come together; the sums of the groups are added in the order of the groups, so
/// that results are the same bits for any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/forward_model.hpp"
#include "core/recorder.hpp"
#include "core/time_grid.hpp"
#include "detailed/field_sampler.hpp"
#include "network/circuit.hpp"
#include "network/field_cells.hpp"

namespace triscale::detailed {

class FieldRecording {
 public:
  /// One model a field probe of the circuit. `window`: the most steps between two calls of emit().
  FieldRecording(const network::Circuit& circuit, std::span<const std::unique_ptr<core::ForwardModel>> models,
                 const core::TimeGrid& grid, std::int64_t window);

  /// Before anything else: how many groups and threads there are.
  void set_groups(std::size_t groups, std::size_t threads);
  /// A group of cells of a population, from `first_cell` on. Different groups may be added by different threads.
  void add_group(std::size_t group, std::size_t population, std::uint32_t first_cell, const CellGroup& cells,
                 std::span<const std::size_t> injected_nodes);

  /// After step number `step - 1`, that is at time step * dt; also at the start, with step 0, which is a window of its
  /// own. `thread`: the one that runs the group in this window.
  void after_step(std::size_t group, const CellGroup& cells, std::int64_t step, std::size_t thread);
  /// At the end of a window, after its last step.
  void end_window(std::size_t group, std::int64_t step, std::size_t thread);
  /// Hands over what end_window() has made of all groups.
  void emit(core::Recorder& recorder);

 private:
  struct Field;
  void emit_cells(Field& field, core::Recorder& recorder) const;

  struct Field {
    std::size_t probe;
    const core::ForwardModel* model;
    std::int64_t first_step, every, count;  // of samples
    bool average;
    std::vector<std::vector<char>> counts;                // whether a cell counts, by population; empty: none does
    std::vector<std::unique_ptr<FieldSampler>> samplers;  // one a group; null where no cell counts
    std::vector<std::vector<double>> sums;                // of a group: [sample][channel]
    std::vector<network::CellPlace> places;               // of single cells' contributions; empty: not asked for
    std::vector<std::size_t> first_place;                 // of a group
    std::vector<std::vector<float>> cells;                // of a group: [sample][member][channel]
    std::vector<FieldLaneArray> lent;                     // memory of each thread
    std::int64_t emitted = 0;
  };

  const network::Circuit& circuit_;
  core::TimeGrid grid_;
  std::int64_t window_;
  std::vector<Field> fields_;
};

}  // namespace triscale::detailed

#include "detailed/field_recording.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace triscale::detailed {

namespace {

/// At least so many samples are multiplied with the weights together. Currents are best multiplied while they are in
/// the cache, but weights of many channels come from memory, and should not come too often.
std::size_t batch_of(const core::ForwardModel& model) {
  return std::clamp<std::size_t>(model.components() / 3, 1, 32);
}

}  // namespace

FieldRecording::FieldRecording(const network::Circuit& circuit,
                               std::span<const std::unique_ptr<core::ForwardModel>> models, const core::TimeGrid& grid,
                               std::int64_t window)
    : circuit_(circuit), grid_(grid), window_(window) {
  if (models.size() != circuit.field_probes.size()) {
    throw std::logic_error("a detailed run needs one forward model a field probe");
  }
  for (std::size_t k = 0; k < models.size(); ++k) {
    const network::FieldProbe& probe = circuit.field_probes[k];
    Field field{k, models[k].get(), 0, 1, 0, probe.average, {}, {}, {}, {}, {}, {}, {}, 0};
    for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
      field.counts.push_back(network::counting_cells(circuit, probe, p));
    }
    if (!probe.contributions_dir.empty()) field.places = network::contributing_cells(circuit, probe);
    if (probe.dt_ms > 0) field.every = std::max<std::int64_t>(1, std::llround(probe.dt_ms / grid.dt_ms));
    const auto step_at = [&](double t_ms) { return static_cast<std::int64_t>(std::ceil(t_ms / grid.dt_ms - 1e-9)); };
    field.first_step = step_at(probe.begin_ms);
    const std::int64_t steps = step_at(std::min(probe.end_ms, grid.duration_ms)) - field.first_step;
    field.count = std::max<std::int64_t>(0, (steps + field.every - 1) / field.every);
    fields_.push_back(std::move(field));
  }
}

void FieldRecording::set_groups(std::size_t groups, std::size_t threads) {
  for (Field& field : fields_) {
    field.samplers.resize(groups);
    field.sums.resize(groups);
    field.first_place.resize(groups);
    field.cells.resize(groups);
    field.lent.resize(threads);
  }
}

void FieldRecording::add_group(std::size_t group, std::size_t population, std::uint32_t first_cell,
                               const CellGroup& cells, std::span<const std::size_t> injected_nodes) {
  const network::Population& p = circuit_.populations[population];
  const network::Morphology& morphology = *circuit_.cell_types[p.cell_type].detailed->morphology;
  for (Field& field : fields_) {
    if (field.counts[population].empty()) continue;
    std::vector<FieldSampler::Member> members;
    for (std::uint32_t lane = 0; lane < cells.cells(); ++lane) {
      const std::uint32_t cell = first_cell + lane;
      if (!field.counts[population][cell]) continue;
      members.push_back({lane, p.placements.empty() ? network::Placement{} : p.placements[cell]});
    }
    if (members.empty()) continue;
    const network::CellPlace first{population, first_cell + static_cast<std::uint32_t>(members.front().lane)};
    field.first_place[group] =
        static_cast<std::size_t>(std::find(field.places.begin(), field.places.end(), first) - field.places.begin());
    const auto in_window = static_cast<std::size_t>(window_ / field.every + 2);
    const std::size_t batch = batch_of(*field.model);
    // A sample each step, and enough of them in a window.
    const bool at_every_window = field.every == 1 && static_cast<std::size_t>(window_) >= batch;
    field.samplers[group] =
        std::make_unique<FieldSampler>(*field.model, morphology, cells.tree(), members, injected_nodes,
                                       at_every_window ? in_window : batch + in_window, at_every_window);
  }
}

void FieldRecording::after_step(std::size_t group, const CellGroup& cells, std::int64_t step, std::size_t thread) {
  for (Field& field : fields_) {
    FieldSampler* sampler = field.samplers[group].get();
    if (!sampler) continue;
    const std::int64_t steps = step - field.first_step;
    if (field.average) {
      // A sample is made of the steps that end after its time.
      if (steps < 1 || steps > field.count * field.every) continue;
      sampler->add(cells, field.lent[thread]);
      if (steps % field.every == 0) {
        sampler->finish_sample(1.0f / static_cast<float>(field.every), field.lent[thread]);
      }
    } else if (steps >= 0 && steps < field.count * field.every && steps % field.every == 0) {
      sampler->add(cells, field.lent[thread]);
      sampler->finish_sample(1.0f, field.lent[thread]);
    }
  }
}

void FieldRecording::end_window(std::size_t group, std::int64_t step, std::size_t thread) {
  const bool last = step >= grid_.steps();
  for (Field& field : fields_) {
    FieldSampler* sampler = field.samplers[group].get();
    if (!sampler || sampler->samples() == 0) continue;
    if (last || sampler->lent() || sampler->samples() >= batch_of(*field.model)) {
      sampler->take(field.sums[group], field.places.empty() ? nullptr : &field.cells[group], field.lent[thread]);
    }
  }
}

void FieldRecording::emit(core::Recorder& recorder) {
  for (Field& field : fields_) {
    std::vector<double> total;
    for (std::vector<double>& sums : field.sums) {
      if (total.empty()) total.assign(sums.size(), 0.0);
      for (std::size_t i = 0; i < sums.size(); ++i) total[i] += sums[i];
      sums.clear();
    }
    const std::size_t channels = field.model->channels();
    if (!field.places.empty() && !total.empty()) emit_cells(field, recorder);
    for (std::size_t at = 0; at < total.size(); at += channels) {
      const double t_ms = grid_.time_ms(field.first_step + field.emitted++ * field.every);
      recorder.record_field(field.probe, t_ms, std::span(total).subspan(at, channels));
    }
  }
}

/// The samples of all groups, a row of all cells after the other.
void FieldRecording::emit_cells(Field& field, core::Recorder& recorder) const {
  const std::size_t channels = field.model->channels();
  std::vector<float> row(field.places.size() * channels);
  for (std::int64_t sample = 0;; ++sample) {
    bool any = false;
    for (std::size_t group = 0; group < field.samplers.size(); ++group) {
      if (!field.samplers[group]) continue;
      const std::size_t width = field.samplers[group]->members() * channels;
      const std::size_t at = static_cast<std::size_t>(sample) * width;
      if (at >= field.cells[group].size()) continue;
      any = true;
      std::copy_n(field.cells[group].data() + at, width, row.data() + field.first_place[group] * channels);
    }
    if (!any) break;
    recorder.record_contributions(field.probe, grid_.time_ms(field.first_step + (field.emitted + sample) * field.every),
                                  row);
  }
  for (std::vector<float>& cells : field.cells) cells.clear();
}

}  // namespace triscale::detailed

#include "bridges/fields/signal_recorder.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "core/time_grid.hpp"

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000;

/// Kernels on a coarser grid, for rates that change slowly: the mean over the interval around each point.
network::FieldKernels coarsened(const network::FieldKernels& fine, double dt_ms) {
  const auto factor = static_cast<std::int64_t>(std::max(1.0, std::round(dt_ms / fine.dt_ms)));
  network::FieldKernels out = fine;
  out.dt_ms = fine.dt_ms * static_cast<double>(factor);
  const auto samples = static_cast<std::int64_t>(fine.samples);
  const std::int64_t last = fine.first + samples - 1;
  out.first = (fine.first - factor) / factor - 1;
  out.samples = static_cast<std::size_t>((last + factor) / factor + 2 - out.first);
  const std::size_t channels = fine.channels;
  for (std::size_t s = 0; s < out.sources.size(); ++s) {
    const std::vector<float>& from = fine.sources[s].values;
    std::vector<float>& to = out.sources[s].values;
    to.assign(out.samples * channels, 0.0f);
    for (std::int64_t k = 0; k < samples; ++k) {
      const double place = static_cast<double>(k + fine.first) / static_cast<double>(factor);
      const auto at = static_cast<std::size_t>(static_cast<std::int64_t>(std::floor(place + 0.5)) - out.first);
      for (std::size_t c = 0; c < channels; ++c) {
        to[at * channels + c] += from[static_cast<std::size_t>(k) * channels + c] / static_cast<float>(factor);
      }
    }
  }
  return out;
}

}  // namespace

network::CircuitKernels population_kernels(const network::CircuitKernels& kernels) {
  network::CircuitKernels out = kernels;
  for (network::FieldKernels& probe : out.probes) {
    const std::size_t size = probe.samples * probe.channels;
    for (network::SourceKernels& source : probe.sources) {
      if (!source.per_cell) continue;
      const std::size_t cells = size > 0 ? source.values.size() / size : 0;
      std::vector<double> mean(size, 0.0);
      for (std::size_t i = 0; i < source.values.size(); ++i) mean[i % size] += source.values[i];
      source.values.assign(size, 0.0f);
      for (std::size_t i = 0; i < size && cells > 0; ++i) {
        source.values[i] = static_cast<float>(mean[i] / static_cast<double>(cells));
      }
      source.per_cell = false;
    }
  }
  return out;
}

/// One field probe: the sums that are still growing, in a ring, and the samples that are due.
class SignalRecorder::Signal {
 public:
  Signal(std::size_t index, const network::FieldProbe& probe, std::shared_ptr<const network::FieldKernels> kernels,
         const core::TimeGrid& grid, core::Recorder& next)
      : index_(index), average_(probe.average), own_(std::move(kernels)), kernels_(*own_), run_(grid), next_(next) {
    of_population_.assign(kernels_.sources.size(), nullptr);
    for (const network::SourceKernels& source : kernels_.sources) of_population_.at(source.population) = &source;
    constexpr std::size_t kSlack = 512;  // the window in which spikes come in before they are asked for
    rows_ = kernels_.samples + kSlack;
    ring_.assign(rows_ * channels(), 0.0);
    before_.assign(channels(), 0.0);
    row_ = before_;
    sum_ = before_;
    // Samples as detailed/field_recording.hpp has them.
    if (probe.dt_ms > 0) every_ = std::max<std::int64_t>(1, std::llround(probe.dt_ms / grid.dt_ms));
    const auto step_at = [&](double t_ms) { return static_cast<std::int64_t>(std::ceil(t_ms / grid.dt_ms - 1e-9)); };
    first_step_ = step_at(probe.begin_ms);
    const std::int64_t steps = step_at(std::min(probe.end_ms, grid.duration_ms)) - first_step_;
    count_ = std::max<std::int64_t>(0, (steps + every_ - 1) / every_);
    next_row_ = std::min<std::int64_t>(0, kernels_.first);
  }

  std::size_t channels() const { return kernels_.channels; }

  /// `number` spikes of a cell at once. Without kernels of single cells, `cell` does not matter.
  void add(std::size_t population, std::uint32_t cell, double t_ms, double number) {
    const network::SourceKernels* source = of_population_.at(population);
    if (source == nullptr) return;
    const float* kernel = source->values.data() + (source->per_cell ? cell * kernels_.samples * channels() : 0);
    const double position = t_ms / kernels_.dt_ms;
    const double whole = std::floor(position + 1e-6);
    const double share = std::max(0.0, position - whole);
    const std::int64_t begin = static_cast<std::int64_t>(whole) + kernels_.first;
    add_at(begin, kernel, number * (1 - share));
    if (share > 1e-6) add_at(begin + 1, kernel, number * share);
  }

  /// Everything that happens before t_ms is in.
  void complete_until(double t_ms) {
    const double last = std::floor(t_ms / kernels_.dt_ms + 1e-6) + static_cast<double>(kernels_.first);
    while (static_cast<double>(next_row_) < last && emitted_ < count_) finish_row();
  }

 private:
  void add_at(std::int64_t begin, const float* kernel, double number) {
    if (begin < next_row_ ||
        begin + static_cast<std::int64_t>(kernels_.samples) > next_row_ + static_cast<std::int64_t>(rows_)) {
      if (emitted_ >= count_) return;  // after the last sample
      throw std::logic_error("spikes reached a signal out of order");
    }
    std::size_t at = place(begin);
    const std::size_t n = channels();
    for (std::size_t k = 0; k < kernels_.samples; ++k) {
      double* to = ring_.data() + at * n;
      const float* from = kernel + k * n;
      for (std::size_t c = 0; c < n; ++c) to[c] += number * static_cast<double>(from[c]);
      if (++at == rows_) at = 0;
    }
  }

  std::size_t place(std::int64_t row) const {
    const auto rows = static_cast<std::int64_t>(rows_);
    return static_cast<std::size_t>(((row % rows) + rows) % rows);
  }

  void finish_row() {
    double* values = ring_.data() + place(next_row_) * channels();
    before_.swap(row_);
    row_.assign(values, values + channels());
    std::fill(values, values + channels(), 0.0);
    const double t_ms = static_cast<double>(next_row_) * kernels_.dt_ms;
    ++next_row_;
    if (average_) {
      average_row(t_ms);
    } else {
      sample_rows(t_ms);
    }
  }

  double sample_ms(std::int64_t sample) const { return run_.time_ms(first_step_ + sample * every_); }

  /// Samples between the row before and this one.
  void sample_rows(double t_ms) {
    std::vector<double> values(channels());
    for (; emitted_ < count_ && sample_ms(emitted_) <= t_ms + 1e-6; ++emitted_) {
      const double back = std::clamp((t_ms - sample_ms(emitted_)) / kernels_.dt_ms, 0.0, 1.0);
      for (std::size_t c = 0; c < channels(); ++c) values[c] = (1 - back) * row_[c] + back * before_[c];
      next_.record_field(index_, sample_ms(emitted_), values);
    }
  }

  /// Mean over the rows in (sample's time, next sample's time]; the row itself where samples are denser than rows.
  void average_row(double t_ms) {
    if (t_ms <= sample_ms(emitted_) + 1e-6) return;
    for (std::size_t c = 0; c < channels(); ++c) sum_[c] += row_[c];
    rows_in_sum_ += 1;
    while (emitted_ < count_ && sample_ms(emitted_ + 1) <= t_ms + 1e-6) {
      if (rows_in_sum_ > 0) {
        mean_ = sum_;
        for (double& value : mean_) value /= rows_in_sum_;
      }
      next_.record_field(index_, sample_ms(emitted_), mean_);
      std::fill(sum_.begin(), sum_.end(), 0.0);
      rows_in_sum_ = 0;
      ++emitted_;
    }
  }

  std::size_t index_;
  bool average_;
  std::shared_ptr<const network::FieldKernels> own_;
  const network::FieldKernels& kernels_;
  core::TimeGrid run_;
  core::Recorder& next_;
  std::vector<const network::SourceKernels*> of_population_;
  std::size_t rows_ = 0;
  std::vector<double> ring_;  // [row modulo rows_][channel]
  std::int64_t next_row_ = 0;
  std::vector<double> before_, row_, sum_, mean_;
  double rows_in_sum_ = 0;
  std::int64_t first_step_ = 0, every_ = 1, count_ = 0, emitted_ = 0;
};

SignalRecorder::SignalRecorder(const network::Circuit& circuit, const network::CircuitKernels& kernels,
                               core::Recorder& next)
    : circuit_(circuit), kernels_(kernels), next_(next) {
  if (kernels.probes.size() != circuit.field_probes.size()) {
    throw std::logic_error("signals need one kernel a field probe");
  }
}

SignalRecorder::~SignalRecorder() = default;

void SignalRecorder::start(bool rates) {
  started_ = true;
  constexpr double kRateGrid_ms = 1;  // a mean-field's rates do not move faster
  const network::CircuitKernels means = rates ? population_kernels(kernels_) : network::CircuitKernels{};
  for (std::size_t k = 0; k < circuit_.field_probes.size(); ++k) {
    // Kernels of single cells are large: they stay where they are.
    const auto kernels =
        rates ? std::make_shared<const network::FieldKernels>(coarsened(means.probes[k], kRateGrid_ms))
              : std::shared_ptr<const network::FieldKernels>(std::shared_ptr<void>(), &kernels_.probes[k]);
    signals_.push_back(std::make_unique<Signal>(k, circuit_.field_probes[k], kernels,
                                                core::TimeGrid{circuit_.run.dt_ms, circuit_.run.duration_ms}, next_));
  }
  if (rates) return;
  for (std::size_t p = 0; p < circuit_.populations.size(); ++p) {
    if (!circuit_.populations[p].is_virtual) continue;
    sources_.emplace_back(p, network::SpikeSourceReader(circuit_, p, 0, circuit_.populations[p].size));
  }
}

/// Takes in the spikes of virtual populations before t_ms, piece by piece, and hands over what is complete.
void SignalRecorder::advance_to(double t_ms) {
  constexpr double kPiece_ms = 5;
  while (done_ms_ < t_ms) {
    const double until_ms = std::min(t_ms, done_ms_ + kPiece_ms);
    for (auto& [population, reader] : sources_) {
      std::vector<network::SourceSpike> spikes;
      reader.take_until(until_ms, spikes);
      for (const network::SourceSpike& spike : spikes) {
        for (auto& signal : signals_) signal->add(population, spike.cell, spike.t_ms, 1);
      }
    }
    done_ms_ = until_ms;
    for (auto& signal : signals_) signal->complete_until(done_ms_);
  }
}

void SignalRecorder::record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) {
  next_.record_spikes(population, t_ms, cells);
  if (!started_) start(false);
  if (circuit_.populations[population].is_virtual) return;
  advance_to(t_ms);
  for (auto& signal : signals_) {
    for (const std::uint32_t cell : cells) signal->add(population, cell, t_ms, 1);
  }
}

void SignalRecorder::record_probe(std::size_t probe, double t_ms, std::span<const double> values) {
  next_.record_probe(probe, t_ms, values);
}

void SignalRecorder::record_rates(double t_ms, std::span<const double> rates_hz) {
  next_.record_rates(t_ms, rates_hz);
  if (!started_) start(true);
  const double elapsed_ms = t_ms - rates_ms_;
  if (!rates_hz_.empty() && elapsed_ms > 0) {
    // The trapezoidal rule: the spikes of the interval stand in its middle.
    for (std::size_t p = 0; p < rates_hz.size(); ++p) {
      const double spikes =
          static_cast<double>(circuit_.populations[p].size) * 0.5 * (rates_hz[p] + rates_hz_[p]) * elapsed_ms / kMsPerS;
      if (spikes == 0) continue;
      for (auto& signal : signals_) signal->add(p, 0, rates_ms_ + 0.5 * elapsed_ms, spikes);
    }
    for (auto& signal : signals_) signal->complete_until(rates_ms_ + 0.5 * elapsed_ms);
  }
  rates_hz_.assign(rates_hz.begin(), rates_hz.end());
  rates_ms_ = t_ms;
}

void SignalRecorder::record_cell_rates(std::size_t population, std::span<const double> rates_hz) {
  next_.record_cell_rates(population, rates_hz);
}

void SignalRecorder::finish() {
  if (!started_) start(false);
  const double end_ms = circuit_.run.duration_ms;
  // Field before a spike is part of the kernel: the last samples wait for spikes that do not come.
  double lead_ms = 10;
  for (const network::FieldKernels& kernels : kernels_.probes) {
    lead_ms = std::max(lead_ms, 10 - static_cast<double>(kernels.first) * kernels.dt_ms);
  }
  if (sources_.empty()) done_ms_ = end_ms;
  advance_to(end_ms);
  for (auto& signal : signals_) signal->complete_until(end_ms + lead_ms);
}

}  // namespace triscale::bridges

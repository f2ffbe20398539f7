#include "pointneuron/current_input.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace triscale::pointneuron {

double mean_nA(const network::CurrentSegment& segment, double begin_ms, double end_ms) {
  const double from = std::max(begin_ms, segment.begin_ms);
  const double to = std::min(end_ms, segment.end_ms);
  if (!(to > from)) return 0;
  // A straight line: its mean is its value in the middle.
  const double fraction = (0.5 * (from + to) - segment.begin_ms) / (segment.end_ms - segment.begin_ms);
  const double middle_nA = segment.begin_nA + fraction * (segment.end_nA - segment.begin_nA);
  return middle_nA * (to - from) / (end_ms - begin_ms);
}

double mean_nA(const network::SampledCurrent& samples, double begin_ms, double end_ms) {
  const double first = std::floor((begin_ms - samples.begin_ms) / samples.dt_ms);
  const double last = std::ceil((end_ms - samples.begin_ms) / samples.dt_ms);
  const double count = static_cast<double>(samples.values_nA.size());
  if (!(last > 0) || !(first < count)) return 0;
  double charge = 0;
  for (auto k = static_cast<std::size_t>(std::max(0.0, first)); k < static_cast<std::size_t>(std::min(last, count));
       ++k) {
    const double from = std::max(begin_ms, samples.begin_ms + static_cast<double>(k) * samples.dt_ms);
    const double to = std::min(end_ms, samples.begin_ms + static_cast<double>(k + 1) * samples.dt_ms);
    if (to > from) charge += samples.values_nA[k] * (to - from);
  }
  return charge / (end_ms - begin_ms);
}

CurrentInput::CurrentInput(const network::Circuit& circuit, std::size_t population) : dt_ms_(circuit.run.dt_ms) {
  for (std::size_t index = 0; index < circuit.current_clamps.size(); ++index) {
    const network::CurrentClamp& source = circuit.current_clamps[index];
    if (source.population != population) continue;
    Clamp clamp{&source, source.cells, {}, {}, std::holds_alternative<network::NoiseCurrent>(source.waveform)};
    if (clamp.cells.empty()) {
      clamp.cells.resize(circuit.populations[population].size);
      std::iota(clamp.cells.begin(), clamp.cells.end(), 0u);
    }
    std::sort(clamp.cells.begin(), clamp.cells.end());
    is_uniform_ = is_uniform_ && !clamp.is_noise && source.cells.empty();
    if (clamp.is_noise) {
      clamp.x.assign(clamp.cells.size(), 0.0);
      for (std::uint32_t cell : clamp.cells) {
        clamp.streams.emplace_back(circuit.run.seed, core::Purpose::current_noise,
                                   (static_cast<std::uint64_t>(index) << 32) | cell);
      }
    }
    clamps_.push_back(std::move(clamp));
  }
}

double CurrentInput::uniform_nA(std::int64_t step) const {
  double sum = 0;
  for (const Clamp& clamp : clamps_) sum += waveform_mean_nA(clamp, step);
  return sum;
}

double CurrentInput::waveform_mean_nA(const Clamp& clamp, std::int64_t step) const {
  const double from = static_cast<double>(step) * dt_ms_;
  const double to = static_cast<double>(step + 1) * dt_ms_;
  if (const auto* segment = std::get_if<network::CurrentSegment>(&clamp.clamp->waveform)) {
    return mean_nA(*segment, from, to);
  }
  return mean_nA(std::get<network::SampledCurrent>(clamp.clamp->waveform), from, to);
}

void CurrentInput::add_noise(Clamp& clamp, std::int64_t step, std::size_t first, std::size_t last,
                             std::span<double> I_nA) const {
  const auto& noise = std::get<network::NoiseCurrent>(clamp.clamp->waveform);
  const double middle_ms = (static_cast<double>(step) + 0.5) * dt_ms_;
  if (!(middle_ms >= noise.begin_ms && middle_ms < noise.end_ms)) return;
  const bool starts = step == 0 || !(middle_ms - dt_ms_ >= noise.begin_ms);
  const double rho = starts ? 0.0 : std::exp(-dt_ms_ / noise.tau_ms);
  const double spread = std::sqrt(1 - rho * rho);
  for (std::size_t i = first; i < last; ++i) {
    clamp.x[i] = rho * clamp.x[i] + spread * clamp.streams[i].normal(static_cast<std::uint64_t>(step));
    I_nA[clamp.cells[i]] += noise.mean_nA + noise.sd_nA * clamp.x[i];
  }
}

void CurrentInput::step(std::int64_t step, std::size_t begin, std::size_t end, std::span<double> I_nA) {
  if (clamps_.empty()) return;
  std::fill(I_nA.begin() + static_cast<std::ptrdiff_t>(begin), I_nA.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
  for (Clamp& clamp : clamps_) {
    const auto first = std::lower_bound(clamp.cells.begin(), clamp.cells.end(), begin) - clamp.cells.begin();
    const auto last = std::lower_bound(clamp.cells.begin(), clamp.cells.end(), end) - clamp.cells.begin();
    if (clamp.is_noise) {
      add_noise(clamp, step, static_cast<std::size_t>(first), static_cast<std::size_t>(last), I_nA);
      continue;
    }
    const double I = waveform_mean_nA(clamp, step);
    for (auto i = first; i < last; ++i) I_nA[clamp.cells[static_cast<std::size_t>(i)]] += I;
  }
}

}  // namespace triscale::pointneuron

/// Signals of field probes kept in memory, at the resolution that comparisons need: means over intervals of at least a
/// millisecond, which is what electrodes that are sampled at 1 kHz see.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/recorder.hpp"

namespace triscale::measure {

struct Signal {
  std::string probe;
  std::size_t channels = 0;
  double begin_ms = 0, dt_ms = 1;
  std::vector<float> values;  ///< [sample][channel]; sample k is the mean over the dt from begin + k dt on

  std::size_t samples() const { return channels > 0 ? values.size() / channels : 0; }
};

/// A recorder that passes everything on and keeps the signals.
class SignalKeeper : public core::Recorder {
 public:
  struct Probe {
    std::string name;
    double dt_ms;  ///< between samples
  };
  SignalKeeper(const std::vector<Probe>& probes, core::Recorder& next) : next_(next) {
    constexpr double kInterval_ms = 1;
    for (const Probe& probe : probes) {
      const double together = std::max(1.0, std::round(kInterval_ms / probe.dt_ms));
      kept_.push_back({{probe.name, 0, 0, probe.dt_ms * together, {}}, static_cast<std::size_t>(together), 0, {}});
    }
  }

  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    next_.record_spikes(population, t_ms, cells);
  }
  void record_probe(std::size_t probe, double t_ms, std::span<const double> values) override {
    next_.record_probe(probe, t_ms, values);
  }
  void record_weights(std::size_t probe, double t_ms, std::span<const double> weights) override {
    next_.record_weights(probe, t_ms, weights);
  }
  void record_rates(double t_ms, std::span<const double> rates_hz) override { next_.record_rates(t_ms, rates_hz); }
  void record_cell_rates(std::size_t population, std::span<const double> rates_hz) override {
    next_.record_cell_rates(population, rates_hz);
  }
  void record_field(std::size_t probe, double t_ms, std::span<const double> values) override {
    Kept& kept = kept_.at(probe);
    if (kept.signal.channels == 0) {
      kept.signal.channels = values.size();
      kept.signal.begin_ms = t_ms;
      kept.sum.assign(values.size(), 0.0);
    }
    for (std::size_t c = 0; c < values.size(); ++c) kept.sum[c] += values[c];
    if (++kept.in_sum == kept.together) {
      for (double& sum : kept.sum) {
        kept.signal.values.push_back(static_cast<float>(sum / static_cast<double>(kept.together)));
        sum = 0;
      }
      kept.in_sum = 0;
    }
    next_.record_field(probe, t_ms, values);
  }

  void record_contributions(std::size_t probe, double t_ms, std::span<const float> values) override {
    next_.record_contributions(probe, t_ms, values);
  }

  std::vector<Signal> take() {
    std::vector<Signal> signals;
    for (Kept& kept : kept_) signals.push_back(std::move(kept.signal));
    return signals;
  }

 private:
  struct Kept {
    Signal signal;
    std::size_t together, in_sum;
    std::vector<double> sum;
  };
  std::vector<Kept> kept_;
  core::Recorder& next_;
};

}  // namespace triscale::measure

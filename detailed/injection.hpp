/// A current clamp's waveform as one cell sees it, step by step.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <variant>

#include "core/random.hpp"
#include "network/circuit.hpp"

namespace triscale::detailed {

/// An injected current as one cell sees it.
class Injection {
 public:
  Injection(const network::CurrentClamp& clamp, std::uint64_t seed, std::size_t index, std::size_t lane_cell,
            std::size_t population_cell, std::size_t node, double dt_ms)
      : clamp_(&clamp),
        stream_(seed, core::Purpose::current_noise, (std::uint64_t{index} << 32) | population_cell),
        cell_(lane_cell),
        node_(node) {
    if (const auto* noise = std::get_if<network::NoiseCurrent>(&clamp.waveform)) {
      keep_ = std::exp(-dt_ms / noise->tau_ms);
      kick_ = noise->sd_nA * std::sqrt(1.0 - keep_ * keep_);
      deviation_nA_ = noise->sd_nA * stream_.next_normal();
    }
  }

  std::size_t cell() const { return cell_; }
  std::size_t node() const { return node_; }

  /// Current in the middle of a step; called once a step, in order.
  double next_nA(double t_ms) {
    return std::visit([&](const auto& waveform) { return next(waveform, t_ms); }, clamp_->waveform);
  }

 private:
  double next(const network::CurrentSegment& segment, double t_ms) const {
    if (!(t_ms >= segment.begin_ms) || t_ms >= segment.end_ms) return 0;
    const double fraction = (t_ms - segment.begin_ms) / (segment.end_ms - segment.begin_ms);
    return segment.begin_nA + fraction * (segment.end_nA - segment.begin_nA);
  }
  double next(const network::NoiseCurrent& noise, double t_ms) {
    const double now = noise.mean_nA + deviation_nA_;
    deviation_nA_ = keep_ * deviation_nA_ + kick_ * stream_.next_normal();
    return t_ms >= noise.begin_ms && t_ms < noise.end_ms ? now : 0.0;
  }
  double next(const network::SampledCurrent& sampled, double t_ms) const {
    const double k = std::floor((t_ms - sampled.begin_ms) / sampled.dt_ms);
    return k >= 0 && k < static_cast<double>(sampled.values_nA.size()) ? sampled.values_nA[static_cast<std::size_t>(k)]
                                                                       : 0.0;
  }

  const network::CurrentClamp* clamp_;
  core::RandomStream stream_;
  std::size_t cell_, node_;
  double keep_ = 0, kick_ = 0, deviation_nA_ = 0;
};

}  // namespace triscale::detailed

/// The past of population rates for delayed coupling: with slopes, read by cubic Hermite interpolation, whose error is
/// of fourth order in the step; or without, averaged over a step between linearly interpolated grid times, of second
/// order.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "meanfield/integrator.hpp"

namespace triscale::meanfield {

/// Rates and slopes at the last grid times; a ring buffer that reaches back past the longest delay.
class RateHistory {
 public:
  RateHistory(std::size_t populations, double longest_delay_ms, double step_ms)
      : populations_(populations),
        step_ms_(step_ms),
        slots_(static_cast<std::size_t>(std::ceil(longest_delay_ms / step_ms)) + 3),
        rates_(slots_ * populations),
        slopes_(slots_ * populations) {}

  void push(const State& state, const State& slopes) {
    const std::size_t slot = (size_++ % slots_) * populations_;
    std::copy_n(state.begin(), populations_, rates_.begin() + static_cast<std::ptrdiff_t>(slot));
    std::copy_n(slopes.begin(), populations_, slopes_.begin() + static_cast<std::ptrdiff_t>(slot));
  }

  /// Rate at t_ms, which must not lie after the last grid time; 0 before the start.
  double at(std::size_t population, double t_ms) const {
    const double position = t_ms / step_ms_;
    if (!(position > 0) || size_ == 0) return 0;
    const auto left = std::min(static_cast<std::size_t>(position), size_ - 1);
    const double x = position - static_cast<double>(left);
    const std::size_t a = (left % slots_) * populations_ + population;
    if (left + 1 >= size_ || !(x > 0)) return rates_[a];
    const std::size_t b = ((left + 1) % slots_) * populations_ + population;
    const double y = 1 - x;
    return y * y * (1 + 2 * x) * rates_[a] + x * x * (1 + 2 * y) * rates_[b] +
           x * y * step_ms_ * (y * slopes_[a] - x * slopes_[b]);
  }

 private:
  std::size_t populations_;
  double step_ms_;
  std::size_t slots_;
  std::size_t size_ = 0;
  std::vector<double> rates_, slopes_;
};

/// Rates at the last grid times 0, step, 2 step, ...
class MeanRateHistory {
 public:
  MeanRateHistory(std::size_t populations, double longest_delay_ms, double step_ms)
      : populations_(populations),
        step_ms_(step_ms),
        slots_(static_cast<std::size_t>(std::ceil(longest_delay_ms / step_ms)) + 4),
        rates_(slots_ * populations) {}

  void push(const std::vector<double>& rates_hz) {
    const std::size_t slot = (size_++ % slots_) * populations_;
    std::copy_n(rates_hz.begin(), populations_, rates_.begin() + static_cast<std::ptrdiff_t>(slot));
  }

  /// Average over a step from begin_ms on. Before the start rates are 0; after the last grid time they stay.
  double mean(std::size_t population, double begin_ms) const {
    const double position = begin_ms / step_ms_, whole = std::floor(position), x = position - whole;
    const double a = at(population, whole), b = at(population, whole + 1), c = at(population, whole + 2);
    return 0.5 * ((1 - x) * (a + x * (b - a) + b) + x * (b + b + x * (c - b)));
  }

 private:
  double at(std::size_t population, double grid_index) const {
    if (!(grid_index >= 0)) return 0;
    const auto k = std::min(static_cast<std::size_t>(grid_index), size_ - 1);
    return rates_[(k % slots_) * populations_ + population];
  }

  std::size_t populations_;
  double step_ms_;
  std::size_t slots_;
  std::size_t size_ = 0;
  std::vector<double> rates_;
};

}  // namespace triscale::meanfield

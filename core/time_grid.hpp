/// A fixed-step time grid. Time is start + step * dt, never an accumulated sum.
#pragma once

#include <cmath>
#include <cstdint>

namespace triscale::core {

struct TimeGrid {
  double dt_ms = 0.1;
  double duration_ms = 0.0;

  /// Number of steps; duration need not be a multiple of dt (the last step then ends past it by less than dt).
  std::int64_t steps() const { return static_cast<std::int64_t>(std::ceil(duration_ms / dt_ms - 1e-9)); }
  double time_ms(std::int64_t step) const { return static_cast<double>(step) * dt_ms; }
};

}  // namespace triscale::core

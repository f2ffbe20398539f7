/// The few cells of a block that need more than a loop's arithmetic: those that fire, or are not finite.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

namespace triscale::pointneuron {

inline constexpr std::size_t kBlock = 256;  ///< cells whose intermediate values stay in the first-level cache

/// A byte a cell, which is not 0 where the cell is marked. Those behind the last cell are 0.
struct Marks {
  static constexpr std::size_t kTogether = sizeof(std::uint64_t);
  alignas(64) std::array<std::uint8_t, kBlock> of{};

  /// Calls use(i) for the marked ones of the first n cells, ascending; eight unmarked ones cost as much as one.
  template <class Use>
  void for_each(std::size_t n, const Use& use) const {
    for (std::size_t first = 0; first < n; first += kTogether) {
      std::uint64_t eight;
      std::memcpy(&eight, of.data() + first, sizeof eight);
      if (eight == 0) continue;
      for (std::size_t i = first; i < first + kTogether && i < n; ++i) {
        if (of[i] != 0) use(i);
      }
    }
  }
};

}  // namespace triscale::pointneuron

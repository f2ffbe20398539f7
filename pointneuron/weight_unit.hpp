/// How weights become integers. All projections onto one receptor of a population share a unit, because their events
/// are added up as integers.
///
/// A unit for 13 bits is chosen such that
///   - weights that are all constant are whole multiples of it, and so exact; or
///   - a rounded weight is off by at most 1/1000 of the mean weight of its projection (half a unit), and rounding adds
///     at most 1/1000 to the variance of a projection's weights (unit^2 / 12; the mean of many rounded weights is off
///     by much less than a single one).
/// Synapses of a projection for which no such unit exists, and single synapses that are too strong for it, take 64-bit
/// words, where the strongest weight of the circuit has 43 bits.
#pragma once

#include <span>
#include <vector>

#include "network/circuit.hpp"

namespace triscale::pointneuron {

inline constexpr double kLargestRelativeError = 1e-3;

/// The weights of one projection.
struct WeightRange {
  double mean = 0, sd = 0;
  double largest = 0;  ///< few are above
};
WeightRange weight_range(const network::Projection& projection);

/// The unit for projections onto one receptor, and which of them can use it.
struct WeightUnit {
  double unit = 0;
  std::vector<bool> fits;
};
WeightUnit weight_unit(std::span<const WeightRange> projections);

}  // namespace triscale::pointneuron

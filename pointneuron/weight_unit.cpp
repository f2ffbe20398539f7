#include "pointneuron/weight_unit.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "pointneuron/synapse_rows.hpp"

namespace triscale::pointneuron {

namespace {

constexpr double kLargest = static_cast<double>(kLargestNarrow);

WeightRange range_of(const network::Distribution& d) {
  using Kind = network::Distribution::Kind;
  constexpr double kFew = 6.5;  ///< standard deviations that 4e-11 of all normal numbers exceed
  if (d.kind == Kind::constant) return {d.mean, 0, d.mean};
  if (d.kind == Kind::uniform) return {(d.low + d.high) / 2, (d.high - d.low) / std::sqrt(12.0), d.high};
  double largest = d.mean + kFew * d.sd;
  if (d.kind == Kind::lognormal) {
    const double variance = std::log1p(std::pow(d.sd / d.mean, 2));
    largest = d.mean * std::exp(4 * std::sqrt(variance) - variance / 2);
  }
  return {d.mean, d.sd, d.low < d.high ? std::min(largest, d.high) : largest};
}

WeightRange range_of(const std::vector<double>& weights) {
  if (weights.empty()) return {};
  const double n = static_cast<double>(weights.size());
  const double mean = std::accumulate(weights.begin(), weights.end(), 0.0) / n;
  const auto [least, most] = std::minmax_element(weights.begin(), weights.end());
  if (*least == *most) return {*most, 0, *most};
  double squares = 0;
  for (const double w : weights) squares += (w - mean) * (w - mean);
  return {mean, std::sqrt(squares / n), *most};
}

/// A unit that every constant weight is a whole multiple of.
std::optional<double> common_unit(std::span<const WeightRange> projections) {
  constexpr int kFractions = 64;
  constexpr double kRounding = 1e-13;
  double least = INFINITY;
  for (const WeightRange& p : projections) {
    if (p.sd > 0) return std::nullopt;
    if (p.mean > 0) least = std::min(least, p.mean);
  }
  if (!std::isfinite(least)) return 1.0;
  for (int parts = 1; parts <= kFractions; ++parts) {
    const double unit = least / parts;
    const bool exact = std::all_of(projections.begin(), projections.end(), [&](const WeightRange& p) {
      const double multiple = std::round(p.mean / unit);
      return multiple <= kLargest && std::abs(multiple * unit - p.mean) <= kRounding * p.mean;
    });
    if (exact) return unit;
  }
  return std::nullopt;
}

}  // namespace

WeightRange weight_range(const network::Projection& projection) {
  if (const auto* edges = std::get_if<network::ExplicitEdges>(&projection.connectivity))
    return range_of(edges->weights);
  return range_of(std::get<network::ConnectionRule>(projection.connectivity).weight);
}

WeightUnit weight_unit(std::span<const WeightRange> projections) {
  WeightUnit made;
  if (const auto unit = common_unit(projections)) {
    made.unit = *unit;
    made.fits.assign(projections.size(), true);
    return made;
  }
  for (const WeightRange& p : projections) made.unit = std::max(made.unit, p.largest / kLargest);
  for (const WeightRange& p : projections) {
    const bool precise = made.unit / 2 <= kLargestRelativeError * p.mean;
    const bool constant = p.sd == 0;
    const bool same_variance = constant || made.unit * made.unit / 12 <= kLargestRelativeError * p.sd * p.sd;
    made.fits.push_back(made.unit > 0 && precise && same_variance && !constant);
  }
  return made;
}

}  // namespace triscale::pointneuron

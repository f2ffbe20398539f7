#include "meanfield/projection_means.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <variant>

#include "network/edges.hpp"

namespace triscale::meanfield {

namespace {

/// Mean of x^k of a normal distribution restricted to [low, high], by recursion from the standard normal.
Moments truncated_normal(double mean, double sd, double low, double high) {
  if (!(sd > 0)) return {mean, mean * mean};
  const auto density = [](double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi); };
  const auto above = [](double z) { return 0.5 * std::erfc(z / std::numbers::sqrt2); };
  const double a = (low - mean) / sd, b = (high - mean) / sd;
  const double mass = above(a) - above(b);
  const double first = (density(a) - density(b)) / mass;
  const auto weighted = [&](double z) { return std::isfinite(z) && std::abs(z) < 40 ? z * density(z) : 0.0; };
  const double second = 1 + (weighted(a) - weighted(b)) / mass;
  return {mean + sd * first, mean * mean + 2 * mean * sd * first + sd * sd * second};
}

}  // namespace

Moments moments(const network::Distribution& d) {
  using Kind = network::Distribution::Kind;
  switch (d.kind) {
    case Kind::constant:
      return {d.mean, d.mean * d.mean};
    case Kind::uniform:
      return {(d.low + d.high) / 2, (d.low * d.low + d.low * d.high + d.high * d.high) / 3};
    case Kind::normal:
      if (d.low < d.high) return truncated_normal(d.mean, d.sd, d.low, d.high);
      break;
    case Kind::lognormal:  // cutting off its ends is not taken into account
      break;
  }
  return {d.mean, d.mean * d.mean + d.sd * d.sd};
}

std::uint64_t expected_synapses(const network::Circuit& circuit, const network::Projection& projection) {
  using Kind = network::ConnectionRule::Kind;
  if (const auto* edges = std::get_if<network::ExplicitEdges>(&projection.connectivity)) return edges->targets.size();
  const auto& rule = std::get<network::ConnectionRule>(projection.connectivity);
  const double sources = static_cast<double>(circuit.populations[projection.source].size);
  const double targets = static_cast<double>(circuit.populations[projection.target].size);
  const bool no_self = projection.source == projection.target && !rule.autapses;
  switch (rule.kind) {
    case Kind::all_to_all:
      return static_cast<std::uint64_t>(targets * (sources - (no_self ? 1 : 0)));
    case Kind::one_to_one:
      return static_cast<std::uint64_t>(targets) * std::max<std::uint64_t>(1, rule.number);
    case Kind::pairwise_bernoulli:
      return static_cast<std::uint64_t>(std::llround(rule.probability * targets * (sources - (no_self ? 1 : 0))));
    case Kind::fixed_in_degree:
      return rule.number * static_cast<std::uint64_t>(targets);
    case Kind::fixed_total_number:
      return rule.number;
  }
  return 0;
}

std::uint64_t expected_synapses(const network::Circuit& circuit) {
  std::uint64_t total = 0;
  for (const network::Projection& projection : circuit.projections) total += expected_synapses(circuit, projection);
  return total;
}

ProjectionMeans projection_means(const network::Circuit& circuit, std::size_t index, std::uint64_t* edge_hash) {
  const network::Projection& projection = circuit.projections[index];
  const double targets = static_cast<double>(circuit.populations[projection.target].size);
  ProjectionMeans means;
  const auto* rule = std::get_if<network::ConnectionRule>(&projection.connectivity);
  if (edge_hash == nullptr && rule != nullptr) {
    means.synapses = expected_synapses(circuit, projection);
    means.in_degree = static_cast<double>(means.synapses) / targets;
    means.weight = moments(rule->weight);
    means.delay_ms = moments(rule->delay_ms);
    return means;
  }
  const network::EdgeList edges = network::edges_of(circuit, index);
  if (edge_hash != nullptr) *edge_hash = network::hash_edges(*edge_hash, index, edges);
  means.synapses = edges.size();
  if (edges.size() == 0) return means;
  const double number = static_cast<double>(edges.size());
  means.in_degree = number / targets;
  for (std::size_t e = 0; e < edges.size(); ++e) {
    means.weight.mean += edges.weights[e] / number;
    means.weight.mean_square += edges.weights[e] * edges.weights[e] / number;
    means.delay_ms.mean += edges.delays_ms[e] / number;
    means.delay_ms.mean_square += edges.delays_ms[e] * edges.delays_ms[e] / number;
  }
  return means;
}

}  // namespace triscale::meanfield

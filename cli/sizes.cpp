#include "cli/sizes.hpp"

#include <algorithm>
#include <variant>

#include "detailed/compartments.hpp"
#include "meanfield/lif_circuit.hpp"
#include "pointneuron/dynamic_synapses.hpp"

namespace triscale::cli {

namespace {

// From the peak memory in run.json of the built-in circuit, of a SONATA circuit of 300 cells and of the cortical
// microcircuit (299 million synapses), on x86-64 Linux.
constexpr double kProgramBytes = 18e6;
constexpr double kEdgeBytes = 40;  // network::EdgeList: two indices, weight, delay, site
constexpr double kDetailedSynapseBytes = 120;
constexpr double kCompartmentBytes = 230;
constexpr double kPackedSynapseBytes = 5;   // of the point tier, between cells; rules are never written out as edges
constexpr double kSourceSynapseBytes = 24;  // of the point tier, from virtual sources in continuous time
constexpr double kPointCellBytes = 400;

double count(const network::ConnectionRule& rule, double sources, double targets, bool same) {
  using Kind = network::ConnectionRule::Kind;
  const double pairs = sources * targets - (same && !rule.autapses ? targets : 0);
  switch (rule.kind) {
    case Kind::all_to_all:
      return pairs;
    case Kind::one_to_one:
      return targets * static_cast<double>(std::max<std::uint64_t>(rule.number, 1));
    case Kind::pairwise_bernoulli:
      return rule.probability * pairs;
    case Kind::fixed_in_degree:
      return static_cast<double>(rule.number) * targets;
    case Kind::fixed_total_number:
      return static_cast<double>(rule.number);
  }
  return 0;
}

/// Bytes that the point tier needs for a projection.
double point_bytes(const network::Circuit& circuit, std::size_t index) {
  const network::Projection& projection = circuit.projections[index];
  const double synapses = synapse_count(circuit, projection);
  const bool listed = std::holds_alternative<network::ExplicitEdges>(projection.connectivity);
  double each =
      circuit.populations[projection.source].is_virtual ? kEdgeBytes + kSourceSynapseBytes : kPackedSynapseBytes;
  if (pointneuron::is_dynamic(circuit, projection)) each = pointneuron::dynamic_synapse_bytes(circuit, index);
  return synapses * (each + (listed ? kEdgeBytes : 0));
}

/// Edges that the mean-field tier holds at one time. The theory of leaky cells looks at one projection after the other,
/// and takes averages from the rules where a circuit is large.
double listed_at_once(const network::Circuit& circuit) {
  double all = 0, largest = 0;
  for (const network::Projection& projection : circuit.projections) {
    const double synapses = synapse_count(circuit, projection);
    all += synapses;
    largest = std::max(largest, synapses);
  }
  if (!meanfield::is_lif_circuit(circuit)) return all;
  return all > static_cast<double>(meanfield::LifCircuitOptions{}.max_edges) ? 0 : largest;
}

}  // namespace

double synapse_count(const network::Circuit& circuit, const network::Projection& projection) {
  if (const auto* edges = std::get_if<network::ExplicitEdges>(&projection.connectivity)) {
    return static_cast<double>(edges->targets.size());
  }
  return count(std::get<network::ConnectionRule>(projection.connectivity),
               static_cast<double>(circuit.populations[projection.source].size),
               static_cast<double>(circuit.populations[projection.target].size),
               projection.source == projection.target);
}

TierSize size_on(Tier tier, const network::Circuit& circuit) {
  TierSize size;
  for (const network::Projection& projection : circuit.projections) size.synapses += synapse_count(circuit, projection);
  for (const network::Population& population : circuit.populations) {
    if (population.is_virtual) continue;
    size.cells += tier == Tier::meanfield ? 1 : population.size;
    const auto& detailed = circuit.cell_types[population.cell_type].detailed;
    if (tier == Tier::detailed && detailed) {
      size.compartments +=
          population.size * detailed::build_compartments(*detailed, circuit.run.compartments).segments();
    }
  }
  const double cells = static_cast<double>(size.cells);
  size.memory_bytes = kProgramBytes;
  if (tier == Tier::detailed) size.memory_bytes += kEdgeBytes * size.synapses;
  if (tier == Tier::meanfield) size.memory_bytes += kEdgeBytes * listed_at_once(circuit);
  if (tier == Tier::detailed) {
    size.memory_bytes +=
        kCompartmentBytes * static_cast<double>(size.compartments) + kDetailedSynapseBytes * size.synapses;
  } else if (tier == Tier::point) {
    size.memory_bytes += kPointCellBytes * cells;
    for (std::size_t p = 0; p < circuit.projections.size(); ++p) size.memory_bytes += point_bytes(circuit, p);
  }
  return size;
}

}  // namespace triscale::cli

#include "network/edges.hpp"

#include <fmt/format.h>

#include <bit>
#include <memory>

#include "core/error.hpp"
#include "core/random.hpp"
#include "network/connectivity.hpp"
#include "network/dendritic_sites.hpp"

namespace triscale::network {

namespace {

/// Positions of the explicit edges in the order of their targets (counting sort: stable).
std::vector<std::size_t> order_by_target(const ExplicitEdges& edges, std::size_t targets) {
  std::vector<std::size_t> first(targets + 1, 0);
  for (const auto target : edges.targets) ++first.at(target + 1);
  for (std::size_t i = 1; i <= targets; ++i) first[i] += first[i - 1];
  std::vector<std::size_t> order(edges.targets.size());
  for (std::size_t i = 0; i < edges.targets.size(); ++i) order[first[edges.targets[i]]++] = i;
  return order;
}

EdgeList explicit_edges(const ExplicitEdges& edges, std::size_t targets) {
  EdgeList list;
  const std::size_t n = edges.targets.size();
  list.sources.reserve(n);
  list.targets.reserve(n);
  list.weights.reserve(n);
  list.delays_ms.reserve(n);
  list.sites.reserve(edges.sites.size());
  for (const std::size_t i : order_by_target(edges, targets)) {
    list.sources.push_back(edges.sources.at(i));
    list.targets.push_back(edges.targets[i]);
    list.weights.push_back(edges.weights.at(i));
    list.delays_ms.push_back(edges.delays_ms.at(i));
    if (!edges.sites.empty()) list.sites.push_back(edges.sites.at(i));
  }
  return list;
}

EdgeList rule_edges(const Circuit& circuit, std::size_t projection, const ConnectionRule& rule) {
  const std::uint64_t seed = circuit.run.seed;
  const SourceChooser chooser(circuit, projection);
  EdgeList list;
  std::vector<std::uint32_t> sources;
  const std::size_t targets = circuit.populations[circuit.projections[projection].target].size;
  for (std::size_t target = 0; target < targets; ++target) {
    chooser.sources_of(target, sources);
    const std::uint64_t entity = edge_entity(projection, target);
    core::RandomStream weight(seed, core::Purpose::weight, entity);
    core::RandomStream delay(seed, core::Purpose::delay, entity);
    for (const auto source : sources) {
      list.sources.push_back(source);
      list.targets.push_back(static_cast<std::uint32_t>(target));
      list.weights.push_back(draw(rule.weight, weight));
      list.delays_ms.push_back(draw(rule.delay_ms, delay));
    }
  }
  return list;
}

/// Place number k of a target depends on (seed, projection, target, k) only.
void draw_sites(const Circuit& circuit, std::size_t projection, const Morphology& morphology, EdgeList& list) {
  const Projection& p = circuit.projections[projection];
  const DendriticSites sites(morphology, p.placement);
  if (!(sites.area_um2() > 0)) {
    throw core::InputError({"", fmt::format("projections.{}.placement", p.name), "",
                            "must leave some membrane of the target cell to sit on",
                            "name section kinds that the morphology has, or widen the range of distances"});
  }
  list.sites.reserve(list.size());
  for (std::size_t begin = 0; begin < list.size();) {
    const std::uint32_t target = list.targets[begin];
    const core::RandomStream random(circuit.run.seed, core::Purpose::dendritic_site, edge_entity(projection, target));
    std::size_t end = begin;
    for (; end < list.size() && list.targets[end] == target; ++end)
      list.sites.push_back(sites.at(random.uniform(end - begin)));
    begin = end;
  }
}

}  // namespace

EdgeList edges_of(const Circuit& circuit, std::size_t projection) {
  const Projection& p = circuit.projections.at(projection);
  const Population& target = circuit.populations.at(p.target);
  const auto* given = std::get_if<ExplicitEdges>(&p.connectivity);
  EdgeList list = given != nullptr ? explicit_edges(*given, target.size)
                                   : rule_edges(circuit, projection, std::get<ConnectionRule>(p.connectivity));
  const auto& detailed = circuit.cell_types.at(target.cell_type).detailed;
  if (list.sites.empty() && list.size() > 0 && detailed && detailed->morphology) {
    draw_sites(circuit, projection, *detailed->morphology, list);
  }
  return list;
}

PointEdgeList point_edges_of(const Circuit& circuit, std::size_t projection, const EdgeList& edges) {
  const Projection& p = circuit.projections.at(projection);
  const SynapseType& type = circuit.synapse_types.at(p.synapse_type);
  if (!type.point) {
    throw core::InputError({"", fmt::format("synapse_types.{}", type.name), "", "must have a point description",
                            "derive it from the detailed description, or give one"});
  }
  PointEdgeList list{edges.sources, edges.targets, edges.weights, edges.delays_ms,
                     std::vector<std::uint32_t>(edges.size(), 0)};
  const auto* synapse = std::get_if<PointSynapse>(&*type.point);
  if (synapse == nullptr || synapse->sites.empty()) return list;
  if (edges.sites.size() != edges.size()) {
    throw core::InputError({"", fmt::format("synapse_types.{}.point.sites", type.name), "",
                            "needs edges with dendritic sites, but the target cell type has no morphology",
                            "leave the table of sites empty"});
  }
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const Site& site = edges.sites[i];
    const SiteTransfer* row = synapse->find(site);
    if (row == nullptr) {
      throw core::InputError({"", fmt::format("synapse_types.{}.point.sites", type.name),
                              fmt::format("section {}, position {}", site.section, site.position),
                              "must have a row for every place that a synapse sits on", "derive the table again"});
    }
    list.weights[i] = row->attenuation * edges.weights[i] / (1 + row->shunt_per_uS * edges.weights[i]);
    list.delays_ms[i] = edges.delays_ms[i] + row->extra_delay_ms;
    list.receptors[i] = row->receptor;
  }
  return list;
}

namespace {

/// FNV-1a, least significant byte first whatever the machine's byte order.
template <typename Word>
void add_word(std::uint64_t& hash, Word word) {
  constexpr std::uint64_t kPrime = 1099511628211ull;
  for (std::size_t byte = 0; byte < sizeof(Word); ++byte) {
    hash ^= static_cast<std::uint64_t>(word >> (8 * byte)) & 0xffu;
    hash *= kPrime;
  }
}

}  // namespace

std::uint64_t hash_edges(std::uint64_t hash, std::size_t projection, const EdgeList& edges) {
  for (std::size_t i = 0; i < edges.size(); ++i) {
    add_word(hash, static_cast<std::uint64_t>(projection));
    add_word(hash, edges.sources[i]);
    add_word(hash, edges.targets[i]);
    add_word(hash, std::bit_cast<std::uint64_t>(edges.weights[i]));
    add_word(hash, std::bit_cast<std::uint64_t>(edges.delays_ms[i]));
  }
  return hash;
}

}  // namespace triscale::network

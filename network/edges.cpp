#include "network/edges.hpp"

#include <fmt/format.h>

#include <bit>
#include <memory>

#include "core/error.hpp"
#include "core/random.hpp"
#include "network/connectivity.hpp"
#include "network/dendritic_sites.hpp"

namespace triscale::network {

EdgeMaker::EdgeMaker(const Circuit& circuit, std::size_t projection)
    : circuit_(circuit),
      projection_(projection),
      given_(std::get_if<ExplicitEdges>(&circuit.projections.at(projection).connectivity)) {
  const Projection& p = circuit.projections[projection];
  const Population& target = circuit.populations.at(p.target);
  if (given_ != nullptr) {
    // Counting sort: stable.
    first_.assign(target.size + 1, 0);
    for (const auto t : given_->targets) ++first_.at(t + 1);
    for (std::size_t t = 0; t < target.size; ++t) first_[t + 1] += first_[t];
    std::vector<std::size_t> next(first_);
    order_.resize(given_->targets.size());
    for (std::size_t i = 0; i < order_.size(); ++i) order_[next[given_->targets[i]]++] = i;
    if (!given_->sites.empty() || order_.empty()) return;
  } else {
    chooser_.emplace(circuit, projection);
  }
  const auto& detailed = circuit.cell_types.at(target.cell_type).detailed;
  if (!detailed || !detailed->morphology) return;
  sites_.emplace(*detailed->morphology, p.placement);
  if (sites_->area_um2() > 0) return;
  throw core::InputError({"", fmt::format("projections.{}.placement", p.name), "",
                          "must leave some membrane of the target cell to sit on",
                          "name section kinds that the morphology has, or widen the range of distances"});
}

void EdgeMaker::sources_of(std::size_t target, std::vector<std::uint32_t>& sources) const {
  if (given_ == nullptr) return chooser_->sources_of(target, sources);
  sources.clear();
  for (std::size_t i = first_[target]; i < first_[target + 1]; ++i) sources.push_back(given_->sources[order_[i]]);
}

/// Weight, delay and place number k of a target depend on (seed, projection, target, k) only.
void EdgeMaker::edges_of(std::size_t target, TargetEdges& edges) const {
  sources_of(target, edges.sources);
  const std::size_t n = edges.sources.size();
  edges.weights.resize(n);
  edges.delays_ms.resize(n);
  edges.sites.clear();
  const std::uint64_t seed = circuit_.run.seed;
  const std::uint64_t entity = edge_entity(projection_, target);
  if (given_ != nullptr) {
    for (std::size_t k = 0; k < n; ++k) {
      const std::size_t i = order_[first_[target] + k];
      edges.weights[k] = given_->weights.at(i);
      edges.delays_ms[k] = given_->delays_ms.at(i);
      if (!given_->sites.empty()) edges.sites.push_back(given_->sites.at(i));
    }
  } else {
    const auto& rule = std::get<ConnectionRule>(circuit_.projections[projection_].connectivity);
    draw(rule.weight, core::RandomStream(seed, core::Purpose::weight, entity), edges.weights);
    draw(rule.delay_ms, core::RandomStream(seed, core::Purpose::delay, entity), edges.delays_ms);
    // Drawn delays are rounded up to a step; a constant 0 is that of a gap junction.
    if (rule.delay_ms.kind != Distribution::Kind::constant) {
      for (double& delay_ms : edges.delays_ms) delay_ms = std::max(delay_ms, circuit_.run.dt_ms);
    }
  }
  if (!sites_) return;
  const core::RandomStream random(seed, core::Purpose::dendritic_site, entity);
  for (std::size_t k = 0; k < n; ++k) edges.sites.push_back(sites_->at(random.uniform(k)));
}

EdgeList edges_of(const Circuit& circuit, std::size_t projection) {
  const EdgeMaker maker(circuit, projection);
  EdgeList list;
  TargetEdges edges;
  const std::size_t targets = circuit.populations[circuit.projections[projection].target].size;
  for (std::size_t target = 0; target < targets; ++target) {
    maker.edges_of(target, edges);
    list.sources.insert(list.sources.end(), edges.sources.begin(), edges.sources.end());
    list.targets.insert(list.targets.end(), edges.sources.size(), static_cast<std::uint32_t>(target));
    list.weights.insert(list.weights.end(), edges.weights.begin(), edges.weights.end());
    list.delays_ms.insert(list.delays_ms.end(), edges.delays_ms.begin(), edges.delays_ms.end());
    list.sites.insert(list.sites.end(), edges.sites.begin(), edges.sites.end());
  }
  return list;
}

void carry_to_soma(const Circuit& circuit, std::size_t projection, TargetEdges& edges,
                   std::vector<std::uint32_t>& receptors) {
  const SynapseType& type = circuit.synapse_types.at(circuit.projections.at(projection).synapse_type);
  if (!type.point) {
    throw core::InputError({"", fmt::format("synapse_types.{}", type.name), "", "must have a point description",
                            "derive it from the detailed description, or give one"});
  }
  receptors.assign(edges.sources.size(), 0);
  const std::vector<SiteTransfer>* sites = site_table(type);
  if (sites == nullptr) return;
  if (edges.sites.size() != edges.sources.size()) {
    throw core::InputError({"", fmt::format("synapse_types.{}.point.sites", type.name), "",
                            "needs edges with dendritic sites, but the target cell type has no morphology",
                            "leave the table of sites empty"});
  }
  for (std::size_t i = 0; i < edges.sources.size(); ++i) {
    const Site& site = edges.sites[i];
    const SiteTransfer* row = find_row(*sites, site);
    if (row == nullptr) {
      throw core::InputError({"", fmt::format("synapse_types.{}.point.sites", type.name),
                              fmt::format("section {}, position {}", site.section, site.position),
                              "must have a row for every place that a synapse sits on", "derive the table again"});
    }
    edges.weights[i] = row->attenuation * edges.weights[i] / (1 + row->shunt_per_uS * edges.weights[i]);
    edges.delays_ms[i] += row->extra_delay_ms;
    receptors[i] = row->receptor;
  }
}

PointEdgeList point_edges_of(const Circuit& circuit, std::size_t projection, const EdgeList& edges) {
  PointEdgeList list;
  TargetEdges somatic{edges.sources, edges.weights, edges.delays_ms, edges.sites};
  carry_to_soma(circuit, projection, somatic, list.receptors);
  list.sources = std::move(somatic.sources);
  list.targets = edges.targets;
  list.weights = std::move(somatic.weights);
  list.delays_ms = std::move(somatic.delays_ms);
  return list;
}

namespace {

/// The mixing steps of MurmurHash3's 64-bit finaliser (Appleby 2011): every bit of the input changes every bit of the
/// output with probability near one half.
std::uint64_t mix(std::uint64_t h) {
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdull;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ull;
  return h ^ (h >> 33);
}

std::uint64_t hash_of(std::uint64_t projection, std::uint32_t source, std::uint64_t target, double weight,
                      double delay_ms) {
  std::uint64_t h = mix(projection + 1) ^ (target << 32 | source);
  h = mix(h) ^ std::bit_cast<std::uint64_t>(weight);
  return mix(mix(h) ^ std::bit_cast<std::uint64_t>(delay_ms));
}

}  // namespace

std::uint64_t hash_edges(std::uint64_t hash, std::size_t projection, const EdgeList& edges) {
  for (std::size_t i = 0; i < edges.size(); ++i)
    hash += hash_of(projection, edges.sources[i], edges.targets[i], edges.weights[i], edges.delays_ms[i]);
  return hash;
}

std::uint64_t hash_edges(std::uint64_t hash, std::size_t projection, std::size_t target, const TargetEdges& edges) {
  for (std::size_t k = 0; k < edges.sources.size(); ++k)
    hash += hash_of(projection, edges.sources[k], target, edges.weights[k], edges.delays_ms[k]);
  return hash;
}

}  // namespace triscale::network

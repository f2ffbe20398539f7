#include "network/synapse_models.hpp"

#include <algorithm>

namespace triscale::network {

const SiteTransfer* find_row(const std::vector<SiteTransfer>& sites, const Site& site) {
  const auto after = std::upper_bound(sites.begin(), sites.end(), site, [](const Site& place, const SiteTransfer& row) {
    return place.section != row.section ? place.section < row.section : place.position < row.begin;
  });
  if (after == sites.begin()) return nullptr;
  const SiteTransfer& row = *(after - 1);
  return row.section == site.section && site.position <= row.end ? &row : nullptr;
}

const std::vector<SiteTransfer>* site_table(const SynapseType& type) {
  if (!type.point) return nullptr;
  const std::vector<SiteTransfer>* sites = nullptr;
  if (const auto* synapse = std::get_if<PointSynapse>(&*type.point)) sites = &synapse->sites;
  if (const auto* several = std::get_if<ReceptorSynapse>(&*type.point)) sites = &several->sites;
  return sites == nullptr || sites->empty() ? nullptr : sites;
}

}  // namespace triscale::network

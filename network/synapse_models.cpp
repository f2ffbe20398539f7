#include "network/synapse_models.hpp"

#include <algorithm>

namespace triscale::network {

const SiteTransfer* PointSynapse::find(const Site& site) const {
  const auto after = std::upper_bound(sites.begin(), sites.end(), site, [](const Site& place, const SiteTransfer& row) {
    return place.section != row.section ? place.section < row.section : place.position < row.begin;
  });
  if (after == sites.begin()) return nullptr;
  const SiteTransfer& row = *(after - 1);
  return row.section == site.section && site.position <= row.end ? &row : nullptr;
}

}  // namespace triscale::network

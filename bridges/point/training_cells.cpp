#include "bridges/point/training_cells.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "bridges/point/point_membrane.hpp"
#include "bridges/point/synapse_reduction.hpp"
#include "meanfield/external_input.hpp"
#include "network/edges.hpp"

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000;

/// What an event of weight 1 gives in all, by receptor of the table of sites: int g dt, and int g E dt. Empty if the
/// synapse is no conductance.
struct Mean {
  std::vector<double> G_ms, GE_ms_mV;
};
Mean mean_of(const network::SynapseType& type) {
  Mean out;
  if (!type.point) return out;
  if (const auto* synapse = std::get_if<network::PointSynapse>(&*type.point)) {
    for (const auto& receptor : synapse->receptors) {
      out.G_ms.push_back(integral_of(receptor));
      out.GE_ms_mV.push_back(out.G_ms.back() * receptor.E_rev_mV);
    }
  } else if (const auto* several = std::get_if<network::ReceptorSynapse>(&*type.point)) {
    out.G_ms = out.GE_ms_mV = {0.0};
    for (const auto& receptor : several->receptors) {  // all at once, as if there were no magnesium
      const double integral = receptor.weight_factor * integral_of(receptor.kinetics);
      out.G_ms[0] += integral;
      out.GE_ms_mV[0] += integral * receptor.kinetics.E_rev_mV;
    }
  }
  return out;
}

}  // namespace

std::size_t largest_population(const network::Circuit& circuit, std::size_t cell_type) {
  std::size_t best = circuit.populations.size();
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (population.is_virtual || population.cell_type != cell_type || population.size == 0) continue;
    if (best == circuit.populations.size() || population.size > circuit.populations[best].size) best = p;
  }
  return best;
}

double source_rate_hz(const network::Circuit& circuit, std::size_t population) {
  const double duration_ms = circuit.run.duration_ms;
  if (!(duration_ms > 0)) return 0;
  return meanfield::rate_of_source(circuit.populations[population], duration_ms, duration_ms).mean(0, duration_ms);
}

std::vector<std::uint32_t> cells_by_drive(const network::Circuit& circuit, std::size_t population,
                                          const std::vector<double>& rates_hz,
                                          const std::vector<network::SynapseType>& synapse_types,
                                          const PassiveMembrane& membrane) {
  const std::size_t size = circuit.populations[population].size;
  const double g_L_uS = 1 / impedance_of(membrane, 0).synapse.real();  // where the synapses are
  std::vector<double> G(size, g_L_uS), GE(size, g_L_uS * membrane.E_L_mV);
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    const network::Projection& projection = circuit.projections[k];
    if (projection.target != population) continue;
    const network::SynapseType& type = synapse_types[projection.synapse_type];
    const Mean mean = mean_of(type);
    if (mean.G_ms.empty()) continue;
    const double rate_hz = circuit.populations[projection.source].is_virtual
                               ? source_rate_hz(circuit, projection.source)
                               : rates_hz[projection.source];
    const std::vector<network::SiteTransfer>* sites = network::site_table(type);
    const network::EdgeList edges = network::edges_of(circuit, k);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const network::SiteTransfer whole, *row = &whole;
      if (sites != nullptr && !edges.sites.empty()) {
        if (const network::SiteTransfer* found = network::find_row(*sites, edges.sites[e])) row = found;
      }
      const double events =
          row->attenuation * edges.weights[e] / (1 + row->shunt_per_uS * edges.weights[e]) * rate_hz / kMsPerS;
      G[edges.targets[e]] += events * mean.G_ms[row->receptor];
      GE[edges.targets[e]] += events * mean.GE_ms_mV[row->receptor];
    }
  }
  std::vector<std::uint32_t> cells(size);
  std::iota(cells.begin(), cells.end(), 0u);
  std::stable_sort(cells.begin(), cells.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return GE[a] / G[a] < GE[b] / G[b]; });
  return cells;
}

std::vector<std::uint32_t> spread_over(const std::vector<std::uint32_t>& ranked, std::size_t n, std::size_t choice) {
  const std::size_t size = ranked.size();
  n = std::min(n, size);
  const auto rank = [&](std::size_t i) { return n > 1 ? i * (size - 1) / (n - 1) : 0; };
  std::vector<std::uint32_t> out;
  if (choice == 0) {
    for (std::size_t i = 0; i < n; ++i) out.push_back(ranked[rank(i)]);
  } else {
    for (std::size_t i = 0; i + 1 < n; ++i) out.push_back(ranked[(rank(i) + rank(i + 1)) / 2]);
    if (n == 1) out.push_back(ranked[0]);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace triscale::bridges

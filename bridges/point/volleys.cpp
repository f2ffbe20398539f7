#include "bridges/point/volleys.hpp"

#include <algorithm>
#include <cmath>

#include "bridges/point/cell_recording.hpp"
#include "network/edges.hpp"
#include "pointneuron/dendrite.hpp"
#include "pointneuron/receptors.hpp"

namespace triscale::bridges {

namespace {

constexpr double kSpike_ms = 200, kDuration_ms = 500;
constexpr double kDelay_ms = 1;
constexpr double kSpikes_mV = -20;  // a potential that goes beyond holds a spike and no postsynaptic potential

/// One cell a volley, then one without synapses for every holding current.
network::Circuit circuit_of(const network::CellType& type, const network::SynapseType& synapse,
                            const network::RunSettings& run, double V_rest_mV, const std::vector<Volley>& volleys,
                            const std::vector<double>& holds_nA) {
  network::Circuit circuit;
  circuit.run = run;
  circuit.run.duration_ms = kDuration_ms;
  circuit.run.V_init_mV = V_rest_mV;
  circuit.cell_types = {type};
  circuit.synapse_types = {synapse};
  circuit.synapse_types[0].release.reset();  // every spike is transmitted
  network::Population cells, source;
  cells.name = "cells";
  cells.size = volleys.size() + holds_nA.size();
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{{kSpike_ms}, {0}};
  circuit.populations = {cells, source};
  network::ExplicitEdges edges;
  for (std::size_t i = 0; i < volleys.size(); ++i) {
    for (const PspSite& one : volleys[i].synapses) {
      edges.sources.push_back(0);
      edges.targets.push_back(static_cast<std::uint32_t>(i));
      edges.weights.push_back(one.weight_uS);
      edges.delays_ms.push_back(kDelay_ms);
      edges.sites.push_back(one.site);
    }
  }
  network::Projection projection;
  projection.name = "volley";
  projection.source = 1;
  projection.target = 0;
  projection.connectivity = std::move(edges);
  circuit.projections = {projection};
  for (const double hold_nA : holds_nA) {
    if (hold_nA == 0) continue;
    network::CurrentClamp clamp;
    clamp.name = "hold";
    clamp.site = {0, 0.5};
    clamp.waveform = network::CurrentSegment{0, kDuration_ms, hold_nA, hold_nA};
    for (std::size_t i = 0; i < volleys.size(); ++i) {
      if (volleys[i].hold_nA == hold_nA) clamp.cells.push_back(static_cast<std::uint32_t>(i));
    }
    for (std::size_t h = 0; h < holds_nA.size(); ++h) {
      if (holds_nA[h] == hold_nA) clamp.cells.push_back(static_cast<std::uint32_t>(volleys.size() + h));
    }
    circuit.current_clamps.push_back(std::move(clamp));
  }
  return circuit;
}

}  // namespace

std::vector<VolleyResponse> detailed_responses(const network::CellType& type, const network::SynapseType& synapse,
                                               const network::RunSettings& run, double V_rest_mV,
                                               const std::vector<Volley>& volleys) {
  std::vector<double> holds_nA;
  for (const Volley& volley : volleys) {
    if (std::find(holds_nA.begin(), holds_nA.end(), volley.hold_nA) == holds_nA.end()) {
      holds_nA.push_back(volley.hold_nA);
    }
  }
  core::NoProgress progress;  // a second or two
  const std::vector<GifSweep> sweeps =
      record_population(circuit_of(type, synapse, run, V_rest_mV, volleys, holds_nA), 0, progress);
  const auto first = static_cast<std::ptrdiff_t>(std::llround(kSpike_ms / run.dt_ms));
  std::vector<VolleyResponse> out;
  for (std::size_t i = 0; i < volleys.size(); ++i) {
    const auto hold = std::find(holds_nA.begin(), holds_nA.end(), volleys[i].hold_nA) - holds_nA.begin();
    const std::vector<double>&V = sweeps[i].V_mV,
          &silent = sweeps[volleys.size() + static_cast<std::size_t>(hold)].V_mV;
    VolleyResponse& response = out.emplace_back();
    response.base_mV.assign(silent.begin() + first, silent.end());
    if (std::max(*std::max_element(V.begin(), V.end()), *std::max_element(silent.begin(), silent.end())) > kSpikes_mV) {
      continue;
    }
    for (std::size_t k = 0; k < response.base_mV.size(); ++k) {
      response.dV_mV.push_back(V[static_cast<std::size_t>(first) + k] - response.base_mV[k]);
    }
  }
  return out;
}

std::vector<double> point_response(const network::SynapseType& synapse, const Volley& volley,
                                   const PassiveMembrane& membrane, const std::vector<double>& base_mV, double dt_ms) {
  const auto groups = pointneuron::groups_of(synapse);
  const std::vector<network::SiteTransfer>* sites = network::site_table(synapse);
  struct Arrival {
    std::size_t step, group;
    double weight_uS;
  };
  std::vector<Arrival> arrivals;
  for (const PspSite& one : volley.synapses) {
    const network::SiteTransfer row = sites != nullptr ? *network::find_row(*sites, one.site) : network::SiteTransfer{};
    arrivals.push_back({static_cast<std::size_t>(std::llround((kDelay_ms + row.extra_delay_ms) / dt_ms)), row.receptor,
                        row.attenuation * one.weight_uS / (1 + row.shunt_per_uS * one.weight_uS)});
  }
  std::sort(arrivals.begin(), arrivals.end(), [](const Arrival& a, const Arrival& b) { return a.step < b.step; });
  pointneuron::Receptors receptors(groups, 1, dt_ms);
  std::vector<double> row(groups.size(), 0.0), G(1), GE(1), G_soma(1), GE_soma(1), V(1), out;
  const auto steps = static_cast<std::size_t>((kDuration_ms - kSpike_ms) / dt_ms);
  std::size_t next = 0;
  // Deviations from the base, about which the membrane is linear.
  const bool has_dendrite = membrane.dendrite.has_value();
  const pointneuron::DendriteStep coupled =
      has_dendrite ? pointneuron::DendriteStep(*membrane.dendrite, membrane.C_m_nF, 0, dt_ms)
                   : pointneuron::DendriteStep();
  const double g_d = has_dendrite ? membrane.dendrite->g_L_uS : 0,
               g_c = has_dendrite ? membrane.dendrite->coupling_uS : 0;
  double dV = 0, dD = 0;
  for (std::size_t k = 0; k < steps; ++k) {
    out.push_back(dV);
    for (; next < arrivals.size() && arrivals[next].step == k; ++next) {
      row[arrivals[next].group] += arrivals[next].weight_uS;
    }
    const double soma = base_mV[std::min(k, base_mV.size() - 1)];
    double base = soma;
    if (has_dendrite) base = (g_d * membrane.E_L_mV + g_c * base) / (g_d + g_c);
    V[0] = base + (has_dendrite ? dD : dV);
    if (has_dendrite) {
      receptors.step(0, 1, row, V, {G, GE, G_soma, GE_soma});
    } else {
      receptors.step(0, 1, row, V, {G, GE});
    }
    const double I_nA = GE[0] - G[0] * base;
    if (has_dendrite) {
      const auto p = coupled.free(membrane.g_L_uS + G_soma[0], G[0]);
      const double dV_begin = dV, I_soma_nA = GE_soma[0] - G_soma[0] * soma;
      dV = p.V(dV_begin, dD, I_soma_nA, I_nA);
      dD = p.D(dV_begin, dD, I_soma_nA, I_nA);
    } else {
      const double g_uS = membrane.g_L_uS + G[0], stationary = I_nA / g_uS;
      dV = stationary + (dV - stationary) * std::exp(-dt_ms * g_uS / membrane.C_m_nF);
    }
  }
  return out;
}

double peak_of(const std::vector<double>& dV_mV) {
  double peak = 0;
  for (const double dV : dV_mV) {
    if (std::abs(dV) > std::abs(peak)) peak = dV;
  }
  return peak;
}

}  // namespace triscale::bridges

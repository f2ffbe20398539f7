#include "bridges/psp_check.hpp"

#include <algorithm>
#include <cmath>

#include "bridges/cell_recording.hpp"
#include "pointneuron/receptors.hpp"

namespace triscale::bridges {

namespace {

constexpr std::size_t kSites = 7;  // and one cell without a synapse, to subtract
constexpr double kSpike_ms = 200, kDuration_ms = 450;
constexpr double kWeight_uS = 1e-5;  // small: the comparison is of the linear response
constexpr double kDelay_ms = 1;

struct Psp {
  double area = 0, peak = 0, latency_ms = 0;
};

Psp measure(const std::vector<double>& dV, double dt_ms) {
  Psp out;
  for (std::size_t k = 0; k < dV.size(); ++k) {
    out.area += dV[k] * dt_ms;
    if (std::abs(dV[k]) <= std::abs(out.peak)) continue;
    out.peak = dV[k];
    out.latency_ms = static_cast<double>(k) * dt_ms;
  }
  return out;
}

std::vector<network::Site> spread_sites(const network::PointSynapse& synapse) {
  std::vector<network::Site> sites;
  for (std::size_t i = 0; i < kSites; ++i) {
    const network::SiteTransfer& row = synapse.sites[i * (synapse.sites.size() - 1) / (kSites - 1)];
    sites.push_back({row.section, 0.5 * (row.begin + row.end)});
  }
  return sites;
}

/// One cell a site, one spike of one source onto each, and a last cell without input.
std::vector<GifSweep> record_psps(const network::CellType& type, const network::SynapseType& synapse,
                                  const network::RunSettings& run, double V_rest_mV,
                                  const std::vector<network::Site>& sites) {
  network::Circuit circuit;
  circuit.run = run;
  circuit.run.duration_ms = kDuration_ms;
  circuit.run.V_init_mV = V_rest_mV;
  circuit.cell_types = {type};
  circuit.synapse_types = {synapse};
  network::Population cells, source;
  cells.name = "cells";
  cells.size = sites.size() + 1;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{{kSpike_ms}, {0}};
  circuit.populations = {cells, source};
  network::ExplicitEdges edges;
  for (std::size_t i = 0; i < sites.size(); ++i) {
    edges.sources.push_back(0);
    edges.targets.push_back(static_cast<std::uint32_t>(i));
    edges.weights.push_back(kWeight_uS);
    edges.delays_ms.push_back(kDelay_ms);
    edges.sites.push_back(sites[i]);
  }
  network::Projection projection;
  projection.name = "psp";
  projection.source = 1;
  projection.target = 0;
  projection.connectivity = std::move(edges);
  circuit.projections = {projection};
  core::NoProgress progress;  // well under a second
  return record_population(std::move(circuit), 0, progress);
}

/// Linear response of the point neuron's membrane to the same spike, from kSpike_ms on.
std::vector<double> point_psp(const network::PointSynapse& synapse, const network::SiteTransfer& row,
                              const PassiveMembrane& membrane, double drive_mV, double dt_ms) {
  const auto steps = static_cast<std::size_t>((kDuration_ms - kSpike_ms) / dt_ms);
  const auto arrival = static_cast<std::size_t>(std::llround((kDelay_ms + row.extra_delay_ms) / dt_ms));
  pointneuron::Receptors receptors(synapse.receptors, 1, dt_ms);
  std::vector<double> arrivals(synapse.receptors.size(), 0.0), G(1), GE(1), out;
  const double decay = std::exp(-dt_ms * membrane.g_L_uS / membrane.C_m_nF);
  double dV = 0;
  for (std::size_t k = 0; k < steps; ++k) {
    out.push_back(dV);
    if (k == arrival) arrivals[row.receptor] += row.attenuation * kWeight_uS / (1 + row.shunt_per_uS * kWeight_uS);
    G[0] = GE[0] = 0;
    receptors.step(0, 1, arrivals, G, GE);
    const double stationary = G[0] * drive_mV / membrane.g_L_uS;
    dV = stationary + (dV - stationary) * decay;
  }
  return out;
}

}  // namespace

PspCheck check_psps(const network::CellType& type, const network::SynapseType& synapse, const network::RunSettings& run,
                    const PassiveMembrane& membrane) {
  constexpr double kLeastDrive_mV = 3;
  const auto& point = std::get<network::PointSynapse>(*synapse.point);
  const double E_rev_mV = std::get<network::BiexponentialSynapse>(*synapse.detailed).E_rev_mV;
  const double drive_mV = E_rev_mV - membrane.E_L_mV;
  PspCheck out;
  if (std::abs(drive_mV) < kLeastDrive_mV) return out;
  const std::vector<network::Site> sites = spread_sites(point);
  const std::vector<GifSweep> sweeps = record_psps(type, synapse, run, membrane.E_L_mV, sites);
  const auto first = static_cast<std::size_t>(std::llround(kSpike_ms / run.dt_ms));
  for (std::size_t i = 0; i < sites.size(); ++i) {
    std::vector<double> dV;
    for (std::size_t k = first; k < sweeps[i].V_mV.size(); ++k) dV.push_back(sweeps[i].V_mV[k] - sweeps.back().V_mV[k]);
    const Psp detailed = measure(dV, run.dt_ms);
    const Psp reduced = measure(point_psp(point, *point.find(sites[i]), membrane, drive_mV, run.dt_ms), run.dt_ms);
    out.area += std::pow(reduced.area / detailed.area - 1, 2);
    out.peak += std::pow(reduced.peak / detailed.peak - 1, 2);
    out.latency_ms += std::pow(reduced.latency_ms - detailed.latency_ms, 2);
    ++out.sites;
  }
  const double n = static_cast<double>(out.sites);
  out.area = std::sqrt(out.area / n);
  out.peak = std::sqrt(out.peak / n);
  out.latency_ms = std::sqrt(out.latency_ms / n);
  return out;
}

}  // namespace triscale::bridges

#include "bridges/point/linear_input.hpp"

#include <cmath>
#include <map>

#include "bridges/point/synapse_reduction.hpp"
#include "network/edges.hpp"
#include "network/release.hpp"

namespace triscale::bridges {

namespace {

constexpr double kMsPerS = 1000;

/// 1 / (1 + exp(-0.062 V) Mg / 3.57) and its derivative (network::Receptor).
struct Block {
  double B = 1, dB_dV = 0;
};
Block block_at(const network::Receptor& receptor, double V_mV) {
  if (!(receptor.Mg_mM > 0)) return {};
  constexpr double kSlope_per_mV = 0.062, kHalf_mM = 3.57;
  const double u = std::exp(-kSlope_per_mV * V_mV) * receptor.Mg_mM / kHalf_mM;
  const double B = 1 / (1 + u);
  return {B, kSlope_per_mV * u * B * B};
}

std::vector<network::Receptor> receptors_of(const network::SynapseType& type) {
  if (!type.detailed) return {};
  if (const auto* several = std::get_if<network::ReceptorSynapse>(&*type.detailed)) return several->receptors;
  if (const auto* one = std::get_if<network::BiexponentialSynapse>(&*type.detailed)) return {{*one}};
  return {};
}

}  // namespace

double LinearReceptor::driving_mV(double V_mV) const {
  return block_at(receptor, V_mV).B * (receptor.kinetics.E_rev_mV - V_mV);
}

double LinearReceptor::slope(double V_mV) const {
  const Block block = block_at(receptor, V_mV);
  return block.B + block.dB_dV * (V_mV - receptor.kinetics.E_rev_mV);
}

SourceLabels::SourceLabels(const network::Circuit& circuit) {
  std::uint32_t next = 0;
  for (const network::Population& population : circuit.populations) {
    first_.push_back(next);
    next += static_cast<std::uint32_t>(population.size);
  }
  first_.push_back(next);
}

LinearInput::LinearInput(const network::Circuit& circuit, std::size_t population, const detailed::CompartmentTree& tree,
                         std::span<const double> rates_hz)
    : rates_hz_(rates_hz.begin(), rates_hz.end()) {
  const SourceLabels labels(circuit);
  const std::size_t cells = circuit.populations[population].size;
  std::vector<std::vector<LinearSynapse>> by_cell(cells);
  for (std::size_t k = 0; k < circuit.projections.size(); ++k) {
    const network::Projection& projection = circuit.projections[k];
    if (projection.target != population) continue;
    const network::SynapseType& type = circuit.synapse_types[projection.synapse_type];
    const std::vector<network::Receptor> receptors = receptors_of(type);
    const std::size_t first_receptor = receptors_.size();
    for (const network::Receptor& receptor : receptors) receptors_.push_back({receptor, projection.synapse_type});
    if (receptors.empty()) continue;
    const network::EdgeList edges = network::edges_of(circuit, k);
    for (std::size_t e = 0; e < edges.size(); ++e) {
      const std::uint32_t source = labels.first(projection.source) + edges.sources[e];
      const double released = type.release ? network::mean_release(*type.release, rates_hz_[source]) : 1.0;
      const auto node =
          static_cast<std::uint32_t>(tree.node_at(edges.sites.empty() ? network::Site{} : edges.sites[e]));
      for (std::size_t r = 0; r < receptors.size(); ++r) {
        by_cell[edges.targets[e]].push_back({source, node, static_cast<std::uint32_t>(first_receptor + r),
                                             edges.weights[e] * receptors[r].weight_factor * released,
                                             edges.delays_ms[e]});
      }
    }
  }
  first_.push_back(0);
  for (const std::vector<LinearSynapse>& synapses : by_cell) {
    synapses_.insert(synapses_.end(), synapses.begin(), synapses.end());
    first_.push_back(synapses_.size());
  }
}

std::vector<double> LinearInput::background_uS(std::size_t cell, std::span<const double> V_mV) const {
  std::vector<double> G_uS(V_mV.size(), 0.0);
  for (const LinearSynapse& synapse : onto(cell)) {
    const LinearReceptor& receptor = receptors_[synapse.receptor];
    const double mean_uS =
        rates_hz_[synapse.source] / kMsPerS * synapse.weight_uS * integral_of(receptor.receptor.kinetics);
    G_uS[synapse.node] += mean_uS * receptor.slope(V_mV[synapse.node]);
  }
  return G_uS;
}

void LinearInput::saturate(const QuasiActiveCell& cell, Channels channels) {
  const ImpedanceSpectrum spectrum = impedance_spectrum(cell, channels);
  std::vector<std::vector<double>> loss_per_uS(receptors_.size());
  for (std::size_t r = 0; r < receptors_.size(); ++r) {
    const network::BiexponentialSynapse& kinetics = receptors_[r].receptor.kinetics;
    std::vector<double>& q = loss_per_uS[r];
    q.assign(cell.tree().size(), 0.0);
    for (std::size_t f = 0; f < spectrum.frequencies_Hz.size(); ++f) {
      // int over both signs of the frequency, in 1/ms.
      const double weight =
          2 * spectrum.widths_Hz[f] / kMsPerS * std::norm(spectrum_of(kinetics, spectrum.frequencies_Hz[f]));
      for (std::size_t n = 0; n < q.size(); ++n) q[n] += weight * spectrum.input[f][n].real();
    }
    for (std::size_t n = 0; n < q.size(); ++n) {
      q[n] = std::max(0.0, q[n] / integral_of(kinetics) * receptors_[r].slope(cell.V_mV()[n]));
    }
  }
  for (LinearSynapse& synapse : synapses_) {
    synapse.effect /= 1 + loss_per_uS[synapse.receptor][synapse.node] * synapse.weight_uS;
  }
}

double LinearInput::current_nA(const LinearSynapse& synapse, std::span<const double> V_mV) const {
  const double met_mV = met_mV_.empty() ? V_mV[synapse.node] : met_mV_[synapse.receptor][synapse.node];
  return synapse.effect * synapse.weight_uS * receptors_[synapse.receptor].driving_mV(met_mV);
}

}  // namespace triscale::bridges

#include "bridges/fields/met_potential.hpp"

#include <cmath>

namespace triscale::bridges {

namespace {

/// Conductance of all events of a receptor on a sampled cell, at every step, uS up to a factor of the kinetics.
std::vector<double> conductance(const CellSample& sample, std::size_t cell, std::size_t receptor,
                                const LinearInput& input, const SourceTrains& sources) {
  std::vector<double> g(sample.steps, 0.0);
  for (const LinearSynapse& synapse : input.onto(sample.cells[cell])) {
    if (synapse.receptor != receptor) continue;
    for (const double t_ms : sources.spikes_ms[synapse.source]) {
      const auto step = static_cast<std::size_t>(std::ceil((t_ms + synapse.delay_ms) / sample.dt_ms));
      if (step < sample.steps) g[step] += synapse.weight_uS;
    }
  }
  const network::BiexponentialSynapse& kinetics = input.receptors()[receptor].receptor.kinetics;
  const double keep_rise = std::exp(-sample.dt_ms / kinetics.tau_rise_ms);
  const double keep_decay = std::exp(-sample.dt_ms / kinetics.tau_decay_ms);
  double rise = 0, decay = 0;
  for (double& value : g) {
    rise = rise * keep_rise + value;
    decay = decay * keep_decay + value;
    value = decay - rise;
  }
  return g;
}

}  // namespace

std::vector<std::vector<double>> met_potentials(const CellSample& sample, const LinearInput& input,
                                                const SourceTrains& sources, const std::vector<double>& mean_V_mV) {
  std::vector<std::vector<double>> out(input.receptors().size(), mean_V_mV);
  for (std::size_t r = 0; r < out.size(); ++r) {
    double weight = 0;
    std::vector<double> sum(sample.nodes, 0.0);
    for (std::size_t c = 0; c < sample.cells.size(); ++c) {
      const std::vector<double> g = conductance(sample, c, r, input, sources);
      double G = 0;
      for (std::size_t k = sample.settled; k < sample.steps; ++k) G += g[k];
      G /= static_cast<double>(sample.steps - sample.settled);
      for (std::size_t k = sample.settled; k < sample.steps; ++k) {
        const double square = (g[k] - G) * (g[k] - G);
        const float* V = sample.at(c, k);
        for (std::size_t n = 0; n < sample.nodes; ++n) sum[n] += square * (V[n] - mean_V_mV[n]);
        weight += square;
      }
    }
    if (!(weight > 0)) continue;
    for (std::size_t n = 0; n < sample.nodes; ++n) out[r][n] += sum[n] / weight;
  }
  return out;
}

}  // namespace triscale::bridges

/// The membrane of a GIF neuron and its fit to recorded potentials. Internal to bridges/gif/; equations:
/// bridges/gif/gif_fit.hpp.
#pragma once

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <vector>

#include "bridges/gif/gif_data.hpp"
#include "pointneuron/dendrite.hpp"
#include "pointneuron/rectified.hpp"

namespace triscale::bridges {

/// Parameters of the membrane, in this order: C, g_L, b = g_L E_L, amplitudes of eta, slopes of the currents,
/// amplitudes of the conductances of eta; with a dendrite, g_spike and g_spike E_spike.
struct Membrane {
  double C = 0, g_L = 0, b = 0;
  Eigen::VectorXd eta;
  std::vector<network::GifModel::RectifiedCurrent> currents;
  Eigen::VectorXd eta_uS;
  std::optional<network::GifModel::Dendrite> dendrite;

  Eigen::Index first_conductance() const { return 3 + eta.size() + static_cast<Eigen::Index>(currents.size()); }
  Eigen::Index size() const { return first_conductance() + eta_uS.size() + (dendrite ? 2 : 0); }
  /// Conductances of spikes end at 0.
  void add(const Eigen::VectorXd& step);
  bool is_leaky() const { return C > 0 && g_L > 0 && (!dendrite || dendrite->spike_coupling_uS > 0); }
  pointneuron::DendriteStep dendrite_step(double dt_ms) const {
    return dendrite ? pointneuron::DendriteStep(*dendrite, C, b / g_L, dt_ms) : pointneuron::DendriteStep();
  }
  /// V and D after a step of a free soma with the current J beside that of the synapses; G_soma: of synapses at the
  /// soma, beside a dendrite, and of spikes.
  void advance(const pointneuron::BentMembrane& membrane, const pointneuron::DendriteStep& coupled, double& V,
               double& D, double J, double G, double GE, double G_soma, double dt_ms) const {
    if (!dendrite) {
      V = membrane.advance(V, b + J + GE, g_L + G + G_soma, dt_ms);
      return;
    }
    const auto p = coupled.free(g_L + membrane.extra_slope_uS(V) + G_soma, G);
    const double J_V = b + J + membrane.extra_current_nA(V), J_D = coupled.J_free_nA(GE), V_begin = V;
    V = p.V(V_begin, D, J_V, J_D);
    D = p.D(V_begin, D, J_V, J_D);
  }
};

Membrane membrane_of(const network::GifModel& model);
void put_membrane(const Membrane& membrane, const GifFitOptions& options, network::GifModel& model);

/// Linear regression of dV/dt, away from spikes.
Membrane regress_derivative(const std::vector<Prepared>& data, const GifFitOptions& options,
                            double& variance_explained);

struct VoltageError {
  double sum_squares = 0, count = 0, mean = 0, variance = 0;
};
/// Error of V with the spikes forced to be those of the data.
VoltageError voltage_error(const Membrane& m, double V_reset, const std::vector<Prepared>& data,
                           const GifFitOptions& options);

/// Normal equations of the error of V, A step = y; y also by block of time (columns), for the bootstrap.
struct NormalEquations {
  Eigen::MatrixXd A;
  Eigen::VectorXd y;
  Eigen::MatrixXd y_of_block;
};
NormalEquations normal_equations(const Membrane& m, double V_reset, const std::vector<Prepared>& data,
                                 const GifFitOptions& options);

/// Levenberg-Marquardt on the error of V. With a given passive membrane only eta and the currents move.
Membrane refine_voltage(Membrane m, double V_reset, const std::vector<Prepared>& data, const GifFitOptions& options);

/// Blocks of block_ms that the data fall into, counted through the sweeps; and the block of a sample.
std::size_t blocks_of(const std::vector<Prepared>& data, double block_ms);
std::size_t block_at(const std::vector<Prepared>& data, double block_ms, std::size_t sweep, std::size_t step);

/// What a run with forced spikes shows of a step that begins with V.
struct ForcedStep {
  double V = 0;
  const Eigen::VectorXd& eta;              ///< traces: means over the step
  const Eigen::VectorXd& eta_conductance;  ///< likewise
  const Eigen::VectorXd& slow;  ///< means over the step of the delayed currents, for slopes of 1; 0 for the others
  double extra_slope_uS = 0;    ///< dI/dV of the currents at once
  double D = 0;                 ///< of the dendrite
};

/// Runs V with the spikes of the data forced and calls visit(sweep, k, step) for every sample. The integration is that
/// of the point tier (pointneuron/gif.hpp).
template <class Visit>
void run_forced(const Membrane& m, double V_reset, const std::vector<Prepared>& data, const GifFitOptions& options,
                const Visit& visit) {
  const std::size_t n = m.currents.size();
  const double dt_ms = data.front().sweep->dt_ms;
  const pointneuron::BentMembrane membrane(m.C, m.currents);
  const pointneuron::DendriteStep coupled = m.dendrite_step(dt_ms);
  std::vector<pointneuron::LowPass> low_pass;
  for (const auto& current : m.currents) low_pass.emplace_back(current.tau_ms, dt_ms);
  const auto above = [&](std::size_t j, double V) { return std::max(0.0, V - m.currents[j].above_mV); };
  Eigen::VectorXd state(static_cast<Eigen::Index>(n)), mean = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(n));
  for (std::size_t s = 0; s < data.size(); ++s) {
    const GifSweep& sweep = *data[s].sweep;
    Traces traces(options.eta_tau_ms, dt_ms, options.t_ref_ms, Traces::Value::step_mean);
    Traces conductances(options.eta_conductance_tau_ms, dt_ms, options.t_ref_ms, Traces::Value::step_mean);
    for (const std::size_t spike : data[s].spikes) {
      traces.spike(spike);
      conductances.spike(spike);
    }
    double V = sweep.V_mV[0], D = V;
    for (std::size_t j = 0; j < n; ++j) state[static_cast<Eigen::Index>(j)] = above(j, V);
    for (std::size_t k = 0; k < sweep.V_mV.size(); ++k) {
      traces.advance(k);
      conductances.advance(k);
      double I_slow = 0;
      for (std::size_t j = 0; j < n; ++j) {
        if (!(m.currents[j].tau_ms > 0)) continue;
        mean[static_cast<Eigen::Index>(j)] = low_pass[j].mean(state[static_cast<Eigen::Index>(j)], above(j, V));
        I_slow += m.currents[j].g_uS * mean[static_cast<Eigen::Index>(j)];
      }
      visit(s, k,
            ForcedStep{V, traces.values(), conductances.values(), mean,
                       membrane.is_straight() ? 0.0 : membrane.extra_slope_uS(V), D});
      const double G = conductance(sweep, k), GE = driving_current(sweep, k);
      const double begin = data[s].refractory[k] ? V_reset : V;
      if (data[s].refractory[k]) {
        V = V_reset;
        if (m.dendrite) D = coupled.refractory_step(D, G, GE);
      } else {
        const double G_spike = m.eta_uS.dot(conductances.values());
        const double J = sweep.I_nA[k] - m.eta.dot(traces.values()) + G_spike * V_reset - I_slow;
        m.advance(membrane, coupled, V, D, J, G, GE, conductance_at_soma(sweep, k) + G_spike, dt_ms);
      }
      for (std::size_t j = 0; j < n; ++j) {
        double& w = state[static_cast<Eigen::Index>(j)];
        w = low_pass[j].next(w, above(j, begin), above(j, V));
      }
    }
  }
}

}  // namespace triscale::bridges

/// The membrane of a GIF neuron and its fit to recorded potentials. Internal to bridges/gif_*.cpp; equations:
/// bridges/gif_fit.hpp.
#pragma once

#include <Eigen/Dense>
#include <cmath>
#include <cstddef>
#include <vector>

#include "bridges/gif_data.hpp"

namespace triscale::bridges {

/// Parameters of the membrane, in this order: C, g_L, b = g_L E_L, amplitudes of eta.
struct Membrane {
  double C = 0, g_L = 0, b = 0;
  Eigen::VectorXd eta;

  Eigen::Index size() const { return 3 + eta.size(); }
  void add(const Eigen::VectorXd& step);
  bool is_leaky() const { return C > 0 && g_L > 0; }
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

/// Levenberg-Marquardt on the error of V. With a given passive membrane only eta moves.
Membrane refine_voltage(Membrane m, double V_reset, const std::vector<Prepared>& data, const GifFitOptions& options);

/// Blocks of block_ms that the data fall into, counted through the sweeps; and the block of a sample.
std::size_t blocks_of(const std::vector<Prepared>& data, double block_ms);
std::size_t block_at(const std::vector<Prepared>& data, double block_ms, std::size_t sweep, std::size_t step);

/// Runs V with the spikes of the data forced and calls visit(sweep, k, V_k, traces of eta) for every sample.
/// Exponential Euler, exact for input that is constant during a step.
template <class Visit>
void run_forced(const Membrane& m, double V_reset, const std::vector<Prepared>& data, const GifFitOptions& options,
                const Visit& visit) {
  for (std::size_t s = 0; s < data.size(); ++s) {
    const GifSweep& sweep = *data[s].sweep;
    Traces traces(options.eta_tau_ms, sweep.dt_ms, options.t_ref_ms, Traces::Value::step_mean);
    for (const std::size_t spike : data[s].spikes) traces.spike(spike);
    double V = sweep.V_mV[0];
    for (std::size_t k = 0; k < sweep.V_mV.size(); ++k) {
      traces.advance(k);
      visit(s, k, V, traces.values());
      if (data[s].refractory[k]) {
        V = V_reset;
        continue;
      }
      const double g = m.g_L + conductance(sweep, k);
      const double V_inf = (m.b + sweep.I_nA[k] - m.eta.dot(traces.values())) / g;
      V = V_inf + (V - V_inf) * std::exp(-g * sweep.dt_ms / m.C);
    }
  }
}

}  // namespace triscale::bridges

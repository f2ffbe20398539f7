#include "bridges/gif_membrane.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace triscale::bridges {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

void Membrane::add(const VectorXd& step) {
  C += step[0];
  g_L += step[1];
  b += step[2];
  eta += step.tail(eta.size());
}

Membrane membrane_of(const network::GifModel& model) {
  Membrane m;
  m.C = model.C_m_nF;
  m.g_L = model.g_L_uS;
  m.b = model.g_L_uS * model.E_L_mV;
  m.eta.resize(static_cast<Index>(model.eta_nA.size()));
  for (std::size_t j = 0; j < model.eta_nA.size(); ++j) m.eta[static_cast<Index>(j)] = model.eta_nA[j].amplitude;
  return m;
}

void put_membrane(const Membrane& m, const GifFitOptions& options, network::GifModel& model) {
  model.C_m_nF = m.C;
  model.g_L_uS = m.g_L;
  model.E_L_mV = m.b / m.g_L;
  model.eta_nA.clear();
  for (std::size_t j = 0; j < options.eta_tau_ms.size(); ++j) {
    model.eta_nA.push_back({m.eta[static_cast<Index>(j)], options.eta_tau_ms[j]});
  }
}

/// dV/dt = alpha (I - G V) - alpha g_L V + alpha b - sum alpha a_j e_j, linear in the products; alpha = 1/C.
Membrane regress_derivative(const std::vector<Prepared>& data, const GifFitOptions& options,
                            double& variance_explained) {
  const Index kernels = static_cast<Index>(options.eta_tau_ms.size());
  const Index n = 3 + kernels;
  MatrixXd A = MatrixXd::Zero(n, n);
  VectorXd y = VectorXd::Zero(n), x(n);
  double sum = 0, sum_squares = 0, count = 0;
  for (const Prepared& d : data) {
    Traces traces(options.eta_tau_ms, d.sweep->dt_ms, options.t_ref_ms, Traces::Value::step_mean);
    for (const std::size_t spike : d.spikes) traces.spike(spike);
    for (std::size_t k = 0; k + 1 < d.sweep->V_mV.size(); ++k) {
      traces.advance(k);
      if (d.near_spike[k] || d.near_spike[k + 1]) continue;
      const double V = 0.5 * (d.sweep->V_mV[k] + d.sweep->V_mV[k + 1]);
      const double dV = (d.sweep->V_mV[k + 1] - d.sweep->V_mV[k]) / d.sweep->dt_ms;
      x[0] = d.sweep->I_nA[k] - conductance(*d.sweep, k) * V;
      x[1] = -V;
      x[2] = 1;
      x.tail(kernels) = -traces.values();
      A.selfadjointView<Eigen::Lower>().rankUpdate(x);
      y += dV * x;
      sum += dV;
      sum_squares += dV * dV;
      count += 1;
    }
  }
  A = MatrixXd(A.selfadjointView<Eigen::Lower>());
  const VectorXd p = A.completeOrthogonalDecomposition().solve(y);
  const double residual = sum_squares - 2 * p.dot(y) + p.dot(A * p);
  variance_explained = 1 - residual / (sum_squares - sum * sum / count);
  Membrane out;
  out.C = 1 / p[0];
  out.g_L = p[1] / p[0];
  out.b = p[2] / p[0];
  out.eta = p.tail(kernels) / p[0];
  return out;
}

VoltageError voltage_error(const Membrane& m, double V_reset, const std::vector<Prepared>& data,
                           const GifFitOptions& options) {
  VoltageError e;
  double sum = 0, sum_squares = 0;
  run_forced(m, V_reset, data, options, [&](std::size_t s, std::size_t k, double V, const VectorXd&) {
    if (data[s].near_spike[k]) return;
    const double target = data[s].sweep->V_mV[k];
    e.sum_squares += (target - V) * (target - V);
    e.count += 1;
    sum += target;
    sum_squares += target * target;
  });
  if (e.count > 0) {
    e.mean = sum / e.count;
    e.variance = sum_squares / e.count - e.mean * e.mean;
  }
  return e;
}

std::size_t blocks_of(const std::vector<Prepared>& data, double block_ms) {
  return data.size() * block_at(data, block_ms, 1, 0);
}

std::size_t block_at(const std::vector<Prepared>& data, double block_ms, std::size_t sweep, std::size_t step) {
  const double dt_ms = data.front().sweep->dt_ms;
  std::size_t longest = 0;
  for (const Prepared& d : data) longest = std::max(longest, d.sweep->V_mV.size());
  const auto steps = std::max<std::size_t>(1, steps_of(block_ms, dt_ms));
  return sweep * ((longest + steps - 1) / steps) + step / steps;
}

/// Sensitivities S_p = dV/dp obey C dS/dt = -(g_L + G) S + f_p with f_C = -dV/dt, f_gL = -V, f_b = 1, f_aj = -e_j, and
/// are zero after a forced reset.
NormalEquations normal_equations(const Membrane& m, double V_reset, const std::vector<Prepared>& data,
                                 const GifFitOptions& options) {
  const Index n = m.size();
  NormalEquations out{MatrixXd::Zero(n, n), VectorXd::Zero(n), MatrixXd::Zero(n, 0)};
  const std::size_t blocks_per_sweep = block_at(data, options.block_ms, 1, 0);
  const std::size_t steps = std::max<std::size_t>(1, steps_of(options.block_ms, data.front().sweep->dt_ms));
  out.y_of_block = MatrixXd::Zero(n, static_cast<Index>(data.size() * blocks_per_sweep));
  VectorXd S = VectorXd::Zero(n), f(n);
  std::size_t previous = std::numeric_limits<std::size_t>::max();
  run_forced(m, V_reset, data, options, [&](std::size_t s, std::size_t k, double V, const VectorXd& traces) {
    if (s != previous) S.setZero();
    previous = s;
    const GifSweep& sweep = *data[s].sweep;
    if (!data[s].near_spike[k]) {
      out.A.selfadjointView<Eigen::Lower>().rankUpdate(S);
      out.y_of_block.col(static_cast<Index>(s * blocks_per_sweep + k / steps)) += (sweep.V_mV[k] - V) * S;
    }
    if (data[s].refractory[k]) {
      S.setZero();
      return;
    }
    const double g = m.g_L + conductance(sweep, k);
    const double V_inf = (m.b + sweep.I_nA[k] - m.eta.dot(traces)) / g;
    const double decay = std::exp(-g * sweep.dt_ms / m.C);
    // The mean of V over the step, so that f is right to second order.
    const double V_mean = V_inf + (V - V_inf) * (1 - decay) * m.C / (g * sweep.dt_ms);
    f[0] = -g * (V_inf - V_mean) / m.C;
    f[1] = -V_mean;
    f[2] = 1;
    f.tail(m.eta.size()) = -traces;
    S = decay * S + (1 - decay) / g * f;
  });
  out.A = MatrixXd(out.A.selfadjointView<Eigen::Lower>());
  out.y = out.y_of_block.rowwise().sum();
  return out;
}

Membrane refine_voltage(Membrane m, double V_reset, const std::vector<Prepared>& data, const GifFitOptions& options) {
  constexpr int kMaxIterations = 25;
  constexpr double kTolerance = 1e-7;
  const Index first = options.passive ? 3 : 0;
  const Index n = m.size() - first;
  if (n == 0) return m;
  double error = voltage_error(m, V_reset, data, options).sum_squares;
  double damping = 1e-6;
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    const NormalEquations now = normal_equations(m, V_reset, data, options);
    const MatrixXd A = now.A.bottomRightCorner(n, n);
    bool improved = false;
    for (int attempt = 0; attempt < 12 && !improved; ++attempt, damping *= 10) {
      MatrixXd B = A;
      B.diagonal() *= 1 + damping;
      B.diagonal().array() += 1e-18 * A.diagonal().maxCoeff();
      VectorXd step = VectorXd::Zero(m.size());
      step.tail(n) = B.ldlt().solve(now.y.tail(n));
      Membrane trial = m;
      trial.add(step);
      if (!trial.is_leaky()) continue;
      const double trial_error = voltage_error(trial, V_reset, data, options).sum_squares;
      if (!(trial_error < error)) continue;
      improved = true;
      const double gain = (error - trial_error) / error;
      m = trial;
      error = trial_error;
      damping = std::max(1e-9, damping * 0.01);
      if (gain < kTolerance) return m;
    }
    if (!improved) break;
  }
  return m;
}

}  // namespace triscale::bridges

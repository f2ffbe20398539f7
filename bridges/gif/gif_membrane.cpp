#include "bridges/gif/gif_membrane.hpp"

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
  eta += step.segment(3, eta.size());
  for (std::size_t j = 0; j < currents.size(); ++j) currents[j].g_uS += step[3 + eta.size() + static_cast<Index>(j)];
  eta_uS = (eta_uS + step.segment(first_conductance(), eta_uS.size())).cwiseMax(0.0);
  if (!dendrite) return;
  const double I_nA = dendrite->spike_coupling_uS * dendrite->spike_E_mV + step[size() - 1];
  dendrite->spike_coupling_uS += step[size() - 2];
  dendrite->spike_E_mV = I_nA / dendrite->spike_coupling_uS;
}

namespace {

/// The error of V is smooth: it is looked at every so often.
constexpr double kEvery_ms = 0.5;

bool is_compared(const Prepared& data, std::size_t k) {
  const std::size_t every = std::max<std::size_t>(1, steps_of(kEvery_ms, data.sweep->dt_ms));
  return k % every == 0 && !data.near_spike[k];
}

/// Precision of a conductance whose prior has this standard deviation, in units of the sum of squares over the compared
/// samples.
double precision_of(double sd_uS) {
  constexpr double kError_mV = 1, kCorrelation_ms = 20;
  return kError_mV * kError_mV * kCorrelation_ms / kEvery_ms / (sd_uS * sd_uS);
}

/// Of the slopes of the currents, and of what a spike does to the dendrite.
struct Prior {
  explicit Prior(const Membrane& m) : slope(precision_of(kTimes * m.g_L)) {
    if (m.dendrite) spike = precision_of(kTimes * m.dendrite->coupling_uS);
  }
  double cost(const Membrane& m) const {
    double sum = 0;
    for (const auto& current : m.currents) sum += slope * current.g_uS * current.g_uS;
    if (m.dendrite) sum += spike * m.dendrite->spike_coupling_uS * m.dendrite->spike_coupling_uS;
    return sum;
  }
  static constexpr double kTimes = 5;
  double slope, spike = 0;
};

}  // namespace

Membrane membrane_of(const network::GifModel& model) {
  Membrane m;
  m.C = model.C_m_nF;
  m.g_L = model.g_L_uS;
  m.b = model.g_L_uS * model.E_L_mV;
  m.eta.resize(static_cast<Index>(model.eta_nA.size()));
  for (std::size_t j = 0; j < model.eta_nA.size(); ++j) m.eta[static_cast<Index>(j)] = model.eta_nA[j].amplitude;
  m.currents = model.currents;
  m.eta_uS.resize(static_cast<Index>(model.eta_uS.size()));
  for (std::size_t j = 0; j < model.eta_uS.size(); ++j) m.eta_uS[static_cast<Index>(j)] = model.eta_uS[j].amplitude;
  m.dendrite = model.dendrite;
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
  model.eta_uS.clear();
  for (std::size_t j = 0; j < options.eta_conductance_tau_ms.size(); ++j) {
    model.eta_uS.push_back({m.eta_uS[static_cast<Index>(j)], options.eta_conductance_tau_ms[j]});
  }
  model.currents = m.currents;
  model.dendrite = m.dendrite;
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
      x[0] = d.sweep->I_nA[k] + driving_current(*d.sweep, k) - conductance(*d.sweep, k) * V;
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
  run_forced(m, V_reset, data, options, [&](std::size_t s, std::size_t k, const ForcedStep& step) {
    if (!is_compared(data[s], k)) return;
    const double target = data[s].sweep->V_mV[k];
    e.sum_squares += (target - step.V) * (target - step.V);
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

/// Sensitivities S_p = dV/dp obey C dS/dt = -(g_L + G + sum g_k) S - sum_delayed g_k W_k + f_p with f_C = -dV/dt, f_gL
/// = -V, f_b = 1, f_aj = -e_j and f_gk = -w_k / g_k, and are zero after a forced reset. The sum of g_k is over the
/// currents at once that V is in; W_k is S behind the rectifier and the low-pass of a delayed one. With a dendrite S is
/// coupled to dD/dp as V is to D.
NormalEquations normal_equations(const Membrane& m, double V_reset, const std::vector<Prepared>& data,
                                 const GifFitOptions& options) {
  const Index n = m.size(), kernels = m.eta.size(), first_current = 3 + kernels;
  const Index currents = static_cast<Index>(m.currents.size());
  NormalEquations out{MatrixXd::Zero(n, n), VectorXd::Zero(n), MatrixXd::Zero(n, 0)};
  const std::size_t blocks_per_sweep = block_at(data, options.block_ms, 1, 0);
  const std::size_t steps = std::max<std::size_t>(1, steps_of(options.block_ms, data.front().sweep->dt_ms));
  out.y_of_block = MatrixXd::Zero(n, static_cast<Index>(data.size() * blocks_per_sweep));
  const double dt_ms = data.front().sweep->dt_ms;
  const pointneuron::BentMembrane membrane(m.C, m.currents);
  const pointneuron::DendriteStep coupled = m.dendrite_step(dt_ms);
  std::vector<pointneuron::LowPass> low_pass;
  for (const auto& current : m.currents) low_pass.emplace_back(current.tau_ms, dt_ms);
  VectorXd S = VectorXd::Zero(n), S_before = S, S_D = S, f = S;
  MatrixXd W = MatrixXd::Zero(n, currents);
  std::size_t previous = std::numeric_limits<std::size_t>::max();
  run_forced(m, V_reset, data, options, [&](std::size_t s, std::size_t k, const ForcedStep& step) {
    if (s != previous) {
      S.setZero();
      S_D.setZero();
      W.setZero();
    }
    previous = s;
    const GifSweep& sweep = *data[s].sweep;
    if (is_compared(data[s], k)) {
      out.A.selfadjointView<Eigen::Lower>().rankUpdate(S);
      out.y_of_block.col(static_cast<Index>(s * blocks_per_sweep + k / steps)) += (sweep.V_mV[k] - step.V) * S;
    }
    double V_begin = step.V, V_end = V_reset, D = step.D;
    const double G = conductance(sweep, k), GE = driving_current(sweep, k);
    S_before = S;
    if (data[s].refractory[k]) {
      V_begin = V_reset;
      S.setZero();
      S_before.setZero();
      if (m.dendrite) {
        const auto r = coupled.refractory(G);
        D = coupled.refractory_step(D, G, GE);
        S_D *= r.decay;
        S_D[n - 2] -= r.gain * 0.5 * (step.D + D);
        S_D[n - 1] += r.gain;
      }
    } else {
      double J = sweep.I_nA[k] - m.eta.dot(step.eta);
      for (Index j = 0; j < currents; ++j) J -= m.currents[static_cast<std::size_t>(j)].g_uS * step.slow[j];
      V_end = step.V;
      const double G_spike = m.eta_uS.dot(step.eta_conductance);
      const double G_soma = conductance_at_soma(sweep, k) + G_spike;
      J += G_spike * V_reset;
      m.advance(membrane, coupled, V_end, D, J, G, GE, G_soma, dt_ms);
      // The mean of V over the step, so that f is right to second order.
      const double V_mean = 0.5 * (step.V + V_end);
      f[0] = -(V_end - step.V) / dt_ms;
      f[1] = -V_mean;
      f[2] = 1;
      f.segment(3, kernels) = -step.eta;
      for (Index j = 0; j < currents; ++j) {
        const auto& current = m.currents[static_cast<std::size_t>(j)];
        f[first_current + j] = current.tau_ms > 0 ? -step.slow[j] : -std::max(0.0, V_mean - current.above_mV);
      }
      f.segment(m.first_conductance(), m.eta_uS.size()) = -(V_mean - V_reset) * step.eta_conductance;
      VectorXd driving = f;
      for (Index j = 0; j < currents; ++j) {
        const auto& current = m.currents[static_cast<std::size_t>(j)];
        if (current.tau_ms > 0) driving -= current.g_uS * W.col(j);
      }
      if (m.dendrite) {
        const auto p = coupled.free(m.g_L + step.extra_slope_uS + G_soma, G);
        S = p.phi_VV * S_before + p.phi_VD * S_D + p.psi_VV * driving;
        S_D = p.phi_DV * S_before + p.phi_DD * S_D + p.psi_DV * driving;
      } else {
        const double slope = m.g_L + G + G_soma + step.extra_slope_uS, x = -slope * dt_ms / m.C;
        const double gain = dt_ms / m.C * (std::abs(x) < 1e-12 ? 1 : std::expm1(x) / x);
        S = std::exp(x) * S + gain * driving;
      }
    }
    for (Index j = 0; j < currents; ++j) {
      const auto& current = m.currents[static_cast<std::size_t>(j)];
      if (!(current.tau_ms > 0)) continue;
      const pointneuron::LowPass& l = low_pass[static_cast<std::size_t>(j)];
      const double in_begin = V_begin > current.above_mV, in_end = V_end > current.above_mV;
      W.col(j) = l.next(1, 0, 0) * W.col(j) + l.next(0, in_begin, 0) * S_before + l.next(0, 0, in_end) * S;
    }
  });
  out.A = MatrixXd(out.A.selfadjointView<Eigen::Lower>());
  out.y = out.y_of_block.rowwise().sum();
  const Prior prior(m);
  for (Index j = 0; j < currents; ++j) {
    out.A(first_current + j, first_current + j) += prior.slope;
    out.y[first_current + j] -= prior.slope * m.currents[static_cast<std::size_t>(j)].g_uS;
  }
  if (m.dendrite) {
    out.A(n - 2, n - 2) += prior.spike;
    out.y[n - 2] -= prior.spike * m.dendrite->spike_coupling_uS;
  }
  return out;
}

Membrane refine_voltage(Membrane m, double V_reset, const std::vector<Prepared>& data, const GifFitOptions& options) {
  constexpr int kMaxIterations = 25;
  constexpr double kTolerance = 1e-5;
  const Index first = options.passive ? 3 : 0;
  const Index n = m.size() - first;
  if (n == 0) return m;
  // The prior is that of the membrane that the search starts from.
  const Prior prior(m);
  const auto cost = [&](const Membrane& of) {
    return voltage_error(of, V_reset, data, options).sum_squares + prior.cost(of);
  };
  double error = cost(m);
  double damping = 1e-6;
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    const NormalEquations now = normal_equations(m, V_reset, data, options);
    MatrixXd A = now.A.bottomRightCorner(n, n);
    VectorXd y = now.y.tail(n);
    for (Index j = 0; j < m.eta_uS.size(); ++j) {  // a conductance that is 0 and would become negative stays there
      const Index k = m.first_conductance() + j - first;
      if (m.eta_uS[j] > 0 || y[k] > 0) continue;
      A.row(k).setZero();
      A.col(k).setZero();
      A(k, k) = 1;
      y[k] = 0;
    }
    bool improved = false;
    for (int attempt = 0; attempt < 12 && !improved; ++attempt, damping *= 10) {
      MatrixXd B = A;
      B.diagonal() *= 1 + damping;
      B.diagonal().array() += 1e-18 * A.diagonal().maxCoeff();
      VectorXd step = VectorXd::Zero(m.size());
      step.tail(n) = B.ldlt().solve(y);
      Membrane trial = m;
      trial.add(step);
      if (!trial.is_leaky()) continue;
      const double trial_error = cost(trial);
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

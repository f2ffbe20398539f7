#include "bridges/gif_fit.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/error.hpp"
#include "core/random.hpp"

namespace triscale::bridges {

namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kMsPerS = 1000.0;

/// A sweep with its spikes as step numbers and the samples classified.
struct Prepared {
  const GifSweep* sweep = nullptr;
  std::vector<std::size_t> spikes;  ///< step of each spike
  std::vector<char> refractory;     ///< V is held: steps from a spike to just before t_ref after it
  std::vector<char> near_spike;     ///< not to be used for the membrane
  bool left_out(std::size_t k) const { return !sweep->left_out.empty() && sweep->left_out[k] != 0; }
};

std::size_t steps_of(double time_ms, double dt_ms) {
  return static_cast<std::size_t>(std::llround(time_ms / dt_ms));
}

Prepared prepare(const GifSweep& sweep, const GifFitOptions& options) {
  Prepared out;
  out.sweep = &sweep;
  const std::size_t n = sweep.V_mV.size();
  out.refractory.assign(n, 0);
  out.near_spike.assign(n, 0);
  const std::size_t t_ref = steps_of(options.t_ref_ms, sweep.dt_ms);
  const std::size_t before = steps_of(options.before_spike_ms, sweep.dt_ms);
  const std::size_t skip = std::min(n, steps_of(options.skip_ms, sweep.dt_ms));
  std::fill_n(out.near_spike.begin(), skip, 1);
  for (std::size_t k = skip; k < sweep.left_out.size(); ++k) out.near_spike[k] |= sweep.left_out[k];
  for (const double time : sweep.spikes_ms) {
    const std::size_t spike = steps_of(time, sweep.dt_ms);
    if (spike >= n) continue;
    // A second spike within t_ref cannot be produced by the model; the first one stands for both.
    if (!out.spikes.empty() && spike <= out.spikes.back() + t_ref) continue;
    out.spikes.push_back(spike);
    const std::size_t end = std::min(n, spike + t_ref);
    std::fill(out.refractory.begin() + spike, out.refractory.begin() + end, 1);
    std::fill(out.near_spike.begin() + (spike > before ? spike - before : 0), out.near_spike.begin() + end, 1);
  }
  return out;
}

std::vector<Prepared> prepare_all(std::span<const GifSweep> sweeps, const GifFitOptions& options) {
  std::vector<Prepared> out;
  out.reserve(sweeps.size());
  for (const GifSweep& sweep : sweeps) {
    const std::size_t n = sweep.V_mV.size();
    if (n < 2 || sweep.I_nA.size() != n || (!sweep.G_uS.empty() && sweep.G_uS.size() != n) ||
        (!sweep.left_out.empty() && sweep.left_out.size() != n) || !(sweep.dt_ms > 0)) {
      throw core::InputError({"", "recording", fmt::format("{} samples of V, {} of I", n, sweep.I_nA.size()),
                              "V, I and G must have the same length and dt must be > 0", ""});
    }
    out.push_back(prepare(sweep, options));
  }
  return out;
}

/// Sums of exp(-(t - t_j - t_ref)/tau) over past spikes, one value a time constant, advanced step by step: the value at
/// the beginning of a step (the threshold) or its mean over the step (the current).
class Traces {
 public:
  enum class Value { at_start, step_mean };
  Traces(const std::vector<double>& tau_ms, double dt_ms, double t_ref_ms, Value kind)
      : value_(VectorXd::Zero(static_cast<Index>(tau_ms.size()))),
        decay_(static_cast<Index>(tau_ms.size())),
        jump_(VectorXd::Ones(static_cast<Index>(tau_ms.size()))),
        delay_(steps_of(t_ref_ms, dt_ms)) {
    for (std::size_t j = 0; j < tau_ms.size(); ++j) {
      const double x = dt_ms / tau_ms[j];
      decay_[static_cast<Index>(j)] = std::exp(-x);
      if (kind == Value::step_mean) jump_[static_cast<Index>(j)] = -std::expm1(-x) / x;
    }
  }
  void spike(std::size_t step) { due_.push_back(step + delay_); }
  /// Moves to `step`; to be called once a step, ascending.
  void advance(std::size_t step) {
    value_ = value_.cwiseProduct(decay_);
    while (next_ < due_.size() && due_[next_] == step) {
      value_ += jump_;
      ++next_;
    }
  }
  const VectorXd& values() const { return value_; }

 private:
  VectorXd value_, decay_, jump_;
  std::size_t delay_;
  std::vector<std::size_t> due_;
  std::size_t next_ = 0;
};

double conductance(const GifSweep& sweep, std::size_t k) {
  return sweep.G_uS.empty() ? 0.0 : sweep.G_uS[k];
}

double reset_potential(const std::vector<Prepared>& data, double t_ref_ms) {
  double sum = 0;
  std::size_t count = 0;
  for (const Prepared& d : data) {
    const std::size_t t_ref = steps_of(t_ref_ms, d.sweep->dt_ms);
    for (const std::size_t spike : d.spikes) {
      if (spike + t_ref >= d.sweep->V_mV.size()) continue;
      sum += d.sweep->V_mV[spike + t_ref];
      ++count;
    }
  }
  if (count == 0) throw core::InputError({"", "recording", "0", "must hold spikes to fit a reset potential", ""});
  return sum / static_cast<double>(count);
}

// ------------------------------------------------------------------------------------------------------ membrane
// -------

/// Parameters of the membrane: (C, g_L, b = g_L E_L, amplitudes of eta).
struct Membrane {
  double C = 0, g_L = 0, b = 0;
  VectorXd eta;
};

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

struct VoltageError {
  double sum_squares = 0, count = 0, mean = 0, variance = 0;
};

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

/// Normal equations of the error of V. Sensitivities S_p = dV/dp obey C dS/dt = -(g_L + G) S + f_p with
/// f_C = -dV/dt, f_gL = -V, f_b = 1, f_aj = -e_j, and are zero after a forced reset.
void accumulate_normal_equations(const Membrane& m, double V_reset, const std::vector<Prepared>& data,
                                 const GifFitOptions& options, MatrixXd& A, VectorXd& y) {
  const Index n = 3 + m.eta.size();
  A.setZero(n, n);
  y.setZero(n);
  VectorXd S = VectorXd::Zero(n), f(n);
  std::size_t previous = std::numeric_limits<std::size_t>::max();
  run_forced(m, V_reset, data, options, [&](std::size_t s, std::size_t k, double V, const VectorXd& traces) {
    if (s != previous) S.setZero();
    previous = s;
    const GifSweep& sweep = *data[s].sweep;
    if (!data[s].near_spike[k]) {
      A.selfadjointView<Eigen::Lower>().rankUpdate(S);
      y += (sweep.V_mV[k] - V) * S;
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
  A = MatrixXd(A.selfadjointView<Eigen::Lower>());
}

/// Levenberg-Marquardt on the error of V. With a given passive membrane only eta moves.
Membrane refine_voltage(Membrane m, double V_reset, const std::vector<Prepared>& data, const GifFitOptions& options) {
  constexpr int kMaxIterations = 25;
  constexpr double kTolerance = 1e-7;
  const Index first = options.passive ? 3 : 0;
  const Index n = 3 + m.eta.size() - first;
  if (n == 0) return m;
  double error = voltage_error(m, V_reset, data, options).sum_squares;
  double damping = 1e-6;
  MatrixXd A;
  VectorXd y;
  for (int iteration = 0; iteration < kMaxIterations; ++iteration) {
    accumulate_normal_equations(m, V_reset, data, options, A, y);
    const MatrixXd A_free = A.bottomRightCorner(n, n);
    const VectorXd y_free = y.tail(n);
    bool improved = false;
    for (int attempt = 0; attempt < 12 && !improved; ++attempt, damping *= 10) {
      MatrixXd B = A_free;
      B.diagonal() *= 1 + damping;
      B.diagonal().array() += 1e-12 * A_free.diagonal().maxCoeff() * 1e-6;
      const VectorXd step = B.ldlt().solve(y_free);
      VectorXd full = VectorXd::Zero(3 + m.eta.size());
      full.tail(n) = step;
      Membrane trial = m;
      trial.C += full[0];
      trial.g_L += full[1];
      trial.b += full[2];
      trial.eta += full.tail(m.eta.size());
      if (!(trial.C > 0) || !(trial.g_L > 0)) continue;
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

// ----------------------------------------------------------------------------------------------------- threshold
// -------

/// Design of the threshold fit: rows [ (V - V_0), 1, -(traces of gamma) ] of every sample that may hold a spike.
struct ThresholdData {
  MatrixXd X;  ///< one column a sample
  std::vector<char> spike;
  double V_0 = 0;
  double dt_ms = 0;
  double samples_total = 0, spikes = 0;
};

ThresholdData threshold_data(const Membrane& m, double V_reset, const std::vector<Prepared>& data,
                             const GifFitOptions& options) {
  ThresholdData out;
  const Index kernels = static_cast<Index>(options.gamma_tau_ms.size());
  out.dt_ms = data.front().sweep->dt_ms;
  Index columns = 0;
  std::vector<std::vector<char>> is_spike(data.size());
  for (std::size_t s = 0; s < data.size(); ++s) {
    const std::size_t n = data[s].sweep->V_mV.size();
    is_spike[s].assign(n, 0);
    for (const std::size_t spike : data[s].spikes) is_spike[s][spike] = 1;
    columns += static_cast<Index>(n);
  }
  out.X.resize(2 + kernels, columns);
  out.spike.reserve(static_cast<std::size_t>(columns));
  Traces gamma({}, out.dt_ms, 0, Traces::Value::at_start);
  Index column = 0;
  run_forced(m, V_reset, data, options, [&](std::size_t s, std::size_t k, double V, const VectorXd&) {
    const GifSweep& sweep = *data[s].sweep;
    if (k == 0) {
      gamma = Traces(options.gamma_tau_ms, sweep.dt_ms, options.t_ref_ms, Traces::Value::at_start);
      for (const std::size_t spike : data[s].spikes) gamma.spike(spike);
    }
    gamma.advance(k);
    if (k < steps_of(options.skip_ms, sweep.dt_ms) || data[s].left_out(k)) return;
    out.samples_total += 1;
    // The step of the spike itself belongs to the data; those after it are refractory.
    if (data[s].refractory[k] && !is_spike[s][k]) return;
    out.X(0, column) = V;
    out.X(1, column) = 1;
    for (Index j = 0; j < kernels; ++j) out.X(2 + j, column) = -gamma.values()[j];
    out.spike.push_back(is_spike[s][k]);
    if (is_spike[s][k]) {
      out.V_0 += V;
      out.spikes += 1;
    }
    ++column;
  });
  out.X.conservativeResize(Eigen::NoChange, column);
  if (out.spikes > 0) out.V_0 /= out.spikes;
  out.X.row(0).array() -= out.V_0;
  return out;
}

struct Likelihood {
  double value = 0;
  VectorXd gradient;
  MatrixXd negative_hessian;
};

/// sum over spike steps of ln(1 - e^-mu) minus sum over other steps of mu, with mu = lambda_0 dt exp(X^T beta).
/// With h = mu/(e^mu - 1): d ln(1 - e^-mu)/du = h, d2/du2 = h (1 - mu - h) <= 0.
Likelihood likelihood(const ThresholdData& data, const VectorXd& beta, double lambda_0_Hz, bool derivatives) {
  Likelihood out;
  const Index n = beta.size();
  if (derivatives) {
    out.gradient = VectorXd::Zero(n);
    out.negative_hessian = MatrixXd::Zero(n, n);
  }
  const double offset = std::log(lambda_0_Hz * data.dt_ms / kMsPerS);
  for (Index c = 0; c < data.X.cols(); ++c) {
    const auto x = data.X.col(c).head(n);
    const double u = x.dot(beta) + offset;
    const bool spike = data.spike[static_cast<std::size_t>(c)] != 0;
    if (!spike && u < -45) continue;  // mu < 3e-20: nothing at double precision
    const double mu = std::exp(u);
    double first = -mu, second = -mu;
    if (spike) {
      // For large mu the probability is 1; for small mu ln(1 - e^-mu) is close to u.
      out.value += mu < 1e-8 ? u : std::log(-std::expm1(-mu));
      first = mu < 1e-8 ? 1.0 - 0.5 * mu : (mu > 700 ? 0.0 : mu / std::expm1(mu));
      second = mu < 1e-8 ? -0.5 * mu : first * (1 - mu - first);
    } else {
      out.value -= mu;
    }
    if (!derivatives) continue;
    out.gradient += first * x;
    out.negative_hessian.selfadjointView<Eigen::Lower>().rankUpdate(x, -second);
  }
  if (derivatives) out.negative_hessian = MatrixXd(out.negative_hessian.selfadjointView<Eigen::Lower>());
  return out;
}

/// Newton with backtracking on the first n parameters of beta.
VectorXd maximise(const ThresholdData& data, VectorXd beta, double lambda_0_Hz, int& iterations) {
  constexpr int kMaxIterations = 100;
  constexpr double kTolerance = 1e-9;
  for (int iteration = 0; iteration < kMaxIterations; ++iteration, ++iterations) {
    const Likelihood now = likelihood(data, beta, lambda_0_Hz, true);
    if (!std::isfinite(now.value)) throw core::NumericalError("threshold fit: the likelihood is not finite");
    MatrixXd H = now.negative_hessian;
    H.diagonal() += 1e-10 * H.diagonal();
    const VectorXd step = H.ldlt().solve(now.gradient);
    double scale = 1;
    bool improved = false;
    for (int attempt = 0; attempt < 40; ++attempt, scale *= 0.5) {
      const VectorXd trial = beta + scale * step;
      const double value = likelihood(data, trial, lambda_0_Hz, false).value;
      if (!(value >= now.value)) continue;
      improved = value > now.value;
      beta = trial;
      if (value - now.value < kTolerance * std::max(1.0, std::abs(now.value))) return beta;
      break;
    }
    if (!improved) return beta;
  }
  return beta;
}

VectorXd fit_threshold(const ThresholdData& data, double lambda_0_Hz, int& iterations) {
  constexpr double kStartDelta_mV = 10;
  const double rate_Hz = data.spikes / (data.samples_total * data.dt_ms / kMsPerS);
  // Static threshold first, from a soft one that gives the mean rate; then the moving threshold.
  VectorXd beta(2);
  beta << 1 / kStartDelta_mV, std::log(rate_Hz / lambda_0_Hz) - 1;
  beta = maximise(data, beta, lambda_0_Hz, iterations);
  VectorXd full = VectorXd::Zero(data.X.rows());
  full.head(2) = beta;
  return maximise(data, full, lambda_0_Hz, iterations);
}

/// Standard errors by the delta method: the inverse curvature is the covariance of beta, and Delta_V = 1/beta_0,
/// V_T* = V_0 - beta_1/beta_0, gamma_j = beta_(2+j)/beta_0.
void standard_errors(const ThresholdData& data, const VectorXd& beta, double lambda_0_Hz, GifFit& fit) {
  const MatrixXd H = likelihood(data, beta, lambda_0_Hz, true).negative_hessian;
  const MatrixXd covariance = H.completeOrthogonalDecomposition().pseudoInverse();
  fit.Delta_V_error_mV = std::sqrt(covariance(0, 0)) / (beta[0] * beta[0]);
  for (Index j = 1; j < beta.size(); ++j) {
    const double ratio = beta[j] / beta[0];
    const double variance =
        (covariance(j, j) - 2 * ratio * covariance(0, j) + ratio * ratio * covariance(0, 0)) / (beta[0] * beta[0]);
    const double error = std::sqrt(std::max(0.0, variance));
    if (j == 1) {
      fit.V_threshold_error_mV = error;
    } else {
      fit.gamma_errors_mV.push_back(error);
    }
  }
}

double bits_per_spike(const ThresholdData& data, double log_likelihood) {
  if (!(data.spikes > 0)) return 0;
  const double p = data.spikes / data.samples_total;
  const double poisson = data.spikes * std::log(p) + (data.samples_total - data.spikes) * std::log1p(-p);
  return (log_likelihood - poisson) / (data.spikes * std::log(2.0));
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

std::vector<double> time_constants(const std::vector<network::ExponentialKernel>& kernels) {
  std::vector<double> out;
  for (const network::ExponentialKernel& kernel : kernels) out.push_back(kernel.tau_ms);
  return out;
}

VectorXd beta_of(const network::GifModel& model, double V_0) {
  VectorXd beta(static_cast<Index>(2 + model.gamma_mV.size()));
  beta[0] = 1 / model.Delta_V_mV;
  beta[1] = (V_0 - model.V_threshold_mV) / model.Delta_V_mV;
  for (std::size_t j = 0; j < model.gamma_mV.size(); ++j) {
    beta[static_cast<Index>(2 + j)] = model.gamma_mV[j].amplitude / model.Delta_V_mV;
  }
  return beta;
}

}  // namespace

double leave_out_depolarisation_block(std::span<GifSweep> sweeps) {
  constexpr double kBeforeSpike_ms = 1, kLongest_ms = 10, kMargin_ms = 20;
  double onset = 0, spikes = 0;
  for (const GifSweep& sweep : sweeps) {
    const std::size_t before = steps_of(kBeforeSpike_ms, sweep.dt_ms);
    for (const double t : sweep.spikes_ms) {
      const std::size_t k = steps_of(t, sweep.dt_ms);
      if (k < before || k >= sweep.V_mV.size()) continue;
      onset += sweep.V_mV[k - before];
      spikes += 1;
    }
  }
  if (!(spikes > 0)) return 0;
  onset /= spikes;
  double left_out = 0, all = 0;
  for (GifSweep& sweep : sweeps) {
    const std::size_t n = sweep.V_mV.size();
    const std::size_t longest = steps_of(kLongest_ms, sweep.dt_ms), margin = steps_of(kMargin_ms, sweep.dt_ms);
    std::vector<char> is_spike(n, 0);
    for (const double t : sweep.spikes_ms) {
      if (steps_of(t, sweep.dt_ms) < n) is_spike[steps_of(t, sweep.dt_ms)] = 1;
    }
    sweep.left_out.assign(n, 0);
    std::size_t begin = 0;  // of the present stretch above onset without a spike
    for (std::size_t k = 0; k <= n; ++k) {
      if (k < n && sweep.V_mV[k] > onset && !is_spike[k]) continue;
      if (k - begin > longest) {
        const std::size_t first = begin > margin ? begin - margin : 0;
        std::fill(sweep.left_out.begin() + first, sweep.left_out.begin() + std::min(n, k + margin), 1);
      }
      begin = k + 1;
    }
    left_out += static_cast<double>(std::count(sweep.left_out.begin(), sweep.left_out.end(), 1));
    all += static_cast<double>(n);
  }
  return all > 0 ? left_out / all : 0;
}

GifFit fit_gif(std::span<const GifSweep> training, const GifFitOptions& options) {
  constexpr std::size_t kMinSpikes = 5;
  const std::vector<Prepared> data = prepare_all(training, options);
  std::size_t spikes = 0;
  for (const Prepared& d : data) spikes += d.spikes.size();
  if (spikes < kMinSpikes) {
    throw core::InputError({"", "training data", fmt::format("{} spikes", spikes), "must hold at least 5 spikes",
                            "raise the mean or the standard deviation of the training input"});
  }
  GifFit out;
  network::GifModel& model = out.model;
  model.t_ref_ms = options.t_ref_ms;
  model.lambda_0_Hz = 1;
  model.V_reset_mV = reset_potential(data, options.t_ref_ms);

  Membrane m = regress_derivative(data, options, out.variance_explained_dV);
  if (options.passive) {
    m.C = options.passive->C_m_nF;
    m.g_L = options.passive->g_L_uS;
    m.b = m.g_L * options.passive->E_L_mV;
  }
  if (!(m.C > 0) || !(m.g_L > 0)) {
    throw core::NumericalError(fmt::format(
        "membrane fit: C = {} nF, g_L = {} uS must be > 0; the cell's response is not that of a leaky membrane", m.C,
        m.g_L));
  }
  if (options.refine_voltage || options.passive) m = refine_voltage(m, model.V_reset_mV, data, options);
  model.C_m_nF = m.C;
  model.g_L_uS = m.g_L;
  model.E_L_mV = m.b / m.g_L;
  for (std::size_t j = 0; j < options.eta_tau_ms.size(); ++j) {
    model.eta_nA.push_back({m.eta[static_cast<Index>(j)], options.eta_tau_ms[j]});
  }

  const ThresholdData threshold = threshold_data(m, model.V_reset_mV, data, options);
  const VectorXd beta = fit_threshold(threshold, model.lambda_0_Hz, out.newton_iterations);
  if (!(beta[0] > 0)) {
    throw core::NumericalError("threshold fit: the firing probability does not grow with the potential");
  }
  model.Delta_V_mV = 1 / beta[0];
  model.V_threshold_mV = threshold.V_0 - beta[1] / beta[0];
  for (std::size_t j = 0; j < options.gamma_tau_ms.size(); ++j) {
    model.gamma_mV.push_back({beta[static_cast<Index>(2 + j)] / beta[0], options.gamma_tau_ms[j]});
  }
  standard_errors(threshold, beta, model.lambda_0_Hz, out);
  out.training = evaluate_gif(model, training, options);
  return out;
}

GifFitQuality evaluate_gif(const network::GifModel& model, std::span<const GifSweep> sweeps,
                           const GifFitOptions& given) {
  GifFitOptions options = given;
  options.t_ref_ms = model.t_ref_ms;
  options.eta_tau_ms = time_constants(model.eta_nA);
  options.gamma_tau_ms = time_constants(model.gamma_mV);
  const std::vector<Prepared> data = prepare_all(sweeps, options);
  const Membrane m = membrane_of(model);
  GifFitQuality out;
  const VoltageError error = voltage_error(m, model.V_reset_mV, data, options);
  if (error.count > 0) {
    out.variance_explained_V = 1 - error.sum_squares / error.count / error.variance;
    out.voltage_rms_error_mV = std::sqrt(error.sum_squares / error.count);
  }
  if (model.Delta_V_mV > 0) {
    const ThresholdData threshold = threshold_data(m, model.V_reset_mV, data, options);
    const double value = likelihood(threshold, beta_of(model, threshold.V_0), model.lambda_0_Hz, false).value;
    out.bits_per_spike = bits_per_spike(threshold, value);
  }
  for (const Prepared& d : data) {
    out.spikes += d.spikes.size();
    out.duration_s += static_cast<double>(d.sweep->V_mV.size()) * d.sweep->dt_ms / kMsPerS;
  }
  return out;
}

std::vector<double> simulate_gif(const network::GifModel& model, const GifSweep& drive, double V_start_mV,
                                 std::uint64_t seed, std::uint64_t repetition) {
  const core::RandomStream random(seed, core::Purpose::escape_noise, repetition);
  const Membrane m = membrane_of(model);
  Traces eta(time_constants(model.eta_nA), drive.dt_ms, model.t_ref_ms, Traces::Value::step_mean);
  Traces gamma(time_constants(model.gamma_mV), drive.dt_ms, model.t_ref_ms, Traces::Value::at_start);
  VectorXd gamma_mV(static_cast<Index>(model.gamma_mV.size()));
  for (std::size_t j = 0; j < model.gamma_mV.size(); ++j) gamma_mV[static_cast<Index>(j)] = model.gamma_mV[j].amplitude;
  const std::size_t t_ref = steps_of(model.t_ref_ms, drive.dt_ms);
  const double offset = std::log(model.lambda_0_Hz * drive.dt_ms / kMsPerS);

  std::vector<double> spikes;
  double V = V_start_mV;
  std::size_t free_from = 0;  // first step at whose beginning V moves again
  for (std::size_t k = 0; k < drive.I_nA.size(); ++k) {
    eta.advance(k);
    gamma.advance(k);
    if (k < free_from) continue;
    const double distance = V - model.V_threshold_mV - gamma_mV.dot(gamma.values());
    bool fires = distance >= 0;
    if (model.Delta_V_mV > 0) {
      const double u = distance / model.Delta_V_mV + offset;
      fires = u > -36 && random.uniform(k) < -std::expm1(-std::exp(u));  // e^-36 is below the smallest uniform number
    }
    if (fires) {
      spikes.push_back(static_cast<double>(k) * drive.dt_ms);
      eta.spike(k);
      gamma.spike(k);
      free_from = k + std::max<std::size_t>(1, t_ref);
      V = model.V_reset_mV;
      continue;
    }
    const double g = m.g_L + conductance(drive, k);
    const double V_inf = (m.b + drive.I_nA[k] - m.eta.dot(eta.values())) / g;
    V = V_inf + (V - V_inf) * std::exp(-g * drive.dt_ms / m.C);
  }
  return spikes;
}

namespace {

/// Spikes of the part of a sweep that counts.
std::vector<double> counted(const std::vector<double>& spikes, const GifSweep& sweep, double skip_ms) {
  std::vector<double> out;
  for (const double t : spikes) {
    const std::size_t k = steps_of(t, sweep.dt_ms);
    if (t >= skip_ms && (k >= sweep.left_out.size() || !sweep.left_out[k])) out.push_back(t);
  }
  return out;
}

double counted_seconds(const GifSweep& sweep, double skip_ms) {
  const std::size_t first = steps_of(skip_ms, sweep.dt_ms);
  auto samples = static_cast<double>(sweep.I_nA.size()) - static_cast<double>(first);
  for (std::size_t k = first; k < sweep.left_out.size(); ++k) samples -= sweep.left_out[k];
  return samples * sweep.dt_ms / kMsPerS;
}

/// Number of pairs of spikes, one from each train, closer than the window.
double coincidences(const std::vector<double>& a, const std::vector<double>& b, double window_ms) {
  double count = 0;
  std::size_t low = 0, high = 0;
  for (const double t : a) {
    while (low < b.size() && b[low] < t - window_ms) ++low;
    while (high < b.size() && b[high] <= t + window_ms) ++high;
    count += static_cast<double>(high - low);
  }
  return count;
}

/// Mean and variance of intervals, collected over trains.
struct Intervals {
  double n = 0, sum = 0, sum_squares = 0;
  void add(const std::vector<double>& spikes) {
    for (std::size_t i = 1; i < spikes.size(); ++i) {
      const double d = spikes[i] - spikes[i - 1];
      n += 1;
      sum += d;
      sum_squares += d * d;
    }
  }
  double cv() const {
    if (n < 2) return 0;
    const double mean = sum / n;
    return std::sqrt(std::max(0.0, sum_squares / n - mean * mean)) / mean;
  }
};

}  // namespace

GifPrediction predict_gif(const network::GifModel& model, std::span<const GifSweep> test, double skip_ms,
                          std::size_t repetitions, std::uint64_t seed, double window_ms) {
  GifPrediction out;
  double cross = 0, data_norm = 0, model_norm = 0, seconds = 0, data_count = 0, model_count = 0;
  Intervals data_intervals, model_intervals;
  const double n = static_cast<double>(repetitions);
  for (std::size_t s = 0; s < test.size(); ++s) {
    const std::vector<double> data = counted(test[s].spikes_ms, test[s], skip_ms);
    std::vector<double> pooled;
    double self = 0;
    for (std::size_t r = 0; r < repetitions; ++r) {
      const std::vector<double> spikes =
          counted(simulate_gif(model, test[s], test[s].V_mV.empty() ? model.E_L_mV : test[s].V_mV[0], seed,
                               s * repetitions + r),
                  test[s], skip_ms);
      self += coincidences(spikes, spikes, window_ms);
      model_intervals.add(spikes);
      pooled.insert(pooled.end(), spikes.begin(), spikes.end());
    }
    std::sort(pooled.begin(), pooled.end());
    cross += coincidences(data, pooled, window_ms) / n;
    data_norm += coincidences(data, data, window_ms);
    // Unbiased: only pairs of different repetitions.
    const double all = coincidences(pooled, pooled, window_ms);
    model_norm += repetitions > 1 ? (all - self) / (n * (n - 1)) : all;
    seconds += counted_seconds(test[s], skip_ms);
    data_count += static_cast<double>(data.size());
    model_count += static_cast<double>(pooled.size()) / n;
    data_intervals.add(data);
  }
  if (data_norm + model_norm > 0) out.coincidence = 2 * cross / (data_norm + model_norm);
  out.rate_data_hz = data_count / seconds;
  out.rate_model_hz = model_count / seconds;
  out.cv_data = data_intervals.cv();
  out.cv_model = model_intervals.cv();
  return out;
}

}  // namespace triscale::bridges

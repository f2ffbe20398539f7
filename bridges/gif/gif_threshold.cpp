#include "bridges/gif/gif_threshold.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace triscale::bridges {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

Followers::Followers(const network::GifModel& model, double dt_ms) : filter_(model.V_filter_ms, dt_ms) {
  const auto n = static_cast<Index>(model.threshold_follows.size());
  theta_ = VectorXd::Zero(n);
  slopes_ = VectorXd::Zero(n);
  for (Index j = 0; j < n; ++j) {
    const auto& movement = model.threshold_follows[static_cast<std::size_t>(j)];
    above_mV_.push_back(movement.above_mV);
    low_pass_.emplace_back(movement.tau_ms, dt_ms);
    slopes_[j] = movement.slope;
  }
}

void Followers::start(double V) {
  F_ = V;
  for (std::size_t j = 0; j < above_mV_.size(); ++j) theta_[static_cast<Index>(j)] = std::max(0.0, V - above_mV_[j]);
}

void Followers::advance(double V_begin, double V_end) {
  F_ = filter_.next(F_, V_begin, V_end);
  for (std::size_t j = 0; j < above_mV_.size(); ++j) {
    double& theta = theta_[static_cast<Index>(j)];
    theta = low_pass_[j].next(theta, std::max(0.0, V_begin - above_mV_[j]), std::max(0.0, V_end - above_mV_[j]));
  }
}

ThresholdData threshold_data(const Membrane& m, const network::GifModel& model, const std::vector<Prepared>& data,
                             const GifFitOptions& options) {
  ThresholdData out;
  const std::vector<double> gamma_tau_ms = time_constants(model.gamma_mV);
  const Index kernels = static_cast<Index>(gamma_tau_ms.size());
  const Index movements = static_cast<Index>(model.threshold_follows.size());
  out.dt_ms = data.front().sweep->dt_ms;
  out.blocks = blocks_of(data, options.block_ms);
  const std::size_t blocks_per_sweep = out.blocks / data.size();
  const std::size_t block_steps = std::max<std::size_t>(1, steps_of(options.block_ms, out.dt_ms));
  Index columns = 0;
  std::vector<std::vector<char>> is_spike(data.size());
  for (std::size_t s = 0; s < data.size(); ++s) {
    const std::size_t n = data[s].sweep->V_mV.size();
    is_spike[s].assign(n, 0);
    for (const std::size_t spike : data[s].spikes) is_spike[s][spike] = 1;
    columns += static_cast<Index>(n);
  }
  out.X.resize(2 + kernels + movements, columns);
  out.spike.reserve(static_cast<std::size_t>(columns));
  out.block.reserve(static_cast<std::size_t>(columns));
  Traces gamma({}, out.dt_ms, 0, Traces::Value::at_start);
  Followers followers(model, out.dt_ms);
  Index column = 0;
  double V_before = 0;
  run_forced(m, model.V_reset_mV, data, options, [&](std::size_t s, std::size_t k, const ForcedStep& step) {
    const GifSweep& sweep = *data[s].sweep;
    const double V = step.V;
    if (k == 0) {
      followers.start(V);
    } else if (data[s].refractory[k - 1]) {
      followers.reset(model.V_reset_mV);
      followers.advance(model.V_reset_mV, V);
    } else {
      followers.advance(V_before, V);
    }
    V_before = V;
    if (k == 0) {
      gamma = Traces(gamma_tau_ms, sweep.dt_ms, options.t_ref_ms, Traces::Value::at_start);
      for (const std::size_t spike : data[s].spikes) gamma.spike(spike);
    }
    gamma.advance(k);
    if (k < steps_of(options.skip_ms, sweep.dt_ms) || data[s].left_out(k)) return;
    out.samples_total += 1;
    // The step of the spike itself belongs to the data; those after it are refractory.
    if (data[s].refractory[k] && !is_spike[s][k]) return;
    out.X(0, column) = followers.F();
    out.X(1, column) = 1;
    for (Index j = 0; j < kernels; ++j) out.X(2 + j, column) = -gamma.values()[j];
    for (Index j = 0; j < movements; ++j) out.X(2 + kernels + j, column) = -followers.unit_theta()[j];
    out.spike.push_back(is_spike[s][k]);
    out.block.push_back(static_cast<std::uint32_t>(s * blocks_per_sweep + k / block_steps));
    if (is_spike[s][k]) {
      out.V_0 += followers.F();
      out.spikes += 1;
    }
    ++column;
  });
  out.X.conservativeResize(Eigen::NoChange, column);
  if (out.spikes > 0) out.V_0 /= out.spikes;
  out.X.row(0).array() -= out.V_0;
  return out;
}

/// With h = mu/(e^mu - 1): d ln(1 - e^-mu)/du = h, d2/du2 = h (1 - mu - h) <= 0.
Likelihood likelihood(const ThresholdData& data, const VectorXd& beta, double lambda_0_Hz, bool derivatives,
                      const VectorXd& weights) {
  Likelihood out;
  const Index n = beta.size();
  if (derivatives) {
    out.gradient_of_block = MatrixXd::Zero(n, static_cast<Index>(data.blocks));
    out.negative_hessian = MatrixXd::Zero(n, n);
  }
  constexpr Index kTogether = 256;  // of one block of the bootstrap
  const double offset = std::log(lambda_0_Hz * data.dt_ms / kMsPerSecond);
  const Index samples = data.X.cols();
  Eigen::ArrayXd u, mu, first, second;
  for (Index begin = 0, end = 0; begin < samples; begin = end) {
    const std::uint32_t block = data.block[static_cast<std::size_t>(begin)];
    end = std::min(begin + kTogether, samples);
    while (data.block[static_cast<std::size_t>(end - 1)] != block) --end;
    const auto X = data.X.topRows(n).middleCols(begin, end - begin);
    u = (X.transpose() * beta).array() + offset;
    mu = u.exp();
    first = second = -mu;
    double value = 0;
    for (Index c = begin; c < end; ++c) {
      if (!data.spike[static_cast<std::size_t>(c)]) continue;
      const Index k = c - begin;
      const double m = mu[k];
      // For large mu the probability is 1; for small mu ln(1 - e^-mu) is close to u.
      value += m < 1e-8 ? u[k] : std::log(-std::expm1(-m));
      first[k] = m < 1e-8 ? 1.0 - 0.5 * m : (m > 700 ? 0.0 : m / std::expm1(m));
      second[k] = m < 1e-8 ? -0.5 * m : first[k] * (1 - m - first[k]);
      mu[k] = 0;  // not a step without spike
    }
    value -= mu.sum();
    const double weight = weights.size() > 0 ? weights[static_cast<Index>(block)] : 1.0;
    out.value += weight * value;
    if (!derivatives) continue;
    out.gradient_of_block.col(static_cast<Index>(block)) += weight * (X * first.matrix());
    out.negative_hessian.noalias() -= weight * (X * second.matrix().asDiagonal() * X.transpose());
  }
  if (derivatives) out.gradient = out.gradient_of_block.rowwise().sum();
  return out;
}

VectorXd maximise(const ThresholdData& data, VectorXd beta, double lambda_0_Hz, int max_iterations, int& iterations,
                  const VectorXd& weights) {
  constexpr double kTolerance = 1e-9;
  for (int iteration = 0; iteration < max_iterations; ++iteration, ++iterations) {
    const Likelihood now = likelihood(data, beta, lambda_0_Hz, true, weights);
    if (!std::isfinite(now.value)) throw core::NumericalError("threshold fit: the likelihood is not finite");
    MatrixXd H = now.negative_hessian;
    H.diagonal() += 1e-10 * H.diagonal();
    const VectorXd step = H.ldlt().solve(now.gradient);
    double scale = 1;
    bool improved = false;
    for (int attempt = 0; attempt < 40; ++attempt, scale *= 0.5) {
      const VectorXd trial = beta + scale * step;
      const double value = likelihood(data, trial, lambda_0_Hz, false, weights).value;
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
  constexpr int kMaxIterations = 100;
  const double rate_Hz = data.spikes / (data.samples_total * data.dt_ms / kMsPerSecond);
  // Static threshold first, from a soft one that gives the mean rate; then the moving threshold.
  VectorXd beta(2);
  beta << 1 / kStartDelta_mV, std::log(rate_Hz / lambda_0_Hz) - 1;
  beta = maximise(data, beta, lambda_0_Hz, kMaxIterations, iterations);
  VectorXd full = VectorXd::Zero(data.X.rows());
  full.head(2) = beta;
  return maximise(data, full, lambda_0_Hz, kMaxIterations, iterations);
}

VectorXd beta_of(const network::GifModel& model, double V_0) {
  const std::size_t kernels = model.gamma_mV.size(), movements = model.threshold_follows.size();
  VectorXd beta(static_cast<Index>(2 + kernels + movements));
  beta[0] = 1;
  beta[1] = V_0 - model.V_threshold_mV;
  for (std::size_t j = 0; j < kernels; ++j) beta[static_cast<Index>(2 + j)] = model.gamma_mV[j].amplitude;
  for (std::size_t j = 0; j < movements; ++j) {
    beta[static_cast<Index>(2 + kernels + j)] = model.threshold_follows[j].slope;
  }
  return beta / model.Delta_V_mV;
}

void put_threshold(const VectorXd& beta, double V_0, network::GifModel& model) {
  const std::size_t kernels = model.gamma_mV.size(), movements = model.threshold_follows.size();
  model.Delta_V_mV = 1 / beta[0];
  model.V_threshold_mV = V_0 - beta[1] / beta[0];
  for (std::size_t j = 0; j < kernels; ++j) model.gamma_mV[j].amplitude = beta[static_cast<Index>(2 + j)] / beta[0];
  for (std::size_t j = 0; j < movements; ++j) {
    model.threshold_follows[j].slope = beta[static_cast<Index>(2 + kernels + j)] / beta[0];
  }
}

double bits_per_spike(const ThresholdData& data, double log_likelihood) {
  if (!(data.spikes > 0)) return 0;
  const double p = data.spikes / data.samples_total;
  const double poisson = data.spikes * std::log(p) + (data.samples_total - data.spikes) * std::log1p(-p);
  return (log_likelihood - poisson) / (data.spikes * std::log(2.0));
}

}  // namespace triscale::bridges

#include "bridges/fields/kernel_residual.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::bridges {

namespace {

/// e of one cell in means over bins, without its mean over time: [bin][node].
Eigen::MatrixXf binned_residual(const CellSample& sample, const std::vector<float>& predicted_mV, std::size_t cell) {
  const auto every = static_cast<std::size_t>(std::max(1.0, std::round(CellResiduals::kBin_ms / sample.dt_ms)));
  const std::size_t bins = (sample.steps - sample.settled) / every;
  const auto nodes = static_cast<Eigen::Index>(sample.nodes);
  Eigen::MatrixXf out = Eigen::MatrixXf::Zero(static_cast<Eigen::Index>(bins), nodes);
  for (std::size_t bin = 0; bin < bins; ++bin) {
    auto row = out.row(static_cast<Eigen::Index>(bin));
    for (std::size_t k = 0; k < every; ++k) {
      const std::size_t step = sample.settled + bin * every + k;
      const float* P = predicted_mV.data() + (cell * sample.steps + step) * sample.nodes;
      row += Eigen::Map<const Eigen::RowVectorXf>(sample.at(cell, step), nodes) -
             Eigen::Map<const Eigen::RowVectorXf>(P, nodes);
    }
  }
  out /= static_cast<float>(every);
  const Eigen::RowVectorXf mean = out.colwise().mean();
  out.rowwise() -= mean;
  return out;
}

/// Modes that hold all but a thousandth of the variance.
Eigen::MatrixXd modes_of(const Eigen::MatrixXd& C) {
  constexpr double kLeftOut = 1e-3;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(C);
  const double total = solver.eigenvalues().cwiseMax(0.0).sum();
  Eigen::Index first = 0;
  double left = 0;
  while (first < C.rows() && left + std::max(0.0, solver.eigenvalues()[first]) <= kLeftOut * total) {
    left += std::max(0.0, solver.eigenvalues()[first++]);
  }
  const Eigen::Index modes = C.rows() - first;
  return solver.eigenvectors().rightCols(modes) *
         solver.eigenvalues().tail(modes).cwiseMax(0.0).cwiseSqrt().asDiagonal();
}

/// A channel of a signal in means over bins, from begin_ms on.
std::vector<double> binned(const measure::Signal& signal, std::size_t channel, double begin_ms, double bin_ms,
                           std::size_t bins) {
  std::vector<double> sum(bins, 0.0), count(bins, 0.0);
  for (std::size_t k = 0; k < signal.samples(); ++k) {
    const double position = (signal.begin_ms + static_cast<double>(k) * signal.dt_ms - begin_ms) / bin_ms + 1e-9;
    if (position < 0 || position >= static_cast<double>(bins)) continue;
    sum[static_cast<std::size_t>(position)] += signal.values[k * signal.channels + channel];
    count[static_cast<std::size_t>(position)] += 1;
  }
  for (std::size_t b = 0; b < bins; ++b) sum[b] = count[b] > 0 ? sum[b] / count[b] : b > 0 ? sum[b - 1] : 0.0;
  return sum;
}

double covariance(const std::vector<double>& x, const std::vector<double>& y) {
  const auto n = static_cast<double>(x.size());
  double sum_x = 0, sum_y = 0, products = 0;
  for (std::size_t k = 0; k < x.size(); ++k) sum_x += x[k], sum_y += y[k], products += x[k] * y[k];
  return n > 0 ? products / n - sum_x * sum_y / (n * n) : 0.0;
}

}  // namespace

double CellResiduals::scale(double spikes) const {
  constexpr double kLeast = 0.1;
  return std::max(kLeast, 1 + growth_per_spike * (spikes - mean_spikes));
}

CellResiduals residuals_of(const CellSample& sample, const std::vector<float>& predicted_mV) {
  const std::size_t n = sample.cells.size();
  CellResiduals out;
  out.cells = n;
  out.begin_ms = static_cast<double>(sample.settled) * sample.dt_ms;
  std::vector<Eigen::MatrixXf> e;
  for (std::size_t c = 0; c < n; ++c) e.push_back(binned_residual(sample, predicted_mV, c));
  out.common_mV = Eigen::MatrixXf::Zero(e.front().rows(), e.front().cols());
  if (n > 1) {  // of one cell, nobody can tell what it shares
    for (const Eigen::MatrixXf& one : e) out.common_mV += one / static_cast<float>(n);
  }
  Eigen::MatrixXd C = Eigen::MatrixXd::Zero(e.front().cols(), e.front().cols());
  std::vector<double> trace, spikes;
  for (std::size_t c = 0; c < n; ++c) {
    const Eigen::MatrixXf own = e[c] - out.common_mV;
    const Eigen::MatrixXf square = own.transpose() * own;
    trace.push_back(square.cast<double>().trace());
    spikes.push_back(static_cast<double>(sample.spikes_ms[c].size()));
    C += square.cast<double>();
  }
  C /= static_cast<double>(std::max<std::size_t>(1, n - 1)) * static_cast<double>(out.common_mV.rows());
  out.modes_mV = modes_of(C);

  double mean_trace = 0, covariance = 0, variance = 0;
  for (std::size_t c = 0; c < n; ++c) {
    out.mean_spikes += spikes[c] / static_cast<double>(n);
    mean_trace += trace[c] / static_cast<double>(n);
  }
  for (std::size_t c = 0; c < n; ++c) {
    covariance += (spikes[c] - out.mean_spikes) * (trace[c] - mean_trace);
    variance += std::pow(spikes[c] - out.mean_spikes, 2);
  }
  if (variance > 0 && mean_trace > 0) out.growth_per_spike = std::max(0.0, covariance / variance / mean_trace);
  return out;
}

Eigen::MatrixXd channel_weights(const FieldWeights& weights, std::size_t channels) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const auto components = static_cast<Eigen::Index>(weights.components);
  const auto nodes = static_cast<Eigen::Index>(weights.values.size()) / components;
  const Eigen::Map<const RowMajor> values(weights.values.data(), nodes, components);
  if (weights.mixing.empty()) return values;
  const Eigen::Map<const RowMajor> mixing(weights.mixing.data(), static_cast<Eigen::Index>(channels), components);
  return values * mixing.transpose();
}

void ProbeResidual::add_cell(const CellResiduals& residuals, const FieldWeights& weights, double spikes) {
  const Eigen::MatrixXd w = channel_weights(weights, chance_.size());
  if (sum_.size() == 0) sum_ = Eigen::MatrixXd::Zero(w.rows(), w.cols());
  sum_ += w;
  const Eigen::VectorXd power = (residuals.modes_mV.transpose() * w).colwise().squaredNorm();
  const double scale = residuals.scale(spikes);
  for (std::size_t c = 0; c < chance_.size(); ++c) chance_[c] += scale * power[static_cast<Eigen::Index>(c)];
}

void ProbeResidual::end_population(const CellResiduals& residuals) {
  if (sum_.size() == 0) return;
  const Eigen::MatrixXd seen = residuals.common_mV.cast<double>() * sum_;
  if (common_.size() == 0) {
    common_ = seen;
    begin_ms_ = residuals.begin_ms;
  } else {
    common_ += seen;
  }
  if (residuals.cells > 1) {
    const Eigen::VectorXd power = (residuals.modes_mV.transpose() * sum_).colwise().squaredNorm();
    for (std::size_t c = 0; c < bias_.size(); ++c) {
      bias_[c] += power[static_cast<Eigen::Index>(c)] / static_cast<double>(residuals.cells);
    }
  }
  sum_.resize(0, 0);
}

std::vector<double> ProbeResidual::common(std::size_t channel) const {
  std::vector<double> out;
  for (Eigen::Index bin = 0; bin < common_.rows(); ++bin) {
    out.push_back(common_(bin, static_cast<Eigen::Index>(channel)));
  }
  return out;
}

double ProbeResidual::variance(std::size_t channel) const {
  if (common_.rows() == 0) return chance_[channel];
  const auto column = common_.col(static_cast<Eigen::Index>(channel));
  const double together = (column.array() - column.mean()).square().mean();
  return chance_[channel] + std::max(0.0, together - bias_[channel]);
}

std::vector<double> unexplained_variance(const ProbeResidual& residual, const measure::Signal& by_kernels,
                                         const std::vector<double>& shared) {
  std::vector<double> shares(residual.channels(), 0.0);
  for (std::size_t c = 0; c < shares.size() && c < by_kernels.channels && residual.bins() > 0; ++c) {
    const std::vector<double> predicted =
        binned(by_kernels, c, residual.begin_ms(), CellResiduals::kBin_ms, residual.bins());
    const double error = residual.variance(c);
    const double total =
        covariance(predicted, predicted) + 2 * covariance(predicted, residual.common(c)) + error + shared[c];
    if (error > 0) shares[c] = total > error ? error / total : 1.0;
  }
  return shares;
}

}  // namespace triscale::bridges

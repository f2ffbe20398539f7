#include "bridges/meanfield/transfer_counts.hpp"

#include <ceres/ceres.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>

#include "core/error.hpp"
#include "meanfield/transfer_function.hpp"

namespace triscale::bridges {

namespace {

using network::TransferFunction;
constexpr int kCoefficients = kTransferCoefficients;
using Vector = Eigen::Matrix<double, kCoefficients, 1>;
using Matrix = Eigen::Matrix<double, kCoefficients, kCoefficients, Eigen::RowMajor>;

/// Root of what a count of n spikes adds to the deviance of a Poisson distribution of mean m,
/// 2 (n ln(n/m) - n + m), with the sign of n - m.
template <typename T>
T deviance_residual(double n, const T& mean) {
  using std::log;
  using std::sqrt;
  constexpr double kLeast = 1e-9;  // keeps the root's derivative finite
  const T m = mean + kLeast;
  if (n == 0) return -sqrt(2.0 * m);
  const T x = (m - n) / n;
  constexpr double kSeriesBelow = 1e-2;
  // 2 (x - ln(1 + x)) / x^2
  const T ratio = x < T(kSeriesBelow) && x > T(-kSeriesBelow)
                      ? 1.0 + x * (-2.0 / 3 + x * (0.5 + x * (-0.4 + x * (1.0 / 3 - x * (2.0 / 7)))))
                      : 2.0 * (x - log(1.0 + x)) / (x * x);
  return -x * sqrt(n * ratio);
}

/// Residual of the spike count of one point.
struct CountResidual {
  const TransferPoint* point;
  const TransferFunction* transfer;  ///< all but its coefficients
  double weight;

  template <typename T>
  bool operator()(const T* P_mV, T* residual) const {
    residual[0] = weight * deviance_residual(static_cast<double>(point->spikes.count), expected(P_mV));
    return true;
  }

  /// Spikes expected of the point.
  template <typename T>
  T expected(const T* P_mV) const {
    TransferFunction now = *transfer;
    for (std::size_t k = 0; k < kCoefficients; ++k) now.P_mV[k] = value_of(P_mV[k]);
    const bool adapts = meanfield::adaptation_nA_per_hz(now) != 0;
    const double rate_Hz = adapts ? meanfield::adapted_rate_hz(now, point->statistics_at) : 0.0;
    const auto statistics = point->statistics_at(rate_Hz);
    T F_Hz = rate_at(now, P_mV, statistics);
    if (adapts) {  // nu = F(nu, P): one Newton step from the solution gives its derivatives by P
      const double step_Hz = 1e-4 * std::max(1.0, rate_Hz);
      const double slope = (meanfield::transfer_rate(now, point->statistics_at(rate_Hz + step_Hz)) -
                            meanfield::transfer_rate(now, point->statistics_at(std::max(0.0, rate_Hz - step_Hz)))) /
                           (rate_Hz + step_Hz - std::max(0.0, rate_Hz - step_Hz));
      F_Hz = rate_Hz + (F_Hz - rate_Hz) / std::max(0.5, 1 - slope);  // slope <= 0 where F is sensible
    }
    return F_Hz * (point->observed_ms / 1000.0);
  }

 private:
  static double value_of(double x) { return x; }
  template <int N>
  static double value_of(const ceres::Jet<double, N>& x) {
    return x.a;
  }
  template <typename T>
  static T rate_at(const TransferFunction& transfer, const T* P_mV,
                   const meanfield::MembraneStatistics<double>& statistics) {
    const std::array<double, kCoefficients> basis = meanfield::threshold_basis(transfer, statistics);
    T V_eff = P_mV[0] * basis[0];
    for (std::size_t k = 1; k < kCoefficients; ++k) V_eff += P_mV[k] * basis[k];
    const meanfield::MembraneStatistics<T> as_T{T(statistics.mu_mV), T(statistics.sigma_mV), T(statistics.tau_V_ms)};
    return meanfield::transfer_rate(V_eff, as_T, transfer.t_ref_ms);
  }
};

struct SlopePrior {
  double sd_mV;
  template <typename T>
  bool operator()(const T* P_mV, T* residual) const {
    for (std::size_t k = 1; k < kCoefficients; ++k) residual[k - 1] = P_mV[k] / sd_mV;
    return true;
  }
};

/// Mean of a count and its derivatives by P.
ceres::Jet<double, kCoefficients> expected_with_slopes(const CountResidual& residual, const TransferFunction& at) {
  std::array<ceres::Jet<double, kCoefficients>, kCoefficients> P_mV;
  for (int k = 0; k < kCoefficients; ++k) {
    P_mV[static_cast<std::size_t>(k)] = {at.P_mV[static_cast<std::size_t>(k)], k};
  }
  return residual.expected(P_mV.data());
}

/// Sum over clusters of the outer products of their scores, with the correction for few clusters (more than one).
Matrix spread_over(const std::map<std::size_t, Vector>& score_of) {
  const auto n = static_cast<double>(score_of.size());
  Matrix sum = Matrix::Zero();
  for (const auto& [cluster, g] : score_of) sum += n / (n - 1) * g * g.transpose();
  return sum;
}

/// The nearest matrix without negative eigenvalues; differences of spreads can have them.
Matrix without_negative_part(const Matrix& C) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen((C + C.transpose()) / 2);
  return eigen.eigenvectors() * eigen.eigenvalues().cwiseMax(0).asDiagonal() * eigen.eigenvectors().transpose();
}

/// C = H^-1 B H^-1 at the fitted coefficients.
TransferCovariance clustered_covariance(const TransferFunction& fitted, const std::vector<CountResidual>& residuals,
                                        const CountFitOptions& options) {
  constexpr double kLeastMean = 1e-9;
  Matrix H = Matrix::Zero(), of_counts = Matrix::Zero();
  for (int k = 1; k < kCoefficients; ++k) H(k, k) = 1 / (options.prior_sd_mV * options.prior_sd_mV);
  std::map<std::size_t, Vector> score_of_cell, score_of_point;
  for (const CountResidual& residual : residuals) {
    const auto mean = expected_with_slopes(residual, fitted);
    const double m = std::max(mean.a, kLeastMean), w2 = residual.weight * residual.weight;
    const Vector g = w2 * (static_cast<double>(residual.point->spikes.count) / m - 1) * mean.v;
    H += w2 / m * mean.v * mean.v.transpose();
    of_counts += g * g.transpose();
    score_of_cell.try_emplace(residual.point->cell, Vector::Zero()).first->second += g;
    score_of_point.try_emplace(residual.point->point, Vector::Zero()).first->second += g;
  }
  const double f = std::clamp(options.measured_share, 0.0, 1.0);
  const Matrix of_cells = score_of_cell.size() > 1 ? spread_over(score_of_cell) : of_counts;
  const Matrix of_points = score_of_point.size() > 1 ? spread_over(score_of_point) : of_counts;
  const Matrix B = (1 - f) * (of_cells - of_counts) + of_points;
  const Eigen::CompleteOrthogonalDecomposition<Matrix> decomposed(H);
  const Matrix half = decomposed.solve(B);
  TransferCovariance result;
  Eigen::Map<Matrix>(result.data()) = without_negative_part(decomposed.solve(half.transpose()));
  return result;
}

}  // namespace

TransferCovariance fit_counts(TransferFunction& transfer, const std::vector<TransferPoint>& points,
                              const CountFitOptions& options) {
  ceres::Problem problem;
  const TransferFunction scaled = transfer;  // not moved by the solver
  double* P = transfer.P_mV.data();
  std::vector<CountResidual> residuals;
  for (const TransferPoint& point : points) {
    // sd of 2 sqrt(n) with variance n + (e n)^2 is sqrt(1 + e^2 n)
    const double e = options.relative_model_error;
    const double weight = point.weight / std::sqrt(1 + e * e * static_cast<double>(point.spikes.count));
    residuals.push_back({&point, &scaled, weight});
    auto functor = std::make_unique<CountResidual>(residuals.back());
    auto residual = std::make_unique<ceres::AutoDiffCostFunction<CountResidual, 1, kCoefficients>>(functor.release());
    problem.AddResidualBlock(residual.release(), nullptr, P);  // Ceres takes ownership of both
  }
  auto prior = std::make_unique<ceres::AutoDiffCostFunction<SlopePrior, kCoefficients - 1, kCoefficients>>(
      std::make_unique<SlopePrior>(SlopePrior{options.prior_sd_mV}).release());
  problem.AddResidualBlock(prior.release(), nullptr, P);
  ceres::Solver::Options solver;
  solver.linear_solver_type = ceres::DENSE_QR;
  solver.max_num_iterations = 300;
  solver.num_threads = 1;
  solver.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(solver, &problem, &summary);
  if (!summary.IsSolutionUsable()) {
    throw core::NumericalError("transfer function: the fit of spike counts failed: " + summary.message);
  }
  return clustered_covariance(transfer, residuals, options);
}

TransferCoefficients standard_errors(const TransferCovariance& covariance) {
  TransferCoefficients error;
  for (std::size_t k = 0; k < kTransferCoefficients; ++k) {
    error[k] = std::sqrt(covariance[k * kTransferCoefficients + k]);
  }
  return error;
}

}  // namespace triscale::bridges

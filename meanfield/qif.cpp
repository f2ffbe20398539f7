#include "meanfield/qif.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace triscale::meanfield {

namespace {

using std::numbers::pi;

/// Positive real roots of sum_k c_k x^k, polished by Newton's method; a root of even multiplicity may be lost to
/// rounding.
std::vector<double> positive_roots(const std::array<double, 5>& c) {
  Eigen::Matrix4d companion = Eigen::Matrix4d::Zero();
  for (Eigen::Index i = 0; i < 4; ++i) companion(i, 3) = -c[static_cast<std::size_t>(i)] / c[4];
  for (Eigen::Index i = 1; i < 4; ++i) companion(i, i - 1) = 1;
  const Eigen::EigenSolver<Eigen::Matrix4d> solver(companion, false);
  std::vector<double> roots;
  for (Eigen::Index i = 0; i < 4; ++i) {
    const std::complex<double> root = solver.eigenvalues()[i];
    if (!(root.real() > 0) || std::abs(root.imag()) > 1e-7 * std::abs(root)) continue;
    double x = root.real();
    for (int step = 0; step < 3; ++step) {
      const double value = c[0] + x * (c[1] + x * (c[2] + x * (c[3] + x * c[4])));
      const double slope = c[1] + x * (2 * c[2] + x * (3 * c[3] + x * 4 * c[4]));
      if (slope != 0 && std::isfinite(value / slope)) x -= value / slope;
    }
    roots.push_back(x);
  }
  std::sort(roots.begin(), roots.end());
  return roots;
}

}  // namespace

QifPopulation to_population(const PhysicalQif& cell) {
  const double rate = cell.k_uS_per_mV / cell.C_nF;  // 1/(ms mV)
  const double half = rate * (cell.V_threshold_mV - cell.V_rest_mV) / 2;
  return {1, rate * cell.Delta_I_nA / cell.C_nF, rate * cell.I_nA / cell.C_nF - half * half, 0};
}

std::vector<QifFixedPoint> fixed_points(const QifPopulation& p, double I) {
  std::vector<QifFixedPoint> points;
  const double c0 = p.Delta * p.Delta / (4 * pi * pi);
  for (const double rho : positive_roots({c0, 0, p.eta + I, p.J, -pi * pi})) {
    QifFixedPoint& point = points.emplace_back();
    point.rate_per_ms = rho / p.tau_ms;
    point.v = -p.Delta / (2 * pi * rho);
    const std::complex<double> split = std::sqrt(std::complex<double>(2 * rho * (p.J - 2 * pi * pi * rho)));
    point.eigenvalues_per_ms = {(2 * point.v + split) / p.tau_ms, (2 * point.v - split) / p.tau_ms};
  }
  return points;
}

std::vector<QifFold> folds(const QifPopulation& p) {
  std::vector<QifFold> result;
  for (const double rho : positive_roots({p.Delta * p.Delta / (2 * pi * pi), 0, 0, -p.J, 2 * pi * pi})) {
    result.push_back({rho / p.tau_ms, -pi * pi * rho * rho - 3 * p.Delta * p.Delta / (4 * pi * pi * rho * rho)});
  }
  return result;
}

QifCusp cusp(const QifPopulation& p) {
  const double rho = std::pow(3 * p.Delta * p.Delta / (4 * std::pow(pi, 4)), 0.25);
  const double J = 2 * pi * pi * rho + p.Delta * p.Delta / (2 * pi * pi * rho * rho * rho);
  return {rho / p.tau_ms, J, -pi * pi * rho * rho - 3 * p.Delta * p.Delta / (4 * pi * pi * rho * rho)};
}

std::complex<double> order_parameter(const QifPopulation& p, double rate_per_ms, double v) {
  const std::complex<double> W(pi * p.tau_ms * rate_per_ms, v);
  return (1.0 - std::conj(W)) / (1.0 + std::conj(W));
}

}  // namespace triscale::meanfield

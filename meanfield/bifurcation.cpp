#include "meanfield/bifurcation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace triscale::meanfield {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

double determinant_of(const RateTheory& theory, const VectorXd& nu, VectorXd& G) {
  MatrixXd slope;
  G = theory.transfer_hz(nu, &slope) - nu;
  return (MatrixXd::Identity(nu.size(), nu.size()) - slope).determinant();
}

/// [F - nu; det(I - dF/dnu)] at (nu, p).
VectorXd fold_residual(const TheoryFamily& family, const VectorXd& nu, double p) {
  VectorXd G;
  const double det = determinant_of(*family(p), nu, G);
  VectorXd result(nu.size() + 1);
  result << G, det;
  return result;
}

/// Newton's method with differences; the parameter stays in [low, high].
std::optional<CriticalPoint> locate_fold(const TheoryFamily& family, VectorXd nu, double p, double low, double high) {
  constexpr int kMaxSteps = 40;
  const Eigen::Index n = nu.size();
  const double h_p = 1e-6 * (high - low);
  VectorXd residual = fold_residual(family, nu, p);
  for (int step = 0; step < kMaxSteps; ++step) {
    MatrixXd J(n + 1, n + 1);
    for (Eigen::Index k = 0; k < n; ++k) {
      const double h = 1e-5 * std::max(1e-2, nu[k]);
      VectorXd up = nu, down = nu;
      up[k] += h;
      down[k] -= h;
      J.col(k) = (fold_residual(family, up, p) - fold_residual(family, down, p)) / (2 * h);
    }
    J.col(n) = (fold_residual(family, nu, p + h_p) - fold_residual(family, nu, p - h_p)) / (2 * h_p);
    const VectorXd change = J.fullPivLu().solve(-residual);
    if (!change.allFinite()) return std::nullopt;
    bool accepted = false;
    for (double length = 1; length > 1e-3; length /= 2) {
      const VectorXd trial = (nu + length * change.head(n)).cwiseMax(0.0);
      const double p_trial = p + length * change[n];
      if (p_trial < low - (high - low) || p_trial > high + (high - low)) continue;
      const VectorXd next = fold_residual(family, trial, p_trial);
      if (!(next.norm() < residual.norm())) continue;
      nu = trial;
      p = p_trial;
      residual = next;
      accepted = true;
      break;
    }
    if (!accepted) break;
    if (change.norm() < 1e-12 * std::max(1.0, nu.norm())) break;
  }
  const double slack = 1e-6 * (high - low);
  if (!(residual.norm() < 1e-6) || p < low - slack || p > high + slack) return std::nullopt;
  return CriticalPoint{CriticalPoint::Kind::fold, p, nu, 0};
}

/// The state nearest to another; null if the list is empty.
const BranchPoint* nearest(const std::vector<BranchPoint>& points, const VectorXd& nu) {
  const BranchPoint* best = nullptr;
  double distance = std::numeric_limits<double>::infinity();
  for (const BranchPoint& point : points) {
    const double d = (point.state.rates_hz - nu).norm();
    if (d < distance) {
      distance = d;
      best = &point;
    }
  }
  return best;
}

/// Where the leading oscillating mode of a state that exists on both sides crosses the axis.
std::optional<CriticalPoint> locate_hopf(const TheoryFamily& family, const BranchPoint& left, const BranchPoint& right,
                                         const BifurcationOptions& options) {
  double low = left.parameter, high = right.parameter;
  const int low_roots = left.unstable_roots;
  VectorXd nu = left.state.rates_hz;
  CriticalPoint point{CriticalPoint::Kind::hopf, 0, nu, 0};
  // Bisection on the number of unstable roots, then on the growth rate of the root followed.
  std::complex<double> lambda;
  bool following = false;
  double low_growth = 0;
  for (int step = 0; step < 50 && high - low > 1e-10 * std::max(std::abs(low), std::abs(high)); ++step) {
    const double middle = 0.5 * (low + high);
    const auto theory = family(middle);
    const auto state = find_stationary_point(*theory, nu, options.search);
    if (!state) return std::nullopt;
    nu = state->rates_hz;
    const auto linear = theory->linearise(nu);
    bool like_left = false;
    if (!following) {
      const Stability result = stability(*linear, options.stability);
      like_left = result.unstable_roots == low_roots;
      for (const Mode& mode : result.modes) {
        if (mode.lambda_per_ms.imag() < 1e-6 || std::abs(mode.growth_per_s()) > 20) continue;
        lambda = mode.lambda_per_ms;
        low_growth = like_left ? mode.growth_per_s() : -mode.growth_per_s();
        following = true;
        break;
      }
    } else {
      if (!refine_root(*linear, lambda)) return std::nullopt;
      like_left = lambda.real() * low_growth > 0;
    }
    (like_left ? low : high) = middle;
  }
  if (!following) return std::nullopt;
  point.parameter = 0.5 * (low + high);
  point.rates_hz = nu;
  point.frequency_hz = std::abs(Mode{lambda, {}}.frequency_hz());
  return point;
}

/// States at one value: from the neighbours' states, then by the general search.
std::vector<BranchPoint> states_at(const RateTheory& theory, double p, const std::vector<BranchPoint>& before,
                                   const BifurcationOptions& options) {
  StationaryPoints found = find_stationary_points(theory, options.search);
  for (const BranchPoint& old : before) {
    const auto point = find_stationary_point(theory, old.state.rates_hz, options.search);
    if (!point) continue;
    const bool known = std::any_of(found.points.begin(), found.points.end(), [&](const StationaryPoint& other) {
      return (other.rates_hz - point->rates_hz).norm() < 1e-6 * std::max(1e-3, point->rates_hz.norm());
    });
    if (!known) found.points.push_back(*point);
  }
  std::vector<BranchPoint> result;
  for (const StationaryPoint& point : found.points) result.push_back(branch_point(theory, p, point, options.stability));
  std::sort(result.begin(), result.end(),
            [](const BranchPoint& a, const BranchPoint& b) { return a.state.rates_hz.sum() < b.state.rates_hz.sum(); });
  return result;
}

void find_folds(const TheoryFamily& family, const std::vector<BranchPoint>& left, const std::vector<BranchPoint>& right,
                std::vector<CriticalPoint>& critical) {
  if (left.size() == right.size() || left.empty() || right.empty()) return;
  const std::vector<BranchPoint>& more = left.size() > right.size() ? left : right;
  const double low = left.front().parameter, high = right.front().parameter;
  // Neighbouring states of opposite index are the candidates for a pair that meets.
  for (std::size_t k = 0; k + 1 < more.size(); ++k) {
    if (more[k].state.index * more[k + 1].state.index >= 0) continue;
    const VectorXd middle = 0.5 * (more[k].state.rates_hz + more[k + 1].state.rates_hz);
    for (const VectorXd& start : {middle, more[k].state.rates_hz, more[k + 1].state.rates_hz}) {
      const auto fold = locate_fold(family, start, more[k].parameter, low, high);
      if (!fold) continue;
      const bool known = std::any_of(critical.begin(), critical.end(), [&](const CriticalPoint& other) {
        return other.kind == CriticalPoint::Kind::fold &&
               std::abs(other.parameter - fold->parameter) < 1e-6 * (high - low) &&
               (other.rates_hz - fold->rates_hz).norm() < 1e-4 * std::max(1e-3, fold->rates_hz.norm());
      });
      if (!known) critical.push_back(*fold);
      break;
    }
  }
}

void find_hopf_points(const TheoryFamily& family, const std::vector<BranchPoint>& left,
                      const std::vector<BranchPoint>& right, const BifurcationOptions& options,
                      std::vector<CriticalPoint>& critical) {
  for (const BranchPoint& point : left) {
    const BranchPoint* other = nearest(right, point.state.rates_hz);
    if (other == nullptr || nearest(left, other->state.rates_hz) != &point) continue;
    if (other->state.index != point.state.index) continue;
    if (std::abs(other->unstable_roots - point.unstable_roots) < 2) continue;
    if (const auto hopf = locate_hopf(family, point, *other, options)) critical.push_back(*hopf);
  }
}

}  // namespace

BranchPoint branch_point(const RateTheory& theory, double parameter, const StationaryPoint& state,
                         const StabilityOptions& options) {
  const Stability result = stability(*theory.linearise(state.rates_hz), options);
  BranchPoint point{parameter, state, result.stable, result.unstable_roots, 0, 0};
  if (!result.modes.empty()) {
    point.growth_per_s = result.modes.front().growth_per_s();
    point.frequency_hz = result.modes.front().frequency_hz();
  }
  return point;
}

Bifurcation bifurcation(const TheoryFamily& family, const std::vector<double>& values,
                        const BifurcationOptions& options) {
  Bifurcation result;
  std::vector<BranchPoint> before;
  for (const double value : values) {
    std::vector<BranchPoint> here = states_at(*family(value), value, before, options);
    find_folds(family, before, here, result.critical);
    find_hopf_points(family, before, here, options, result.critical);
    result.points.insert(result.points.end(), here.begin(), here.end());
    before = std::move(here);
  }
  std::sort(result.critical.begin(), result.critical.end(),
            [](const CriticalPoint& a, const CriticalPoint& b) { return a.parameter < b.parameter; });
  return result;
}

}  // namespace triscale::meanfield

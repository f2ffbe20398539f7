#include "meanfield/stationary_states.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace triscale::meanfield {

namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

VectorXd highest_rates(const RateTheory& theory) {
  VectorXd highest(static_cast<Eigen::Index>(theory.size()));
  for (std::size_t i = 0; i < theory.size(); ++i) highest[static_cast<Eigen::Index>(i)] = theory.highest_rate_hz(i);
  return highest;
}

double tolerance_for(const VectorXd& rates_hz, const SearchOptions& options) {
  constexpr double kSmallest_Hz = 1e-3;
  return options.relative_tolerance * std::max(kSmallest_Hz, rates_hz.lpNorm<Eigen::Infinity>());
}

StationaryPoint point_at(const RateTheory& theory, const VectorXd& rates_hz, int steps) {
  MatrixXd slope;
  const VectorXd G = theory.transfer_hz(rates_hz, &slope) - rates_hz;
  const double det = (MatrixXd::Identity(G.size(), G.size()) - slope).determinant();
  return {rates_hz, G.lpNorm<Eigen::Infinity>(), steps, det > 0 ? 1 : det < 0 ? -1 : 0};
}

/// prod_k (1 + 1/|nu - nu_k|^2) and its logarithmic gradient; distances in Hz.
struct Deflation {
  double log_value = 0;
  VectorXd log_gradient;
};

Deflation deflation_at(const VectorXd& nu, const std::vector<StationaryPoint>& known) {
  Deflation result{0, VectorXd::Zero(nu.size())};
  for (const StationaryPoint& point : known) {
    const VectorXd away = nu - point.rates_hz;
    const double d2 = std::max(away.squaredNorm(), 1e-300);
    result.log_value += std::log1p(1 / d2);
    result.log_gradient += -2.0 / (d2 * (d2 + 1)) * away;
  }
  return result;
}

/// Newton's method on the deflated residual from `nu`; true if it ends at a state that is not known.
bool deflated_newton(const RateTheory& theory, const std::vector<StationaryPoint>& known, const VectorXd& highest,
                     const SearchOptions& options, VectorXd& nu, int& steps) {
  constexpr int kMaxSteps = 60;
  MatrixXd slope;
  VectorXd G = theory.transfer_hz(nu, &slope) - nu;
  for (steps = 0; steps < kMaxSteps; ++steps) {
    if (!G.allFinite()) return false;
    if (G.lpNorm<Eigen::Infinity>() <= tolerance_for(nu, options)) return true;
    const VectorXd newton = (MatrixXd::Identity(nu.size(), nu.size()) - slope).partialPivLu().solve(G);
    if (!newton.allFinite()) return false;
    const Deflation here = deflation_at(nu, known);
    // Sherman-Morrison: the deflated step is the Newton step times a number.
    const double factor = 1 / (1 - here.log_gradient.dot(newton));
    VectorXd step = std::isfinite(factor) ? VectorXd(factor * newton) : newton;
    const double longest = highest.norm() / 4;
    if (step.norm() > longest) step *= longest / step.norm();
    const double merit = std::log(G.norm()) + here.log_value;
    bool accepted = false;
    for (double length = 1; length > 1e-3; length /= 2) {
      const VectorXd trial = (nu + length * step).cwiseMax(0.0).cwiseMin(highest);
      const VectorXd G_trial = theory.transfer_hz(trial, &slope) - trial;
      const double norm = G_trial.norm();
      const double trial_merit = (norm > 0 ? std::log(norm) : -700) + deflation_at(trial, known).log_value;
      if (!(trial_merit < merit)) continue;
      nu = trial;
      G = G_trial;
      accepted = true;
      break;
    }
    if (!accepted) return false;
  }
  return false;
}

bool is_known(const VectorXd& nu, const std::vector<StationaryPoint>& known) {
  return std::any_of(known.begin(), known.end(), [&](const StationaryPoint& point) {
    const double scale = std::max(1e-3, std::max(nu.norm(), point.rates_hz.norm()));
    return (nu - point.rates_hz).norm() < 1e-6 * scale;
  });
}

/// Element k of the Halton sequence in a prime base.
double halton(std::size_t k, std::size_t base) {
  double value = 0, digit = 1;
  for (++k; k > 0; k /= base) {
    digit /= static_cast<double>(base);
    value += digit * static_cast<double>(k % base);
  }
  return value;
}

std::vector<VectorXd> start_values(const VectorXd& highest, std::size_t halton_points) {
  constexpr std::array<std::size_t, 25> kPrimes{2,  3,  5,  7,  11, 13, 17, 19, 23, 29, 31, 37, 41,
                                                43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97};
  constexpr double kDecades = 4;
  std::vector<VectorXd> starts{VectorXd::Zero(highest.size())};
  for (const double part : {1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001}) starts.push_back(part * highest);
  for (std::size_t k = 0; k < halton_points; ++k) {
    VectorXd point(highest.size());
    for (Eigen::Index i = 0; i < point.size(); ++i) {
      const double u = halton(k, kPrimes[static_cast<std::size_t>(i) % kPrimes.size()]);
      point[i] = highest[i] * std::pow(10.0, -kDecades * u);
    }
    starts.push_back(std::move(point));
  }
  return starts;
}

}  // namespace

std::optional<StationaryPoint> find_stationary_point(const RateTheory& theory, const VectorXd& start_hz,
                                                     const SearchOptions& options) {
  constexpr double kFirstStep = 0.05;  // of pseudo-time, in units of the relaxation time
  const VectorXd highest = highest_rates(theory);
  VectorXd nu = start_hz.cwiseMax(0.0).cwiseMin(highest);
  MatrixXd slope;
  VectorXd G = theory.transfer_hz(nu, &slope) - nu;
  double delta = kFirstStep, smallest = std::numeric_limits<double>::infinity();
  int stalled = 0;
  for (int step = 0; step < options.max_steps; ++step) {
    if (!G.allFinite()) return std::nullopt;
    const double residual = G.lpNorm<Eigen::Infinity>();
    // Rounding may keep the residual a little above the tolerance: then stop where it no longer falls.
    stalled = residual < 0.5 * smallest ? 0 : stalled + 1;
    const bool at_rounding = stalled >= 3 && residual < 1e2 * tolerance_for(nu, options);
    smallest = std::min(smallest, residual);
    if (residual <= tolerance_for(nu, options) || at_rounding) return point_at(theory, nu, step);
    const MatrixXd A = (1 + 1 / delta) * MatrixXd::Identity(nu.size(), nu.size()) - slope;
    const VectorXd change = A.partialPivLu().solve(G);
    if (!change.allFinite()) return std::nullopt;
    nu = (nu + change).cwiseMax(0.0).cwiseMin(highest);
    const double before = G.norm();
    G = theory.transfer_hz(nu, &slope) - nu;
    const double growth = G.norm() > 0 ? before / G.norm() : 1e6;
    delta = std::clamp(delta * std::clamp(growth, 0.2, 10.0), 1e-6, 1e12);
  }
  return std::nullopt;
}

StationaryPoints find_stationary_points(const RateTheory& theory, const SearchOptions& options) {
  StationaryPoints result;
  const VectorXd highest = highest_rates(theory);
  const auto keep = [&](const VectorXd& nu, int steps) {
    if (!is_known(nu, result.points)) result.points.push_back(point_at(theory, nu, steps));
  };
  for (const VectorXd& start : start_values(highest, options.starts)) {
    if (const auto point = find_stationary_point(theory, start, options)) keep(point->rates_hz, point->steps);
    if (!options.all && !result.points.empty()) break;
    if (!options.all) continue;
    VectorXd nu = start;
    int steps = 0;
    if (deflated_newton(theory, result.points, highest, options, nu, steps)) keep(nu, steps);
  }
  std::sort(result.points.begin(), result.points.end(),
            [](const StationaryPoint& a, const StationaryPoint& b) { return a.rates_hz.sum() < b.rates_hz.sum(); });
  int degree = 0;
  for (const StationaryPoint& point : result.points) degree += point.index;
  result.degree_is_one = degree == 1;
  return result;
}

}  // namespace triscale::meanfield

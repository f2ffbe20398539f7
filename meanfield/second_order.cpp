#include "meanfield/second_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"

namespace triscale::meanfield {

namespace {

SecondOrderState moved(const SecondOrderState& from, const SecondOrderState& slope, double by_ms) {
  return {from.rates_hz + by_ms * slope.rates_hz, from.covariance_hz2 + by_ms * slope.covariance_hz2};
}

}  // namespace

SecondOrder::SecondOrder(const RateTheory& theory, Eigen::VectorXd cells, double T_ms)
    : theory_(theory), cells_(std::move(cells)), T_ms_(T_ms) {
  const bool fits = cells_.size() == static_cast<Eigen::Index>(theory.size()) && (cells_.array() > 0).all() && T_ms > 0;
  if (!fits) {
    throw core::InputError({"", "second order", fmt::format("{} sizes, T {} ms", cells_.size(), T_ms),
                            "needs a positive size per population and T > 0", ""});
  }
}

Eigen::VectorXd SecondOrder::curvature(const SecondOrderState& state, const Eigen::VectorXd& F) const {
  constexpr double kStep = 1e-3, kSmallest_hz = 1e-6;
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> axes(state.covariance_hz2);
  Eigen::VectorXd sum = Eigen::VectorXd::Zero(F.size());
  for (Eigen::Index k = 0; k < F.size(); ++k) {
    const Eigen::VectorXd axis = axes.eigenvectors().col(k);
    // Rates stay positive on both sides.
    double h = kStep * (1 + state.rates_hz.norm());
    for (Eigen::Index a = 0; a < axis.size(); ++a) {
      if (axis[a] != 0) h = std::min(h, 0.5 * std::abs(state.rates_hz[a] / axis[a]));
    }
    if (!(h > kSmallest_hz)) continue;
    const Eigen::VectorXd above = theory_.transfer_hz(state.rates_hz + h * axis, nullptr);
    const Eigen::VectorXd below = theory_.transfer_hz(state.rates_hz - h * axis, nullptr);
    sum += axes.eigenvalues()[k] / (2 * h * h) * (above - 2 * F + below);
  }
  return sum;
}

SecondOrderState SecondOrder::derivative(const SecondOrderState& state) const {
  Eigen::MatrixXd slope;
  const Eigen::VectorXd F = theory_.transfer_hz(state.rates_hz, &slope);
  const Eigen::VectorXd away = F - state.rates_hz;
  const Eigen::MatrixXd& c = state.covariance_hz2;
  const Eigen::MatrixXd Jc = slope * c;
  Eigen::MatrixXd change = away * away.transpose() + Jc + Jc.transpose() - 2 * c;
  for (Eigen::Index a = 0; a < F.size(); ++a) change(a, a) += F[a] * (1000 / T_ms_ - F[a]) / cells_[a];
  return {(away + curvature(state, F)) / T_ms_, change / T_ms_};
}

void SecondOrder::step(SecondOrderState& state, double dt_ms) const {
  const SecondOrderState a = derivative(state);
  const SecondOrderState b = derivative(moved(state, a, dt_ms / 2));
  const SecondOrderState c = derivative(moved(state, b, dt_ms / 2));
  const SecondOrderState d = derivative(moved(state, c, dt_ms));
  state.rates_hz += dt_ms / 6 * (a.rates_hz + 2 * b.rates_hz + 2 * c.rates_hz + d.rates_hz);
  state.covariance_hz2 +=
      dt_ms / 6 * (a.covariance_hz2 + 2 * b.covariance_hz2 + 2 * c.covariance_hz2 + d.covariance_hz2);
}

SecondOrderState SecondOrder::settle(SecondOrderState state) const {
  constexpr int kMaxSteps = 200'000;
  constexpr double kRest = 1e-9;  // change over T, relative
  for (int k = 0; k < kMaxSteps; ++k) {
    Eigen::MatrixXd slope;
    theory_.transfer_hz(state.rates_hz, &slope);
    // Stable for the fastest decay of the linearised equations.
    const double fastest = 2 * (1 + slope.cwiseAbs().rowwise().sum().maxCoeff());
    step(state, T_ms_ / fastest);
    if (!state.rates_hz.allFinite() || !state.covariance_hz2.allFinite()) break;
    const SecondOrderState change = derivative(state);
    const double moving = T_ms_ * std::max(change.rates_hz.cwiseAbs().maxCoeff() / (1 + state.rates_hz.maxCoeff()),
                                           change.covariance_hz2.cwiseAbs().maxCoeff() /
                                               (1e-6 + state.covariance_hz2.cwiseAbs().maxCoeff()));
    if (moving < kRest) return state;
  }
  throw core::NumericalError("mean-field tier: the second-order equations did not come to rest");
}

}  // namespace triscale::meanfield

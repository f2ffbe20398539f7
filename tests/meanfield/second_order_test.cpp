#include "meanfield/second_order.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "core/error.hpp"

namespace triscale::meanfield {
namespace {

/// F = a + W nu + b nu_i^2 / 2 per population.
class Quadratic : public RateTheory {
 public:
  Eigen::VectorXd a;
  Eigen::MatrixXd W;
  double b = 0;
  std::size_t size() const override { return static_cast<std::size_t>(a.size()); }
  std::string name(std::size_t) const override { return "p"; }
  double highest_rate_hz(std::size_t) const override { return 1000; }
  Eigen::VectorXd transfer_hz(const Eigen::VectorXd& nu, Eigen::MatrixXd* slope) const override {
    if (slope != nullptr) *slope = W + Eigen::MatrixXd((b * nu).asDiagonal());
    return a + W * nu + 0.5 * b * nu.cwiseAbs2();
  }
  std::unique_ptr<Linearisation> linearise(const Eigen::VectorXd&) const override { return nullptr; }
};

Quadratic network(bool coupled) {
  Quadratic theory;
  theory.a = Eigen::Vector2d(5, 8);
  theory.W = Eigen::MatrixXd::Zero(2, 2);
  if (coupled) theory.W << 0.6, -0.8, 0.9, -0.5;
  return theory;
}

const Eigen::Vector2d kCells(800, 200);
constexpr double kT_ms = 5;

SecondOrderState start() {
  return {Eigen::Vector2d(3, 3), Eigen::MatrixXd::Zero(2, 2)};
}

TEST(SecondOrder, UncoupledPopulationsHaveTheVarianceOfFilteredPoissonSpikes) {
  const Quadratic theory = network(false);
  const SecondOrderState state = SecondOrder(theory, kCells, kT_ms).settle(start());
  for (Eigen::Index i = 0; i < 2; ++i) {
    EXPECT_NEAR(state.covariance_hz2(i, i), theory.a[i] * (200 - theory.a[i]) / kCells[i] / 2, 1e-7);
  }
  EXPECT_NEAR(state.covariance_hz2(0, 1), 0, 1e-9);
}

/// (W - 1) c + c (W - 1)^T = -A, solved as a linear system.
TEST(SecondOrder, CovarianceOfALinearNetworkSolvesLyapunovsEquation) {
  const Quadratic theory = network(true);
  const SecondOrderState state = SecondOrder(theory, kCells, kT_ms).settle(start());
  const Eigen::Matrix2d M = theory.W - Eigen::Matrix2d::Identity();
  const Eigen::Vector2d nu = (-M).lu().solve(theory.a);
  Eigen::Matrix3d system;  // for c_00, c_01, c_11
  system << 2 * M(0, 0), 2 * M(0, 1), 0, M(1, 0), M(0, 0) + M(1, 1), M(0, 1), 0, 2 * M(1, 0), 2 * M(1, 1);
  Eigen::Vector3d A(nu[0] * (200 - nu[0]) / kCells[0], 0, nu[1] * (200 - nu[1]) / kCells[1]);
  const Eigen::Vector3d c = system.lu().solve(-A);
  EXPECT_LT((state.rates_hz - nu).norm(), 1e-7);
  EXPECT_NEAR(state.covariance_hz2(0, 0), c[0], 1e-7);
  EXPECT_NEAR(state.covariance_hz2(0, 1), c[1], 1e-7);
  EXPECT_NEAR(state.covariance_hz2(1, 0), c[1], 1e-7);
  EXPECT_NEAR(state.covariance_hz2(1, 1), c[2], 1e-7);
}

TEST(SecondOrder, CurvatureRaisesTheMeanByHalfTheVariance) {
  Quadratic theory = network(false);
  theory.b = 0.02;
  const SecondOrder equations(theory, kCells, kT_ms);
  const SecondOrderState state = equations.settle(start());
  for (Eigen::Index i = 0; i < 2; ++i) {
    const double nu = state.rates_hz[i];
    EXPECT_NEAR(nu, theory.a[i] + 0.01 * nu * nu + 0.01 * state.covariance_hz2(i, i), 1e-6);
  }
}

TEST(SecondOrder, SizesThatDoNotFitAreRefused) {
  const Quadratic theory = network(true);
  EXPECT_THROW(SecondOrder(theory, Eigen::Vector3d(1, 1, 1), 5), core::InputError);
  EXPECT_THROW(SecondOrder(theory, kCells, 0), core::InputError);
}

}  // namespace
}  // namespace triscale::meanfield

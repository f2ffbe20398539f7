#include "meanfield/bifurcation.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "meanfield/pulse_response.hpp"

namespace triscale::meanfield {
namespace {

using Complex = std::complex<double>;

/// One population, T dnu/dt = F(nu(t - d)) - nu, with a given F.
class Scalar : public RateTheory {
 public:
  using Function = std::function<std::pair<double, double>(double)>;  // value, slope
  Scalar(Function F, double T_ms, double delay_ms) : F_(std::move(F)), T_ms_(T_ms), delay_ms_(delay_ms) {}

  std::size_t size() const override { return 1; }
  std::string name(std::size_t) const override { return "x"; }
  double highest_rate_hz(std::size_t) const override { return 100; }
  Eigen::VectorXd transfer_hz(const Eigen::VectorXd& nu, Eigen::MatrixXd* slope) const override {
    const auto [value, derivative] = F_(nu[0]);
    if (slope != nullptr) *slope = Eigen::MatrixXd::Constant(1, 1, derivative);
    return Eigen::VectorXd::Constant(1, value);
  }
  std::unique_ptr<Linearisation> linearise(const Eigen::VectorXd& nu) const override {
    return std::make_unique<Linear>(F_(nu[0]).second, T_ms_, delay_ms_);
  }

 private:
  struct Linear : Linearisation {
    Linear(double slope, double T_ms, double delay_ms) : slope_(slope), T_ms_(T_ms), delay_ms_(delay_ms) {}
    Eigen::MatrixXcd connectivity(Complex lambda) const override {
      return Eigen::MatrixXcd::Constant(1, 1, slope_ * std::exp(-lambda * delay_ms_) / (1.0 + lambda * T_ms_));
    }
    Eigen::VectorXcd input_response(Complex lambda) const override {
      return Eigen::VectorXcd::Constant(1, 1.0 / (1.0 + lambda * T_ms_));
    }
    Eigen::VectorXd noise_hz(Complex) const override { return Eigen::VectorXd::Constant(1, 1); }
    double slope_, T_ms_, delay_ms_;
  };
  Function F_;
  double T_ms_, delay_ms_;
};

TEST(Bifurcation, FoldIsLocatedToTenDigits) {
  // nu = p + nu^2 below 2: states 1/2 +- sqrt(1/4 - p) meet at p = 1/4. Bounded above by a constant.
  const TheoryFamily family = [](double p) {
    return std::make_unique<Scalar>(
        [p](double x) {
          return x < 2 ? std::pair{p + x * x, 2 * x} : std::pair{p + 4, 0.0};
        },
        10, 0);
  };
  std::vector<double> values;
  for (int k = 0; k <= 10; ++k) values.push_back(0.05 + 0.041 * k);
  const Bifurcation result = bifurcation(family, values);
  ASSERT_EQ(result.critical.size(), 1u);
  EXPECT_EQ(result.critical[0].kind, CriticalPoint::Kind::fold);
  EXPECT_NEAR(result.critical[0].parameter, 0.25, 1e-10);
  EXPECT_NEAR(result.critical[0].rates_hz[0], 0.5, 1e-6);
  int first = 0;
  for (const BranchPoint& point : result.points) {
    if (point.parameter != values[0]) continue;
    ++first;
    const double x = point.state.rates_hz[0];
    EXPECT_EQ(point.stable, x < 0.5 || x > 2) << x;
  }
  EXPECT_EQ(first, 3);
}

TEST(Bifurcation, HopfPointOfDelayedInhibitionIsWhereTheoryHasIt) {
  // T dx/dt = c - k x(t - d) - x: roots i omega where omega T = -tan(omega d), k = sqrt(1 + omega^2 T^2).
  const double T = 5, d = 4;
  double low = std::numbers::pi / 2 / d * 1.0001, high = std::numbers::pi / d;
  for (int step = 0; step < 100; ++step) {
    const double omega = 0.5 * (low + high);
    (omega * T + std::tan(omega * d) < 0 ? low : high) = omega;
  }
  const double k_critical = std::sqrt(1 + low * low * T * T);
  const TheoryFamily family = [&](double k) {
    return std::make_unique<Scalar>([k](double x) { return std::pair{20 - k * (x - 10), -k}; }, T, d);
  };
  std::vector<double> values;
  for (int k = 0; k < 12; ++k) values.push_back(0.5 + 0.35 * k);
  const Bifurcation result = bifurcation(family, values);
  ASSERT_EQ(result.critical.size(), 1u);
  EXPECT_EQ(result.critical[0].kind, CriticalPoint::Kind::hopf);
  EXPECT_NEAR(result.critical[0].parameter / k_critical, 1, 1e-8);
  EXPECT_NEAR(result.critical[0].frequency_hz, 1000 * low / (2 * std::numbers::pi), 1e-5);
  for (const BranchPoint& point : result.points) EXPECT_EQ(point.stable, point.parameter < k_critical);
}

TEST(PulseResponse, OfAnUndelayedPopulationIsExponential) {
  // (1 + T d/dt) x = slope x + I: x = I/(1 - slope) (1 - e^(-t (1 - slope)/T)).
  const Scalar theory([](double) { return std::pair{5.0, 0.4}; }, 10, 0);
  const auto linear = theory.linearise(Eigen::VectorXd::Constant(1, 5));
  const std::vector<double> times{-5, 3, 10, 20, 60};
  const Eigen::MatrixXd step = pulse_response(*linear, {0, 2, 1000}, times);
  const Eigen::MatrixXd pulse = pulse_response(*linear, {0, 2, 5}, times);
  const auto rise = [](double t) { return t > 0 ? 2 / 0.6 * (1 - std::exp(-t * 0.06)) : 0.0; };
  for (std::size_t k = 0; k < times.size(); ++k) {
    EXPECT_NEAR(step(static_cast<Eigen::Index>(k), 0), rise(times[k]), 5e-3) << times[k];
    EXPECT_NEAR(pulse(static_cast<Eigen::Index>(k), 0), rise(times[k]) - rise(times[k] - 5), 5e-3) << times[k];
  }
}

}  // namespace
}  // namespace triscale::meanfield

#include "detailed/lanes.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace triscale::detailed {
namespace {

TEST(Lanes, ExponentialIsWithinTwoUnitsInTheLastPlaceOfTheLibrary) {
  for (double x = -700; x <= 700; x += 0.0371) {
    const double expected = std::exp(x);
    EXPECT_NEAR(exp_of(x) / expected, 1.0, 4.5e-16) << x;
  }
  EXPECT_EQ(exp_of(0.0), 1.0);
}

TEST(Lanes, ExponentialNeitherOverflowsNorHidesNan) {
  EXPECT_TRUE(std::isfinite(exp_of(1e6)));
  EXPECT_GE(exp_of(-1e6), 0.0);
  EXPECT_LT(exp_of(-1e6), 1e-300);
  EXPECT_TRUE(std::isnan(exp_of(std::numeric_limits<double>::quiet_NaN())));
}

TEST(Lanes, ExprelrIsSmoothThroughZero) {
  EXPECT_EQ(exprelr(0.0), 1.0);
  for (double x = -40; x <= 40; x += 0.00317) {
    const double expected = x == 0 ? 1.0 : x / std::expm1(x);
    EXPECT_NEAR(exprelr(x) / expected, 1.0, 1e-13) << x;
  }
}

TEST(Lanes, LogarithmIsThatOfTheLibrary) {
  for (double x = 1e-9; x < 1e9; x *= 1.00317) {
    EXPECT_NEAR(log_of(x), std::log(x), 4e-16 * std::max(1.0, std::abs(std::log(x)))) << x;
    const Lanes v = {x, 3 * x, x / 7, 1 / x}, y = log_of(v);
    for (int lane = 0; lane < kLaneWidth; ++lane) EXPECT_EQ(y[lane], log_of(static_cast<double>(v[lane])));
  }
  EXPECT_EQ(log_of(1.0), 0.0);
  EXPECT_TRUE(std::isnan(log_of(-1.0)));
  EXPECT_TRUE(std::isnan(log_of(std::numeric_limits<double>::quiet_NaN())));
}

TEST(Lanes, BothSignsOfExprelrFromOneExponential) {
  for (double x = -40; x <= 40; x += 0.00317) {
    const ExprelrPair<double> pair = exprelr_pair(x);
    EXPECT_NEAR(pair.plus / exprelr(x), 1.0, 2e-13) << x;
    EXPECT_NEAR(pair.minus / exprelr(-x), 1.0, 2e-13) << x;
  }
  EXPECT_EQ(exprelr_pair(0.0).plus, 1.0);
}

TEST(Lanes, VectorAndScalarGiveTheSameBits) {
  for (double x = -90; x < 90; x += 0.173) {
    const Lanes v = {x, -x, x / 3, x + 0.1};
    const Lanes e = exp_of(v), r = exprelr(v);
    for (int lane = 0; lane < kLaneWidth; ++lane) {
      EXPECT_EQ(e[lane], exp_of(static_cast<double>(v[lane])));
      EXPECT_EQ(r[lane], exprelr(static_cast<double>(v[lane])));
    }
  }
}

}  // namespace
}  // namespace triscale::detailed

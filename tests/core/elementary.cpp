// Exponentials for vector loops, against those of the mathematics library.
#include "core/elementary.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace triscale::core {
namespace {

TEST(Elementary, ExponentialsAreThoseOfTheLibraryToRounding) {
  for (double x = -700; x < 700; x += 0.377) {
    EXPECT_NEAR(exp_of(x) / std::exp(x), 1, 6e-16) << x;
  }
  for (double x = 1e-12; x < 30; x *= 1.31) {
    EXPECT_NEAR(expm1_of(x) / std::expm1(x), 1, 6e-16) << x;
    EXPECT_NEAR(expm1_of(-x) / std::expm1(-x), 1, 6e-16) << x;
  }
  EXPECT_EQ(exp_of(0), 1);
  EXPECT_TRUE(std::isfinite(exp_of(1e6)));
  EXPECT_TRUE(std::isnan(exp_of(std::numeric_limits<double>::quiet_NaN())));
}

TEST(Elementary, SmallExponentialHasTheErrorThatItStates) {
  double worst = 0;
  for (int k = -1000; k <= 1000; ++k) {
    const double x = kSmallExponent * k / 1000;
    worst = std::max(worst, std::abs(exp_of_small(x) / std::exp(x) - 1));
  }
  EXPECT_LT(worst, 4e-13);
  EXPECT_NEAR(exp_of_small(0.01) / std::exp(0.01), 1, 4e-16);
}

}  // namespace
}  // namespace triscale::core

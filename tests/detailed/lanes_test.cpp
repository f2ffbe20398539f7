// Elementary functions of the kernels. lanes_fused_test.cpp and lanes_fused512_test.cpp include this file to test
// them with fused multiply-add and wider vectors too.
#include "detailed/lanes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace triscale::detailed {
namespace {

class LanesTest : public testing::Test {
 protected:
  void SetUp() override {
#ifdef TRISCALE_FUSED
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) GTEST_SKIP() << "no fused multiply-add here";
#endif
#ifdef TRISCALE_WIDE
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512dq") ||
        !__builtin_cpu_supports("avx512vl"))
      GTEST_SKIP() << "no 512-bit vectors here";
#endif
  }
};

TEST_F(LanesTest, ExponentialIsWithinTwoUnitsInTheLastPlaceOfTheLibrary) {
  for (double x = -700; x <= 700; x += 0.0371) {
    const double expected = std::exp(x);
    EXPECT_NEAR(exp_of(x) / expected, 1.0, 4.5e-16) << x;
    const ExponentialPair<double> pair = exponential_pair(x);
    EXPECT_NEAR(pair.plus / expected, 1.0, 4.5e-16) << x;
    EXPECT_NEAR(pair.minus * expected, 1.0, 7e-16) << x;
  }
  EXPECT_EQ(exp_of(0.0), 1.0);
}

TEST_F(LanesTest, ExponentialNeitherOverflowsNorHidesNan) {
  EXPECT_TRUE(std::isfinite(exp_of(1e6)));
  EXPECT_GE(exp_of(-1e6), 0.0);
  EXPECT_LT(exp_of(-1e6), 1e-300);
  EXPECT_TRUE(std::isnan(exp_of(std::numeric_limits<double>::quiet_NaN())));
  EXPECT_TRUE(std::isnan(exponential(std::numeric_limits<double>::quiet_NaN()).minus_1()));
}

TEST_F(LanesTest, ExponentialMinusOneKeepsItsDigitsNearZero) {
  for (double x = 1e-30; x < 100; x *= 1.0171) {
    EXPECT_NEAR(exponential(x).minus_1() / std::expm1(x), 1.0, 7e-16) << x;
    EXPECT_NEAR(exponential(-x).minus_1() / std::expm1(-x), 1.0, 7e-16) << x;
  }
}

TEST_F(LanesTest, SmallExponentialHasTheBitsOfTheGeneralOne) {
  for (double x = 1e-30; x < kSmallExponent; x *= 1.00171) {
    EXPECT_EQ(small_exponential_minus_1(x), exponential(x).minus_1()) << x;
    EXPECT_EQ(small_exponential_minus_1(-x), exponential(-x).minus_1()) << x;
  }
  EXPECT_EQ(small_exponential_minus_1(-kSmallExponent), exponential(-kSmallExponent).minus_1());
  EXPECT_TRUE(std::isnan(small_exponential_minus_1(std::numeric_limits<double>::quiet_NaN())));
}

TEST_F(LanesTest, LogarithmIsThatOfTheLibrary) {
  for (double x = 1e-9; x < 1e9; x *= 1.00317) {
    EXPECT_NEAR(log_of(x), std::log(x), 4e-16 * std::max(1.0, std::abs(std::log(x)))) << x;
    const Lanes v = {x, 3 * x, x / 7, 1 / x}, y = log_of(v);
    for (int lane = 0; lane < kLaneWidth; ++lane) EXPECT_EQ(y[lane], log_of(static_cast<double>(v[lane])));
  }
  EXPECT_EQ(log_of(1.0), 0.0);
  EXPECT_TRUE(std::isnan(log_of(-1.0)));
  EXPECT_TRUE(std::isnan(log_of(std::numeric_limits<double>::quiet_NaN())));
}

TEST_F(LanesTest, VectorAndScalarGiveTheSameBits) {
  for (double x = -90; x < 90; x += 0.173) {
    const Lanes v = {x, -x, x / 3, x + 0.1};
    const Lanes e = exp_of(v), less = exponential(v).minus_1(), minus = exponential_pair(v).minus, s = logistic(v);
    for (int lane = 0; lane < kLaneWidth; ++lane) {
      const double one = v[lane];
      EXPECT_EQ(e[lane], exp_of(one));
      EXPECT_EQ(less[lane], exponential(one).minus_1());
      EXPECT_EQ(minus[lane], exponential_pair(one).minus);
      EXPECT_EQ(s[lane], logistic(one));
    }
  }
}

/// One number a lane.
double lane_of(const LanePair& values, std::size_t lane) {
  double numbers[kGroupCells];
  std::memcpy(numbers, &values, sizeof numbers);
  return numbers[lane];
}

TEST_F(LanesTest, ARowOfCellsAndAScalarGiveTheSameBits) {
  for (double x = -90; x < 90; x += 0.173) {
    double numbers[kGroupCells];
    for (int lane = 0; lane < kGroupCells; ++lane) numbers[lane] = x + 0.013 * lane;
    LanePair v;
    std::memcpy(static_cast<void*>(&v), numbers, sizeof v);
    const LanePair e = exp_of(v), l = log_of(LanePair(v * v + 1e-3)), s = logistic(v),
                   high = max_of(v, broadcast<LanePair>(3.0)), low = min_of(v, broadcast<LanePair>(3.0)),
                   chosen = select(v < broadcast<LanePair>(0.0), e, s);
    for (int lane = 0; lane < kGroupCells; ++lane) {
      const double one = numbers[lane];
      EXPECT_EQ(lane_of(e, lane), exp_of(one));
      EXPECT_EQ(lane_of(l, lane), log_of(one * one + 1e-3));
      EXPECT_EQ(lane_of(s, lane), logistic(one));
      EXPECT_EQ(lane_of(high, lane), std::max(one, 3.0));
      EXPECT_EQ(lane_of(low, lane), std::min(one, 3.0));
      EXPECT_EQ(lane_of(chosen, lane), one < 0 ? exp_of(one) : logistic(one));
    }
    EXPECT_EQ(all_of(v < broadcast<LanePair>(x + 0.1)), true);
    EXPECT_EQ(all_of(v < broadcast<LanePair>(x + 0.013 * 6.5)), false);
  }
}

}  // namespace
}  // namespace triscale::detailed

#include "core/time_grid.hpp"

#include <gtest/gtest.h>

namespace triscale::core {
namespace {

TEST(TimeGrid, CountsStepsOfADivisibleDurationExactly) {
  // 3000 / 0.1 and 0.3 / 0.1 are not integers in binary; rounding up naively would add a step.
  EXPECT_EQ((TimeGrid{0.1, 3000.0}.steps()), 30000);
  EXPECT_EQ((TimeGrid{0.1, 0.3}.steps()), 3);
  EXPECT_EQ((TimeGrid{0.025, 1000.0}.steps()), 40000);
  EXPECT_EQ((TimeGrid{0.1, 0.0}.steps()), 0);
}

TEST(TimeGrid, CoversADurationThatDtDoesNotDivide) {
  const TimeGrid grid{0.3, 1.0};
  EXPECT_EQ(grid.steps(), 4);
  EXPECT_GE(grid.time_ms(grid.steps()), 1.0);
  EXPECT_LT(grid.time_ms(grid.steps() - 1), 1.0);
}

TEST(TimeGrid, DoesNotAccumulateRoundingErrors) {
  const TimeGrid grid{0.1, 1e6};
  double sum = 0;
  for (int step = 0; step < 10'000'000; ++step) sum += grid.dt_ms;
  EXPECT_DOUBLE_EQ(grid.time_ms(10'000'000), 1e6);
  EXPECT_GT(sum - 1e6 > 0 ? sum - 1e6 : 1e6 - sum, 1e-5) << "an accumulated sum drifts; this is why time is a product";
}

}  // namespace
}  // namespace triscale::core

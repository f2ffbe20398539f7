#include "meanfield/integrator.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/error.hpp"

namespace triscale::meanfield {
namespace {

const RightHandSide kDecay = [](const State& x, State& dx, double) { dx[0] = -x[0]; };

TEST(Integrator, EndsAtTheEndEvenIfTheStepDoesNotDivideTheInterval) {
  double last_ms = -1;
  State x{1.0};
  integrate_fixed(kDecay, x, 0, 1.05, 7, [&](double t, const State&) { last_ms = t; });
  EXPECT_DOUBLE_EQ(last_ms, 1.05);
  EXPECT_NEAR(x[0], std::exp(-1.05), 1e-5);
  State y{1.0};
  integrate_controlled(kDecay, y, 0, 1.05, {}, [&](double t, const State&) { last_ms = t; });
  EXPECT_DOUBLE_EQ(last_ms, 1.05);
  EXPECT_NEAR(y[0], std::exp(-1.05), 1e-7);
}

TEST(Integrator, FixedStepsConvergeWithFourthOrder) {
  const auto error = [](std::size_t steps) {
    State x{1.0};
    integrate_fixed([](const State& s, State& d, double t) { d[0] = -s[0] * std::cos(t); }, x, 0, 2, steps);
    return std::abs(x[0] - std::exp(-std::sin(2.0)));
  };
  EXPECT_NEAR(std::log2(error(20) / error(40)), 4, 0.3);
}

TEST(Integrator, NanInTheRightHandSideIsAnErrorThatNamesVariableAndTime) {
  const RightHandSide rhs = [](const State&, State& dx, double t) {
    dx[0] = 0;
    dx[1] = t > 0.5 ? std::numeric_limits<double>::quiet_NaN() : 1.0;
  };
  const ComponentName name = [](std::size_t i) { return i == 1 ? "rate of population I" : "rate of population E"; };
  State x{0, 0};
  try {
    integrate_fixed(rhs, x, 0, 1, 10, {}, name);
    FAIL() << "no error";
  } catch (const core::NumericalError& error) {
    EXPECT_NE(std::string(error.what()).find("rate of population I"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("0.6"), std::string::npos) << error.what();
  }
  State y{0, 0};
  EXPECT_THROW(integrate_controlled(rhs, y, 0, 1, {}, {}, name), core::NumericalError);
}

TEST(Integrator, StoppingShortIsAnError) {
  State x{1.0};
  ControlledOptions few;
  few.max_steps = 3;
  EXPECT_THROW(integrate_controlled(kDecay, x, 0, 100, few), core::NumericalError);
  State blow_up{1.0};  // x' = x^2 has a pole at t = 1
  const RightHandSide square = [](const State& s, State& d, double) { d[0] = s[0] * s[0]; };
  EXPECT_THROW(integrate_controlled(square, blow_up, 0, 2), core::NumericalError);
  State y{1.0};
  EXPECT_THROW(integrate_fixed(kDecay, y, 0, 1, 0), core::NumericalError);
  EXPECT_THROW(integrate_fixed(kDecay, y, 1, 0, 5), core::NumericalError);
  EXPECT_THROW(integrate_fixed(kDecay, y, 0, std::nan(""), 5), core::NumericalError);
}

}  // namespace
}  // namespace triscale::meanfield

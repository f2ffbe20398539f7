#include "meanfield/integrator.hpp"

#include <fmt/format.h>

#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta4.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <cmath>

#include "core/error.hpp"

namespace triscale::meanfield {

namespace {

namespace odeint = boost::numeric::odeint;

void require_finite(const State& state, double t_ms, const ComponentName& name) {
  for (std::size_t i = 0; i < state.size(); ++i) {
    if (std::isfinite(state[i])) continue;
    throw core::NumericalError(fmt::format("mean-field tier: {} became {} at t = {} ms",
                                           name ? name(i) : fmt::format("state component {}", i), state[i], t_ms));
  }
}

void require_interval(double begin_ms, double end_ms) {
  if (!std::isfinite(begin_ms) || !std::isfinite(end_ms) || !(end_ms >= begin_ms)) {
    throw core::NumericalError(fmt::format("mean-field tier: cannot integrate from {} ms to {} ms", begin_ms, end_ms));
  }
}

}  // namespace

void integrate_fixed(const RightHandSide& rhs, State& state, double begin_ms, double end_ms, std::size_t steps,
                     const StepObserver& observe, const ComponentName& name) {
  require_interval(begin_ms, end_ms);
  if (steps == 0 && end_ms > begin_ms) throw core::NumericalError("mean-field tier: no steps for a non-empty interval");
  require_finite(state, begin_ms, name);
  if (observe) observe(begin_ms, state);
  odeint::runge_kutta4<State> stepper;
  const auto time = [&](std::size_t k) {
    return begin_ms + (end_ms - begin_ms) * (static_cast<double>(k) / static_cast<double>(steps));
  };
  for (std::size_t k = 0; k < steps; ++k) {
    stepper.do_step(std::ref(rhs), state, time(k), time(k + 1) - time(k));
    require_finite(state, time(k + 1), name);
    if (observe) observe(time(k + 1), state);
  }
}

void integrate_controlled(const RightHandSide& rhs, State& state, double begin_ms, double end_ms,
                          const ControlledOptions& options, const StepObserver& observe, const ComponentName& name) {
  require_interval(begin_ms, end_ms);
  require_finite(state, begin_ms, name);
  if (observe) observe(begin_ms, state);
  auto stepper = odeint::make_controlled<odeint::runge_kutta_dopri5<State>>(options.absolute_tolerance,
                                                                            options.relative_tolerance);
  double t_ms = begin_ms;
  double step_ms = options.first_step_ms;
  for (std::size_t taken = 0; t_ms < end_ms; ++taken) {
    const double smallest_ms = 1e-13 * std::max(std::abs(t_ms), end_ms - begin_ms);
    if (taken >= options.max_steps || !(step_ms > smallest_ms)) {
      throw core::NumericalError(fmt::format("mean-field tier: integration stopped at t = {} ms, short of {} ms ({})",
                                             t_ms, end_ms,
                                             taken >= options.max_steps ? "too many steps" : "step too small"));
    }
    const bool last = step_ms >= end_ms - t_ms;
    double trial_ms = last ? end_ms - t_ms : step_ms;
    if (stepper.try_step(std::ref(rhs), state, t_ms, trial_ms) == odeint::success) {
      if (last) t_ms = end_ms;
      require_finite(state, t_ms, name);
      if (observe) observe(t_ms, state);
    }
    step_ms = trial_ms;
  }
}

}  // namespace triscale::meanfield

/// The one place that drives Boost.Odeint. Odeint's own integrate_const silently stops short when the step does not
/// divide the interval, and a right-hand side that gives NaN ends a controlled integration without an error; here every
/// integration either reaches the end time with a finite state or throws core::NumericalError.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace triscale::meanfield {

using State = std::vector<double>;
/// rhs(state, derivative, t_ms): writes d state / dt, per ms.
using RightHandSide = std::function<void(const State&, State&, double)>;
/// Called after every step (and once at the start) with the time and the state reached.
using StepObserver = std::function<void(double, const State&)>;
/// Name of a state component for error messages, e.g. "rate of population E".
using ComponentName = std::function<std::string(std::size_t)>;

/// Classical Runge-Kutta of fourth order in `steps` equal steps: t_k = begin + k (end - begin) / steps.
void integrate_fixed(const RightHandSide& rhs, State& state, double begin_ms, double end_ms, std::size_t steps,
                     const StepObserver& observe = {}, const ComponentName& name = {});

struct ControlledOptions {
  double absolute_tolerance = 1e-9;
  double relative_tolerance = 1e-7;
  double first_step_ms = 0.1;
  std::size_t max_steps = 1'000'000;  ///< accepted and rejected steps together
};

/// Dormand-Prince 5(4) with step-size control; the last step ends exactly at end_ms.
void integrate_controlled(const RightHandSide& rhs, State& state, double begin_ms, double end_ms,
                          const ControlledOptions& options = {}, const StepObserver& observe = {},
                          const ComponentName& name = {});

}  // namespace triscale::meanfield

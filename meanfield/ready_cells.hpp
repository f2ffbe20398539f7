/// Cells that have just fired cannot fire again. After a strong pulse most of a population has fired, and the rate
/// falls although the input is still on: only those that are left, the survivors, can fire. With the rate nu of the
/// transfer function, the trains' dead time d, and the rate R that the state has had (d dR/dt = r - R), of every class
///
///   r(t) = nu(t) (1 - int_(t-d)^t r ds) / (1 - R(t) d).
///
/// The transfer function was fitted to cells at rest, of which 1 - nu d are ready; so r = nu = R there, whatever d is.
/// How many are ready at a rate is expected with a delay of d, as the regularity of trains is (membrane_course.hpp): a
/// fast change finds the ready cells of before. For small changes at frequency lambda, r = S nu,
///
///   S(lambda) = 1 / (1 + R d / (1 - R d) [ (1 - e^(-lambda d)) / (lambda d) - 1 / (1 + lambda d) ]).
///
/// d: what keeps a cell from firing besides its adaptation, which the mean field has anyhow (ready_dead_time). Both
/// together make the dead time that was measured, by the spikes that follow a spike within tau_f = 10 ms:
///   int_d^oo nu(t | adapted by a spike at 0) / nu e^(-t/tau_f) dt = tau_f e^(-(measured dead time)/tau_f).
/// It is not taken to be longer than at the state that it was measured at: a stronger drive is faster to bring a cell
/// back, and it is under strong drive that survivors matter.
///
/// Transfer functions without a dead time are left as they are, and so is what single known spikes add to the rate
/// (meanfield/known_input.hpp): it is held to the mean of a function that was fitted to such input.
#pragma once

#include <complex>
#include <cstddef>
#include <vector>

#include "meanfield/model.hpp"

namespace triscale::meanfield {

/// d at any rate, for cells of the average weights of the population: its adaptation acts in the state `input`, which
/// should be the one that the dead time was measured at.
DeadTime ready_dead_time(const PopulationModel& model, const PopulationInput& input);
/// Same in the state that dead times were measured at: every simulated source at the rate of its dead time.
DeadTime ready_dead_time(const Model& circuit, const PopulationModel& model);

/// d of a population at a rate.
double ready_dead_time_ms(const PopulationModel& model, double rate_hz);

/// S of the header.
std::complex<double> ready_response(double rate_hz, double dead_time_ms, std::complex<double> lambda_per_ms);

class ReadyCells {
 public:
  /// All cells ready. `model` must outlive it.
  ReadyCells(const PopulationModel& model, double step_ms);

  /// One step: replaces the rates nu at its end, of every class, by r. First order in the step.
  void step(std::vector<double>& rates_hz);

  double dead_time_ms() const { return dead_time_ms_; }

 private:
  /// int r dt of a class from the start to t, which must not lie more than the longest dead time back.
  double spikes_until(std::size_t cells, double steps_back) const;

  const PopulationModel& model_;
  double step_ms_, dead_time_ms_;
  std::vector<double> rates_hz_, expected_hz_;
  std::size_t slots_, now_ = 0;
  std::vector<double> spikes_;  // per slot of the ring and class
};

}  // namespace triscale::meanfield

/// The membrane potentials of a population's cells over time, under rates that change. Of every channel c, with the
/// rate nu_c of the source as it arrives, the synapses' rise and decay time constants, and of every class i of cells:
///
///   tau_r dx_c/dt = nu_c - x_c,    tau_d dy_c/dt = x_c - y_c              conductance, as the rate that it stands for
///   C dmu_i/dt    = g_L E_L + sum_c a_c w_ic y_c E_c + I - G_i mu_i,      G_i = g_L + sum_c a_c w_ic y_c
///   d_c dr_c/dt = z_c - r_c,   d_c the source's dead time               rate as its trains' regularity follows it
///   theta_c dz_c/dt = nu_c - z_c,  theta_c = int t h^2 dt / int h^2 dt    rate as the variance sees it
///   tau_k da_ik/dt = b_k tau_k nu_i - a_ik                                adaptation: -sum_k a_ik is part of I
///
/// h: the postsynaptic potential, a cascade of filters with tau_r, tau_d and the mean C/G, for which
///   theta = (tau_1 + tau_2 + tau_3)/2 + sum_(i<j) tau_i tau_j / (tau_i + tau_j) - 3/2 / sum_i 1/tau_i.
/// sigma and tau_V are those of meanfield/transfer_function.hpp at mu_i, G_i, z_c and r_c. The population fires at once
/// as these and dmu_i/dt say (moving_rate_hz): cells whose potential fluctuates with a finite correlation time pass
/// fast changes of their input on without a delay (Brunel, Chance, Fourcaud & Abbott 2001, Phys. Rev. Lett. 86:2186),
/// because some of them are always near the threshold.
///
/// A step takes the exact solution for the average of nu_c over it, and for the average of y_c (first term of the
/// Magnus expansion): second order, stable for any step.
#pragma once

#include <vector>

#include "meanfield/model.hpp"

namespace triscale::meanfield {

/// One step of tau dx/dt = u - x with constant u; returns the average of x over the step, so that nothing of the input
/// is lost however short tau is.
double low_pass(double& x, double u, double tau_ms, double step_ms);

/// theta of a cascade of three exponential filters.
double squared_cascade_delay(double a_ms, double b_ms, double c_ms);

class MembraneCourse {
 public:
  /// At rest, without input. `model` must outlive it.
  explicit MembraneCourse(const PopulationModel& model);

  /// `input`: averages over the step; `fired_hz`: rate of every class since the step before.
  void step(const PopulationInput& input, const std::vector<double>& fired_hz, double step_ms);

  /// Statistics of every class now.
  const std::vector<MembraneStatistics<double>>& statistics() const { return statistics_; }
  /// Velocity of the mean potential of every class.
  const std::vector<double>& slopes_mV_per_ms() const { return slopes_mV_per_ms_; }
  /// Rate of every class.
  std::vector<double> rates_hz() const;
  /// Conductance of every class, uS.
  const std::vector<double>& conductances_uS() const { return G_uS_; }
  /// Rate that the variance due to a channel follows.
  const std::vector<double>& variance_hz() const { return z_; }

 private:
  const PopulationModel& model_;
  std::vector<double> x_, y_, z_, regular_hz_;  // per channel
  std::vector<double> mu_mV_, G_uS_, slopes_mV_per_ms_;
  std::vector<std::vector<double>> adaptation_nA_;  // by kernel and class
  std::vector<MembraneStatistics<double>> statistics_;
};

}  // namespace triscale::meanfield

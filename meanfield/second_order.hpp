/// Second-order dynamics of finite populations: mean rates and the covariance of their fluctuations (El Boustani &
/// Destexhe 2009, Neural Computation 21:46; di Volo et al. 2019, Neural Computation 31:653). With transfer functions F,
/// population sizes N and one time constant T,
///
///   T dnu_m/dt  = F_m - nu_m + 1/2 sum_ab c_ab d2F_m/dnu_a dnu_b
///   T dc_ab/dt  = A_ab + (F_a - nu_a)(F_b - nu_b) + sum_m [ dF_a/dnu_m c_mb + c_am dF_b/dnu_m ] - 2 c_ab,
///   A_aa = F_a (1/T - F_a) / N_a,   A_ab = 0.
///
/// The derivatives stand in the form of a Lyapunov equation, which keeps c symmetric and positive; printed versions
/// with transposed indices, and a stored implementation whose derivatives are off by factors of 1e3 and 1e6, do not.
/// Without coupling c = A / 2: the variance of the activity as seen through a low pass of time constant T, not in bins
/// of T, which is A.
///
/// F and its slopes come from a RateTheory; second derivatives along the eigenvectors of c by central differences.
#pragma once

#include <functional>

#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

struct SecondOrderState {
  Eigen::VectorXd rates_hz;
  Eigen::MatrixXd covariance_hz2;
};

class SecondOrder {
 public:
  /// `cells`: population sizes. The theory must outlive it. Throws core::InputError for sizes or T that do not fit.
  SecondOrder(const RateTheory& theory, Eigen::VectorXd cells, double T_ms);

  /// Time derivative, per ms.
  SecondOrderState derivative(const SecondOrderState& state) const;
  /// One step of the classical Runge-Kutta method.
  void step(SecondOrderState& state, double dt_ms) const;
  /// Steps from `start` until nothing changes. Throws core::NumericalError if that does not happen, which it does not
  /// where the rates oscillate or the covariance grows without bound.
  SecondOrderState settle(SecondOrderState start) const;

 private:
  /// 1/2 sum_ab c_ab d2F/dnu_a dnu_b.
  Eigen::VectorXd curvature(const SecondOrderState& state, const Eigen::VectorXd& F) const;

  const RateTheory& theory_;
  Eigen::VectorXd cells_;
  double T_ms_;
};

}  // namespace triscale::meanfield

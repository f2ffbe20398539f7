/// Stability of a stationary state from its delayed linear response, not from relaxation in pseudo-time: perturbations
/// grow or decay like e^(lambda t) with the roots lambda of
///
///   D(lambda) = det(I - W(lambda)) = 0.
///
/// W has no poles at Re lambda >= 0 (each population alone is stable), so the number of unstable roots is how often
/// D(i omega), omega from -infinity to infinity, winds around 0 (argument principle; Nyquist 1932). That number
/// certifies that the list of unstable roots, found by Muller's method (1956) from minima of |D| along the imaginary
/// axis, sign changes along the positive real axis and a grid in the right half plane, is complete.
#pragma once

#include <complex>
#include <vector>

#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

/// A root: growth rate and frequency, and the shape of the mode (amplitudes of the populations, largest 1).
struct Mode {
  std::complex<double> lambda_per_ms;
  double growth_per_s() const { return 1000 * lambda_per_ms.real(); }
  double frequency_hz() const;
  Eigen::VectorXcd shape;
};

struct StabilityOptions {
  double highest_frequency_hz = 1000;
  double lowest_growth_per_s = -200;  ///< roots that decay faster are not listed
  double step_hz = 2;                 ///< first spacing of the scan; refined where D turns fast
};

struct Stability {
  bool stable = false;          ///< no unstable root up to the highest frequency
  int unstable_roots = 0;       ///< from the winding number: a complex pair counts twice
  bool roots_complete = false;  ///< the listed unstable roots are as many as the winding number says
  /// |W| < 1 beyond the highest frequency looked at, so that nothing can grow there.
  bool bounded_above = false;
  std::vector<Mode> modes;  ///< Im lambda >= 0 (of a pair one), fastest growing first
};

Stability stability(const Linearisation& linear, const StabilityOptions& options = {});

/// The root of D nearest to a guess by Muller's method; false if it does not converge.
bool refine_root(const Linearisation& linear, std::complex<double>& lambda_per_ms);

/// The mode that belongs to a root.
Mode mode_at(const Linearisation& linear, std::complex<double> lambda_per_ms);

/// Which connections make a mode (Bos, Diesmann & Helias 2016, PLoS Comput. Biol. 12:e1005132). For the eigenvalue mu
/// of W(i omega) nearest 1, with left and right eigenvectors u, v:  T_ij = d mu / d ln W_ij = conj(u_i) W_ij v_j / (u^H
/// v); sum T_ij = mu. Projected on the direction k = (1 - mu)/|1 - mu| that leads to the critical value: a connection
/// with positive `amplitude` makes the peak higher when strengthened. Projected on its normal: `frequency`.
struct Sensitivity {
  double frequency_hz = 0;
  std::complex<double> eigenvalue;
  Eigen::MatrixXd amplitude;
  Eigen::MatrixXd frequency;
};
Sensitivity sensitivity(const Linearisation& linear, double frequency_hz);

}  // namespace triscale::meanfield

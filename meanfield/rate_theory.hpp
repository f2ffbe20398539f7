/// What every mean-field theory of a circuit is to the analyses (stationary states, stability, spectra, responses,
/// bifurcations): rates in, rates out, and the linear response around a working point.
///
///   stationary state:    nu = F(nu)
///   small deviations:    delta nu(lambda) = W(lambda) delta nu(lambda) + H(lambda) delta input(lambda)
///
/// W is the effective connectivity at complex frequency lambda, with delays, synaptic filters and the dynamics of the
/// cells; W(0) = dF/dnu. lambda is in 1/ms, rates are in Hz. Rows are targets, columns sources.
#pragma once

#include <Eigen/Dense>
#include <complex>
#include <memory>
#include <string>
#include <vector>

namespace triscale::meanfield {

/// A theory around one stationary state.
class Linearisation {
 public:
  virtual ~Linearisation() = default;
  virtual Eigen::MatrixXcd connectivity(std::complex<double> lambda_per_ms) const = 0;
  /// Response of each population to a modulation of its own mean input at fixed rates of the others, in Hz per unit of
  /// what the theory calls its input (see there).
  virtual Eigen::VectorXcd input_response(std::complex<double> lambda_per_ms) const = 0;
  /// Spectrum of the population's rate if its cells were unconnected but had the same statistics, Hz (times Hz/Hz): the
  /// finite-size noise that drives the circuit, S_i(omega) / N_i.
  virtual Eigen::VectorXd noise_hz(std::complex<double> lambda_per_ms) const = 0;
};

class RateTheory {
 public:
  virtual ~RateTheory() = default;
  virtual std::size_t size() const = 0;
  virtual std::string name(std::size_t population) const = 0;
  /// No population can fire faster.
  virtual double highest_rate_hz(std::size_t population) const = 0;
  /// F at given rates; if `slope` is not null, also dF/dnu.
  virtual Eigen::VectorXd transfer_hz(const Eigen::VectorXd& rates_hz, Eigen::MatrixXd* slope) const = 0;
  virtual std::unique_ptr<Linearisation> linearise(const Eigen::VectorXd& rates_hz) const = 0;
};

}  // namespace triscale::meanfield

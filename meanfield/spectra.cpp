#include "meanfield/spectra.hpp"

#include <cmath>
#include <limits>
#include <numbers>

namespace triscale::meanfield {

namespace {

std::complex<double> lambda_at(double frequency_hz) {
  return {0, 2 * std::numbers::pi * frequency_hz / 1000};
}

Eigen::MatrixXcd one_minus_connectivity(const Linearisation& linear, double frequency_hz) {
  const Eigen::MatrixXcd W = linear.connectivity(lambda_at(frequency_hz));
  return Eigen::MatrixXcd::Identity(W.rows(), W.cols()) - W;
}

}  // namespace

Eigen::MatrixXcd cross_spectrum(const Linearisation& linear, double frequency_hz) {
  const Eigen::MatrixXcd Q = one_minus_connectivity(linear, frequency_hz).inverse();
  return Q * linear.noise_hz(lambda_at(frequency_hz)).cast<std::complex<double>>().asDiagonal() * Q.adjoint();
}

Eigen::MatrixXd power_spectra(const Linearisation& linear, const std::vector<double>& frequencies_hz) {
  Eigen::MatrixXd result;
  for (std::size_t k = 0; k < frequencies_hz.size(); ++k) {
    const Eigen::MatrixXcd C = cross_spectrum(linear, frequencies_hz[k]);
    if (k == 0) result.resize(static_cast<Eigen::Index>(frequencies_hz.size()), C.rows());
    result.row(static_cast<Eigen::Index>(k)) = C.diagonal().real().transpose();
  }
  return result;
}

Eigen::MatrixXcd input_transfer(const Linearisation& linear, std::size_t target,
                                const std::vector<double>& frequencies_hz) {
  Eigen::MatrixXcd result;
  const auto column = static_cast<Eigen::Index>(target);
  for (std::size_t k = 0; k < frequencies_hz.size(); ++k) {
    const Eigen::VectorXcd H = linear.input_response(lambda_at(frequencies_hz[k]));
    Eigen::VectorXcd drive = Eigen::VectorXcd::Zero(H.size());
    drive[column] = H[column];
    if (k == 0) result.resize(static_cast<Eigen::Index>(frequencies_hz.size()), H.size());
    result.row(static_cast<Eigen::Index>(k)) =
        one_minus_connectivity(linear, frequencies_hz[k]).partialPivLu().solve(drive).transpose();
  }
  return result;
}

double peak_frequency_hz(const std::vector<double>& frequencies_hz, const Eigen::VectorXd& spectrum, double low_hz,
                         double high_hz) {
  std::size_t best = 0;
  double highest = -std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < frequencies_hz.size(); ++k) {
    const double value = spectrum[static_cast<Eigen::Index>(k)];
    if (frequencies_hz[k] < low_hz || frequencies_hz[k] > high_hz || !(value > highest)) continue;
    best = k;
    highest = value;
  }
  if (best == 0 || best + 1 >= frequencies_hz.size()) return frequencies_hz[best];
  const auto at = [&](std::size_t k) { return spectrum[static_cast<Eigen::Index>(k)]; };
  const double left = at(best - 1), middle = at(best), right = at(best + 1);
  const double bend = left - 2 * middle + right;
  if (!(bend < 0)) return frequencies_hz[best];
  const double spacing = (frequencies_hz[best + 1] - frequencies_hz[best - 1]) / 2;
  return frequencies_hz[best] + 0.5 * spacing * (left - right) / bend;
}

}  // namespace triscale::meanfield

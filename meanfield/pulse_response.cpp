#include "meanfield/pulse_response.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "meanfield/spectra.hpp"

namespace triscale::meanfield {

Eigen::MatrixXd pulse_response(const Linearisation& linear, const Pulse& pulse, const std::vector<double>& times_ms,
                               double highest_hz) {
  using Complex = std::complex<double>;
  using std::numbers::pi;
  double horizon_ms = pulse.duration_ms;
  for (const double t : times_ms) horizon_ms = std::max(horizon_ms, std::abs(t));
  // Sampling at spacing df makes the response periodic with 1/df: far enough for it to have died out.
  const double df_hz = 1000 / (4 * horizon_ms + 400);
  const auto count = static_cast<std::size_t>(std::ceil(highest_hz / df_hz));
  std::vector<double> frequencies;
  for (std::size_t k = 0; k < count; ++k) frequencies.push_back((static_cast<double>(k) + 0.5) * df_hz);
  const Eigen::MatrixXcd transfer = input_transfer(linear, pulse.target, frequencies);
  Eigen::MatrixXd result = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(times_ms.size()), transfer.cols());
  for (std::size_t k = 0; k < count; ++k) {
    const double omega = 2 * pi * frequencies[k] / 1000;
    // Lanczos' factor damps the ringing of the cut at the highest frequency.
    const double x = pi * frequencies[k] / highest_hz;
    const double window = std::sin(x) / x;
    const Complex drive =
        pulse.amplitude * window * (1.0 - std::exp(Complex(0, -omega * pulse.duration_ms))) / Complex(0, omega);
    const double weight = 2 * df_hz / 1000;  // both signs of omega; d omega / 2 pi
    for (std::size_t t = 0; t < times_ms.size(); ++t) {
      const Complex phase = weight * drive * std::exp(Complex(0, omega * times_ms[t]));
      result.row(static_cast<Eigen::Index>(t)) += (phase * transfer.row(static_cast<Eigen::Index>(k))).real();
    }
  }
  return result;
}

}  // namespace triscale::meanfield

#include "meanfield/lif_weak_input.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace triscale::meanfield {

namespace {

template <typename T>
double dot(const std::vector<T>& a, const std::vector<T>& b) {
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    if constexpr (std::is_same_v<T, double>) {
      sum += a[k] * b[k];
    } else {
      sum += (std::conj(a[k]) * b[k]).real();
    }
  }
  return sum;
}

double sum(const std::vector<double>& values) {
  double total = 0;
  for (const double value : values) total += value;
  return total;
}

}  // namespace

LifWeakInput::LifWeakInput(const LifCell& cell, const LifInput& input, double cells_per_sigma)
    : t_ref_ms_(cell.t_ref_ms) {
  if (!(input.sigma_mV > 0)) throw core::NumericalError("mean-field tier: weak input needs a noisy cell");
  constexpr double kReach = 5;  // standard deviations below the lower of mean and reset
  const double shift_mV = siegert_bounds(cell, input).shift * input.sigma_mV;
  const double V_th = cell.V_threshold_mV + shift_mV, V_r = cell.V_reset_mV + shift_mV;
  const double above = std::ceil((V_th - V_r) / input.sigma_mV * cells_per_sigma);
  width_mV_ = (V_th - V_r) / above;
  const double lowest = std::min(V_r, input.mu_mV) - kReach * input.sigma_mV / std::numbers::sqrt2;
  reset_ = static_cast<std::size_t>(std::ceil((V_r - lowest) / width_mV_));
  const std::size_t n = reset_ + static_cast<std::size_t>(above);
  const double D = input.sigma_mV * input.sigma_mV / (2 * cell.tau_m_ms * width_mV_ * width_mV_);
  drift_ = 1 / (2 * width_mV_ * cell.tau_m_ms);
  for (std::size_t k = 0; k < n; ++k) {
    const double V = V_r + (static_cast<double>(k) - static_cast<double>(reset_) + 0.5) * width_mV_;
    up_.push_back(D + (input.mu_mV - V) * drift_);
    down_.push_back(D - (input.mu_mV - V) * drift_);
  }
  std::vector<double> at_reset(n, 0.0);
  at_reset[reset_] = 1;
  from_reset_ = solve<double>(0, at_reset, false);
  flux_ = 1 / (sum(from_reset_) + t_ref_ms_);
  density_ = from_reset_;
  for (double& p : density_) p *= flux_;
  time_ms_ = solve<double>(0, std::vector<double>(n, 1.0), true);
  forward_ms_ = dot(density_, time_ms_) + flux_ * t_ref_ms_ * (t_ref_ms_ / 2 + time_ms_[reset_]);
}

/// (lambda - L) x = right, or the transposed system; L without reinjection is tridiagonal.
template <typename T>
std::vector<T> LifWeakInput::solve(T lambda, std::vector<T> right, bool adjoint) const {
  const std::size_t n = up_.size();
  std::vector<T> pivot(n);
  // Entries of the matrix below and above the diagonal, row k: gain from below and from above.
  const auto below = [&](std::size_t k) { return adjoint ? -down_[k - 1] : -up_[k - 1]; };
  const auto above = [&](std::size_t k) { return adjoint ? -up_[k] : -down_[k]; };
  for (std::size_t k = 0; k < n; ++k) {
    T diagonal = lambda + up_[k] + (k > 0 ? down_[k - 1] : 0.0);
    if (k > 0) {
      const T factor = below(k) * pivot[k - 1];
      diagonal -= factor * above(k - 1);
      right[k] -= factor * right[k - 1];
    }
    pivot[k] = 1.0 / diagonal;
  }
  right[n - 1] *= pivot[n - 1];
  for (std::size_t k = n - 1; k-- > 0;) right[k] = (right[k] - above(k) * right[k + 1]) * pivot[k];
  return right;
}

template <typename T>
std::vector<T> LifWeakInput::drift(const std::vector<T>& p) const {
  const std::size_t n = p.size();
  std::vector<T> change(n);
  T below = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const T flux = drift_ * (p[k] + (k + 1 < n ? p[k + 1] : T(0)));
    change[k] = below - flux;
    below = flux;
  }
  return change;
}

template <typename T>
std::vector<T> LifWeakInput::drift_adjoint(const std::vector<T>& g) const {
  const std::size_t n = g.size();
  std::vector<T> change(n);
  for (std::size_t k = 0; k < n; ++k) {
    const T here = g[k], above = k + 1 < n ? g[k + 1] : T(0);
    change[k] = drift_ * (above - here);
    if (k > 0) change[k] += drift_ * (here - g[k - 1]);
  }
  return change;
}

double LifWeakInput::close(std::vector<double>& density) const {
  const double change = -sum(density) * flux_;
  for (std::size_t k = 0; k < density.size(); ++k) density[k] += change * from_reset_[k];
  return change;
}

WeakEffect LifWeakInput::second_order(const std::vector<double>& source, const std::vector<double>& adjoint_source,
                                      double cross_ms) const {
  std::vector<double> density = solve<double>(0, source, false);
  const double flux = close(density);
  const std::vector<double> time = solve<double>(0, adjoint_source, true);
  const double forward = dot(density, time_ms_) + dot(density_, time) + cross_ms +
                         t_ref_ms_ * (flux * time_ms_[reset_] + flux_ * time[reset_]) +
                         flux * t_ref_ms_ * t_ref_ms_ / 2;
  return {flux / flux_, forward / forward_ms_};
}

WeakSignal LifWeakInput::at(double frequency_hz) const {
  const Complex lambda(0, 2 * std::numbers::pi * frequency_hz / 1000);
  const std::size_t n = up_.size();
  const std::vector<double> drive = drift(density_);
  std::vector<Complex> p = solve<Complex>(lambda, {drive.begin(), drive.end()}, false);
  std::vector<Complex> at_reset(n, 0.0);
  at_reset[reset_] = 1;
  const std::vector<Complex> passage = solve<Complex>(lambda, at_reset, false);
  const Complex wait = std::exp(-lambda * t_ref_ms_);
  WeakSignal signal;
  signal.interval_transform = wait * outflow(passage);
  const Complex flux = (outflow(p) + drift_ * density_.back()) / (1.0 - signal.interval_transform);
  signal.d_mu_hz_per_mV = 1000.0 * flux;
  for (std::size_t k = 0; k < n; ++k) p[k] += flux * wait * passage[k];
  // The adjoint looks ahead: its frequency has the other sign.
  const std::vector<double> ahead = drift_adjoint(time_ms_);
  const std::vector<Complex> time = solve<Complex>(-lambda, {ahead.begin(), ahead.end()}, true);
  const std::vector<Complex> twice = drift(p), twice_ahead = drift_adjoint(time);
  std::vector<double> source(n), adjoint_source(n);
  for (std::size_t k = 0; k < n; ++k) {
    source[k] = twice[k].real();
    adjoint_source[k] = twice_ahead[k].real();
  }
  const double cross = dot(p, time) + t_ref_ms_ * (std::conj(flux) * time[reset_] * std::conj(wait)).real();
  signal.per_mV2 = second_order(source, adjoint_source, cross);
  return signal;
}

WeakEffect LifWeakInput::jumps() const {
  const std::size_t n = up_.size();
  // Flux through face k: (A3/6) times the second derivative there, the mean of those of its two cells; at the threshold
  // that of the last cell. As a matrix: flux_k = sum_j c_kj p_j over j = k-1 ... k+2.
  const double scale = 1 / (6 * width_mV_ * width_mV_ * width_mV_);
  const auto second = [&](const std::vector<double>& p, std::size_t k) {
    return (k > 0 ? p[k - 1] : 0.0) - 2 * p[k] + (k + 1 < n ? p[k + 1] : 0.0);
  };
  std::vector<double> face(n), source(n);
  for (std::size_t k = 0; k < n; ++k) {
    face[k] = scale * (k + 1 < n ? 0.5 * (second(density_, k) + second(density_, k + 1)) : second(density_, k));
  }
  for (std::size_t k = 0; k < n; ++k) source[k] = (k > 0 ? face[k - 1] : 0.0) - face[k];
  std::vector<double> ahead(n, 0.0);
  const auto add = [&](std::size_t cell, double weight) {  // transpose of second()
    if (cell > 0) ahead[cell - 1] += weight;
    ahead[cell] -= 2 * weight;
    if (cell + 1 < n) ahead[cell + 1] += weight;
  };
  for (std::size_t k = 0; k < n; ++k) {
    const double gain = scale * ((k + 1 < n ? time_ms_[k + 1] : 0.0) - time_ms_[k]);
    if (k + 1 < n) {
      add(k, 0.5 * gain);
      add(k + 1, 0.5 * gain);
    } else {
      add(k, gain);
    }
  }
  return second_order(source, ahead, 0);
}

}  // namespace triscale::meanfield

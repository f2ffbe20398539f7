/// Recordings prepared for the fit of a GIF neuron: samples classified, and the traces that spikes leave. Internal to
/// bridges/gif/.
#pragma once

#include <Eigen/Dense>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "bridges/gif/gif_fit.hpp"

namespace triscale::bridges {

constexpr double kMsPerSecond = 1000.0;

/// A sweep with its spikes as step numbers and the samples classified.
struct Prepared {
  const GifSweep* sweep = nullptr;
  std::vector<std::size_t> spikes;  ///< step of each spike
  std::vector<char> refractory;     ///< V is held: steps from a spike to just before t_ref after it
  std::vector<char> near_spike;     ///< not to be used for the membrane
  bool left_out(std::size_t k) const { return !sweep->left_out.empty() && sweep->left_out[k] != 0; }
};

std::size_t steps_of(double time_ms, double dt_ms);

/// Throws InputError if the sweeps are inconsistent.
std::vector<Prepared> prepare_all(std::span<const GifSweep> sweeps, const GifFitOptions& options);

inline double conductance(const GifSweep& sweep, std::size_t k) {
  return sweep.G_uS.empty() ? 0.0 : sweep.G_uS[k];
}

inline double conductance_at_soma(const GifSweep& sweep, std::size_t k) {
  return sweep.G_soma_uS.empty() ? 0.0 : sweep.G_soma_uS[k];
}

inline double driving_current(const GifSweep& sweep, std::size_t k) {
  return sweep.GE_nA.empty() ? 0.0 : sweep.GE_nA[k];
}

/// Mean potential t_ref after a spike.
double reset_potential(const std::vector<Prepared>& data, double t_ref_ms);

std::vector<double> time_constants(const std::vector<network::ExponentialKernel>& kernels);

/// Sums of exp(-(t - t_j - t_ref)/tau) over past spikes, one value a time constant, advanced step by step: the value at
/// the beginning of a step (the threshold) or its mean over the step (the current).
class Traces {
 public:
  enum class Value { at_start, step_mean };
  Traces(const std::vector<double>& tau_ms, double dt_ms, double t_ref_ms, Value kind)
      : value_(Eigen::VectorXd::Zero(static_cast<Eigen::Index>(tau_ms.size()))),
        decay_(static_cast<Eigen::Index>(tau_ms.size())),
        jump_(Eigen::VectorXd::Ones(static_cast<Eigen::Index>(tau_ms.size()))),
        delay_(steps_of(t_ref_ms, dt_ms)) {
    for (std::size_t j = 0; j < tau_ms.size(); ++j) {
      const double x = dt_ms / tau_ms[j];
      decay_[static_cast<Eigen::Index>(j)] = std::exp(-x);
      if (kind == Value::step_mean) jump_[static_cast<Eigen::Index>(j)] = -std::expm1(-x) / x;
    }
  }
  void spike(std::size_t step) { due_.push_back(step + delay_); }
  /// Moves to `step`; to be called once a step, ascending.
  void advance(std::size_t step) {
    value_ = value_.cwiseProduct(decay_);
    while (next_ < due_.size() && due_[next_] == step) {
      value_ += jump_;
      ++next_;
    }
  }
  const Eigen::VectorXd& values() const { return value_; }

 private:
  Eigen::VectorXd value_, decay_, jump_;
  std::size_t delay_;
  std::vector<std::size_t> due_;
  std::size_t next_ = 0;
};

}  // namespace triscale::bridges

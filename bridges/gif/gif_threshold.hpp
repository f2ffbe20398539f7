/// The threshold of a GIF neuron and its maximum-likelihood fit. Internal to bridges/gif/; equations:
/// bridges/gif/gif_fit.hpp.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <vector>

#include "bridges/gif/gif_membrane.hpp"

namespace triscale::bridges {

/// What the threshold compares with V, step by step: F, and the movements theta for slopes of 1.
class Followers {
 public:
  Followers(const network::GifModel& model, double dt_ms);
  /// As if V had always been there.
  void start(double V);
  /// Over a step.
  void advance(double V_begin, double V_end);
  /// A spike resets F as it resets V.
  void reset(double V) { F_ = V; }
  double F() const { return F_; }
  const Eigen::VectorXd& unit_theta() const { return theta_; }
  double theta_mV() const { return slopes_.dot(theta_); }

 private:
  std::vector<double> above_mV_;
  std::vector<pointneuron::LowPass> low_pass_;
  pointneuron::LowPass filter_;
  double F_ = 0;
  Eigen::VectorXd theta_, slopes_;
};

/// Design of the threshold fit: rows [ F - V_0, 1, -(traces of gamma), -(theta for slopes of 1) ] of every sample that
/// may hold a spike.
struct ThresholdData {
  Eigen::MatrixXd X;  ///< one column a sample
  std::vector<char> spike;
  std::vector<std::uint32_t> block;  ///< of time, for the bootstrap
  std::size_t blocks = 0;
  double V_0 = 0;
  double dt_ms = 0;
  double samples_total = 0, spikes = 0;
};
/// The forms of gamma, theta and F come from `model`.
ThresholdData threshold_data(const Membrane& m, const network::GifModel& model, const std::vector<Prepared>& data,
                             const GifFitOptions& options);

struct Likelihood {
  double value = 0;
  Eigen::VectorXd gradient;
  Eigen::MatrixXd negative_hessian;
  Eigen::MatrixXd gradient_of_block;  ///< columns
};
/// sum over spike steps of ln(1 - e^-mu) minus sum over other steps of mu, with mu = lambda_0 dt exp(X^T beta); a
/// sample counts with the weight of its block if there are weights.
Likelihood likelihood(const ThresholdData& data, const Eigen::VectorXd& beta, double lambda_0_Hz, bool derivatives,
                      const Eigen::VectorXd& weights = {});

/// Newton with backtracking, at most `max_iterations`, which are added to `iterations`.
Eigen::VectorXd maximise(const ThresholdData& data, Eigen::VectorXd beta, double lambda_0_Hz, int max_iterations,
                         int& iterations, const Eigen::VectorXd& weights = {});
/// From nothing: a static threshold first, then the moving one.
Eigen::VectorXd fit_threshold(const ThresholdData& data, double lambda_0_Hz, int& iterations);

/// Parameters of the threshold: 1/Delta_V, (V_0 - V_T*)/Delta_V, gamma/Delta_V, slopes of theta/Delta_V.
Eigen::VectorXd beta_of(const network::GifModel& model, double V_0);
void put_threshold(const Eigen::VectorXd& beta, double V_0, network::GifModel& model);

double bits_per_spike(const ThresholdData& data, double log_likelihood);

}  // namespace triscale::bridges

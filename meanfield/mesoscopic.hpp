/// Mesoscopic populations of generalised integrate-and-fire cells (Schwalger, Deger & Gerstner 2017, PLoS Comput. Biol.
/// 13:e1005507): the activity of N cells with their finite-size noise and refractoriness, at a cost that does not grow
/// with N. A cell with potential u,
///
///   tau_m du/dt = -u + mu + tau_m sum_j K_ij J_ij y_j(t),      tau_s,j dy_j/dt = -y_j + A_j(t - d_j),
///
/// fires with intensity lambda = c exp((u - u_th) / Delta_u) and restarts from u_r after t_ref. S(t | t') is the share
/// of the cells that fired last at t' and have not fired since. The expected activity is
///
///   A_bar = int lambda S A dt' + Lambda (1 - int S A dt'),     Lambda = int lambda v / int v,
///   dS/dt = -lambda S,     dv/dt = -2 lambda v + lambda S A,
///
/// where the second term corrects for the cells that the finite-size history has miscounted, and the number of spikes
/// in a step is binomial, n ~ B(N, A_bar dt). Ages up to `memory` are kept as classes; older cells, whose potential has
/// forgotten its spike, form one free class. Random connections with probability p act like full coupling with weights
/// p J.
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace triscale::meanfield {

struct MesoPopulation {
  std::string name;
  std::uint64_t cells = 100;
  double tau_m_ms = 20;
  double t_ref_ms = 4;
  double u_threshold_mV = 15;  ///< relative to rest
  double u_reset_mV = 0;
  double Delta_u_mV = 2.5;
  double c_Hz = 10;       ///< intensity at threshold
  double mu_mV = 24;      ///< constant input
  double tau_syn_ms = 3;  ///< of the currents that its spikes cause
  double delay_ms = 1;    ///< of its spikes
};

struct MesoNetwork {
  std::vector<MesoPopulation> populations;
  Eigen::MatrixXd in_degree;  ///< K; row = target
  Eigen::MatrixXd psp_mV;     ///< J
};

struct MesoOptions {
  double dt_ms = 0.2;
  bool finite_size_noise = true;  ///< false: the limit of infinitely many cells
  std::uint64_t seed = 1;
};

/// Called after every step with the time at its end and the activity of every population in it, Hz.
using MesoObserver = std::function<void(double t_ms, const std::vector<double>& activity_hz)>;

/// From a start in which all cells are at rest and have not fired. Same seed, same bits. Throws core::InputError for a
/// network that does not fit.
void simulate_mesoscopic(const MesoNetwork& network, double duration_ms, const MesoOptions& options,
                         const MesoObserver& observe);

/// Stationary rate of the infinite population at a constant input: 1 / (t_ref + int S da).
double stationary_rate_hz(const MesoPopulation& population, double input_mV);

}  // namespace triscale::meanfield

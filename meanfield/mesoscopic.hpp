/// Mesoscopic populations of generalised integrate-and-fire cells (Schwalger, Deger & Gerstner 2017, PLoS Comput. Biol.
/// 13:e1005507): the activity of N cells with their finite-size noise and refractoriness, at a cost that does not grow
/// with N. A cell with potential u,
///
///   tau_m du/dt = -u + mu(t) + tau_m sum_c K_c J_c y_c(t) - H(t),    tau_c dy_c/dt = -y_c + A_source(c)(t - d_c),
///
/// fires with intensity lambda = c exp((u - u_th - G(t)) / Delta_u) and restarts from u_r after t_ref; u is held during
/// t_ref. H and G are sums over its past spikes of spike-triggered currents eta (times the resistance) and threshold
/// movements gamma, exponentials that start at the end of t_ref. S(t | t') is the share of the cells that fired last at
/// t' and have not fired since. The expected activity is
///
///   A_bar = int lambda S A dt' + Lambda (1 - int S A dt'),     Lambda = int lambda v / int v,
///   dS/dt = -lambda S,     dv/dt = -2 lambda v + lambda S A,
///
/// where the second term corrects for the cells that the finite-size history has miscounted, and the number of spikes
/// in a step is binomial, n ~ B(N, A_bar dt).
///
/// Adaptation: a cell's own last spike counts exactly. Of the spikes before it, the cells that fired last at t' feel
/// their mean over these cells, one number b_k(t') per kernel exp(-age / tau_k), which decays with tau_k and is handed
/// on: cells that fire at t bring along what they felt then,
///   b_k(t) = <own kernel k + b_k>, over the cells that fire at t.
/// The spread of b_k over such cells is left out (0.1 to 0.3 % of the rate at CVs of 0.3 to 0.6). Quasi-renewal theory
/// (Naud & Gerstner 2012, PLoS Comput. Biol. 8:e1002711) takes the spikes before t' from the population's activity;
/// that counts spikes of the refractory stretch before t' that the cell cannot have fired, and costs 3 to 6 % of the
/// rate.
///
/// Ages are kept as classes until the potential has forgotten its spike (5 tau_m) and the kernels have fallen to a
/// tenth of Delta_u, at most kLongestMemory_ms; older cells form one free class. Random connections with probability p
/// act like full coupling with weights p J.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace triscale::meanfield {

/// Part of a cell's response to its own spike: amplitude exp(-age / tau), age counted from the end of t_ref.
struct MesoKernel {
  double amplitude_mV = 0;
  double tau_ms = 100;
};
inline constexpr double kLongestMemory_ms = 2000;

struct MesoPopulation {
  std::string name;
  std::uint64_t cells = 100;
  double tau_m_ms = 20;
  double t_ref_ms = 4;
  double u_threshold_mV = 15;  ///< relative to rest
  double u_reset_mV = 0;
  double Delta_u_mV = 2.5;
  double c_Hz = 10;                  ///< intensity at threshold
  double mu_mV = 24;                 ///< constant input
  std::vector<MesoKernel> eta_mV;    ///< opposing currents, times the resistance
  std::vector<MesoKernel> gamma_mV;  ///< rises of the threshold
};

/// Synapses from one population to another.
struct MesoConnection {
  std::size_t target = 0, source = 0;
  double in_degree = 0;   ///< K
  double psp_mV = 0;      ///< J: jump of the potential per spike, in total
  double tau_syn_ms = 3;  ///< 0: at once
  double delay_ms = 1;    ///< at least one step
};

struct MesoNetwork {
  std::vector<MesoPopulation> populations;
  std::vector<MesoConnection> connections;
};

struct MesoOptions {
  double dt_ms = 0.2;
  bool finite_size_noise = true;  ///< false: the limit of infinitely many cells
  std::uint64_t seed = 1;
};

/// Called after every step with the time at its end and the activity of every population in it, Hz.
using MesoObserver = std::function<void(double t_ms, const std::vector<double>& activity_hz)>;
/// Adds the input of the step that begins at t_ms to mu, mV.
using MesoInput = std::function<void(double t_ms, std::vector<double>& mu_mV)>;

/// From a start in which all cells are at rest and have not fired. Same seed, same bits. Throws core::InputError for a
/// network that does not fit.
void simulate_mesoscopic(const MesoNetwork& network, double duration_ms, const MesoOptions& options,
                         const MesoObserver& observe, const MesoInput& input = {});

/// Stationary rate of the infinite population at a constant input: 1 / (t_ref + int S da), of cells without adaptation.
double stationary_rate_hz(const MesoPopulation& population, double input_mV);

}  // namespace triscale::meanfield

/// Fits a generalised integrate-and-fire neuron (network::GifModel) to the recorded response of one cell.
///
///   C dV/dt = -g_L (V - E_L) + I - G V - sum_j eta(t - t_j) - sum_j h(t - t_j) (V - V_reset) - sum_k w_k,
///   V held at V_reset for t_ref after a spike,
///   lambda(t) = lambda_0 exp((F - V_T* - sum_j gamma(t - t_j) - sum_k theta_k) / Delta_V),
/// eta, h and gamma: sums of exponentials with given time constants that start at t_j + t_ref. The conductances h, the
/// currents w_k, the movements theta_k of the threshold and the low-pass F of V (pointneuron/gif.hpp) are there only if
/// asked for, at given potentials and with given time constants; then their amplitudes enter V and ln lambda as those
/// of eta and gamma do, and are found by the same two steps; h is not negative. I is the injected current; G = sum g
/// and GE = sum g E of synapses add GE - G V to the membrane's current, or GE - G D to the dendrite's if the passive
/// membrane has one (pointneuron/dendrite.hpp). What a spike does to the dendrite, g_spike and g_spike E_spike, enters
/// D linearly and is fitted with eta.
///
/// Three steps (Mensi et al. 2012, J Neurophysiol 107:1756; Pozzorini et al. 2015, PLoS Comput Biol 11:e1004275):
///   1. V_reset: the spike-triggered average of V at t_ref.
///   2. Membrane and eta: linear regression of dV/dt, away from spikes, then Gauss-Newton on the error of V
///      itself with the spikes forced to be those of the data. The second part is ours: the data have no measurement
///      noise, but the cell has dendrites, and what matters is the predicted V, not its fast derivative. The slopes of
///      the currents w_k have a Gaussian prior of mean 0 and of standard deviation 5 g_L, worth one sample of 1 mV
///      error every 20 ms, so that what the data do not determine stays 0.
///   3. Threshold: maximum likelihood, a concave problem, by Newton. Spikes are found once a step of dt, so the
///      likelihood of a step is 1 - exp(-lambda dt) with a spike and exp(-lambda dt) without. For small lambda dt this
///      is the published log L = sum_spikes ln(lambda dt) - sum lambda dt; it stays right for a nearly deterministic
///      cell.
///   4. V_T* may be moved until the free-running model fires as often as the data (match_rate): a model whose V has an
///      error fires at other moments than the data, and then its hazard is not the one that was fitted.
///
/// Uncertainty: the Bayesian bootstrap (Rubin 1981, Ann Stat 9:130). Stretches of block_ms get exponentially
/// distributed weights, and the fit is repeated from its optimum (one Gauss-Newton step for the membrane, Newton for
/// the threshold). Curvature alone would be far too sure: the error of V is correlated over tens of ms.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "network/cell_models.hpp"

namespace triscale::bridges {

/// One recording: V at k dt, the current and conductance that act between k dt and (k+1) dt, and the spikes.
struct GifSweep {
  double dt_ms = 0.1;
  std::vector<double> V_mV;
  std::vector<double> I_nA;       ///< into the soma
  std::vector<double> G_uS;       ///< of synapses; empty: none
  std::vector<double> G_soma_uS;  ///< of those at the soma of a neuron with a dendrite, whose g E is in I; empty: none
  std::vector<double> GE_nA;      ///< sum g E, likewise
  std::vector<double> spikes_ms;  ///< ascending
  std::vector<char> left_out;     ///< 1: sample not to be used for fit or comparison; empty: all are used
};

/// Marks depolarisation block as left out: V stays above the potential at which spikes start for longer than 10 ms
/// without a spike. An integrate-and-fire neuron fires there all the more, so such stretches say nothing about its
/// parameters. Returns the share of time left out.
double leave_out_depolarisation_block(std::span<GifSweep> sweeps);

struct PassiveMembrane {
  double C_m_nF = 0, g_L_uS = 0, E_L_mV = 0;
  std::optional<network::GifModel::Dendrite> dendrite{};  ///< what a spike does to it is not used
};

struct GifFitOptions {
  double t_ref_ms = 4;
  double before_spike_ms = 5;  ///< samples this long before a spike are not used for the membrane: the spike's upstroke
  double skip_ms = 0;          ///< samples at the beginning of every sweep that are not used
  std::vector<double> eta_tau_ms{5, 25, 150};
  std::vector<double> eta_conductance_tau_ms{};  ///< of h; none: no such conductance
  std::vector<double> gamma_tau_ms{10, 50, 250};
  std::vector<network::GifModel::RectifiedCurrent> currents;             ///< their g_uS is not used
  std::vector<network::GifModel::RectifiedThreshold> threshold_follows;  ///< their slope is not used
  double V_filter_ms = 0;
  std::optional<PassiveMembrane> passive;  ///< given: only eta and currents are fitted in step 2
  /// Given: where the search for eta and currents begins, as far as they are those of this model.
  std::optional<network::GifModel> start;
  /// Given: V_reset, membrane, eta and currents are those of this model, and only the threshold is fitted.
  std::optional<network::GifModel> membrane;
  double block_ms = 700;       ///< of the bootstrap: long against all correlations
  std::size_t draws = 0;       ///< of the bootstrap
  std::uint64_t seed = 1;      ///< of the bootstrap
  bool refine_voltage = true;  ///< Gauss-Newton on V after the regression of dV/dt
};

/// How well a model describes a set of sweeps with the spikes forced to be those of the data.
struct GifFitQuality {
  double variance_explained_V = 0;  ///< 1 - mean square error / variance of V, away from spikes
  double voltage_rms_error_mV = 0;  ///< every half ms
  double bits_per_spike = 0;        ///< log likelihood above that of a Poisson process of the same rate
  std::size_t spikes = 0;
  double duration_s = 0;
};

struct GifFit {
  network::GifModel model;
  GifFitQuality training;
  double variance_explained_dV = 0;  ///< of the regression, training data
  int newton_iterations = 0;
};

/// Throws InputError if the sweeps are inconsistent or hold fewer than 5 spikes, NumericalError if a step has no
/// solution.
GifFit fit_gif(std::span<const GifSweep> training, const GifFitOptions& options);

/// Parameter sets that describe the data as well as `model`, which was fitted to them with these options: up to
/// options.draws of the bootstrap.
std::vector<network::GifModel> bootstrap_gif(const network::GifModel& model, std::span<const GifSweep> training,
                                             const GifFitOptions& options);

/// Standard deviation of every parameter over the draws, by its name with unit; empty for fewer than two.
std::map<std::string, double> spread_of(std::span<const network::GifModel> draws);

/// Quality on any sweeps, e.g. unseen ones.
GifFitQuality evaluate_gif(const network::GifModel& model, std::span<const GifSweep> sweeps,
                           const GifFitOptions& options);

/// Spike times of the free-running model driven by a sweep's current and conductance from V_start; escape noise is
/// drawn from (seed, repetition). Deterministic threshold if Delta_V is 0.
std::vector<double> simulate_gif(const network::GifModel& model, const GifSweep& drive, double V_start_mV,
                                 std::uint64_t seed, std::uint64_t repetition);

/// Moves V_threshold_mV so that the free-running model fires as often as the data, by up to 5 mV; returns the movement.
double match_rate(network::GifModel& model, std::span<const GifSweep> sweeps, double skip_ms, std::uint64_t seed);

/// Free-running comparison with unseen data.
struct GifPrediction {
  double coincidence =
      0;  ///< Md*: 2 <d,m> / (<d,d> + <m,m>), coincidence window +-window (Naud et al. 2011); 1 is perfect
  double rate_data_hz = 0;
  double rate_model_hz = 0;
  double cv_data = 0;           ///< of interspike intervals: mean over the sweeps with more than 10 spikes in the data
  double cv_model = 0;          ///< over the same sweeps
  double self_coincidence = 0;  ///< Md* that the model reaches against data of its own: its escape noise is the limit
};
GifPrediction predict_gif(const network::GifModel& model, std::span<const GifSweep> test, double skip_ms,
                          std::size_t repetitions, std::uint64_t seed, double window_ms = 4);

}  // namespace triscale::bridges

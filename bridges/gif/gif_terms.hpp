/// Chooses which optional terms a GIF neuron gets beyond the published model (network::GifModel), and fits it.
///
/// The terms, in the order in which they are tried, each on top of what has been kept:
///   1. a current-voltage curve in linear pieces above rest, its bends at quantiles of the recorded V up to 0.9 or
///   0.97;
///   2. slow currents that V activates (30 to 700 ms: slow potassium and calcium-dependent channels);
///   3. a spike-triggered conductance (10 ms: potassium channels that end a spike);
///   4. a low-pass of V in front of the escape rate, of 0.5 or 1 ms: a spike takes time to start;
///   5. a threshold that follows V (5 to 50 ms: inactivation of sodium channels, Platkiewicz & Brette 2010).
/// Models are fitted to each half of the sweeps and compared on the other. A term stays if the free-running model then
/// coincides better with spikes that it was not fitted to (Md* by 0.01), or if it coincides as well and the error of V
/// is less by 0.02 mV (1 to 3) or the likelihood more by 0.02 bits per spike (4 and 5). The likelihood alone is ruled
/// by the few spikes that a model all but excludes. What has been chosen is then fitted to all sweeps.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "bridges/gif/gif_fit.hpp"

namespace triscale::bridges {

/// Gain of Md* on held-out sweeps that makes a model the better one.
inline constexpr double kWorthCoincidence = 0.01;

struct GifTermsFit {
  GifFit fit;
  GifFitOptions options;                ///< those of the fit
  std::vector<std::string> notes;       ///< what was tried, and what it was worth on held-out sweeps
  std::optional<double> held_out_Md{};  ///< of what was chosen, fitted to halves; none if nothing was tried
};

/// Md* of the model of these options, fitted to halves, on the other halves; none if there are too few spikes.
std::optional<double> held_out_Md(std::span<const GifSweep> training, const GifFitOptions& options);

/// `options`: of the published model, with a given passive membrane. With fewer than two sweeps, or too few spikes for
/// halves, nothing is tried.
GifTermsFit fit_gif_with_terms(std::span<const GifSweep> training, const GifFitOptions& options);

}  // namespace triscale::bridges

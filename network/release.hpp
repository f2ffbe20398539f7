/// What a presynaptic spike releases: short-term plasticity and stochastic transmission as a factor of the weight of
/// each event, the same rule for every tier that delivers events.
///
/// Each synapse has a share R of vesicles that are ready and a release probability p. Between its events
///   dR/dt = (1 - R)/tau_r,   dp/dt = (p_b - p)/tau_facilitation;
/// an event releases p R and then
///   R <- R - p R,   p <- p + a_f (1 - p).
/// At the start R = 1 and p = p_start. With p_b = U, tau_r = tau_recovery and a_f = U that is the model of Tsodyks,
/// Pawelzik & Markram (1998, Neural Computation 10:821), whose utilisation at an event is p. Without tau_facilitation p
/// is p_b and events leave it alone; without tau_recovery R is 1 at every event.
///
/// Slower processes (Hennig 2013, Front Comput Neurosci 7:45), each off at its default of 0:
///   recovery_speedup a_r   use makes recovery faster:     dtau_r/dt = (tau_recovery - tau_r)/tau_speedup,
///                                                         tau_r <- (1 - a_r) tau_r at an event;
///   baseline_drop a_b      use lowers what p returns to:  dp_b/dt = (U - p_b)/tau_baseline,  p_b <- (1 - a_b) p_b;
///   desensitisation a_D    receptors that have had transmitter do not open: an event releases p R D,
///                          dD/dt = (1 - D)/tau_desensitisation,   D <- (1 - a_D p R) D,
///                                                         with R and p as the event leaves them (as BMTK has it).
/// All of it is solved exactly between events; for the moving tau_r, over a time D from tau_r = tau_0 on,
///   int dt/tau_r = D/tau_recovery + tau_speedup/tau_recovery ln(tau_r/tau_0).
///
/// Stochastic with N sites (Fuhrmann et al. 2002, J Neurophysiol 87:140; the rule of the Blue Brain Project's
/// synapses), all full at the start:
///   each empty site is refilled with probability 1 - exp(-int dt/tau_r);
///   each full site releases with probability p and is empty then;  release = released sites / N.
/// Its mean is the deterministic rule (sites = 0). Draws are a function of (seed, synapse, number of the event) alone.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/random.hpp"
#include "network/synapse_models.hpp"

namespace triscale::network {

/// State of one synapse behind its last event.
struct ReleaseState {
  explicit ReleaseState(const Release& release)
      : p(release.p_start.value_or(release.U)), baseline(release.U), tau_recovery_ms(release.tau_recovery_ms) {}

  double p;
  double baseline;  ///< p_b
  double tau_recovery_ms;
  double sensitive = 1;  ///< D
  double ready = 1;      ///< deterministic: R; stochastic: full sites / N
  double t_ms = 0;       ///< of the last event
  std::uint64_t events = 0;
};

/// Label of a synapse for its random numbers: edge number `edge` of the sorted list of a projection.
inline std::uint64_t release_entity(std::size_t projection, std::size_t edge) {
  return (std::uint64_t{projection} << 40) | std::uint64_t{edge};
}

/// What p is `elapsed_ms` after p_0 while its baseline returns to U:
///   p = U + (p_0 - U) e^(-t/tau_f) + (p_b - U) (e^(-t/tau_b) - e^(-t/tau_f)) tau_b/(tau_b - tau_f),
/// the last term written so that equal time constants are no special case.
inline double probability_after(const Release& release, const ReleaseState& state, double elapsed_ms) {
  if (!(release.tau_facilitation_ms > 0)) {
    if (!(release.baseline_drop > 0)) return release.U;
    return release.U + (state.baseline - release.U) * std::exp(-elapsed_ms / release.tau_baseline_ms);
  }
  const double p = release.U + (state.p - release.U) * std::exp(-elapsed_ms / release.tau_facilitation_ms);
  if (!(release.baseline_drop > 0)) return p;
  const double fast = elapsed_ms / std::min(release.tau_facilitation_ms, release.tau_baseline_ms);
  const double slow = elapsed_ms / std::max(release.tau_facilitation_ms, release.tau_baseline_ms);
  const double spread = fast > slow ? -std::expm1(slow - fast) / (fast - slow) : 1.0;
  return p + (state.baseline - release.U) * elapsed_ms / release.tau_facilitation_ms * std::exp(-slow) * spread;
}

/// The probability that a site that was empty is still empty after `elapsed_ms`; moves tau_r over that time.
inline double recover(const Release& release, ReleaseState& state, double elapsed_ms) {
  const double tau_ms = release.tau_recovery_ms;
  if (!(tau_ms > 0)) return 0.0;
  const double steady = std::exp(-elapsed_ms / tau_ms);
  if (!(release.recovery_speedup > 0)) return steady;
  const double before_ms = state.tau_recovery_ms;
  state.tau_recovery_ms = tau_ms + (before_ms - tau_ms) * std::exp(-elapsed_ms / release.tau_speedup_ms);
  return steady * std::pow(before_ms / state.tau_recovery_ms, release.tau_speedup_ms / tau_ms);
}

/// Release probability at an event, and the probability that an empty site is still empty. They depend on the times of
/// the source's spikes alone: synapses of one source with the same rule share them. Moves their part of the state over
/// the event.
struct Utilisation {
  double p, still_empty;
};
inline Utilisation utilise(const Release& release, ReleaseState& state, double t_ms) {
  const double elapsed_ms = t_ms - state.t_ms;
  state.t_ms = t_ms;
  const Utilisation now{probability_after(release, state, elapsed_ms), recover(release, state, elapsed_ms)};
  const double a_f = release.tau_facilitation_ms > 0 ? release.facilitation.value_or(release.U) : 0.0;
  state.p = now.p + a_f * (1.0 - now.p);
  state.tau_recovery_ms *= 1.0 - release.recovery_speedup;
  if (release.baseline_drop > 0) {
    const double recovered = std::exp(-elapsed_ms / release.tau_baseline_ms);
    state.baseline = (1.0 - release.baseline_drop) * (release.U + (state.baseline - release.U) * recovered);
  }
  return now;
}

/// The part of its weight that an event at t_ms transmits; moves the state. Events of a synapse come in order of time.
inline double transmit(const Release& release, ReleaseState& state, double t_ms, std::uint64_t seed,
                       std::uint64_t entity) {
  const double elapsed_ms = t_ms - state.t_ms;
  const auto [p, still_empty] = utilise(release, state, t_ms);
  if (release.sites == 0) {
    state.ready = 1.0 - (1.0 - state.ready) * still_empty;
    const double released = p * state.ready;
    state.ready -= released;
    if (!(release.desensitisation > 0)) return released;
    const double sensitive = 1.0 - (1.0 - state.sensitive) * std::exp(-elapsed_ms / release.tau_desensitisation_ms);
    state.sensitive = sensitive * (1.0 - release.desensitisation * state.p * state.ready);
    return released * sensitive;
  }
  const core::RandomStream random(seed, core::Purpose::release, entity);
  const std::uint64_t N = release.sites, first = 2 * N * state.events++;
  const auto full_before = static_cast<std::uint64_t>(std::llround(state.ready * static_cast<double>(N)));
  std::uint64_t full = full_before, released = 0;
  for (std::uint64_t k = full_before; k < N; ++k) {
    if (still_empty == 0.0 || random.uniform(first + k) > still_empty) ++full;
  }
  for (std::uint64_t k = 0; k < full; ++k) {
    if (random.uniform(first + N + k) < p) ++released;
  }
  state.ready = static_cast<double>(full - released) / static_cast<double>(N);
  return static_cast<double>(released) / static_cast<double>(N);
}

/// Mean share of its weight that a synapse transmits at a constant rate: each equation at rest under events that are
/// spread evenly over time, exact where memory is long beside the intervals between events.
inline double mean_release(const Release& release, double rate_hz) {
  const double rate_per_ms = rate_hz / 1000;
  const double f = release.facilitation.value_or(release.U) * release.tau_facilitation_ms * rate_per_ms;
  const double baseline = release.U / (1 + release.baseline_drop * release.tau_baseline_ms * rate_per_ms);
  const double p = (baseline + f) / (1 + f);
  const double tau_r_ms =
      release.tau_recovery_ms / (1 + release.recovery_speedup * release.tau_speedup_ms * rate_per_ms);
  const double ready = 1 / (1 + p * tau_r_ms * rate_per_ms);
  const double raised = release.tau_facilitation_ms > 0 ? release.facilitation.value_or(release.U) * (1 - p) : 0;
  const double reached = release.desensitisation * (p + raised) * ready * (1 - p);
  return p * ready / (1 + reached * release.tau_desensitisation_ms * rate_per_ms);
}

}  // namespace triscale::network

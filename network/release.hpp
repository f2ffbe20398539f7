/// What a presynaptic spike releases: short-term plasticity and stochastic transmission as a factor of the weight of
/// each event, the same rule for every tier that delivers events.
///
/// Each synapse has the state u (utilisation), the share of its vesicles that are ready, and the time of its last
/// event. On an event, the time D after the last one,
///   u <- u exp(-D/tau_facilitation);  u <- u + U (1 - u)      (without facilitation: u = U)
/// and then, deterministic (sites = 0; Tsodyks, Pawelzik & Markram 1998, Neural Computation 10:821; the mean of the
/// other),
///   R <- 1 - (1 - R) exp(-D/tau_recovery);  release u R;  R <- R - u R,
/// or stochastic with N sites (Fuhrmann et al. 2002, J Neurophysiol 87:140; the rule of the Blue Brain Project's
/// synapses)
///   each empty site is refilled with probability 1 - exp(-D/tau_recovery);
///   each full site releases with probability u and is empty then;  release = released sites / N.
/// All sites are full and u = 0 at the start. Without tau_recovery sites refill at once.
///
/// Draws are a function of (seed, synapse, number of the event) alone.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/random.hpp"
#include "network/synapse_models.hpp"

namespace triscale::network {

/// State of one synapse.
struct ReleaseState {
  double u = 0;
  double ready = 1;  ///< deterministic: R; stochastic: full sites / N
  double t_ms = 0;   ///< of the last event
  std::uint64_t events = 0;
};

/// Label of a synapse for its random numbers: edge number `edge` of the sorted list of a projection.
inline std::uint64_t release_entity(std::size_t projection, std::size_t edge) {
  return (std::uint64_t{projection} << 40) | std::uint64_t{edge};
}

/// Utilisation at an event, and the probability that an empty site is still empty. They depend on the times of the
/// source's spikes alone: synapses of one source with the same rule share them.
struct Utilisation {
  double u, still_empty;
};
inline Utilisation utilise(const Release& release, ReleaseState& state, double t_ms) {
  const double elapsed_ms = t_ms - state.t_ms;
  state.t_ms = t_ms;
  state.u = release.tau_facilitation_ms > 0 ? state.u * std::exp(-elapsed_ms / release.tau_facilitation_ms) : 0.0;
  state.u += release.U * (1.0 - state.u);
  return {state.u, release.tau_recovery_ms > 0 ? std::exp(-elapsed_ms / release.tau_recovery_ms) : 0.0};
}

/// The part of its weight that an event at t_ms transmits; moves the state. Events of a synapse come in order of time.
inline double transmit(const Release& release, ReleaseState& state, double t_ms, std::uint64_t seed,
                       std::uint64_t entity) {
  const double still_empty = utilise(release, state, t_ms).still_empty;
  if (release.sites == 0) {
    state.ready = 1.0 - (1.0 - state.ready) * still_empty;
    const double released = state.u * state.ready;
    state.ready -= released;
    return released;
  }
  const core::RandomStream random(seed, core::Purpose::release, entity);
  const std::uint64_t N = release.sites, first = 2 * N * state.events++;
  const auto full_before = static_cast<std::uint64_t>(std::llround(state.ready * static_cast<double>(N)));
  std::uint64_t full = full_before, released = 0;
  for (std::uint64_t k = full_before; k < N; ++k) {
    if (still_empty == 0.0 || random.uniform(first + k) > still_empty) ++full;
  }
  for (std::uint64_t k = 0; k < full; ++k) {
    if (random.uniform(first + N + k) < state.u) ++released;
  }
  state.ready = static_cast<double>(full - released) / static_cast<double>(N);
  return static_cast<double>(released) / static_cast<double>(N);
}

}  // namespace triscale::network

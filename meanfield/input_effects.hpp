/// What Siegert's theory leaves out of the input of leaky cells, computed one effect at a time around a stationary
/// state (by meanfield/lif_weak_input.hpp, averaged over cells with unequal in-degrees):
///
///   jumps          inputs are jumps of finite size, not a continuous current:     A3_i = sum_j K_ij <J_ij^3> nu_j
///   colour         sources fire more regularly than Poisson: excess spectrum      tau_m^2 sum_j K_ij <J_ij^2> (S_j -
///   nu_j) fluctuations   the rates of whole populations fluctuate, and all cells see    tau_m^2 sum_jk B_ij (C_jk -
///   d_jk S_j / N_j) B_ik^*
///                  the same: with B_ij = K_ij <J_ij> d_ij, C the cross-spectrum
///
/// all through the synaptic filter |1 / (1 + i omega tau_s)|^2. Each is the relative change of the rate at fixed rates
/// of the sources. A network with strong inhibition undoes most of it, but in unequal parts: in the cortical
/// microcircuit, changes of -40 % to +15 % here move the rates by a few per cent. Close to an oscillation C grows
/// without bound, and so does what is said about it.
///
/// The same expansion gives the CV. As an experimenter would measure it, it is the average over those cells that fire
/// often enough.
#pragma once

#include <optional>
#include <vector>

#include "meanfield/lif_network.hpp"
#include "meanfield/rate_distribution.hpp"

namespace triscale::meanfield {

struct InputEffects {
  double jumps = 0, colour = 0;
  std::optional<double> fluctuations;  ///< absent without a linear response, or where the expansion fails
  double cv = 0;                       ///< average over cells, with jumps and colour
};

struct InputEffectOptions {
  double observed_ms = 10'000;  ///< cells enter the CV with the probability that they ...
  double least_spikes = 6;      ///< ... fire this often in that time
};

/// At the distribution of rates of a state. `linear`: the linear response of that state if it is stable, else null.
/// Populations without noise get no effects.
std::vector<InputEffects> input_effects(const LifNetwork& network, const std::vector<RateDistribution>& rates,
                                        const Linearisation* linear, const InputEffectOptions& options = {});

}  // namespace triscale::meanfield

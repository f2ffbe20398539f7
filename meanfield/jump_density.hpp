/// Distribution of the membrane potential in every population of leaky cells at a stationary state, twice: with inputs
/// that are jumps of finite size (meanfield/population_density.hpp), and with white noise of the same mean and
/// variance, which is the diffusion approximation that the theory is built on. What differs is what the size of the
/// synapses does.
///
/// Inputs of one projection i <- j are jumps of size <J^2>/<J> at the rate K nu_j <J>^2/<J^2>, which have its mean and
/// variance; input from outside, jumps of size A3/A2 at the rate A2^3/A3^2 with A_n = sum rate J^n, and a constant rest
/// of the mean. Synapses act at once here, so that where they filter both rates are above that of the state, and jumps
/// matter less than said; all cells of a population are alike, and sources fire Poisson spikes.
#pragma once

#include <vector>

#include "meanfield/lif_network.hpp"
#include "meanfield/population_density.hpp"

namespace triscale::meanfield {

struct JumpDensity {
  std::vector<double> potential_mV;              ///< relative to rest
  std::vector<double> with_jumps, by_diffusion;  ///< per mV; their integral is the share that is not refractory
  double rate_hz = 0, diffusion_rate_hz = 0;     ///< fluxes over the threshold
  double largest_jump_mV = 0;                    ///< in absolute value
};

/// At the rates of a stationary state, one result a population; without noise only the rate.
std::vector<JumpDensity> jump_densities(const LifNetwork& network, const Eigen::VectorXd& rates_hz);

}  // namespace triscale::meanfield

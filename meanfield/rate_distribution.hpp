/// Rates differ between the cells of a population, because each receives its own number of synapses with its own
/// weights from cells with their own rates. To first order these differences are Gaussian and frozen in time (van
/// Vreeswijk & Sompolinsky 1998; Roxin, Brunel, Hansel, Mongillo & van Vreeswijk 2011, J. Neurosci. 31:16217): the mean
/// input of cell a of population i is mu_i + s_i z_a with standard normal z,
///
///   s_i^2 = tau_m,i^2 sum_j [ fano_ij K_ij <J_ij>^2 + K_ij (<J_ij^2> - <J_ij>^2) ] q_j,    q_j = <nu_j^2>,
///   nu_i  = <Phi_i(mu_i + s_i z, sigma_i)>_z,                       q_i  = <Phi_i(mu_i + s_i z, sigma_i)^2>_z
///
/// where fano is the variance of the in-degree over its mean (1 where connections are drawn independently, 0 where all
/// in-degrees are equal; then what remains is 1 of q_j - nu_j^2, from the different rates of the sources). Because Phi
/// is convex below threshold, the distribution of rates is skewed: many cells nearly silent, a few very active.
#pragma once

#include <vector>

#include "meanfield/lif_network.hpp"

namespace triscale::meanfield {

struct HeterogeneityOptions {
  double in_degree_fano = 1;
  bool rates_of_sources_differ = true;  ///< false: q_j = nu_j^2
};

struct RateDistribution {
  double mean_hz = 0;
  double sd_hz = 0;
  double spread_mV = 0;            ///< s: standard deviation of the mean input between cells
  double nearly_silent = 0;        ///< share of the cells below kNearlySilent_Hz
  double top_tenth = 0;            ///< share of all spikes that the most active tenth of the cells fires
  std::vector<double> deciles_hz;  ///< 10 % ... 90 %
};
inline constexpr double kNearlySilent_Hz = 0.1;

/// Self-consistent distributions of all populations, from the rates of the homogeneous network. Throws
/// core::NumericalError where the iteration does not converge.
std::vector<RateDistribution> rate_distributions(const LifNetwork& network, const Eigen::VectorXd& rates_hz,
                                                 const HeterogeneityOptions& options = {});

/// Distribution over classes of cells with given shares (which sum to 1) and rates.
RateDistribution distribution_over(std::vector<double> shares, std::vector<double> rates_hz);

}  // namespace triscale::meanfield

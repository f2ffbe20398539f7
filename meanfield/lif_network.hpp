/// Populations of leaky integrate-and-fire neurons with current synapses in the diffusion approximation (Amit & Brunel
/// 1997; Brunel 2000; Fourcaud & Brunel 2002): population i receives from the K_ij cells of population j, each firing
/// independent Poisson spikes at rate nu_j, and from outside,
///
///   mu_i      = tau_m,i [ sum_j K_ij <J_ij>   nu_j + external ] + mu_ext,i
///   sigma_i^2 = tau_m,i [ sum_j K_ij <J_ij^2> nu_j + external ]
///   nu_i      = Phi_i(mu_i, sigma_i)                                      (meanfield/lif.hpp)
///
/// <J^2> = <J>^2 (1 + cv^2) contains the variance of the weights. A synaptic current of amplitude w decaying with tau_s
/// has J = w tau_s / C. Linear response (Brunel & Hakim 1999; Lindner, Doiron & Longtin 2005; Bos, Diesmann & Helias
/// 2016): with the responses n of meanfield/lif_response.hpp,
///
///   W_ij(lambda) = tau_m,i K_ij d_ij(lambda) [ c_i n_mu,i <J_ij> + n_sigma2,i <J_ij^2> ] / (1 + lambda tau_s,i),
///
/// with c_i = sqrt(1 + lambda tau_s,i). White noise makes the potential cross the threshold by diffusion, and the
/// response falls as 1/sqrt(omega) in addition to the filter's decay. The potential of a cell with filtered noise is
/// smooth: beyond 1/tau_s a signal moves the flux through the threshold directly, and only the filter's decay remains
/// (Brunel, Chance, Fourcaud & Abbott 2001, Phys. Rev. Lett. 86:2186). c joins the two regimes. Cells simulated at
/// tau_s/tau_m = 0.05 respond to the mean 2 to 7 % more than that, at phases within 4 degrees, between 84 and 330 Hz;
/// to the variance 12 to 20 % less, 4 to 9 degrees later.
///
/// Here d is the transform of the distribution of delays: e^(-lambda d) if all are equal; for a normal distribution
/// cut off at 0, with z = (lambda s - d/s)/sqrt2, e^(-d^2/2s^2) w(i z) / (2 P(delay > 0)), w the Faddeeva function.
#pragma once

#include <string>
#include <vector>

#include "meanfield/lif.hpp"
#include "meanfield/lif_response.hpp"
#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

struct LifPopulation {
  std::string name;
  double cells = 1;  ///< for finite-size noise
  LifCell cell;
  double mu_external_mV = 0;             ///< input from outside: contribution to mu ...
  double sigma2_external_mV2 = 0;        ///< ... and to sigma^2
  double jump3_external_mV3_per_ms = 0;  ///< sum of rate J^3, for meanfield/input_effects.hpp
};

/// Square matrices: row = target, column = source.
struct LifNetwork {
  std::vector<LifPopulation> populations;
  Eigen::MatrixXd in_degree;
  Eigen::MatrixXd psp_mV;       ///< <J>
  Eigen::MatrixXd psp2_mV2;     ///< <J^2>
  Eigen::MatrixXd delay_ms;     ///< mean before cutting off
  Eigen::MatrixXd delay_sd_ms;  ///< 0: all delays equal; else normal, cut off at 0

  std::size_t size() const { return populations.size(); }
  /// Throws core::InputError if sizes do not fit or a value has no meaning.
  void check() const;
};

/// Adds Poisson input: `synapses` per cell of mean weight J and mean square weight J^2, each firing at rate_hz.
void add_poisson_input(LifPopulation& population, double synapses, double psp_mV, double psp2_mV2, double rate_hz);

/// The inputs of all populations at given rates.
std::vector<LifInput> inputs_at(const LifNetwork& network, const Eigen::VectorXd& rates_hz);

/// Transform of a distribution of delays at complex frequency lambda in 1/ms.
std::complex<double> delay_transform(double mean_ms, double sd_ms, std::complex<double> lambda_per_ms);

/// Which terms the linear response contains. All are needed for the right limits at low and high frequency; without
/// variance_modulation, refractory_factor and filtered_noise it is the reduced form of Schuecker et al. 2015 and of the
/// NNMT toolbox.
struct LifResponseTerms {
  bool variance_modulation = true;
  bool refractory_factor = true;
  bool renewal_noise = false;  ///< finite-size noise with the spectrum of independent intervals instead of Poisson
  bool filtered_noise = true;  ///< the factor c
};

/// The network as a theory. Its input is mu in mV.
class LifTheory : public RateTheory {
 public:
  explicit LifTheory(LifNetwork network, const LifResponseTerms& terms = {});

  std::size_t size() const override { return network_.size(); }
  std::string name(std::size_t population) const override { return network_.populations[population].name; }
  double highest_rate_hz(std::size_t population) const override;
  Eigen::VectorXd transfer_hz(const Eigen::VectorXd& rates_hz, Eigen::MatrixXd* slope) const override;
  std::unique_ptr<Linearisation> linearise(const Eigen::VectorXd& rates_hz) const override;

  const LifNetwork& network() const { return network_; }

 private:
  LifNetwork network_;
  LifResponseTerms terms_;
};

}  // namespace triscale::meanfield

/// The rate model of Wilson & Cowan (1972, Biophys. J. 12:1) with parameters derived at a stationary state nu* of any
/// theory:
///
///   tau_i dnu_i/dt = -nu_i + S_i( sum_j w_ij [nu_j(t - d_ij) - nu*_j] + h_i I_i(t) )
///   S_i(x) = r_i / (1 + (r_i/nu*_i - 1) exp(-x / [nu*_i (1 - nu*_i/r_i)])),    S_i(0) = nu*_i,  S_i'(0) = 1
///
/// w_ij = W_ij(0) = dF_i/dnu_j and h_i = H_i(0), the response to the theory's own input, so that slow and weak changes
/// are those of the theory; r_i is the highest rate that it allows. The dynamics is one pole and one delay:
///
///   W_ij(i omega) -> w_ij e^(-i omega d_ij) / (1 + i omega tau_i),    H_i(i omega) -> h_i / (1 + i omega tau_i),
///
/// tau_i and d_ij by least squares on H_i and all W_ij of a target, each relative to its slow limit, between 1 and 200
/// Hz. What that leaves is `misfit`, the root mean square of the differences over that of the theory's own responses:
/// adaptation, for instance, is no pole of this kind. Units: rates in Hz, times in ms.
#pragma once

#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

class WilsonCowan : public RateTheory {
 public:
  /// The theory is not needed afterwards. Throws core::InputError where a population of the state is silent or at its
  /// highest rate: no sigmoid goes through it.
  WilsonCowan(const RateTheory& theory, const Eigen::VectorXd& rates_hz);

  std::size_t size() const override { return names_.size(); }
  std::string name(std::size_t population) const override { return names_[population]; }
  double highest_rate_hz(std::size_t i) const override { return highest_hz[static_cast<Eigen::Index>(i)]; }
  Eigen::VectorXd transfer_hz(const Eigen::VectorXd& nu_hz, Eigen::MatrixXd* slope) const override;
  std::unique_ptr<Linearisation> linearise(const Eigen::VectorXd& nu_hz) const override;

  Eigen::VectorXd rates_hz, highest_hz, tau_ms, input_gain;  ///< nu*, r, tau, h in Hz per unit of the theory's input
  Eigen::MatrixXd coupling, delay_ms;                        ///< w and d; rows: targets
  Eigen::VectorXd misfit;                                    ///< of H_i and all W_ij of a target, relative

 private:
  struct Sigmoid {
    Eigen::VectorXd S_hz, slope;
  };
  Sigmoid sigmoid(const Eigen::VectorXd& nu_hz) const;

  std::vector<std::string> names_;
  Eigen::VectorXd noise_hz_;  ///< of the theory, slow
};

}  // namespace triscale::meanfield

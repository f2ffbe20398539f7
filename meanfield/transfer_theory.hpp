/// The rate equations with fitted transfer functions (meanfield/model.hpp) as a theory for the analyses, under input
/// averaged over an interval. Small changes of the rates go through synapses and membrane as the time course does
/// (meanfield/membrane_course.hpp). With the delay d_c, the conductance's filter s_c = 1/((1 + lambda tau_r)(1 + lambda
/// tau_d)), the dead time D_c of the source's trains, and of class k the share p_k, the time constant tau_k = C/G_k,
/// the adaptation A_k and the response S_k of the cells that are ready to fire (meanfield/ready_cells.hpp):
///
///   W_ij(lambda) = sum_{c from j} e^(-lambda d_c) sum_k p_k S_k/(1 + S_k A_k) { s_c [ F_G + R_k dmu_k/dnu_c ]
///                                            + (F_(sigma^2) + F_reg / (1 + lambda D_c)) / (1 + lambda theta_c) }
///   R_k = (F_mu + lambda F_mu') / (1 + lambda tau_k),      A_k = sum_a b_a tau_a / (1 + lambda tau_a) R_k / G_k
///
/// F_G: change of the rate with the conductance at fixed mean potential; F_mu': with the velocity of the mean; F_reg:
/// with the regularity of the trains; W(0) = dF/dnu. Slopes by central differences. The theory's input is a current in
/// nA.
///
/// Finite-size noise, of N cells: spikes that are Poisson but for the refractory time, each followed by the adaptation
/// that it causes in its own cell, which answers for the cell as it does for the population:
///   S(lambda) / N = 1/N sum_k p_k nu_k (1 - |f_k|^2) / |1 - f_k|^2 / |1 + S_k A_k|^2,
///   f_k = e^(-lambda t_ref) / (1 + lambda (1/nu_k - t_ref))                  intervals: t_ref + exponential
#pragma once

#include "meanfield/model.hpp"
#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

class TransferTheory : public RateTheory {
 public:
  /// `model` must outlive the theory.
  TransferTheory(const Model& model, double begin_ms, double end_ms);

  std::size_t size() const override { return model_.populations().size(); }
  std::string name(std::size_t population) const override;
  double highest_rate_hz(std::size_t population) const override;
  Eigen::VectorXd transfer_hz(const Eigen::VectorXd& rates_hz, Eigen::MatrixXd* slope) const override;
  std::unique_ptr<Linearisation> linearise(const Eigen::VectorXd& rates_hz) const override;

  /// Input of population i at given rates of the simulated populations.
  PopulationInput input_at(std::size_t i, const Eigen::VectorXd& rates_hz) const;
  const Model& model() const { return model_; }

 private:
  const Model& model_;
  std::vector<double> external_hz_;  // by population of the circuit
  std::vector<PopulationInput> currents_;
};

}  // namespace triscale::meanfield

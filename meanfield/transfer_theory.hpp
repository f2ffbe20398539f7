/// The rate equations with fitted transfer functions (meanfield/model.hpp) as a theory for the analyses, under input
/// averaged over an interval. Around a state with slopes dF_i/dnu_c for every channel c, its delay d_c, and adaptation
/// tau_k da_k/dt = -a_k + b_k tau_k nu:
///
///   W_ij(lambda) = [ sum_{c from j} dF_i/dnu_c e^(-lambda d_c) + delta_ij dF_i/da sum_k b_k tau_k / (1 + lambda tau_k)
///   ]
///                  / (1 + lambda T_i)
///
/// Slopes by central differences: F is smooth, and the populations are few. The theory's input is a current in nA; the
/// finite-size noise that of independent Poisson spikes.
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

  /// Input of population i at given rates of the simulated populations, adaptation at its stationary value.
  PopulationInput input_at(std::size_t i, const Eigen::VectorXd& rates_hz) const;
  const Model& model() const { return model_; }

 private:
  const Model& model_;
  std::vector<double> external_hz_;  // by population of the circuit
  std::vector<PopulationInput> currents_;
};

}  // namespace triscale::meanfield

#include "meanfield/stationary.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "meanfield/integrator.hpp"

namespace triscale::meanfield {

namespace {

/// G(nu) = F(nu) - nu over the simulated populations, adaptation at its stationary value.
class Residual {
 public:
  Residual(const Model& model, double begin_ms, double end_ms)
      : model_(model), rates_hz_(model.mean_external_hz(begin_ms, end_ms)), inputs_(model.populations().size()) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      model.set_currents(model.populations()[i], begin_ms, end_ms, inputs_[i]);
    }
  }

  Eigen::VectorXd operator()(const Eigen::VectorXd& nu_Hz) {
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      const PopulationModel& population = model_.populations()[i];
      rates_hz_[population.population] = nu_Hz[static_cast<Eigen::Index>(i)];
    }
    const std::vector<double> F_Hz = model_.transfer_hz(rates_hz_, inputs_);
    return Eigen::Map<const Eigen::VectorXd>(F_Hz.data(), nu_Hz.size()) - nu_Hz;
  }

  const std::vector<double>& rates_hz() const { return rates_hz_; }
  const std::vector<PopulationInput>& inputs() const { return inputs_; }

 private:
  const Model& model_;
  std::vector<double> rates_hz_;
  std::vector<PopulationInput> inputs_;
};

/// Central differences: the number of populations is small, and G is smooth away from the clamp of F.
Eigen::MatrixXd jacobian(Residual& residual, const Eigen::VectorXd& nu_Hz) {
  Eigen::MatrixXd J(nu_Hz.size(), nu_Hz.size());
  for (Eigen::Index k = 0; k < nu_Hz.size(); ++k) {
    const double h = 1e-5 * std::max(1.0, std::abs(nu_Hz[k]));
    Eigen::VectorXd up = nu_Hz, down = nu_Hz;
    up[k] += h;
    down[k] = std::max(0.0, down[k] - h);
    J.col(k) = (residual(up) - residual(down)) / (up[k] - down[k]);
  }
  return J;
}

/// One damped Newton step; false if no step length reduces the residual.
bool newton_step(Residual& residual, Eigen::VectorXd& nu_Hz, Eigen::VectorXd& G_Hz) {
  const Eigen::VectorXd step = jacobian(residual, nu_Hz).partialPivLu().solve(-G_Hz);
  if (!step.allFinite()) return false;
  for (double length = 1; length > 1e-4; length /= 2) {
    const Eigen::VectorXd trial = (nu_Hz + length * step).cwiseMax(0.0);
    const Eigen::VectorXd G_trial = residual(trial);
    if (!(G_trial.norm() < G_Hz.norm())) continue;
    nu_Hz = trial;
    G_Hz = G_trial;
    return true;
  }
  return false;
}

void relax(const Model& model, Residual& residual, Eigen::VectorXd& nu_Hz, double duration_ms) {
  const RightHandSide rhs = [&](const State& nu, State& derivative, double) {
    const Eigen::VectorXd G_Hz = residual(Eigen::Map<const Eigen::VectorXd>(nu.data(), nu_Hz.size()));
    for (std::size_t i = 0; i < nu.size(); ++i) {
      derivative[i] = G_Hz[static_cast<Eigen::Index>(i)] / model.populations()[i].time_constant_ms;
    }
  };
  State state(nu_Hz.data(), nu_Hz.data() + nu_Hz.size());
  integrate_controlled(rhs, state, 0, duration_ms, {1e-4, 1e-4, 0.1, 100'000});
  nu_Hz = Eigen::Map<const Eigen::VectorXd>(state.data(), nu_Hz.size()).cwiseMax(0.0);
}

}  // namespace

StationaryState stationary_state(const Model& model, double begin_ms, double end_ms, const StationaryOptions& options) {
  Residual residual(model, begin_ms, end_ms);
  Eigen::VectorXd nu_Hz = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(model.populations().size()));
  if (!options.start_hz.empty()) {
    for (std::size_t i = 0; i < model.populations().size(); ++i) {
      nu_Hz[static_cast<Eigen::Index>(i)] = options.start_hz.at(model.populations()[i].population);
    }
  }
  if (options.relaxation_ms > 0 && nu_Hz.size() > 0) relax(model, residual, nu_Hz, options.relaxation_ms);

  StationaryState result;
  Eigen::VectorXd G_Hz = residual(nu_Hz);
  while (nu_Hz.size() > 0 && G_Hz.lpNorm<Eigen::Infinity>() > options.tolerance_hz) {
    if (result.newton_steps >= options.max_newton_steps || !newton_step(residual, nu_Hz, G_Hz)) {
      throw core::NumericalError(
          fmt::format("mean-field tier: no stationary state found, |F - nu| = {} Hz after {} steps",
                      G_Hz.lpNorm<Eigen::Infinity>(), result.newton_steps));
    }
    ++result.newton_steps;
  }
  G_Hz = residual(nu_Hz);
  result.residual_hz = nu_Hz.size() > 0 ? G_Hz.lpNorm<Eigen::Infinity>() : 0;
  result.rates_hz = residual.rates_hz();
  for (std::size_t i = 0; i < model.populations().size(); ++i) {
    const PopulationModel& population = model.populations()[i];
    const double share = share_outside_hull(population, statistics_of(population, residual.inputs()[i]));
    if (share > 0) {
      result.warnings.push_back(hull_warning(model.circuit().populations[population.population].name, share, end_ms));
    }
  }
  return result;
}

StationaryState stationary_state(const Model& model) {
  return stationary_state(model, 0, model.circuit().run.duration_ms);
}

}  // namespace triscale::meanfield

#include "meanfield/transfer_theory.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::meanfield {

namespace {

using Complex = std::complex<double>;

struct Slopes {
  std::vector<double> channel;      // dF/dnu_c
  double adaptation_hz_per_nA = 0;  // dF/da
};

/// Derivatives of one population's rate with respect to each of its inputs.
Slopes slopes_of(const PopulationModel& population, const PopulationInput& at) {
  Slopes result;
  PopulationInput input = at;
  const auto central = [&](double& value, double step) {
    const double kept = value;
    value = kept + step;
    const double up = population_rate_hz(population, input);
    value = kept - step;
    const double down = population_rate_hz(population, input);
    value = kept;
    return (up - down) / (2 * step);
  };
  for (double& rate_hz : input.source_hz) result.channel.push_back(central(rate_hz, 1e-4 * std::max(1.0, rate_hz)));
  result.adaptation_hz_per_nA = central(input.adaptation_nA, 1e-6);
  return result;
}

class TransferLinearisation : public Linearisation {
 public:
  TransferLinearisation(const TransferTheory& theory, const Eigen::VectorXd& rates_hz)
      : theory_(theory), rates_hz_(rates_hz) {
    for (std::size_t i = 0; i < theory.size(); ++i) {
      slopes_.push_back(slopes_of(theory.model().populations()[i], theory.input_at(i, rates_hz)));
    }
  }

  Eigen::MatrixXcd connectivity(Complex lambda) const override {
    const auto n = static_cast<Eigen::Index>(theory_.size());
    Eigen::MatrixXcd W = Eigen::MatrixXcd::Zero(n, n);
    for (std::size_t i = 0; i < theory_.size(); ++i) {
      const auto row = static_cast<Eigen::Index>(i);
      const PopulationModel& population = theory_.model().populations()[i];
      for (std::size_t c = 0; c < population.channels.size(); ++c) {
        const Channel& channel = population.channels[c];
        if (theory_.model().circuit().populations[channel.source].is_virtual) continue;
        const auto column = static_cast<Eigen::Index>(theory_.model().index_of(channel.source));
        W(row, column) += slopes_[i].channel[c] * std::exp(-lambda * channel.delay_ms);
      }
      for (const auto& kernel : population.transfer.adaptation_nA) {
        W(row, row) += slopes_[i].adaptation_hz_per_nA * kernel.amplitude * kernel.tau_ms / 1000.0 /
                       (1.0 + lambda * kernel.tau_ms);
      }
      W.row(row) /= 1.0 + lambda * population.time_constant_ms;
    }
    return W;
  }

  Eigen::VectorXcd input_response(Complex lambda) const override {
    Eigen::VectorXcd H(static_cast<Eigen::Index>(theory_.size()));
    for (std::size_t i = 0; i < theory_.size(); ++i) {
      H[static_cast<Eigen::Index>(i)] =
          -slopes_[i].adaptation_hz_per_nA / (1.0 + lambda * theory_.model().populations()[i].time_constant_ms);
    }
    return H;
  }

  Eigen::VectorXd noise_hz(Complex /*lambda*/) const override {
    Eigen::VectorXd S(static_cast<Eigen::Index>(theory_.size()));
    for (std::size_t i = 0; i < theory_.size(); ++i) {
      const PopulationModel& population = theory_.model().populations()[i];
      const double cells = static_cast<double>(theory_.model().circuit().populations[population.population].size);
      S[static_cast<Eigen::Index>(i)] = rates_hz_[static_cast<Eigen::Index>(i)] / cells;
    }
    return S;
  }

 private:
  const TransferTheory& theory_;
  Eigen::VectorXd rates_hz_;
  std::vector<Slopes> slopes_;
};

}  // namespace

TransferTheory::TransferTheory(const Model& model, double begin_ms, double end_ms)
    : model_(model), external_hz_(model.mean_external_hz(begin_ms, end_ms)), currents_(model.populations().size()) {
  for (std::size_t i = 0; i < currents_.size(); ++i) {
    model.set_currents(model.populations()[i], begin_ms, end_ms, currents_[i]);
  }
}

std::string TransferTheory::name(std::size_t population) const {
  return model_.circuit().populations[model_.populations()[population].population].name;
}

double TransferTheory::highest_rate_hz(std::size_t population) const {
  constexpr double kNoRefractoriness_Hz = 1000;
  const double t_ref_ms = model_.populations()[population].transfer.t_ref_ms;
  return t_ref_ms > 0 ? std::min(1000 / t_ref_ms, kNoRefractoriness_Hz) : kNoRefractoriness_Hz;
}

PopulationInput TransferTheory::input_at(std::size_t i, const Eigen::VectorXd& rates_hz) const {
  const PopulationModel& population = model_.populations()[i];
  PopulationInput input = currents_[i];
  for (const Channel& channel : population.channels) {
    const bool external = model_.circuit().populations[channel.source].is_virtual;
    input.source_hz.push_back(external ? external_hz_[channel.source]
                                       : rates_hz[static_cast<Eigen::Index>(model_.index_of(channel.source))]);
  }
  for (const auto& kernel : population.transfer.adaptation_nA) {
    input.adaptation_nA += kernel.amplitude * kernel.tau_ms * rates_hz[static_cast<Eigen::Index>(i)] / 1000.0;
  }
  return input;
}

Eigen::VectorXd TransferTheory::transfer_hz(const Eigen::VectorXd& rates_hz, Eigen::MatrixXd* slope) const {
  Eigen::VectorXd F(rates_hz.size());
  for (std::size_t i = 0; i < size(); ++i) {
    F[static_cast<Eigen::Index>(i)] = population_rate_hz(model_.populations()[i], input_at(i, rates_hz));
  }
  if (slope != nullptr) *slope = TransferLinearisation(*this, rates_hz).connectivity(0).real();
  return F;
}

std::unique_ptr<Linearisation> TransferTheory::linearise(const Eigen::VectorXd& rates_hz) const {
  return std::make_unique<TransferLinearisation>(*this, rates_hz);
}

}  // namespace triscale::meanfield

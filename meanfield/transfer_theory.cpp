#include "meanfield/transfer_theory.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "meanfield/membrane_course.hpp"
#include "meanfield/ready_cells.hpp"
#include "meanfield/spike_trains.hpp"

namespace triscale::meanfield {

namespace {

using Complex = std::complex<double>;

/// Derivatives of the rate of one class of cells, by what they go through.
struct ClassSlopes {
  double share = 0;
  double tau_m_ms = 0;
  double G_uS = 0;
  double rate_hz = 0;
  double d_mu = 0;                  ///< Hz/mV
  double d_slope = 0;               ///< Hz ms/mV, with the velocity of the mean potential
  std::vector<double> potential;    ///< per channel, mV/Hz: of the mean potential
  std::vector<double> conductance;  ///< per channel, through G at fixed mean potential
  std::vector<double> variance;     ///< per channel, through the second moment of the input
  std::vector<double> regularity;   ///< per channel, through how regular the trains are
};

struct Slopes {
  std::vector<ClassSlopes> classes;
  std::vector<double> theta_ms;    ///< per channel: delay of the variance (meanfield/membrane_course.hpp)
  std::vector<double> regular_ms;  ///< per channel: further delay of the regularity
  double ready_ms = 0;             ///< dead time of the population's own cells (meanfield/ready_cells.hpp)
};

double central(double& value, double step, const std::function<double()>& function) {
  const double kept = value;
  value = kept + step;
  const double up = function();
  value = kept - step;
  const double down = function();
  value = kept;
  return (up - down) / (2 * step);
}

ClassSlopes slopes_of(const PopulationModel& population, const CellClass& cells, const PopulationInput& at,
                      double& G_uS) {
  const Membrane membrane = membrane_of(population.transfer);
  const double gain = adaptation_nA_per_hz(population.transfer);
  const double rest_hz =
      gain != 0 ? adapted_rate_hz(population.transfer, StatisticsAtRate(population, cells, at)) : 0.0;
  const double current_nA = current_of(cells, at) - gain * rest_hz;
  const std::vector<CurrentFluctuation> noise = fluctuations_of(cells, at);
  std::vector<SpikeDrive<double>> drives = drives_of(population, cells, at.source_hz, at.source_hz, at.source_hz);
  const auto mean_now = [&] { return membrane_mean<double>(membrane, population.receptors, drives, current_nA); };
  const MembraneMean<double> mean = mean_now();
  double mu_mV = mean.mu_mV, slope_mV_per_ms = 0;
  const std::function<double()> rate_hz = [&] {
    return moving_rate_hz(
        population.transfer,
        membrane_noise<double>(membrane, {mean_now().G_uS, mu_mV}, population.receptors, drives, noise),
        slope_mV_per_ms);
  };
  ClassSlopes result;
  G_uS = mean.G_uS;
  result.share = cells.share;
  result.tau_m_ms = membrane.C_m_nF / mean.G_uS;
  constexpr double kStep_mV = 1e-4, kRelativeStep = 1e-4;
  result.rate_hz = rate_hz();
  result.d_mu = central(mu_mV, kStep_mV, rate_hz);
  result.d_slope = central(slope_mV_per_ms, kStep_mV, rate_hz);
  result.G_uS = mean.G_uS;
  for (std::size_t c = 0; c < at.source_hz.size(); ++c) {
    SpikeDrive<double>& drive = drives[population.channels[c].receptor];
    const double step_hz = kRelativeStep * std::max(1.0, at.source_hz[c]);
    const SpikeDrive<double> kept = drive;
    double mean_hz = at.source_hz[c], variance_hz = at.source_hz[c], regular_hz = at.source_hz[c];
    const SpikeDrive<double> usual = drive_of(population, cells, c, mean_hz, variance_hz, regular_hz);
    const auto with_channel = [&](const std::function<double()>& value) {
      const SpikeDrive<double> now = drive_of(population, cells, c, mean_hz, variance_hz, regular_hz);
      drive.rate_weight_uS_per_ms += now.rate_weight_uS_per_ms - usual.rate_weight_uS_per_ms;
      drive.rate_weight2_uS2_per_ms += now.rate_weight2_uS2_per_ms - usual.rate_weight2_uS2_per_ms;
      drive.lacking_at_0_uS2_per_ms += now.lacking_at_0_uS2_per_ms - usual.lacking_at_0_uS2_per_ms;
      const double result_now = value();
      drive = kept;
      return result_now;
    };
    result.conductance.push_back(central(mean_hz, step_hz, [&] { return with_channel(rate_hz); }));
    result.variance.push_back(central(variance_hz, step_hz, [&] { return with_channel(rate_hz); }));
    result.regularity.push_back(central(regular_hz, step_hz, [&] { return with_channel(rate_hz); }));
    result.potential.push_back(
        central(mean_hz, step_hz, [&] { return with_channel([&] { return mean_now().mu_mV; }); }));
  }
  return result;
}

Slopes slopes_of(const PopulationModel& population, const PopulationInput& at) {
  Slopes result;
  double G_mean_uS = 0, G_uS = 0, rate_hz = 0;
  for (const CellClass& cells : population.classes) {
    result.classes.push_back(slopes_of(population, cells, at, G_uS));
    G_mean_uS += cells.share * G_uS;
    rate_hz += cells.share * result.classes.back().rate_hz;
  }
  result.ready_ms = ready_dead_time_ms(population, rate_hz);
  for (std::size_t c = 0; c < population.channels.size(); ++c) {
    const Receptor& receptor = population.receptors[population.channels[c].receptor];
    result.theta_ms.push_back(
        squared_cascade_delay(receptor.tau_rise_ms, receptor.tau_decay_ms, population.transfer.C_m_nF / G_mean_uS));
    result.regular_ms.push_back(population.channels[c].dead_time.at(at.source_hz[c]));
  }
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
      const Slopes& slopes = slopes_[i];
      std::vector<Complex> loop,
          membrane;  // of every class: what it makes of a change of nu; response to the potential
      for (const ClassSlopes& of : slopes.classes) {
        membrane.push_back(through_potential(of, lambda));
        loop.push_back(of.share * own_response(population, slopes, of, lambda));
      }
      for (std::size_t c = 0; c < population.channels.size(); ++c) {
        const Channel& channel = population.channels[c];
        if (theory_.model().circuit().populations[channel.source].is_virtual) continue;
        const auto column = static_cast<Eigen::Index>(theory_.model().index_of(channel.source));
        const Receptor& receptor = population.receptors[channel.receptor];
        const Complex regular = 1.0 / (1.0 + lambda * slopes.regular_ms[c]);
        Complex through_conductance = 0, through_variance = 0;
        for (std::size_t k = 0; k < loop.size(); ++k) {
          const ClassSlopes& of = slopes.classes[k];
          through_conductance += loop[k] * (of.conductance[c] + of.potential[c] * membrane[k]);
          through_variance += loop[k] * (of.variance[c] + of.regularity[c] * regular);
        }
        W(row, column) +=
            std::exp(-lambda * channel.delay_ms) *
            (through_conductance / (1.0 + lambda * receptor.tau_rise_ms) / (1.0 + lambda * receptor.tau_decay_ms) +
             through_variance / (1.0 + lambda * slopes.theta_ms[c]));
      }
    }
    return W;
  }

  Eigen::VectorXcd input_response(Complex lambda) const override {
    Eigen::VectorXcd H(static_cast<Eigen::Index>(theory_.size()));
    for (std::size_t i = 0; i < theory_.size(); ++i) {
      Complex sum = 0;
      for (const ClassSlopes& of : slopes_[i].classes) {
        sum += of.share * through_potential(of, lambda) / of.G_uS *
               own_response(theory_.model().populations()[i], slopes_[i], of, lambda);
      }
      H[static_cast<Eigen::Index>(i)] = sum;
    }
    return H;
  }

  Eigen::VectorXd noise_hz(Complex lambda) const override {
    Eigen::VectorXd S(static_cast<Eigen::Index>(theory_.size()));
    for (std::size_t i = 0; i < theory_.size(); ++i) {
      const PopulationModel& population = theory_.model().populations()[i];
      const double cells = static_cast<double>(theory_.model().circuit().populations[population.population].size);
      const DeadTime dead_time(population.transfer);
      double sum = 0;
      for (const ClassSlopes& of : slopes_[i].classes) {
        sum += of.share *
               dead_time_spectrum_hz(of.rate_hz, std::max(population.transfer.t_ref_ms, dead_time.at(of.rate_hz)),
                                     lambda) /
               std::norm(1.0 +
                         ready_response(of.rate_hz, slopes_[i].ready_ms, lambda) * adaptation(population, of, lambda));
      }
      S[static_cast<Eigen::Index>(i)] = sum / cells;
    }
    return S;
  }

 private:
  /// Change of the rate with the potential that an input would lead to if it stayed, Hz/mV.
  static Complex through_potential(const ClassSlopes& of, Complex lambda) {
    return (of.d_mu + lambda * of.d_slope) / (1.0 + lambda * of.tau_m_ms);
  }

  /// Change of a class's rate with that of its transfer function: by the cells that are ready, and adaptation.
  static Complex own_response(const PopulationModel& population, const Slopes& slopes, const ClassSlopes& of,
                              Complex lambda) {
    const Complex ready = ready_response(of.rate_hz, slopes.ready_ms, lambda);
    return ready / (1.0 + ready * adaptation(population, of, lambda));
  }

  /// What a class's rate takes from itself through its own adaptation.
  static Complex adaptation(const PopulationModel& population, const ClassSlopes& of, Complex lambda) {
    Complex sum = 0;
    for (const auto& kernel : population.transfer.adaptation_nA) {
      sum += through_potential(of, lambda) / of.G_uS * kernel.amplitude * kernel.tau_ms / 1000.0 /
             (1.0 + lambda * kernel.tau_ms);
    }
    return sum;
  }

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

#include "meanfield/membrane_course.hpp"

#include <cmath>

namespace triscale::meanfield {

double low_pass(double& x, double u, double tau_ms, double step_ms) {
  const double decay = tau_ms > 0 ? std::exp(-step_ms / tau_ms) : 0.0;
  const double average = u + (x - u) * (tau_ms / step_ms) * (1 - decay);
  x = u + (x - u) * decay;
  return average;
}

double squared_cascade_delay(double a_ms, double b_ms, double c_ms) {
  const auto pair = [](double s, double t) { return s + t > 0 ? s * t / (s + t) : 0.0; };
  const double rates = 1 / a_ms + 1 / b_ms + 1 / c_ms;  // infinite where a filter is instantaneous
  return (a_ms + b_ms + c_ms) / 2 + pair(a_ms, b_ms) + pair(b_ms, c_ms) + pair(c_ms, a_ms) - 1.5 / rates;
}

MembraneCourse::MembraneCourse(const PopulationModel& model)
    : model_(model),
      x_(model.channels.size(), 0.0),
      y_(model.channels.size(), 0.0),
      z_(model.channels.size(), 0.0),
      regular_hz_(model.channels.size(), 0.0),
      mu_mV_(model.classes.size(), model.transfer.E_L_mV),
      G_uS_(model.classes.size(), model.transfer.g_L_uS),
      slopes_mV_per_ms_(model.classes.size(), 0.0),
      adaptation_nA_(model.transfer.adaptation_nA.size(), std::vector<double>(model.classes.size(), 0.0)),
      statistics_(model.classes.size(), {model.transfer.E_L_mV, 0, model.transfer.C_m_nF / model.transfer.g_L_uS}) {}

void MembraneCourse::step(const PopulationInput& input, const std::vector<double>& fired_hz, double step_ms) {
  double G_mean_uS = 0;
  for (std::size_t i = 0; i < G_uS_.size(); ++i) G_mean_uS += model_.classes[i].share * G_uS_[i];
  std::vector<double> y_mean(y_.size());
  for (std::size_t c = 0; c < y_.size(); ++c) {
    const Receptor& receptor = model_.receptors[model_.channels[c].receptor];
    const double x_mean = low_pass(x_[c], input.source_hz[c], receptor.tau_rise_ms, step_ms);
    y_mean[c] = low_pass(y_[c], x_mean, receptor.tau_decay_ms, step_ms);
    const double theta_ms =
        squared_cascade_delay(receptor.tau_rise_ms, receptor.tau_decay_ms, model_.transfer.C_m_nF / G_mean_uS);
    low_pass(z_[c], input.source_hz[c], theta_ms, step_ms);
    low_pass(regular_hz_[c], z_[c], model_.channels[c].dead_time.at(regular_hz_[c]), step_ms);
  }
  const Membrane membrane = membrane_of(model_.transfer);
  for (std::size_t i = 0; i < mu_mV_.size(); ++i) {
    const CellClass& cells = model_.classes[i];
    double opposing_nA = 0, opposing_now_nA = 0;  // averaged over the step, and at its end
    for (std::size_t k = 0; k < adaptation_nA_.size(); ++k) {
      const network::ExponentialKernel& kernel = model_.transfer.adaptation_nA[k];
      const double target_nA = kernel.amplitude * kernel.tau_ms * fired_hz[i] / 1000;
      opposing_nA += low_pass(adaptation_nA_[k][i], target_nA, kernel.tau_ms, step_ms);
      opposing_now_nA += adaptation_nA_[k][i];
    }
    const MembraneMean<double> during =
        membrane_mean<double>(membrane, model_.receptors, drives_of(model_, cells, y_mean, z_, regular_hz_),
                              current_of(cells, input) - opposing_nA);
    low_pass(mu_mV_[i], during.mu_mV, membrane.C_m_nF / during.G_uS, step_ms);
    const auto drives = drives_of(model_, cells, y_, z_, regular_hz_);
    MembraneMean<double> now =
        membrane_mean<double>(membrane, model_.receptors, drives, current_of(cells, input) - opposing_now_nA);
    G_uS_[i] = now.G_uS;
    slopes_mV_per_ms_[i] = (now.mu_mV - mu_mV_[i]) * now.G_uS / membrane.C_m_nF;
    now.mu_mV = mu_mV_[i];
    statistics_[i] = membrane_noise<double>(membrane, now, model_.receptors, drives, fluctuations_of(cells, input));
  }
}

std::vector<double> MembraneCourse::rates_hz() const {
  std::vector<double> rates_hz;
  for (std::size_t i = 0; i < statistics_.size(); ++i) {
    rates_hz.push_back(moving_rate_hz(model_.transfer, statistics_[i], slopes_mV_per_ms_[i]));
  }
  return rates_hz;
}

}  // namespace triscale::meanfield

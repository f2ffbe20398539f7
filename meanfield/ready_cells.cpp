#include "meanfield/ready_cells.hpp"

#include <algorithm>
#include <cmath>

#include "meanfield/membrane_course.hpp"

namespace triscale::meanfield {

namespace {

/// The dead time of cells at a rate, but not more than leaves four tenths of them ready: the equation of the header is
/// meant for few busy cells, and rings without end from R d = 0.8 on.
double limited_ms(double dead_time_ms, double rate_hz) {
  constexpr double kMostBusy = 0.6;
  return std::min(dead_time_ms, 1000 * kMostBusy / std::max(rate_hz, 1e-9));
}

/// Share of the rate that the adaptation caused by one spike leaves, over time after it.
std::vector<double> left_by_adaptation(const PopulationModel& model, const MembraneStatistics<double>& statistics,
                                       double G_uS, double step_ms, std::size_t steps) {
  const double rate_hz = transfer_rate(model.transfer, statistics), tau_m_ms = model.transfer.C_m_nF / G_uS;
  double potential_mV = 0;
  std::vector<double> left;
  for (std::size_t k = 0; k < steps; ++k) {
    double opposing_nA = 0;
    for (const network::ExponentialKernel& kernel : model.transfer.adaptation_nA) {
      opposing_nA += kernel.amplitude * std::exp(-(static_cast<double>(k) + 0.5) * step_ms / kernel.tau_ms);
    }
    const double average_mV = low_pass(potential_mV, -opposing_nA / G_uS, tau_m_ms, step_ms);
    MembraneStatistics<double> then = statistics;
    then.mu_mV += average_mV;
    left.push_back(rate_hz > 0 ? transfer_rate(model.transfer, then) / rate_hz : 1.0);
  }
  return left;
}

}  // namespace

DeadTime ready_dead_time(const PopulationModel& model, const PopulationInput& input) {
  constexpr double kFollow_ms = 10, kStep_ms = 0.1;  // the window of bridges/meanfield/transfer_grid.hpp
  constexpr std::size_t kSteps = 1500;
  network::TransferFunction transfer = model.transfer;
  if (transfer.adaptation_nA.empty() || !(transfer.dead_time_ms > transfer.t_ref_ms)) return DeadTime(transfer);
  CellClass mean{1, std::vector<double>(model.channels.size()), std::vector<double>(model.channels.size()),
                 std::vector<double>(model.clamps.size())};
  for (const CellClass& cells : model.classes) {
    for (std::size_t c = 0; c < mean.weight_uS.size(); ++c) {
      mean.weight_uS[c] += cells.share * cells.weight_uS[c];
      mean.weight2_uS2[c] += cells.share * cells.weight2_uS2[c];
    }
    for (std::size_t c = 0; c < mean.clamp_share.size(); ++c) mean.clamp_share[c] += cells.share * cells.clamp_share[c];
  }
  const MembraneStatistics<double> statistics = statistics_of(model, mean, input);
  const auto drives = drives_of(model, mean, input.source_hz, input.source_hz, input.source_hz);
  const double G_uS = membrane_mean<double>(membrane_of(transfer), model.receptors, drives, 0.0).G_uS;
  const std::vector<double> left = left_by_adaptation(model, statistics, G_uS, kStep_ms, kSteps);
  // Followers counted from the end; what is beyond it is less than 1e-6.
  double followers = 0;
  std::size_t k = kSteps;
  while (k > 0 && followers < std::exp(-transfer.dead_time_ms / kFollow_ms)) {
    --k;
    followers += left[k] * kStep_ms / kFollow_ms * std::exp(-(static_cast<double>(k) + 0.5) * kStep_ms / kFollow_ms);
  }
  transfer.dead_time_ms = std::clamp(static_cast<double>(k) * kStep_ms, transfer.t_ref_ms, transfer.dead_time_ms);
  return DeadTime(transfer);
}

DeadTime ready_dead_time(const Model& circuit, const PopulationModel& model) {
  const double end_ms = circuit.circuit().run.duration_ms;
  PopulationInput input;
  circuit.set_currents(model, 0, end_ms, input);
  for (const Channel& channel : model.channels) {
    const bool external = circuit.circuit().populations[channel.source].is_virtual;
    input.source_hz.push_back(external
                                  ? circuit.external(channel.source).mean(0, end_ms)
                                  : circuit.populations()[circuit.index_of(channel.source)].transfer.dead_time_at_hz);
  }
  return ready_dead_time(model, input);
}

double ready_dead_time_ms(const PopulationModel& model, double rate_hz) {
  return model.ready.at(std::max(rate_hz, model.transfer.dead_time_at_hz));
}

std::complex<double> ready_response(double rate_hz, double dead_time_ms, std::complex<double> lambda_per_ms) {
  const double d_ms = limited_ms(dead_time_ms, rate_hz), busy = rate_hz * d_ms / 1000;
  const std::complex<double> x = lambda_per_ms * d_ms;
  if (!(busy > 0) || !(std::abs(x) > 0)) return 1;
  const std::complex<double> fired = std::abs(x) < 1e-5 ? 1.0 - x / 2.0 : (1.0 - std::exp(-x)) / x;
  return 1.0 / (1.0 + busy / (1 - busy) * (fired - 1.0 / (1.0 + x)));
}

ReadyCells::ReadyCells(const PopulationModel& model, double step_ms)
    : model_(model),
      step_ms_(step_ms),
      dead_time_ms_(ready_dead_time_ms(model, 0)),
      rates_hz_(model.classes.size(), 0.0),
      expected_hz_(model.classes.size(), 0.0),
      slots_(static_cast<std::size_t>(std::ceil(dead_time_ms_ / step_ms)) + 3),
      spikes_(slots_ * model.classes.size(), 0.0) {}

double ReadyCells::spikes_until(std::size_t cells, double steps_back) const {
  const double whole = std::floor(steps_back), x = steps_back - whole;
  const auto back = static_cast<std::size_t>(whole);
  const auto at = [&](std::size_t k) {
    return k > now_ ? 0.0 : spikes_[((now_ - k) % slots_) * rates_hz_.size() + cells];
  };
  return (1 - x) * at(back) + x * at(back + 1);
}

void ReadyCells::step(std::vector<double>& rates_hz) {
  double population_hz = 0;
  for (std::size_t i = 0; i < rates_hz.size(); ++i) population_hz += model_.classes[i].share * expected_hz_[i];
  dead_time_ms_ = ready_dead_time_ms(model_, population_hz);
  const std::size_t next = ((now_ + 1) % slots_) * rates_hz.size();
  for (std::size_t i = 0; i < rates_hz.size(); ++i) {
    const double until_now = spikes_until(i, 0), half_s = step_ms_ / 2000;
    const double d_ms = limited_ms(dead_time_ms_, expected_hz_[i]);
    if (d_ms >= step_ms_) {
      // The integral up to the end of the step, by the trapezoidal rule over the step: r stands on both sides.
      const double fired = until_now + half_s * rates_hz_[i] - spikes_until(i, d_ms / step_ms_ - 1);
      const double hazard_hz = rates_hz[i] / (1 - expected_hz_[i] * d_ms / 1000);
      rates_hz[i] = hazard_hz * std::max(0.0, 1 - fired) / (1 + hazard_hz * half_s);
    }
    spikes_[next + i] = until_now + half_s * (rates_hz_[i] + rates_hz[i]);
    low_pass(expected_hz_[i], (rates_hz_[i] + rates_hz[i]) / 2, d_ms, step_ms_);
    rates_hz_[i] = rates_hz[i];
  }
  ++now_;
}

}  // namespace triscale::meanfield

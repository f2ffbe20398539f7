#include "bridges/meanfield/transfer_points.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "meanfield/spike_trains.hpp"

namespace triscale::bridges {

double MeasuredPoint::rate_hz() const {
  double sum = 0;
  for (const TransferPoint& cell : cells) sum += cell.rate_hz() / static_cast<double>(cells.size());
  return sum;
}

std::vector<MeasuredPoint> measure(const std::shared_ptr<const TransferExperiment>& experiment,
                                   const std::vector<WorkingPoint>& points, const MeasurementTimes& times,
                                   std::uint64_t run, std::size_t threads, core::Progress& progress) {
  double settle_ms = times.settle_ms;  // and as long as adaptation needs
  constexpr double kAdapted = 3;       // time constants
  for (const auto& kernel : experiment->transfer().adaptation_nA) {
    settle_ms = std::max(settle_ms, kAdapted * kernel.tau_ms);
  }
  const auto spikes = experiment->measure(points, settle_ms, times.measure_ms, run, threads, progress);
  std::vector<MeasuredPoint> measured;
  for (std::size_t i = 0; i < points.size(); ++i) {
    MeasuredPoint& point = measured.emplace_back(MeasuredPoint{points[i], {}});
    for (std::size_t cell = 0; cell < experiment->cells(); ++cell) {
      TransferPoint measured_cell{
          experiment, {}, experiment->statistics(cell, points[i]), spikes[i][cell], times.measure_ms};
      measured_cell.cell = cell;
      measured_cell.statistics = measured_cell.statistics_at(measured_cell.rate_hz());
      if (measured_cell.statistics.sigma_mV > 0) point.cells.push_back(std::move(measured_cell));  // it has input
    }
  }
  return measured;
}

std::array<double, 2> firing_range(const std::vector<MeasuredPoint>& measured, double lowest_hz, double highest_hz) {
  double k_low = 1e300, k_high = -1e300;
  for (const MeasuredPoint& scout : measured) {
    const double rate_Hz = scout.rate_hz();
    if (!(rate_Hz >= lowest_hz && rate_Hz <= highest_hz)) continue;
    k_low = std::min(k_low, scout.point.k);
    k_high = std::max(k_high, scout.point.k);
  }
  if (k_low > k_high) {
    throw core::NumericalError("transfer function: the point model does not fire at any of the working points tried");
  }
  constexpr double kMargin = 0.5;
  return {k_low - kMargin, k_high + kMargin};
}

std::vector<TransferPoint> cells_up_to(const std::vector<MeasuredPoint>& measured, double highest_hz) {
  std::vector<TransferPoint> cells;
  for (std::size_t i = 0; i < measured.size(); ++i) {
    if (!(measured[i].rate_hz() <= highest_hz)) continue;
    for (const TransferPoint& cell : measured[i].cells) {
      cells.push_back(cell);
      cells.back().point = i;
    }
  }
  return cells;
}

double typical_tau_ms(const std::vector<TransferPoint>& points) {
  std::vector<double> tau_ms;
  for (const TransferPoint& point : points) {
    if (point.rate_hz() >= 0.5 && point.rate_hz() <= 30) tau_ms.push_back(point.statistics.tau_V_ms);
  }
  if (tau_ms.empty()) return network::MeanfieldCell{}.time_constant_ms;
  std::sort(tau_ms.begin(), tau_ms.end());
  return tau_ms[tau_ms.size() / 2];
}

MeasuredDeadTime measured_dead_time(std::span<const MeasuredPoint> measured, double highest_hz) {
  double followers = 0, expected = 0, points = 0;  // per spike, summed over points; expected of Poisson trains
  for (const MeasuredPoint& point : measured) {
    double spikes = 0, of_point = 0, of_poisson = 0;
    for (const TransferPoint& cell : point.cells) {
      const auto n = static_cast<double>(cell.spikes.count);
      spikes += n;
      of_point += cell.spikes.followers;
      of_poisson += n * (n - 1) * SpikeCount::poisson_followers(cell.observed_ms);
    }
    if (!(spikes > 0) || point.rate_hz() > highest_hz) continue;
    followers += of_point / spikes;
    expected += of_poisson / spikes;
    ++points;
  }
  if (!(expected > 0)) return {};
  const double at_hz = 1000 * expected / points / SpikeCount::kFollow_ms;
  return {meanfield::dead_time_ms(at_hz, followers / expected, SpikeCount::kFollow_ms), at_hz};
}

}  // namespace triscale::bridges

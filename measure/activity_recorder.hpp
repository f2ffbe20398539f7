/// A recorder that keeps a run's spikes and rates in memory as an Activity.
#pragma once

#include <span>
#include <utility>

#include "core/recorder.hpp"
#include "measure/activity.hpp"

namespace triscale::measure {

class ActivityRecorder : public core::Recorder {
 public:
  /// `empty` names the tier, its kind, the duration and the populations, in the order of Circuit::populations.
  explicit ActivityRecorder(Activity empty) : activity_(std::move(empty)) {}

  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override {
    PopulationActivity& target = activity_.populations.at(population);
    target.spike_times_ms.insert(target.spike_times_ms.end(), cells.size(), t_ms);
    target.spike_cells.insert(target.spike_cells.end(), cells.begin(), cells.end());
  }

  void record_probe(std::size_t, double, std::span<const double>) override {}

  /// A population without a value (beyond the end of `rates_hz`) gets no sample.
  void record_rates(double t_ms, std::span<const double> rates_hz) override {
    for (std::size_t p = 0; p < activity_.populations.size() && p < rates_hz.size(); ++p) {
      activity_.populations[p].rate_times_ms.push_back(t_ms);
      activity_.populations[p].rates_hz.push_back(rates_hz[p]);
    }
  }

  void record_cell_rates(std::size_t population, std::span<const double> rates_hz) override {
    activity_.populations.at(population).cell_rates_hz.assign(rates_hz.begin(), rates_hz.end());
  }

  const Activity& activity() const { return activity_; }
  Activity& activity() { return activity_; }

 private:
  Activity activity_;
};

}  // namespace triscale::measure

#include <gtest/gtest.h>

#include <array>

#include "measure/activity_recorder.hpp"

namespace triscale::measure {
namespace {

Activity two_populations() {
  Activity activity;
  activity.tier = "point";
  activity.duration_ms = 100;
  activity.populations.resize(2);
  activity.populations[0].cells = 3;
  activity.populations[1].cells = 2;
  return activity;
}

TEST(ActivityRecorder, KeepsSpikesByPopulationInOrder) {
  ActivityRecorder recorder(two_populations());
  recorder.record_spikes(0, 1.0, std::array<std::uint32_t, 2>{0, 2});
  recorder.record_spikes(1, 1.5, std::array<std::uint32_t, 1>{1});
  recorder.record_spikes(0, 2.0, std::array<std::uint32_t, 1>{1});
  const Activity& activity = recorder.activity();
  EXPECT_EQ(activity.populations[0].spike_times_ms, (std::vector<double>{1.0, 1.0, 2.0}));
  EXPECT_EQ(activity.populations[0].spike_cells, (std::vector<std::uint32_t>{0, 2, 1}));
  EXPECT_EQ(activity.populations[1].spike_times_ms, (std::vector<double>{1.5}));
}

TEST(ActivityRecorder, KeepsRatesOfEveryPopulation) {
  ActivityRecorder recorder(two_populations());
  recorder.record_rates(0.0, std::array{5.0, 7.0});
  recorder.record_rates(1.0, std::array{6.0, 8.0});
  EXPECT_EQ(recorder.activity().populations[0].rates_hz, (std::vector<double>{5.0, 6.0}));
  EXPECT_EQ(recorder.activity().populations[1].rates_hz, (std::vector<double>{7.0, 8.0}));
  EXPECT_EQ(recorder.activity().populations[1].rate_times_ms, (std::vector<double>{0.0, 1.0}));
}

TEST(ActivityRecorder, RefusesAPopulationThatDoesNotExist) {
  ActivityRecorder recorder(two_populations());
  EXPECT_THROW(recorder.record_spikes(2, 0.0, std::array<std::uint32_t, 1>{0}), std::out_of_range);
}

}  // namespace
}  // namespace triscale::measure

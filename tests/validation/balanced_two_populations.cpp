// The built-in circuit stays in the regime that its README promises: sustained, irregular, and not synchronous.
#include <gtest/gtest.h>

#include <filesystem>

#include "detailed/simulate.hpp"
#include "io/recipe.hpp"
#include "io/recorder.hpp"
#include "measure/activity_recorder.hpp"
#include "measure/spike_statistics.hpp"
#include "tests/paths.hpp"

namespace triscale {
namespace {

TEST(BalancedTwoPopulations, IsActiveAndIrregularInTheDetailedTier) {
  core::Diagnostics diagnostics;
  network::Circuit c = io::read_recipe(
      std::filesystem::path(tests::source_dir()) / "experiments/balanced_two_populations/recipe.json", diagnostics);
  ASSERT_TRUE(diagnostics.ok());
  c.run.duration_ms = 1300;
  c.probes.clear();
  measure::ActivityRecorder recorder(io::empty_activity(c, "detailed"));
  core::NoProgress progress;
  detailed::simulate(c, 0, recorder, progress);
  const measure::Window window{300, 1300};
  const auto& E = recorder.activity().populations[0];
  const auto& I = recorder.activity().populations[1];
  // README: 9.4 Hz and 20.9 Hz over 2.7 s. One second varies by less than a tenth of that from seed to seed.
  EXPECT_NEAR(*measure::mean_rate_hz(E, measure::Activity::Kind::spikes, window), 9.4, 1.5);
  EXPECT_NEAR(*measure::mean_rate_hz(I, measure::Activity::Kind::spikes, window), 20.9, 3.0);
  EXPECT_GT(*measure::cv_isi(E, window, 5), 0.4);
  EXPECT_GT(*measure::cv_isi(I, window, 5), 0.5);
  EXPECT_LT(*measure::silent_fraction(measure::cell_rates_hz(E, window)), 0.05);
  // Active in every fifth of a second, not only in one burst.
  for (const double rate_hz : measure::rate_time_course_hz(E, measure::Activity::Kind::spikes, window, 200)) {
    EXPECT_GT(rate_hz, 4);
  }
}

}  // namespace
}  // namespace triscale

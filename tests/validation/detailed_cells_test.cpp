// Whole cells of the Allen Cell Types Database against spike times that NEURON 8.2.2 gives at the same time step, and
// against the converged times (variable step, tolerances 1e-7 and 1e-8).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "detailed/simulate.hpp"
#include "io/allen_cell.hpp"
#include "io/allen_fit.hpp"
#include "io/swc.hpp"
#include "tests/detailed/circuits.hpp"
#include "tests/paths.hpp"

namespace triscale {
namespace {

const std::string kExamples = std::string(tests::shared_dir()) + "/data/bmtk/examples/";

/// Spike times (upward crossings of -20 mV at the soma) under 0.2 nA from 100 to 400 ms, and the soma's potential at
/// 100 ms.
struct Response {
  std::vector<double> spikes_ms;
  double V_100_mV = 0;
  std::uint64_t compartments = 0;
};

Response respond(const network::DetailedCell& cell, double dt_ms, double V_init_mV,
                 network::TimeScheme scheme = network::TimeScheme::backward_euler) {
  network::Circuit circuit = detailed::test::one_population(cell, 1, dt_ms, 400);
  circuit.run.scheme = scheme;
  circuit.run.celsius = 34;
  circuit.run.V_init_mV = V_init_mV;
  circuit.current_clamps.push_back({"I", 0, {}, {0, 0.5}, network::CurrentSegment{100, 400, 0.2, 0.2}});
  circuit.probes.push_back({"v", "v", 0, {}, network::Probe::Where::soma, 100, 100, 0});
  detailed::test::Trace trace;
  core::NoProgress progress;
  Response response;
  response.compartments = detailed::simulate(circuit, 1, trace, progress).compartments;
  for (const auto& spike : trace.spikes) response.spikes_ms.push_back(spike.t_ms);
  response.V_100_mV = trace.samples.at(0).at(0).second.at(0);
  return response;
}

void expect_times(const std::vector<double>& ours, const std::vector<double>& theirs, double tolerance_ms) {
  ASSERT_EQ(ours.size(), theirs.size());
  for (std::size_t k = 0; k < ours.size(); ++k) EXPECT_NEAR(ours[k], theirs[k], tolerance_ms) << "spike " << k + 1;
}

network::DetailedCell allen_cell(const std::string& fit, const std::string& swc, bool all_active) {
  core::Diagnostics diagnostics;
  network::DetailedCell cell = io::read_allen_fit(kExamples + fit, diagnostics);
  const network::Morphology morphology = io::read_swc(kExamples + swc, diagnostics);
  cell.morphology = std::make_shared<network::Morphology>(all_active ? io::replace_axon_allactive(morphology)
                                                                     : io::replace_axon_perisomatic(morphology));
  diagnostics.throw_if_errors();
  return cell;
}

network::DetailedCell perisomatic() {
  return allen_cell("bio_components/biophysical_neuron_templates/ctdb/472363762_fit.json",
                    "bio_components/morphologies/Scnn1a_473845048_m.swc", false);
}

network::DetailedCell all_active() {
  const std::string folder = "bio_all_active_sweep/models/neuronal_model_491766131/";
  return allen_cell(folder + "fit_parameters.json", folder + "reconstruction.swc", true);
}

// The fit file's own v_init: slow potassium inactivation remembers the start for longer than the 100 ms before the
// step.
constexpr double kPerisomaticStart_mV = -92.4991149902;

const std::vector<double> kPerisomaticConverged_ms = {123.6048, 147.1709, 171.7457, 196.4525, 221.1781, 245.8719,
                                                      270.4978, 295.0360, 319.4776, 343.8202, 368.0622, 392.2053};

bool absent() {
  return !std::filesystem::exists(kExamples);
}

TEST(PerisomaticCell, FiresAtNeuronsTimesAtTheSameStep) {
  if (absent()) GTEST_SKIP() << "no example circuits under " << kExamples;
  const Response response = respond(perisomatic(), 0.025, kPerisomaticStart_mV);
  EXPECT_EQ(response.compartments, 264u);
  EXPECT_NEAR(response.V_100_mV, -92.14841, 5e-5);  // the step that the reference value was taken at is not stated
  // Times are multiples of 0.025 ms in both; equality up to the last digit printed.
  expect_times(
      response.spikes_ms,
      {123.650, 147.275, 171.900, 196.625, 221.400, 246.150, 270.800, 295.375, 319.875, 344.250, 368.525, 392.700},
      1e-6);
}

TEST(PerisomaticCell, ConvergesToTheVariableStepTimes) {
  if (absent()) GTEST_SKIP() << "no example circuits under " << kExamples;
  const std::vector<double>& converged = kPerisomaticConverged_ms;
  const auto coarse = respond(perisomatic(), 0.01, kPerisomaticStart_mV).spikes_ms,
             fine = respond(perisomatic(), 0.005, kPerisomaticStart_mV).spikes_ms;
  ASSERT_EQ(fine.size(), converged.size());
  // First order: twice the step, twice the error (0.1 ms and 0.2 ms at the last spike); the grid adds up to one step.
  EXPECT_NEAR(fine.back() - converged.back(), 0.1, 0.015);
  EXPECT_NEAR(coarse.back() - converged.back(), 0.2, 0.025);
}

TEST(PerisomaticCell, SecondOrderMeetsTheVariableStepTimesAtTheUsualStep) {
  if (absent()) GTEST_SKIP() << "no example circuits under " << kExamples;
  // Measured: 0.016 ms at most. Backward Euler is up to 0.5 ms late at this step.
  expect_times(respond(perisomatic(), 0.025, kPerisomaticStart_mV, network::TimeScheme::second_order).spikes_ms,
               kPerisomaticConverged_ms, 0.025);
  // Twice the step: 0.12 ms at most.
  expect_times(respond(perisomatic(), 0.05, kPerisomaticStart_mV, network::TimeScheme::second_order).spikes_ms,
               kPerisomaticConverged_ms, 0.125);
}

TEST(AllActiveCell, FiresAtNeuronsTimesAtTheSameStep) {
  if (absent()) GTEST_SKIP() << "no example circuits under " << kExamples;
  const Response response = respond(all_active(), 0.025, -90);
  EXPECT_EQ(response.compartments, 286u);
  // 1e-4: the reference starts NaV from the published initial state, we from the stationary one.
  EXPECT_NEAR(response.V_100_mV, -82.66094, 1e-4);
  expect_times(response.spikes_ms, {127.725, 187.125, 245.225, 302.625, 359.875}, 1e-6);
}

TEST(AllActiveCell, SecondOrderMeetsTheVariableStepTimesAtTheUsualStep) {
  if (absent()) GTEST_SKIP() << "no example circuits under " << kExamples;
  // Measured: 0.022 ms at most. Backward Euler is up to 7 ms late at this step.
  expect_times(respond(all_active(), 0.025, -90, network::TimeScheme::second_order).spikes_ms,
               {127.5395, 184.6865, 241.2633, 297.1657, 352.9168}, 0.04);
}

}  // namespace
}  // namespace triscale

// Networks of multi-compartment cells, loaded unmodified, against reference spikes: those published with the circuit
// and those that NEURON 8.2.2 gives for the same circuit driven harder.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "detailed/simulate.hpp"
#include "io/hdf5.hpp"
#include "io/results.hpp"
#include "io/sonata.hpp"
#include "tests/detailed/circuits.hpp"
#include "tests/paths.hpp"

namespace triscale {
namespace {

const std::string kData = std::string(tests::shared_dir()) + "/data/";

using Trains = std::map<std::uint64_t, std::vector<double>>;  // by node id

Trains simulate(const std::string& config) {
  const io::LoadedCircuit loaded = io::load_sonata(kData + config);
  detailed::test::Trace trace;
  core::NoProgress progress;
  detailed::simulate(loaded.circuit, 0, trace, progress);
  Trains trains;
  for (const auto& spike : trace.spikes) {
    const network::Population& population = loaded.circuit.populations[spike.population];
    if (!population.is_virtual) trains[population.file_ids[spike.cell]].push_back(spike.t_ms);
  }
  return trains;
}

Trains reference(const std::string& file, const std::string& population) {
  const io::Hdf5File spikes = io::Hdf5File::open(kData + file);
  const auto times = spikes.read<double>("/spikes/" + population + "/timestamps");
  const auto ids = spikes.read<std::uint64_t>("/spikes/" + population + "/node_ids");
  Trains trains;
  for (std::size_t i = 0; i < times.size(); ++i) trains[ids[i]].push_back(times[i]);
  for (auto& [id, train] : trains) std::sort(train.begin(), train.end());
  return trains;
}

std::size_t count(const Trains& trains) {
  std::size_t n = 0;
  for (const auto& [id, train] : trains) n += train.size();
  return n;
}

/// Pairs of spikes of one cell within the tolerance, each spike used once.
std::size_t matches(const Trains& ours, const Trains& theirs, double tolerance_ms) {
  std::size_t matched = 0;
  for (const auto& [id, train] : theirs) {
    const auto found = ours.find(id);
    if (found == ours.end()) continue;
    std::size_t j = 0;
    for (const double t : train) {
      while (j < found->second.size() && found->second[j] < t - tolerance_ms) ++j;
      if (j < found->second.size() && found->second[j] <= t + tolerance_ms) ++matched, ++j;
    }
  }
  return matched;
}

// 0.3 ms is three steps of these runs. The published times carry rounding errors below 1e-6 ms, hence the small
// addition.
constexpr double kTolerance_ms = 0.3 + 1e-6;

TEST(V1Network, ReproducesThePublishedSpikesOneToOneAndNoneMore) {
  const std::string folder = "bmtk/examples/bio_300cells_nosurround/";
  if (!std::filesystem::exists(kData + folder)) GTEST_SKIP() << "no " << kData + folder;
  const Trains ours = simulate(folder + "config.simulation.json");
  const Trains theirs = reference(folder + "output/spikes.h5", "internal");
  ASSERT_EQ(count(theirs), 341u);
  EXPECT_EQ(matches(ours, theirs, kTolerance_ms), 341u);
  EXPECT_EQ(count(ours), 341u);
}

TEST(V1Network, DrivenHarderAgreesWithNeuronSpikeForSpike) {
  const std::string folder = "derived/v1_strong_drive/";
  if (!std::filesystem::exists(kData + folder)) GTEST_SKIP() << "no " << kData + folder;
  const Trains ours = simulate(folder + "config.simulation.json");
  const Trains theirs = reference(folder + "output/spikes.h5", "internal");
  ASSERT_EQ(count(theirs), 17802u);
  // Measured: 17802 of 17802, one spike more on the very last step.
  EXPECT_GE(matches(ours, theirs, kTolerance_ms), 17800u);
  EXPECT_NEAR(static_cast<double>(count(ours)), 17802.0, 4.0);
}

}  // namespace
}  // namespace triscale

/// The point model derived from the public V1 network, against the spikes that NEURON gives for the detailed one.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bridges/point/derive_point.hpp"
#include "io/sonata.hpp"
#include "pointneuron/simulate.hpp"
#include "tests/paths.hpp"

namespace triscale::bridges {
namespace {

class RateRecorder : public core::Recorder {
 public:
  explicit RateRecorder(std::size_t populations) : spikes(populations, 0.0) {}
  void record_spikes(std::size_t population, double, std::span<const std::uint32_t> cells) override {
    spikes[population] += static_cast<double>(cells.size());
  }
  void record_probe(std::size_t, double, std::span<const double>) override {}
  void record_rates(double, std::span<const double>) override {}
  std::vector<double> spikes;
};

TEST(DerivePoint, V1NetworkKeepsItsRates) {
  const std::filesystem::path config =
      std::filesystem::path(tests::shared_dir()) / "data/derived/v1_strong_drive/config.simulation.json";
  if (!std::filesystem::exists(config)) GTEST_SKIP() << "needs the shared V1 circuit";
  const network::Circuit circuit = io::load_sonata(config).circuit;
  network::Derivation derivation;
  core::NoProgress progress;
  const network::Circuit derived = derive_point(circuit, {}, 0, derivation, progress);
  RateRecorder recorder(derived.populations.size());
  pointneuron::simulate(derived, 0, recorder, progress);
  // Rates of the detailed network in NEURON 8.2.2, Hz. Rorb is the loosest: a few of its cells are in depolarisation
  // block, where the point model fires.
  const std::map<std::string, double> reference{
      {"Scnn1a", 5.28}, {"Rorb", 6.46}, {"Nr5a1", 4.43}, {"PV1", 2.38}, {"PV2", 13.85}};
  std::size_t compared = 0;
  for (std::size_t p = 0; p < derived.populations.size(); ++p) {
    const network::Population& population = derived.populations[p];
    const auto found = reference.find(population.name);
    if (population.is_virtual || found == reference.end()) continue;
    const double rate = recorder.spikes[p] / static_cast<double>(population.size) / derived.run.duration_ms * 1000;
    EXPECT_NEAR(rate / found->second, 1, 0.2) << population.name << " " << rate << " Hz";
    ++compared;
  }
  EXPECT_EQ(compared, 5u);
  for (const auto& [name, provenance] : derivation.point_cells) {
    EXPECT_LT(std::abs(provenance.fit_error.at("rate_relative")), 0.1) << name;
    EXPECT_LT(provenance.fit_error.at("V_unexplained_variance"), 0.25) << name;
  }
}

}  // namespace
}  // namespace triscale::bridges

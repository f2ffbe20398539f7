// Extracellular potential of the five-cell circuit against NEURON's membrane currents (i_membrane_) and a line-source
// matrix written separately: benchmarks/neuron/record_field.py made reference/field_neuron.json.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>

#include "bridges/fields/forward_models.hpp"
#include "core/recorder.hpp"
#include "detailed/simulate.hpp"
#include "io/sonata.hpp"
#include "tests/paths.hpp"

namespace triscale {
namespace {

class Rows : public core::NullRecorder {
 public:
  void record_field(std::size_t, double t_ms, std::span<const double> values) override {
    times_ms.push_back(t_ms);
    rows.emplace_back(values.begin(), values.end());
  }
  std::vector<double> times_ms;
  std::vector<std::vector<double>> rows;
};

TEST(FieldOfTheDetailedTier, EqualsNeuronsMembraneCurrentsTimesLineSources) {
  const std::filesystem::path shared = tests::shared_dir();
  const auto config = shared / "data/sonata/examples/5_cells_iclamp/simulation_config.json";
  if (!std::filesystem::exists(config)) GTEST_SKIP() << config << " is absent";
  std::ifstream file(std::filesystem::path(tests::source_dir()) / "tests/validation/reference/field_neuron.json");
  const auto reference = nlohmann::json::parse(file);

  io::LoadedCircuit loaded = io::load_sonata(config);
  ASSERT_EQ(loaded.circuit.field_probes.size(), 1u);
  loaded.circuit.run.duration_ms = 600;
  loaded.circuit.probes.clear();
  Rows rows;
  core::NoProgress progress;
  detailed::simulate(loaded.circuit, 0, rows, progress, bridges::forward_models(loaded.circuit));
  ASSERT_EQ(rows.rows.size(), 6000u);

  const auto channels = reference.at("channels").get<std::vector<std::size_t>>();  // ids, here also places
  const auto values = reference.at("ecp_mV").get<std::vector<std::vector<double>>>();
  std::vector<double> largest(channels.size()), error(channels.size());
  std::size_t row = reference.at("first_row").get<std::size_t>();
  for (const auto& expected : values) {
    for (std::size_t c = 0; c < channels.size(); ++c) {
      largest[c] = std::max(largest[c], std::abs(expected[c]));
      error[c] = std::max(error[c], std::abs(rows.rows[row][channels[c]] - expected[c]));
    }
    row += reference.at("rows_apart").get<std::size_t>();
  }
  for (std::size_t c = 0; c < channels.size(); ++c) {
    // Sums in single precision, and spikes that start at the same step with slightly different slopes.
    EXPECT_LT(error[c], 1e-4 * largest[c]) << "channel " << channels[c] << ", largest " << largest[c] << " mV";
    RecordProperty("channel_" + std::to_string(channels[c]), std::to_string(error[c] / largest[c]));
  }
}

}  // namespace
}  // namespace triscale

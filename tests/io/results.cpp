#include "io/results.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <filesystem>
#include <set>

#include "core/error.hpp"
#include "io/recorder.hpp"
#include "tests/paths.hpp"

namespace triscale::io {
namespace {

namespace fs = std::filesystem;

/// A folder of its own for each test.
class Results : public testing::Test {
 protected:
  Results() {
    folder_ = fs::path(testing::TempDir()) /
              (std::string("triscale_results_") + testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~Results() override { fs::remove_all(folder_); }
  fs::path folder_;
};

/// Two populations that share a population of the file with interleaved ids, one of its own, one virtual.
network::Circuit circuit() {
  network::Circuit c;
  c.cell_types.resize(1);
  c.populations.resize(4);
  c.populations[0].name = "exc";
  c.populations[0].size = 2;
  c.populations[0].file_population = "v1";
  c.populations[0].file_ids = {0, 2};
  c.populations[1].name = "inh";
  c.populations[1].size = 2;
  c.populations[1].file_population = "v1";
  c.populations[1].file_ids = {1, 7};
  c.populations[2].name = "silent";
  c.populations[2].size = 5;
  c.populations[3].name = "outside";
  c.populations[3].size = 10;
  c.populations[3].is_virtual = true;
  c.populations[3].source = network::PoissonTrains{{0, 50}, {10, 30}};
  c.run.duration_ms = 100;
  c.run.dt_ms = 0.1;
  return c;
}

void record(FileRecorder& recorder) {
  const std::uint32_t both[] = {0, 1}, second[] = {1};
  recorder.record_spikes(0, 10.1, both);
  recorder.record_spikes(1, 10.1, both);
  recorder.record_spikes(1, 20.3, second);
  recorder.record_spikes(0, 99.9, second);
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

TEST_F(Results, SpikesComeBackUnderTheNamesAndIdsOfTheFileSortedByTime) {
  const network::Circuit c = circuit();
  FileRecorder recorder(c, "detailed", folder_);
  record(recorder);
  recorder.finish();
  const auto tables = read_spikes(folder_ / "spikes.h5");
  ASSERT_EQ(tables.size(), 2u) << "the virtual population is not an output";
  EXPECT_EQ(tables.at("v1").times_ms, (std::vector<double>{10.1, 10.1, 10.1, 10.1, 20.3, 99.9}));
  EXPECT_EQ(tables.at("v1").node_ids, (std::vector<std::uint64_t>{0, 1, 2, 7, 7, 2}));
  EXPECT_TRUE(tables.at("silent").times_ms.empty());
}

TEST_F(Results, SpikeFileCarriesSonataAttributes) {
  const network::Circuit c = circuit();
  FileRecorder recorder(c, "point", folder_);
  record(recorder);
  recorder.finish();
  const Hdf5File file = Hdf5File::open(folder_ / "spikes.h5");
  EXPECT_EQ(file.attribute<std::uint32_t>("/", "magic"), (std::vector<std::uint32_t>{0x0A7A}));
  EXPECT_EQ(file.attribute<std::uint32_t>("/", "version"), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(file.string_attribute("/spikes/v1/timestamps", "units"), "ms");
  EXPECT_TRUE(file.has_attribute("/spikes/v1", "sorting"));
}

TEST_F(Results, RatesOfASpikingTierCountSpikesInBins) {
  const network::Circuit c = circuit();
  FileRecorder recorder(c, "detailed", folder_);
  record(recorder);
  recorder.finish();
  const auto tables = read_rates(folder_ / "rates.h5");
  ASSERT_EQ(tables.size(), 3u);
  const RateTable& exc = tables.at("exc");
  ASSERT_EQ(exc.times_ms.size(), 20u);
  EXPECT_DOUBLE_EQ(exc.times_ms[2], 12.5);
  EXPECT_DOUBLE_EQ(exc.rates_hz[2], 200) << "2 spikes of 2 cells in 5 ms";
  EXPECT_DOUBLE_EQ(exc.rates_hz[19], 100);
  EXPECT_DOUBLE_EQ(exc.rates_hz[0], 0);
}

TEST_F(Results, RatesOfTheMeanFieldTierAreTheSamples) {
  const network::Circuit c = circuit();
  FileRecorder recorder(c, "meanfield", folder_);
  for (int i = 0; i < 3; ++i) recorder.record_rates(i * 0.5, std::vector<double>{1.0 + i, 2.0, 3.0, 10.0});
  recorder.record_cell_rates(0, std::vector<double>{0.5, 3.5});
  recorder.finish();
  EXPECT_FALSE(fs::exists(folder_ / "spikes.h5")) << "this tier has no spikes";
  const auto tables = read_rates(folder_ / "rates.h5");
  EXPECT_EQ(tables.at("exc").times_ms, (std::vector<double>{0, 0.5, 1.0}));
  EXPECT_EQ(tables.at("exc").rates_hz, (std::vector<double>{1, 2, 3}));
  EXPECT_EQ(tables.at("exc").cell_rates_hz, (std::vector<double>{0.5, 3.5}));
  EXPECT_TRUE(tables.at("silent").cell_rates_hz.empty());
}

TEST_F(Results, NothingAppearsWithoutFinish) {
  network::Circuit c = circuit();
  c.probes.push_back({"v_exc", "v", 0, {}, network::Probe::Where::soma, 0, 1e300, 0});
  {
    FileRecorder recorder(c, "detailed", folder_);
    record(recorder);
    recorder.record_probe(0, 0.0, std::vector<double>{-70, -71});
  }
  EXPECT_EQ(files_in(folder_), 0u);
}

TEST_F(Results, AReportSaysWhatEveryColumnIs) {
  network::Circuit c = circuit();
  c.probes.push_back({"v_inh", "v", 1, {}, network::Probe::Where::soma, 0, 1e300, 0.5});
  FileRecorder recorder(c, "detailed", folder_);
  for (int i = 0; i < 1000; ++i) recorder.record_probe(0, i * 0.5, std::vector<double>{-70.0 + i, -60.0 - i});
  recorder.finish();
  const Hdf5File file = Hdf5File::open(folder_ / "v_inh.h5");
  EXPECT_EQ(file.shape("/report/v1/data"), (std::vector<std::size_t>{1000, 2}));
  const auto data = file.read<float>("/report/v1/data");
  EXPECT_FLOAT_EQ(data[2 * 999], -70.0f + 999);
  EXPECT_FLOAT_EQ(data[2 * 999 + 1], -60.0f - 999);
  EXPECT_EQ(file.string_attribute("/report/v1/data", "units"), "mV");
  EXPECT_EQ(file.read<std::uint64_t>("/report/v1/mapping/node_ids"), (std::vector<std::uint64_t>{1, 7}));
  EXPECT_EQ(file.read<std::uint64_t>("/report/v1/mapping/index_pointers"), (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(file.read<std::uint64_t>("/report/v1/mapping/index_pointer"), (std::vector<std::uint64_t>{0, 1, 2}));
  EXPECT_EQ(file.read<double>("/report/v1/mapping/time"), (std::vector<double>{0, 500, 0.5}));
  EXPECT_EQ(file.string_attribute("/report/v1/mapping/time", "units"), "ms");
}

TEST_F(Results, AReportOfAllCompartmentsKeepsSectionsAndPositions) {
  network::Circuit c = circuit();
  c.probes.push_back({"v_all", "cai", 0, {1}, network::Probe::Where::all_compartments, 0, 1e300, 0});
  FileRecorder recorder(c, "detailed", folder_);
  recorder.describe_elements(0, {{0, 3}, {0, 1, 1}, {0.5, 0.25, 0.75}});
  recorder.record_probe(0, 0.0, std::vector<double>{1, 2, 3});
  recorder.finish();
  const Hdf5File file = Hdf5File::open(folder_ / "v_all.h5");
  EXPECT_EQ(file.string_attribute("/report/v1/data", "units"), "mM");
  EXPECT_EQ(file.read<std::uint64_t>("/report/v1/mapping/node_ids"), (std::vector<std::uint64_t>{2}));
  EXPECT_EQ(file.read<std::uint32_t>("/report/v1/mapping/element_ids"), (std::vector<std::uint32_t>{0, 1, 1}));
  EXPECT_EQ(file.read<float>("/report/v1/mapping/element_pos"), (std::vector<float>{0.5f, 0.25f, 0.75f}));
}

TEST_F(Results, ASampleOfAnotherLengthIsAnError) {
  network::Circuit c = circuit();
  c.probes.push_back({"v", "v", 0, {1}, network::Probe::Where::all_compartments, 0, 1e300, 0});
  FileRecorder recorder(c, "detailed", folder_);
  recorder.record_probe(0, 0.0, std::vector<double>{1, 2, 3});
  EXPECT_THROW(recorder.record_probe(0, 0.1, std::vector<double>{1, 2}), core::InputError);
}

TEST_F(Results, AProbeCannotTakeTheNameOfAnotherResult) {
  network::Circuit c = circuit();
  c.probes.push_back({"spikes", "v", 0, {}, network::Probe::Where::soma, 0, 1e300, 0});
  EXPECT_THROW(FileRecorder(c, "detailed", folder_), core::InputError);
  c.probes[0].name = "../escape";
  EXPECT_THROW(FileRecorder(c, "detailed", folder_), core::InputError);
}

TEST_F(Results, RunManifestComesBackAsItWas) {
  RunManifest run;
  run.tier = "point";
  run.version = "0.1.0";
  run.config = "a \"quoted\" name.json";
  run.seed = 18446744073709551615ull;
  run.threads = 2;
  run.dt_ms = 0.1;
  run.simulated_ms = 3000;
  run.statistics = {300, 9000, 40000, 341, 0xfedcba9876543210ull, 0.25, 1.0 / 3};
  run.peak_memory_bytes = 123456789;
  run.populations = {{"E", 240, false, 1.0 / 7, std::nullopt}, {"outside", 100, true, 5.0, std::nullopt}};
  run.populations[0].rate_parameter_sd_hz = 0.125;
  write_run_manifest(folder_ / "run.json", run);
  const RunManifest back = read_run_manifest(folder_ / "run.json");
  EXPECT_EQ(back.tier, run.tier);
  EXPECT_EQ(back.config, run.config);
  EXPECT_EQ(back.seed, run.seed);
  EXPECT_EQ(back.statistics.edge_hash, run.statistics.edge_hash);
  EXPECT_EQ(back.statistics.wall_s, run.statistics.wall_s);
  EXPECT_EQ(back.realtime_factor(), run.realtime_factor());
  ASSERT_EQ(back.populations.size(), 2u);
  EXPECT_EQ(back.populations[0].rate_hz, run.populations[0].rate_hz);
  EXPECT_EQ(back.populations[0].cv_isi, std::nullopt);
  EXPECT_EQ(back.populations[0].rate_parameter_sd_hz, 0.125);
  EXPECT_EQ(back.populations[1].rate_parameter_sd_hz, std::nullopt);
  EXPECT_TRUE(back.populations[1].is_virtual);
}

TEST_F(Results, SummaryHasRatesOfPopulationsAndOfTheirSources) {
  network::Circuit c = circuit();
  FileRecorder recorder(c, "detailed", folder_);
  record(recorder);
  const auto summaries = summarise(c, recorder.activity());
  EXPECT_DOUBLE_EQ(*summaries[0].rate_hz, 3 / 0.1 / 2);
  EXPECT_DOUBLE_EQ(*summaries[2].rate_hz, 0);
  EXPECT_EQ(summaries[2].cv_isi, std::nullopt);
  EXPECT_DOUBLE_EQ(*summaries[3].rate_hz, 20) << "10 Hz for one half, 30 Hz for the other";
  c.populations[3].source = network::SpikeTrains{{-1, 5, 50, 100}, {0, 1, 2, 3}};
  EXPECT_DOUBLE_EQ(*summarise(c, recorder.activity())[3].rate_hz, 2 / 0.1 / 10) << "within the run only";
}

TEST_F(Results, ADamagedRunJsonIsAnInputError) {
  write_text_file(folder_ / "run.json", "{\"tier\": 3}");
  EXPECT_THROW(read_run_manifest(folder_ / "run.json"), core::InputError);
  EXPECT_THROW(read_run_manifest(folder_ / "absent.json"), core::InputError);
}

TEST(PublishedSpikes, AreReadable) {
  const fs::path found = fs::path(tests::shared_dir()) / "data/bmtk/examples/bio_300cells_nosurround/output/spikes.h5";
  if (!fs::exists(found)) GTEST_SKIP() << "no public test data at " << tests::shared_dir();
  std::size_t spikes = 0;
  for (const auto& [name, table] : read_spikes(found)) spikes += table.times_ms.size();
  EXPECT_EQ(spikes, 341u);
}

TEST_F(Results, PotentialsStandInTheFileOfTheFormat) {
  network::Circuit c = circuit();
  network::FieldProbe probe;
  probe.name = "lfp";
  probe.report = "ecp";
  probe.dt_ms = 0.5;
  network::ExtracellularPotential potential;
  potential.electrodes = {{3, {1, 2, 3}, 0, {}}, {5, {4, 5, 6}, 0, {}}};
  probe.signal = potential;
  c.field_probes = {probe};
  FileRecorder recorder(c, "detailed", folder_);
  recorder.record_field(0, 10.0, std::array<double, 2>{1e-3, 2e-3});
  recorder.record_field(0, 10.5, std::array<double, 2>{3e-3, -1.0 / 3.0});
  EXPECT_FALSE(fs::exists(folder_ / "ecp.h5")) << "nothing looks complete before the end";
  recorder.finish();
  const Hdf5File file = Hdf5File::open(folder_ / "ecp.h5");
  EXPECT_EQ(file.attribute<std::uint32_t>("/", "magic"), std::vector<std::uint32_t>{0x0A7A});
  EXPECT_EQ(file.shape("/ecp/data"), (std::vector<std::size_t>{2, 2}));
  EXPECT_EQ(file.read<double>("/ecp/data"), (std::vector<double>{1e-3, 2e-3, 3e-3, -1.0 / 3.0})) << "in f64";
  EXPECT_EQ(file.string_attribute("/ecp/data", "units"), "mV");
  EXPECT_EQ(file.read<std::uint64_t>("/ecp/channel_id"), (std::vector<std::uint64_t>{3, 5}));
  EXPECT_EQ(file.read<double>("/ecp/time"), (std::vector<double>{10, 11, 0.5}));
  EXPECT_EQ(file.string_attribute("/ecp/time", "units"), "ms");
  EXPECT_EQ(file.read<double>("/ecp/position_um"), (std::vector<double>{1, 2, 3, 4, 5, 6}));
}

/// Contributions of the two cells of "exc" and one of "inh" to two electrodes; value = 100 sample + 10 cell + channel.
network::Circuit circuit_with_contributions() {
  network::Circuit c = circuit();
  c.cell_types[0].detailed.emplace();
  network::FieldProbe probe;
  probe.name = "ecp";
  probe.dt_ms = 0.5;
  probe.contributions = {{1, {1}}, {0, {}}};
  probe.contributions_dir = "cells";
  network::ExtracellularPotential potential;
  potential.electrodes = {{3, {1, 2, 3}, 0, {}}, {5, {4, 5, 6}, 0, {}}};
  probe.signal = potential;
  c.field_probes = {probe};
  return c;
}
std::vector<float> contribution_sample(int sample) {
  std::vector<float> values;
  for (int cell = 0; cell < 3; ++cell) {
    for (int channel = 0; channel < 2; ++channel) {
      values.push_back(static_cast<float>(100 * sample + 10 * cell + channel));
    }
  }
  return values;
}

TEST_F(Results, ContributionsOfSingleCellsStandInFilesNamedByTheirNodes) {
  const network::Circuit c = circuit_with_contributions();
  // Blocks of one sample, of several with a shorter last one, and of all.
  for (const std::size_t block_bytes : {std::size_t{1}, std::size_t{72}, std::size_t{1} << 20}) {
    const fs::path folder = folder_ / std::to_string(block_bytes);
    ContributionFiles files(folder, c, c.field_probes[0], block_bytes);
    for (int sample = 0; sample < 7; ++sample) files.append(10 + 0.5 * sample, contribution_sample(sample));
    EXPECT_FALSE(fs::exists(folder)) << "nothing looks complete before the end";
    EXPECT_THROW(files.append(14, std::vector<float>(5)), core::InputError);
    files.finish(0.5);
    const std::vector<std::string> names{"0.h5", "2.h5", "7.h5"};  // by population, then cell
    EXPECT_EQ(contribution_files_of(c, c.field_probes[0]), names);
    for (int cell = 0; cell < 3; ++cell) {
      const Hdf5File file = Hdf5File::open(folder / names[static_cast<std::size_t>(cell)]);
      EXPECT_EQ(file.attribute<std::uint32_t>("/", "magic"), std::vector<std::uint32_t>{0x0A7A});
      ASSERT_EQ(file.shape("/ecp/data"), (std::vector<std::size_t>{7, 2}));
      std::vector<float> expected;
      for (int sample = 0; sample < 7; ++sample) {
        for (int channel = 0; channel < 2; ++channel) {
          expected.push_back(static_cast<float>(100 * sample + 10 * cell + channel));
        }
      }
      EXPECT_EQ(file.read<float>("/ecp/data"), expected) << block_bytes;
      EXPECT_EQ(file.string_attribute("/ecp/data", "units"), "mV");
      EXPECT_EQ(file.read<std::uint64_t>("/ecp/channel_id"), (std::vector<std::uint64_t>{3, 5}));
      EXPECT_EQ(file.read<double>("/ecp/time"), (std::vector<double>{10, 13.5, 0.5}));
      EXPECT_EQ(file.string_attribute("/ecp/time", "units"), "ms");
    }
  }
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder_)) left.insert(entry.path().filename());
  EXPECT_EQ(left, (std::set<std::string>{"1", "72", "1048576"})) << "what was waiting is gone";
}

TEST_F(Results, ContributionsOfSeveralNodePopulationsAreKeptApart) {
  network::Circuit c = circuit_with_contributions();
  c.populations[1].file_population = "lgn";
  EXPECT_EQ(contribution_files_of(c, c.field_probes[0]), (std::vector<std::string>{"v1_0.h5", "v1_2.h5", "lgn_7.h5"}));
  c.field_probes[0].contributions.clear();  // all cells that have a membrane
  EXPECT_EQ(contribution_files_of(c, c.field_probes[0]),
            (std::vector<std::string>{"v1_0.h5", "v1_2.h5", "lgn_1.h5", "lgn_7.h5", "silent_0.h5", "silent_1.h5",
                                      "silent_2.h5", "silent_3.h5", "silent_4.h5"}));
}

TEST_F(Results, ContributionsThatAreNotFinishedLeaveNothing) {
  const network::Circuit c = circuit_with_contributions();
  {
    FileRecorder recorder(c, "detailed", folder_);
    for (int sample = 0; sample < 3; ++sample)
      recorder.record_contributions(0, 0.5 * sample, contribution_sample(sample));
    EXPECT_FALSE(fs::is_empty(folder_)) << "they wait somewhere";
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(Results, ContributionsStandAloneInTheirFolder) {
  network::Circuit c = circuit_with_contributions();
  const auto refused = [&](const std::string& piece) {
    try {
      FileRecorder recorder(c, "detailed", folder_);
    } catch (const core::InputError& error) {
      EXPECT_NE(std::string(error.what()).find(piece), std::string::npos) << error.what();
      return true;
    }
    return false;
  };
  fs::create_directories(folder_ / "cells");
  write_text_file(folder_ / "cells" / "notes.txt", "mine");
  write_text_file(folder_ / "cells" / "7.h5", "of our cell");
  EXPECT_FALSE(refused("")) << "other files do not matter, and ours will be replaced";
  write_text_file(folder_ / "cells" / "12.h5", "of another run");
  EXPECT_TRUE(refused("12.h5"));
  for (const char* name : {"ecp.h5", "..", "a/b"}) {
    c.field_probes[0].contributions_dir = name;
    EXPECT_TRUE(refused("cannot be the name")) << name;
  }
}

TEST_F(Results, WeightsStandBesideTheirEdges) {
  network::Circuit c = circuit();
  network::SynapseType type;
  type.name = "plastic";
  type.point = network::CurrentSynapse{};
  c.synapse_types = {type};
  network::Projection projection;
  projection.name = "exc->inh/1";
  projection.target = 1;
  projection.connectivity = network::ExplicitEdges{{1, 0, 1}, {1, 0, 0}, {0.1, 0.2, 0.3}, {1, 1, 1}, {}};
  c.projections = {projection};
  c.weight_probes = {{"weights", 0, 0, 1e300, 50}};
  FileRecorder recorder(c, "point", folder_);
  recorder.record_weights(0, 0.0, std::array<double, 3>{0.2, 0.3, 0.1});
  recorder.record_weights(0, 50.0, std::array<double, 3>{0.25, 0.3, 1.0 / 3.0});
  EXPECT_FALSE(fs::exists(folder_ / "weights.h5")) << "nothing looks complete before the end";
  recorder.finish();
  const Hdf5File file = Hdf5File::open(folder_ / "weights.h5");
  const std::string group = "/weights/exc->inh_1";
  EXPECT_EQ(file.string_attribute(group, "source_population"), "v1");
  // By target: cell 0 (id 1) has the sources 0 (id 0) and 1 (id 2), cell 1 (id 7) the source 1.
  EXPECT_EQ(file.read<std::uint64_t>(group + "/source"), (std::vector<std::uint64_t>{0, 2, 2}));
  EXPECT_EQ(file.read<std::uint64_t>(group + "/target"), (std::vector<std::uint64_t>{1, 1, 7}));
  EXPECT_EQ(file.read<double>(group + "/time"), (std::vector<double>{0, 50}));
  EXPECT_EQ(file.read<double>(group + "/weight"), (std::vector<double>{0.2, 0.3, 0.1, 0.25, 0.3, 1.0 / 3.0}));
  EXPECT_EQ(file.string_attribute(group + "/weight", "units"), "nA");
  c.weight_probes[0].name = "spikes";
  EXPECT_THROW(FileRecorder(c, "point", folder_), core::InputError);
}

TEST_F(Results, FieldFileMustHaveANameOfItsOwn) {
  network::Circuit c = circuit();
  network::FieldProbe probe;
  probe.name = "a";
  c.field_probes = {probe, probe};
  EXPECT_THROW(FileRecorder(c, "detailed", folder_), core::InputError);
  probe.report = "spikes";
  c.field_probes = {probe};
  EXPECT_THROW(FileRecorder(c, "detailed", folder_), core::InputError);
}

}  // namespace
}  // namespace triscale::io

/// The result files of a run: spikes.h5 and membrane reports (SONATA), rates.h5, run.json. Each appears under its final
/// name only when it is complete.
///
/// spikes.h5: /spikes/<population>/{timestamps f64 [ms], node_ids u64}, attribute `sorting` (enumeration none, by_id,
///   by_time) = by_time. Populations and node ids are those of the file that the circuit came from; every population
///   that is not virtual has a group, even without spikes.
/// rates.h5:  /rates/<population>/{time_ms, rate_hz}, by the circuit's own population names; of the mean-field tier
///   also cell_rate_hz, the mean rate expected of every cell.
/// report:    /report/<population>/data f32 (times x elements), mapping/{node_ids, index_pointers (and index_pointer,
///   the Allen name), element_ids, element_pos, time}; the length of index_pointers is cells + 1.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/recorder.hpp"
#include "io/hdf5.hpp"
#include "io/sample_file.hpp"
#include "measure/activity.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// Spikes of one population of a file, by time, then by node id.
struct SpikeTable {
  std::vector<double> times_ms;
  std::vector<std::uint64_t> node_ids;
};

/// The name under which a population's cells stand in result files, and the id of one of them.
const std::string& file_population_of(const network::Population& population);
std::uint64_t file_id_of(const network::Population& population, std::size_t cell);

/// SONATA's mark and version, as attributes of the root.
void write_root_attributes(Hdf5File& file);

/// `activity.populations` are those of the circuit, in its order.
void write_spikes(const std::filesystem::path& path, const network::Circuit& circuit,
                  const measure::Activity& activity);

/// Reads spikes.h5 back; also any SONATA spike file.
std::map<std::string, SpikeTable> read_spikes(const std::filesystem::path& path);

/// Rates as sampled by the mean-field tier; for spiking tiers spikes per cell in bins, at the middle of each bin.
void write_rates(const std::filesystem::path& path, const measure::Activity& activity, double bin_ms = 5.0);

struct RateTable {
  std::vector<double> times_ms, rates_hz;
  std::vector<double> cell_rates_hz;  ///< empty if the file has none
};
std::map<std::string, RateTable> read_rates(const std::filesystem::path& path);

// ---------------------------------------------------------------------------------------------------- reports --------

/// What the columns of a report mean: the elements (compartments) of each recorded cell.
struct ReportElements {
  std::vector<std::uint64_t> first;     ///< cells + 1 entries: where the elements of a cell begin
  std::vector<std::uint32_t> sections;  ///< per element
  std::vector<double> positions;        ///< per element, 0..1 on the section
};
/// One element a cell, the middle of the soma.
ReportElements soma_elements(std::size_t cells);

/// Ids of the cells of a probe in the file that they came from.
std::vector<std::uint64_t> node_ids_of(const network::Population& population, const network::Probe& probe);

/// A membrane report that grows while a run goes on; memory stays constant.
class ReportWriter {
 public:
  /// One entry of `elements.first` a node, and one more.
  ReportWriter(const std::filesystem::path& path, const std::string& population,
               const std::vector<std::uint64_t>& node_ids, const std::string& variable, const ReportElements& elements);
  void append(double t_ms, std::span<const double> values);
  /// Writes what is buffered and gives the file its name. `dt_ms` is used where fewer than two samples were taken.
  void finish(double dt_ms);

 private:
  std::string group_;
  SampleFile<float> file_;
};

// --------------------------------------------------------------------------------------------------- run.json --------

/// One population in run.json. A rate or CV that the run cannot give is left empty and written as null.
struct PopulationSummary {
  std::string name;
  std::uint64_t cells = 0;
  bool is_virtual = false;
  std::optional<double> rate_hz, cv_isi;
  /// Where its cells stand in spikes.h5: the population there, and their node ids, in the order of the cells, as runs
  /// {first, one past last}. Empty: the own name, ids 0..cells-1.
  std::string file_population{};
  std::vector<std::array<std::uint64_t, 2>> node_ids{};
  std::optional<double> rate_parameter_sd_hz{};  ///< of the rate, by the derived parameters; where known
};

/// run.json: what ran, how, and what it cost.
struct RunManifest {
  std::string tier, version, config;
  std::uint64_t seed = 0;
  std::uint64_t threads = 1;
  double dt_ms = 0, simulated_ms = 0;
  std::string scheme;  ///< how the detailed tier advanced time; empty for the other tiers
  core::RunStatistics statistics;
  std::uint64_t peak_memory_bytes = 0;
  std::vector<PopulationSummary> populations;
  std::vector<std::string> warnings;  ///< of the run, as printed

  /// Wall time over simulated time; 0 if nothing was simulated.
  double realtime_factor() const { return simulated_ms > 0 ? 1000.0 * statistics.wall_s / simulated_ms : 0.0; }
};

/// Rate and CV of every population over the whole run. A virtual population has the rate of its source.
std::vector<PopulationSummary> summarise(const network::Circuit& circuit, const measure::Activity& activity);

/// The largest memory that this process has held so far.
std::uint64_t peak_memory_bytes();

/// `edge_hash` is written as 16 hexadecimal digits, because JSON readers hold numbers as doubles.
void write_run_manifest(const std::filesystem::path& path, const RunManifest& manifest);
RunManifest read_run_manifest(const std::filesystem::path& path);

}  // namespace triscale::io

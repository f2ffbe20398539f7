/// Writes what a run records: spikes and rates are kept in memory, probe samples go to their report files as they come.
/// finish() writes the files; without it (an interrupted run) none of them appears.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "core/recorder.hpp"
#include "io/contribution_files.hpp"
#include "io/field_results.hpp"
#include "io/results.hpp"
#include "io/weight_results.hpp"
#include "measure/activity.hpp"
#include "measure/activity_recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::io {

/// An activity without spikes for the populations of a circuit. `tier`: detailed, point or meanfield.
measure::Activity empty_activity(const network::Circuit& circuit, const std::string& tier);

/// Report file of a probe, without folder: <report>.h5, or <report>_<population>.h5 where the report's probes are of
/// several populations of the file the circuit came from.
std::string report_file_of(const network::Circuit& circuit, std::size_t probe);

class FileRecorder : public core::Recorder {
 public:
  /// `circuit` must outlive the recorder. A probe goes to <folder>/<its report>.h5.
  FileRecorder(const network::Circuit& circuit, const std::string& tier, std::filesystem::path folder);

  /// The elements of a probe of all compartments. Without it such a report numbers the elements of a cell 0, 1, 2, ...
  /// as element_ids, all at position 0.5.
  void describe_elements(std::size_t probe, ReportElements elements);

  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override;
  void record_probe(std::size_t probe, double t_ms, std::span<const double> values) override;
  void record_field(std::size_t probe, double t_ms, std::span<const double> values) override;
  void record_contributions(std::size_t probe, double t_ms, std::span<const float> values) override;
  void record_weights(std::size_t probe, double t_ms, std::span<const double> weights) override;
  void record_rates(double t_ms, std::span<const double> rates_hz) override;
  void record_cell_rates(std::size_t population, std::span<const double> rates_hz) override;

  /// Writes spikes.h5 (spiking tiers), rates.h5 and the files of all probes that got samples.
  void finish();

  const measure::Activity& activity() const { return recorder_.activity(); }

 private:
  ReportElements elements_of(std::size_t probe, std::size_t columns);
  void require_own_folder(const network::FieldProbe& probe, std::set<std::filesystem::path>& taken) const;

  const network::Circuit& circuit_;
  std::filesystem::path folder_;
  measure::ActivityRecorder recorder_;
  std::map<std::size_t, ReportElements> elements_;

  /// The probes that share a report file. Their samples of one time come one after the other and make one row.
  struct Report {
    std::filesystem::path path;
    std::vector<std::size_t> probes;
    double t_ms = 0;  // of the row
    std::map<std::size_t, std::vector<double>> row;
    std::unique_ptr<ReportWriter> writer;
  };
  void write_row(Report& report);

  std::vector<Report> reports_;
  std::vector<std::size_t> report_of_;                             // of each probe
  std::vector<std::unique_ptr<FieldWriter>> fields_;               // of each field probe; made with its first sample
  std::vector<std::unique_ptr<ContributionFiles>> contributions_;  // likewise
  std::vector<std::unique_ptr<WeightWriter>> weights_;             // of each weight probe, likewise
};

}  // namespace triscale::io

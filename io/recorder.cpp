#include "io/recorder.hpp"

#include <fmt/format.h>

#include <set>

#include "core/error.hpp"

namespace triscale::io {

measure::Activity empty_activity(const network::Circuit& circuit, const std::string& tier) {
  measure::Activity activity;
  activity.tier = tier;
  activity.kind = tier == "meanfield" ? measure::Activity::Kind::rates : measure::Activity::Kind::spikes;
  activity.duration_ms = circuit.run.duration_ms;
  for (const network::Population& population : circuit.populations) {
    measure::PopulationActivity entry;
    entry.name = population.name;
    entry.cells = population.size;
    entry.is_virtual = population.is_virtual;
    for (const network::Placement& place : population.placements) {
      entry.positions_um.push_back({place.x_um, place.y_um, place.z_um});
    }
    activity.populations.push_back(std::move(entry));
  }
  return activity;
}

namespace {
const std::string& report_name(const network::Probe& probe) {
  return probe.report.empty() ? probe.name : probe.report;
}
}  // namespace

std::string report_file_of(const network::Circuit& circuit, std::size_t probe) {
  const std::string& name = report_name(circuit.probes[probe]);
  const std::string own = file_population_of(circuit.populations[circuit.probes[probe].population]);
  for (const network::Probe& other : circuit.probes) {
    if (report_name(other) == name && file_population_of(circuit.populations[other.population]) != own) {
      return name + "_" + own + ".h5";
    }
  }
  return name + ".h5";
}

FileRecorder::FileRecorder(const network::Circuit& circuit, const std::string& tier, std::filesystem::path folder)
    : circuit_(circuit), folder_(std::move(folder)), recorder_(empty_activity(circuit, tier)) {
  for (std::size_t k = 0; k < circuit.probes.size(); ++k) {
    const std::string& name = report_name(circuit.probes[k]);
    if (name.empty() || name == "spikes" || name == "rates" || name.find('/') != std::string::npos) {
      throw core::InputError({"", fmt::format("probes.{}", circuit.probes[k].name), name,
                              "cannot be the name of a report file beside spikes.h5 and rates.h5", "rename it"});
    }
    const std::filesystem::path path = folder_ / report_file_of(circuit, k);
    std::size_t at = 0;
    while (at < reports_.size() && reports_[at].path != path) ++at;
    if (at == reports_.size()) reports_.push_back({path, {}, 0, {}, nullptr});
    reports_[at].probes.push_back(k);
    report_of_.push_back(at);
  }
  fields_.resize(circuit.field_probes.size());
  contributions_.resize(circuit.field_probes.size());
  std::set<std::filesystem::path> taken = {folder_ / "spikes.h5", folder_ / "rates.h5"};
  for (const Report& report : reports_) taken.insert(report.path);
  weights_.resize(circuit.weight_probes.size());
  for (const network::WeightProbe& probe : circuit.weight_probes) {
    const std::string name = probe.name + ".h5";
    if (name.find('/') == std::string::npos && taken.insert(folder_ / name).second) continue;
    throw core::InputError({"", fmt::format("weight_probes.{}", probe.name), name,
                            "cannot be the name of a result file, or is that of another one", "rename it"});
  }
  for (const network::FieldProbe& probe : circuit.field_probes) {
    const std::string name = field_file_of(probe);
    if (name.find('/') == std::string::npos && taken.insert(folder_ / name).second) continue;
    throw core::InputError({"", fmt::format("field_probes.{}", probe.name), name,
                            "cannot be the name of a result file, or is that of another one", "rename it"});
  }
  for (const network::FieldProbe& probe : circuit.field_probes) {
    if (!probe.contributions_dir.empty()) require_own_folder(probe, taken);
  }
}

/// A folder for the contributions of single cells in which nothing else can be taken for one.
void FileRecorder::require_own_folder(const network::FieldProbe& probe, std::set<std::filesystem::path>& taken) const {
  const std::string& name = probe.contributions_dir;
  const std::filesystem::path folder = folder_ / name;
  const auto error = [&](const std::string& rule, const std::string& hint) {
    throw core::InputError({"", fmt::format("field_probes.{}.contributions_dir", probe.name), name, rule, hint});
  };
  if (name.find('/') != std::string::npos || name == "." || name == ".." || !taken.insert(folder).second) {
    error("cannot be the name of a folder of results, or is that of another result", "rename it");
  }
  const std::vector<std::string> own = contribution_files_of(circuit_, probe);
  const std::set<std::string> names(own.begin(), own.end());
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() != ".h5" || names.contains(entry.path().filename().string())) continue;
    error("holds files of another run, such as " + entry.path().filename().string(),
          "remove them, or name another folder");
  }
}

void FileRecorder::record_contributions(std::size_t probe, double t_ms, std::span<const float> values) {
  std::unique_ptr<ContributionFiles>& files = contributions_.at(probe);
  const network::FieldProbe& field = circuit_.field_probes[probe];
  if (!files) files = std::make_unique<ContributionFiles>(folder_ / field.contributions_dir, circuit_, field);
  files->append(t_ms, values);
}

void FileRecorder::record_field(std::size_t probe, double t_ms, std::span<const double> values) {
  std::unique_ptr<FieldWriter>& writer = fields_.at(probe);
  const network::FieldProbe& field = circuit_.field_probes[probe];
  if (!writer) writer = std::make_unique<FieldWriter>(folder_ / field_file_of(field), field);
  writer->append(t_ms, values);
}

void FileRecorder::record_weights(std::size_t probe, double t_ms, std::span<const double> weights) {
  std::unique_ptr<WeightWriter>& writer = weights_.at(probe);
  const network::WeightProbe& p = circuit_.weight_probes[probe];
  if (!writer) writer = std::make_unique<WeightWriter>(folder_ / (p.name + ".h5"), circuit_, p);
  writer->append(t_ms, weights);
}

void FileRecorder::describe_elements(std::size_t probe, ReportElements elements) {
  elements_[probe] = std::move(elements);
}

void FileRecorder::record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) {
  recorder_.record_spikes(population, t_ms, cells);
}

void FileRecorder::record_rates(double t_ms, std::span<const double> rates_hz) {
  recorder_.record_rates(t_ms, rates_hz);
}

void FileRecorder::record_cell_rates(std::size_t population, std::span<const double> rates_hz) {
  recorder_.record_cell_rates(population, rates_hz);
}

ReportElements FileRecorder::elements_of(std::size_t probe, std::size_t columns) {
  const auto described = elements_.find(probe);
  if (described != elements_.end()) return described->second;
  const network::Probe& p = circuit_.probes[probe];
  const std::size_t cells = p.cells.empty() ? circuit_.populations.at(p.population).size : p.cells.size();
  if (columns == cells) return soma_elements(cells);
  // Cells of one population have one shape, hence equally many elements.
  if (cells == 0 || columns % cells != 0) {
    throw core::InputError({"", fmt::format("probes.{}", p.name), fmt::format("{} values", columns),
                            fmt::format("must be a multiple of the {} recorded cells", cells), ""});
  }
  ReportElements elements;
  const std::size_t per_cell = columns / cells;
  for (std::size_t cell = 0; cell <= cells; ++cell) elements.first.push_back(cell * per_cell);
  for (std::size_t i = 0; i < columns; ++i) elements.sections.push_back(static_cast<std::uint32_t>(i % per_cell));
  elements.positions.assign(columns, 0.5);
  return elements;
}

void FileRecorder::record_probe(std::size_t probe, double t_ms, std::span<const double> values) {
  Report& report = reports_[report_of_.at(probe)];
  // A tier may record only some of a report's probes: a row ends when it is full or when one of its probes comes again.
  if (report.row.contains(probe)) write_row(report);
  report.t_ms = t_ms;
  report.row[probe].assign(values.begin(), values.end());
  if (report.row.size() == report.probes.size()) write_row(report);
}

void FileRecorder::write_row(Report& report) {
  if (!report.writer) {
    ReportElements all{{0}, {}, {}};
    std::vector<std::uint64_t> node_ids;
    for (const auto& [probe, values] : report.row) {
      const network::Population& population = circuit_.populations[circuit_.probes[probe].population];
      const auto ids = node_ids_of(population, circuit_.probes[probe]);
      node_ids.insert(node_ids.end(), ids.begin(), ids.end());
      const ReportElements elements = elements_of(probe, values.size());
      const std::uint64_t begin = all.first.back();
      for (std::size_t i = 1; i < elements.first.size(); ++i) all.first.push_back(begin + elements.first[i]);
      all.sections.insert(all.sections.end(), elements.sections.begin(), elements.sections.end());
      all.positions.insert(all.positions.end(), elements.positions.begin(), elements.positions.end());
    }
    const network::Probe& first = circuit_.probes[report.row.begin()->first];
    report.writer = std::make_unique<ReportWriter>(
        report.path, file_population_of(circuit_.populations[first.population]), node_ids, first.variable, all);
  }
  std::vector<double> row;
  for (const auto& [probe, values] : report.row) row.insert(row.end(), values.begin(), values.end());
  report.row.clear();
  report.writer->append(report.t_ms, row);
}

void FileRecorder::finish() {
  if (activity().kind == measure::Activity::Kind::spikes) write_spikes(folder_ / "spikes.h5", circuit_, activity());
  write_rates(folder_ / "rates.h5", activity());
  for (Report& report : reports_) {
    if (!report.row.empty()) write_row(report);
    if (!report.writer) continue;
    const double dt_ms = circuit_.probes[report.probes.front()].dt_ms;
    report.writer->finish(dt_ms > 0 ? dt_ms : circuit_.run.dt_ms);
  }
  reports_.clear();
  for (std::size_t k = 0; k < fields_.size(); ++k) {
    const double dt_ms = circuit_.field_probes[k].dt_ms;
    if (fields_[k]) fields_[k]->finish(dt_ms > 0 ? dt_ms : circuit_.run.dt_ms);
    if (contributions_[k]) contributions_[k]->finish(dt_ms > 0 ? dt_ms : circuit_.run.dt_ms);
  }
  fields_.clear();
  contributions_.clear();
  for (const auto& writer : weights_) {
    if (writer) writer->finish();
  }
  weights_.clear();
}

}  // namespace triscale::io

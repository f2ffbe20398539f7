#include "io/recorder.hpp"

#include <fmt/format.h>

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
    activity.populations.push_back(std::move(entry));
  }
  return activity;
}

FileRecorder::FileRecorder(const network::Circuit& circuit, const std::string& tier, std::filesystem::path folder)
    : circuit_(circuit), folder_(std::move(folder)), recorder_(empty_activity(circuit, tier)) {
  for (const network::Probe& probe : circuit.probes) {
    const bool usable = probe.name != "spikes" && probe.name != "rates" && probe.name.find('/') == std::string::npos;
    if (usable) continue;
    throw core::InputError({"", fmt::format("probes.{}", probe.name), probe.name,
                            "cannot be the name of a report file beside spikes.h5 and rates.h5", "rename the probe"});
  }
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
  auto& report = reports_[probe];
  if (!report) {
    const network::Probe& p = circuit_.probes.at(probe);
    report = std::make_unique<ReportWriter>(folder_ / (p.name + ".h5"), circuit_.populations.at(p.population), p,
                                            elements_of(probe, values.size()));
  }
  report->append(t_ms, values);
}

void FileRecorder::finish() {
  if (activity().kind == measure::Activity::Kind::spikes) write_spikes(folder_ / "spikes.h5", circuit_, activity());
  write_rates(folder_ / "rates.h5", activity());
  for (auto& [probe, report] : reports_) {
    const double dt_ms = circuit_.probes[probe].dt_ms;
    report->finish(dt_ms > 0 ? dt_ms : circuit_.run.dt_ms);
  }
  reports_.clear();
}

}  // namespace triscale::io

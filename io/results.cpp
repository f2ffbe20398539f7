#include "io/results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "measure/spike_statistics.hpp"

namespace triscale::io {

const std::string& file_population_of(const network::Population& population) {
  return population.file_population.empty() ? population.name : population.file_population;
}

namespace {

/// SONATA's mark of its files and the version of the format.
constexpr std::array<std::uint32_t, 1> kMagic{0x0A7A};
constexpr std::array<std::uint32_t, 2> kVersion{0, 1};

/// Sorts by time, then by node id.
SpikeTable sorted(const SpikeTable& table) {
  std::vector<std::size_t> order(table.times_ms.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return table.times_ms[a] != table.times_ms[b] ? table.times_ms[a] < table.times_ms[b]
                                                  : table.node_ids[a] < table.node_ids[b];
  });
  SpikeTable result;
  for (const std::size_t i : order) {
    result.times_ms.push_back(table.times_ms[i]);
    result.node_ids.push_back(table.node_ids[i]);
  }
  return result;
}

}  // namespace

void write_root_attributes(Hdf5File& file) {
  file.write_attribute<std::uint32_t>("/", "magic", kMagic);
  file.write_attribute<std::uint32_t>("/", "version", kVersion);
}

std::uint64_t file_id_of(const network::Population& population, std::size_t cell) {
  return population.file_ids.empty() ? cell : population.file_ids.at(cell);
}

void write_spikes(const std::filesystem::path& path, const network::Circuit& circuit,
                  const measure::Activity& activity) {
  std::map<std::string, SpikeTable> tables;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    if (population.is_virtual) continue;
    const measure::PopulationActivity& spikes = activity.populations.at(p);
    SpikeTable& table = tables[file_population_of(population)];
    for (std::size_t i = 0; i < spikes.spike_times_ms.size(); ++i) {
      table.times_ms.push_back(spikes.spike_times_ms[i]);
      table.node_ids.push_back(file_id_of(population, spikes.spike_cells.at(i)));
    }
  }
  AtomicFile place(path);
  Hdf5File file = Hdf5File::create(place.temporary());
  write_root_attributes(file);
  file.make_group("/spikes");
  for (const auto& [name, unsorted] : tables) {
    const SpikeTable table = sorted(unsorted);
    const std::string group = "/spikes/" + name;
    file.make_group(group);
    file.write_enum_attribute(group, "sorting", {"none", "by_id", "by_time"}, 2);
    file.write(group + "/timestamps", table.times_ms);
    file.write_attribute(group + "/timestamps", "units", "ms");
    file.write(group + "/node_ids", table.node_ids);
  }
  file.close();
  place.commit();
}

std::map<std::string, SpikeTable> read_spikes(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  std::map<std::string, SpikeTable> tables;
  for (const std::string& name : file.children("/spikes")) {
    const std::string group = "/spikes/" + name;
    if (!file.is_group(group)) continue;
    SpikeTable table{file.read<double>(group + "/timestamps"), file.read<std::uint64_t>(group + "/node_ids")};
    if (table.times_ms.size() != table.node_ids.size()) {
      throw core::InputError({file.name(), group,
                              fmt::format("{} and {}", table.times_ms.size(), table.node_ids.size()),
                              "must have as many timestamps as node_ids", ""});
    }
    tables[name] = sorted(table);
  }
  return tables;
}

void write_rates(const std::filesystem::path& path, const measure::Activity& activity, double bin_ms) {
  AtomicFile place(path);
  Hdf5File file = Hdf5File::create(place.temporary());
  file.make_group("/rates");
  for (const measure::PopulationActivity& population : activity.populations) {
    const bool sampled = activity.kind == measure::Activity::Kind::rates;
    if (population.is_virtual && population.rates_hz.empty()) continue;
    RateTable table{population.rate_times_ms, population.rates_hz, {}};
    if (!sampled) {
      table = {};
      table.rates_hz = measure::rate_time_course_hz(population, activity.kind, {0, activity.duration_ms}, bin_ms);
      for (std::size_t i = 0; i < table.rates_hz.size(); ++i) {
        table.times_ms.push_back((static_cast<double>(i) + 0.5) * bin_ms);
      }
    }
    const std::string group = "/rates/" + population.name;
    file.make_group(group);
    file.write(group + "/time_ms", table.times_ms);
    file.write_attribute(group + "/time_ms", "units", "ms");
    file.write(group + "/rate_hz", table.rates_hz);
    if (!population.cell_rates_hz.empty()) file.write(group + "/cell_rate_hz", population.cell_rates_hz);
    file.write_attribute(group + "/rate_hz", "units", "Hz");
    if (!sampled) file.write_attribute<double>(group + "/rate_hz", "bin_ms", std::array<double, 1>{bin_ms});
  }
  file.close();
  place.commit();
}

std::map<std::string, RateTable> read_rates(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open(path);
  std::map<std::string, RateTable> tables;
  for (const std::string& name : file.children("/rates")) {
    const std::string group = "/rates/" + name;
    RateTable& table = tables[name];
    table.times_ms = file.read<double>(group + "/time_ms");
    table.rates_hz = file.read<double>(group + "/rate_hz");
    if (file.exists(group + "/cell_rate_hz")) table.cell_rates_hz = file.read<double>(group + "/cell_rate_hz");
  }
  return tables;
}

// ---------------------------------------------------------------------------------------------------- reports --------

namespace {

/// Unit of a recorded variable; "1" for gates and other pure numbers.
std::string unit_of(const std::string& variable) {
  static const std::map<std::string, std::string> kUnits = {
      {"v", "mV"}, {"cai", "mM"}, {"i_membrane", "nA"}, {"w", "nA"}};
  const auto unit = kUnits.find(variable);
  return unit == kUnits.end() ? "1" : unit->second;
}

}  // namespace

ReportElements soma_elements(std::size_t cells) {
  ReportElements elements;
  for (std::size_t cell = 0; cell <= cells; ++cell) elements.first.push_back(cell);
  elements.sections.assign(cells, 0);
  elements.positions.assign(cells, 0.5);
  return elements;
}

std::vector<std::uint64_t> node_ids_of(const network::Population& population, const network::Probe& probe) {
  std::vector<std::uint64_t> node_ids;
  const std::size_t cells = probe.cells.empty() ? population.size : probe.cells.size();
  for (std::size_t i = 0; i < cells; ++i) {
    node_ids.push_back(file_id_of(population, probe.cells.empty() ? i : probe.cells[i]));
  }
  return node_ids;
}

ReportWriter::ReportWriter(const std::filesystem::path& path, const std::string& population,
                           const std::vector<std::uint64_t>& node_ids, const std::string& variable,
                           const ReportElements& elements)
    : group_("/report/" + population), file_(path, group_ + "/data", elements.sections.size()) {
  const std::size_t cells = node_ids.size(), columns = elements.sections.size();
  if (elements.first.size() != cells + 1 || elements.first.back() != columns || elements.positions.size() != columns) {
    throw core::InputError({path.string(), "report elements", fmt::format("{} for {} cells", columns, cells),
                            "must have the elements of every recorded cell", ""});
  }
  const std::string mapping = group_ + "/mapping";
  Hdf5File& file = file_.file();
  file.make_group(mapping);
  file.write(mapping + "/node_ids", node_ids);
  const std::array<std::uint32_t, 1> is_sorted{std::is_sorted(node_ids.begin(), node_ids.end()) ? 1u : 0u};
  file.write_attribute<std::uint32_t>(mapping + "/node_ids", "sorted", is_sorted);
  file.write(mapping + "/index_pointers", elements.first);
  file.write(mapping + "/index_pointer", elements.first);
  file.write(mapping + "/element_ids", elements.sections);
  file.write(mapping + "/element_pos", std::vector<float>(elements.positions.begin(), elements.positions.end()));
  file.write_attribute(group_ + "/data", "units", unit_of(variable));
  file.write_attribute(group_ + "/data", "variable", variable);
}

void ReportWriter::append(double t_ms, std::span<const double> values) {
  file_.append(t_ms, values);
}

void ReportWriter::finish(double dt_ms) {
  file_.finish(group_ + "/mapping/time", file_.regular_times(file_.interval_ms(dt_ms)));
}

}  // namespace triscale::io

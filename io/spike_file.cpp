#include "io/spike_file.hpp"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "io/csv.hpp"
#include "io/hdf5.hpp"
#include "io/many_problems.hpp"
#include "io/sonata_config.hpp"

namespace triscale::io {
namespace {

double milliseconds_per(const std::string& unit, const std::string& file, const std::string& place) {
  if (unit == "ms" || unit == "milliseconds") return 1.0;
  if (unit == "s" || unit == "seconds") return 1000.0;
  throw core::InputError({file, place, unit, "must be ms or s", ""});
}

FileSpikes read_spike_group(const Hdf5File& file, const std::string& path, const std::string& ids) {
  FileSpikes spikes;
  const std::string times = path + "/timestamps";
  spikes.times_ms = file.read<double>(times);
  spikes.ids = file.read<std::uint64_t>(path + "/" + ids);
  if (spikes.times_ms.size() != spikes.ids.size()) {
    throw core::InputError({file.name(), path, "", "must have as many timestamps as " + ids, ""});
  }
  if (file.has_attribute(times, "units")) {
    const double factor = milliseconds_per(file.string_attribute(times, "units"), file.name(), times + "@units");
    for (double& t : spikes.times_ms) t *= factor;
  }
  return spikes;
}

SpikesByPopulation read_spikes_h5(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  const Hdf5File file = Hdf5File::open(path);
  check_magic(file, diagnostics);
  SpikesByPopulation result;
  if (file.exists("/spikes/timestamps")) {  // files from before populations had names
    result[""] = read_spike_group(file, "/spikes", file.exists("/spikes/node_ids") ? "node_ids" : "gids");
    return result;
  }
  for (const std::string& name : file.children("/spikes")) {
    result[name] = read_spike_group(file, "/spikes/" + name, "node_ids");
  }
  return result;
}

SpikesByPopulation read_spikes_csv(const std::filesystem::path& path, core::Diagnostics& diagnostics) {
  SpikesByPopulation result;
  CsvTable table = read_csv(path, diagnostics);
  if (table.columns.size() == 1) table = read_csv(path, diagnostics, ',');
  const std::string id_column = table.column("node_ids") ? "node_ids" : "gids";
  for (const std::string& name : {std::string("timestamps"), id_column}) {
    if (table.column(name)) continue;
    diagnostics.error(
        {table.file, "header", "", "must have a column " + name, "columns: timestamps, population, node_ids"});
    return result;
  }
  ManyProblems problems(diagnostics);
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto time = parse_number(table.field(row, "timestamps").value_or(""));
    const auto id = parse_id(table.field(row, id_column).value_or(""));
    if (!time || !id) {
      problems.add({table.file, table.place(row, time ? id_column : "timestamps"), "", "must be a number", ""});
      continue;
    }
    FileSpikes& spikes = result[table.field(row, "population").value_or("")];
    spikes.times_ms.push_back(*time);
    spikes.ids.push_back(*id);
  }
  return result;
}

}  // namespace

SpikesByPopulation read_spike_file(const std::filesystem::path& path, core::Diagnostics& diagnostics, bool table) {
  try {
    return table || path.extension() == ".csv" ? read_spikes_csv(path, diagnostics) : read_spikes_h5(path, diagnostics);
  } catch (const core::InputError& error) {
    for (const core::Problem& problem : error.problems()) diagnostics.error(problem);
    return {};
  }
}

void sort_in_time(network::SpikeTrains& trains) {
  std::vector<std::size_t> order(trains.times_ms.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(trains.times_ms[a], trains.cells[a], a) < std::tuple(trains.times_ms[b], trains.cells[b], b);
  });
  network::SpikeTrains sorted;
  for (const std::size_t i : order) {
    sorted.times_ms.push_back(trains.times_ms[i]);
    sorted.cells.push_back(trains.cells[i]);
  }
  trains = std::move(sorted);
}

}  // namespace triscale::io

// run.json (io/results.hpp).
#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "io/results.hpp"
#include "measure/spike_statistics.hpp"

namespace triscale::io {

namespace {

using Json = nlohmann::ordered_json;

Json optional_number(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

std::optional<double> number_or_null(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional<double>(value.get<double>());
}

/// Mean rate over [0, end) of a piecewise constant rate.
double mean_rate(const network::PoissonTrains& trains, double end_ms) {
  double spikes = 0;
  for (std::size_t i = 0; i < trains.times_ms.size(); ++i) {
    const double begin = std::max(trains.times_ms[i], 0.0);
    const double stop = i + 1 < trains.times_ms.size() ? std::min(trains.times_ms[i + 1], end_ms) : end_ms;
    spikes += trains.rates_hz[i] * std::max(0.0, stop - begin);
  }
  return spikes / end_ms;
}

double source_rate_hz(const network::Population& population, double duration_ms) {
  if (const auto* poisson = std::get_if<network::PoissonTrains>(&population.source))
    return mean_rate(*poisson, duration_ms);
  const auto* trains = std::get_if<network::SpikeTrains>(&population.source);
  if (trains == nullptr || population.size == 0) return 0;
  const auto begin = std::lower_bound(trains->times_ms.begin(), trains->times_ms.end(), 0.0);
  const auto end = std::lower_bound(trains->times_ms.begin(), trains->times_ms.end(), duration_ms);
  return 1000.0 * static_cast<double>(end - begin) / (static_cast<double>(population.size) * duration_ms);
}

/// 3 4 5 9 as {3, 6} {9, 10}.
std::vector<std::array<std::uint64_t, 2>> runs_of(const std::vector<std::uint64_t>& ids) {
  std::vector<std::array<std::uint64_t, 2>> runs;
  for (const std::uint64_t id : ids) {
    if (runs.empty() || runs.back()[1] != id) runs.push_back({id, id});
    ++runs.back()[1];
  }
  return runs;
}

}  // namespace

std::vector<PopulationSummary> summarise(const network::Circuit& circuit, const measure::Activity& activity) {
  std::vector<PopulationSummary> summaries;
  const measure::Window whole{0, activity.duration_ms};
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const network::Population& population = circuit.populations[p];
    PopulationSummary summary{population.name, population.size, population.is_virtual, {}, {}};
    summary.file_population = population.file_population;
    summary.node_ids = runs_of(population.file_ids);
    if (population.is_virtual) {
      if (activity.duration_ms > 0) summary.rate_hz = source_rate_hz(population, activity.duration_ms);
    } else {
      const measure::PopulationActivity& active = activity.populations.at(p);
      summary.rate_hz = measure::mean_rate_hz(active, activity.kind, whole);
      if (activity.kind == measure::Activity::Kind::spikes) summary.cv_isi = measure::cv_isi(active, whole);
    }
    summaries.push_back(summary);
  }
  return summaries;
}

std::uint64_t peak_memory_bytes() {
  rusage usage{};
  constexpr std::uint64_t kBytesPerUnit = 1024;  // Linux reports KiB
  return getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<std::uint64_t>(usage.ru_maxrss) * kBytesPerUnit : 0;
}

void write_run_manifest(const std::filesystem::path& path, const RunManifest& run) {
  Json populations = Json::object();
  for (const PopulationSummary& p : run.populations) {
    Json entry = {{"cells", p.cells}, {"rate_hz", optional_number(p.rate_hz)}, {"cv_isi", optional_number(p.cv_isi)}};
    if (p.rate_parameter_sd_hz) entry["rate_parameter_sd_hz"] = *p.rate_parameter_sd_hz;
    if (p.is_virtual) entry["virtual"] = true;
    if (!p.file_population.empty()) entry["file_population"] = p.file_population;
    if (!p.node_ids.empty()) entry["node_ids"] = p.node_ids;
    populations[p.name] = std::move(entry);
  }
  const core::RunStatistics& s = run.statistics;
  Json json = {{"tier", run.tier},
               {"version", run.version},
               {"config", run.config},
               {"seed", run.seed},
               {"threads", run.threads},
               {"dt_ms", run.dt_ms},
               {"simulated_ms", run.simulated_ms},
               {"setup_s", s.setup_s},
               {"wall_s", s.wall_s},
               {"realtime_factor", run.realtime_factor()},
               {"cells", s.cells},
               {"compartments", s.compartments},
               {"synapses", s.synapses},
               {"spikes", s.spikes},
               {"peak_memory_bytes", run.peak_memory_bytes},
               {"edge_hash", fmt::format("{:016x}", s.edge_hash)},
               {"populations", std::move(populations)}};
  if (!run.scheme.empty()) json["scheme"] = run.scheme;
  if (!run.warnings.empty()) json["warnings"] = run.warnings;
  write_text_file(path, json.dump(2) + "\n");
}

RunManifest read_run_manifest(const std::filesystem::path& path) {
  try {
    std::ifstream file(path);
    if (!file) throw core::InputError({path.string(), "", "", "cannot be opened", ""});
    const Json json = Json::parse(file);
    RunManifest run;
    run.tier = json.at("tier");
    run.version = json.at("version");
    run.config = json.at("config");
    run.seed = json.at("seed");
    run.threads = json.at("threads");
    run.dt_ms = json.at("dt_ms");
    run.scheme = json.value("scheme", "");
    run.warnings = json.value("warnings", std::vector<std::string>{});
    run.simulated_ms = json.at("simulated_ms");
    run.statistics.setup_s = json.at("setup_s");
    run.statistics.wall_s = json.at("wall_s");
    run.statistics.cells = json.at("cells");
    run.statistics.compartments = json.at("compartments");
    run.statistics.synapses = json.at("synapses");
    run.statistics.spikes = json.at("spikes");
    run.peak_memory_bytes = json.at("peak_memory_bytes");
    const std::string hash = json.at("edge_hash");
    std::from_chars(hash.data(), hash.data() + hash.size(), run.statistics.edge_hash, 16);
    for (const auto& [name, entry] : json.at("populations").items()) {
      run.populations.push_back({name, entry.at("cells").get<std::uint64_t>(), entry.value("virtual", false),
                                 number_or_null(entry.at("rate_hz")), number_or_null(entry.at("cv_isi")),
                                 entry.value("file_population", std::string{}),
                                 entry.value("node_ids", std::vector<std::array<std::uint64_t, 2>>{}),
                                 number_or_null(entry.value("rate_parameter_sd_hz", Json(nullptr)))});
    }
    return run;
  } catch (const nlohmann::json::exception& e) {
    throw core::InputError({path.string(), "", "", fmt::format("is not a run.json: {}", e.what()), ""});
  }
}

}  // namespace triscale::io

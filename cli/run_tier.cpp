#include "cli/run_tier.hpp"

#include <fmt/format.h>
#include <unistd.h>

#if __has_include(<malloc.h>)
#include <malloc.h>
#endif

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "bridges/fields/signal_recorder.hpp"
#include "bridges/point/uncertainty_bands.hpp"
#include "bridges/point/validity_watch.hpp"
#include "cli/signals.hpp"
#include "cli/tier.hpp"
#include "core/error.hpp"
#include "detailed/compartments.hpp"
#include "io/field_kernels.hpp"
#include "io/recorder.hpp"

namespace triscale::cli {

namespace {

/// Tells the recorder which segments the values of a probe of all compartments belong to, cell after cell.
void describe_compartments(const network::Circuit& circuit, io::FileRecorder& recorder) {
  for (std::size_t i = 0; i < circuit.probes.size(); ++i) {
    const network::Probe& probe = circuit.probes[i];
    const network::Population& population = circuit.populations[probe.population];
    const auto& cell = circuit.cell_types[population.cell_type].detailed;
    if (probe.where == network::Probe::Where::soma || !cell) continue;
    const detailed::CompartmentTree tree = detailed::build_compartments(*cell, circuit.run.compartments);
    const std::size_t cells = probe.cells.empty() ? population.size : probe.cells.size();
    io::ReportElements elements;
    elements.first.push_back(0);
    for (std::size_t k = 0; k < cells; ++k) {
      for (std::size_t section = 0; section < tree.first_nodes.size(); ++section) {
        for (std::uint32_t segment = 0; segment < tree.segments_per_section[section]; ++segment) {
          elements.sections.push_back(static_cast<std::uint32_t>(section));
          elements.positions.push_back(tree.positions[tree.first_nodes[section] + segment]);
        }
      }
      elements.first.push_back(elements.sections.size());
    }
    recorder.describe_elements(i, std::move(elements));
  }
}

std::vector<measure::SignalKeeper::Probe> kept_signals(const network::Circuit& circuit) {
  std::vector<measure::SignalKeeper::Probe> probes;
  for (const network::FieldProbe& probe : circuit.field_probes) {
    probes.push_back({probe.name, probe.dt_ms > 0 ? probe.dt_ms : circuit.run.dt_ms});
  }
  return probes;
}

/// Signals of other connections than those that the kernels were derived for would look right and be wrong. Hash 0: the
/// tier did not list its edges.
void require_edges_of_kernels(std::uint64_t edge_hash, const network::CircuitKernels& kernels) {
  if (edge_hash == 0 || edge_hash == kernels.edge_hash) return;
  throw core::InputError({io::kFieldKernelsFile, "/edge_hash", std::to_string(kernels.edge_hash),
                          "belongs to other connections than those of this run", "derive again (triscale derive)"});
}

/// Lets the peak memory of a tier not be that of what ran before it. Where the system does not offer it (it is
/// Linux's), the peak is that of the whole process.
void reset_peak_memory() {
#ifdef __GLIBC__
  malloc_trim(0);  // gives back what earlier work has freed
#endif
  std::ofstream("/proc/self/clear_refs") << "5";
}

}  // namespace

void print_warnings(const std::vector<core::Problem>& warnings) {
  std::set<std::string> printed;
  for (const core::Problem& warning : warnings) {
    const std::string text = core::to_string(warning);
    if (printed.insert(text).second) fmt::print(stderr, "triscale: warning: {}\n", text);
  }
}

void prepare_folder(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!std::filesystem::is_directory(folder) || access(folder.c_str(), W_OK | X_OK) != 0) {
    throw core::InputError({folder.string(), "", "", "is not a folder that can be written to",
                            "give another one with -o; it need not exist"});
  }
}

void remove_tier_results(const network::Circuit& circuit, const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files = {folder / "run.json", folder / "spikes.h5", folder / "rates.h5"};
  for (std::size_t k = 0; k < circuit.probes.size(); ++k) files.push_back(folder / io::report_file_of(circuit, k));
  for (const network::FieldProbe& probe : circuit.field_probes) {
    files.push_back(folder / io::field_file_of(probe));
    for (const std::string& name : io::contribution_files_of(circuit, probe)) {
      files.push_back(folder / probe.contributions_dir / name);
    }
  }
  for (const network::WeightProbe& probe : circuit.weight_probes) files.push_back(folder / (probe.name + ".h5"));
  std::error_code ignored;  // a file that is not there is fine; one that cannot be removed will fail to be replaced
  for (const std::filesystem::path& file : files) std::filesystem::remove(file, ignored);
}

TierResult run_tier(Tier tier, const LoadedCircuit& loaded, const std::filesystem::path& folder,
                    const Options& options) {
  const network::Circuit& circuit = loaded.circuit;
  if (std::vector<core::Problem> problems = missing(tier, circuit); !problems.empty()) {
    throw core::InputError(std::move(problems));
  }
  io::FileRecorder recorder(circuit, std::string(to_string(tier)), folder);  // refuses names before anything is removed
  remove_tier_results(circuit, folder);
  reset_peak_memory();
  if (tier == Tier::detailed) describe_compartments(circuit, recorder);
  std::vector<core::Problem> warnings = unrecorded_fields(tier, loaded);
  measure::SignalKeeper keeper(kept_signals(circuit), recorder);
  std::optional<bridges::SignalRecorder> signals;
  if (tier != Tier::detailed && !loaded.kernels.probes.empty()) {
    signals.emplace(circuit, loaded.kernels, keeper);
  }
  core::Recorder& receiver = signals ? static_cast<core::Recorder&>(*signals) : keeper;
  TierResult result;
  {
    ConsoleProgress progress(std::string(to_string(tier)), true, options.progress_style());
    if (tier == Tier::point) {
      bridges::ValidityWatch watch(circuit, loaded.derivation, receiver);
      result.statistics = simulate(tier, watch.circuit(), options.threads, watch, progress, warnings);
      const std::vector<core::Problem> outside = watch.warnings();
      warnings.insert(warnings.end(), outside.begin(), outside.end());
    } else {
      result.statistics = simulate(tier, circuit, options.threads, receiver, progress, warnings);
    }
  }
  throw_if_interrupted();
  print_warnings(warnings);
  if (signals) require_edges_of_kernels(result.statistics.edge_hash, loaded.kernels);
  if (signals) signals->finish();
  recorder.finish();
  result.activity = recorder.activity();
  result.signals = keeper.take();
  result.populations = io::summarise(circuit, result.activity);
  for (io::PopulationSummary& population : result.populations) {
    population.rate_parameter_sd_hz =
        bridges::rate_parameter_sd_hz(circuit, loaded.derivation, std::string(to_string(tier)), population.name);
  }

  io::RunManifest manifest;
  manifest.tier = to_string(tier);
  manifest.version = TRISCALE_VERSION;
  manifest.config = options.config.string();
  manifest.seed = circuit.run.seed;
  manifest.threads = options.threads > 0 ? options.threads : std::max(1u, std::thread::hardware_concurrency());
  manifest.dt_ms = circuit.run.dt_ms;
  if (tier == Tier::detailed) manifest.scheme = network::to_string(circuit.run.scheme);
  manifest.simulated_ms = circuit.run.duration_ms;
  manifest.statistics = result.statistics;
  manifest.populations = result.populations;
  for (const core::Problem& warning : warnings) manifest.warnings.push_back(core::to_string(warning));
  manifest.peak_memory_bytes = io::peak_memory_bytes();
  io::write_run_manifest(folder / "run.json", manifest);
  return result;
}

}  // namespace triscale::cli

#include "cli/signals.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bridges/fields/field_kernels.hpp"
#include "bridges/fields/kernel_error.hpp"
#include "cli/run_tier.hpp"
#include "io/field_kernels.hpp"
#include "io/signals_json.hpp"

namespace triscale::cli {

void derive_kernels(LoadedCircuit& loaded, const Options& options) {
  if (loaded.circuit.field_probes.empty() || !loaded.kernels.probes.empty()) return;
  if (std::vector<core::Problem> problems = bridges::missing_for_field_kernels(loaded.circuit); !problems.empty()) {
    print_warnings(problems);
    return;
  }
  ConsoleProgress progress("derive signals", false, options.progress_style());
  loaded.kernels = bridges::derive_field_kernels(loaded.circuit, {}, options.threads, loaded.derivation, progress);
}

void write_kernels(const LoadedCircuit& loaded, const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / io::kFieldKernelsFile;
  if (!loaded.kernels.probes.empty()) return io::write_field_kernels(file, loaded.circuit, loaded.kernels);
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
}

SignalChecks::SignalChecks(const LoadedCircuit& loaded, std::vector<std::vector<measure::Signal>> signals,
                           const bridges::Run& activities)
    : loaded_(loaded) {
  if (loaded.kernels.probes.empty()) return;
  for (std::size_t t = 0; t < signals.size(); ++t) {
    const bool spiking = activities[t].kind == measure::Activity::Kind::spikes;
    tiers_.push_back({activities[t].tier, spiking, &activities[t], std::move(signals[t])});
  }
}

std::vector<bridges::ExtraChecks> SignalChecks::checks() {
  if (tiers_.empty()) return {};
  return {[this](bridges::Judge& judge) {
    report_.comparisons = bridges::check_signals(judge, loaded_.circuit, loaded_.kernels, tiers_);
    if (tiers_.front().tier != to_string(Tier::detailed)) return;
    const bool point = tiers_.size() > 1 && tiers_[1].tier == to_string(Tier::point);
    report_.kernel_errors =
        bridges::kernel_errors(loaded_.circuit, loaded_.kernels, *tiers_.front().activity, tiers_.front().probes,
                               judge.grid().begin_ms, point ? &tiers_[1].probes : nullptr);
  }};
}

namespace {

/// Median and range over channels.
std::string range_of(std::vector<double> values) {
  if (values.empty()) return "-";
  std::sort(values.begin(), values.end());
  return fmt::format("{:.3f} ({:.3f} .. {:.3f})", values[values.size() / 2], values.front(), values.back());
}

}  // namespace

void SignalChecks::write_and_print(const std::filesystem::path& folder) const {
  const std::filesystem::path file = folder / "signals.json";
  if (report_.empty()) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    return;
  }
  io::write_signal_report(file, report_);
  if (report_.kernel_errors.empty()) return;
  fmt::print(
      "Signals by kernels, from the detailed tier's spikes and from the point tier's: error relative to the standard "
      "deviation, median and range over channels\n{:<16} {:<28} {:<24} {:<24} {}\n",
      "probe", "kernels and spikes", "measured", "predicted", "correlation");
  for (const measure::KernelError& error : report_.kernel_errors) {
    const auto row = [&](const char* kind, const auto& measured, const auto& predicted, const auto& correlation) {
      if (measured.empty()) return;
      fmt::print("{:<16} {:<28} {:<24} {:<24} {}\n", error.probe, kind, range_of(measured), range_of(predicted),
                 range_of(correlation));
    };
    row("of cells, detailed", error.cell_measured, error.cell_predicted, error.cell_correlation);
    row("of populations, detailed", error.population_measured, error.population_predicted,
        error.population_correlation);
    row("as they are, point", error.point_measured, error.point_predicted, error.point_correlation);
  }
  fmt::print("\n");
}

std::vector<core::Problem> unrecorded_fields(Tier tier, const LoadedCircuit& loaded) {
  std::vector<core::Problem> problems;
  if (tier == Tier::detailed) return problems;
  for (const network::FieldProbe& probe : loaded.circuit.field_probes) {
    if (!loaded.kernels.probes.empty()) {
      if (probe.contributions_dir.empty()) continue;
      problems.push_back({"", "field_probes." + probe.name + ".contributions_dir", probe.contributions_dir,
                          "is left out: this tier has the sums over cells only", "run the detailed tier for it"});
      continue;
    }
    problems.push_back({"", "field_probes." + probe.name, "",
                        "is not recorded: this tier has no currents in space, and there are no kernels",
                        "derive them (triscale derive) and give reduced.json, or run the detailed tier"});
  }
  return problems;
}

}  // namespace triscale::cli

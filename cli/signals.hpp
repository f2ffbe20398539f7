/// Signals of the tiers without currents in space: kernels from the bridge, and their file.
#pragma once

#include <filesystem>
#include <vector>

#include "bridges/checks/signal_checks.hpp"
#include "cli/load.hpp"
#include "cli/options.hpp"
#include "measure/signal_report.hpp"

namespace triscale::cli {

/// Derives kernels for the circuit's field probes unless they are there; warns where that is impossible. The circuit
/// has its point descriptions.
void derive_kernels(LoadedCircuit& loaded, const Options& options);

/// Writes them beside reduced.json, or removes old ones if there are none.
void write_kernels(const LoadedCircuit& loaded, const std::filesystem::path& folder);

/// The signal checks of `triscale compare`: nothing where the circuit has no field probes or the tiers no signals.
class SignalChecks {
 public:
  /// `signals`: of every tier, one a field probe; `activities`: of the same tiers, and must outlive it.
  SignalChecks(const LoadedCircuit& loaded, std::vector<std::vector<measure::Signal>> signals,
               const bridges::Run& activities);
  std::vector<bridges::ExtraChecks> checks();
  /// After the checks: signals.json, and the errors of the kernels on stdout.
  void write_and_print(const std::filesystem::path& folder) const;

 private:
  const LoadedCircuit& loaded_;
  std::vector<bridges::TierSignals> tiers_;
  measure::SignalReport report_;
};

/// Warnings for field probes that the tier cannot record.
std::vector<core::Problem> unrecorded_fields(Tier tier, const LoadedCircuit& loaded);

}  // namespace triscale::cli

/// Changes single fields of a circuit from the command line: --set KEY=VALUE.
///
/// Keys: run.<field> for the run settings, with the names of network::RunSettings or of SONATA (run.tstop, run.dt,
/// run.dL, run.spike_threshold, conditions.celsius, conditions.v_init); inputs.<name>.<field> for current clamps and
/// Poisson inputs; scale.<projection>, scale.*, scale.external, scale.excitatory, scale.inhibitory multiply weights.
#pragma once

#include <string>
#include <vector>

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::cli {

/// Applies "KEY=VALUE" settings in order. A setting that is malformed, names an unknown key or has an unusable value is
/// an error with a hint.
void apply_overrides(const std::vector<std::string>& settings, network::Circuit& circuit,
                     core::Diagnostics& diagnostics);

}  // namespace triscale::cli

/// The overall verdict of a consistency check, and what it means in plain language.
#pragma once

#include "measure/consistency_result.hpp"

namespace triscale::bridges {

/// Fills in verdict, needed_ms and summary from the checks: inconsistent if any check is, else undecided if any is or
/// if there is none, else consistent. `shortest_run_ms` is what a run needs at least for any interval.
void conclude(measure::Consistency& result, double shortest_run_ms);

}  // namespace triscale::bridges

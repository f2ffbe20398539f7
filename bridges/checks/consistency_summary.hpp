/// The overall verdict of a consistency check, and what it means in plain language.
#pragma once

#include "measure/consistency_result.hpp"

namespace triscale::bridges {

/// Fills in verdict, needed_ms and summary from the checks: inconsistent if any check is, else undecided if any is or
/// if there is none, else consistent. `shortest_run_ms` is what a run needs at least for any interval.
void conclude(measure::Consistency& result, double shortest_run_ms);

/// Adds checks of other runs and concludes anew. The length of those is not that of the main run, so no time is asked
/// for their sake.
void add_checks(measure::Consistency& result, const measure::Consistency& other);

}  // namespace triscale::bridges

#include "cli/tier.hpp"

#include "bridges/fields/forward_models.hpp"
#include "detailed/simulate.hpp"
#include "meanfield/simulate.hpp"
#include "pointneuron/simulate.hpp"

namespace triscale::cli {

std::vector<core::Problem> missing(Tier tier, const network::Circuit& circuit) {
  switch (tier) {
    case Tier::detailed:
      return detailed::missing(circuit);
    case Tier::point:
      return pointneuron::missing(circuit);
    case Tier::meanfield:
      return meanfield::missing(circuit);
  }
  return {};
}

namespace {

/// Initial potentials of populations and probes of weights belong to the point tier.
void name_what_only_points_have(const network::Circuit& circuit, std::vector<core::Problem>& warnings) {
  for (const network::Population& population : circuit.populations) {
    if (!population.V_init_mV) continue;
    warnings.push_back({"", "populations." + population.name + ".V_init_mV", "", "is used by the point tier only", ""});
  }
  for (const network::WeightProbe& probe : circuit.weight_probes) {
    warnings.push_back({"", "weight_probes." + probe.name, "", "is recorded by the point tier only", ""});
  }
}

}  // namespace

core::RunStatistics simulate(Tier tier, const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, std::vector<core::Problem>& warnings) {
  if (tier != Tier::point) name_what_only_points_have(circuit, warnings);
  switch (tier) {
    case Tier::detailed:
      return detailed::simulate(circuit, threads, recorder, progress, bridges::forward_models(circuit));
    case Tier::point: {
      const std::vector<core::Problem> left_out = pointneuron::left_out(circuit);
      warnings.insert(warnings.end(), left_out.begin(), left_out.end());
      return pointneuron::simulate(circuit, threads, recorder, progress);
    }
    case Tier::meanfield:
      return meanfield::simulate(circuit, {}, recorder, progress, warnings);
  }
  return {};
}

}  // namespace triscale::cli

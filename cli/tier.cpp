#include "cli/tier.hpp"

#include "bridges/forward_models.hpp"
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

core::RunStatistics simulate(Tier tier, const network::Circuit& circuit, std::size_t threads, core::Recorder& recorder,
                             core::Progress& progress, std::vector<core::Problem>& warnings) {
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

#include "bridges/point/derive.hpp"

#include <algorithm>

namespace triscale::bridges {

bool lacks_point(const network::Circuit& circuit) {
  const bool cells = std::any_of(circuit.populations.begin(), circuit.populations.end(), [&](const auto& population) {
    return !population.is_virtual && !circuit.cell_types[population.cell_type].point;
  });
  return cells || std::any_of(circuit.projections.begin(), circuit.projections.end(), [&](const auto& projection) {
           return !circuit.populations[projection.target].is_virtual &&
                  !circuit.synapse_types[projection.synapse_type].point;
         });
}

bool lacks_meanfield(const network::Circuit& circuit) {
  return std::any_of(circuit.populations.begin(), circuit.populations.end(), [&](const auto& population) {
    if (population.is_virtual) return false;
    const network::CellType& type = circuit.cell_types[population.cell_type];
    // The theory of leaky cells with current synapses takes their own parameters; there is nothing to fit.
    const bool leaky = type.point && std::holds_alternative<network::LifModel>(type.point->model);
    return !type.meanfield && !leaky;
  });
}

}  // namespace triscale::bridges

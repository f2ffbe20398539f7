#include "network/field_cells.hpp"

namespace triscale::network {

std::vector<char> counting_cells(const Circuit& circuit, const FieldProbe& probe, std::size_t population) {
  const std::size_t size = circuit.populations[population].size;
  if (probe.contributions.empty()) return std::vector<char>(size, 1);
  std::vector<char> counts;
  for (const FieldProbe::Contribution& contribution : probe.contributions) {
    if (contribution.population != population) continue;
    counts.resize(size, contribution.cells.empty());
    for (const std::uint32_t cell : contribution.cells) counts[cell] = 1;
  }
  return counts;
}

std::vector<CellPlace> contributing_cells(const Circuit& circuit, const FieldProbe& probe) {
  std::vector<CellPlace> cells;
  for (std::size_t p = 0; p < circuit.populations.size(); ++p) {
    const Population& population = circuit.populations[p];
    if (population.is_virtual || !circuit.cell_types[population.cell_type].detailed) continue;
    const std::vector<char> counts = counting_cells(circuit, probe, p);
    for (std::uint32_t cell = 0; cell < counts.size(); ++cell) {
      if (counts[cell]) cells.push_back({p, cell});
    }
  }
  return cells;
}

}  // namespace triscale::network

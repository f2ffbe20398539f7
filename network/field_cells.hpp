/// The cells that a field probe sees.
#pragma once

#include <cstdint>
#include <vector>

#include "network/circuit.hpp"

namespace triscale::network {

/// Whether each cell of a population counts for a probe; empty: none does.
std::vector<char> counting_cells(const Circuit& circuit, const FieldProbe& probe, std::size_t population);

/// A cell of the circuit.
struct CellPlace {
  std::size_t population = 0;
  std::uint32_t cell = 0;
  friend bool operator==(const CellPlace&, const CellPlace&) = default;
};
/// The cells with a membrane that count for a probe, by population and cell: the order in which contributions of single
/// cells are recorded.
std::vector<CellPlace> contributing_cells(const Circuit& circuit, const FieldProbe& probe);

}  // namespace triscale::network

/// The kinds of receptors that the cells of each population have: those of all synapse types that end on it. Equal ones
/// are one, because conductances and currents add.
#pragma once

#include <vector>

#include "network/circuit.hpp"

namespace triscale::pointneuron {

/// Rows of conductances come first, then those of currents.
struct ReceptorRows {
  std::vector<std::vector<network::Receptor>> conductances;  ///< receptors that share their events
  std::vector<network::CurrentSynapse> currents;             ///< their signs are meaningless
  bool instantaneous = false;

  std::size_t count() const;
  /// Whether events of a row count at the end of the step before their arrival.
  bool acts_at_end(std::size_t row) const;
};

/// For every population. The circuit must be one that the tier can run.
std::vector<ReceptorRows> receptor_rows(const network::Circuit& circuit);

/// What a projection's synapse type means for its target.
struct Connection {
  std::vector<std::size_t> rows;  ///< row of the target population for each receptor of the type
  double sign = 1;
  bool at_end_of_step = false;  ///< events count at the end of the step before their arrival
};
Connection connection_of(const network::Circuit& circuit, std::size_t projection,
                         const std::vector<ReceptorRows>& rows);

}  // namespace triscale::pointneuron

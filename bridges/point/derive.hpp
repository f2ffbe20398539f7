/// Which bridges a circuit needs before a tier can run it.
#pragma once

#include "network/circuit.hpp"

namespace triscale::bridges {

/// Whether a population that is not virtual, or a projection onto one, has no point description.
bool lacks_point(const network::Circuit& circuit);
/// Whether a population that is not virtual has no mean-field description.
bool lacks_meanfield(const network::Circuit& circuit);

}  // namespace triscale::bridges

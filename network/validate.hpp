/// Checks a Circuit against every rule that does not depend on the file it came from; reports all problems at once.
#pragma once

#include "core/error.hpp"
#include "network/circuit.hpp"

namespace triscale::network {

/// Adds an error for each broken rule: indices in range, sizes equal, parameters positive and finite, morphologies
/// connected, delays at least dt, names unique, rules that can be met, and Dale's law (the sign of a synapse must match
/// the sign of its source's cell type). `file` is named in the problems.
void validate(const Circuit& circuit, const std::string& file, core::Diagnostics& diagnostics);

/// Sign of a synapse type: +1 excitatory, -1 inhibitory, 0 undecided. A conductance synapse is excitatory if its
/// reversal potential is above `boundary_mV`.
int synapse_sign(const SynapseType& type, double boundary_mV = kExcitatoryAbove_mV);

}  // namespace triscale::network

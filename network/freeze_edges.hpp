/// Makes edges that a rule draws from the seed into given ones, so that other seeds change the noise of a run and not
/// the network.
#pragma once

#include "network/circuit.hpp"

namespace triscale::network {

/// The circuit with explicit edges in place of every rule that draws something from run.seed (connections, weights,
/// delays, places on dendrites): the same edges as before, bit by bit, for any run.seed that is set afterwards.
Circuit with_frozen_edges(Circuit circuit);

}  // namespace triscale::network

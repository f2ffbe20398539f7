/// From the field probes of a circuit to the forward models that measure/ knows.
#pragma once

#include <memory>
#include <vector>

#include "core/forward_model.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

using ForwardModels = std::vector<std::unique_ptr<core::ForwardModel>>;

std::unique_ptr<core::ForwardModel> forward_model(const network::FieldProbe& probe);

/// One a field probe of the circuit, in its order.
ForwardModels forward_models(const network::Circuit& circuit);

}  // namespace triscale::bridges

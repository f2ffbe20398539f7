/// Derives the point description of one cell type, and of the synapses on it, at an operating point. The steps:
/// bridges/point/derive_point.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "bridges/point/operating_point.hpp"
#include "core/shared_progress.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

struct CellDerivationOptions {
  std::uint64_t seed = 0;
  double level_ms = 1200;                    ///< synaptic input: length of each of 9 levels of the sources' rates
  double current_sweep_ms = 8000;            ///< current input: length of each of 8 sweeps
  std::size_t repetitions = 20;              ///< of the noisy point model on unseen input
  std::size_t draws = 8;                     ///< of the bootstrap, for the uncertainty of the parameters
  bool describe = true;                      ///< measure the error; without it there is a model and no account of it
  std::vector<std::size_t> synapse_types{};  ///< to be carried to the soma
};

struct CellDerivation {
  std::optional<network::GifModel> model;  ///< none if the cell type has a point description
  std::vector<network::GifModel> draws;    ///< of the bootstrap, as likely as the model
  network::Provenance cell_provenance;
  struct Synapse {
    std::size_t type = 0;
    decltype(network::SynapseType::point) point;
    network::Provenance provenance;
  };
  std::vector<Synapse> synapses;
};

/// Throws NumericalError if a step has no solution.
CellDerivation derive_cell(const network::Circuit& circuit, std::size_t cell_type, const OperatingPoint& state,
                           const CellDerivationOptions& options, core::PartProgress& progress);

}  // namespace triscale::bridges

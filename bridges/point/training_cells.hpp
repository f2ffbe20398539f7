/// Which cells of a population stand for it when a point neuron is fitted: cells all along the order of how hard they
/// are driven, the most and the least driven included, so that the fit has seen what the network's cells will see.
///
/// The measure is the mean potential at which the synapses would hold a passive soma,
///     mu = (g_L E_L + sum_e G_e E_e) / (g_L + sum_e G_e),     G_e = a_e w_e r_e int g_e dt,
/// with the somatic weight a w of each synapse and the rate r of its source.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "bridges/gif/gif_fit.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// The largest population of a cell type; circuit.populations.size() if there is none.
std::size_t largest_population(const network::Circuit& circuit, std::size_t cell_type);

/// Mean rate of a virtual population over the run, else 0.
double source_rate_hz(const network::Circuit& circuit, std::size_t population);

/// The cells of a population, least driven first. `rates_hz`: of every population, used for those that are not
/// virtual. `synapse_types`: with point descriptions, one for each of the circuit's; what has none, or is no
/// conductance, is left out.
std::vector<std::uint32_t> cells_by_drive(const network::Circuit& circuit, std::size_t population,
                                          const std::vector<double>& rates_hz,
                                          const std::vector<network::SynapseType>& synapse_types,
                                          const PassiveMembrane& membrane);

/// `n` of them, ascending by number. Choice 0: at even ranks with the first and the last; choice 1: those half-way
/// between each two of these, n - 1, other cells if there are at least 2 n.
std::vector<std::uint32_t> spread_over(const std::vector<std::uint32_t>& ranked, std::size_t n, std::size_t choice);

}  // namespace triscale::bridges

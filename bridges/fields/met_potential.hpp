/// The potential that a receptor's events meet, where many of them come together.
///
/// A receptor carries I = g (E - V). With the mean conductance G as a shunt, the linear cell gets what is left over,
///   J(t) = g (E - V) + G (V - V_mean),
/// as g(t) times a driving force. The one that fits J best (least squares over time) is cov(g, J) / var(g) = E - V_met,
///   V_met = V_mean + < (g - G)^2 (V - V_mean) > / < (g - G)^2 >.
/// While inputs are independent of each other, V_met is V_mean. In a volley V rises with g, and each of its events
/// finds less driving force. g: of all events of the receptor on a cell, among which a single one's own effect
/// (which LinearInput::saturate() has) hardly counts; V: of each node; both of the sampled cells.
#pragma once

#include <vector>

#include "bridges/gif/spike_response.hpp"
#include "bridges/point/cell_sample.hpp"
#include "bridges/point/linear_input.hpp"

namespace triscale::bridges {

/// [receptor][node], mV.
std::vector<std::vector<double>> met_potentials(const CellSample& sample, const LinearInput& input,
                                                const SourceTrains& sources, const std::vector<double>& mean_V_mV);

}  // namespace triscale::bridges

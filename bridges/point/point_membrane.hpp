/// The passive membrane of the point neuron from the impedances of the detailed cell: one compartment, or a soma and a
/// dendrite in which the synapses are (pointneuron/dendrite.hpp). With y = g_L + s C and y_d = g_d + s C_d,
///
///     one:  Z = 1 / y at the soma, between synapse and soma, and at the synapse
///     two:  Z_soma = (y_d + g_c) / N,   Z_transfer = g_c / N,   Z_synapse = (y + g_c) / N,
///           N = (y + g_c)(y_d + g_c) - g_c^2
///
/// C, g_L and the dendrite's are those whose Z_soma is nearest to that of the cell, in the sense of the response to
/// white current: they minimise int |Z_soma - Z_cell|^2 df. Z_soma of two compartments has two poles, a zero and a
/// gain, which are four numbers for five parameters; so both compartments get one time constant, C / g_L = C_d / g_d,
/// as a uniform membrane has.
#pragma once

#include "bridges/cable/impedance.hpp"
#include "bridges/gif/gif_fit.hpp"

namespace triscale::bridges {

struct ImpedanceSpectrum;

struct PointImpedance {
  Complex soma, transfer, synapse;  ///< MOhm
};
PointImpedance impedance_of(const PassiveMembrane& membrane, double frequency_Hz);

/// One compartment.
PassiveMembrane fit_one_compartment(const ImpedanceSpectrum& spectrum, double E_L_mV);
/// Soma and dendrite; NumericalError if there is no solution.
PassiveMembrane fit_two_compartments(const ImpedanceSpectrum& spectrum, double E_L_mV);

/// Square root of int |Z_soma - Z_cell|^2 df / int |Z_cell|^2 df.
double impedance_error(const PassiveMembrane& membrane, const ImpedanceSpectrum& spectrum);

/// One compartment where its impedance is within 5 %, or where a second one does not halve the error.
PassiveMembrane fit_membrane(const ImpedanceSpectrum& spectrum, double E_L_mV);

}  // namespace triscale::bridges

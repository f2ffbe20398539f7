/// Moves dendritic synapses to the soma of a point neuron, by the exact transfer impedances of the dendritic tree.
///
/// A synapse of conductance w g(t) (peak of g: 1) at site s depolarises the soma of the cell, to first order in w, by
///   Z_0s(f) w G(f) (E - V),   Z_0s the transfer impedance,   G the spectrum of g.
/// The point neuron has Z_pt(f) (bridges/point/point_membrane.hpp) and gets a w K_c(f) exp(-2 pi i f delta) (E - V),
/// K_c the spectrum of one of a few biexponential time courses c (receptors). For each compartment (a, delta, c)
/// minimise
///   int |Z_0s G - a Z_pt K_c exp(-2 pi i f delta)|^2 df,
/// which by Parseval's theorem is the squared error of the postsynaptic potential. The receptors are
/// chosen, one after the other, from a grid of rise and decay times around those of g (and g behind low-passes), so
/// that each takes most of what is left of the squared error, weighted by where the circuit has its synapses.
/// Potentials of soma and dendrite are taken to be equal. Beside a dendrite, receptors at the soma are tried too: no
/// conductance in the dendrite is felt at the soma as fast as one near it. They are taken if they lessen the error by
/// 15 %, because under bombardment a conductance at the soma shunts more than one in a dendrite.
///
/// Saturation: the synapse's own local depolarisation u = w z_ss * g (* is convolution), as a share of the driving
/// force, takes driving force away, most of it at the peak, so that potentials of strong synapses are longer. At the
/// mean weight of the circuit's synapses G is the spectrum of g / (1 + u), and K_c likewise with a w and the impedance
/// of the point neuron where the synapse is. Other weights differ in charge, to second order in w, by
///   w int g (z_ss * g) dt / int g dt = w int |G|^2 Re Z_ss df / int g dt
/// in the dendrite, and a w times the same with Z_pt and K_c in the point neuron; their difference is `shunt_per_uS`,
/// and `attenuation` is a (1 + shunt_per_uS w) at the mean weight.
#pragma once

#include <vector>

#include "bridges/cable/quasi_active.hpp"
#include "bridges/gif/gif_fit.hpp"
#include "network/synapse_models.hpp"

namespace triscale::bridges {

/// Impedances of all compartments on a grid of frequencies, computed once a cell type.
struct ImpedanceSpectrum {
  std::vector<double> frequencies_Hz;
  std::vector<double> widths_Hz;            ///< weights of the integral over frequency
  std::vector<std::vector<Complex>> input;  ///< [frequency][node], MOhm
  std::vector<std::vector<Complex>> transfer;
  std::size_t soma = 0;
};
ImpedanceSpectrum impedance_spectrum(const QuasiActiveCell& cell, Channels channels);

struct SynapseReduction {
  network::PointSynapse synapse;
  /// Relative root-mean-square error of the postsynaptic potential, averaged over where the synapses are; its largest
  /// value.
  double mean_psp_error = 0, largest_psp_error = 0;
  double mean_attenuation = 0, smallest_attenuation = 0, largest_attenuation = 0;
  double mean_shunt_per_uS = 0;
};

/// Where a circuit has its synapses of a type, and how strong they are.
struct SiteStatistics {
  std::vector<double> density;  ///< by node; empty: as the membrane's area
  double mean_weight_uS = 0;
};

/// One row for each compartment of the cell; at most `max_receptors` time courses.
SynapseReduction reduce_synapse(const network::BiexponentialSynapse& kinetics, const detailed::CompartmentTree& tree,
                                const ImpedanceSpectrum& spectrum, const PassiveMembrane& membrane,
                                std::size_t max_receptors = 6, const SiteStatistics& sites = {});

/// Biexponential with the first two moments of `kinetics` behind a low-pass; what cannot be matched is left to a delay.
network::BiexponentialSynapse low_pass(const network::BiexponentialSynapse& kinetics, double tau_ms);

/// The conductance of unit peak: its Laplace transform at s, its spectrum at f (both in ms), and its integral (ms).
Complex transform_of(const network::BiexponentialSynapse& kinetics, Complex s_per_ms);
Complex spectrum_of(const network::BiexponentialSynapse& kinetics, double frequency_Hz);
double integral_of(const network::BiexponentialSynapse& kinetics);

}  // namespace triscale::bridges

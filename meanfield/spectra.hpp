/// Spectra of the fluctuating population rates around a stable stationary state. Finite populations are noisy: the rate
/// of population i fluctuates with the spectrum S_i / N_i of its own spike trains, and the circuit filters all of that
/// noise (Lindner, Doiron & Longtin 2005; Trousdale et al. 2012; Bos, Diesmann & Helias 2016):
///
///   C(omega) = Q A Q^H,    Q = (I - W(i omega))^(-1),    A = diag(S_i / N_i).
///
/// Diagonal: power spectra; off the diagonal: cross-spectra. Two-sided density of the rates in Hz, in Hz^2/Hz: its
/// integral over all positive and negative frequencies is the variance of the rate.
#pragma once

#include <vector>

#include "meanfield/rate_theory.hpp"

namespace triscale::meanfield {

/// C at one frequency, not 0 where the noise has a renewal spectrum.
Eigen::MatrixXcd cross_spectrum(const Linearisation& linear, double frequency_hz);

/// Power spectra (rows: frequencies, columns: populations).
Eigen::MatrixXd power_spectra(const Linearisation& linear, const std::vector<double>& frequencies_hz);

/// Response of all populations (columns) to a modulation of the input of one, per unit of its input:
/// Q(i omega) H e_target. Rows: frequencies.
Eigen::MatrixXcd input_transfer(const Linearisation& linear, std::size_t target,
                                const std::vector<double>& frequencies_hz);

/// Frequency of the largest value of a sampled spectrum in [low, high], refined by a parabola through its neighbours.
double peak_frequency_hz(const std::vector<double>& frequencies_hz, const Eigen::VectorXd& spectrum, double low_hz,
                         double high_hz);

}  // namespace triscale::meanfield

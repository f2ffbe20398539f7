/// How far the rates that a mean field predicts may move, because its transfer functions were fitted to a finite number
/// of spikes of a finite number of cells: coefficients are drawn from their covariance, independently for every cell
/// type, and the stationary state of the network is found for each set. What the network makes of an error of one
/// population, to which the others respond, is so in the band.
///
/// It does not hold what a quadratic threshold cannot describe (fit_error of the derivation does), nor what the mean
/// field leaves out (correlations between cells), nor the uncertainty of the point cells that the functions were
/// measured on; note_meanfield_bands() adds that.
#pragma once

#include <cstddef>
#include <map>
#include <vector>

#include "bridges/meanfield/transfer_counts.hpp"
#include "bridges/point/uncertainty_bands.hpp"
#include "core/recorder.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

struct MeanfieldBandOptions {
  std::size_t sets = 64;          ///< of coefficients; the sd of 64 is known to 9 %
  std::size_t max_classes = 100;  ///< cells per population that are told apart
};

/// Covariances of the coefficients by cell type.
using TransferCovariances = std::map<std::size_t, TransferCovariance>;

/// Bands of all simulated populations whose type has a covariance, and how many sets had a stationary state near the
/// predicted one; no bands if fewer than half of them had, or if there is no predicted state.
struct MeanfieldBands {
  std::vector<RateBand> bands;
  std::size_t without_state = 0;
};
MeanfieldBands meanfield_rate_bands(const network::Circuit& circuit, const TransferCovariances& covariances,
                                    const MeanfieldBandOptions& options, core::Progress& progress);

/// Writes the bands into the uncertainty and the notes of the mean-field cells, together with the bands that the point
/// cells of the same types have there: point networks with other parameters that describe the training data as well
/// fire at other rates, and a mean field derived from them would follow. The two are independent, so their squares add.
void note_meanfield_bands(const network::Circuit& circuit, const MeanfieldBands& found,
                          network::Derivation& derivation);

}  // namespace triscale::bridges

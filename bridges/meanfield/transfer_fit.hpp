/// Point -> mean-field: the transfer function of a cell type, measured on its point model (or, if so chosen, on its
/// detailed model) and fitted.
///
/// 1. Cells of the type are taken from the circuit with exactly the synapses that they have there, each source
///    population replaced by independent Poisson sources (bridges/meanfield/transfer_grid.hpp).
/// 2. They run on the point tier (`measured_on`: or the detailed one), unconnected, at working points that spread over
/// inhibition (0 to `max_recurrent_hz`
///    of all recurrent inhibitory sources), over the mix of the excitatory sources, and over the mean cell's distance k
///    from the threshold, in units of the membrane's and the threshold's noise, from silent to `highest_hz`. A few runs
///    do all working points, one after the other. Each cell at each working point is a data point of its own, with the
///    membrane statistics that the mean field will compute for it.
/// 3. Each measured rate nu gives the effective threshold that would produce it,
///      V_eff = mu_V + sqrt2 sigma_V erfc^-1(2 tau_V nu)      (Zerlaut et al. 2018, J Comput Neurosci 44:45),
///    and linear least squares gives the polynomial V_eff(mu, sigma, tau).
/// 4. A Levenberg-Marquardt fit of the spike counts themselves (Ceres) starts there. Counts n over the time T enter as
///    2 (sqrt(n + 3/8) - sqrt(F T + 3/8)) (Anscombe 1948), so silent points count too, with a floor of
///    `relative_model_error` so that busy points do not outvote the template's own error. A weak prior on the slopes
///    keeps coefficients finite that the data do not determine.
/// 5. The fit error is measured at further working points with other random numbers.
///
/// Slow adaptation (kernels of 20 ms and more; movements of the threshold as the current that shifts the potential as
/// much) is not in the transfer function: the statistics of a cell are those at
/// the adaptation that its own rate causes, the predicted rate is the one that fits itself, nu = F(statistics(nu)), and
/// the mean field keeps the kernels. After a change of input the rate is so first that of unadapted cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "bridges/meanfield/transfer_grid.hpp"
#include "core/error.hpp"
#include "core/recorder.hpp"
#include "meanfield/transfer_function.hpp"
#include "network/circuit.hpp"
#include "network/provenance.hpp"

namespace triscale::bridges {

struct TransferFitOptions {
  /// On the detailed tier the error of the point model does not enter; the membrane statistics that the function takes
  /// are still those of the point description, so what they miss is taken up by the fitted threshold.
  MeasuredOn measured_on = MeasuredOn::point;
  std::size_t scout_points = 48;  ///< to find the range of k that the cell fires in
  std::size_t grid_points = 96;
  std::size_t test_points = 32;
  std::size_t cells = 32;  ///< of the circuit's, at each working point
  double settle_ms = 250;  ///< not counted after each change of the working point; longer if adaptation is slow
  double measure_ms = 1000;
  double lowest_hz = 0.05;
  double highest_hz = 60;
  double max_recurrent_hz = 40;
  double relative_model_error = 0.05;
  double prior_sd_mV = 20;
};

/// A cell at a working point.
struct TransferPoint {
  meanfield::MembraneStatistics<double> statistics;  ///< at the adaptation that belongs to the measured rate
  std::function<meanfield::MembraneStatistics<double>(double rate_hz)> statistics_at;  ///< to any rate
  std::uint64_t spikes = 0;
  double observed_ms = 0;  ///< duration
  double rate_hz() const { return 1000.0 * static_cast<double>(spikes) / observed_ms; }
};

/// An unseen working point: rates averaged over the cells.
struct TestedPoint {
  double measured_hz = 0, predicted_hz = 0;
};

struct TransferFit {
  network::MeanfieldCell cell;
  network::Provenance provenance;
  std::vector<TransferPoint> fitted;
  std::vector<TestedPoint> tested;
  double rms_error_hz = 0;         ///< at the tested points
  double rms_relative_error = 0;   ///< at tested points above 1 Hz
  double mean_relative_error = 0;  ///< likewise, with its sign: a bias
  double sampling_error_hz = 0;    ///< what the finite number of spikes alone contributes to rms_error_hz
};

/// Why no transfer functions can be derived for the circuit; empty if they can.
std::vector<core::Problem> missing_for_transfer_fit(const network::Circuit& circuit);

/// Transfer function of circuit.cell_types[cell_type]. A pure function of the circuit and the options, whatever the
/// number of threads. Throws InputError if the type has no point description or no input, NumericalError if no fit is
/// possible.
TransferFit fit_transfer_function(const network::Circuit& circuit, std::size_t cell_type,
                                  const TransferFitOptions& options, std::size_t threads, core::Progress& progress);

/// The circuit with the mean-field description of every simulated cell type filled in, and where it comes from.
/// Existing mean-field descriptions are replaced.
network::Circuit derive_meanfield(const network::Circuit& circuit, const TransferFitOptions& options,
                                  std::size_t threads, network::Derivation& derivation, core::Progress& progress);

}  // namespace triscale::bridges

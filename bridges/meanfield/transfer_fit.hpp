/// Point -> mean-field: the transfer function of a cell type, measured on its point model (or, if so chosen, on its
/// detailed model) and fitted.
///
/// 1. Cells of the type are taken from the circuit with exactly the synapses that they have there, each source
///    population replaced by independent Poisson sources (bridges/meanfield/transfer_grid.hpp).
/// 2. They run on the point tier (`measured_on`: or the detailed one), unconnected, at working points that spread over
///    inhibition (0 to `max_recurrent_hz` of all recurrent inhibitory sources), over the mix of the excitatory sources,
///    and over the mean cell's distance k from the threshold, in units of the membrane's and the threshold's noise,
///    from silent to `highest_hz`. A few runs do all working points, one after the other. Each cell at each working
///    point is a data point of its own, with the membrane statistics that the mean field will compute for it.
/// 3. Each measured rate nu gives the effective threshold that would produce it,
///      V_eff = mu_V + sqrt2 sigma_V erfc^-1(2 tau_V nu)      (Zerlaut et al. 2018, J Comput Neurosci 44:45),
///    and linear least squares gives the polynomial V_eff(mu, sigma, tau).
/// 4. A Levenberg-Marquardt fit of the spike counts themselves (Ceres) starts there. Counts n over the time T enter as
///    the roots of the Poisson deviance, 2 (n ln(n / F T) - n + F T), so that silent points count and the mean of the
///    rates is kept however few the spikes (a root transform of the counts would lose a quarter of a spike per point),
///    with a floor of `relative_model_error` so that busy points do not outvote the template's own error. A weak prior
///    on the slopes keeps coefficients finite that the data do not determine.
/// 5. A quadratic threshold cannot be right everywhere, and a circuit works in a small part of that range. So the
///    stationary state of the circuit is predicted with the functions, further points are measured about it, at
///    sources' rates within a factor of `near_spread`, and the functions are fitted again, all other points at
///    `far_weight`. `refinements` times, because the state moves.
/// 6. How regular the cells' spike trains are (meanfield/spike_trains.hpp) is counted at the points about the state; at
///    all points if there is none.
/// 7. The fit error is measured at further working points with other random numbers: over the whole range, and about
///    the state.
///
/// Slow adaptation (kernels of 20 ms and more; movements of the threshold as the current that shifts the potential as
/// much) is not in the transfer function: the statistics of a cell are those at the adaptation that its own rate
/// causes, the predicted rate is the one that fits itself, nu = F(statistics(nu)), and the mean field keeps the
/// kernels. After a change of input the rate is so first that of unadapted cells.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "bridges/meanfield/transfer_counts.hpp"
#include "bridges/meanfield/transfer_points.hpp"
#include "core/error.hpp"
#include "core/recorder.hpp"
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
  std::size_t refinements = 3;   ///< about the state that the circuit is predicted to have
  std::size_t near_points = 64;  ///< of each
  double near_measure_ms = 2000;
  std::size_t near_test_points = 32;
  double near_spread = 1.3;  ///< rates of sources there, as a factor each way
  double far_weight = 0.2;   ///< of the residuals of all other points then
};

/// An unseen working point: rates averaged over the cells.
struct TestedPoint {
  double measured_hz = 0, predicted_hz = 0;
};

struct TransferFit {
  network::MeanfieldCell cell;
  network::Provenance provenance;
  TransferCovariance covariance_mV2{};  ///< of cell.transfer.P_mV, by sampling (bridges/meanfield/transfer_counts.hpp)
  std::vector<TransferPoint> fitted;
  std::vector<TestedPoint> tested;
  double rms_error_hz = 0;         ///< at the tested points
  double rms_relative_error = 0;   ///< at tested points above 1 Hz
  double mean_relative_error = 0;  ///< likewise, with its sign: a bias
  double sampling_error_hz = 0;    ///< what the finite number of spikes alone contributes to rms_error_hz
  /// Sum of predicted over sum of measured rates, less 1, at tested points about the circuit's state; empty without
  /// one.
  std::optional<double> near_relative_error;
};

/// The fit of circuit.cell_types[cell_type], from the first points to the last. A pure function of the circuit, the
/// options and the states that it is refined about, whatever the number of threads.
class TransferFitting {
 public:
  /// Finds the range and fits over all of it. Throws InputError if the type has no point description or no input,
  /// NumericalError if no fit is possible.
  TransferFitting(const network::Circuit& circuit, std::size_t cell_type, const TransferFitOptions& options,
                  std::size_t threads, core::Progress& progress);

  /// Fits again, to points about a state of the circuit above all: `rates_hz` of its populations.
  void refine(const std::vector<double>& rates_hz, core::Progress& progress);

  /// The cell as fitted so far.
  const network::MeanfieldCell& cell() const { return fit_.cell; }

  /// The fit with its test, also about a state if one is given (may be null).
  TransferFit finish(const std::vector<double>* rates_hz, core::Progress& progress);

 private:
  std::uint64_t next_run();
  core::RandomStream stream() const;
  std::vector<WorkingPoint> points_in(std::array<double, 2> k, std::size_t count) const;
  std::vector<WorkingPoint> points_about(const std::vector<double>& rates_hz, std::size_t count) const;
  std::vector<MeasuredPoint> measured_at(const std::vector<WorkingPoint>& points, double measure_ms,
                                         core::Progress& progress);
  void fit();

  TransferFitOptions options_;
  std::size_t threads_, cell_type_, cells_of_type_;
  std::shared_ptr<const TransferExperiment> experiment_;
  std::array<double, 2> range_{};  // of k
  std::vector<MeasuredPoint> measured_;
  std::size_t about_state_ = 0;  // the last ones of measured_, those of the refinements
  std::uint64_t round_ = 0;
  TransferFit fit_;
};

}  // namespace triscale::bridges

#include "bridges/meanfield/transfer_fit.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <memory>

#include "core/shared_progress.hpp"

namespace triscale::bridges {

namespace {

using network::TransferFunction;
constexpr int kCoefficients = kTransferCoefficients;
using Coefficients = TransferCoefficients;

/// Centres and half-widths of the polynomial's arguments, and the fitted range, from the points used.
void set_scales(TransferFunction& transfer, const std::vector<TransferPoint>& points) {
  const auto range = [&](auto&& value) {
    std::array<double, 2> r{1e300, -1e300};
    for (const TransferPoint& point : points) {
      r[0] = std::min(r[0], value(point.statistics));
      r[1] = std::max(r[1], value(point.statistics));
    }
    return r;
  };
  const auto scale = [](const std::array<double, 2>& r, double& centre, double& half) {
    centre = (r[0] + r[1]) / 2;
    half = std::max((r[1] - r[0]) / 2, 1e-6);
  };
  using Statistics = meanfield::MembraneStatistics<double>;
  transfer.fitted_mu_mV = range([](const Statistics& s) { return s.mu_mV; });
  transfer.fitted_sigma_mV = range([](const Statistics& s) { return s.sigma_mV; });
  transfer.fitted_tau = range([&](const Statistics& s) { return meanfield::normalised_tau(transfer, s); });
  scale(transfer.fitted_mu_mV, transfer.mu_0_mV, transfer.d_mu_mV);
  scale(transfer.fitted_sigma_mV, transfer.sigma_0_mV, transfer.d_sigma_mV);
  scale(transfer.fitted_tau, transfer.tau_0, transfer.d_tau);
}

/// Stage 1: V_eff by linear least squares over the points that fired, with ridge rows for the slopes.
Coefficients fit_thresholds(const TransferFunction& transfer, const std::vector<TransferPoint>& points,
                            const TransferFitOptions& options) {
  constexpr double kThresholdError_mV = 1.0;  // of an inverted threshold, relative to the prior
  constexpr Eigen::Index kColumns = kCoefficients;
  Eigen::MatrixXd A = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(points.size()) + kColumns, kColumns);
  Eigen::VectorXd b = Eigen::VectorXd::Zero(A.rows());
  Eigen::Index row = 0;
  for (const TransferPoint& point : points) {
    const double V_eff = meanfield::inverted_threshold_mV(point.rate_hz(), point.statistics);
    if (!std::isfinite(V_eff)) continue;
    const auto basis = meanfield::threshold_basis(transfer, point.statistics);
    for (Eigen::Index k = 0; k < kColumns; ++k) A(row, k) = basis[static_cast<std::size_t>(k)];
    b[row++] = V_eff;
  }
  for (Eigen::Index k = 1; k < kColumns; ++k) A(row++, k) = kThresholdError_mV / options.prior_sd_mV;
  const Eigen::VectorXd P = A.topRows(row).colPivHouseholderQr().solve(b.head(row));
  Coefficients result;
  for (std::size_t k = 0; k < kCoefficients; ++k) result[k] = P[static_cast<Eigen::Index>(k)];
  return result;
}

void assess(TransferFit& fit, const std::vector<MeasuredPoint>& measured, const TransferFitOptions& options) {
  constexpr double kRelativeAbove_Hz = 1.0;
  double squares = 0, relative = 0, sampling = 0, bias = 0;
  std::size_t relative_points = 0;
  for (const MeasuredPoint& point : measured) {
    const double rate_Hz = point.rate_hz();
    if (point.cells.empty() || rate_Hz > options.highest_hz) continue;
    double predicted_Hz = 0, observed_ms = 0;
    for (const TransferPoint& cell : point.cells) {
      predicted_Hz += meanfield::adapted_rate_hz(fit.cell.transfer, cell.statistics_at);
      observed_ms += cell.observed_ms;
    }
    predicted_Hz /= static_cast<double>(point.cells.size());
    fit.tested.push_back({rate_Hz, predicted_Hz});
    const double error_Hz = predicted_Hz - rate_Hz;
    squares += error_Hz * error_Hz;
    sampling += rate_Hz * 1000.0 / observed_ms;
    if (rate_Hz > kRelativeAbove_Hz) {
      relative += (error_Hz / rate_Hz) * (error_Hz / rate_Hz);
      bias += error_Hz / rate_Hz;
      ++relative_points;
    }
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, fit.tested.size()));
  const auto n_relative = static_cast<double>(std::max<std::size_t>(1, relative_points));
  fit.rms_error_hz = std::sqrt(squares / n);
  fit.sampling_error_hz = std::sqrt(sampling / n);
  fit.rms_relative_error = std::sqrt(relative / n_relative);
  fit.mean_relative_error = bias / n_relative;
}

/// Sum of the predicted rates of all points over that of the measured ones, less 1.
double bias(const TransferFit& fit, const std::vector<MeasuredPoint>& measured) {
  double predicted_Hz = 0, measured_Hz = 0;
  for (const MeasuredPoint& point : measured) {
    for (const TransferPoint& cell : point.cells) {
      predicted_Hz += meanfield::adapted_rate_hz(fit.cell.transfer, cell.statistics_at);
      measured_Hz += cell.rate_hz();
    }
  }
  return measured_Hz > 0 ? predicted_Hz / measured_Hz - 1 : 0.0;
}

network::Provenance provenance_of(const TransferFit& fit, const TransferExperiment& experiment, MeasuredOn tier) {
  static constexpr std::array<const char*, kCoefficients> kTerms{"1",      "mu",   "sigma",    "tau",    "mu2",
                                                                 "sigma2", "tau2", "mu_sigma", "mu_tau", "sigma_tau"};
  network::Provenance p;
  p.method = fmt::format(
      "transfer function measured on cells of the {} tier, with their own synapses, under Poisson input; least "
      "squares, "
      "then Levenberg-Marquardt",
      tier == MeasuredOn::detailed ? "detailed" : "point");
  p.operating_point["cells_measured"] = static_cast<double>(experiment.cells());
  p.operating_point["source_populations"] = static_cast<double>(experiment.sources());
  p.fit_error["rms_rate_hz"] = fit.rms_error_hz;
  p.fit_error["rms_relative_rate"] = fit.rms_relative_error;
  p.fit_error["mean_relative_rate"] = fit.mean_relative_error;
  p.fit_error["sampling_rate_hz"] = fit.sampling_error_hz;
  if (fit.near_relative_error) {
    p.fit_error["mean_relative_rate_in_the_circuit"] = *fit.near_relative_error;
    p.tolerance["mean_relative_rate_in_the_circuit"] = 0.1;
  }
  p.fit_error["tested_points"] = static_cast<double>(fit.tested.size());
  const Coefficients standard_error = standard_errors(fit.covariance_mV2);
  for (std::size_t k = 0; k < kCoefficients; ++k) p.uncertainty[fmt::format("P_{}_mV", kTerms[k])] = standard_error[k];
  p.validity_range["mu_V_mV"] = fit.cell.transfer.fitted_mu_mV;
  p.validity_range["sigma_V_mV"] = fit.cell.transfer.fitted_sigma_mV;
  p.validity_range["tau_V_g_L_per_C_m"] = fit.cell.transfer.fitted_tau;
  p.notes.emplace_back(
      "kernels of adaptation of 20 ms and more stand beside the transfer function; shorter ones are in it");
  p.notes.emplace_back("time_constant_ms is tau_V, typical of working points that fire at 0.5 to 30 Hz");
  return p;
}

std::size_t cells_of(const network::Circuit& circuit, std::size_t cell_type) {
  std::size_t cells = 0;
  for (const network::Population& population : circuit.populations) {
    if (!population.is_virtual && population.cell_type == cell_type) cells += population.size;
  }
  return cells;
}

}  // namespace

TransferFitting::TransferFitting(const network::Circuit& circuit, std::size_t cell_type,
                                 const TransferFitOptions& options, std::size_t threads, core::Progress& progress)
    : options_(options),
      threads_(threads),
      cell_type_(cell_type),
      cells_of_type_(cells_of(circuit, cell_type)),
      experiment_(std::make_shared<const TransferExperiment>(circuit, cell_type, options.cells, options.measured_on)) {
  constexpr double kScoutLow = -8, kScoutHigh = 8;  // from far above the threshold to silence
  constexpr double kScoutMeasure_ms = 500;
  constexpr double kScoutsShare = 0.2;  // of the work
  core::SharedProgress shared(progress, 1);
  core::PartProgress part(shared, 1);
  part.stage(kScoutsShare);
  measured_ = measured_at(points_in({kScoutLow, kScoutHigh}, options_.scout_points), kScoutMeasure_ms, part);
  range_ = firing_range(measured_, options_.lowest_hz, options_.highest_hz);
  part.stage(1);
  const auto grid = measured_at(points_in(range_, options_.grid_points), options_.measure_ms, part);
  measured_.insert(measured_.end(), grid.begin(), grid.end());
  fit();
}

void TransferFitting::refine(const std::vector<double>& rates_hz, core::Progress& progress) {
  if (about_state_ == 0) {
    for (MeasuredPoint& point : measured_) {
      for (TransferPoint& cell : point.cells) cell.weight = options_.far_weight;
    }
  }
  const auto near = measured_at(points_about(rates_hz, options_.near_points), options_.near_measure_ms, progress);
  measured_.insert(measured_.end(), near.begin(), near.end());
  about_state_ += near.size();
  fit();
}

TransferFit TransferFitting::finish(const std::vector<double>* rates_hz, core::Progress& progress) {
  constexpr double kWholeRangeShare = 0.7;  // of the work, if there is a state too
  core::SharedProgress shared(progress, 1);
  core::PartProgress part(shared, 1);
  part.stage(rates_hz == nullptr ? 1 : kWholeRangeShare);
  assess(fit_, measured_at(points_in(range_, options_.test_points), options_.measure_ms, part), options_);
  part.stage(1);
  if (rates_hz != nullptr) {
    fit_.near_relative_error =
        bias(fit_, measured_at(points_about(*rates_hz, options_.near_test_points), options_.near_measure_ms, part));
  }
  fit_.provenance = provenance_of(fit_, *experiment_, options_.measured_on);
  return std::move(fit_);
}

/// Each measurement has random numbers of its own, for its points and for its spikes.
std::uint64_t TransferFitting::next_run() {
  return cell_type_ * 16 + round_++;
}

core::RandomStream TransferFitting::stream() const {
  return core::RandomStream(experiment_->seed(), core::Purpose::transfer_grid, cell_type_ * 16 + round_);
}

std::vector<WorkingPoint> TransferFitting::points_in(std::array<double, 2> k, std::size_t count) const {
  constexpr double kNominalRate_Hz = 5;
  return experiment_->draw(count, k[0], k[1], options_.max_recurrent_hz / kNominalRate_Hz, stream());
}

std::vector<WorkingPoint> TransferFitting::points_about(const std::vector<double>& rates_hz, std::size_t count) const {
  return experiment_->draw_about(count, rates_hz, options_.near_spread, stream());
}

std::vector<MeasuredPoint> TransferFitting::measured_at(const std::vector<WorkingPoint>& points, double measure_ms,
                                                        core::Progress& progress) {
  return measure(experiment_, points, {options_.settle_ms, measure_ms}, next_run(), threads_, progress);
}

void TransferFitting::fit() {
  fit_.fitted = cells_up_to(measured_, options_.highest_hz);
  TransferFunction& transfer = fit_.cell.transfer;
  transfer = experiment_->transfer();
  set_scales(transfer, fit_.fitted);
  transfer.P_mV = fit_thresholds(transfer, fit_.fitted, options_);
  fit_.covariance_mV2 = fit_counts(
      transfer, fit_.fitted,
      {options_.relative_model_error, options_.prior_sd_mV,
       static_cast<double>(experiment_->cells()) / static_cast<double>(std::max<std::size_t>(1, cells_of_type_))});
  const std::span<const MeasuredPoint> all(measured_);
  const MeasuredDeadTime dead_time =
      measured_dead_time(about_state_ > 0 ? all.last(about_state_) : all, options_.highest_hz);
  transfer.dead_time_ms = dead_time.dead_time_ms;
  transfer.dead_time_at_hz = dead_time.at_hz;
  fit_.cell.time_constant_ms = typical_tau_ms(fit_.fitted);
}

}  // namespace triscale::bridges

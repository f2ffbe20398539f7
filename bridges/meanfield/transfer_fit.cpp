#include "bridges/meanfield/transfer_fit.hpp"

#include <ceres/ceres.h>
#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <memory>

#include "core/shared_progress.hpp"

namespace triscale::bridges {

namespace {

using network::TransferFunction;
constexpr int kCoefficients = 10;
using Coefficients = std::array<double, kCoefficients>;

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

/// Root of what a count of n spikes adds to the deviance of a Poisson distribution of mean m,
/// 2 (n ln(n/m) - n + m), with the sign of n - m.
template <typename T>
T deviance_residual(double n, const T& mean) {
  using std::log;
  using std::sqrt;
  constexpr double kLeast = 1e-9;  // keeps the root's derivative finite
  const T m = mean + kLeast;
  if (n == 0) return -sqrt(2.0 * m);
  const T x = (m - n) / n;
  constexpr double kSeriesBelow = 1e-2;
  // 2 (x - ln(1 + x)) / x^2
  const T ratio = x < T(kSeriesBelow) && x > T(-kSeriesBelow)
                      ? 1.0 + x * (-2.0 / 3 + x * (0.5 + x * (-0.4 + x * (1.0 / 3 - x * (2.0 / 7)))))
                      : 2.0 * (x - log(1.0 + x)) / (x * x);
  return -x * sqrt(n * ratio);
}

/// Residual of the spike count of one point.
struct CountResidual {
  const TransferPoint* point;
  const TransferFunction* transfer;  ///< all but its coefficients
  double weight;

  template <typename T>
  bool operator()(const T* P_mV, T* residual) const {
    TransferFunction now = *transfer;
    for (std::size_t k = 0; k < kCoefficients; ++k) now.P_mV[k] = value_of(P_mV[k]);
    const bool adapts = meanfield::adaptation_nA_per_hz(now) != 0;
    const double rate_Hz = adapts ? meanfield::adapted_rate_hz(now, point->statistics_at) : 0.0;
    const auto statistics = point->statistics_at(rate_Hz);
    T F_Hz = rate_at(now, P_mV, statistics);
    if (adapts) {  // nu = F(nu, P): one Newton step from the solution gives its derivatives by P
      const double step_Hz = 1e-4 * std::max(1.0, rate_Hz);
      const double slope = (meanfield::transfer_rate(now, point->statistics_at(rate_Hz + step_Hz)) -
                            meanfield::transfer_rate(now, point->statistics_at(std::max(0.0, rate_Hz - step_Hz)))) /
                           (rate_Hz + step_Hz - std::max(0.0, rate_Hz - step_Hz));
      F_Hz = rate_Hz + (F_Hz - rate_Hz) / std::max(0.5, 1 - slope);  // slope <= 0 where F is sensible
    }
    const T expected = F_Hz * (point->observed_ms / 1000.0);
    residual[0] = weight * deviance_residual(static_cast<double>(point->spikes.count), expected);
    return true;
  }

 private:
  static double value_of(double x) { return x; }
  template <int N>
  static double value_of(const ceres::Jet<double, N>& x) {
    return x.a;
  }
  template <typename T>
  static T rate_at(const TransferFunction& transfer, const T* P_mV,
                   const meanfield::MembraneStatistics<double>& statistics) {
    const Coefficients basis = meanfield::threshold_basis(transfer, statistics);
    T V_eff = P_mV[0] * basis[0];
    for (std::size_t k = 1; k < kCoefficients; ++k) V_eff += P_mV[k] * basis[k];
    const meanfield::MembraneStatistics<T> as_T{T(statistics.mu_mV), T(statistics.sigma_mV), T(statistics.tau_V_ms)};
    return meanfield::transfer_rate(V_eff, as_T, transfer.t_ref_ms);
  }
};

struct SlopePrior {
  double sd_mV;
  template <typename T>
  bool operator()(const T* P_mV, T* residual) const {
    for (std::size_t k = 1; k < kCoefficients; ++k) residual[k - 1] = P_mV[k] / sd_mV;
    return true;
  }
};

/// Stage 2: spike counts by Levenberg-Marquardt. Returns the standard errors of the coefficients.
Coefficients fit_counts(TransferFunction& transfer, const std::vector<TransferPoint>& points,
                        const TransferFitOptions& options) {
  ceres::Problem problem;
  const TransferFunction scaled = transfer;  // not moved by the solver
  double* P = transfer.P_mV.data();
  for (const TransferPoint& point : points) {
    // sd of 2 sqrt(n) with variance n + (e n)^2 is sqrt(1 + e^2 n)
    const double e = options.relative_model_error;
    const double weight = point.weight / std::sqrt(1 + e * e * static_cast<double>(point.spikes.count));
    auto functor = std::make_unique<CountResidual>(CountResidual{&point, &scaled, weight});
    auto residual = std::make_unique<ceres::AutoDiffCostFunction<CountResidual, 1, kCoefficients>>(functor.release());
    problem.AddResidualBlock(residual.release(), nullptr, P);  // Ceres takes ownership of both
  }
  auto prior = std::make_unique<ceres::AutoDiffCostFunction<SlopePrior, kCoefficients - 1, kCoefficients>>(
      std::make_unique<SlopePrior>(SlopePrior{options.prior_sd_mV}).release());
  problem.AddResidualBlock(prior.release(), nullptr, P);
  ceres::Solver::Options solver;
  solver.linear_solver_type = ceres::DENSE_QR;
  solver.max_num_iterations = 300;
  solver.num_threads = 1;
  solver.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(solver, &problem, &summary);
  if (!summary.IsSolutionUsable()) {
    throw core::NumericalError("transfer function: the fit of spike counts failed: " + summary.message);
  }
  Coefficients error;
  error.fill(std::nan(""));
  ceres::Covariance::Options covariance_options;
  covariance_options.algorithm_type = ceres::DENSE_SVD;
  covariance_options.null_space_rank = -1;
  ceres::Covariance covariance(covariance_options);
  const std::vector<std::pair<const double*, const double*>> blocks{{P, P}};
  std::array<double, kCoefficients * kCoefficients> C{};
  if (covariance.Compute(blocks, &problem) && covariance.GetCovarianceBlock(P, P, C.data())) {
    const double freedom = std::max(1.0, static_cast<double>(points.size()) - static_cast<double>(kCoefficients));
    const double dispersion = 2 * summary.final_cost / freedom;
    for (std::size_t k = 0; k < kCoefficients; ++k) error[k] = std::sqrt(dispersion * C[k * kCoefficients + k]);
  }
  return error;
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

network::Provenance provenance_of(const TransferFit& fit, const TransferExperiment& experiment,
                                  const Coefficients& standard_error, MeasuredOn tier) {
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
  if (fit.near_relative_error) p.fit_error["mean_relative_rate_in_the_circuit"] = *fit.near_relative_error;
  p.fit_error["tested_points"] = static_cast<double>(fit.tested.size());
  for (std::size_t k = 0; k < kCoefficients; ++k) p.uncertainty[fmt::format("P_{}_mV", kTerms[k])] = standard_error[k];
  p.validity_range["mu_V_mV"] = fit.cell.transfer.fitted_mu_mV;
  p.validity_range["sigma_V_mV"] = fit.cell.transfer.fitted_sigma_mV;
  p.validity_range["tau_V_g_L_per_C_m"] = fit.cell.transfer.fitted_tau;
  p.notes.emplace_back(
      "kernels of adaptation of 20 ms and more stand beside the transfer function; shorter ones are in it");
  p.notes.emplace_back("time_constant_ms is tau_V, typical of working points that fire at 0.5 to 30 Hz");
  return p;
}

}  // namespace

TransferFitting::TransferFitting(const network::Circuit& circuit, std::size_t cell_type,
                                 const TransferFitOptions& options, std::size_t threads, core::Progress& progress)
    : options_(options),
      threads_(threads),
      cell_type_(cell_type),
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
  fit_.provenance = provenance_of(fit_, *experiment_, standard_error_, options_.measured_on);
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
  standard_error_ = fit_counts(transfer, fit_.fitted, options_);
  const std::span<const MeasuredPoint> all(measured_);
  const MeasuredDeadTime dead_time =
      measured_dead_time(about_state_ > 0 ? all.last(about_state_) : all, options_.highest_hz);
  transfer.dead_time_ms = dead_time.dead_time_ms;
  transfer.dead_time_at_hz = dead_time.at_hz;
  fit_.cell.time_constant_ms = typical_tau_ms(fit_.fitted);
}

}  // namespace triscale::bridges

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

/// A working point with what its cells did.
struct MeasuredPoint {
  WorkingPoint point;
  std::vector<TransferPoint> cells;

  double rate_hz() const {
    double sum = 0;
    for (const TransferPoint& cell : cells) sum += cell.rate_hz() / static_cast<double>(cells.size());
    return sum;
  }
};

std::vector<MeasuredPoint> measure(const std::shared_ptr<const TransferExperiment>& experiment,
                                   const std::vector<WorkingPoint>& points, const TransferFitOptions& options,
                                   double measure_ms, std::uint64_t run, std::size_t threads,
                                   core::Progress& progress) {
  double settle_ms = options.settle_ms;  // and as long as adaptation needs
  constexpr double kAdapted = 3;         // time constants
  for (const auto& kernel : experiment->transfer().adaptation_nA) {
    settle_ms = std::max(settle_ms, kAdapted * kernel.tau_ms);
  }
  const auto spikes = experiment->measure(points, settle_ms, measure_ms, run, threads, progress);
  std::vector<MeasuredPoint> measured;
  for (std::size_t i = 0; i < points.size(); ++i) {
    MeasuredPoint& point = measured.emplace_back(MeasuredPoint{points[i], {}});
    for (std::size_t cell = 0; cell < experiment->cells(); ++cell) {
      const auto statistics_at = [experiment, cell, at = points[i]](double rate_hz) {
        return experiment->statistics(cell, at, rate_hz);
      };
      TransferPoint measured_cell{{}, statistics_at, spikes[i][cell], measure_ms};
      measured_cell.statistics = statistics_at(measured_cell.rate_hz());
      if (measured_cell.statistics.sigma_mV > 0) point.cells.push_back(std::move(measured_cell));  // it has input
    }
  }
  return measured;
}

/// Distances from the threshold at which the cells, on average, go from lowest_hz to highest_hz.
std::array<double, 2> firing_range(const std::vector<MeasuredPoint>& measured, const TransferFitOptions& options) {
  double k_low = 1e300, k_high = -1e300;
  for (const MeasuredPoint& scout : measured) {
    const double rate_Hz = scout.rate_hz();
    if (!(rate_Hz >= options.lowest_hz && rate_Hz <= options.highest_hz)) continue;
    k_low = std::min(k_low, scout.point.k);
    k_high = std::max(k_high, scout.point.k);
  }
  if (k_low > k_high) {
    throw core::NumericalError("transfer function: the point model does not fire at any of the working points tried");
  }
  constexpr double kMargin = 0.5;
  return {k_low - kMargin, k_high + kMargin};
}

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

/// Anscombe residual of the spike count of one point.
struct CountResidual {
  const TransferPoint* point;
  const TransferFunction* transfer;  ///< all but its coefficients
  double weight;

  template <typename T>
  bool operator()(const T* P_mV, T* residual) const {
    using std::sqrt;
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
    residual[0] = 2.0 * weight * (sqrt(static_cast<double>(point->spikes) + 0.375) - sqrt(expected + 0.375));
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
    const double weight = 1 / std::sqrt(1 + e * e * static_cast<double>(point.spikes));
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

/// The cells of all working points whose mean rate is within the range.
std::vector<TransferPoint> within_range(const std::vector<MeasuredPoint>& measured, const TransferFitOptions& options) {
  std::vector<TransferPoint> cells;
  for (const MeasuredPoint& point : measured) {
    if (point.rate_hz() <= options.highest_hz) cells.insert(cells.end(), point.cells.begin(), point.cells.end());
  }
  return cells;
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

/// Window of the second-order statistics: the time over which the membrane forgets, tau_V, typical of points that fire
/// at 0.5 to 30 Hz.
double typical_tau_ms(const std::vector<TransferPoint>& points) {
  std::vector<double> tau_ms;
  for (const TransferPoint& point : points) {
    if (point.rate_hz() >= 0.5 && point.rate_hz() <= 30) tau_ms.push_back(point.statistics.tau_V_ms);
  }
  if (tau_ms.empty()) return network::MeanfieldCell{}.time_constant_ms;
  std::sort(tau_ms.begin(), tau_ms.end());
  return tau_ms[tau_ms.size() / 2];
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

std::vector<core::Problem> missing_for_transfer_fit(const network::Circuit& circuit) {
  std::vector<core::Problem> problems = meanfield::missing(with_placeholder_meanfield(circuit));
  for (core::Problem& problem : problems) {
    const std::string from = "mean-field description";
    const std::size_t at = problem.rule.find(from);
    if (at != std::string::npos && problem.place.rfind("cell_types.", 0) == 0) {
      problem.rule.replace(at, from.size(), "point description with a transfer function");
    }
  }
  return problems;
}

TransferFit fit_transfer_function(const network::Circuit& circuit, std::size_t cell_type,
                                  const TransferFitOptions& options, std::size_t threads, core::Progress& progress) {
  constexpr double kScoutLow = -8, kScoutHigh = 8;  // from far above the threshold to silence
  constexpr double kNominalRate_Hz = 5;
  constexpr double kScoutMeasure_ms = 500;
  constexpr double kScoutsShare = 0.1, kGridShare = 0.7;  // of the work, when done
  core::SharedProgress shared(progress, 1);
  core::PartProgress part(shared, 1);
  const auto experiment =
      std::make_shared<const TransferExperiment>(circuit, cell_type, options.cells, options.measured_on);
  const double inhibition_max = options.max_recurrent_hz / kNominalRate_Hz;
  const auto points_of = [&](std::size_t count, std::array<double, 2> k, std::uint64_t round) {
    const core::RandomStream random(experiment->seed(), core::Purpose::transfer_grid, cell_type * 16 + round);
    return experiment->draw(count, k[0], k[1], inhibition_max, random);
  };
  const auto run_of = [&](std::uint64_t round) { return cell_type * 16 + round; };

  part.stage(kScoutsShare);
  auto measured = measure(experiment, points_of(options.scout_points, {kScoutLow, kScoutHigh}, 0), options,
                          kScoutMeasure_ms, run_of(0), threads, part);
  const std::array<double, 2> k = firing_range(measured, options);
  part.stage(kGridShare);
  const auto grid =
      measure(experiment, points_of(options.grid_points, k, 1), options, options.measure_ms, run_of(1), threads, part);
  measured.insert(measured.end(), grid.begin(), grid.end());

  TransferFit fit;
  fit.fitted = within_range(measured, options);
  TransferFunction& transfer = fit.cell.transfer;
  transfer = experiment->transfer();
  set_scales(transfer, fit.fitted);
  transfer.P_mV = fit_thresholds(transfer, fit.fitted, options);
  const Coefficients standard_error = fit_counts(transfer, fit.fitted, options);
  fit.cell.time_constant_ms = typical_tau_ms(fit.fitted);

  part.stage(1);
  const auto tests =
      measure(experiment, points_of(options.test_points, k, 2), options, options.measure_ms, run_of(2), threads, part);
  assess(fit, tests, options);
  fit.provenance = provenance_of(fit, *experiment, standard_error, options.measured_on);
  return fit;
}

network::Circuit derive_meanfield(const network::Circuit& circuit, const TransferFitOptions& options,
                                  std::size_t threads, network::Derivation& derivation, core::Progress& progress) {
  const std::vector<core::Problem> problems = missing_for_transfer_fit(circuit);
  if (!problems.empty()) throw core::InputError(problems);
  std::vector<std::size_t> types;
  for (const network::Population& population : circuit.populations) {
    const bool known = std::find(types.begin(), types.end(), population.cell_type) != types.end();
    if (!population.is_virtual && population.size > 0 && !known) types.push_back(population.cell_type);
  }
  network::Circuit result = circuit;
  core::SharedProgress shared(progress, static_cast<double>(types.size()));
  for (std::size_t i = 0; i < types.size(); ++i) {
    core::PartProgress part(shared, 1);
    const TransferFit fit = fit_transfer_function(circuit, types[i], options, threads, part);
    part.finish();
    result.cell_types[types[i]].meanfield = fit.cell;
    derivation.meanfield_cells[circuit.cell_types[types[i]].name] = fit.provenance;
  }
  return result;
}

}  // namespace triscale::bridges

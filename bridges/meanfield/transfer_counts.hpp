/// Fit of a transfer function's coefficients P to spike counts, and how well the counts determine them.
///
/// Counts n_i over the time T_i enter as roots of the Poisson deviance, 2 (n ln(n / m) - n + m) with m = F(P) T, each
/// with a weight w. With the score g_i = w_i^2 (n_i / m_i - 1) dm_i/dP and the information
///   H = sum_i w_i^2 dm_i/dP dm_i/dP^T / m_i + 1/sd^2 (prior on the slopes)
/// the covariance of P is that of data that are clustered in two ways (Liang and Zeger 1986, Biometrika 73:13; Cameron,
/// Gelbach, Miller 2011, J Bus Econ Stat 29:238),
///   C = H^-1 B H^-1,   B = (1 - f) (B_cells - B_counts) + B_points,
///   B_counts = sum_i g_i g_i^T,   B_cells = n/(n-1) sum_c (sum_(i of c) g_i)(...)^T,   B_points likewise.
/// The template is a little wrong for each of the n cells, at all working points alike, and for each working point, for
/// all cells alike; so the counts of a cell, and those of a point, are not independent. Where a share f of the
/// network's cells was measured, only the rest is unknown (finite population correction, Cochran 1977, Sampling
/// Techniques, ch. 2).
#pragma once

#include <array>
#include <vector>

#include "bridges/meanfield/transfer_points.hpp"
#include "network/cell_models.hpp"

namespace triscale::bridges {

constexpr int kTransferCoefficients = 10;
using TransferCoefficients = std::array<double, kTransferCoefficients>;
/// Row by row, mV^2.
using TransferCovariance = std::array<double, kTransferCoefficients * kTransferCoefficients>;

struct CountFitOptions {
  double relative_model_error = 0.05;  ///< e: weights are w / sqrt(1 + e^2 n)
  double prior_sd_mV = 20;             ///< of all coefficients but the first
  double measured_share = 0;           ///< f, of the cells that the function stands for
};

/// Moves transfer.P_mV from where they are to the best ones; all other members stay. Returns their covariance. Throws
/// NumericalError if the fit fails.
TransferCovariance fit_counts(network::TransferFunction& transfer, const std::vector<TransferPoint>& points,
                              const CountFitOptions& options);

/// Standard deviations from a covariance.
TransferCoefficients standard_errors(const TransferCovariance& covariance);

}  // namespace triscale::bridges

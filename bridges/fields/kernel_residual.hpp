/// What the cells of a network do beyond their linear prediction, as the channels of a probe would see it if all cells
/// did what a few sampled ones do.
///
/// Of the residual potentials e_s(t) of n sampled cells (potential less prediction, without its mean over time), at
/// every node of the tree,
///   M(t) = mean of e_s over the cells          what all cells of the population do together,
///   C    = covariance of e_s - M over time     what each does for itself; it grows with the spikes of the cell.
/// A channel with the weights w_c of cell c (field = w_c . V) sees
///   E(t)   = sum over populations (sum_c w_c) . M(t)
///   chance = sum over all cells  w_c' C w_c s(spikes of c),     s by regression over the sampled cells,
/// and M holds C / n by chance, which counts once too often in var E: var E - (sum_c w_c)' C (sum_c w_c) / n is what is
/// common. So few sampled cells stand for all places that a cell may have beside an electrode.
#pragma once

#include <Eigen/Dense>
#include <cstddef>
#include <vector>

#include "bridges/fields/kernel_spectrum.hpp"
#include "bridges/point/cell_sample.hpp"
#include "measure/signal.hpp"

namespace triscale::bridges {

/// Of the cells of one population. Potentials in means over kBin_ms.
struct CellResiduals {
  static constexpr double kBin_ms = 1;
  std::size_t cells = 0;
  double begin_ms = 0;
  Eigen::MatrixXf common_mV;    ///< M, [bin][node]
  Eigen::MatrixXd modes_mV;     ///< [node][mode]: C = modes modes'
  double mean_spikes = 0;       ///< of a sampled cell
  double growth_per_spike = 0;  ///< of C, relative

  double scale(double spikes) const;
};
CellResiduals residuals_of(const CellSample& sample, const std::vector<float>& predicted_mV);

/// Of one probe.
class ProbeResidual {
 public:
  explicit ProbeResidual(std::size_t channels) : chance_(channels, 0.0), bias_(channels, 0.0) {}

  /// The cells of a population one after the other, then end_population().
  void add_cell(const CellResiduals& residuals, const FieldWeights& weights, double spikes);
  void end_population(const CellResiduals& residuals);

  std::size_t channels() const { return chance_.size(); }
  double begin_ms() const { return begin_ms_; }
  std::size_t bins() const { return static_cast<std::size_t>(common_.rows()); }
  /// E(t) of a channel.
  std::vector<double> common(std::size_t channel) const;
  /// Variance of all that the prediction misses of the field.
  double variance(std::size_t channel) const;

 private:
  Eigen::MatrixXd common_;  ///< [bin][channel]
  Eigen::MatrixXd sum_;     ///< weights of the current population, [node][channel]
  std::vector<double> chance_, bias_;
  double begin_ms_ = 0;
};

/// What the sampled cells' residuals make of the field of all cells, as a share of the variance of the signal that all
/// make together, by channel. `by_kernels`: the signal that the kernels predict; `shared`: what they miss because cells
/// share a kernel.
std::vector<double> unexplained_variance(const ProbeResidual& residual, const measure::Signal& by_kernels,
                                         const std::vector<double>& shared);

/// Weights of the nodes for every channel: [node][channel].
Eigen::MatrixXd channel_weights(const FieldWeights& weights, std::size_t channels);

}  // namespace triscale::bridges

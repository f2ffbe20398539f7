/// How well kernels can do, from the kernels and the spikes alone (Ness, Tetzlaff, Einevoll & Dahmen 2025, PLoS Comput
/// Biol 21:e1012303): a signal made by the mean kernel of a population misses
///   e(t) = sum_i (h_i - h_mean) * s_i(t).
/// What cells have in common cancels in the sum; what is private to each does not. With the private part of the spike
/// counts v_i = var(n_i) (1 - rho) in bins of T, rho their mean pairwise correlation, as white noise,
///   var e = sum over populations, sum over cells  v_i / T  int (h_i - h_mean)^2 dt,
/// and likewise with h_i itself for the part of the signal that is the chance of single cells. Where a population is
/// too large for kernels of its cells, the integral is the mean over a sample (SourceKernels::spread), and the signals
/// by cells' kernels miss its e(t) as well. What linear response misses (FieldKernels::unexplained_variance) comes on
/// top.
///
/// The signal of the point tier has the error of its spikes as well. Its kernels see both tiers' spikes, h * s_point
/// and h * s_detailed, without the detailed tier's field; where what the kernels miss is not correlated with what the
/// spikes change, both add up:
///   error^2 = (1 - u) var(h * s_point - h * s_detailed) / var(h * s_detailed) + u,   u: error of the kernels^2.
#pragma once

#include <vector>

#include "measure/activity.hpp"
#include "measure/signal.hpp"
#include "measure/signal_report.hpp"
#include "network/circuit.hpp"
#include "network/field_kernels.hpp"

namespace triscale::bridges {

/// Variances per channel of a probe's signal, on the grid of `interval_ms`.
struct PrivateVariance {
  std::vector<double> heterogeneity;       ///< of e(t) above
  std::vector<double> shared;              ///< its part from populations that have no kernels of single cells
  std::vector<double> chance;              ///< private to single cells that are simulated
  std::vector<double> mean_kernel_chance;  ///< of all cells, virtual ones too, seen through mean kernels
};
PrivateVariance private_variance(const network::Circuit& circuit, const network::FieldKernels& kernels,
                                 const measure::Activity& activity, double interval_ms);

/// Adds factor int h^2 dt per channel after averaging over intervals, optionally of the deviation from `mean`.
void add_kernel_power(const network::FieldKernels& kernels, const float* h, const float* mean, double interval_ms,
                      double factor, std::vector<double>& power);

/// The signals that an activity's spikes make through the kernels.
std::vector<measure::Signal> signals_of(const network::Circuit& circuit, const network::CircuitKernels& kernels,
                                        const measure::Activity& activity);

/// Measured and predicted error of kernels under the spikes of the detailed tier; with `point`, the signals of the
/// point tier, one a probe, also of those.
std::vector<measure::KernelError> kernel_errors(const network::Circuit& circuit, const network::CircuitKernels& kernels,
                                                const measure::Activity& detailed,
                                                const std::vector<measure::Signal>& truth, double begin_ms,
                                                const std::vector<measure::Signal>* point = nullptr);

}  // namespace triscale::bridges

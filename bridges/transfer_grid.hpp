/// Working points of a cell under Poisson input, and their measurement on the point tier; the experiment behind
/// bridges/transfer_fit.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "core/recorder.hpp"
#include "meanfield/model.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Poisson events of one receptor from external or from recurrent sources.
struct InputGroup {
  std::size_t receptor = 0;  ///< index into TransferExperiment::receptors
  bool external = false;
  bool excitatory = false;
  double base_rate_per_ms = 0;  ///< events per cell when external sources fire as in the circuit, recurrent at 5 Hz
  double mean_weight_uS = 0;
  double mean_weight2_uS2 = 0;
};

/// The cell, its input and the passive membrane that the statistics refer to.
struct TransferExperiment {
  network::PointCell cell;
  meanfield::Membrane membrane;
  double t_ref_ms = 0;
  double V_threshold_mV = 0;      ///< where spiking becomes likely, to place working points
  double threshold_noise_mV = 0;  ///< width of the escape noise, as a standard deviation
  std::vector<network::BiexponentialSynapse> synapses;
  std::vector<meanfield::Receptor> receptors;
  std::vector<InputGroup> groups;
  /// Spread over the circuit's cells of the effective weight of their excitation, sum w^2 / sum w, relative to the
  /// mean: cells with few strong synapses fluctuate more than the mean cell at the same mean input.
  std::array<double, 2> weight_scale{1, 1};
  double dt_ms = 0.1;
  std::uint64_t seed = 1;
};

struct WorkingPoint {
  std::vector<double> rate_per_ms;  ///< per group
  double current_nA = 0;            ///< drives cells that have no excitatory synapses
  double weight_scale = 1;          ///< of all weights
  double k = 0;                     ///< (V_threshold - mu) / sqrt(sigma^2 + threshold_noise^2)
  meanfield::MembraneStatistics<double> statistics;
};

/// What cells of a type receive in the circuit.
TransferExperiment transfer_experiment(const network::Circuit& circuit, std::size_t cell_type);

/// The circuit with a mean-field description in every simulated cell type that has a point description, enough to build
/// meanfield::Model and read the input of its cells.
network::Circuit with_placeholder_meanfield(const network::Circuit& circuit);

/// `count` working points with k stratified over [k_low, k_high], in the order of falling k (rising rate), so that the
/// state left by one point is close to what the next one needs. inhibition_max: of the inhibitory base rates.
std::vector<WorkingPoint> draw_working_points(const TransferExperiment& experiment, std::size_t count, double k_low,
                                              double k_high, double inhibition_max, core::RandomStream random);

/// Working points are measured in this many runs, point i in run i % kRuns: a fixed number, whatever the number of
/// threads, so that the spikes are the same. All points of a run share one weight scale.
inline constexpr std::size_t kRuns = 8;

/// Spikes of `cells` copies at each working point, counted for measure_ms after settle_ms.
std::vector<std::uint64_t> measure_spikes(const TransferExperiment& experiment, std::span<const WorkingPoint> points,
                                          std::size_t cells, double settle_ms, double measure_ms, std::uint64_t run,
                                          std::size_t threads, core::Progress& progress);

}  // namespace triscale::bridges

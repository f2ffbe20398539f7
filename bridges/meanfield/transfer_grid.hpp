/// Working points of a cell type's cells under Poisson input, and their measurement on a finer tier; the experiment
/// behind bridges/meanfield/transfer_fit.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "core/recorder.hpp"
#include "meanfield/model.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

/// Rates at which the sources fire.
struct WorkingPoint {
  std::vector<double> source_hz;  ///< per source population
  double current_nA = 0;          ///< drives cells that have no excitatory synapses
  double k = 0;                   ///< (V_threshold - mu) / sqrt(sigma^2 + threshold_noise^2) of the mean cell
};

/// The circuit with a mean-field description in every simulated cell type that has a point description, enough to build
/// meanfield::Model and read the input of its cells.
network::Circuit with_placeholder_meanfield(const network::Circuit& circuit);

/// Spikes of a cell.
struct SpikeCount {
  static constexpr double kFollow_ms = 10;  ///< about the time over which a membrane's potential forgets

  std::uint64_t count = 0;
  double followers = 0;  ///< sum over pairs of spikes of exp(-distance / kFollow_ms)

  /// Expected of Poisson trains, per pair of spikes in either order, over this time.
  static double poisson_followers(double observed_ms);
};

/// The tier on which a transfer function is measured.
enum class MeasuredOn { point, detailed };

/// Cells of one type with exactly the synapses that they have in the circuit, each source population replaced by
/// independent Poisson sources (those of its cells that reach one of the chosen). What the mean field will ask of the
/// transfer function is so measured as it will be asked: unequal cells, their weights and their mix of receptors.
class TransferExperiment {
 public:
  /// Up to `cells` cells, spread over the type's populations. Throws InputError if the type has no point description
  /// with conductances, or receives nothing; for measurements on the detailed tier also if that cannot run the cells.
  /// The membrane statistics are those of the point description, whatever tier the spikes are counted on.
  TransferExperiment(const network::Circuit& circuit, std::size_t cell_type, std::size_t cells, MeasuredOn tier);

  std::size_t cells() const { return circuit_.populations.front().size; }
  std::size_t sources() const { return sources_.size(); }
  double V_threshold_mV() const { return V_threshold_mV_; }  ///< where spiking becomes likely
  std::uint64_t seed() const { return circuit_.run.seed; }
  const std::vector<meanfield::Channel>& channels() const { return population_.channels; }

  /// Membrane statistics of a cell, as the mean field computes them, with adaptation at rest for any rate. Must not
  /// outlive the experiment.
  meanfield::StatisticsAtRate statistics(std::size_t cell, const WorkingPoint& point) const {
    return statistics(population_.classes[cell], point);
  }
  /// Same of a cell with average weights, without adaptation.
  meanfield::MembraneStatistics<double> mean_statistics(const WorkingPoint& point) const {
    return statistics(mean_cell_, point)(0);
  }
  /// With membrane and adaptation, without a fit. A movement of the threshold is a current here that moves the
  /// potential as much, at the conductance of a cell one standard deviation below threshold.
  /// Kernels that together do not oppose firing are left to the fit.
  const network::TransferFunction& transfer() const { return population_.transfer; }

  /// `count` working points with k stratified over [k_low, k_high], in the order of falling k (rising rate), so that
  /// the state left by one point is close to what the next one needs. Excitatory sources keep, within a factor of 3
  /// each way, the mix that they have in the circuit (recurrent ones at 5 Hz), inhibitory ones fire at 0 to
  /// inhibition_max of their rates there.
  std::vector<WorkingPoint> draw(std::size_t count, double k_low, double k_high, double inhibition_max,
                                 core::RandomStream random) const;

  /// `count` working points about a state of the circuit, given by the rates of its populations: each source fires at
  /// its rate there times a factor between 1 / spread and spread, drawn for each on its own.
  std::vector<WorkingPoint> draw_about(std::size_t count, const std::vector<double>& rates_hz, double spread,
                                       core::RandomStream random) const;

  /// Working points are measured in this many runs, point i in run i % kRuns: a fixed number, whatever the number of
  /// threads, so that the spikes are the same.
  static constexpr std::size_t kRuns = 8;

  /// Spikes of each cell at each working point, [point][cell], for measure_ms after settle_ms.
  std::vector<std::vector<SpikeCount>> measure(std::span<const WorkingPoint> points, double settle_ms,
                                               double measure_ms, std::uint64_t run, std::size_t threads,
                                               core::Progress& progress) const;

 private:
  struct Source {
    std::size_t population;  ///< of the circuit
    double base_hz;
    bool excitatory;
  };
  static constexpr double kNominalRate_Hz = 5;  // of recurrent sources

  void add_source(const network::Circuit& circuit, std::size_t population);
  void classify_sources(const network::CellType& type);
  meanfield::StatisticsAtRate statistics(const meanfield::CellClass& cell, const WorkingPoint& point) const;
  double mean_conductance_uS(const WorkingPoint& point) const;
  WorkingPoint solve_for_k(const WorkingPoint& mixed, double k) const;
  std::vector<std::vector<SpikeCount>> measure_in_one_run(std::span<const WorkingPoint> points, double settle_ms,
                                                          double measure_ms, std::uint64_t run,
                                                          core::Progress& progress) const;

  MeasuredOn tier_;
  network::Circuit circuit_;  ///< population 0: the cells; the others: sources_
  std::vector<Source> sources_;
  meanfield::PopulationModel population_;
  meanfield::CellClass mean_cell_;
  double V_threshold_mV_ = 0, threshold_noise_mV_ = 0;
};

}  // namespace triscale::bridges

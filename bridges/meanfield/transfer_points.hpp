/// Cells at working points, measured: what a transfer function is fitted to (bridges/meanfield/transfer_fit.hpp).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bridges/meanfield/transfer_grid.hpp"
#include "core/recorder.hpp"
#include "meanfield/model.hpp"

namespace triscale::bridges {

/// A cell at a working point.
struct TransferPoint {
  std::shared_ptr<const TransferExperiment> experiment;  ///< what statistics_at refers to
  meanfield::MembraneStatistics<double> statistics;      ///< at the adaptation that belongs to the measured rate
  meanfield::StatisticsAtRate statistics_at;             ///< at that of any rate
  SpikeCount spikes;
  double observed_ms = 0;  ///< duration
  double weight = 1;       ///< in the fit
  std::size_t cell = 0;    ///< index among the experiment's cells
  std::size_t point = 0;   ///< index among the working points of a fit
  double rate_hz() const { return 1000.0 * static_cast<double>(spikes.count) / observed_ms; }
};

/// A working point with what its cells did.
struct MeasuredPoint {
  WorkingPoint point;
  std::vector<TransferPoint> cells;

  double rate_hz() const;  ///< mean over the cells
};

/// Times of a measurement at each working point.
struct MeasurementTimes {
  double settle_ms;  ///< not counted; longer where adaptation needs it
  double measure_ms;
};

/// Measures all points; `run` numbers the random numbers.
std::vector<MeasuredPoint> measure(const std::shared_ptr<const TransferExperiment>& experiment,
                                   const std::vector<WorkingPoint>& points, const MeasurementTimes& times,
                                   std::uint64_t run, std::size_t threads, core::Progress& progress);

/// Distances k from the threshold at which the cells, on average, go from lowest_hz to highest_hz; throws
/// NumericalError if they do at no point.
std::array<double, 2> firing_range(const std::vector<MeasuredPoint>& measured, double lowest_hz, double highest_hz);

/// The cells of all points whose mean rate is within the range.
std::vector<TransferPoint> cells_up_to(const std::vector<MeasuredPoint>& measured, double highest_hz);

/// tau_V typical of cells that fire at 0.5 to 30 Hz: the time over which the membrane forgets.
double typical_tau_ms(const std::vector<TransferPoint>& points);

/// Dead time of Poisson trains that are as regular as the measured ones at the distances that count for a membrane
/// (meanfield/spike_trains.hpp). Each point counts with its spikes' followers per spike. 0 if they are not more
/// regular.
struct MeasuredDeadTime {
  double dead_time_ms = 0;
  double at_hz = 0;
};
MeasuredDeadTime measured_dead_time(std::span<const MeasuredPoint> measured, double highest_hz);

}  // namespace triscale::bridges

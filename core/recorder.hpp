/// Where a tier writes what it computes, and how it reports progress. Tiers know these interfaces only; files, activity
/// statistics and progress bars are implementations of them elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace triscale::core {

/// Receives the results of a run. All calls come from one thread, in the order of time (but see record_field).
class Recorder {
 public:
  virtual ~Recorder() = default;

  /// Cells of `population` (index into Circuit::populations) that spiked at t_ms; ascending cell indices.
  virtual void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) = 0;
  /// One sample of probe `probe` (index into Circuit::probes): a value per element of the probe, in the probe's order.
  virtual void record_probe(std::size_t probe, double t_ms, std::span<const double> values) = 0;
  /// One sample of field probe `probe` (index into Circuit::field_probes): a value per channel. Fields are handed over
  /// a few samples late: their times ascend among themselves, but not with those of spikes and probes.
  virtual void record_field(std::size_t /*probe*/, double /*t_ms*/, std::span<const double> /*values*/) {}
  /// What each cell adds to that sample, for the field probes that ask for it (FieldProbe::contributions_dir):
  /// values[cell * channels + channel], the cells in the order of network::contributing_cells().
  virtual void record_contributions(std::size_t /*probe*/, double /*t_ms*/, std::span<const float> /*values*/) {}
  /// The weights of weight probe `probe` (index into Circuit::weight_probes): one per edge, in the order of the edges
  /// of its projection (network::edges_of).
  virtual void record_weights(std::size_t /*probe*/, double /*t_ms*/, std::span<const double> /*weights*/) {}
  /// Mean rate of every population at t_ms, Hz (mean-field tier).
  virtual void record_rates(double t_ms, std::span<const double> rates_hz) = 0;
  /// Rate that the mean-field tier expects of every cell of `population`, averaged over the run without its start.
  /// Once, at the end. Most recorders have no use for it.
  virtual void record_cell_rates(std::size_t /*population*/, std::span<const double> /*rates_hz*/) {}
};

/// Discards everything.
class NullRecorder : public Recorder {
 public:
  void record_spikes(std::size_t, double, std::span<const std::uint32_t>) override {}
  void record_probe(std::size_t, double, std::span<const double>) override {}
  void record_rates(double, std::span<const double>) override {}
};

/// Receives progress and may stop a run. advance() is called now and then, from one thread at a time.
class Progress {
 public:
  virtual ~Progress() = default;
  /// done_ms of total_ms simulated milliseconds. May throw core::Interrupted, which ends the run.
  virtual void advance(double done_ms, double total_ms) = 0;
};

class NoProgress : public Progress {
 public:
  void advance(double, double) override {}
};

/// What a run cost and how large it was; the numbers of run.json that a tier knows.
struct RunStatistics {
  std::uint64_t cells = 0;
  std::uint64_t compartments = 0;
  std::uint64_t synapses = 0;
  std::uint64_t spikes = 0;
  std::uint64_t edge_hash = 0;
  double setup_s = 0;
  double wall_s = 0;  ///< of the time loop, without setup
};

}  // namespace triscale::core

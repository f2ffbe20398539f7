/// Spikes of a virtual population, handed out window by window. Both spiking tiers take them from here, so that they
/// are driven by the same spikes.
///
/// SpikeTrains are passed on as they are. PoissonTrains are drawn in continuous time by rescaling: with the cumulative
/// intensity L(t) = int rate dt, spike n is at L^-1(E_1 + ... + E_n), E_i exponential with mean 1 (Devroye 1986, ch.
/// VI.1.3). The draws of a cell are a function of (seed, population, cell) alone: they depend neither on the time step,
/// nor on the tier, nor on the number of threads. With bin_ms > 0 the spikes of bin k are at k bin_ms, and their
/// numbers come from network/poisson_counts.hpp. With a correlation c the spikes of the common train, of rate / c, are
/// drawn likewise for the population; cell i keeps spike n of it if the draw (seed, population, i, n) is below c.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/random.hpp"
#include "network/circuit.hpp"
#include "network/poisson_counts.hpp"

namespace triscale::network {

struct SourceSpike {
  double t_ms = 0;
  std::uint32_t cell = 0;
};

/// The spikes of cells [begin, end) of one virtual population. The circuit must outlive it.
class SpikeSourceReader {
 public:
  SpikeSourceReader(const Circuit& circuit, std::size_t population, std::size_t begin, std::size_t end);

  /// Appends the spikes before end_ms that were not handed out yet, ascending by cell, then by time.
  void take_until(double end_ms, std::vector<SourceSpike>& spikes);

 private:
  struct PoissonCell {
    core::RandomStream stream;
    double next_ms = 0;
    std::size_t piece = 0;  ///< of the piecewise constant rate, at next_ms
  };
  void schedule_next(PoissonCell& cell) const;
  void take_common(double end_ms, std::vector<SourceSpike>& spikes);
  void take_bins(double end_ms, std::vector<SourceSpike>& spikes);

  std::uint32_t begin_;
  std::vector<SourceSpike> listed_;  ///< SpikeTrains, ascending in time
  std::size_t listed_next_ = 0;
  const PoissonTrains* rates_ = nullptr;
  std::vector<PoissonCell> poisson_;         ///< of each cell; or, if correlated, the common train alone
  std::vector<core::RandomStream> choices_;  ///< of each cell, if correlated
  std::uint64_t common_spikes_ = 0;
  double rate_factor_ = 1;
  std::optional<PoissonCounts> counts_;
  std::int64_t next_bin_ = 0;
  std::vector<std::uint16_t> numbers_;  ///< of one bin, from a multiple of 8 on
};

}  // namespace triscale::network

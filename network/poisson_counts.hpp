/// Poisson numbers of spikes per bin, for PoissonTrains with bin_ms > 0.
///
/// The number of cell c in bin k is F^-1(u), F the cumulative distribution with the mean int rate dt over the bin, and
/// u a function of (seed, population, c, k) alone. The first 16 bits of u come from a stream that eight cells share a
/// counter of; they decide almost always, because F has few steps. Where they do not (a step of F lies within their
/// 2^-16), 53 further bits are drawn: the distribution is exact to the precision of a double.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/isa.hpp"
#include "core/random.hpp"
#include "network/circuit.hpp"

namespace triscale::network {

class PoissonCounts {
 public:
  /// `population` is a virtual one with PoissonTrains; the circuit must outlive it.
  PoissonCounts(const Circuit& circuit, std::size_t population, core::Isa isa = core::best_isa());

  /// Numbers of the cells first, first + 1, ... in bin k; `first` a multiple of 8. Bins may be asked for in any order,
  /// but ascending ones are cheap.
  void draw(std::int64_t bin, std::size_t first, std::span<std::uint16_t> counts);

  /// Mean number of spikes of a cell in bin k.
  double mean(std::int64_t bin) const;

 private:
  void tabulate(double mean);
  std::uint16_t refine(std::int64_t bin, std::size_t cell, std::uint32_t half) const;

  const PoissonTrains& trains_;
  std::uint64_t seed_, population_;
  core::Isa isa_;
  double mean_ = -1;                   ///< that the tables are for
  std::vector<double> cumulative_;     ///< F(0), F(1), ... until it is 1
  std::vector<std::uint16_t> steps_;   ///< floor(2^16 F(n)), ascending, without repeated values at the end
  std::vector<std::uint32_t> halves_;  ///< work space
};

}  // namespace triscale::network

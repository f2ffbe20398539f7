/// What a run of one tier did, as plain data that statistics work on: spikes per population for the tiers that have
/// spikes, sampled population rates for the mean-field tier.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace triscale::measure {

/// What the finite number of cells adds to the rate that a mean field gives: power spectrum, one-sided density. Without
/// frequencies nothing is added: the rate fluctuates by itself.
struct FiniteSizeNoise {
  std::vector<double> frequencies_hz;  ///< ascending
  std::vector<double> power;           ///< Hz^2 / Hz
  bool independent = false;            ///< taken as that of independent spikes: the network's own part is not known
};

struct PopulationActivity {
  std::string name;
  std::size_t cells = 0;
  bool is_virtual = false;  ///< an input: no statistics are compared
  /// Where the cells are, one entry per cell; empty if that is unknown.
  std::vector<std::array<double, 3>> positions_um;

  /// Spiking tiers: one entry per spike, ascending in time.
  std::vector<double> spike_times_ms;
  std::vector<std::uint32_t> spike_cells;  ///< index within the population, same length

  /// Mean-field tier: the population's rate at ascending times.
  std::vector<double> rate_times_ms;
  std::vector<double> rates_hz;
  /// Mean-field tier, optional: the rate it expects of every cell, one per cell; empty if it does not tell cells apart.
  std::vector<double> cell_rates_hz;
  FiniteSizeNoise noise;  ///< mean-field tier
};

struct Activity {
  enum class Kind { spikes, rates };

  std::string tier;  ///< "detailed", "point", "meanfield"
  Kind kind = Kind::spikes;
  double duration_ms = 0;
  std::vector<PopulationActivity> populations;
};

}  // namespace triscale::measure

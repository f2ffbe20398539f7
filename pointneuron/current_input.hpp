/// Injected currents of one population: the mean of every current clamp over each step.
///
/// Segments and sampled waveforms are averaged over the step exactly, so an onset between two grid points is exact too.
/// The noise current is an Ornstein-Uhlenbeck process advanced exactly (Gillespie 1996, Phys Rev E 54:2084),
///     x(t+dt) = rho x(t) + sqrt(1 - rho^2) xi,   rho = exp(-dt / tau),   I = mean + sd x,
/// that starts from its stationary distribution and is held over the step. The draw of step k is number k of the stream
/// (seed, current_noise, clamp * 2^32 + cell). A point neuron has one place only: the site of a clamp is not used.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.hpp"
#include "network/circuit.hpp"

namespace triscale::pointneuron {

/// Means over [begin_ms, end_ms].
double mean_nA(const network::CurrentSegment& segment, double begin_ms, double end_ms);
double mean_nA(const network::SampledCurrent& samples, double begin_ms, double end_ms);

class CurrentInput {
 public:
  /// The clamps of circuit.current_clamps that act on `population`. The circuit must outlive it.
  CurrentInput(const network::Circuit& circuit, std::size_t population);

  /// Whether all cells get the same current, and how much it is over step `step`.
  bool is_uniform() const { return is_uniform_; }
  double uniform_nA(std::int64_t step) const;

  /// Writes the mean current over step `step` to I_nA[begin, end). Each cell must be stepped through 0, 1, 2, ...
  void step(std::int64_t step, std::size_t begin, std::size_t end, std::span<double> I_nA);

 private:
  struct Clamp {
    const network::CurrentClamp* clamp;
    std::vector<std::uint32_t> cells;         ///< ascending
    std::vector<core::RandomStream> streams;  ///< noise: one per element of cells
    std::vector<double> x;                    ///< noise: normalised state
    bool is_noise = false;
  };
  double waveform_mean_nA(const Clamp& clamp, std::int64_t step) const;
  void add_noise(Clamp& clamp, std::int64_t step, std::size_t first, std::size_t last, std::span<double> I_nA) const;

  double dt_ms_;
  bool is_uniform_ = true;
  std::vector<Clamp> clamps_;
};

}  // namespace triscale::pointneuron

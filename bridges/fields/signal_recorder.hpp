/// Gives a tier without currents in space its signals: a recorder that passes everything on and turns spikes (or rates)
/// into samples of the field probes by the kernels of network/field_kernels.hpp.
///
/// Spikes of virtual populations are taken from their source (network/spike_source.hpp), whether the tier records them
/// or not; a mean-field's rates count for all its populations. A spike between two points of the kernel's grid is
/// shared between them. Signals are deviations from the steady field of the resting cells.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/recorder.hpp"
#include "network/circuit.hpp"
#include "network/field_kernels.hpp"
#include "network/spike_source.hpp"

namespace triscale::bridges {

class SignalRecorder : public core::Recorder {
 public:
  /// Circuit, kernels and `next` must outlive it. One kernel a field probe of the circuit, in their order.
  SignalRecorder(const network::Circuit& circuit, const network::CircuitKernels& kernels, core::Recorder& next);
  ~SignalRecorder() override;

  void record_spikes(std::size_t population, double t_ms, std::span<const std::uint32_t> cells) override;
  void record_probe(std::size_t probe, double t_ms, std::span<const double> values) override;
  void record_weights(std::size_t probe, double t_ms, std::span<const double> weights) override {
    next_.record_weights(probe, t_ms, weights);
  }
  void record_rates(double t_ms, std::span<const double> rates_hz) override;
  void record_cell_rates(std::size_t population, std::span<const double> rates_hz) override;
  /// Hands over the samples up to the end of the run. Once, after the tier is done.
  void finish();

 private:
  class Signal;
  void start(bool rates);
  void advance_to(double t_ms);

  const network::Circuit& circuit_;
  const network::CircuitKernels& kernels_;
  core::Recorder& next_;
  std::vector<std::unique_ptr<Signal>> signals_;
  std::vector<std::pair<std::size_t, network::SpikeSourceReader>> sources_;
  double done_ms_ = 0;  ///< all spikes of virtual populations before are in
  bool started_ = false;
  double rates_ms_ = 0;
  std::vector<double> rates_hz_;  ///< at rates_ms_
};

/// The same kernels with each population's mean in place of its single cells'.
network::CircuitKernels population_kernels(const network::CircuitKernels& kernels);

}  // namespace triscale::bridges

/// The sums of bridges/fields/field_kernels.hpp: transforms of the kernels of all sources, accumulated over target
/// cells and turned into functions of time.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bridges/cable/quasi_active.hpp"
#include "bridges/gif/spike_response.hpp"
#include "bridges/point/linear_input.hpp"
#include "core/forward_model.hpp"
#include "core/parallel.hpp"
#include "network/circuit.hpp"
#include "network/field_kernels.hpp"

namespace triscale::bridges {

/// -L M of one cell: what multiplies its potentials to give the field. [node][component], and from components to
/// channels (empty: they are the same).
struct FieldWeights {
  std::size_t components = 0;
  std::vector<double> values;
  std::vector<double> mixing;  ///< [channel][component]

  /// Adds the field of these potentials of the nodes to every channel.
  void add(std::span<const double> V_mV, std::size_t channels, double* field) const;
};
FieldWeights field_weights(const core::ForwardModel& model, const network::Morphology& morphology,
                           const detailed::CompartmentTree& tree, const network::Placement& placement);

class KernelSpectrum {
 public:
  /// slots[label]: where a source's kernel is accumulated, with the factor 1 / (sources that share the slot).
  struct Slot {
    std::uint32_t index = 0;
    double share = 1;
  };
  KernelSpectrum(std::size_t channels, std::vector<Slot> slots, std::size_t n_slots, double dt_ms, double length_ms,
                 double highest_Hz);

  std::size_t samples() const { return samples_; }
  /// s = sigma + i w of every frequency, 1/ms.
  const std::vector<Complex>& frequencies() const { return s_per_ms_; }
  /// What the synapses onto one cell contribute. `admittance`: of the nodes at each frequency, without background.
  void add_cell(const detailed::CompartmentTree& tree, const std::vector<std::vector<Complex>>& admittance,
                const std::vector<double>& background_uS, const LinearInput& input, std::size_t cell,
                const std::vector<double>& V_mV, const FieldWeights& weights, core::ThreadPool& pool);
  /// The kernel of a slot in time, [sample][channel].
  std::vector<double> kernel(std::size_t slot) const;

 private:
  std::size_t channels_, n_slots_, samples_;
  double dt_ms_, sigma_per_ms_;
  std::vector<Slot> slots_;
  std::vector<Complex> s_per_ms_;
  std::vector<double> real_, imaginary_;  ///< [frequency][slot][channel]
};

/// The own field of a cell's spike, [sample][channel] from `first` on.
std::vector<double> spike_field(const SpikeResponse& response, const FieldWeights& weights, std::size_t channels,
                                double dt_ms, std::int64_t first, std::size_t samples);

}  // namespace triscale::bridges

/// Current synapses (network::CurrentSynapse) of a population of any model, integrated exactly.
///
/// The states I and x of each synapse follow lif.hpp. Over a step the membrane gets one constant current per cell, the
/// mean of I(s) with the weight exp(-(dt - s) r). With r = g_L / C_m that is the constant current that moves a passive
/// membrane exactly as I(s) does; with r = 0 it is the plain mean, which carries the same charge.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/isa.hpp"
#include "network/synapse_models.hpp"

namespace triscale::pointneuron {

class CurrentReceptors {
 public:
  /// Delta synapses keep their row but have no current: they move the potential at the end of a step.
  CurrentReceptors(std::span<const network::CurrentSynapse> synapses, std::size_t cells, double dt_ms,
                   double membrane_rate_per_ms, core::Isa isa = core::best_isa());

  /// One step for the cells [begin, end): takes the events that arrive at its beginning (rows of `cells` values; clears
  /// them) and adds the current of the step to I_nA.
  void step(std::size_t begin, std::size_t end, std::span<double> arrivals_nA, std::span<double> I_nA);

  /// Sum of the currents of a cell now, nA.
  double total_nA(std::size_t cell) const;

 private:
  struct Propagator {
    bool alpha = false, delta = false;
    double kick = 1, I_from_I = 0, I_from_x = 0, mean_from_I = 0, mean_from_x = 0;
  };
  std::size_t cells_;
  core::Isa isa_;
  std::vector<Propagator> propagators_;
  std::vector<double> I_, x_;  ///< [synapse][cell]
};

}  // namespace triscale::pointneuron

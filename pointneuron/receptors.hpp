/// Biexponential conductances of a population, integrated exactly.
///
/// A receptor with rise time tau_r and decay time tau_d has two states per cell,
///     dx/dt = -x / tau_r,    dg/dt = -g / tau_d + x,
/// and an event of weight w adds w * kick to x with kick = exp(t_peak / tau_d) / tau_r, which makes the peak of g equal
/// w (NEURON's Exp2Syn). This form has no singularity at tau_r = tau_d (alpha function, kick = e / tau). For tau_r = 0
/// the event adds w to g itself. The equations are linear, so the propagator over a step is exact (Rotter & Diesmann
/// 1999, Biol Cybern 81:381), and so is the mean of g over the step, which is what the membrane equation needs: the
/// charge that a synapse delivers does not depend on dt.
///
/// The receptors of a synapse type that has several share their events: one row of arrivals feeds all of them, each
/// with its weight_factor. A magnesium block (network::Receptor) is that of the potential at the beginning of the step,
/// so such a receptor is first order in dt.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/isa.hpp"
#include "network/synapse_models.hpp"

namespace triscale::pointneuron {

/// Exact step of one receptor.
struct ReceptorPropagator {
  ReceptorPropagator(const network::Receptor& receptor, double dt_ms);

  double kick_x = 0, kick_g = 0;            ///< what an event of weight 1 adds to x and g
  double x_from_x = 0;                      ///< x(t+dt) = x_from_x x
  double g_from_g = 0, g_from_x = 0;        ///< g(t+dt) = g_from_g g + g_from_x x
  double mean_from_g = 0, mean_from_x = 0;  ///< mean of g over [t, t+dt]
  double E_rev_mV = 0, Mg_mM = 0;
  bool at_soma = false;
};

/// Step means of a population's conductances, by cell: G = sum g and GE = sum g E_rev; those of receptors at the soma
/// apart, unless G_soma_uS is empty.
struct Conductances {
  std::span<double> G_uS, GE_nA;
  std::span<double> G_soma_uS{}, GE_soma_nA{};
};

/// The receptors of a synapse type's conductances, those that share their events together; empty for other kinds.
std::vector<std::vector<network::Receptor>> groups_of(const network::SynapseType& type);

/// All receptors of one population. Event weights arrive as rows of `cells` values, one row per group of receptors.
class Receptors {
 public:
  Receptors(const std::vector<std::vector<network::Receptor>>& groups, std::size_t cells, double dt_ms,
            core::Isa isa = core::best_isa());

  /// One step for the cells [begin, end): takes the events that arrive at the beginning of the step (and clears them),
  /// then writes the step means, and moves the states to the end of the step. V_mV: the potentials at its beginning;
  /// may be empty where no receptor has a magnesium block.
  void step(std::size_t begin, std::size_t end, std::span<double> arrivals_uS, std::span<const double> V_mV,
            const Conductances& means);

  /// Whether one of them acts at the soma.
  bool some_at_soma() const;

  /// Sum of the conductances of a cell now, uS; without magnesium block.
  double total_uS(std::size_t cell) const;

 private:
  std::size_t cells_;
  core::Isa isa_;
  std::vector<ReceptorPropagator> propagators_;
  std::vector<std::size_t> rows_;  ///< of the arrivals, ascending
  std::vector<double> x_, g_;      ///< [receptor][cell]
};

}  // namespace triscale::pointneuron

/// The descriptions that a synapse type may carry. A synapse type belongs to one target cell type, because its coarser
/// description depends on the dendrite that it sits on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "network/cell_models.hpp"
#include "network/morphology.hpp"

namespace triscale::network {

/// Biexponential conductance synapse (NEURON's Exp2Syn): after an event of weight w,
///   g(t) = w f (exp(-t/tau_decay) - exp(-t/tau_rise)), f such that the peak is w; I = g (V - E_rev).
/// tau_rise = 0 means a single exponential with peak w at t = 0.
struct BiexponentialSynapse {
  double tau_rise_ms = 0.5;
  double tau_decay_ms = 2;
  double E_rev_mV = 0;
};

/// Instantaneous synapse onto a normalised integrate-and-fire cell: an event adds sign * w to m.
struct InstantaneousSynapse {
  int sign = 1;
};

/// Current synapse of a point neuron: an event of weight w adds to the synaptic current or to the potential
///   exponential  sign w exp(-t/tau),             w in nA is the peak
///   alpha        sign w (t/tau) exp(1 - t/tau),  w in nA is the peak
///   delta        a jump of V by sign w,          w in mV
/// Weights are never negative: the sign belongs to the type, as everywhere, so that Dale's law can be checked.
struct CurrentSynapse {
  enum class Shape : std::uint8_t { exponential, alpha, delta } shape = Shape::exponential;
  double tau_ms = 0.5;  ///< unused for delta
  int sign = 1;
};

/// What becomes of a synapse at one dendritic place when it is moved to the soma of the point neuron:
///   w_point = attenuation w / (1 + shunt_per_uS w),   delay_point = delay + extra_delay,   time course of `receptor`.
struct SiteTransfer {
  std::uint32_t section = 0;
  double begin = 0, end = 1;   ///< the interval of positions on the section that this row is for
  double attenuation = 1;      ///< effective somatic over dendritic conductance, small conductances
  double shunt_per_uS = 0;     ///< local saturation: loss of driving force by the synapse's own depolarisation
  double extra_delay_ms = 0;   ///< dendritic delay
  std::uint32_t receptor = 0;  ///< index into PointSynapse::receptors
};

/// A synapse of the point tier: a few time courses, and the table that maps each dendritic place to one of them. With
/// an empty table every synapse uses receptor 0 with its own weight and delay.
struct PointSynapse {
  std::vector<BiexponentialSynapse> receptors;
  std::vector<SiteTransfer> sites;  ///< ascending by (section, begin); covers every position if not empty

  /// The row for a place; null if the table is empty.
  const SiteTransfer* find(const Site& site) const;
};

/// The mean-field tier uses the point description (its weights and time courses averaged over the edges of a
/// projection) times this correction.
struct MeanfieldSynapse {
  double gain = 1;
};

struct SynapseType {
  std::string name;
  std::optional<std::variant<BiexponentialSynapse, InstantaneousSynapse>> detailed;
  std::optional<std::variant<PointSynapse, InstantaneousSynapse, CurrentSynapse>> point;
  std::optional<MeanfieldSynapse> meanfield;
};

}  // namespace triscale::network

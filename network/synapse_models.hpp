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
#include "network/plasticity.hpp"

namespace triscale::network {

/// A conductance excites if its reversal potential is above this one.
inline constexpr double kExcitatoryAbove_mV = -45;

/// Biexponential conductance synapse (NEURON's Exp2Syn): after an event of weight w,
///   g(t) = w f (exp(-t/tau_decay) - exp(-t/tau_rise)), f such that the peak is w; I = g (V - E_rev).
/// tau_rise = 0 means a single exponential with peak w at t = 0.
struct BiexponentialSynapse {
  double tau_rise_ms = 0.5;
  double tau_decay_ms = 2;
  double E_rev_mV = 0;
  bool at_soma = false;  ///< of a point neuron with a dendrite: acts at its soma; without meaning elsewhere
};

/// One of the receptors that a release opens: a biexponential conductance of peak weight_factor w. With Mg_mM > 0 it is
/// blocked by magnesium as the NMDA receptor is (Jahr & Stevens 1990, J Neurosci 10:3178):
///   I = g(t) B(V) (V - E_rev),   B(V) = 1 / (1 + exp(-0.062 V) Mg / 3.57).
struct Receptor {
  BiexponentialSynapse kinetics;
  double weight_factor = 1;
  double Mg_mM = 0;
};

/// What becomes of a synapse at one dendritic place when it is moved to the soma of the point neuron:
///   w_point = attenuation w / (1 + shunt_per_uS w),   delay_point = delay + extra_delay,   time course of `receptor`.
struct SiteTransfer {
  std::uint32_t section = 0;
  double begin = 0, end = 1;   ///< the interval of positions on the section that this row is for
  double attenuation = 1;      ///< effective somatic over dendritic conductance, small conductances
  double shunt_per_uS = 0;     ///< local saturation: loss of driving force by the synapse's own depolarisation
  double extra_delay_ms = 0;   ///< dendritic delay
  std::uint32_t receptor = 0;  ///< index into PointSynapse::receptors; 0 in a ReceptorSynapse
};

/// The row for a place in a table that ascends by (section, begin); null if there is none.
const SiteTransfer* find_row(const std::vector<SiteTransfer>& sites, const Site& site);

/// A synapse with several receptors, e.g. AMPA and NMDA, or GABA_A and GABA_B. On the point tier `sites` carries
/// weights and delays of dendritic synapses to the soma, all receptors alike; elsewhere it is empty.
struct ReceptorSynapse {
  std::vector<Receptor> receptors;
  std::vector<SiteTransfer> sites{};
};

/// An electrical synapse: I = w (V - V_partner) into both cells, at the edge's site on the target and at
/// Projection::source_site on the source. It has no delay; detailed tier.
struct GapJunction {};

/// Short-term plasticity and stochastic transmission (equations: network/release.hpp). The weight of the edge is that
/// of a release of everything: a first spike transmits the share U of it in the mean and fails with probability (1 -
/// U)^sites. Each process needs its time constant.
struct Release {
  double U = 0.5;                        ///< utilisation by a first spike: release probability of a full site
  double tau_recovery_ms = 0;            ///< of released vesicles; 0: at once (no depression)
  double tau_facilitation_ms = 0;        ///< 0: no facilitation
  std::uint32_t sites = 0;               ///< release sites of a stochastic synapse; 0: deterministic, its mean
  std::optional<double> facilitation{};  ///< share of what is missing to 1 that a spike adds to the probability; U
  std::optional<double> p_start{};       ///< release probability at the start; U
  double recovery_speedup = 0;           ///< share of its time constant that recovery loses by a spike
  double tau_speedup_ms = 0;             ///< in which it comes back
  double baseline_drop = 0;              ///< share that the baseline of the probability loses by a spike
  double tau_baseline_ms = 0;
  double desensitisation = 0;  ///< of the receptors, as a share of what a release reached; deterministic synapses
  double tau_desensitisation_ms = 0;
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

/// A synapse of the point tier: a few time courses, and the table that maps each dendritic place to one of them. With
/// an empty table every synapse uses receptor 0 with its own weight and delay.
struct PointSynapse {
  std::vector<BiexponentialSynapse> receptors;
  std::vector<SiteTransfer> sites;  ///< ascending by (section, begin); covers every position if not empty

  /// The row for a place; null if the table is empty.
  const SiteTransfer* find(const Site& site) const { return find_row(sites, site); }
};

/// The mean-field tier uses the point description (its weights and time courses averaged over the edges of a
/// projection) times this correction.
struct MeanfieldSynapse {
  double gain = 1;
};

struct SynapseType {
  std::string name;
  std::optional<std::variant<BiexponentialSynapse, InstantaneousSynapse, ReceptorSynapse, GapJunction>> detailed;
  std::optional<std::variant<PointSynapse, InstantaneousSynapse, CurrentSynapse, ReceptorSynapse>> point;
  std::optional<MeanfieldSynapse> meanfield;
  std::optional<Release> release{};        ///< of the presynaptic side, hence the same for every tier
  std::optional<Plasticity> plasticity{};  ///< long-term plasticity of the weights; point tier
};

/// The table that carries synapses of this type to the soma of a point neuron; null if they keep weight and delay.
const std::vector<SiteTransfer>* site_table(const SynapseType& type);

/// Whether the detailed description is a conductance, of one receptor or several.
inline bool is_conductance(const SynapseType& type) {
  return type.detailed && (std::holds_alternative<BiexponentialSynapse>(*type.detailed) ||
                           std::holds_alternative<ReceptorSynapse>(*type.detailed));
}

/// True for the synapse types whose edges are electrical.
inline bool is_gap_junction(const SynapseType& type) {
  return type.detailed && std::holds_alternative<GapJunction>(*type.detailed);
}

}  // namespace triscale::network

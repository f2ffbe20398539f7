/// The inner loops of the detailed tier, compiled once for any x86-64 processor ("baseline"), once for those with
/// 256-bit vectors and fused multiply-add ("fused") and once for those with 512-bit vectors ("fused512"); other
/// processors have the baseline only. Which set runs is decided once, by asking the processor. The two fused sets give
/// the same bits; the baseline differs from them by rounding, as a b + c is rounded once or twice.
///
/// Arrays of a group are indexed [node * kColumns + column], states of a mechanism
/// [(instance * states + state) * kColumns + column]. Loops go over ranges of nodes or instances, so that a group can
/// be worked on in blocks that stay in the first-level cache.
#pragma once

#include <cstddef>
#include <cstdint>

#include "detailed/lanes.hpp"

namespace triscale::detailed {

/// The membrane of a group during one step. The voltage equation of a node is linear in V with the conductances frozen:
/// currents enter as sum of G (uS) and sum of G E (nA).
struct MembraneView {
  const Lanes* V_mV;
  Lanes* G_uS;
  Lanes* GE_nA;
  Lanes* Ca_mM;        ///< internal calcium
  Lanes* E_Ca_mV;      ///< calcium reversal potential
  Lanes* i_Ca_mA_cm2;  ///< calcium current density of the step, outward positive; at the V of the step's start
  Lanes* g_Ca_S_cm2;   ///< its conductance density
  /// After the voltage solve: V in the middle of the step (second-order scheme only).
  const Lanes* V_middle_mV = nullptr;
};

/// Instances first..last-1 of a mechanism: one a node it sits on.
struct Instances {
  std::size_t first, last;
  const std::uint32_t* nodes;
  const double* g_max_uS;
  const double* densities_S_cm2;
  Lanes* states;
};

/// Constants of the tree, one a node.
struct TreeView {
  std::size_t size;
  const std::int32_t* parents;
  /// All nodes but the root, those with fewer nodes between them and the root first, in rising order among equals.
  const std::uint32_t* by_depth;
  const double *g_axial_uS, *diagonal_uS, *C_over_h_uS, *leak_nA;  // h: the implicit step; leak: g E
};

/// States of synapses of equal kinetics on one node.
struct SynapseSlot {
  std::uint32_t node;
  double keep_rise, keep_decay;  // factors of a step
  double E_rev_mV;
  double log_Mg;          // ln(Mg / 3.57 mM); unused without block
  double negligible_uS2;  // square of a conductance below the rounding of the node's equation
};

/// The synapses of a group. A slot is worked on while one of its cells has states that are not 0; the states of a cell
/// become 0 when their conductance is negligible.
struct SynapseView {
  const SynapseSlot* slots;
  std::uint64_t* active;  // a bit a slot
  Lanes *rise, *decay;
};

/// Constants of CaDynamics (mechanisms.cpp).
struct CalciumPool {
  double source;  // mM/ms of 1 mA/cm2
  double decay_ms, min_Ca_mM, nernst_mV, Ca_out_mM;
  bool second_order;
};

struct ChannelKernels {
  /// Gates at their steady values.
  void (*initialise)(const Instances&, const MembraneView&, double q);
  /// Gates move over dt towards x_inf(V), exactly for frozen rates.
  void (*advance)(const Instances&, const MembraneView&, double q, double dt_ms);
  /// Adds conductance and conductance times reversal potential.
  void (*add)(const Instances&, const MembraneView&, double E_mV);
};

/// All channels with gates (channels.hpp).
#define TRISCALE_FOR_ALL_CHANNELS(X) \
  X(NaTs)                            \
  X(NaTa)                            \
  X(Nap)                             \
  X(K_T)                             \
  X(K_P)                             \
  X(Kv2like)                         \
  X(Kv3_1)                           \
  X(Kd)                              \
  X(Im)                              \
  X(Im_v2)                           \
  X(SK)                              \
  X(Ca_HVA)                          \
  X(Ca_LVA) X(Ih) X(HhSodium) X(HhPotassium) X(NaTa_t) X(NaTs2_t) X(Nap_Et2) X(K_Tst) X(K_Pst) X(Im_Hay) X(Ca_LVAst)

/// One number for each cell of a group.
using FieldLanes = float __attribute__((vector_size(kGroupCells * sizeof(float))));

/// Components of a field that are multiplied together.
inline constexpr std::size_t kFieldTile = 4;

struct Kernels {
  const char* name;

  /// Diagonal and right-hand side of nodes first..last-1 with capacitance, leak and axial conductances.
  void (*start_step)(const TreeView&, std::size_t first, std::size_t last, const Lanes* V, Lanes* G, Lanes* GE);
  /// Solves the tree system; V gets the solution.
  void (*solve_tree)(const TreeView&, Lanes* V, Lanes* G, Lanes* GE);
  /// Solves it for the potential in the middle of the step, which GE gets, and reflects V about it.
  void (*solve_tree_to_middle)(const TreeView&, Lanes* V, Lanes* G, Lanes* GE);
  /// Conductances of the active ones of slots first..last-1, whose states then decay over a step.
  void (*add_synapses)(const SynapseView&, std::size_t first, std::size_t last, Lanes* G, Lanes* GE);
  /// The same under magnesium block.
  void (*add_blocked_synapses)(const SynapseView&, std::size_t first, std::size_t last, const Lanes* V, Lanes* G,
                               Lanes* GE);

  void (*nav_initialise)(const Instances&, const MembraneView&, double k);
  void (*nav_advance)(const Instances&, const MembraneView&, double k, double dt_ms);
  void (*nav_advance_second_order)(const Instances&, const MembraneView&, double k, double dt_ms);
  void (*nav_add)(const Instances&, const MembraneView&, double E_mV);
  void (*constant_add)(const Instances&, const MembraneView&, double E_mV);
  void (*calcium_prepare)(const Instances&, const MembraneView&, const CalciumPool&, double ahead);
  void (*calcium_advance)(const Instances&, const MembraneView&, const CalciumPool&, double relaxed);

  /// Potential of the parent less that of the child, for every edge; added to `differences` unless it is fresh.
  void (*add_differences)(std::size_t edges, const std::uint32_t* children, const std::uint32_t* parents,
                          const Lanes* V, FieldLanes* differences, bool fresh);
  /// products[tile][sample][component] = sum over rows of weights[tile][row][component] times currents[sample][row];
  /// kFieldTile components a tile.
  void (*multiply_field)(std::size_t rows, std::size_t tiles, const FieldLanes* weights, const FieldLanes* currents,
                         std::size_t samples, FieldLanes* products);

#define TRISCALE_DECLARE(Channel) ChannelKernels Channel;
  TRISCALE_FOR_ALL_CHANNELS(TRISCALE_DECLARE)
#undef TRISCALE_DECLARE
};

/// For any processor.
const Kernels& baseline_kernels();
/// What the program was compiled with, whatever the processor; null if nothing.
extern const Kernels* const kCompiledFusedKernels;
extern const Kernels* const kCompiledFused512Kernels;
/// Null where the program or the processor has none.
const Kernels* fused_kernels();
const Kernels* fused512_kernels();
/// What a run uses: the last of baseline, fused and fused512 that there is, or the one that the environment variable
/// TRISCALE_INSTRUCTIONS names. Decided at the first call. Throws core::InputError if the variable is none of the
/// three, or asks for what the processor lacks.
const Kernels& kernels();

}  // namespace triscale::detailed

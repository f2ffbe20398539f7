/// Definitions of the kernels (detailed/kernels.hpp), for one instruction set a file that includes it.
#pragma once

#include <cstddef>

#include "detailed/channels.hpp"
#include "detailed/kernels.hpp"
#include "detailed/lanes.hpp"
#include "detailed/nav.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

static_assert(kColumns == 2);  // the two vectors of a node are worked on side by side
TRISCALE_INLINE LanePair& pair(Lanes* values, std::size_t row) {
  return reinterpret_cast<LanePair*>(values)[row];
}
TRISCALE_INLINE const LanePair& pair(const Lanes* values, std::size_t row) {
  return reinterpret_cast<const LanePair*>(values)[row];
}

// ------------------------------------------------------------------------------------------- channels with gates
// --------

template <class Channel>
void initialise_gates(const Instances& at, const MembraneView& view, double q) {
  constexpr int n = Channel::n_gates;
  for (std::size_t i = at.first; i < at.last; ++i) {
    const std::size_t node = at.nodes[i];
    const Gates<LanePair, n> gates = Channel::gates(clamped(pair(view.V_mV, node)), pair(view.Ca_mM, node), q);
    for (int k = 0; k < n; ++k) pair(at.states, i * n + k) = gates.inf[k];
  }
}

/// In two passes over a few nodes at a time, rates first and then the gates, x + (1 - e^(-dt/tau)) (x_inf - x): a
/// processor looks ahead far enough to work on several gates at once, but not over both.
template <class Channel>
void advance_gates(const Instances& at, const MembraneView& view, double q, double dt_ms) {
  constexpr int n = Channel::n_gates;
  constexpr std::size_t kNodes = 8;
  LanePair inf[kNodes * n], decay[kNodes * n];
  for (std::size_t first = at.first; first < at.last; first += kNodes) {
    const std::size_t nodes = at.last - first < kNodes ? at.last - first : kNodes;
    for (std::size_t i = 0; i < nodes; ++i) {
      const std::size_t node = at.nodes[first + i];
      const Gates<LanePair, n> gates = Channel::gates(clamped(pair(view.V_mV, node)), pair(view.Ca_mM, node), q);
      for (int k = 0; k < n; ++k) {
        inf[i * n + k] = gates.inf[k];
        decay[i * n + k] = max_of(broadcast<LanePair>(-700.0), -dt_ms * gates.rate[k]);
      }
    }
    LanePair* states = &pair(at.states, first * n);
    for (std::size_t i = 0; i < nodes * n; ++i) {
      const LanePair x = states[i];
      states[i] = nmadd(exponential(decay[i]).minus_1(), inf[i] - x, x);
    }
  }
}

template <class Channel>
void add_gated(const Instances& at, const MembraneView& view, double E_mV) {
  constexpr int n = Channel::n_gates;
  for (std::size_t i = at.first; i < at.last; ++i) {
    const std::size_t node = at.nodes[i];
    LanePair x[n];
    for (int k = 0; k < n; ++k) x[k] = pair(at.states, i * n + k);
    const LanePair V = pair(view.V_mV, node);
    LanePair &G = pair(view.G_uS, node), &GE = pair(view.GE_nA, node);
    if constexpr (requires { Channel::open_and_slope(x, V); }) {
      // i(V') = i(V) + di/dV (V' - V), di/dV = g + (d open/dV) gmax (V - E)
      const auto [open, slope] = Channel::open_and_slope(x, V);
      const LanePair g = at.g_max_uS[i] * open, extra = at.g_max_uS[i] * slope * (V - E_mV);
      G += g + extra;
      GE = madd(g, E_mV, madd(extra, V, GE));
      continue;
    }
    const LanePair open = Channel::open(x, V);
    const LanePair g = at.g_max_uS[i] * open;
    if constexpr (Channel::ion == Ion::calcium) {
      const LanePair E_Ca = pair(view.E_Ca_mV, node);
      G += g;
      GE = madd(g, E_Ca, GE);
      const LanePair density = at.densities_S_cm2[i] * open;
      LanePair &g_Ca = pair(view.g_Ca_S_cm2, node), &i_Ca = pair(view.i_Ca_mA_cm2, node);
      g_Ca += density;
      i_Ca = madd(density, V - E_Ca, i_Ca);
    } else {
      G += g;
      GE = madd(g, E_mV, GE);
    }
  }
}

/// A conductance that does not change.
inline void add_constant(const Instances& at, const MembraneView& view, double E_mV) {
  for (std::size_t i = at.first; i < at.last; ++i) {
    for (int c = 0; c < kColumns; ++c) {
      const std::size_t node = at.nodes[i] * kColumns + c;
      view.G_uS[node] += at.g_max_uS[i];
      view.GE_nA[node] += at.g_max_uS[i] * E_mV;
    }
  }
}

// --------------------------------------------------------------------------------------------------------- NaV
// --------

inline void advance_nav(const Instances& at, const MembraneView& view, double k, double dt_ms) {
  for (std::size_t i = at.first; i < at.last; ++i) {
    const auto rates = NavScheme::rates(pair(view.V_mV, at.nodes[i]), k);
    NavScheme::implicit_step(rates, dt_ms, &pair(at.states, i * NavScheme::kStates), 1);
  }
}

inline void advance_nav_second_order(const Instances& at, const MembraneView& view, double k, double dt_ms) {
  for (std::size_t i = at.first; i < at.last; ++i) {
    const auto rates = NavScheme::rates(pair(view.V_mV, at.nodes[i]), k);
    NavScheme::second_order_step(rates, dt_ms, &pair(at.states, i * NavScheme::kStates), 1);
  }
}

inline void initialise_nav(const Instances& at, const MembraneView& view, double k) {
  for (std::size_t i = at.first; i < at.last; ++i) {
    const auto rates = NavScheme::rates(pair(view.V_mV, at.nodes[i]), k);
    NavScheme::stationary(rates, &pair(at.states, i * NavScheme::kStates), 1);
  }
}

inline void add_nav(const Instances& at, const MembraneView& view, double E_mV) {
  for (std::size_t i = at.first; i < at.last; ++i) {
    for (int c = 0; c < kColumns; ++c) {
      const std::size_t node = at.nodes[i] * kColumns + c;
      const Lanes g = at.g_max_uS[i] * at.states[(i * NavScheme::kStates + NavScheme::kOpen) * kColumns + c];
      view.G_uS[node] += g;
      view.GE_nA[node] = madd(g, E_mV, view.GE_nA[node]);
    }
  }
}

// ----------------------------------------------------------------------------------------------------- calcium
// --------

/// E_Ca of the step; `ahead` is the share of its relaxation by which the concentration is carried ahead.
inline void prepare_calcium(const Instances& at, const MembraneView& view, const CalciumPool& pool, double ahead) {
  for (std::size_t i = at.first; i < at.last; ++i) {
    const std::size_t node = at.nodes[i];
    LanePair &i_Ca = pair(view.i_Ca_mA_cm2, node), Ca = pair(view.Ca_mM, node);
    Ca = madd(madd(i_Ca, pool.source * pool.decay_ms, pool.min_Ca_mM) - Ca, ahead, Ca);
    pair(view.E_Ca_mV, node) = pool.nernst_mV * log_of(pool.Ca_out_mM / Ca);
    i_Ca = broadcast<LanePair>(0.0);
    pair(view.g_Ca_S_cm2, node) = broadcast<LanePair>(0.0);
  }
}

inline void advance_calcium(const Instances& at, const MembraneView& view, const CalciumPool& pool, double relaxed) {
  for (std::size_t i = at.first; i < at.last; ++i) {
    const std::size_t node = at.nodes[i];
    LanePair &i_Ca = pair(view.i_Ca_mA_cm2, node), &Ca = pair(view.Ca_mM, node);
    if (pool.second_order) {
      // It was taken at the potential of the step's start; i = g (V - E) is linear in V.
      i_Ca = madd(pair(view.g_Ca_S_cm2, node), pair(view.V_mV, node) - pair(view.V_middle_mV, node), i_Ca);
    }
    Ca = madd(madd(i_Ca, pool.source * pool.decay_ms, pool.min_Ca_mM) - Ca, relaxed, Ca);
  }
}

// -------------------------------------------------------------------------------------------- synapses, voltage
// --------

inline void start_step(const TreeView& tree, std::size_t first, std::size_t last, const Lanes* V, Lanes* G, Lanes* GE) {
  for (std::size_t i = first; i < last; ++i) {
    const double diagonal = tree.diagonal_uS[i], C = tree.C_over_h_uS[i], leak = tree.leak_nA[i];
    for (int c = 0; c < kColumns; ++c) {
      G[i * kColumns + c] = broadcast<Lanes>(diagonal);
      GE[i * kColumns + c] = madd(V[i * kColumns + c], C, leak);
    }
  }
}

inline void add_synapses(const SynapseSlot* slots, std::size_t first, std::size_t last, Lanes* rise, Lanes* decay,
                         Lanes* G, Lanes* GE) {
  for (std::size_t s = first; s < last; ++s) {
    const SynapseSlot slot = slots[s];
    for (int c = 0; c < kColumns; ++c) {
      const std::size_t at = s * kColumns + c, node = slot.node * kColumns + c;
      const Lanes g = decay[at] - rise[at];
      G[node] += g;
      GE[node] = madd(g, slot.E_rev_mV, GE[node]);
      rise[at] *= slot.keep_rise;
      decay[at] *= slot.keep_decay;
    }
  }
}

/// Magnesium block of Jahr & Stevens 1990: B = 1/(1 + exp(-0.062 V) Mg/3.57), dB/dV = 0.062 B (1 - B).
inline void add_blocked_synapses(const SynapseSlot* slots, std::size_t first, std::size_t last, const Lanes* V,
                                 Lanes* rise, Lanes* decay, Lanes* G, Lanes* GE) {
  constexpr double kBlockPer_mV = 0.062;
  for (std::size_t s = first; s < last; ++s) {
    const SynapseSlot slot = slots[s];
    for (int c = 0; c < kColumns; ++c) {
      const std::size_t at = s * kColumns + c, node = slot.node * kColumns + c;
      const Lanes g = decay[at] - rise[at];
      const Lanes B = logistic(Lanes(madd(clamped(V[node]), kBlockPer_mV, -slot.log_Mg)));
      const Lanes open = g * B;
      const Lanes extra = open * (1.0 - B) * kBlockPer_mV * (V[node] - slot.E_rev_mV);
      G[node] += open + extra;
      GE[node] = madd(open, slot.E_rev_mV, Lanes(madd(extra, V[node], GE[node])));
      rise[at] *= slot.keep_rise;
      decay[at] *= slot.keep_decay;
    }
  }
}

/// Elimination from the tips to the root: G holds the diagonal, then its inverse; GE the right-hand side.
TRISCALE_INLINE void eliminate(const TreeView& tree, Lanes* G, Lanes* GE) {
  for (std::size_t i = tree.size; i-- > 1;) {
    const double g = tree.g_axial_uS[i];
    const std::size_t at = i * kColumns, parent = static_cast<std::size_t>(tree.parents[i]) * kColumns;
    for (int c = 0; c < kColumns; ++c) {
      const Lanes inverse = 1.0 / G[at + c];
      const Lanes factor = g * inverse;
      G[parent + c] = nmadd(factor, g, G[parent + c]);
      GE[parent + c] = madd(factor, GE[at + c], GE[parent + c]);
      G[at + c] = inverse;
    }
  }
}

inline void solve_tree(const TreeView& tree, Lanes* V, Lanes* G, Lanes* GE) {
  eliminate(tree, G, GE);
  for (int c = 0; c < kColumns; ++c) V[c] = GE[c] / G[c];
  for (std::size_t i = 1; i < tree.size; ++i) {
    const double g = tree.g_axial_uS[i];
    const std::size_t at = i * kColumns, parent = static_cast<std::size_t>(tree.parents[i]) * kColumns;
    for (int c = 0; c < kColumns; ++c) V[at + c] = madd(V[parent + c], g, GE[at + c]) * G[at + c];
  }
}

inline void solve_tree_to_middle(const TreeView& tree, Lanes* V, Lanes* G, Lanes* GE) {
  eliminate(tree, G, GE);
  for (int c = 0; c < kColumns; ++c) {
    GE[c] = GE[c] / G[c];
    V[c] = madd(GE[c], 2.0, Lanes(-V[c]));
  }
  for (std::size_t i = 1; i < tree.size; ++i) {
    const double g = tree.g_axial_uS[i];
    const std::size_t at = i * kColumns, parent = static_cast<std::size_t>(tree.parents[i]) * kColumns;
    for (int c = 0; c < kColumns; ++c) {
      GE[at + c] = madd(GE[parent + c], g, GE[at + c]) * G[at + c];
      V[at + c] = madd(GE[at + c], 2.0, Lanes(-V[at + c]));
    }
  }
}

// ------------------------------------------------------------------------------------------------------- fields
// --------

using FloatLanes = float __attribute__((vector_size(kLaneWidth * sizeof(float))));

inline void add_differences(std::size_t edges, const std::uint32_t* children, const std::uint32_t* parents,
                            const Lanes* V, FieldLanes* differences, bool fresh) {
  float* out = reinterpret_cast<float*>(differences);
  for (std::size_t edge = 0; edge < edges; ++edge) {
    const Lanes *child = V + children[edge] * kColumns, *parent = V + parents[edge] * kColumns;
    for (int c = 0; c < kColumns; ++c, out += kLaneWidth) {
      FloatLanes u = __builtin_convertvector(parent[c] - child[c], FloatLanes);
      if (!fresh) {
        FloatLanes before;
        std::memcpy(&before, out, sizeof before);
        u += before;
      }
      std::memcpy(out, &u, sizeof u);
    }
  }
}

TRISCALE_INLINE FieldLanes madd_field(const FieldLanes& a, const FieldLanes& b, const FieldLanes& c) {
#if defined(__AVX2__) && defined(__FMA__)
  return FieldLanes(_mm256_fmadd_ps(a, b, c));
#else
  return a * b + c;
#endif
}

inline void multiply_field(std::size_t rows, const FieldLanes* weights, const FieldLanes* currents, std::size_t samples,
                           FieldLanes* products) {
  // What fits the sixteen vector registers: 2 samples x 4 sums and what is multiplied into them.
  constexpr std::size_t kSamples = 2;
  static_assert(kFieldTile == 4);
  for (std::size_t t = 0; t < samples; t += kSamples) {
    FieldLanes a0{}, a1{}, b0{}, b1{}, c0{}, c1{}, d0{}, d1{};
    const FieldLanes* first = currents + t * rows;
    const FieldLanes* second = first + rows;
    for (std::size_t row = 0; row < rows; ++row) {
      const FieldLanes* w = weights + row * kFieldTile;
      const FieldLanes u0 = first[row], u1 = second[row];
      a0 = madd_field(w[0], u0, a0);
      a1 = madd_field(w[0], u1, a1);
      b0 = madd_field(w[1], u0, b0);
      b1 = madd_field(w[1], u1, b1);
      c0 = madd_field(w[2], u0, c0);
      c1 = madd_field(w[2], u1, c1);
      d0 = madd_field(w[3], u0, d0);
      d1 = madd_field(w[3], u1, d1);
    }
    FieldLanes* p = products + t * kFieldTile;
    p[0] = a0, p[1] = b0, p[2] = c0, p[3] = d0;
    p[4] = a1, p[5] = b1, p[6] = c1, p[7] = d1;
  }
}

// -------------------------------------------------------------------------------------------------------- table
// --------

template <class Channel>
constexpr ChannelKernels channel_kernels() {
  return {&initialise_gates<Channel>, &advance_gates<Channel>, &add_gated<Channel>};
}

inline constexpr Kernels make_kernels() {
  Kernels k{};
#define TRISCALE_NAME_OF(x) TRISCALE_STRING(x)
#define TRISCALE_STRING(x) #x
  k.name = TRISCALE_NAME_OF(TRISCALE_INSTRUCTIONS);
#undef TRISCALE_STRING
#undef TRISCALE_NAME_OF
  k.start_step = &start_step;
  k.solve_tree = &solve_tree;
  k.solve_tree_to_middle = &solve_tree_to_middle;
  k.add_synapses = &add_synapses;
  k.add_blocked_synapses = &add_blocked_synapses;
  k.nav_initialise = &initialise_nav;
  k.nav_advance = &advance_nav;
  k.nav_advance_second_order = &advance_nav_second_order;
  k.nav_add = &add_nav;
  k.constant_add = &add_constant;
  k.calcium_prepare = &prepare_calcium;
  k.calcium_advance = &advance_calcium;
  k.add_differences = &add_differences;
  k.multiply_field = &multiply_field;
#define TRISCALE_FILL(Channel) k.Channel = channel_kernels<Channel>();
  TRISCALE_FOR_ALL_CHANNELS(TRISCALE_FILL)
#undef TRISCALE_FILL
  return k;
}

}  // namespace TRISCALE_INSTRUCTIONS

}  // namespace triscale::detailed

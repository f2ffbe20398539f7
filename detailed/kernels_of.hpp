/// Definitions of the kernels (detailed/kernels.hpp), for one instruction set a file that includes it.
#pragma once

#include <cstddef>

#include "detailed/channels.hpp"
#include "detailed/kernels.hpp"
#include "detailed/lanes.hpp"
#include "detailed/nav.hpp"

namespace triscale::detailed {

inline namespace TRISCALE_INSTRUCTIONS {

static_assert(kColumns == 2);  // the two vectors of a node are worked on side by side, or as one
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
/// processor looks ahead far enough to work on several gates at once, but not over both. Most gates are slow beside the
/// step, and have the cheaper exponential; its bits are the same, so neighbours do not matter.
template <class Channel>
void advance_gates(const Instances& at, const MembraneView& view, double q, double dt_ms) {
  constexpr int n = Channel::n_gates;
  constexpr std::size_t kNodes = 8;
  LanePair inf[kNodes * n], decay[kNodes * n];
  for (std::size_t first = at.first; first < at.last; first += kNodes) {
    const std::size_t nodes = at.last - first < kNodes ? at.last - first : kNodes;
    LanePair fastest = broadcast<LanePair>(0.0);
    for (std::size_t i = 0; i < nodes; ++i) {
      const std::size_t node = at.nodes[first + i];
      const Gates<LanePair, n> gates = Channel::gates(clamped(pair(view.V_mV, node)), pair(view.Ca_mM, node), q);
      for (int k = 0; k < n; ++k) {
        inf[i * n + k] = gates.inf[k];
        decay[i * n + k] = max_of(broadcast<LanePair>(-700.0), -dt_ms * gates.rate[k]);
        fastest = min_of(fastest, decay[i * n + k]);
      }
    }
    LanePair* states = &pair(at.states, first * n);
    if (all_of(fastest > broadcast<LanePair>(-kSmallExponent))) {
      for (std::size_t i = 0; i < nodes * n; ++i) {
        const LanePair x = states[i];
        states[i] = nmadd(small_exponential_minus_1(decay[i]), inf[i] - x, x);
      }
      continue;
    }
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
    pair(view.G_uS, at.nodes[i]) += at.g_max_uS[i];
    pair(view.GE_nA, at.nodes[i]) += at.g_max_uS[i] * E_mV;
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
    const LanePair g = at.g_max_uS[i] * pair(at.states, i * NavScheme::kStates + NavScheme::kOpen);
    LanePair& GE = pair(view.GE_nA, at.nodes[i]);
    pair(view.G_uS, at.nodes[i]) += g;
    GE = madd(g, E_mV, GE);
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
    pair(G, i) = broadcast<LanePair>(tree.diagonal_uS[i]);
    pair(GE, i) = madd(pair(V, i), tree.C_over_h_uS[i], tree.leak_nA[i]);
  }
}

/// Calls work(slot) for the active ones of slots first..last-1, in rising order; it says whether the slot stays active.
template <class Work>
TRISCALE_INLINE void for_active(std::uint64_t* active, std::size_t first, std::size_t last, Work work) {
  constexpr std::size_t kBits = 64;
  for (std::size_t word = first / kBits; word * kBits < last; ++word) {
    std::uint64_t bits = active[word];
    if (word * kBits < first) bits &= ~std::uint64_t{0} << (first - word * kBits);
    if (last - word * kBits < kBits) bits &= (std::uint64_t{1} << (last - word * kBits)) - 1;
    for (; bits != 0; bits &= bits - 1) {
      if (!work(word * kBits + static_cast<std::size_t>(__builtin_ctzll(bits)))) active[word] &= ~(bits & -bits);
    }
  }
}

/// States after a step; false if nothing is left. NaN is not negligible.
TRISCALE_INLINE bool decay_over_step(const SynapseSlot& slot, LanePair& rise, LanePair& decay) {
  const LanePair r = rise * slot.keep_rise, d = decay * slot.keep_decay, zero = broadcast<LanePair>(0.0);
  const PairBits negligible = madd(r, r, LanePair(d * d)) < broadcast<LanePair>(slot.negligible_uS2);
  rise = select(negligible, zero, r);
  decay = select(negligible, zero, d);
  return !all_of(negligible);
}

inline void add_synapses(const SynapseView& synapses, std::size_t first, std::size_t last, Lanes* G, Lanes* GE) {
  for_active(synapses.active, first, last, [&](std::size_t s) TRISCALE_INLINE_LAMBDA {
    const SynapseSlot& slot = synapses.slots[s];
    LanePair &rise = pair(synapses.rise, s), &decay = pair(synapses.decay, s), &GE_node = pair(GE, slot.node);
    const LanePair g = decay - rise;
    pair(G, slot.node) += g;
    GE_node = madd(g, slot.E_rev_mV, GE_node);
    return decay_over_step(slot, rise, decay);
  });
}

/// Magnesium block of Jahr & Stevens 1990: B = 1/(1 + exp(-0.062 V) Mg/3.57), dB/dV = 0.062 B (1 - B).
inline void add_blocked_synapses(const SynapseView& synapses, std::size_t first, std::size_t last, const Lanes* V,
                                 Lanes* G, Lanes* GE) {
  constexpr double kBlockPer_mV = 0.062;
  for_active(synapses.active, first, last, [&](std::size_t s) TRISCALE_INLINE_LAMBDA {
    const SynapseSlot& slot = synapses.slots[s];
    LanePair &rise = pair(synapses.rise, s), &decay = pair(synapses.decay, s), &GE_node = pair(GE, slot.node);
    const LanePair g = decay - rise, V_node = pair(V, slot.node);
    const LanePair B = logistic(LanePair(madd(clamped(V_node), kBlockPer_mV, -slot.log_Mg)));
    const LanePair open = g * B;
    const LanePair extra = open * (1.0 - B) * kBlockPer_mV * (V_node - slot.E_rev_mV);
    pair(G, slot.node) += open + extra;
    GE_node = madd(open, slot.E_rev_mV, madd(extra, V_node, GE_node));
    return decay_over_step(slot, rise, decay);
  });
}

/// Elimination from the tips to the root: G holds the diagonal, then its inverse; GE the right-hand side. Nodes of
/// equal depth do not wait for each other, so they come one after the other.
TRISCALE_INLINE void eliminate(const TreeView& tree, Lanes* G, Lanes* GE) {
  for (std::size_t n = tree.size - 1; n-- > 0;) {
    const std::size_t i = tree.by_depth[n], parent = static_cast<std::size_t>(tree.parents[i]);
    const double g = tree.g_axial_uS[i];
    LanePair &G_node = pair(G, i), &G_parent = pair(G, parent), &GE_parent = pair(GE, parent);
    const LanePair inverse = 1.0 / G_node;
    const LanePair factor = g * inverse;
    G_parent = nmadd(factor, g, G_parent);
    GE_parent = madd(factor, pair(GE, i), GE_parent);
    G_node = inverse;
  }
}

inline void solve_tree(const TreeView& tree, Lanes* V, Lanes* G, Lanes* GE) {
  eliminate(tree, G, GE);
  pair(V, 0) = pair(GE, 0) / pair(G, 0);
  for (std::size_t n = 0; n + 1 < tree.size; ++n) {
    const std::size_t i = tree.by_depth[n];
    const LanePair V_parent = pair(V, static_cast<std::size_t>(tree.parents[i]));
    pair(V, i) = madd(V_parent, tree.g_axial_uS[i], pair(GE, i)) * pair(G, i);
  }
}

inline void solve_tree_to_middle(const TreeView& tree, Lanes* V, Lanes* G, Lanes* GE) {
  eliminate(tree, G, GE);
  pair(GE, 0) = pair(GE, 0) / pair(G, 0);
  pair(V, 0) = madd(pair(GE, 0), 2.0, LanePair(-pair(V, 0)));
  for (std::size_t n = 0; n + 1 < tree.size; ++n) {
    const std::size_t i = tree.by_depth[n];
    const LanePair middle_parent = pair(GE, static_cast<std::size_t>(tree.parents[i]));
    const LanePair middle = madd(middle_parent, tree.g_axial_uS[i], pair(GE, i)) * pair(G, i);
    pair(GE, i) = middle;
    pair(V, i) = madd(middle, 2.0, LanePair(-pair(V, i)));
  }
}

// ------------------------------------------------------------------------------------------------------- fields
// --------

/// In single precision.
TRISCALE_INLINE FieldLanes to_float(const LanePair& x) {
#ifdef TRISCALE_WIDE
  return __builtin_convertvector(x, FieldLanes);
#else
  using FloatLanes = float __attribute__((vector_size(kLaneWidth * sizeof(float))));
  const FloatLanes columns[] = {__builtin_convertvector(x.a, FloatLanes), __builtin_convertvector(x.b, FloatLanes)};
  FieldLanes y;
  std::memcpy(&y, columns, sizeof y);
  return y;
#endif
}

inline void add_differences(std::size_t edges, const std::uint32_t* children, const std::uint32_t* parents,
                            const Lanes* V, FieldLanes* differences, bool fresh) {
  for (std::size_t edge = 0; edge < edges; ++edge) {
    const FieldLanes u = to_float(pair(V, parents[edge]) - pair(V, children[edge]));
    differences[edge] = fresh ? u : differences[edge] + u;
  }
}

TRISCALE_INLINE FieldLanes madd_field(const FieldLanes& a, const FieldLanes& b, const FieldLanes& c) {
#ifdef TRISCALE_FUSED
  return FieldLanes(_mm256_fmadd_ps(a, b, c));
#else
  return a * b + c;
#endif
}

/// Products of one block of samples with one tile of weights; the sums stay in registers. What will be needed next,
/// `ahead`, is fetched meanwhile, a cache line a row (with 256-bit vectors that costs more than it brings).
#ifdef TRISCALE_WIDE
template <int kSamples>
TRISCALE_INLINE void multiply_block(std::size_t rows, const FieldLanes* weights, const FieldLanes* currents,
                                    const FieldLanes* ahead, FieldLanes* products) {
  // Two components side by side.
  using FieldPair = float __attribute__((vector_size(2 * sizeof(FieldLanes))));
  static_assert(kFieldTile == 4);
  const FieldPair* w = reinterpret_cast<const FieldPair*>(weights);
  FieldPair* p = reinterpret_cast<FieldPair*>(products);
  FieldPair low[kSamples], high[kSamples];
#pragma GCC unroll 8
  for (int t = 0; t < kSamples; ++t) low[t] = high[t] = FieldPair{};
  for (std::size_t row = 0; row < rows; ++row) {
    __builtin_prefetch(ahead + 2 * row);
    const FieldPair w_low = w[2 * row], w_high = w[2 * row + 1];
#pragma GCC unroll 8
    for (int t = 0; t < kSamples; ++t) {
      // Under a full mask for the reason given at max_of.
      const FieldPair u =
          FieldPair(_mm512_maskz_broadcast_f32x8(0xffff, currents[static_cast<std::size_t>(t) * rows + row]));
      low[t] = FieldPair(_mm512_fmadd_ps(w_low, u, low[t]));
      high[t] = FieldPair(_mm512_fmadd_ps(w_high, u, high[t]));
    }
  }
#pragma GCC unroll 8
  for (int t = 0; t < kSamples; ++t) p[2 * t] = low[t], p[2 * t + 1] = high[t];
}
inline constexpr int kFieldSamples = 8;
#else
template <int kSamples>
TRISCALE_INLINE void multiply_block(std::size_t rows, const FieldLanes* weights, const FieldLanes* currents,
                                    const FieldLanes* /*ahead*/, FieldLanes* products) {
  constexpr int kSums = kSamples * static_cast<int>(kFieldTile);
  FieldLanes sums[kSums];
#pragma GCC unroll 8
  for (int i = 0; i < kSums; ++i) sums[i] = FieldLanes{};
  for (std::size_t row = 0; row < rows; ++row) {
    const FieldLanes* w = weights + row * kFieldTile;
#pragma GCC unroll 8
    for (int i = 0; i < kSums; ++i) {
      const int t = i / static_cast<int>(kFieldTile), c = i % static_cast<int>(kFieldTile);
      sums[i] = madd_field(w[c], currents[static_cast<std::size_t>(t) * rows + row], sums[i]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kSums; ++i) products[i] = sums[i];
}
inline constexpr int kFieldSamples = 2;  // what fits sixteen registers
#endif

inline void multiply_field(std::size_t rows, std::size_t tiles, const FieldLanes* weights, const FieldLanes* currents,
                           std::size_t samples, FieldLanes* products) {
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const FieldLanes *w = weights + tile * rows * kFieldTile, *next = w + (tile + 1 < tiles ? rows * kFieldTile : 0);
    FieldLanes* p = products + tile * samples * kFieldTile;
    std::size_t t = 0, fetched = 0;
    const auto block = [&]<int n>(std::integral_constant<int, n>) TRISCALE_INLINE_LAMBDA {
      for (; t + n <= samples; t += n) {
        multiply_block<n>(rows, w, currents + t * rows, next + fetched, p + t * kFieldTile);
        if (fetched + 2 * rows < rows * kFieldTile) fetched += 2 * rows;
      }
    };
    block(std::integral_constant<int, kFieldSamples>{});
    if constexpr (kFieldSamples > 4) block(std::integral_constant<int, 4>{});
    block(std::integral_constant<int, 2>{});
    block(std::integral_constant<int, 1>{});
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

#include "pointneuron/adex.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/elementary.hpp"

namespace triscale::pointneuron {

namespace {
constexpr int kPieces = 10;             ///< of a step in the upstroke
constexpr double kUpstrokeShare = 0.1;  ///< of Delta_T in a step: the upstroke begins
constexpr std::size_t kBlock = 256;     ///< cells whose intermediate values stay in the first-level cache
constexpr std::size_t kLanes = 8;       ///< of the widest vectors
constexpr double kLowest = std::numeric_limits<double>::lowest();
}  // namespace

AdExNeurons::Piece::Piece(double length_ms, const network::AdExModel& m)
    : h_over_C(length_ms / m.C_m_nF),
      w_decay(std::exp(-length_ms / m.tau_w_ms)),
      w_decay_half(std::exp(-0.5 * length_ms / m.tau_w_ms)),
      phi(-std::expm1(-h_over_C * m.g_L_uS) / m.g_L_uS),
      phi_half(-std::expm1(-0.5 * h_over_C * m.g_L_uS) / m.g_L_uS) {}

AdExNeurons::AdExNeurons(const network::AdExModel& model, const NeuronSetup& setup)
    : model_(model),
      isa_(setup.isa),
      constants_{model.g_L_uS * model.Delta_T_mV,
                 model.V_T_mV,
                 model.Delta_T_mV > 0 ? 1 / model.Delta_T_mV : 0.0,
                 model.V_peak_mV,
                 model.V_reset_mV,
                 model.E_L_mV,
                 model.a_uS,
                 Piece(setup.dt_ms, model),
                 Piece(setup.dt_ms / kPieces, model),
                 kUpstrokeShare * model.Delta_T_mV * model.C_m_nF / setup.dt_ms},
      refractory_(refractory_steps(model.t_ref_ms, setup.dt_ms)),
      V_mV_(setup.cells, model.E_L_mV),
      w_nA_(setup.cells, 0.0),
      left_(setup.cells, 0.0) {}

/// Cells of a loop. G and J hold leak, synapses and injected current: C dV/dt = J - G V + F(V) - w.
struct AdExNeurons::Cells {
  double* V;
  double* w;
  double* left;
  const double* G;
  const double* J;
  double* upstroke;  ///< 1 where the step has to be done in pieces, else 0
};

/// For V up to V_peak; compilers make branches of a limit that is drawn twice.
TRISCALE_ALWAYS_INLINE double AdExNeurons::exponential_nA(const Constants& c, double V_mV) {
  return c.exponential_nA * core::exp_of((V_mV - c.V_T) * c.per_Delta);
}

/// Moves a cell over a piece of time; at_begin_nA: the exponential current at its beginning.
template <bool kConductances>
TRISCALE_ALWAYS_INLINE void AdExNeurons::move(const Constants& c, const Piece& piece, double G, double J, double& V,
                                              double& w, double& at_begin_nA) {
  // The exact solution over h with a constant current N is V + N phi(h), N taken at V.
  double phi = piece.phi, phi_half = piece.phi_half;
  if constexpr (kConductances) {
    const double half = core::expm1_of(-0.5 * piece.h_over_C * G);
    phi_half = -half / G;
    phi = phi_half * (half + 2.0);  // e^2x - 1 = (e^x - 1) (e^x + 1)
  }
  at_begin_nA = exponential_nA(c, V < c.V_peak ? V : c.V_peak);
  const double predicted = V + (J + (at_begin_nA - w) - G * V) * phi_half;
  const double V_middle = predicted < c.V_peak ? predicted : c.V_peak;
  const double w_middle = w * piece.w_decay_half + (1 - piece.w_decay_half) * c.a * (V - c.E_L);
  V += (J + (exponential_nA(c, V_middle) - w_middle) - G * V) * phi;
  w = w * piece.w_decay + (1 - piece.w_decay) * c.a * (V_middle - c.E_L);
}

/// Moves all cells over the step, but those in their upstroke, which it marks. During t_ref only w moves.
template <bool kConductances>
TRISCALE_ALWAYS_INLINE void AdExNeurons::step_whole(const Constants& c, const Cells& cells, std::size_t n) {
  double* __restrict V = cells.V;
  double* __restrict w = cells.w;
  double* __restrict upstroke = cells.upstroke;
  const double* __restrict left = cells.left;
  const double* __restrict G = cells.G;
  const double* __restrict J = cells.J;
  const double kept = c.whole.w_decay, from_reset = (1 - kept) * c.a * (c.V_reset - c.E_L);
  double V_next[kBlock], w_next[kBlock];
  for (std::size_t i = 0; i < n; ++i) {
    double V_now = V[i], w_now = w[i], at_begin_nA;
    move<kConductances>(c, c.whole, G[i], J[i], V_now, w_now, at_begin_nA);
    V_next[i] = V_now;
    w_next[i] = w_now;
    upstroke[i] = at_begin_nA;
  }
  for (std::size_t i = 0; i < n; ++i) {
    // Not a number counts as upstroke, and is found there.
    const bool smooth = upstroke[i] <= c.most_exponential_nA, free = left[i] <= 0;
    const double w_held = w[i] * kept + from_reset, w_free = smooth ? w_next[i] : w[i];
    V[i] = (smooth & free) ? V_next[i] : V[i];
    w[i] = free ? w_free : w_held;
    upstroke[i] = smooth ? 0.0 : 1.0;
  }
}

/// Moves cells over the step in pieces, until they reach the peak.
template <bool kConductances>
TRISCALE_ALWAYS_INLINE void AdExNeurons::step_fine(const Constants& c, const Cells& cells, std::size_t n) {
  double* __restrict V = cells.V;
  double* __restrict w = cells.w;
  const double* __restrict G = cells.G;
  const double* __restrict J = cells.J;
  for (int piece = 0; piece < kPieces; ++piece) {
    for (std::size_t i = 0; i < n; ++i) {
      double V_next = V[i], w_next = w[i], unused;
      move<kConductances>(c, c.fine, G[i], J[i], V_next, w_next, unused);
      const bool below = V[i] < c.V_peak;
      w[i] = below ? w_next : w[i];
      V[i] = below ? V_next : V[i];
    }
  }
}

template <bool kConductances>
void AdExNeurons::step_some(std::size_t from, std::size_t n, const StepInput& input,
                            std::vector<std::uint32_t>& spikes) {
  std::array<double, kBlock> G, J, upstroke;
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  for (std::size_t i = 0; i < n; ++i) {
    G[i] = kConductances ? model_.g_L_uS + input.G_uS[from + i] : model_.g_L_uS;
    J[i] = kConductances ? I_L + input.GE_nA[from + i] + input.I_nA[from + i] : I_L + input.I_nA[from + i];
  }
  const Constants& c = constants_;
  const Cells cells{V_mV_.data() + from, w_nA_.data() + from, left_.data() + from, G.data(), J.data(), upstroke.data()};
  core::compiled_for(isa_, [c, cells, n]() TRISCALE_INLINE_LAMBDA { step_whole<kConductances>(c, cells, n); });

  // The few in their upstroke, together.
  std::array<std::uint32_t, kBlock> which;
  std::size_t few = 0;
  for (std::size_t i = 0; i < n; ++i) {
    which[few] = static_cast<std::uint32_t>(i);
    few += (upstroke[i] != 0) & (cells.left[i] <= 0) ? 1 : 0;
  }
  if (few > 0) {
    std::array<double, kBlock> V, w;
    const std::size_t filled = (few + kLanes - 1) / kLanes * kLanes;
    for (std::size_t j = 0; j < filled; ++j) {
      const std::size_t i = which[std::min(j, few - 1)];
      V[j] = cells.V[i];
      w[j] = cells.w[i];
      G[j] = G[i];  // i >= j: not yet overwritten
      J[j] = J[i];
    }
    const Cells fine{V.data(), w.data(), nullptr, G.data(), J.data(), nullptr};
    core::compiled_for(isa_, [c, fine, filled]() TRISCALE_INLINE_LAMBDA { step_fine<kConductances>(c, fine, filled); });
    for (std::size_t j = 0; j < few; ++j) {
      cells.V[which[j]] = V[j];
      cells.w[which[j]] = w[j];
    }
  }
  if (!input.arrivals_at_end.empty()) {
    for (std::size_t i = 0; i < n; ++i) cells.V[i] += cells.left[i] > 0 ? 0.0 : input.arrivals_at_end[from + i];
  }
  fire(from, n, cells, spikes);
}

void AdExNeurons::fire(std::size_t from, std::size_t n, const Cells& cells, std::vector<std::uint32_t>& spikes) {
  std::size_t quiet = 0;
  const double V_peak = model_.V_peak_mV;
  const double *V = cells.V, *w = cells.w;
  double* left = cells.left;
  std::size_t* found = &quiet;
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    std::size_t number = 0;
    for (std::size_t i = 0; i < n; ++i) number += (V[i] < V_peak && V[i] >= kLowest && w[i] - w[i] == 0.0) ? 1 : 0;
    *found = number;
  });
  for (std::size_t i = 0; quiet != n && i < n; ++i) {
    if (!std::isfinite(w[i])) throw NonFinite{from + i, "w"};
    if (!std::isfinite(V[i])) throw NonFinite{from + i, "v"};
    if (left[i] > 0 || V[i] < V_peak) continue;
    spikes.push_back(static_cast<std::uint32_t>(from + i));
    cells.V[i] = model_.V_reset_mV;
    cells.w[i] += model_.b_nA;
    left[i] = refractory_ + 1;  // counted down below
  }
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) left[i] = left[i] > 0 ? left[i] - 1 : 0.0;
  });
}

void AdExNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  for (std::size_t from = begin; from < end; from += kBlock) {
    const std::size_t n = std::min(end, from + kBlock) - from;
    if (input.G_uS.empty()) {
      step_some<false>(from, n, input, spikes);
    } else {
      step_some<true>(from, n, input, spikes);
    }
  }
}

std::span<const double> AdExNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "w") return w_nA_;
  return {};
}

}  // namespace triscale::pointneuron

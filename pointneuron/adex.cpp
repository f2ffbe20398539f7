#include "pointneuron/adex.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/elementary.hpp"
#include "pointneuron/marks.hpp"

namespace triscale::pointneuron {

namespace {
constexpr int kPieces = 10;             ///< of a step in the upstroke
constexpr double kUpstrokeShare = 0.1;  ///< of Delta_T in a step: the upstroke begins
constexpr std::size_t kLanes = 8;       ///< of the widest vectors
constexpr double kLowest = std::numeric_limits<double>::lowest(), kHuge = std::numeric_limits<double>::max();
/// Marks the cells that fire or are not finite: what is not finite less itself is not 0.
TRISCALE_ALWAYS_INLINE void mark_loud(std::size_t n, const double* __restrict V, const double* __restrict w,
                                      double V_peak, std::uint8_t* __restrict loud) {
  for (std::size_t i = 0; i < n; ++i) loud[i] = (V[i] < V_peak) & (V[i] >= kLowest) & (w[i] - w[i] == 0.0) ? 0 : 1;
}

/// 1 / Delta_T; 0 for no exponential current. So sharp an upstroke that its current at V_peak is no number is cut off.
double sharpness(const network::AdExModel& m) {
  if (!(m.Delta_T_mV > 0)) return 0;
  return std::min(1 / m.Delta_T_mV, core::kLargestExponent / std::max(m.V_peak_mV - m.V_T_mV, 1e-300));
}
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
                 sharpness(model),
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
      left_(setup.cells, 0.0),
      rising_(setup.parts) {}

/// Cells of a loop. G and J hold leak, synapses and injected current: C dV/dt = J - G V + F(V) - w.
struct AdExNeurons::Cells {
  double* V;
  double* w;
  double* left;
  const double* G;
  const double* J;
  std::uint8_t* upstroke;  ///< 1 where the step has to be done in pieces, else 0
};

/// For V up to V_peak.
TRISCALE_ALWAYS_INLINE double AdExNeurons::exponential_nA(const Constants& c, double V_mV) {
  // The argument has its upper limit from V_peak.
  const double x = (V_mV - c.V_T) * c.per_Delta;
  return c.exponential_nA *
         core::exponential_in_range(x < -core::kLargestExponent ? -core::kLargestExponent : x).value();
}

/// Moves a cell over a piece of time.
template <bool kConductances>
TRISCALE_ALWAYS_INLINE void AdExNeurons::move(const Constants& c, const Piece& piece, double G, double J, double& V,
                                              double& w) {
  // The exact solution over h with a constant current N is V + N phi(h), N taken at V.
  double phi = piece.phi, phi_half = piece.phi_half;
  if constexpr (kConductances) {
    const double half = core::expm1_of(-0.5 * piece.h_over_C * G);
    phi_half = -half / G;
    phi = phi_half * (half + 2.0);  // e^2x - 1 = (e^x - 1) (e^x + 1)
  }
  const double at_begin_nA = exponential_nA(c, V < c.V_peak ? V : c.V_peak);
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
  const double* __restrict left = cells.left;
  const double* __restrict G = cells.G;
  const double* __restrict J = cells.J;
  const double kept = c.whole.w_decay, from_reset = (1 - kept) * c.a * (c.V_reset - c.E_L);
  double at_begin_nA[kBlock], V_middle[kBlock], V_next[kBlock], w_next[kBlock], phi[kBlock];
  // What move() does, part by part: a loop of its own for each exponential, or they would wait for each other. The
  // second one is the first one's times that of a small change.
  const Piece& piece = c.whole;
  for (std::size_t i = 0; i < n; ++i) at_begin_nA[i] = exponential_nA(c, V[i] < c.V_peak ? V[i] : c.V_peak);
  for (std::size_t i = 0; i < n; ++i) {
    double phi_half = piece.phi_half;
    phi[i] = piece.phi;
    if constexpr (kConductances) {
      const double half = core::expm1_of(-0.5 * piece.h_over_C * G[i]);
      phi_half = -half / G[i];
      phi[i] = phi_half * (half + 2.0);
    }
    const double predicted = V[i] + (J[i] + (at_begin_nA[i] - w[i]) - G[i] * V[i]) * phi_half;
    V_middle[i] = predicted < c.V_peak ? predicted : c.V_peak;
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double rise = (V_middle[i] - V[i]) * c.per_Delta;
    const bool small = (rise <= core::kSmallExponent) & (rise >= -core::kSmallExponent);
    const double middle_nA = at_begin_nA[i] * core::exp_of_small(rise);
    at_begin_nA[i] = small ? at_begin_nA[i] : kHuge;  // the series does not reach so far: as an upstroke
    const double w_middle = w[i] * piece.w_decay_half + (1 - piece.w_decay_half) * c.a * (V[i] - c.E_L);
    V_next[i] = V[i] + (J[i] + (middle_nA - w_middle) - G[i] * V[i]) * phi[i];
    w_next[i] = w[i] * piece.w_decay + (1 - piece.w_decay) * c.a * (V_middle[i] - c.E_L);
  }
  for (std::size_t i = 0; i < n; ++i) {
    // Not a number counts as upstroke, and is found there.
    const bool smooth = at_begin_nA[i] <= c.most_exponential_nA, free = left[i] <= 0;
    const double w_held = w[i] * kept + from_reset, w_free = smooth ? w_next[i] : w[i];
    V[i] = (smooth & free) ? V_next[i] : V[i];
    w[i] = free ? w_free : w_held;
  }
  std::uint8_t* __restrict upstroke = cells.upstroke;
  for (std::size_t i = 0; i < n; ++i) upstroke[i] = (at_begin_nA[i] <= c.most_exponential_nA) | (left[i] > 0) ? 0 : 1;
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
      double V_next = V[i], w_next = w[i];
      move<kConductances>(c, c.fine, G[i], J[i], V_next, w_next);
      const bool below = V[i] < c.V_peak;
      w[i] = below ? w_next : w[i];
      V[i] = below ? V_next : V[i];
    }
  }
}

/// Up to kBlock cells. Those in their upstroke are noted in `rising_`, to be moved by step_rising().
template <bool kConductances>
void AdExNeurons::step_block(std::size_t from, std::size_t n, const StepInput& input, std::vector<Rising>& rising) {
  std::array<double, kBlock> G, J;
  const double g_L = model_.g_L_uS, I_L = model_.g_L_uS * model_.E_L_mV;
  const double *G_syn = kConductances ? input.G_uS.data() + from : nullptr,
               *GE = kConductances ? input.GE_nA.data() + from : nullptr, *I = input.I_nA.data() + from;
  const Constants& c = constants_;
  Marks marks;
  const Cells cells{V_mV_.data() + from, w_nA_.data() + from, left_.data() + from, G.data(), J.data(), marks.of.data()};
  core::compiled_for(isa_, [=, to_G = G.data(), to_J = J.data()]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) {
      to_G[i] = kConductances ? g_L + G_syn[i] : g_L;
      to_J[i] = kConductances ? I_L + GE[i] + I[i] : I_L + I[i];
    }
    step_whole<kConductances>(c, cells, n);
  });
  marks.for_each(n, [&](std::size_t i) { rising.push_back({static_cast<std::uint32_t>(from + i), G[i], J[i]}); });
}

/// The few cells in their upstroke, together: each is a long chain of dependent operations.
template <bool kConductances>
void AdExNeurons::step_rising(std::span<const Rising> rising) {
  std::array<double, kBlock> V, w, G, J;
  for (std::size_t first = 0; first < rising.size(); first += kBlock) {
    const std::size_t few = std::min(kBlock, rising.size() - first);
    const std::size_t filled = (few + kLanes - 1) / kLanes * kLanes;
    for (std::size_t j = 0; j < filled; ++j) {
      const Rising& one = rising[first + std::min(j, few - 1)];
      V[j] = V_mV_[one.cell];
      w[j] = w_nA_[one.cell];
      G[j] = one.G_uS;
      J[j] = one.J_nA;
    }
    const Constants& c = constants_;
    const Cells cells{V.data(), w.data(), nullptr, G.data(), J.data(), nullptr};
    core::compiled_for(isa_,
                       [c, cells, filled]() TRISCALE_INLINE_LAMBDA { step_fine<kConductances>(c, cells, filled); });
    for (std::size_t j = 0; j < few; ++j) {
      V_mV_[rising[first + j].cell] = V[j];
      w_nA_[rising[first + j].cell] = w[j];
    }
  }
}

/// Spikes of up to kBlock cells, and the end of refractoriness.
void AdExNeurons::fire(std::size_t from, std::size_t n, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  double *V = V_mV_.data() + from, *w = w_nA_.data() + from, *left = left_.data() + from;
  if (!input.arrivals_at_end.empty()) {
    for (std::size_t i = 0; i < n; ++i) V[i] += left[i] > 0 ? 0.0 : input.arrivals_at_end[from + i];
  }
  const double V_peak = model_.V_peak_mV;
  Marks marks;
  std::uint8_t* marked = marks.of.data();
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    mark_loud(n, V, w, V_peak, marked);
    for (std::size_t i = 0; i < n; ++i) left[i] = left[i] > 0 ? left[i] - 1 : 0.0;
  });
  // A refractory cell stands at V_reset, below V_peak.
  marks.for_each(n, [&](std::size_t i) {
    if (!std::isfinite(w[i])) throw NonFinite{from + i, "w"};
    if (!std::isfinite(V[i])) throw NonFinite{from + i, "v"};
    spikes.push_back(static_cast<std::uint32_t>(from + i));
    V[i] = model_.V_reset_mV;
    w[i] += model_.b_nA;
    left[i] = refractory_;
  });
}

template <bool kConductances>
void AdExNeurons::step_all(std::size_t begin, std::size_t end, const StepInput& input,
                           std::vector<std::uint32_t>& spikes) {
  std::vector<Rising>& rising = rising_[input.part];
  rising.clear();
  for (std::size_t from = begin; from < end; from += kBlock)
    step_block<kConductances>(from, std::min(end, from + kBlock) - from, input, rising);
  step_rising<kConductances>(rising);
  for (std::size_t from = begin; from < end; from += kBlock)
    fire(from, std::min(end, from + kBlock) - from, input, spikes);
}

void AdExNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  if (input.G_uS.empty()) {
    step_all<false>(begin, end, input, spikes);
  } else {
    step_all<true>(begin, end, input, spikes);
  }
}

std::span<const double> AdExNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "w") return w_nA_;
  return {};
}

}  // namespace triscale::pointneuron

#include "pointneuron/glif.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "core/elementary.hpp"
#include "pointneuron/lif.hpp"
#include "pointneuron/marks.hpp"

namespace triscale::pointneuron {

namespace {

constexpr double kLowest = std::numeric_limits<double>::lowest();

/// difference_of_decays() for loops.
TRISCALE_ALWAYS_INLINE double difference_of_decays_in_loop(double a, double b, double t) {
  const double slower = a < b ? a : b, x = (a < b ? b - a : a - b) * t;
  const double relative = -core::expm1_of(-x) / x;
  return core::exp_of(-slower * t) * t * (x > 0 ? relative : 1.0);
}

/// Marks the cells that fire or are not finite.
TRISCALE_ALWAYS_INLINE void mark_loud(std::size_t n, const double* __restrict V, const double* __restrict threshold,
                                      const double* __restrict left, std::uint8_t* __restrict loud) {
  for (std::size_t i = 0; i < n; ++i) loud[i] = (left[i] > 0) | ((V[i] <= threshold[i]) & (V[i] >= kLowest)) ? 0 : 1;
}

}  // namespace

/// Cells of a loop.
struct GlifNeurons::Cells {
  double* V;
  double* V_before;
  double* left;
  double* jump;
  double* follow;
  double* threshold;
  double* I_sum;
  double* after_spike;  ///< of the first current
  double* J;            ///< leak, synapses, injected and after-spike currents
  const double* G;      ///< conductances besides the leak; null: none
  const double* at_end;
};

GlifNeurons::Constants::Constants(const network::GlifModel& m, double dt_ms)
    : g_L(m.g_L_uS),
      per_g_L(1 / m.g_L_uS),
      C(m.C_m_nF),
      E_L(m.E_L_mV),
      h(dt_ms),
      h_over_C(dt_ms / m.C_m_nF),
      kept(std::exp(-h_over_C * g_L)),
      from_J(-std::expm1(-h_over_C * g_L) / g_L),
      rest(m.V_threshold_mV),
      jump_decay(std::exp(-dt_ms / m.threshold_jump_tau_ms)),
      a_v(m.threshold_voltage_per_ms),
      theta_v_rate(1 / m.threshold_voltage_tau_ms),
      theta_v_kept(std::exp(-dt_ms * theta_v_rate)),
      theta_v_from_constant(a_v * (1 - theta_v_kept) / theta_v_rate),
      theta_v_from_V(a_v * difference_of_decays(g_L / C, theta_v_rate, h)) {}

GlifNeurons::GlifNeurons(const network::GlifModel& model, const NeuronSetup& setup)
    : model_(model),
      cells_(setup.cells),
      isa_(setup.isa),
      threshold_(model.threshold_voltage_per_ms != 0 ? Threshold::follows
                 : model.threshold_jump_mV != 0      ? Threshold::jumps
                                                     : Threshold::stays),
      constants_(model, setup.dt_ms),
      jump_refractory_decay_(std::exp(-model.t_ref_ms / model.threshold_jump_tau_ms)),
      refractory_(refractory_steps(model.t_ref_ms, setup.dt_ms)),
      V_mV_(setup.cells, model.E_L_mV),
      threshold_mV_(setup.cells, model.V_threshold_mV),
      theta_jump_mV_(setup.cells, 0.0),
      theta_voltage_mV_(setup.cells, 0.0),
      I_sum_nA_(setup.cells, 0.0),
      left_(setup.cells, 0.0) {
  for (const auto& current : model.after_spike_currents) {
    const double relative = setup.dt_ms / current.tau_ms;
    decays_.push_back({std::exp(-relative), -std::expm1(-relative) / relative,
                       current.kept * std::exp(-model.t_ref_ms / current.tau_ms), current.amplitude_nA});
    after_spike_nA_.insert(after_spike_nA_.end(), setup.cells, current.initial_nA);
    for (double& sum : I_sum_nA_) sum += current.initial_nA;
  }
}

/// Up to two after-spike currents: adds their mean over the step to J and moves them to its end. The first ones begin
/// the sums.
template <int kCurrents, bool kFirst>
TRISCALE_ALWAYS_INLINE void GlifNeurons::add_currents(const Cells& cells, const Decay* decays, double* state,
                                                      std::size_t stride, std::size_t n) {
  const double* __restrict left = cells.left;
  double* __restrict sum = cells.I_sum, * __restrict J = cells.J;
  double* __restrict one = state, * __restrict two = state + stride;
  const Decay d = decays[0], e = decays[kCurrents - 1];
#pragma GCC ivdep  // no two of the arrays overlap
  for (std::size_t i = 0; i < n; ++i) {
    const double one_now = one[i], one_next = d.step * one_now;
    const double one_then = left[i] > 0 ? one_now : one_next;
    double mean = d.mean * one_now, total = one_then;
    one[i] = one_then;
    if constexpr (kCurrents == 2) {
      const double two_now = two[i], two_next = e.step * two_now;
      const double two_then = left[i] > 0 ? two_now : two_next;
      mean += e.mean * two_now;
      total += two_then;
      two[i] = two_then;
    }
    J[i] += mean;
    sum[i] = kFirst ? total : sum[i] + total;
  }
}

void GlifNeurons::add_after_spike_currents(const Cells& cells, std::size_t n) {
  for (std::size_t k = 0; k < decays_.size(); k += 2) {
    const Decay* d = decays_.data() + k;
    double* state = cells.after_spike + k * cells_;
    const std::size_t stride = cells_;
    const bool two = k + 1 < decays_.size(), first = k == 0;
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      if (two) {
        first ? add_currents<2, true>(cells, d, state, stride, n) : add_currents<2, false>(cells, d, state, stride, n);
      } else {
        first ? add_currents<1, true>(cells, d, state, 0, n) : add_currents<1, false>(cells, d, state, 0, n);
      }
    });
  }
}

/// Threshold and potential of cells without synaptic conductances (kConductances: G holds them). V(t) = V_inf + (V -
/// V_inf) exp(-G t / C), and theta_v is driven by a_v (V(t) - E_L).
template <bool kConductances, GlifNeurons::Threshold kThreshold>
TRISCALE_ALWAYS_INLINE void GlifNeurons::move_cells(const Constants& c, const Cells& cells, std::size_t n) {
  const double* __restrict left = cells.left, * __restrict J = cells.J, * __restrict G_syn = cells.G;
  double* __restrict V = cells.V, * __restrict V_before = cells.V_before, * __restrict threshold = cells.threshold;
  double* __restrict jump = cells.jump, * __restrict follow = cells.follow;
  double phi[kBlock], from_V[kBlock];
  if constexpr (kConductances) {  // a loop of its own for each exponential, or they would wait for each other
    for (std::size_t i = 0; i < n; ++i) {
      const double G = c.g_L + G_syn[i];
      phi[i] = -core::expm1_of(-c.h_over_C * G) / G;
    }
    for (std::size_t i = 0; kThreshold == Threshold::follows && i < n; ++i) {
      from_V[i] = c.a_v * difference_of_decays_in_loop((c.g_L + G_syn[i]) / c.C, c.theta_v_rate, c.h);
    }
  }
#pragma GCC ivdep  // no two of the arrays overlap
  for (std::size_t i = 0; i < n; ++i) {
    const double V_now = V[i], J_now = J[i];
    double V_next = c.kept * V_now + c.from_J * J_now;
    if constexpr (kConductances) V_next = V_now + (J_now - (c.g_L + G_syn[i]) * V_now) * phi[i];
    double theta = c.rest;
    if constexpr (kThreshold != Threshold::stays) {
      const double now = jump[i], next = now * c.jump_decay, then = left[i] > 0 ? now : next;
      jump[i] = then;
      theta += then;
    }
    if constexpr (kThreshold == Threshold::follows) {
      double V_inf = J_now * c.per_g_L, from_V_now = c.theta_v_from_V;
      if constexpr (kConductances) {
        V_inf = J_now / (c.g_L + G_syn[i]);
        from_V_now = from_V[i];
      }
      const double now = follow[i];
      const double next =
          now * c.theta_v_kept + c.theta_v_from_constant * (V_inf - c.E_L) + from_V_now * (V_now - V_inf);
      const double then = left[i] > 0 ? now : next;
      follow[i] = then;
      theta += then;
    }
    if constexpr (kThreshold != Threshold::stays) threshold[i] = theta;
    V_before[i] = V_now;
    V[i] = left[i] > 0 ? V_now : V_next;
  }
}

void GlifNeurons::move(const Cells& cells, std::size_t n) const {
  const Constants c = constants_;
  const Threshold moves = threshold_;
  const bool conductances = cells.G != nullptr;
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    const auto with = [=]<Threshold kThreshold>(std::integral_constant<Threshold, kThreshold>) TRISCALE_INLINE_LAMBDA {
      conductances ? move_cells<true, kThreshold>(c, cells, n) : move_cells<false, kThreshold>(c, cells, n);
    };
    if (moves == Threshold::stays) with(std::integral_constant<Threshold, Threshold::stays>{});
    if (moves == Threshold::jumps) with(std::integral_constant<Threshold, Threshold::jumps>{});
    if (moves == Threshold::follows) with(std::integral_constant<Threshold, Threshold::follows>{});
    if (cells.at_end == nullptr) return;
    for (std::size_t i = 0; i < n; ++i) cells.V[i] += cells.left[i] > 0 ? 0.0 : cells.at_end[i];
  });
}

void GlifNeurons::fire(std::size_t cell, double V_before_mV) {
  left_[cell] = refractory_;
  V_mV_[cell] = model_.V_reset_mV + model_.reset_fraction * (V_before_mV - model_.E_L_mV);
  I_sum_nA_[cell] = 0;
  for (std::size_t k = 0; k < decays_.size(); ++k) {
    double& I = after_spike_nA_[k * cells_ + cell];
    I = decays_[k].amplitude + I * decays_[k].refractory;
    I_sum_nA_[cell] += I;
  }
  if (model_.threshold_jump_mV != 0) {
    theta_jump_mV_[cell] = theta_jump_mV_[cell] * jump_refractory_decay_ + model_.threshold_jump_mV;
  }
  threshold_mV_[cell] = model_.V_threshold_mV + theta_jump_mV_[cell] + theta_voltage_mV_[cell];
}

void GlifNeurons::find_spikes(std::size_t from, const Cells& cells, std::size_t n, std::vector<std::uint32_t>& spikes) {
  double *V = cells.V, *threshold = cells.threshold, *left = cells.left;
  Marks marks;
  std::uint8_t* marked = marks.of.data();
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    mark_loud(n, V, threshold, left, marked);
    for (std::size_t i = 0; i < n; ++i) left[i] = left[i] > 0 ? left[i] - 1 : 0.0;
  });
  marks.for_each(n, [&](std::size_t i) {
    if (!std::isfinite(V[i])) throw NonFinite{from + i, "v"};
    if (!std::isfinite(threshold[i])) throw NonFinite{from + i, "threshold"};
    spikes.push_back(static_cast<std::uint32_t>(from + i));
    fire(from + i, cells.V_before[i]);
  });
}

void GlifNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  std::array<double, kBlock> J, V_before;
  for (std::size_t from = begin; from < end; from += kBlock) {
    const std::size_t n = std::min(end, from + kBlock) - from;
    const Cells cells{V_mV_.data() + from,
                      V_before.data(),
                      left_.data() + from,
                      theta_jump_mV_.data() + from,
                      theta_voltage_mV_.data() + from,
                      threshold_mV_.data() + from,
                      I_sum_nA_.data() + from,
                      after_spike_nA_.data() + from,
                      J.data(),
                      input.G_uS.empty() ? nullptr : input.G_uS.data() + from,
                      input.arrivals_at_end.empty() ? nullptr : input.arrivals_at_end.data() + from};
    const double *I = input.I_nA.data() + from, *GE = cells.G == nullptr ? nullptr : input.GE_nA.data() + from;
    core::compiled_for(isa_, [=, to = J.data()]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) to[i] = I_L + I[i];
      for (std::size_t i = 0; GE != nullptr && i < n; ++i) to[i] += GE[i];
    });
    add_after_spike_currents(cells, n);
    move(cells, n);
    find_spikes(from, cells, n, spikes);
  }
}

std::span<const double> GlifNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "threshold") return threshold_mV_;
  if (name == "i_after_spike") return I_sum_nA_;
  return {};
}

}  // namespace triscale::pointneuron

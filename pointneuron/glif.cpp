#include "pointneuron/glif.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

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

GlifNeurons::GlifNeurons(const network::GlifModel& model, const NeuronSetup& setup)
    : model_(model),
      cells_(setup.cells),
      isa_(setup.isa),
      dt_ms_(setup.dt_ms),
      jump_decay_(std::exp(-setup.dt_ms / model.threshold_jump_tau_ms)),
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

/// Adds their mean over the step to J and moves them to its end.
void GlifNeurons::add_after_spike_currents(const Cells& cells, std::size_t n) {
  const double* left = cells.left;
  double *sum = cells.I_sum, *J = cells.J;
  if (!decays_.empty()) std::fill_n(sum, n, 0.0);
  for (std::size_t k = 0; k < decays_.size(); ++k) {
    const Decay d = decays_[k];
    double* state = cells.after_spike + k * cells_;
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) {
        J[i] += d.mean * state[i];
        const double next = d.step * state[i];
        state[i] = left[i] > 0 ? state[i] : next;
        sum[i] += state[i];
      }
    });
  }
}

/// To be called while V is that of the step's beginning.
void GlifNeurons::move_threshold(const Cells& cells, std::size_t n) const {
  const double *left = cells.left, *J = cells.J, *V = cells.V, *G_syn = cells.G;
  double *jump = cells.jump, *follow = cells.follow, *threshold = cells.threshold;
  if (model_.threshold_jump_mV == 0 && model_.threshold_voltage_per_ms == 0) return;
  if (model_.threshold_jump_mV != 0) {
    const double decay = jump_decay_;
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) {
        const double next = jump[i] * decay;
        jump[i] = left[i] > 0 ? jump[i] : next;
      }
    });
  }
  if (model_.threshold_voltage_per_ms != 0) {
    // V(t) = V_inf + (V - V_inf) exp(-G t / C), and theta_v is driven by a_v (V(t) - E_L).
    const double rate = 1 / model_.threshold_voltage_tau_ms, a = model_.threshold_voltage_per_ms;
    const double kept = std::exp(-dt_ms_ * rate), from_constant = a * (1 - kept) / rate;
    const double g_L = model_.g_L_uS, C = model_.C_m_nF, E_L = model_.E_L_mV, h = dt_ms_;
    const double from_leak = a * difference_of_decays(g_L / C, rate, h), per_g_L = 1 / g_L;
    if (G_syn == nullptr) {
      core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
        for (std::size_t i = 0; i < n; ++i) {
          const double V_inf = J[i] * per_g_L;
          const double next = follow[i] * kept + from_constant * (V_inf - E_L) + from_leak * (V[i] - V_inf);
          follow[i] = left[i] > 0 ? follow[i] : next;
        }
      });
    } else {
      core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
        for (std::size_t i = 0; i < n; ++i) {
          const double G = g_L + G_syn[i];
          const double V_inf = J[i] / G;
          const double from_V = a * difference_of_decays_in_loop(G / C, rate, h);
          const double next = follow[i] * kept + from_constant * (V_inf - E_L) + from_V * (V[i] - V_inf);
          follow[i] = left[i] > 0 ? follow[i] : next;
        }
      });
    }
  }
  const double rest = model_.V_threshold_mV;
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) threshold[i] = rest + jump[i] + follow[i];
  });
}

void GlifNeurons::move_potential(const Cells& cells, std::size_t n) const {
  const double *left = cells.left, *J = cells.J, *G_syn = cells.G, *at_end = cells.at_end;
  double *V = cells.V, *V_before = cells.V_before;
  const double g_L = model_.g_L_uS, h_over_C = dt_ms_ / model_.C_m_nF;
  const double kept = std::exp(-h_over_C * g_L), from_J = -std::expm1(-h_over_C * g_L) / g_L;
  if (G_syn == nullptr) {
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) {
        const double next = kept * V[i] + from_J * J[i];
        V_before[i] = V[i];
        V[i] = left[i] > 0 ? V[i] : next;
      }
    });
  } else {
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) {
        const double G = g_L + G_syn[i];
        const double next = V[i] + (J[i] - G * V[i]) * (-core::expm1_of(-h_over_C * G) / G);
        V_before[i] = V[i];
        V[i] = left[i] > 0 ? V[i] : next;
      }
    });
  }
  if (at_end == nullptr) return;
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) {
      const double jump = at_end[i];
      V[i] += left[i] > 0 ? 0.0 : jump;
    }
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
    for (std::size_t i = 0; i < n; ++i) J[i] = I_L + input.I_nA[from + i];
    for (std::size_t i = 0; cells.G != nullptr && i < n; ++i) J[i] += input.GE_nA[from + i];
    add_after_spike_currents(cells, n);
    move_threshold(cells, n);
    move_potential(cells, n);
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

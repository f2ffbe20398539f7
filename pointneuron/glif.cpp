#include "pointneuron/glif.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "pointneuron/lif.hpp"

namespace triscale::pointneuron {

namespace {

constexpr std::size_t kBlock = 256;  ///< cells whose intermediate values stay in the first-level cache
constexpr double kLowest = std::numeric_limits<double>::lowest();

}  // namespace

GlifNeurons::GlifNeurons(const network::GlifModel& model, const NeuronSetup& setup)
    : model_(model),
      cells_(setup.cells),
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

/// Adds their mean over the step to I_nA[0 ...] and moves them to its end.
void GlifNeurons::add_after_spike_currents(std::size_t begin, std::size_t end, double* I_nA) {
  const std::size_t n = end - begin;
  const double* left = left_.data() + begin;
  double* sum = I_sum_nA_.data() + begin;
  std::fill_n(sum, n, 0.0);
  for (std::size_t k = 0; k < decays_.size(); ++k) {
    const Decay d = decays_[k];
    double* state = after_spike_nA_.data() + k * cells_ + begin;
    for (std::size_t i = 0; i < n; ++i) {
      I_nA[i] += d.mean * state[i];
      state[i] = left[i] > 0 ? state[i] : d.step * state[i];
      sum[i] += state[i];
    }
  }
}

/// J = current, G = conductances besides the leak, or null. To be called while V is that of the step's beginning.
void GlifNeurons::move_threshold(std::size_t begin, std::size_t end, const double* G_uS, const double* J_nA) {
  const std::size_t n = end - begin;
  const double* left = left_.data() + begin;
  double* jump = theta_jump_mV_.data() + begin;
  double* follow = theta_voltage_mV_.data() + begin;
  double* threshold = threshold_mV_.data() + begin;
  if (model_.threshold_jump_mV != 0) {
    for (std::size_t i = 0; i < n; ++i) jump[i] = left[i] > 0 ? jump[i] : jump[i] * jump_decay_;
  }
  if (model_.threshold_voltage_per_ms != 0) {
    // V(t) = V_inf + (V - V_inf) exp(-G t / C), and theta_v is driven by a_v (V(t) - E_L).
    const double rate = 1 / model_.threshold_voltage_tau_ms, a = model_.threshold_voltage_per_ms;
    const double kept = std::exp(-dt_ms_ * rate), from_constant = a * (1 - kept) / rate;
    const double from_leak = a * difference_of_decays(model_.g_L_uS / model_.C_m_nF, rate, dt_ms_);
    for (std::size_t i = 0; i < n; ++i) {
      const double G = model_.g_L_uS + (G_uS != nullptr ? G_uS[i] : 0.0);
      const double V_inf = J_nA[i] / G;
      const double from_V = G_uS != nullptr ? a * difference_of_decays(G / model_.C_m_nF, rate, dt_ms_) : from_leak;
      const double next =
          follow[i] * kept + from_constant * (V_inf - model_.E_L_mV) + from_V * (V_mV_[begin + i] - V_inf);
      follow[i] = left[i] > 0 ? follow[i] : next;
    }
  }
  for (std::size_t i = 0; i < n; ++i) threshold[i] = model_.V_threshold_mV + jump[i] + follow[i];
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

void GlifNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  const double g_L = model_.g_L_uS, I_L = model_.g_L_uS * model_.E_L_mV;
  const double kept = std::exp(-dt_ms_ * g_L / model_.C_m_nF);
  const double from_J = -std::expm1(-dt_ms_ * g_L / model_.C_m_nF) / g_L;
  std::array<double, kBlock> J, V_before;
  for (std::size_t from = begin; from < end; from += kBlock) {
    const std::size_t n = std::min(end, from + kBlock) - from;
    const double* G = input.G_uS.empty() ? nullptr : input.G_uS.data() + from;
    for (std::size_t i = 0; i < n; ++i) J[i] = I_L + input.I_nA[from + i];
    if (G != nullptr) {
      for (std::size_t i = 0; i < n; ++i) J[i] += input.GE_nA[from + i];
    }
    add_after_spike_currents(from, from + n, J.data());
    move_threshold(from, from + n, G, J.data());
    double* V = V_mV_.data() + from;
    double* left = left_.data() + from;
    std::copy_n(V, n, V_before.begin());
    if (G == nullptr) {
      for (std::size_t i = 0; i < n; ++i) V[i] = left[i] > 0 ? V[i] : kept * V[i] + from_J * J[i];
    } else {
      for (std::size_t i = 0; i < n; ++i) {
        const double G_all = g_L + G[i];
        if (!(left[i] > 0)) V[i] += (J[i] - G_all * V[i]) * (-std::expm1(-dt_ms_ * G_all / model_.C_m_nF) / G_all);
      }
    }
    if (!input.arrivals_at_end.empty()) {
      for (std::size_t i = 0; i < n; ++i) V[i] += left[i] > 0 ? 0.0 : input.arrivals_at_end[from + i];
    }
    const double* threshold = threshold_mV_.data() + from;
    std::size_t quiet = 0;
    for (std::size_t i = 0; i < n; ++i) quiet += left[i] > 0 || (V[i] <= threshold[i] && V[i] >= kLowest) ? 1 : 0;
    if (quiet != n) {
      for (std::size_t i = 0; i < n; ++i) {
        if (left[i] > 0 || (V[i] <= threshold[i] && V[i] >= kLowest)) continue;
        if (!std::isfinite(V[i])) throw NonFinite{from + i, "v"};
        if (!std::isfinite(threshold[i])) throw NonFinite{from + i, "threshold"};
        spikes.push_back(static_cast<std::uint32_t>(from + i));
        fire(from + i, V_before[i]);
        left[i] += 1;  // counted down below
      }
    }
    for (std::size_t i = 0; i < n; ++i) left[i] = left[i] > 0 ? left[i] - 1 : 0.0;
  }
}

std::span<const double> GlifNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "threshold") return threshold_mV_;
  if (name == "i_after_spike") return I_sum_nA_;
  return {};
}

}  // namespace triscale::pointneuron

#include "pointneuron/adex.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

AdExNeurons::AdExNeurons(const network::AdExModel& model, std::size_t cells, double dt_ms)
    : model_(model),
      dt_ms_(dt_ms),
      w_decay_(std::exp(-dt_ms / model.tau_w_ms)),
      w_decay_half_(std::exp(-0.5 * dt_ms / model.tau_w_ms)),
      refractory_steps_(refractory_steps(model.t_ref_ms, dt_ms)),
      V_mV_(cells, model.E_L_mV),
      w_nA_(cells, 0.0),
      refractory_(cells, 0) {}

/// One step of C dV/dt = J - G V + F(V) - w, where G and J hold leak, synapses and injected current.
void AdExNeurons::integrate(std::size_t cell, double G_uS, double J_nA) {
  const network::AdExModel& m = model_;
  const auto F_nA = [&m](double V) {
    return m.g_L_uS * m.Delta_T_mV * std::exp((std::min(V, m.V_peak_mV) - m.V_T_mV) / m.Delta_T_mV);
  };
  const auto solve = [&](double V, double N_nA, double h) {
    return V + (J_nA + N_nA - G_uS * V) * (-std::expm1(-h * G_uS / m.C_m_nF) / G_uS);
  };
  const auto relax_w = [&m](double w, double V, double decay) {
    return w * decay + (1 - decay) * m.a_uS * (V - m.E_L_mV);
  };
  const double V = V_mV_[cell];
  const double w = w_nA_[cell];
  const double V_middle = std::min(solve(V, F_nA(V) - w, 0.5 * dt_ms_), m.V_peak_mV);
  const double w_middle = relax_w(w, V, w_decay_half_);
  V_mV_[cell] = solve(V, F_nA(V_middle) - w_middle, dt_ms_);
  w_nA_[cell] = relax_w(w, V_middle, w_decay_);
}

void AdExNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  for (std::size_t i = begin; i < end; ++i) {
    if (refractory_[i] > 0) {
      --refractory_[i];
      w_nA_[i] = w_nA_[i] * w_decay_ + (1 - w_decay_) * model_.a_uS * (model_.V_reset_mV - model_.E_L_mV);
      continue;
    }
    integrate(i, model_.g_L_uS + input.G_uS[i], I_L + input.GE_nA[i] + input.I_nA[i]);
    if (!std::isfinite(w_nA_[i])) throw NonFinite{i, "w"};
    if (V_mV_[i] >= model_.V_peak_mV) {
      spikes.push_back(static_cast<std::uint32_t>(i));
      V_mV_[i] = model_.V_reset_mV;
      w_nA_[i] += model_.b_nA;
      refractory_[i] = refractory_steps_;
    }
    if (!std::isfinite(V_mV_[i])) throw NonFinite{i, "v"};
  }
}

std::span<const double> AdExNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "w") return w_nA_;
  return {};
}

}  // namespace triscale::pointneuron

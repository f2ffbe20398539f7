#include "pointneuron/adex.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

namespace {
constexpr int kPieces = 10;             ///< of a step in the upstroke
constexpr double kUpstrokeShare = 0.1;  ///< of Delta_T in a step: the upstroke begins
}  // namespace

AdExNeurons::Piece::Piece(double length, double tau_w_ms)
    : length_ms(length), w_decay(std::exp(-length / tau_w_ms)), w_decay_half(std::exp(-0.5 * length / tau_w_ms)) {}

AdExNeurons::AdExNeurons(const network::AdExModel& model, const NeuronSetup& setup)
    : model_(model),
      whole_(setup.dt_ms, model.tau_w_ms),
      fine_(setup.dt_ms / kPieces, model.tau_w_ms),
      refractory_steps_(refractory_steps(model.t_ref_ms, setup.dt_ms)),
      V_mV_(setup.cells, model.E_L_mV),
      w_nA_(setup.cells, 0.0),
      refractory_(setup.cells, 0) {}

double AdExNeurons::exponential_nA(double V_mV) const {
  const double V = std::min(V_mV, model_.V_peak_mV);
  return model_.g_L_uS * model_.Delta_T_mV * std::exp((V - model_.V_T_mV) / model_.Delta_T_mV);
}

/// C dV/dt = J - G V + F(V) - w over a piece, where G and J hold leak, synapses and injected current.
void AdExNeurons::integrate_piece(std::size_t cell, double G_uS, double J_nA, const Piece& piece) {
  const network::AdExModel& m = model_;
  // Exact solution over h with the current N in addition.
  const auto solve = [&](double V, double N_nA, double h) {
    return V + (J_nA + N_nA - G_uS * V) * (-std::expm1(-h * G_uS / m.C_m_nF) / G_uS);
  };
  const auto relax_w = [&m](double w, double V, double decay) {
    return w * decay + (1 - decay) * m.a_uS * (V - m.E_L_mV);
  };
  const double V = V_mV_[cell];
  const double w = w_nA_[cell];
  const double V_middle = std::min(solve(V, exponential_nA(V) - w, 0.5 * piece.length_ms), m.V_peak_mV);
  const double w_middle = relax_w(w, V, piece.w_decay_half);
  V_mV_[cell] = solve(V, exponential_nA(V_middle) - w_middle, piece.length_ms);
  w_nA_[cell] = relax_w(w, V_middle, piece.w_decay);
}

void AdExNeurons::integrate(std::size_t cell, double G_uS, double J_nA) {
  const double move_mV = exponential_nA(V_mV_[cell]) * whole_.length_ms / model_.C_m_nF;
  if (!(move_mV > kUpstrokeShare * model_.Delta_T_mV)) return integrate_piece(cell, G_uS, J_nA, whole_);
  for (int i = 0; i < kPieces && V_mV_[cell] < model_.V_peak_mV; ++i) integrate_piece(cell, G_uS, J_nA, fine_);
}

void AdExNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  for (std::size_t i = begin; i < end; ++i) {
    if (refractory_[i] > 0) {
      --refractory_[i];
      w_nA_[i] = w_nA_[i] * whole_.w_decay + (1 - whole_.w_decay) * model_.a_uS * (model_.V_reset_mV - model_.E_L_mV);
      continue;
    }
    if (input.G_uS.empty()) {
      integrate(i, model_.g_L_uS, I_L + input.I_nA[i]);
    } else {
      integrate(i, model_.g_L_uS + input.G_uS[i], I_L + input.GE_nA[i] + input.I_nA[i]);
    }
    if (!input.arrivals_at_end.empty()) V_mV_[i] += input.arrivals_at_end[i];
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

#include "pointneuron/rectified.hpp"

#include <cstddef>

namespace triscale::pointneuron {

namespace {

/// (e^x - 1) / x
double expm1_over(double x) {
  return std::abs(x) < 1e-12 ? 1 : std::expm1(x) / x;
}
/// ln(1 + x) / x
double log1p_over(double x) {
  return std::abs(x) < 1e-12 ? 1 : std::log1p(x) / x;
}

}  // namespace

BentMembrane::BentMembrane(double C_m_nF, std::span<const network::GifModel::RectifiedCurrent> currents)
    : C_m_nF_(C_m_nF), pieces_(1) {
  std::vector<network::GifModel::RectifiedCurrent> bends;
  for (const auto& current : currents) {
    if (!(current.tau_ms > 0)) bends.push_back(current);
  }
  std::sort(bends.begin(), bends.end(), [](const auto& a, const auto& b) { return a.above_mV < b.above_mV; });
  for (const auto& bend : bends) {
    bends_mV_.push_back(bend.above_mV);
    pieces_.push_back({pieces_.back().G_uS + bend.g_uS, pieces_.back().J_nA + bend.g_uS * bend.above_mV});
  }
}

double BentMembrane::advance(double V, double J_nA, double G_uS, double h_ms) const {
  std::size_t piece = piece_of(V);
  for (;;) {
    // C dV/dt = I at V, and I changes by -G for every mV:  V(t) = V + I t/C (e^x - 1)/x,  x = -G t/C
    const double G = G_uS + pieces_[piece].G_uS;
    const double I = J_nA + pieces_[piece].J_nA - G * V;
    const double end = V + I * h_ms / C_m_nF_ * expm1_over(-G * h_ms / C_m_nF_);
    const bool up = I > 0 && piece < bends_mV_.size() && end > bends_mV_[piece];
    const bool down = I < 0 && piece > 0 && end < bends_mV_[piece - 1];
    if (!up && !down) return end;
    const double bend = up ? bends_mV_[piece] : bends_mV_[piece - 1];
    const double way = bend - V;
    h_ms = std::max(0.0, h_ms - C_m_nF_ * way / I * log1p_over(-G * way / I));
    V = bend;
    piece = up ? piece + 1 : piece - 1;
  }
}

LowPass::LowPass(double tau_ms, double dt_ms) {
  if (!(tau_ms > 0)) return;
  const double x = dt_ms / tau_ms;
  decay_ = std::exp(-x);
  mean_ = -std::expm1(-x) / x;
  from_begin_ = mean_ - decay_;
  from_end_ = 1 - mean_;
}

}  // namespace triscale::pointneuron

/// What the potential of a generalised integrate-and-fire neuron does beyond the linear leak: currents and movements of
/// the threshold that grow with V above a potential V_k, at once or with a delay,
///
///     x_k = s_k max(0, V - V_k),      tau_k dw_k/dt = x_k - w_k      (tau_k = 0: w_k = x_k).
///
/// Currents at once bend the current-voltage curve: a piecewise linear one is exactly integrable, piece by piece (the
/// idea of the piecewise linear neurons of Tonnelier & Gerstner 2003, Phys Rev E 67:021908). Delayed currents are
/// rectified resonance variables of the linearised membrane (Richardson, Brunel & Hakim 2003, J Neurophysiol 89:2538),
/// and a threshold that follows V above a potential is the adaptive threshold of Platkiewicz & Brette (2010, PLoS
/// Comput Biol 6:e1000850).
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "network/point_models.hpp"

namespace triscale::pointneuron {

/// Membrane with a piecewise linear current-voltage curve,
///     C dV/dt = J - G V - sum_k g_k max(0, V - V_k).
class BentMembrane {
 public:
  /// Takes the currents without delay from `currents`.
  BentMembrane(double C_m_nF, std::span<const network::GifModel::RectifiedCurrent> currents);

  /// V after a step of h_ms with constant J and G. Exact: each piece is solved in closed form up to the moment when V
  /// leaves it. V is monotonous, so there are at most as many moments as bends.
  double advance(double V_mV, double J_nA, double G_uS, double h_ms) const;

  /// sum_k g_k over the bends below V: what dI/dV has beyond G.
  double extra_slope_uS(double V_mV) const { return pieces_[piece_of(V_mV)].G_uS; }
  /// sum_k g_k V_k over the bends below V: the current of these bends is extra_slope V - extra_current.
  double extra_current_nA(double V_mV) const { return pieces_[piece_of(V_mV)].J_nA; }
  bool is_straight() const { return bends_mV_.empty(); }

 private:
  struct Piece {
    double G_uS = 0, J_nA = 0;  ///< sums of g_k and of g_k V_k over the bends below
  };
  std::size_t piece_of(double V_mV) const {
    std::size_t piece = 0;
    while (piece < bends_mV_.size() && bends_mV_[piece] <= V_mV) ++piece;
    return piece;
  }

  double C_m_nF_;
  std::vector<double> bends_mV_;  ///< ascending
  std::vector<Piece> pieces_;     ///< one more than bends
};

/// Low-pass of time constant tau (0: none) of a quantity x that is linear during a step: second order, exact for
/// constant x.
class LowPass {
 public:
  LowPass(double tau_ms, double dt_ms);
  double next(double w, double x_begin, double x_end) const {
    return decay_ * w + from_begin_ * x_begin + from_end_ * x_end;
  }
  /// Mean over a step that begins with w and x, without the change of x during it: what a current needs for V to be of
  /// second order.
  double mean(double w, double x_begin) const { return x_begin + (w - x_begin) * mean_; }

 private:
  double decay_ = 0, mean_ = 0, from_begin_ = 0, from_end_ = 1;
};

/// s max(0, V - V_0)
struct Rectifier {
  double slope = 0, above_mV = 0;
  double of(double V_mV) const { return slope * std::max(0.0, V_mV - above_mV); }
};

}  // namespace triscale::pointneuron

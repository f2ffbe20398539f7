/// Second compartment of a generalised integrate-and-fire neuron, between the synapses and the soma:
///
///     C   dV/dt = J - G_s V + g_c (D - V)              J, G_s: all other currents and conductances of the soma
///     C_d dD/dt = -g_d (D - E_L) - g_c (D - V) - G D + GE            G = sum_s g_s, GE = sum_s g_s E_s
///
/// While the soma is refractory the dendrite sees g_spike (E_spike - D) in place of g_c (V - D): what the spike and its
/// conductances do to the dendrite, which goes on with its input meanwhile (two compartments: Pinsky & Rinzel 1994, J
/// Comput Neurosci 1:39; with integrate and fire: Ostojic et al. 2015, J Neurosci 35:10112).
///
/// With constant coefficients the step is exact, by the exponential of a matrix of two rows: for x' = A x + b,
///     x(h) = Phi x(0) + A^-1 (Phi - 1) b,  Phi = exp(A h) = e^(m h) (cosh(q h) + sinh(q h)/q (A - m)),
/// m half the trace and q^2 = m^2 - det A > 0, since the compartments are coupled both ways.
#pragma once

#include <cmath>

#include "network/point_models.hpp"

namespace triscale::pointneuron {

class DendriteStep {
 public:
  DendriteStep() = default;
  DendriteStep(const network::GifModel::Dendrite& dendrite, double C_m_nF, double E_L_mV, double dt_ms)
      : C_m_nF_(C_m_nF),
        C_d_nF_(dendrite.C_nF),
        g_L_uS_(dendrite.g_L_uS),
        I_L_nA_(dendrite.g_L_uS * E_L_mV),
        coupling_uS_(dendrite.coupling_uS),
        spike_coupling_uS_(dendrite.spike_coupling_uS),
        spike_I_nA_(dendrite.spike_coupling_uS * dendrite.spike_E_mV),
        dt_ms_(dt_ms) {}

  /// (V, D) after a step: phi (V, D) + psi (J_soma, J_dendrite), currents in nA.
  struct Propagator {
    double phi_VV, phi_VD, phi_DV, phi_DD;
    double psi_VV, psi_VD, psi_DV, psi_DD;
    double V(double V_mV, double D_mV, double J_V, double J_D) const {
      return phi_VV * V_mV + phi_VD * D_mV + psi_VV * J_V + psi_VD * J_D;
    }
    double D(double V_mV, double D_mV, double J_V, double J_D) const {
      return phi_DV * V_mV + phi_DD * D_mV + psi_DV * J_V + psi_DD * J_D;
    }
  };
  /// With the soma's conductance, which may be negative, and that of the synapses.
  Propagator free(double G_soma_uS, double G_uS) const {
    const double a = -(G_soma_uS + coupling_uS_) / C_m_nF_, b = coupling_uS_ / C_m_nF_;
    const double c = coupling_uS_ / C_d_nF_, d = -(g_L_uS_ + coupling_uS_ + G_uS) / C_d_nF_;
    const double m = 0.5 * (a + d), half = 0.5 * (a - d);
    const auto [mean, s] = exponential(m, half * half + b * c);
    Propagator p{mean + s * half, s * b, s * c, mean - s * half, 0, 0, 0, 0};
    // psi = A^-1 (phi - 1) / C; a vanishing determinant is a current-voltage curve that is flat for one moment.
    constexpr double kFlat = 1e-12;
    double det = a * d - b * c;
    if (std::abs(det) < kFlat) det = kFlat;
    const double V = p.phi_VV - 1, D = p.phi_DD - 1;
    p.psi_VV = (d * V - b * p.phi_DV) / (det * C_m_nF_);
    p.psi_VD = (d * p.phi_VD - b * D) / (det * C_d_nF_);
    p.psi_DV = (a * p.phi_DV - c * V) / (det * C_m_nF_);
    p.psi_DD = (a * D - c * p.phi_VD) / (det * C_d_nF_);
    return p;
  }
  double J_free_nA(double GE_nA) const { return I_L_nA_ + GE_nA; }

  /// D after a step of a refractory soma is decay D + gain J.
  struct Refractory {
    double decay, gain;
  };
  Refractory refractory(double G_uS) const {
    const double sum_uS = g_L_uS_ + spike_coupling_uS_ + G_uS, lost = -std::expm1(-dt_ms_ * sum_uS / C_d_nF_);
    return {1 - lost, sum_uS > 0 ? lost / sum_uS : dt_ms_ / C_d_nF_};
  }
  double refractory_step(double D_mV, double G_uS, double GE_nA) const {
    const Refractory r = refractory(G_uS);
    return r.decay * D_mV + r.gain * (I_L_nA_ + GE_nA + spike_I_nA_);
  }

 private:
  struct Exponential {
    double mean, s;  ///< e^(m h) cosh(q h), e^(m h) sinh(q h) / q
  };
  /// By series while steps are short against the coupling.
  Exponential exponential(double m, double q2) const {
    constexpr double kSmall = 0.25;  // what the series leaves out is then below 1e-15
    const double x = q2 * dt_ms_ * dt_ms_;
    if (x > kSmall) {
      const double q = std::sqrt(q2), fast = std::exp((m - q) * dt_ms_), slow = std::exp((m + q) * dt_ms_);
      return {0.5 * (slow + fast), 0.5 * (slow - fast) / q};
    }
    double cosh = 1 + x * (1.0 / 132), sinh = 1 + x * (1.0 / 156);
    cosh = 1 + cosh * x * (1.0 / 90), sinh = 1 + sinh * x * (1.0 / 110);
    cosh = 1 + cosh * x * (1.0 / 56), sinh = 1 + sinh * x * (1.0 / 72);
    cosh = 1 + cosh * x * (1.0 / 30), sinh = 1 + sinh * x * (1.0 / 42);
    cosh = 1 + cosh * x * (1.0 / 12), sinh = 1 + sinh * x * (1.0 / 20);
    cosh = 1 + cosh * x * 0.5, sinh = 1 + sinh * x * (1.0 / 6);
    const double decay = std::exp(m * dt_ms_);
    return {decay * cosh, decay * sinh * dt_ms_};
  }

  double C_m_nF_ = 1, C_d_nF_ = 1, g_L_uS_ = 0, I_L_nA_ = 0, coupling_uS_ = 0, spike_coupling_uS_ = 0, spike_I_nA_ = 0,
         dt_ms_ = 0;
};

}  // namespace triscale::pointneuron

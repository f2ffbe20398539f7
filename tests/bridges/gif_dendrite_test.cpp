// A point neuron of two compartments: from impedances, and from recordings with spikes.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "bridges/gif/gif_fit.hpp"
#include "bridges/point/point_membrane.hpp"
#include "bridges/point/synapse_reduction.hpp"
#include "core/random.hpp"

namespace triscale::bridges {
namespace {

constexpr double kE_L_mV = -72;

PassiveMembrane two_compartments() {
  PassiveMembrane m{0.02, 0.002, kE_L_mV};
  m.dendrite = network::GifModel::Dendrite{0.08, 0.003, 0.03, 0, 0};
  return m;
}

/// Impedance at the soma of a ladder soma - dendrite - ..., as continued fraction.
ImpedanceSpectrum spectrum_of_ladder(const std::vector<double>& C_nF, const std::vector<double>& g_uS,
                                     const std::vector<double>& coupling_uS) {
  ImpedanceSpectrum out;
  for (double f = 1; f < 1000; f *= 1.15) {
    out.frequencies_Hz.push_back(f);
    out.widths_Hz.push_back(0.14 * f);
    Complex y = 0;
    for (std::size_t k = C_nF.size(); k-- > 0;) {
      if (k + 1 < C_nF.size()) y = 1.0 / (1.0 / y + 1 / coupling_uS[k]);
      y += Complex(g_uS[k], 2e-3 * std::numbers::pi * f * C_nF[k]);
    }
    out.input.push_back({1.0 / y});
    out.transfer.push_back({1.0 / y});
  }
  return out;
}

TEST(PointMembrane, TwoCompartmentsAreRecoveredFromTheirImpedance) {
  const PassiveMembrane m = fit_membrane(spectrum_of_ladder({0.02, 0.08}, {0.001, 0.004}, {0.03}), kE_L_mV);
  ASSERT_TRUE(m.dendrite.has_value());
  EXPECT_NEAR(m.C_m_nF, 0.02, 2e-4);
  EXPECT_NEAR(m.g_L_uS, 0.001, 1e-5);
  EXPECT_NEAR(m.dendrite->C_nF, 0.08, 8e-4);
  EXPECT_NEAR(m.dendrite->g_L_uS, 0.004, 4e-5);
  EXPECT_NEAR(m.dendrite->coupling_uS, 0.03, 3e-4);
}

TEST(PointMembrane, OneCompartmentStaysOne) {
  const PassiveMembrane m = fit_membrane(spectrum_of_ladder({0.1}, {0.005}, {}), kE_L_mV);
  EXPECT_FALSE(m.dendrite.has_value());
  EXPECT_NEAR(m.C_m_nF, 0.1, 1e-4);
  EXPECT_NEAR(m.g_L_uS, 0.005, 5e-6);
}

/// Current into the dendrite of a cell made of the two compartments moves the soma by Z_transfer, and itself by
/// Z_synapse.
TEST(PointMembrane, ImpedancesAreThoseOfTheCoupledEquations) {
  const PassiveMembrane m = two_compartments();
  const auto& d = *m.dendrite;
  for (const double f : {0.0, 3.0, 40.0, 300.0}) {
    const PointImpedance Z = impedance_of(m, f);
    const Complex iw(0, 2e-3 * std::numbers::pi * f), V = Z.transfer, D = Z.synapse;
    EXPECT_LT(std::abs((iw * m.C_m_nF + m.g_L_uS) * V - d.coupling_uS * (D - V)), 1e-12) << f;
    EXPECT_LT(std::abs((iw * d.C_nF + d.g_L_uS) * D - d.coupling_uS * (V - D) - 1.0), 1e-12) << f;
    EXPECT_LT(std::abs((iw * m.C_m_nF + m.g_L_uS) * Z.soma - d.coupling_uS * (Z.transfer - Z.soma) - 1.0), 1e-12) << f;
  }
}

network::GifModel truth() {
  network::GifModel m;
  const PassiveMembrane p = two_compartments();
  m.C_m_nF = p.C_m_nF;
  m.g_L_uS = p.g_L_uS;
  m.E_L_mV = kE_L_mV;
  m.V_reset_mV = -66;
  m.t_ref_ms = 4;
  m.V_threshold_mV = -54;
  m.Delta_V_mV = 0.8;
  m.eta_nA = {{0.04, 5}, {0.01, 25}, {0.003, 150}};
  m.gamma_mV = {{4, 10}, {2, 50}, {0, 250}};
  m.dendrite = p.dendrite;
  m.dendrite->spike_coupling_uS = 0.012;
  m.dendrite->spike_E_mV = -50;
  return m;
}

/// Excitatory events through conductances at the dendrite and inhibitory ones there or at the soma, by small explicit
/// steps: independent of the code under test.
GifSweep recording(const network::GifModel& m, double rate_hz, std::uint64_t entity, bool inhibition_at_soma = false) {
  constexpr int kFine = 40;
  constexpr std::uint64_t kSteps = 100000, kInhibition = 1ull << 40, kSpikes = 1ull << 41;
  constexpr double kEvent_uS = 0.002, kTau_e_ms = 3, kTau_i_ms = 8, kE_i_mV = -75, kMsPerS = 1000;
  const auto& d = *m.dendrite;
  GifSweep s;
  const core::RandomStream random(5, core::Purpose::test, entity);
  const double h = s.dt_ms / kFine;
  std::vector<double> eta(m.eta_nA.size()), gamma(m.gamma_mV.size());
  double V = m.E_L_mV, D = V, g_e = 0, g_i = 0, spike_ms = -1e9;
  bool counted = true;
  for (std::uint64_t k = 0; k < kSteps; ++k) {
    const double t = static_cast<double>(k) * s.dt_ms;
    if (random.uniform(k) < rate_hz * s.dt_ms / kMsPerS) g_e += kEvent_uS;
    if (random.uniform(k + kInhibition) < 0.4 * rate_hz * s.dt_ms / kMsPerS) g_i += kEvent_uS;
    s.V_mV.push_back(V);
    s.I_nA.push_back(0);
    double V_T = m.V_threshold_mV;
    for (const double x : gamma) V_T += x;
    bool held = t < spike_ms + m.t_ref_ms - 1e-9;
    const double p = 1 - std::exp(-1e-3 * s.dt_ms * m.lambda_0_Hz * std::exp((V - V_T) / m.Delta_V_mV));
    if (!held && random.uniform(k + kSpikes) < p) {
      s.spikes_ms.push_back(t);
      spike_ms = t;
      counted = false;
      held = true;
      V = m.V_reset_mV;
    }
    double G = 0, G_i = 0;
    for (int i = 0; i < kFine; ++i) {
      if (!counted && t + h * i >= spike_ms + m.t_ref_ms - 1e-9) {
        for (std::size_t j = 0; j < eta.size(); ++j) eta[j] += m.eta_nA[j].amplitude;
        for (std::size_t j = 0; j < gamma.size(); ++j) gamma[j] += m.gamma_mV[j].amplitude;
        counted = true;
      }
      double I = 0;
      for (const double x : eta) I -= x;
      const double toward_soma = held ? d.spike_coupling_uS * (d.spike_E_mV - D) : d.coupling_uS * (V - D);
      const double inhibition = -g_i * ((inhibition_at_soma ? V : D) - kE_i_mV);
      const double dV =
          -m.g_L_uS * (V - m.E_L_mV) + d.coupling_uS * (D - V) + I + (inhibition_at_soma ? inhibition : 0);
      D += h / d.C_nF * (-d.g_L_uS * (D - m.E_L_mV) + toward_soma - g_e * D + (inhibition_at_soma ? 0 : inhibition));
      if (!held) V += h / m.C_m_nF * dV;
      G += g_e / kFine;
      G_i += g_i / kFine;
      g_e *= 1 - h / kTau_e_ms;
      g_i *= 1 - h / kTau_i_ms;
      for (std::size_t j = 0; j < eta.size(); ++j) eta[j] *= 1 - h / m.eta_nA[j].tau_ms;
      for (std::size_t j = 0; j < gamma.size(); ++j) gamma[j] *= 1 - h / m.gamma_mV[j].tau_ms;
    }
    s.G_uS.push_back(inhibition_at_soma ? G : G + G_i);
    s.GE_nA.push_back(inhibition_at_soma ? 0 : G_i * kE_i_mV);
    if (!inhibition_at_soma) continue;
    s.G_soma_uS.push_back(G_i);
    s.I_nA.back() += G_i * kE_i_mV;
  }
  return s;
}

TEST(GifFit, ConductancesAtTheSomaOfACellWithADendriteActThere) {
  const network::GifModel m = truth();
  GifFitOptions options;
  options.passive = two_compartments();
  std::vector<GifSweep> training, test;
  for (const double rate_hz : {900.0, 1500.0}) {
    training.push_back(recording(m, rate_hz, training.size(), true));
    test.push_back(recording(m, rate_hz, 50 + test.size(), true));
  }
  EXPECT_LT(evaluate_gif(m, test, options).voltage_rms_error_mV, 0.05);
  const GifFit fit = fit_gif(training, options);
  EXPECT_LT(evaluate_gif(fit.model, test, options).voltage_rms_error_mV, 0.1);
  const GifPrediction p = predict_gif(m, test, 200, 10, 3);
  EXPECT_NEAR(p.coincidence, p.self_coincidence, 0.05);
  // As if they were in the dendrite.
  for (GifSweep& sweep : test) {
    for (std::size_t k = 0; k < sweep.V_mV.size(); ++k) {
      sweep.G_uS[k] += sweep.G_soma_uS[k];
      std::swap(sweep.GE_nA[k], sweep.I_nA[k]);
    }
    sweep.G_soma_uS.clear();
  }
  EXPECT_GT(evaluate_gif(m, test, options).voltage_rms_error_mV, 0.2);
}

TEST(GifFit, WhatASpikeDoesToTheDendriteIsRecovered) {
  const network::GifModel m = truth();
  std::vector<GifSweep> training, test;
  for (const double rate_hz : {500.0, 800.0, 1100.0, 1500.0}) {
    training.push_back(recording(m, rate_hz, training.size()));
    test.push_back(recording(m, rate_hz, 50 + test.size()));
  }
  GifFitOptions options;
  options.passive = two_compartments();
  const GifFit fit = fit_gif(training, options);
  ASSERT_GT(fit.training.spikes, 150u);
  ASSERT_TRUE(fit.model.dendrite.has_value());
  EXPECT_NEAR(fit.model.dendrite->spike_coupling_uS, 0.012, 0.0012);
  EXPECT_NEAR(fit.model.dendrite->spike_E_mV, -50, 2);
  for (std::size_t j = 0; j < m.eta_nA.size(); ++j) {
    EXPECT_NEAR(fit.model.eta_nA[j].amplitude, m.eta_nA[j].amplitude, 0.003) << j;
  }
  EXPECT_NEAR(fit.model.Delta_V_mV, m.Delta_V_mV, 0.15);
  const GifFitQuality unseen = evaluate_gif(fit.model, test, options);
  EXPECT_LT(unseen.voltage_rms_error_mV, 0.1);
  const GifPrediction p = predict_gif(fit.model, test, 200, 10, 3);
  EXPECT_NEAR(p.coincidence, p.self_coincidence, 0.05);
  EXPECT_NEAR(p.rate_model_hz / p.rate_data_hz, 1, 0.1);

  options.passive = PassiveMembrane{0.1, 0.005, kE_L_mV};
  EXPECT_GT(evaluate_gif(fit_gif(training, options).model, test, options).voltage_rms_error_mV, 0.3);
}

}  // namespace
}  // namespace triscale::bridges

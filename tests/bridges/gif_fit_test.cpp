#include "bridges/gif/gif_fit.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "core/error.hpp"
#include "core/random.hpp"

namespace triscale::bridges {
namespace {

network::GifModel known_model() {
  network::GifModel m;
  m.C_m_nF = 0.1;
  m.g_L_uS = 0.005;
  m.E_L_mV = -72;
  m.V_reset_mV = -62;
  m.t_ref_ms = 4;
  m.V_threshold_mV = -50;
  m.Delta_V_mV = 1.5;
  m.eta_nA = {{0.08, 5}, {0.02, 25}, {0.004, 150}};
  m.gamma_mV = {{4, 10}, {2, 50}, {1, 250}};
  return m;
}

/// Ornstein-Uhlenbeck current of 3 ms and, if asked, a fluctuating inhibitory conductance with reversal -75 mV.
GifSweep drive(double mean_nA, double sd_nA, double duration_ms, std::uint64_t entity, bool conductance = false) {
  GifSweep s;
  s.dt_ms = 0.1;
  const core::RandomStream random(7, core::Purpose::test, entity);
  const double a = std::exp(-s.dt_ms / 3.0);
  double x = 0, y = 0;
  for (std::uint64_t k = 0; k < static_cast<std::uint64_t>(duration_ms / s.dt_ms); ++k) {
    x = a * x + std::sqrt(1 - a * a) * random.normal(2 * k);
    y = a * y + std::sqrt(1 - a * a) * random.normal(2 * k + 1);
    const double g = conductance ? std::abs(0.003 * y) : 0.0;
    s.I_nA.push_back(mean_nA + sd_nA * x + g * -75.0);
    if (conductance) s.G_uS.push_back(g);
  }
  return s;
}

/// Runs the known model and records V, written independently of the code under test: forward Euler, ten times finer.
void record(const network::GifModel& m, GifSweep& s, std::uint64_t seed) {
  const core::RandomStream random(seed, core::Purpose::test, 99);
  constexpr int kFine = 10;
  const double h = s.dt_ms / kFine;
  std::vector<double> eta(m.eta_nA.size(), 0.0), gamma(m.gamma_mV.size(), 0.0);
  double V = m.E_L_mV, spike_ms = -1e9;
  bool started = true;
  for (std::size_t k = 0; k < s.I_nA.size(); ++k) {
    const double t = static_cast<double>(k) * s.dt_ms;
    double V_T = m.V_threshold_mV;
    for (const double g : gamma) V_T += g;
    bool held = t < spike_ms + m.t_ref_ms - 1e-9;
    s.V_mV.push_back(V);
    if (!held && random.uniform(k) < 1 - std::exp(-1e-3 * s.dt_ms * std::exp((V - V_T) / m.Delta_V_mV))) {
      s.spikes_ms.push_back(t);
      spike_ms = t;
      started = false;
      held = true;
      V = m.V_reset_mV;
    }
    for (int i = 0; i < kFine; ++i) {
      const double now = t + h * i;
      if (!started && now >= spike_ms + m.t_ref_ms - 1e-9) {
        for (std::size_t j = 0; j < eta.size(); ++j) eta[j] += m.eta_nA[j].amplitude;
        for (std::size_t j = 0; j < gamma.size(); ++j) gamma[j] += m.gamma_mV[j].amplitude;
        started = true;
      }
      double I = s.I_nA[k] - (s.G_uS.empty() ? 0.0 : s.G_uS[k] * V);
      for (const double e : eta) I -= e;
      if (!held) V += h / m.C_m_nF * (-m.g_L_uS * (V - m.E_L_mV) + I);
      for (std::size_t j = 0; j < eta.size(); ++j) eta[j] *= 1 - h / m.eta_nA[j].tau_ms;
      for (std::size_t j = 0; j < gamma.size(); ++j) gamma[j] *= 1 - h / m.gamma_mV[j].tau_ms;
    }
  }
}

std::vector<GifSweep> recordings(std::uint64_t first, bool conductance) {
  std::vector<GifSweep> out;
  const double raise = conductance ? 0.07 : 0.0;
  for (const double mean : {0.12, 0.18, 0.25}) {
    out.push_back(drive(mean + raise, 0.1, 10000, first + out.size(), conductance));
    record(known_model(), out.back(), first + 50 + out.size());
  }
  return out;
}

double kernel(const std::vector<network::ExponentialKernel>& kernels, double t_ms) {
  double sum = 0;
  for (const auto& k : kernels) sum += k.amplitude * std::exp(-t_ms / k.tau_ms);
  return sum;
}

class GifFitRecovery : public testing::TestWithParam<bool> {};

TEST_P(GifFitRecovery, RecoversTheParametersOfAKnownModel) {
  const std::vector<GifSweep> training = recordings(1, GetParam());
  GifFitOptions options;
  options.draws = 12;
  const GifFit fit = fit_gif(training, options);
  const std::map<std::string, double> error = spread_of(bootstrap_gif(fit.model, training, options));
  const network::GifModel truth = known_model();
  EXPECT_NEAR(fit.model.C_m_nF, truth.C_m_nF, 0.002);
  EXPECT_NEAR(fit.model.g_L_uS, truth.g_L_uS, 0.0002);
  EXPECT_NEAR(fit.model.E_L_mV, truth.E_L_mV, 0.3);
  EXPECT_NEAR(fit.model.V_reset_mV, truth.V_reset_mV, 0.05);
  // The standard deviation of twelve draws is itself known to a fifth.
  EXPECT_NEAR(fit.model.Delta_V_mV, truth.Delta_V_mV, 4 * error.at("Delta_V_mV"));
  EXPECT_NEAR(fit.model.V_threshold_mV, truth.V_threshold_mV, 4 * error.at("V_threshold_mV"));
  EXPECT_LT(error.at("Delta_V_mV"), 0.2);
  EXPECT_LT(error.at("V_threshold_mV"), 1);
  EXPECT_GT(error.at("V_threshold_mV"), 0.05);
  EXPECT_NEAR(fit.model.gamma_mV[0].amplitude, truth.gamma_mV[0].amplitude, 4 * error.at("gamma_10ms_mV"));
  EXPECT_NEAR(fit.model.gamma_mV[1].amplitude, truth.gamma_mV[1].amplitude, 4 * error.at("gamma_50ms_mV"));
  EXPECT_NEAR(fit.model.gamma_mV[2].amplitude, truth.gamma_mV[2].amplitude, 4 * error.at("gamma_250ms_mV"));
  for (const double t : {1.0, 10.0, 50.0, 200.0}) {
    EXPECT_NEAR(kernel(fit.model.eta_nA, t), kernel(truth.eta_nA, t), 0.05 * kernel(truth.eta_nA, 0)) << t;
  }
  EXPECT_GT(fit.training.variance_explained_V, 0.999);
  EXPECT_GT(fit.training.spikes, 300u);
}

TEST_P(GifFitRecovery, PredictsUnseenInputAsWellAsTheTruth) {
  const std::vector<GifSweep> training = recordings(1, GetParam());
  const std::vector<GifSweep> test = recordings(1000, GetParam());
  GifFitOptions options;
  const GifFit fit = fit_gif(training, options);
  const GifFitQuality unseen = evaluate_gif(fit.model, test, options);
  const GifFitQuality best = evaluate_gif(known_model(), test, options);
  EXPECT_GT(best.bits_per_spike, 1.0);
  EXPECT_GT(unseen.bits_per_spike, best.bits_per_spike - 0.05);
  EXPECT_GT(unseen.variance_explained_V, 0.999);
  const GifPrediction predicted = predict_gif(fit.model, test, 500, 8, 3);
  const GifPrediction ideal = predict_gif(known_model(), test, 500, 8, 3);
  EXPECT_NEAR(predicted.coincidence, ideal.coincidence, 0.03);
  EXPECT_NEAR(predicted.rate_model_hz / predicted.rate_data_hz, 1.0, 0.1);
  EXPECT_NEAR(predicted.cv_model, predicted.cv_data, 0.1);
}

INSTANTIATE_TEST_SUITE_P(Input, GifFitRecovery, testing::Values(false, true),
                         [](const auto& tested) { return tested.param ? "conductance" : "current"; });

TEST(GifFit, MatchesTheRateOfTheDataByMovingTheThreshold) {
  const std::vector<GifSweep> training = recordings(1, false);
  network::GifModel model = known_model();
  model.V_threshold_mV += 2;
  EXPECT_NEAR(match_rate(model, training, 500, 1), -2, 0.3);
}

TEST(GifFit, KeepsAGivenPassiveMembrane) {
  const std::vector<GifSweep> training = recordings(1, false);
  GifFitOptions options;
  options.passive = PassiveMembrane{0.1, 0.005, -72};
  const GifFit fit = fit_gif(training, options);
  EXPECT_DOUBLE_EQ(fit.model.C_m_nF, 0.1);
  EXPECT_DOUBLE_EQ(fit.model.g_L_uS, 0.005);
  EXPECT_DOUBLE_EQ(fit.model.E_L_mV, -72);
  EXPECT_NEAR(kernel(fit.model.eta_nA, 0), kernel(known_model().eta_nA, 0), 0.01);
}

TEST(GifFit, LogLikelihoodIsHigherAtTheFitThanBesideIt) {
  const std::vector<GifSweep> training = recordings(1, false);
  GifFitOptions options;
  const GifFit fit = fit_gif(training, options);
  for (const double factor : {0.95, 1.05}) {
    network::GifModel beside = fit.model;
    beside.Delta_V_mV *= factor;
    EXPECT_LT(evaluate_gif(beside, training, options).bits_per_spike, fit.training.bits_per_spike);
    beside = fit.model;
    beside.V_threshold_mV += 10 * (factor - 1);
    EXPECT_LT(evaluate_gif(beside, training, options).bits_per_spike, fit.training.bits_per_spike);
    beside = fit.model;
    beside.gamma_mV[1].amplitude *= factor;
    EXPECT_LT(evaluate_gif(beside, training, options).bits_per_spike, fit.training.bits_per_spike);
  }
}

TEST(GifFit, CoincidenceIsOneForATrainWithItselfAndNearChanceForAnother) {
  network::GifModel deterministic = known_model();
  deterministic.Delta_V_mV = 0;
  GifSweep test = drive(0.2, 0.1, 10000, 5);
  test.V_mV.assign(test.I_nA.size(), deterministic.E_L_mV);
  test.spikes_ms = simulate_gif(deterministic, test, deterministic.E_L_mV, 1, 0);
  ASSERT_GT(test.spikes_ms.size(), 20u);
  const GifPrediction same = predict_gif(deterministic, std::span(&test, 1), 0, 3, 1);
  EXPECT_NEAR(same.coincidence, 1.0, 1e-12);
  EXPECT_DOUBLE_EQ(same.rate_model_hz, same.rate_data_hz);
  GifSweep other = drive(0.2, 0.1, 10000, 6);
  other.V_mV = test.V_mV;
  other.spikes_ms = test.spikes_ms;
  EXPECT_LT(predict_gif(deterministic, std::span(&other, 1), 0, 3, 1).coincidence, 0.4);
}

TEST(GifFit, LeavesOutDepolarisationBlockOnly) {
  GifSweep sweep = drive(0.2, 0.1, 5000, 5);
  record(known_model(), sweep, 1);
  ASSERT_GT(sweep.spikes_ms.size(), 10u);
  EXPECT_EQ(leave_out_depolarisation_block(std::span(&sweep, 1)), 0);
  for (std::size_t k = 20000; k < 21000; ++k) sweep.V_mV[k] = -30;
  std::vector<double> spikes;
  for (const double t : sweep.spikes_ms) {
    if (t < 1999 || t > 2100) spikes.push_back(t);
  }
  sweep.spikes_ms = spikes;
  EXPECT_NEAR(leave_out_depolarisation_block(std::span(&sweep, 1)), 0.14 / 5, 0.002);
  EXPECT_EQ(sweep.left_out[20500], 1);
  EXPECT_EQ(sweep.left_out[19000], 0);
  EXPECT_EQ(sweep.left_out[22000], 0);
}

TEST(GifFit, RefusesARecordingWithoutSpikes) {
  GifSweep sweep = drive(0, 0.01, 1000, 5);
  record(known_model(), sweep, 1);
  EXPECT_THROW(fit_gif(std::span(&sweep, 1), {}), core::InputError);
  sweep.I_nA.pop_back();
  EXPECT_THROW(fit_gif(std::span(&sweep, 1), {}), core::InputError);
}

}  // namespace
}  // namespace triscale::bridges

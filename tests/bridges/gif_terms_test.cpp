// Terms of the GIF neuron beyond the published model: fitted where they are, left out where they are not.
#include "bridges/gif/gif_terms.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "bridges/point/training_cells.hpp"
#include "core/random.hpp"

namespace triscale::bridges {
namespace {

network::GifModel published() {
  network::GifModel m;
  m.C_m_nF = 0.1;
  m.g_L_uS = 0.005;
  m.E_L_mV = -72;
  m.V_reset_mV = -62;
  m.t_ref_ms = 4;
  m.V_threshold_mV = -50;
  m.Delta_V_mV = 1;
  m.eta_nA = {{0.08, 5}, {0.02, 25}, {0.004, 150}};
  m.gamma_mV = {{4, 10}, {2, 50}, {1, 250}};
  return m;
}

network::GifModel with_terms() {
  network::GifModel m = published();
  m.currents = {{0.004, -64, 0}, {0.006, -56, 0}, {0.004, -62, 60}};
  m.eta_uS = {{0.006, 10}};
  m.threshold_follows = {{0.3, -62, 10}};
  m.V_filter_ms = 1;
  return m;
}

double above(double V, double edge) {
  return std::max(0.0, V - edge);
}

/// What a model does under fluctuating current, by small explicit steps: independent of the code under test.
GifSweep recording(const network::GifModel& m, double mean_nA, std::uint64_t entity, double duration_ms = 12000) {
  constexpr int kFine = 20;
  GifSweep s;
  s.dt_ms = 0.1;
  const core::RandomStream random(11, core::Purpose::test, entity);
  const double keep = std::exp(-s.dt_ms / 5), h = s.dt_ms / kFine;
  std::vector<double> eta(m.eta_nA.size()), g(m.eta_uS.size()), gamma(m.gamma_mV.size()), w, theta;
  double V = m.E_L_mV, F = V, x = 0, spike_ms = -1e9;
  for (const auto& c : m.currents) w.push_back(c.g_uS * above(V, c.above_mV));
  for (const auto& t : m.threshold_follows) theta.push_back(t.slope * above(V, t.above_mV));
  bool started = true;
  for (std::uint64_t k = 0; k < static_cast<std::uint64_t>(duration_ms / s.dt_ms); ++k) {
    const double t = static_cast<double>(k) * s.dt_ms;
    x = keep * x + std::sqrt(1 - keep * keep) * random.normal(k);
    s.I_nA.push_back(mean_nA + 0.12 * x);
    s.V_mV.push_back(V);
    double V_T = m.V_threshold_mV;
    for (const double rise : gamma) V_T += rise;
    for (const double rise : theta) V_T += rise;
    bool held = t < spike_ms + m.t_ref_ms - 1e-9;
    const double seen = m.V_filter_ms > 0 ? F : V;
    const double p = 1 - std::exp(-1e-3 * s.dt_ms * std::exp((seen - V_T) / m.Delta_V_mV));
    if (!held && random.uniform(k + (1ull << 40)) < p) {
      s.spikes_ms.push_back(t);
      spike_ms = t;
      started = false;
      held = true;
      V = F = m.V_reset_mV;
    }
    for (int i = 0; i < kFine; ++i) {
      if (!started && t + h * i >= spike_ms + m.t_ref_ms - 1e-9) {
        for (std::size_t j = 0; j < eta.size(); ++j) eta[j] += m.eta_nA[j].amplitude;
        for (std::size_t j = 0; j < g.size(); ++j) g[j] += m.eta_uS[j].amplitude;
        for (std::size_t j = 0; j < gamma.size(); ++j) gamma[j] += m.gamma_mV[j].amplitude;
        started = true;
      }
      double I = s.I_nA[k];
      for (const double e : eta) I -= e;
      for (const double G : g) I -= G * (V - m.V_reset_mV);
      for (std::size_t j = 0; j < w.size(); ++j) {
        const auto& c = m.currents[j];
        w[j] =
            c.tau_ms > 0 ? w[j] + h / c.tau_ms * (c.g_uS * above(V, c.above_mV) - w[j]) : c.g_uS * above(V, c.above_mV);
        I -= w[j];
      }
      for (std::size_t j = 0; j < theta.size(); ++j) {
        const auto& c = m.threshold_follows[j];
        theta[j] += h / c.tau_ms * (c.slope * above(V, c.above_mV) - theta[j]);
      }
      if (m.V_filter_ms > 0) F += h / m.V_filter_ms * (V - F);
      if (!held) V += h / m.C_m_nF * (-m.g_L_uS * (V - m.E_L_mV) + I);
      for (std::size_t j = 0; j < eta.size(); ++j) eta[j] *= 1 - h / m.eta_nA[j].tau_ms;
      for (std::size_t j = 0; j < g.size(); ++j) g[j] *= 1 - h / m.eta_uS[j].tau_ms;
      for (std::size_t j = 0; j < gamma.size(); ++j) gamma[j] *= 1 - h / m.gamma_mV[j].tau_ms;
    }
  }
  return s;
}

std::vector<GifSweep> recordings(const network::GifModel& m, std::uint64_t first) {
  std::vector<GifSweep> out;
  const double strong = m.currents.empty() ? 1 : 1.6;  // the currents are outward
  for (const double mean_nA : {0.15 * strong, 0.2 * strong, 0.28 * strong, 0.36 * strong})
    out.push_back(recording(m, mean_nA, first + out.size()));
  return out;
}

GifFitOptions given_membrane() {
  GifFitOptions options;
  options.passive = PassiveMembrane{0.1, 0.005, -72};
  return options;
}

TEST(GifTerms, CurrentsConductancesOfSpikesAndAFollowingThresholdAreRecoveredWhereTheyAre) {
  const network::GifModel truth = with_terms();
  const std::vector<GifSweep> training = recordings(truth, 0), test = recordings(truth, 50);
  GifFitOptions options = given_membrane();
  options.currents = truth.currents;
  options.threshold_follows = truth.threshold_follows;
  options.V_filter_ms = truth.V_filter_ms;
  options.eta_conductance_tau_ms = {truth.eta_uS[0].tau_ms};
  const GifFit fit = fit_gif(training, options);
  ASSERT_GT(fit.training.spikes, 150u);
  for (std::size_t j = 0; j < truth.currents.size(); ++j) {
    EXPECT_NEAR(fit.model.currents[j].g_uS, truth.currents[j].g_uS, 0.1 * truth.currents[j].g_uS) << j;
  }
  EXPECT_NEAR(fit.model.eta_uS[0].amplitude, 0.006, 0.0006);
  EXPECT_NEAR(fit.model.threshold_follows[0].slope, 0.3, 0.1);
  EXPECT_NEAR(fit.model.Delta_V_mV, truth.Delta_V_mV, 0.15);
  const GifFitQuality best = evaluate_gif(truth, test, options), unseen = evaluate_gif(fit.model, test, options);
  EXPECT_LT(best.voltage_rms_error_mV, 0.03);
  EXPECT_LT(unseen.voltage_rms_error_mV, 0.1);
  EXPECT_GT(unseen.bits_per_spike, best.bits_per_spike - 0.1);
}

TEST(GifTerms, AConductanceThatWouldHaveToBeNegativeIsZeroAndChangesNothingElse) {
  network::GifModel truth = published();
  truth.eta_uS = {{-0.002, 10}};
  const std::vector<GifSweep> training = recordings(truth, 0);
  const GifFitOptions without = given_membrane();
  GifFitOptions with = without;
  with.eta_conductance_tau_ms = {10};
  const GifFit best = fit_gif(training, without);
  with.start = best.model;
  with.start->eta_uS = {{0.004, 10}};  // the search comes from the other side
  const GifFit bounded = fit_gif(training, with);
  EXPECT_EQ(bounded.model.eta_uS.at(0).amplitude, 0);
  for (std::size_t j = 0; j < best.model.eta_nA.size(); ++j) {
    EXPECT_NEAR(bounded.model.eta_nA[j].amplitude, best.model.eta_nA[j].amplitude, 1e-4) << j;
  }
}

TEST(GifTerms, AFitThatBeginsAtAnotherModelEndsWhereOneFromNothingDoes) {
  const std::vector<GifSweep> training = recordings(with_terms(), 0);
  GifFitOptions options = given_membrane();
  options.currents = with_terms().currents;
  const GifFit first = fit_gif(training, options);
  options.eta_conductance_tau_ms = {10};
  const GifFit from_nothing = fit_gif(training, options);
  options.start = first.model;
  const GifFit from_there = fit_gif(training, options);
  EXPECT_NEAR(from_there.model.eta_uS[0].amplitude, from_nothing.model.eta_uS[0].amplitude, 1e-4);
  EXPECT_NEAR(from_there.training.voltage_rms_error_mV, from_nothing.training.voltage_rms_error_mV, 1e-3);
  EXPECT_NEAR(from_there.training.bits_per_spike, from_nothing.training.bits_per_spike, 0.01);
}

TEST(GifTerms, AModelCoincidesWithDataOfItsOwnAsItsNoiseAllows) {
  const network::GifModel truth = with_terms();
  const std::vector<GifSweep> test = recordings(truth, 50);
  const GifPrediction p = predict_gif(truth, test, 500, 10, 3);
  EXPECT_LT(p.self_coincidence, 0.95);
  EXPECT_NEAR(p.coincidence, p.self_coincidence, 0.05);
}

TEST(GifTerms, ArePickedWhereTheCellHasThemAndPredictUnseenInputBetter) {
  const std::vector<GifSweep> training = recordings(with_terms(), 0), test = recordings(with_terms(), 50);
  const GifTermsFit chosen = fit_gif_with_terms(training, given_membrane());
  EXPECT_FALSE(chosen.fit.model.currents.empty());
  EXPECT_FALSE(chosen.fit.model.eta_uS.empty());
  EXPECT_GT(chosen.fit.model.V_filter_ms, 0);
  const GifFit plain = fit_gif(training, given_membrane());
  const GifFitQuality with = evaluate_gif(chosen.fit.model, test, chosen.options),
                      without = evaluate_gif(plain.model, test, given_membrane());
  EXPECT_GT(with.bits_per_spike, without.bits_per_spike + 0.2);
  EXPECT_LT(with.voltage_rms_error_mV, 0.5 * without.voltage_rms_error_mV);
}

TEST(GifTerms, AreLeftOutWhereTheCellHasNone) {
  std::vector<GifSweep> training;  // as many as a derivation has
  for (std::uint64_t first = 0; first < 16; first += 4) {
    for (GifSweep& sweep : recordings(published(), first)) training.push_back(std::move(sweep));
  }
  const GifTermsFit chosen = fit_gif_with_terms(training, given_membrane());
  EXPECT_TRUE(chosen.fit.model.currents.empty());
  EXPECT_TRUE(chosen.fit.model.eta_uS.empty());
  EXPECT_TRUE(chosen.fit.model.threshold_follows.empty());
  EXPECT_EQ(chosen.fit.model.V_filter_ms, 0);
  ASSERT_EQ(chosen.notes.size(), 6u);  // the published model and five terms
  for (std::size_t k = 1; k < 6; ++k) {
    EXPECT_NE(chosen.notes[k].find("left out"), std::string::npos) << chosen.notes[k];
  }
}

// ------------------------------------------------------------------------------------------------ training cells ----

TEST(TrainingCells, AreSpreadFromTheLeastToTheMostDriven) {
  network::Circuit c;
  c.run.duration_ms = 1000;
  c.cell_types.resize(1);
  network::Population cells, sources;
  cells.name = "cells";
  cells.size = 40;
  sources.name = "sources";
  sources.size = 40;
  sources.is_virtual = true;
  sources.source = network::PoissonTrains{{0.0}, {10.0}};
  c.populations = {cells, sources};
  network::SynapseType excitatory, inhibitory;
  excitatory.name = "excitatory";
  excitatory.point = network::PointSynapse{{{0, 5, 0}}, {}};
  inhibitory.name = "inhibitory";
  inhibitory.point = network::PointSynapse{{{0, 5, -75}}, {}};
  c.synapse_types = {excitatory, inhibitory};
  // Cell i has 7 i mod 40 excitatory synapses; cell 17, the 40th by number of these, has strong inhibition too.
  network::ExplicitEdges e, i;
  for (std::uint32_t cell = 0; cell < 40; ++cell) {
    for (std::uint32_t k = 0; k < 7 * cell % 40; ++k) {
      e.sources.push_back(k);
      e.targets.push_back(cell);
      e.weights.push_back(0.001);
      e.delays_ms.push_back(1);
    }
  }
  i = {{0}, {17}, {1.0}, {1.0}, {}};
  for (std::size_t k = 0; k < 2; ++k) {
    network::Projection p;
    p.name = k == 0 ? "e" : "i";
    p.source = 1;
    p.target = 0;
    p.synapse_type = k;
    p.connectivity = k == 0 ? e : i;
    c.projections.push_back(p);
  }
  ASSERT_EQ(largest_population(c, 0), 0u);
  const auto ranked = cells_by_drive(c, 0, {0, 0}, c.synapse_types, {0.1, 0.005, -80});
  ASSERT_EQ(ranked.size(), 40u);
  const auto excitation = [](std::uint32_t cell) { return 7 * cell % 40; };
  std::vector<std::uint32_t> rest;
  for (const std::uint32_t cell : ranked) {
    if (cell != 17) rest.push_back(cell);
  }
  for (std::size_t k = 1; k < rest.size(); ++k) EXPECT_GT(excitation(rest[k]), excitation(rest[k - 1]));
  EXPECT_LT(std::find(ranked.begin(), ranked.end(), 17u) - ranked.begin(), 39);

  const auto training = spread_over(ranked, 16, 0), test = spread_over(ranked, 16, 1);
  EXPECT_EQ(training.size(), 16u);
  EXPECT_TRUE(std::is_sorted(training.begin(), training.end()));
  EXPECT_NE(std::find(training.begin(), training.end(), ranked.front()), training.end());
  EXPECT_NE(std::find(training.begin(), training.end(), ranked.back()), training.end());
  for (const std::uint32_t cell : test) EXPECT_EQ(std::find(training.begin(), training.end(), cell), training.end());
  EXPECT_EQ(spread_over(ranked, 100, 0).size(), 40u);
}

TEST(TrainingCells, SpikesAfterTheEndOfTheRunDoNotCountForTheRateOfASource) {
  network::Circuit circuit;
  circuit.run.duration_ms = 1000;
  circuit.populations.resize(1);
  circuit.populations[0].size = 2;
  circuit.populations[0].is_virtual = true;
  circuit.populations[0].source = network::SpikeTrains{{100, 200, 700, 1500, 2500}, {0, 1, 0, 1, 0}};
  EXPECT_DOUBLE_EQ(source_rate_hz(circuit, 0), 1.5);
  circuit.populations[0].source = network::PoissonTrains{{0, 500}, {4, 10}};
  EXPECT_DOUBLE_EQ(source_rate_hz(circuit, 0), 7);
}

}  // namespace
}  // namespace triscale::bridges

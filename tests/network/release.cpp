// The release rule against an integration of its equations that shares no formula with it, and against NEURON.
#include "network/release.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/numeric/odeint.hpp>
#include <vector>

namespace triscale::network {
namespace {

const std::vector<double> kTimes{5, 12, 20, 22.5, 40, 41, 60, 140, 150, 155, 400, 405, 410, 900};

std::vector<double> released(const Release& release, const std::vector<double>& times = kTimes) {
  ReleaseState state(release);
  std::vector<double> shares;
  for (const double t : times) shares.push_back(transmit(release, state, t, 1, 0));
  return shares;
}

/// The same with the equations of the header integrated numerically, to 1e-13.
std::vector<double> integrated(const Release& r, bool fixed_p = false) {
  enum { R, p, tau, baseline, D };
  using State = std::array<double, 5>;
  State x{1, r.p_start.value_or(r.U), r.tau_recovery_ms, r.U, 1};
  const auto slope = [&r, fixed_p](const State& y, State& dy, double) {
    const auto towards = [](double goal, double value, double tau_ms) {
      return tau_ms > 0 ? (goal - value) / tau_ms : 0.0;
    };
    dy = {towards(1, y[R], y[tau]), fixed_p ? 0.0 : towards(y[baseline], y[p], r.tau_facilitation_ms),
          towards(r.tau_recovery_ms, y[tau], r.tau_speedup_ms), towards(r.U, y[baseline], r.tau_baseline_ms),
          towards(1, y[D], r.tau_desensitisation_ms)};
  };
  namespace odeint = boost::numeric::odeint;
  std::vector<double> shares;
  double now = 0;
  for (const double t : kTimes) {
    odeint::integrate_adaptive(odeint::make_controlled(1e-14, 1e-14, odeint::runge_kutta_dopri5<State>()), slope, x,
                               now, t, 0.01);
    now = t;
    shares.push_back(x[R] * x[p] * x[D]);
    x[R] -= x[R] * x[p];
    if (!fixed_p) x[p] += r.facilitation.value_or(r.U) * (1 - x[p]);
    x[tau] -= r.recovery_speedup * x[tau];
    x[D] -= r.desensitisation * x[p] * x[R] * x[D];
    x[baseline] -= r.baseline_drop * x[baseline];
  }
  return shares;
}

void expect_near(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t k = 0; k < a.size(); ++k) EXPECT_NEAR(a[k], b[k], tolerance) << "event " << k;
}

/// What the SONATA reader makes of BMTK's stp2syn, stp3syn and stp5syn.
Release stp2() {
  Release r{0.4, 500, 0, 0};
  r.recovery_speedup = 0.5;
  r.tau_speedup_ms = 800;
  return r;
}
Release stp3() {
  Release r{0.6, 200, 0, 0};
  r.recovery_speedup = 0.5;
  r.tau_speedup_ms = 2000;
  r.desensitisation = 0.5;
  r.tau_desensitisation_ms = 500;
  return r;
}
Release stp5() {
  Release r{0.35, 300, 10, 0};
  r.facilitation = 0.25;
  r.p_start = 1;
  r.recovery_speedup = 0.3;
  r.tau_speedup_ms = 700;
  r.desensitisation = 0.4;
  r.tau_desensitisation_ms = 100;
  r.baseline_drop = 0.2;
  r.tau_baseline_ms = 100;
  return r;
}

TEST(ReleaseRule, IsTheExactSolutionOfItsEquations) {
  expect_near(released({0.3, 250, 90, 0}), integrated({0.3, 250, 90, 0}), 1e-11);
  expect_near(released(stp2()), integrated(stp2(), true), 1e-11);
  expect_near(released(stp3()), integrated(stp3(), true), 1e-11);
  expect_near(released(stp5()), integrated(stp5()), 1e-11);
}

TEST(ReleaseRule, IsExactForAnyOrderOfItsTimeConstants) {
  for (const double tau_baseline_ms : {1e-3, 3.0, 9.999999, 10.0, 10.000001, 2e4}) {
    Release r = stp5();
    r.tau_baseline_ms = tau_baseline_ms;
    if (tau_baseline_ms > 0.1) expect_near(released(r), integrated(r), 1e-11);
    for (const double share : released(r)) {
      EXPECT_GT(share, 0) << tau_baseline_ms;
      EXPECT_LE(share, 1) << tau_baseline_ms;
    }
  }
  Release without_memory = stp5();  // p is its baseline at once
  without_memory.tau_facilitation_ms = 0;
  Release nearly = without_memory;
  nearly.tau_facilitation_ms = 1e-7;
  nearly.facilitation = 0;
  without_memory.facilitation.reset();
  without_memory.p_start.reset();
  without_memory.desensitisation = nearly.desensitisation = 0;
  expect_near(released(without_memory), released(nearly), 1e-8);
}

TEST(ReleaseRule, SynapsesOfBmtkReleaseWhatNeuronSays) {
  // NEURON 8.2.2 with the published mechanisms: what the weight was multiplied with at each event, extrapolated to dt =
  // 0 from 0.0025 and 0.00125 ms, because they hold rates over a step and the state of stp2syn and stp5syn is a step
  // behind (at 0.025 ms they are up to 1e-3 away). The values have nine digits.
  constexpr double kDigits = 1e-8;
  expect_near(released(stp2()),
              {0.4, 0.244398967, 0.161996316, 0.108523517, 0.188762959, 0.126048599, 0.29965552, 0.386239207,
               0.277214363, 0.220794984, 0.397506032, 0.249480277, 0.180841529, 0.398016863},
              kDigits);
  expect_near(released(stp3()),
              {0.6, 0.233022504, 0.149248868, 0.0975827739, 0.35651758, 0.169229095, 0.416705259, 0.405745571,
               0.324099195, 0.278777534, 0.411481506, 0.217609881, 0.21879136, 0.492926022},
              kDigits);
  expect_near(released(stp5()),
              {0.744244924, 0.140534219, 0.0662392418, 0.0518547073, 0.056936599, 0.0725535194, 0.0791314798,
               0.195129029, 0.178079582, 0.158715687, 0.318942207, 0.238222408, 0.152914758, 0.346364452},
              kDigits);
}

TEST(ReleaseRule, StochasticSitesFollowTheDeterministicMeanWithEveryPresynapticProcess) {
  Release mean = stp5(), stochastic = stp5();
  mean.desensitisation = stochastic.desensitisation = 0;
  stochastic.sites = 3;
  const std::vector<double> expected = released(mean);
  std::vector<double> sum(kTimes.size(), 0.0);
  constexpr int kSynapses = 40000;
  for (int s = 0; s < kSynapses; ++s) {
    ReleaseState state(stochastic);
    for (std::size_t k = 0; k < kTimes.size(); ++k) {
      sum[k] += transmit(stochastic, state, kTimes[k], 5, release_entity(1, static_cast<std::size_t>(s)));
    }
  }
  for (std::size_t k = 0; k < kTimes.size(); ++k) {
    const double p = expected[k];
    EXPECT_NEAR(sum[k] / kSynapses, p, 4.5 * std::sqrt(p * (1 - p) / 3 / kSynapses)) << k;
  }
}

TEST(ReleaseRule, MeanReleaseIsTheMeanUnderManyEventsWithinItsMemory) {
  Release r{0.02, 900, 700, 0};
  r.facilitation = 0.004;
  r.recovery_speedup = 0.005;
  r.tau_speedup_ms = 1000;
  r.baseline_drop = 0.003;
  r.tau_baseline_ms = 800;
  r.desensitisation = 0.3;
  r.tau_desensitisation_ms = 1200;
  const double rate_hz = 400;
  ReleaseState state(r);
  double share = 0;
  for (int k = 1; k < 8000; ++k) share = transmit(r, state, 1000 / rate_hz * k, 1, 0);
  EXPECT_NEAR(share / mean_release(r, rate_hz), 1, 0.02);
  EXPECT_LT(share, 0.02 / 3);  // of U: the processes matter
  EXPECT_NEAR(mean_release(r, 0), 0.02, 1e-15);
}

}  // namespace
}  // namespace triscale::network

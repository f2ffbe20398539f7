// Verdicts on signals: agreement, a wrong amplitude, an unrelated signal, a wrong spectrum.
#include "bridges/checks/signal_checks.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>

#include "core/random.hpp"

namespace triscale::bridges {
namespace {

constexpr double kDuration_ms = 10000;

network::Circuit probed_circuit() {
  network::Circuit circuit;
  network::FieldProbe probe;
  probe.name = "lfp";
  probe.signal = network::CurrentDipole{};
  circuit.field_probes = {probe};
  return circuit;
}

/// Two channels of smoothed noise; channel 1 is a tenth as large.
measure::Signal noise(std::uint64_t entity, double tau_ms = 5) {
  core::RandomStream random(1, core::Purpose::test, entity);
  measure::Signal signal{"lfp", 2, 0, 1, {}};
  const double keep = std::exp(-1 / tau_ms), kick = std::sqrt(1 - keep * keep);
  double x = 0;
  for (std::size_t k = 0; k < static_cast<std::size_t>(kDuration_ms); ++k) {
    x = keep * x + kick * random.next_normal();
    signal.values.push_back(static_cast<float>(x));
    signal.values.push_back(static_cast<float>(0.1 * x));
  }
  return signal;
}

/// The verdicts by statistic.
std::map<std::string, measure::Verdict> verdicts(const measure::Signal& finer, const measure::Signal& coarser) {
  const network::Circuit circuit = probed_circuit();
  network::CircuitKernels kernels;
  kernels.probes.resize(1);
  kernels.probes[0].channels = 2;
  measure::Activity activity;
  activity.duration_ms = kDuration_ms;
  const std::vector<TierSignals> tiers = {{"detailed", true, &activity, {finer}},
                                          {"point", true, &activity, {coarser}}};
  Judge judge(kDuration_ms, {});
  const auto comparisons = check_signals(judge, circuit, kernels, tiers);
  EXPECT_EQ(comparisons.size(), 1u);
  EXPECT_EQ(comparisons[0].amplitude.size(), 2u);
  std::map<std::string, measure::Verdict> out;
  for (const measure::ConsistencyCheck& check : judge.conclude().checks) {
    EXPECT_EQ(check.population, "lfp");
    out[check.statistic] = check.verdict;
  }
  EXPECT_EQ(out.size(), 3u);
  return out;
}

using measure::Verdict;

TEST(SignalChecks, NearlyEqualSignalsAreConsistent) {
  const measure::Signal a = noise(1), b = noise(2);
  measure::Signal close = a;
  for (std::size_t i = 0; i < close.values.size(); ++i) close.values[i] += 0.2f * b.values[i];
  for (const auto& [statistic, verdict] : verdicts(a, close)) EXPECT_EQ(verdict, Verdict::consistent) << statistic;
}

TEST(SignalChecks, AWrongAmplitudeOfOneChannelIsInconsistent) {
  const measure::Signal a = noise(1);
  measure::Signal larger = a;
  for (std::size_t i = 1; i < larger.values.size(); i += 2) larger.values[i] *= 1.6f;
  auto found = verdicts(a, larger);
  EXPECT_EQ(found["signal_amplitude"], Verdict::inconsistent);
  EXPECT_EQ(found["signal_correlation"], Verdict::consistent);
  EXPECT_EQ(found["signal_spectrum"], Verdict::inconsistent);  // 4.1 dB
}

TEST(SignalChecks, AnUnrelatedSignalIsInconsistentInItsCorrelationOnly) {
  auto found = verdicts(noise(1), noise(2));
  EXPECT_EQ(found["signal_correlation"], Verdict::inconsistent);
  EXPECT_EQ(found["signal_amplitude"], Verdict::consistent);
}

TEST(SignalChecks, AnotherSpectrumOfEqualAmplitudeIsInconsistent) {
  auto found = verdicts(noise(1, 5), noise(2, 30));
  EXPECT_EQ(found["signal_spectrum"], Verdict::inconsistent);
}

}  // namespace
}  // namespace triscale::bridges

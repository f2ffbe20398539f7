// Spike-to-field kernels against the detailed tier, superposition, and the mean field's signal as an average.
#include "bridges/fields/field_kernels.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "bridges/cable/linear_tree.hpp"
#include "bridges/fields/forward_models.hpp"
#include "bridges/fields/kernel_error.hpp"
#include "bridges/fields/signal_recorder.hpp"
#include "bridges/gif/spike_response.hpp"
#include "bridges/point/cell_sample.hpp"
#include "core/random.hpp"
#include "detailed/simulate.hpp"
#include "measure/activity_recorder.hpp"
#include "tests/bridges/passive_circuit.hpp"

namespace triscale::bridges {
namespace {

/// Keeps the fields of a run.
class FieldTrace : public core::NullRecorder {
 public:
  void record_field(std::size_t probe, double t_ms, std::span<const double> values) override {
    times_ms.resize(std::max(times_ms.size(), probe + 1));
    rows.resize(times_ms.size());
    times_ms[probe].push_back(t_ms);
    rows[probe].emplace_back(values.begin(), values.end());
  }
  std::vector<std::vector<double>> times_ms;
  std::vector<std::vector<std::vector<double>>> rows;
};

FieldTrace by_kernels(const network::Circuit& circuit, const network::CircuitKernels& kernels) {
  FieldTrace trace;
  SignalRecorder recorder(circuit, kernels, trace);
  recorder.finish();
  return trace;
}

double largest(const FieldTrace& trace, std::size_t probe, std::size_t channel) {
  double most = 0;
  for (const auto& row : trace.rows[probe]) most = std::max(most, std::abs(row[channel]));
  return most;
}

TEST(LinearTree, SolvesEveryColumn) {
  const std::vector<std::int32_t> parents = {-1, 0, 0, 1, 3, 3};
  const std::vector<double> g = {0, 0.2, 0.1, 0.3, 0.15, 0.05};
  const std::vector<Complex> y(6, Complex(0.01, 0.02));
  LinearTree tree(parents, g);
  tree.factorise(y);
  std::vector<double> re(12, 0.0), im(12, 0.0);
  re[2 * 2] = 1;      // column 0: current into node 2
  im[2 * 4 + 1] = 1;  // column 1: i times current into node 4
  tree.solve(2, re, im);
  const TreeImpedance z = tree_impedance(parents, g, y, 2), w = tree_impedance(parents, g, y, 4);
  for (std::size_t n = 0; n < 6; ++n) {
    EXPECT_LT(std::abs(Complex(re[2 * n], im[2 * n]) - z.transfer_MOhm[n]), 1e-12 * std::abs(z.transfer_MOhm[n]));
    const Complex turned = Complex(0, 1) * w.transfer_MOhm[n];
    EXPECT_LT(std::abs(Complex(re[2 * n + 1], im[2 * n + 1]) - turned), 1e-12 * std::abs(turned));
  }
}

// Weights so small that the synapses are linear to 1e-4: what remains is the time step of the tier (second order) and
// the kernel's grid and highest frequency.
TEST(FieldKernels, OfPassiveCellsEqualTheFieldOfOneSpike) {
  network::Circuit circuit = passive_circuit(1e-7);
  const network::CircuitKernels kernels = kernels_at_rest(circuit);
  for (std::uint32_t source = 0; source < 4; ++source) {
    fire(circuit, {20.0}, {source});
    FieldTrace truth;
    core::NoProgress progress;
    detailed::simulate(circuit, 1, truth, progress, forward_models(circuit));
    const FieldTrace signal = by_kernels(circuit, kernels);
    for (std::size_t probe = 0; probe < 2; ++probe) {
      ASSERT_EQ(signal.times_ms[probe], truth.times_ms[probe]);
      for (std::size_t c = 0; c < truth.rows[probe][0].size(); ++c) {
        // Far from the spike the tier's field is that of single-precision sums at rest.
        const double rest = truth.rows[probe][30][c], scale = largest(signal, probe, c);
        ASSERT_GT(scale, 0);
        for (std::size_t k = 0; k < truth.rows[probe].size(); ++k) {
          // Next to a synapse the field begins with a corner, which the kernel's highest frequency rounds.
          const double tolerance = std::abs(truth.times_ms[probe][k] - 21.5) <= 1 ? 0.06 : 0.01;
          EXPECT_NEAR(signal.rows[probe][k][c], truth.rows[probe][k][c] - rest, tolerance * scale)
              << "source " << source << " probe " << probe << " channel " << c << " sample " << k;
        }
      }
    }
  }
}

// What a cell does beyond its linear self is found by subtraction: both must have the same size. Weak synapses on a
// passive cell leave nothing over, at every node, whatever the time step.
TEST(LinearPotentials, OfPassiveCellsEqualThoseOfTheDetailedTier) {
  for (const double dt_ms : {0.025, 0.1}) {
    network::Circuit circuit = passive_circuit(1e-6);
    circuit.run.dt_ms = dt_ms;
    circuit.run.duration_ms = 400;
    measure::Activity activity = silence(circuit);
    activity.duration_ms = circuit.run.duration_ms;
    activity.populations[1].spike_times_ms = {20, 61.3, 180, 214.2, 231.7, 300, 303, 350};
    activity.populations[1].spike_cells = {0, 1, 2, 3, 0, 1, 2, 3};
    core::NoProgress progress;
    const CellSample sample = sample_cells(circuit, 0, activity, activity.duration_ms, 3, progress);
    const QuasiActiveCell cell(*circuit.cell_types[0].detailed, circuit.run, sample.mean_V_mV());
    const SourceTrains trains = trains_of(circuit, activity);
    const LinearInput input(circuit, 0, cell.tree(), trains.rates_hz);
    const std::vector<float> linear = linear_potentials(sample, cell, Channels::linearised, input, trains);
    const auto settled = static_cast<std::size_t>(150 / dt_ms);  // the mean input is switched on at 0
    for (std::size_t c = 0; c < sample.cells.size(); ++c) {
      for (std::size_t n = 0; n < sample.nodes; ++n) {
        const auto difference_at = [&](std::size_t k) {
          return sample.at(c, k)[n] - linear[(c * sample.steps + k) * sample.nodes + n];
        };
        double offset = 0, low = 1e9, high = -1e9;
        for (std::size_t k = settled; k < sample.steps; ++k) {
          offset += difference_at(k) / static_cast<double>(sample.steps - settled);
          low = std::min(low, static_cast<double>(sample.at(c, k)[n]));
          high = std::max(high, static_cast<double>(sample.at(c, k)[n]));
        }
        ASSERT_GT(high - low, 1e-3);
        double most = 0;
        for (std::size_t k = settled; k < sample.steps; ++k) most = std::max(most, std::abs(difference_at(k) - offset));
        // The step of the tier, and single precision of the record about -70 mV.
        EXPECT_LT(most, 0.05 * (high - low) + 2e-5) << "dt " << dt_ms << " cell " << c << " node " << n;
      }
    }
  }
}

/// Standard deviation of a channel, of the detailed tier and by kernels, when 40 sources fire every 60 ms: together
/// within 8 ms, or each at its own time.
struct Amplitudes {
  double detailed = 0, kernels = 0;
};
Amplitudes amplitudes(bool volleys, double weight_uS) {
  network::Circuit circuit = many_sources();
  circuit.run.duration_ms = 700;
  circuit.run.dt_ms = 0.1;
  network::ExplicitEdges edges;
  for (std::uint32_t source = 0; source < 40; ++source) {
    for (std::uint32_t target = 0; target < 3; ++target) {
      edges.sources.push_back(source);
      edges.targets.push_back(target);
      edges.weights.push_back(weight_uS);
      edges.delays_ms.push_back(1.0);
      edges.sites.push_back({source % 4, 0.1 + 0.02 * source});
    }
  }
  circuit.projections[0].connectivity = edges;
  core::RandomStream random(1, core::Purpose::test, 5);
  std::vector<std::pair<double, std::uint32_t>> spikes;
  for (double begin_ms = 10; begin_ms < 640; begin_ms += 60) {
    for (std::uint32_t source = 0; source < 40; ++source) {
      spikes.emplace_back(begin_ms + (volleys ? 8 : 60) * random.next_uniform(), source);
    }
  }
  std::sort(spikes.begin(), spikes.end());
  measure::Activity activity = silence(circuit);
  activity.duration_ms = circuit.run.duration_ms;
  measure::PopulationActivity& sources = activity.populations[1];
  for (const auto& [t_ms, cell] : spikes) {
    sources.spike_times_ms.push_back(t_ms);
    sources.spike_cells.push_back(cell);
  }
  fire(circuit, sources.spike_times_ms, sources.spike_cells);
  network::Derivation derivation;
  core::NoProgress progress;
  FieldTrace truth;
  detailed::simulate(circuit, 1, truth, progress, forward_models(circuit));
  const FieldTrace signal = by_kernels(circuit, derive_field_kernels(circuit, activity, {}, 1, derivation, progress));
  const auto sd = [](const FieldTrace& trace) {
    double n = 0, sum = 0, squares = 0;
    for (std::size_t k = trace.rows[0].size() / 4; k < trace.rows[0].size(); ++k) {
      const double x = trace.rows[0][k][0];
      n += 1, sum += x, squares += x * x;
    }
    return std::sqrt(squares / n - sum * sum / (n * n));
  };
  return {sd(truth), sd(signal)};
}

// Events that come together meet cells that are depolarised already. Without that the signal of strong volleys would be
// a quarter too large; events that come one by one meet the mean.
TEST(FieldKernels, EventsOfAVolleyMeetTheDepolarisationOfTheOthers) {
  const Amplitudes weak = amplitudes(true, 1e-6), strong = amplitudes(true, 3e-4), alone = amplitudes(false, 3e-4);
  EXPECT_NEAR(weak.kernels / weak.detailed, 1, 0.01);
  EXPECT_NEAR(strong.kernels / strong.detailed, 1, 0.12);
  EXPECT_NEAR(alone.kernels / alone.detailed, 1, 0.05);
}

TEST(FieldKernels, SpikesAddUp) {
  network::Circuit circuit = passive_circuit(1e-4);
  const network::CircuitKernels kernels = kernels_at_rest(circuit);
  fire(circuit, {20.0, 33.3}, {0, 2});
  const FieldTrace both = by_kernels(circuit, kernels);
  fire(circuit, {20.0}, {0});
  const FieldTrace first = by_kernels(circuit, kernels);
  fire(circuit, {33.3}, {2});
  const FieldTrace second = by_kernels(circuit, kernels);
  for (std::size_t k = 0; k < both.rows[0].size(); ++k) {
    EXPECT_NEAR(both.rows[0][k][0], first.rows[0][k][0] + second.rows[0][k][0], 1e-12 + 1e-9 * largest(both, 0, 0));
  }
}

// Rates through mean kernels against the average over many Poisson trains through the kernels of single cells.
TEST(FieldKernels, SignalOfRatesIsTheMeanSignalOfSpikes) {
  network::Circuit circuit = passive_circuit(1e-4);
  circuit.run.duration_ms = 400;
  circuit.field_probes.pop_back();
  const network::CircuitKernels kernels = kernels_at_rest(circuit);
  const auto rate_hz = [](double t_ms) { return t_ms < 200 ? 20.0 : 60.0; };
  FieldTrace mean_field;
  SignalRecorder rates(circuit, kernels, mean_field);
  for (double t_ms = 0; t_ms <= 400; t_ms += 1) rates.record_rates(t_ms, std::vector<double>{0.0, rate_hz(t_ms)});
  rates.finish();

  constexpr std::size_t kTrials = 300;
  circuit.populations[1].source = network::PoissonTrains{{0, 200}, {20, 60}, 0};
  std::vector<double> sum, squares;
  for (std::size_t trial = 0; trial < kTrials; ++trial) {
    circuit.run.seed = 100 + trial;
    const FieldTrace spikes = by_kernels(circuit, kernels);
    sum.resize(spikes.rows[0].size());
    squares.resize(sum.size());
    for (std::size_t k = 0; k < sum.size(); ++k) {
      sum[k] += spikes.rows[0][k][0];
      squares[k] += spikes.rows[0][k][0] * spikes.rows[0][k][0];
    }
  }
  ASSERT_EQ(mean_field.rows[0].size(), sum.size());
  double scale = 0;
  for (std::size_t k = 0; k < sum.size(); ++k) scale = std::max(scale, std::abs(mean_field.rows[0][k][0]));
  for (std::size_t k = 20; k < sum.size(); k += 20) {
    const double mean = sum[k] / kTrials;
    const double error = std::sqrt((squares[k] / kTrials - mean * mean) / kTrials);
    EXPECT_NEAR(mean, mean_field.rows[0][k][0], 4.5 * error + 0.01 * scale) << "sample " << k;
  }
}

TEST(FieldKernels, AreTheSameBitsForAnyNumberOfThreads) {
  const network::Circuit circuit = passive_circuit(1e-4);
  network::Derivation derivation;
  core::NoProgress progress;
  const auto one = derive_field_kernels(circuit, silence(circuit), {}, 1, derivation, progress);
  const auto three = derive_field_kernels(circuit, silence(circuit), {}, 3, derivation, progress);
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t s = 0; s < 2; ++s) EXPECT_EQ(one.probes[k].sources[s].values, three.probes[k].sources[s].values);
  }
}

TEST(FieldKernels, ShuntingByTheBackgroundShortensThem) {
  const network::Circuit circuit = passive_circuit(1e-3);
  measure::Activity busy = silence(circuit);
  for (std::uint32_t source = 0; source < 4; ++source) {
    for (double t_ms = 1; t_ms < 100; t_ms += 5) {
      busy.populations[1].spike_times_ms.push_back(t_ms);
      busy.populations[1].spike_cells.push_back(source);
    }
  }
  network::Derivation derivation;
  core::NoProgress progress;
  const network::CircuitKernels rest = kernels_at_rest(circuit);
  const network::CircuitKernels driven = derive_field_kernels(circuit, busy, {}, 1, derivation, progress);
  const auto power = [](const network::CircuitKernels& kernels) {
    double sum = 0;
    for (const float h : kernels.probes[0].sources[1].values) sum += static_cast<double>(h) * h;
    return sum;
  };
  EXPECT_LT(power(driven), 0.8 * power(rest));
  EXPECT_GT(derivation.field_kernels.at("lfp").operating_point.at("cells.V_soma_mV"), -69);
}

TEST(FieldKernels, SharedOnesAreTheMeanAndKnowTheSpreadOfASample) {
  const network::Circuit circuit = many_sources();
  const network::CircuitKernels single = kernels_within(circuit, 50'000'000);
  const network::CircuitKernels shared = kernels_within(circuit, kThreeCells);
  const network::SourceKernels &each = single.probes[0].sources[1], &one = shared.probes[0].sources[1];
  ASSERT_TRUE(each.per_cell);
  ASSERT_FALSE(one.per_cell);
  EXPECT_TRUE(shared.probes[0].sources[0].per_cell);
  EXPECT_TRUE(each.spread.empty());
  const network::CircuitKernels means = population_kernels(single);
  const std::vector<float>& mean = means.probes[0].sources[1].values;
  ASSERT_EQ(one.values.size(), mean.size());
  float largest = 0;
  for (const float h : mean) largest = std::max(largest, std::abs(h));
  for (std::size_t i = 0; i < mean.size(); ++i) ASSERT_NEAR(one.values[i], mean[i], 1e-5f * largest) << i;
  // So little memory leaves the smallest sample: every fifth source.
  std::vector<double> spread(2, 0.0);
  for (std::size_t i = 0; i < 40; i += 5) {
    add_kernel_power(single.probes[0], each.values.data() + i * mean.size(), mean.data(), 1, 1.0 / 8, spread);
  }
  ASSERT_EQ(one.spread.size(), 2u);
  for (std::size_t c = 0; c < 2; ++c) EXPECT_NEAR(one.spread[c], spread[c], 1e-4 * spread[c]);
}

}  // namespace
}  // namespace triscale::bridges

// Spike-to-field kernels against the detailed tier, superposition, and the mean field's signal as an average.
#include "bridges/fields/field_kernels.hpp"

#include <gtest/gtest.h>

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

/// Passive cells with a soma and a branching dendrite, placed and turned, driven by four sources through synapses at
/// several places; two electrodes and the dipole, which goes through components.
network::Circuit passive_circuit(double weight_uS) {
  network::Morphology m;
  m.sections.push_back({network::SectionKind::soma, -1, 1, {{-10, 0, 0, 20}, {10, 0, 0, 20}}, {}});
  m.sections.push_back({network::SectionKind::basal, 0, 1, {{10, 0, 0, 2}, {210, 0, 0, 2}}, {}});
  m.sections.push_back({network::SectionKind::apical, 1, 1, {{210, 0, 0, 1}, {210, 150, 0, 1}}, {}});
  m.sections.push_back({network::SectionKind::apical, 1, 1, {{210, 0, 0, 1}, {350, 0, 60, 1}}, {}});
  network::DetailedCell cell;
  cell.morphology = std::make_shared<network::Morphology>(m);
  for (auto& region : cell.regions) {
    region.Ra_Ohm_cm = 150;
    region.C_m_uF_cm2 = 1;
    region.g_pas_S_cm2 = 5e-5;
    region.e_pas_mV = -70;
  }
  network::Circuit circuit;
  circuit.run.dt_ms = 0.025;
  circuit.run.duration_ms = 200;
  circuit.run.V_init_mV = -70;
  circuit.run.scheme = network::TimeScheme::second_order;
  circuit.cell_types.push_back({"cell", network::Dale::excitatory, cell, {}, {}});
  network::Population cells;
  cells.name = "cells";
  cells.size = 3;
  cells.placements = {{0, 0, 0, 0, 0, 0}, {30, -20, 10, 0.3, 1.0, 2.0}, {-40, 15, -5, 1.2, -0.4, 0.7}};
  network::Population sources;
  sources.name = "sources";
  sources.size = 4;
  sources.is_virtual = true;
  circuit.populations = {cells, sources};
  network::SynapseType synapse;
  synapse.name = "s";
  synapse.detailed = network::BiexponentialSynapse{0.5, 3, 0};
  circuit.synapse_types = {synapse};
  network::Projection projection;
  projection.name = "p";
  projection.source = 1;
  projection.target = 0;
  network::ExplicitEdges edges;
  for (std::uint32_t source = 0; source < 4; ++source) {
    for (std::uint32_t target = 0; target < 3; ++target) {
      edges.sources.push_back(source);
      edges.targets.push_back(target);
      edges.weights.push_back(weight_uS);
      edges.delays_ms.push_back(1.0 + 0.5 * target);
      edges.sites.push_back({(source + target) % 4, 0.3 + 0.1 * source});
    }
  }
  projection.connectivity = std::move(edges);
  circuit.projections = {projection};
  network::FieldProbe potential;
  potential.name = "lfp";
  network::ExtracellularPotential electrodes;
  electrodes.electrodes = {{0, {50, 40, 10}, 0, {0, 0, 1}}, {1, {200, -60, 30}, 0, {0, 0, 1}}};
  potential.signal = electrodes;
  potential.dt_ms = 0.5;
  network::FieldProbe eeg;
  eeg.name = "eeg";
  eeg.signal = network::Eeg{{{0, {0, 0, 5000}, 0, {0, 0, 1}}}, 0.3, {}, {}};
  eeg.dt_ms = 0.5;
  circuit.field_probes = {potential, eeg};
  return circuit;
}

/// An activity in which nobody fires: the state of rest.
measure::Activity silence(const network::Circuit& circuit) {
  measure::Activity activity;
  activity.duration_ms = 100;
  for (const network::Population& population : circuit.populations) {
    measure::PopulationActivity entry;
    entry.name = population.name;
    entry.cells = population.size;
    entry.is_virtual = population.is_virtual;
    activity.populations.push_back(std::move(entry));
  }
  return activity;
}

network::CircuitKernels kernels_at_rest(const network::Circuit& circuit) {
  network::Derivation derivation;
  core::NoProgress progress;
  FieldKernelOptions options;
  options.highest_Hz = 5000;
  options.length_ms = 200;
  return derive_field_kernels(circuit, silence(circuit), options, 1, derivation, progress);
}

void fire(network::Circuit& circuit, std::vector<double> times_ms, std::vector<std::uint32_t> cells) {
  circuit.populations[1].source = network::SpikeTrains{std::move(times_ms), std::move(cells)};
}

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

// Independent Poisson sources with different kernels: the mean kernel misses exactly the heterogeneity.
TEST(KernelError, PredictsWhatMeanKernelsMiss) {
  network::Circuit circuit = passive_circuit(1e-4);
  circuit.run.duration_ms = 20000;
  circuit.field_probes.pop_back();
  circuit.populations[1].source = network::PoissonTrains{{0}, {30}, 0};
  const network::CircuitKernels kernels = kernels_at_rest(circuit);
  measure::Activity activity = silence(circuit);
  activity.duration_ms = circuit.run.duration_ms;
  const std::vector<measure::Signal> truth = signals_of(circuit, kernels, activity);
  const auto errors = kernel_errors(circuit, kernels, activity, truth, 500);
  ASSERT_EQ(errors.size(), 1u);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_LT(errors[0].cell_measured[c], 1e-6);
    EXPECT_GT(errors[0].population_measured[c], 0.2);
    EXPECT_NEAR(errors[0].population_predicted[c] / errors[0].population_measured[c], 1, 0.15) << "channel " << c;
  }
}

/// Poisson trains of all cells; of the spikes of `other`, if given, each is kept with a chance of one half instead.
void fire_at_random(measure::PopulationActivity& population, double rate_hz, double duration_ms, std::uint64_t entity,
                    const measure::PopulationActivity* other = nullptr) {
  core::RandomStream random(1, core::Purpose::test, entity);
  std::vector<std::pair<double, std::uint32_t>> spikes;
  for (std::uint32_t cell = 0; cell < population.cells; ++cell) {
    const double fresh_hz = other != nullptr ? rate_hz / 2 : rate_hz;
    for (double t_ms = 0;;) {
      t_ms -= 1000 / fresh_hz * std::log(1 - random.next_uniform());
      if (!(t_ms < duration_ms)) break;
      spikes.emplace_back(t_ms, cell);
    }
  }
  for (std::size_t k = 0; other != nullptr && k < other->spike_cells.size(); ++k) {
    if (random.next_uniform() < 0.5) spikes.emplace_back(other->spike_times_ms[k], other->spike_cells[k]);
  }
  std::sort(spikes.begin(), spikes.end());
  for (const auto& [t_ms, cell] : spikes) {
    population.spike_times_ms.push_back(t_ms);
    population.spike_cells.push_back(cell);
  }
}

// A point tier that shares half of its spikes with the detailed one: the difference has as much variance as the signal
// (1/2 that only the one fired and 1/2 that only the other did), and what the kernels miss adds to it.
TEST(KernelError, OfThePointTierAddsWhatItsSpikesChange) {
  constexpr double kDuration_ms = 40000, kMissed = 0.5;
  network::Circuit circuit = passive_circuit(1e-4);
  circuit.run.duration_ms = kDuration_ms;
  circuit.field_probes.pop_back();
  fire(circuit, {}, {});
  network::CircuitKernels kernels = kernels_at_rest(circuit);
  network::FieldKernels& probe = kernels.probes[0];
  for (std::size_t i = 0; i < probe.sources[0].values.size(); ++i) {
    const auto channel = static_cast<double>(i % probe.channels);
    const auto sample = static_cast<double>(i / probe.channels % probe.samples);
    probe.sources[0].values[i] = static_cast<float>((channel + 1) * std::exp(-0.1 * probe.dt_ms * sample));
  }
  probe.unexplained_variance.assign(probe.channels, kMissed * kMissed / (1 + kMissed * kMissed));
  measure::Activity detailed = silence(circuit), point = detailed;
  detailed.duration_ms = point.duration_ms = kDuration_ms;
  fire_at_random(detailed.populations[0], 20, kDuration_ms, 1);
  fire_at_random(point.populations[0], 20, kDuration_ms, 2, &detailed.populations[0]);
  std::vector<measure::Signal> truth = signals_of(circuit, kernels, detailed);
  const std::vector<measure::Signal> other = signals_of(circuit, kernels, point);
  core::RandomStream random(1, core::Purpose::test, 3);
  for (std::size_t c = 0; c < 2; ++c) {
    // Shot noise of three cells: rate times int h^2, h = (c + 1) exp(-t / 10 ms).
    const double sd = static_cast<double>(c + 1) * std::sqrt(3 * 0.02 * 5);
    for (std::size_t k = 0; k < truth[0].samples(); ++k) {
      truth[0].values[2 * k + c] += static_cast<float>(kMissed * sd * random.next_normal());
    }
  }
  const auto errors = kernel_errors(circuit, kernels, detailed, truth, 500, &other);
  ASSERT_EQ(errors.size(), 1u);
  for (std::size_t c = 0; c < 2; ++c) {
    EXPECT_NEAR(errors[0].cell_measured[c], std::sqrt(kMissed * kMissed / (1 + kMissed * kMissed)), 0.03);
    EXPECT_NEAR(errors[0].cell_predicted[c], errors[0].cell_measured[c], 0.03);
    EXPECT_NEAR(errors[0].point_spikes[c], 1, 0.08) << "channel " << c;
    EXPECT_NEAR(errors[0].point_measured[c], std::sqrt((1 + kMissed * kMissed) / (1 + kMissed * kMissed)), 0.08);
    EXPECT_NEAR(errors[0].point_correlation[c], 0.5 / std::sqrt(1 + kMissed * kMissed), 0.05);
    EXPECT_NEAR(errors[0].point_predicted[c] / errors[0].point_measured[c], 1, 0.05) << "channel " << c;
  }
  EXPECT_TRUE(kernel_errors(circuit, kernels, detailed, truth, 500)[0].point_measured.empty());
}

}  // namespace
}  // namespace triscale::bridges

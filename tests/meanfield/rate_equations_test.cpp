#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "meanfield/membrane_course.hpp"
#include "meanfield/model.hpp"
#include "meanfield/simulate.hpp"
#include "meanfield/stationary.hpp"
#include "network/edges.hpp"

namespace triscale::meanfield {
namespace {

class RateRecorder : public core::NullRecorder {
 public:
  void record_rates(double t_ms, std::span<const double> rates_hz) override {
    times_ms.push_back(t_ms);
    rates.emplace_back(rates_hz.begin(), rates_hz.end());
  }
  void record_cell_rates(std::size_t population, std::span<const double> rates_hz) override {
    cell_rates[population].assign(rates_hz.begin(), rates_hz.end());
  }
  std::vector<double> times_ms;
  std::vector<std::vector<double>> rates;
  std::map<std::size_t, std::vector<double>> cell_rates;
};

/// Without the fluctuations that the drawn spikes of external sources cause.
core::RunStatistics simulate_by_rate(const network::Circuit& circuit, core::Recorder& recorder) {
  SimulationOptions options;
  options.follow_spikes = false;
  core::NoProgress progress;
  std::vector<core::Problem> warnings;
  return simulate(circuit, options, recorder, progress, warnings);
}

network::CellType cell_type(const std::string& name) {
  network::CellType type;
  type.name = name;
  network::MeanfieldCell cell;
  cell.transfer.t_ref_ms = 5;
  cell.transfer.P_mV = {-49.8, 5.06, -2.35, 2.3, -0.41, 1.05, -3.66, 0.74, 1.3, -4.08};
  cell.time_constant_ms = 5;
  type.meanfield = cell;
  return type;
}

network::SynapseType synapse_type(const std::string& name, double E_rev_mV) {
  network::SynapseType type;
  type.name = name;
  network::PointSynapse synapse;
  synapse.receptors.push_back({0.5, 5, E_rev_mV});
  type.point = synapse;
  return type;
}

network::ConnectionRule fixed_in_degree(std::uint64_t number, double weight_uS, double delay_ms) {
  network::ConnectionRule rule;
  rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
  rule.number = number;
  rule.multapses = false;
  rule.weight.mean = weight_uS;
  rule.delay_ms.mean = delay_ms;
  return rule;
}

/// Populations E (0), I (1), external (2); projections out of every one onto E and I.
network::Circuit balanced(double external_hz) {
  network::Circuit circuit;
  circuit.cell_types = {cell_type("E"), cell_type("I")};
  circuit.synapse_types = {synapse_type("exc", 0), synapse_type("inh", -80)};
  circuit.populations.resize(3);
  circuit.populations[0].name = "E";
  circuit.populations[0].size = 80;
  circuit.populations[1].name = "I";
  circuit.populations[1].size = 20;
  circuit.populations[1].cell_type = 1;
  circuit.populations[2].name = "external";
  circuit.populations[2].size = 200;
  circuit.populations[2].is_virtual = true;
  circuit.populations[2].source = network::PoissonTrains{{0}, {external_hz}};
  for (std::size_t source = 0; source < 3; ++source) {
    for (std::size_t target = 0; target < 2; ++target) {
      network::Projection projection;
      projection.name = "p" + std::to_string(source) + std::to_string(target);
      projection.source = source;
      projection.target = target;
      projection.synapse_type = source == 1 ? 1 : 0;
      projection.connectivity = source == 0   ? fixed_in_degree(40, 0.0015, 1.5)
                                : source == 1 ? fixed_in_degree(15, 0.006, 1.0)
                                              : fixed_in_degree(100, 0.0015, 2.0);
      circuit.projections.push_back(projection);
    }
  }
  circuit.run.duration_ms = 300;
  return circuit;
}

TEST(RateEquations, CouplingsAreTheInDegreesOfTheEdges) {
  network::Circuit circuit = balanced(8);
  auto& rule = std::get<network::ConnectionRule>(circuit.projections[0].connectivity);
  rule.multapses = true;
  rule.weight = {network::Distribution::Kind::lognormal, 0.0015, 0.001, 0, 0};
  const Model model(circuit);
  std::uint64_t hash = network::kEdgeHashStart;
  std::uint64_t edges_in_all = 0;
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) {
    const network::EdgeList edges = network::edges_of(circuit, p);
    hash = network::hash_edges(hash, p, edges);
    edges_in_all += edges.size();
    const PopulationModel& target = model.populations()[model.index_of(circuit.projections[p].target)];
    std::vector<double> weight(target.classes.size(), 0.0), weight2 = weight;
    std::map<std::pair<std::uint32_t, std::uint32_t>, double> pairs;
    for (std::size_t e = 0; e < edges.size(); ++e) pairs[{edges.targets[e], edges.sources[e]}] += edges.weights[e];
    for (const auto& [pair, W] : pairs) {
      weight[pair.first] += W;
      weight2[pair.first] += W * W;
    }
    std::size_t c = 0;
    while (target.channels[c].projection != p) ++c;
    EXPECT_DOUBLE_EQ(target.channels[c].in_degree,
                     static_cast<double>(edges.size()) / static_cast<double>(target.classes.size()));
    EXPECT_DOUBLE_EQ(target.channels[c].connections,
                     static_cast<double>(pairs.size()) / static_cast<double>(target.classes.size()));
    for (std::size_t i = 0; i < weight.size(); ++i) {
      EXPECT_NEAR(target.classes[i].weight_uS[c], weight[i], 1e-12 * weight[i]);
      EXPECT_NEAR(target.classes[i].weight2_uS2[c], weight2[i], 1e-12 * weight2[i]);
    }
  }
  EXPECT_EQ(model.edge_hash(), hash);
  EXPECT_EQ(model.synapses(), edges_in_all);
}

TEST(RateEquations, MergedClassesKeepTheSumsOfThePopulation) {
  network::Circuit circuit = balanced(8);
  std::get<network::ConnectionRule>(circuit.projections[0].connectivity).kind =
      network::ConnectionRule::Kind::pairwise_bernoulli;
  std::get<network::ConnectionRule>(circuit.projections[0].connectivity).probability = 0.3;
  const Model exact(circuit), merged(circuit, {7, 0});
  ASSERT_EQ(merged.populations()[0].classes.size(), 7u);
  const auto total = [](const PopulationModel& model, std::size_t c) {
    double sum = 0;
    for (const CellClass& cells : model.classes) sum += cells.share * cells.weight_uS[c];
    return sum;
  };
  for (std::size_t c = 0; c < exact.populations()[0].channels.size(); ++c) {
    EXPECT_NEAR(total(merged.populations()[0], c) / total(exact.populations()[0], c), 1, 1e-12);
  }
  EXPECT_NEAR(stationary_state(merged).rates_hz[0] / stationary_state(exact).rates_hz[0], 1, 0.02);
}

/// Inhibition is weak at the nominal rates by which cells are sorted, and strong in the state.
TEST(RateEquations, MergedClassesTellCellsApartByTheirInhibitionToo) {
  network::Circuit circuit = balanced(20);
  circuit.populations[0].size = 2000;
  circuit.populations[1].size = 150;
  for (network::Projection& projection : circuit.projections) {
    auto& rule = std::get<network::ConnectionRule>(projection.connectivity);
    if (projection.target != 0 || projection.source == 2) continue;
    rule.kind = network::ConnectionRule::Kind::pairwise_bernoulli;
    rule.probability = projection.source == 0 ? 0.02 : 0.1;
  }
  const Model exact(circuit, {0, 0}), merged(circuit, {400, 0});
  ASSERT_EQ(merged.populations()[0].classes.size(), 400u);
  const auto sd = [](const Model& model, std::size_t c) {
    double mean = 0, square = 0;
    for (const CellClass& cells : model.populations()[0].classes) {
      mean += cells.share * cells.weight_uS[c];
      square += cells.share * cells.weight_uS[c] * cells.weight_uS[c];
    }
    return std::sqrt(square - mean * mean);
  };
  for (std::size_t c = 0; c < exact.populations()[0].channels.size(); ++c) {
    if (!(sd(exact, c) > 0)) continue;
    const bool inhibitory =
        exact.populations()[0].receptors[exact.populations()[0].channels[c].receptor].E_rev_mV < -50;
    EXPECT_GT(sd(merged, c), (inhibitory ? 0.9 : 0.4) * sd(exact, c)) << c;
  }
  EXPECT_NEAR(stationary_state(merged).rates_hz[0] / stationary_state(exact).rates_hz[0], 1, 0.02);
}

TEST(RateEquations, TimeCourseEndsInTheStationaryState) {
  const network::Circuit circuit = balanced(8);
  const StationaryState stationary = stationary_state(Model(circuit));
  EXPECT_LT(stationary.residual_hz, 1e-9);
  EXPECT_GT(stationary.rates_hz[0], 0.1);
  EXPECT_LT(stationary.rates_hz[0], 100);
  EXPECT_EQ(stationary.rates_hz[2], 8);
  RateRecorder recorder;
  const core::RunStatistics statistics = simulate_by_rate(circuit, recorder);
  EXPECT_EQ(statistics.cells, 100u);
  EXPECT_DOUBLE_EQ(recorder.times_ms.front(), 0);
  EXPECT_DOUBLE_EQ(recorder.times_ms.back(), 300);
  ASSERT_EQ(recorder.rates.size(), 301u);
  for (std::size_t p = 0; p < 3; ++p) EXPECT_NEAR(recorder.rates.back()[p], stationary.rates_hz[p], 1e-6);
}

TEST(RateEquations, RatesOfCellsAverageToThePopulationAndFollowTheirInDegrees) {
  network::Circuit circuit = balanced(8);
  circuit.run.duration_ms = 1000;
  auto& rule = std::get<network::ConnectionRule>(circuit.projections[4].connectivity);  // external onto E
  rule.kind = network::ConnectionRule::Kind::pairwise_bernoulli;
  rule.probability = 0.3;
  ASSERT_EQ(circuit.projections[4].name, "p20");
  RateRecorder recorder;
  simulate_by_rate(circuit, recorder);
  ASSERT_EQ(recorder.cell_rates.at(0).size(), 80u);
  double mean_hz = 0;
  for (const double rate_hz : recorder.cell_rates.at(0)) mean_hz += rate_hz / 80;
  EXPECT_NEAR(mean_hz / recorder.rates.back()[0], 1, 0.02) << "the start is left out, the rest is nearly stationary";
  std::vector<double> inputs(80, 0.0);
  const network::EdgeList edges = network::edges_of(circuit, 4);
  for (const std::uint32_t target : edges.targets) inputs[target] += 1;
  const auto most = std::max_element(inputs.begin(), inputs.end()) - inputs.begin();
  const auto least = std::min_element(inputs.begin(), inputs.end()) - inputs.begin();
  EXPECT_GT(recorder.cell_rates.at(0)[static_cast<std::size_t>(most)],
            1.5 * recorder.cell_rates.at(0)[static_cast<std::size_t>(least)]);
}

/// Without recurrence and under constant input from the delay on: the rate of the potentials' statistics, whose
/// equations are solved here in small Euler steps.
TEST(RateEquations, FeedforwardOnsetFollowsSynapsesAndMembrane) {
  network::Circuit circuit = balanced(12);
  circuit.projections = {circuit.projections[4]};
  circuit.run.duration_ms = 60;
  const Model model(circuit);
  const PopulationModel& population = model.populations()[0];
  const double F_Hz = stationary_state(model).rates_hz[0];
  ASSERT_GT(F_Hz, 1);
  RateRecorder recorder;
  core::NoProgress progress;
  std::vector<core::Problem> warnings;
  simulate(circuit, {{400, 0}, 0.25, false}, recorder, progress, warnings);
  const Receptor& receptor = population.receptors[0];
  const double w_uS = population.classes[0].weight_uS[0], w2_uS2 = population.classes[0].weight2_uS2[0], dt = 0.001;
  double x = 0, y = 0, z = 0, mu = population.transfer.E_L_mV;
  std::size_t next = 0;
  for (int k = 0; next < recorder.rates.size(); ++k) {
    const double t = k * dt, nu = t > 2 ? 12 : 0;
    const double G = population.transfer.g_L_uS + receptor.area_ms * w_uS * y / 1000;
    const std::vector<SpikeDrive<double>> drives{{w_uS * y / 1000, w2_uS2 * z / 1000}};
    if (k % 1000 == 0) {
      const auto statistics =
          membrane_noise<double>(membrane_of(population.transfer), {G, mu}, population.receptors, drives);
      const double slope = (population.transfer.g_L_uS * population.transfer.E_L_mV +
                            receptor.area_ms * w_uS * y / 1000 * receptor.E_rev_mV - G * mu) /
                           population.transfer.C_m_nF;
      EXPECT_NEAR(recorder.rates[next][0], moving_rate_hz(population.transfer, statistics, slope), 0.02 * F_Hz) << t;
      ++next;
    }
    const double inflow = population.transfer.g_L_uS * population.transfer.E_L_mV +
                          receptor.area_ms * w_uS * y / 1000 * receptor.E_rev_mV;
    mu += dt * (inflow - G * mu) / population.transfer.C_m_nF;
    z += dt * (nu - z) / squared_cascade_delay(0.5, 5, population.transfer.C_m_nF / G);
    y += dt * (x - y) / 5;
    x += dt * (nu - x) / 0.5;
  }
  EXPECT_NEAR(recorder.rates.back()[0], F_Hz, 0.02 * F_Hz);
}

TEST(RateEquations, AdaptationReachesItsStationaryValueAndLowersTheRate) {
  network::Circuit circuit = balanced(5);
  circuit.projections = {circuit.projections[4]};
  circuit.run.duration_ms = 1500;
  const double plain_Hz = stationary_state(Model(circuit)).rates_hz[0];
  circuit.cell_types[0].meanfield->transfer.adaptation_nA = {{0.05, 100}};
  const StationaryState adapted = stationary_state(Model(circuit));
  EXPECT_LT(adapted.rates_hz[0], 0.8 * plain_Hz);
  RateRecorder recorder;
  simulate_by_rate(circuit, recorder);
  EXPECT_NEAR(recorder.rates.back()[0], adapted.rates_hz[0], 1e-4);
  double peak_Hz = 0;
  for (const auto& rates : recorder.rates) peak_Hz = std::max(peak_Hz, rates[0]);
  EXPECT_GT(peak_Hz, 1.2 * adapted.rates_hz[0]);  // adaptation comes after the onset
}

TEST(RateEquations, HalvingTheStepOfADelayedOscillatingRunQuartersTheError) {
  network::Circuit circuit = balanced(8);
  for (auto& projection : circuit.projections) {
    std::get<network::ConnectionRule>(projection.connectivity).delay_ms.mean = 4;
  }
  circuit.populations[2].source = network::PoissonTrains{{0, 50, 100, 150}, {4, 14, 6, 10}};
  const auto course = [&](double step_ms) {
    RateRecorder recorder;
    core::NoProgress progress;
    std::vector<core::Problem> warnings;
    simulate(circuit, {{400, 0}, step_ms, false}, recorder, progress, warnings);
    return recorder.rates;
  };
  const auto difference = [](const auto& a, const auto& b) {
    double largest = 0;
    for (std::size_t k = 0; k < a.size(); ++k) largest = std::max(largest, std::abs(a[k][0] - b[k][0]));
    return largest;
  };
  const auto coarse = course(0.5), middle = course(0.25), fine = course(0.125);
  EXPECT_LT(difference(coarse, middle), 0.1);
  EXPECT_GT(difference(coarse, middle), 0);
  EXPECT_LT(difference(middle, fine), 0.35 * difference(coarse, middle));
}

/// Half of the cells get double input: the population's rate is the mean of the two rates, not the rate of the mean.
TEST(RateEquations, UnequalCellsAreAveragedAfterTheTransferFunction) {
  network::Circuit circuit = balanced(12);
  network::ExplicitEdges edges;
  for (std::uint32_t cell = 0; cell < 80; ++cell) {
    for (std::uint32_t s = 0; s < (cell < 40 ? 60u : 140u); ++s) {
      edges.sources.push_back(s);
      edges.targets.push_back(cell);
      edges.weights.push_back(0.0015);
      edges.delays_ms.push_back(1);
    }
  }
  circuit.projections = {circuit.projections[4]};
  circuit.projections[0].connectivity = edges;
  const auto rate_with = [&](std::uint64_t in_degree) {
    network::Circuit uniform = circuit;
    uniform.projections[0].connectivity = fixed_in_degree(in_degree, 0.0015, 1);
    return stationary_state(Model(uniform)).rates_hz[0];
  };
  const double mixed_Hz = stationary_state(Model(circuit)).rates_hz[0];
  EXPECT_NEAR(mixed_Hz, (rate_with(60) + rate_with(140)) / 2, 1e-9);
  EXPECT_GT(std::abs(mixed_Hz - rate_with(100)), 0.5);
}

/// A spike reaches all synapses of a pair at once: two synapses of weight w are one of weight 2 w, not two sources.
TEST(RateEquations, SynapsesOfOnePairActTogether) {
  network::Circuit circuit = balanced(5);
  circuit.projections = {circuit.projections[4]};
  network::ExplicitEdges twice, once;
  for (std::uint32_t cell = 0; cell < 80; ++cell) {
    for (std::uint32_t s = 0; s < 50; ++s) {
      for (auto* edges : {&twice, &twice, &once}) {
        edges->sources.push_back(s);
        edges->targets.push_back(cell);
        edges->weights.push_back(edges == &twice ? 0.0015 : 0.003);
        edges->delays_ms.push_back(1);
      }
    }
  }
  circuit.projections[0].connectivity = twice;
  const Model pairs(circuit);
  EXPECT_EQ(pairs.populations()[0].channels[0].in_degree, 100);
  EXPECT_EQ(pairs.populations()[0].channels[0].connections, 50);
  const double rate_Hz = stationary_state(pairs).rates_hz[0];
  circuit.projections[0].connectivity = once;
  EXPECT_NEAR(stationary_state(Model(circuit)).rates_hz[0], rate_Hz, 1e-9);
  circuit.projections[0].connectivity = fixed_in_degree(100, 0.0015, 1);  // 100 different sources: less noise
  EXPECT_GT(std::abs(stationary_state(Model(circuit)).rates_hz[0] - rate_Hz), 0.1);
}

TEST(RateEquations, CurrentInjectedIntoSomeCellsMovesTheirRateOnly) {
  network::Circuit circuit = balanced(5);
  circuit.projections = {circuit.projections[4]};
  const double before_Hz = stationary_state(Model(circuit)).rates_hz[0];
  network::CurrentClamp clamp;
  clamp.waveform = network::CurrentSegment{0, 1000, 0.03, 0.03};
  circuit.current_clamps.push_back(clamp);
  const double all_Hz = stationary_state(Model(circuit)).rates_hz[0];
  for (std::uint32_t cell = 0; cell < 20; ++cell) circuit.current_clamps[0].cells.push_back(cell);
  EXPECT_GT(all_Hz, before_Hz + 1);
  EXPECT_NEAR(stationary_state(Model(circuit)).rates_hz[0], 0.75 * before_Hz + 0.25 * all_Hz, 1e-9);
}

TEST(RateEquations, WorkingPointOutsideTheFittedRangeIsReported) {
  network::Circuit circuit = balanced(8);
  EXPECT_TRUE(stationary_state(Model(circuit)).warnings.empty());
  circuit.cell_types[0].meanfield->transfer.fitted_mu_mV = {-64.9, -64.8};
  circuit.cell_types[0].meanfield->transfer.fitted_sigma_mV = {0, 50};
  circuit.cell_types[0].meanfield->transfer.fitted_tau = {0, 5};
  const auto warnings = stationary_state(Model(circuit)).warnings;
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0].place, "populations.E");
  core::NullRecorder recorder;
  core::NoProgress progress;
  std::vector<core::Problem> run_warnings;
  circuit.probes.push_back({"v", "v", 0, {}, network::Probe::Where::soma, 0, 1e300, 0});
  simulate(circuit, {}, recorder, progress, run_warnings);
  EXPECT_EQ(run_warnings.size(), 1u);
  EXPECT_EQ(left_out(circuit).size(), 1u);
}

TEST(RateEquations, MissingDescriptionsAreNamed) {
  network::Circuit circuit = balanced(8);
  EXPECT_TRUE(missing(circuit).empty());
  circuit.cell_types[1].meanfield.reset();
  circuit.cell_types[1].point = network::PointCell{network::IntFire1Model{}};
  circuit.synapse_types[1].point = network::InstantaneousSynapse{-1};
  const auto problems = missing(circuit);
  ASSERT_EQ(problems.size(), 3u);  // population I, and both projections out of it
  EXPECT_NE(problems[0].rule.find("population I"), std::string::npos);
  core::NullRecorder recorder;
  core::NoProgress progress;
  EXPECT_THROW(simulate(circuit, 1, recorder, progress), core::InputError);
}

}  // namespace
}  // namespace triscale::meanfield

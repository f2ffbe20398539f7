// Packed synapses: sums against plain additions, whole networks against a simulation written out here, and independence
// of every choice of how to compute.
#include <gtest/gtest.h>

#include <cmath>
#include <deque>

#include "core/random.hpp"
#include "network/edges.hpp"
#include "pointneuron/synapse_rows.hpp"
#include "pointneuron/weight_unit.hpp"
#include "tests/pointneuron/helpers.hpp"

namespace triscale {
namespace {

using network::Distribution;
using Kind = Distribution::Kind;
using Shape = network::CurrentSynapse::Shape;

// ------------------------------------------------------------------------------------------------------ rows ---------

template <class Word, class Sum>
void expect_exact_sums(std::int64_t largest, std::uint32_t sources) {
  constexpr std::uint32_t kSynapses = 6000;
  constexpr std::int64_t kStep = 1000;
  core::RandomStream random(1, core::Purpose::test, 5);
  std::vector<pointneuron::LooseSynapse> synapses;
  for (std::uint32_t i = 0; i < kSynapses; ++i) {
    const auto size = static_cast<double>(random.next_below(static_cast<std::uint64_t>(largest) + 1));
    synapses.push_back({static_cast<std::uint32_t>(random.next_below(sources)),
                        1 + static_cast<std::uint32_t>(random.next_below(60)),
                        i % 7 == 0 ? 65535u : static_cast<std::uint32_t>(random.next_below(300)),
                        i % 11 == 0                   ? -static_cast<double>(largest)
                        : random.next_uniform() < 0.5 ? -size
                                                      : size});
  }
  const pointneuron::SynapseRows<Word, Sum> rows(sources, synapses, 1.0);
  ASSERT_EQ(rows.size(), kSynapses);
  const std::size_t table = 60 * sources + 1, searched = sources + 1;  // and a byte for each synapse
  EXPECT_EQ(rows.bytes(), sizeof(Word) * kSynapses + (sources == 40 ? 4 * table : 4 * searched + kSynapses));
  for (const std::uint32_t horizon : {1u, 2u, 4u, 8u}) {
    // Every source fires in each of the last 70 steps; what arrives in [kStep, kStep + horizon) is wanted.
    std::vector<pointneuron::Due> due;
    for (std::int64_t step = kStep - 70; step < kStep; ++step) {
      const auto from = std::max<std::int64_t>(rows.shortest_delay(), kStep - step);
      const auto to = std::min<std::int64_t>(rows.longest_delay() + 1, kStep + horizon - step);
      for (std::uint32_t s = 0; s < sources && from < to; ++s)
        due.push_back({s, static_cast<std::int32_t>(from), static_cast<std::int32_t>(to),
                       static_cast<std::uint32_t>(step % pointneuron::kSlots)});
    }
    std::vector<Sum> sums(horizon * pointneuron::kPlaces, 0), expected(sums);
    rows.deliver(due, horizon, sums.data());
    for (const auto& s : synapses) {
      for (std::int64_t arrival = kStep; arrival < kStep + horizon; ++arrival) {
        const std::int64_t step = arrival - s.delay;
        if (step < kStep - 70 || step >= kStep) continue;
        expected[static_cast<std::size_t>(arrival % horizon) * pointneuron::kPlaces + s.place] +=
            static_cast<Sum>(s.weight);
      }
    }
    EXPECT_EQ(sums, expected) << horizon;
  }
}

// 150 synapses a source: a table of the 60 delays. 15 synapses: a delay beside each of them.
TEST(SynapseRows, SumsAreExactUpToTheLargestWeightOfEitherWordInLongRowsAndShortOnes) {
  for (const std::uint32_t sources : {40u, 400u}) {
    expect_exact_sums<std::uint32_t, std::int32_t>(pointneuron::kLargestNarrow, sources);
    expect_exact_sums<std::uint64_t, std::int64_t>(std::int64_t{1} << pointneuron::kWideBits, sources);
  }
}

TEST(SynapseRows, RowsMadeOneByOneEqualThoseFromAList) {
  const std::vector<std::uint32_t> room{3, 5, 0, 4};
  pointneuron::SynapseRows<std::uint32_t, std::int32_t> rows(room);
  std::vector<pointneuron::LooseSynapse> list;
  const auto add = [&](std::uint32_t source, std::uint32_t delay, std::uint32_t place, int weight) {
    rows.add(source, delay, place, weight);
    list.push_back({source, delay, place, static_cast<double>(weight)});
  };
  add(3, 9, 1, 7);
  add(0, 255, 2, -4095);
  add(1, 3, 0, 4095);
  add(3, 2, 65535, 1);
  add(1, 3, 5, 2);
  rows.finish();
  EXPECT_EQ(rows.size(), 5u) << "room that was not used is closed up";
  const pointneuron::SynapseRows<std::uint32_t, std::int32_t> from_list(4, list, 1.0);
  for (std::int32_t delay = 2; delay <= 255; ++delay) {
    std::vector<std::int32_t> a(pointneuron::kPlaces, 0), b(a);
    const std::vector<pointneuron::Due> due{
        {0, delay, delay + 1, 0}, {1, delay, delay + 1, 0}, {3, delay, delay + 1, 0}};
    rows.deliver(due, 1, a.data());
    from_list.deliver(due, 1, b.data());
    ASSERT_EQ(a, b) << delay;
  }
}

// ---------------------------------------------------------------------------------------------- quantisation ---------

TEST(WeightUnit, ConstantWeightsAreExact) {
  const std::vector<pointneuron::WeightRange> ranges{{0.1, 0, 0.1}, {0.45, 0, 0.45}, {0, 0, 0}};
  const auto unit = pointneuron::weight_unit(ranges);
  EXPECT_EQ(unit.fits, (std::vector<bool>{true, true, true}));
  for (const auto& range : ranges) {
    const double multiple = range.mean / unit.unit;
    EXPECT_NEAR(multiple, std::round(multiple), 1e-9);
  }
}

TEST(WeightUnit, WeightsOfTheMicrocircuitKeepTheirMeanVarianceAndSingleValues) {
  const auto projection = [](double mean) {
    network::ConnectionRule rule;
    rule.weight = {Kind::normal, mean, 0.1 * mean, 0, 1e300};
    network::Projection p;
    p.connectivity = rule;
    return p;
  };
  const std::vector<network::Projection> projections{projection(0.0878), projection(0.1756), projection(0.3512)};
  std::vector<pointneuron::WeightRange> ranges;
  for (const auto& p : projections) ranges.push_back(pointneuron::weight_range(p));
  const auto chosen = pointneuron::weight_unit(ranges);
  EXPECT_EQ(chosen.fits, (std::vector<bool>{true, true, true}));
  for (const auto& p : projections) {
    const auto& weight = std::get<network::ConnectionRule>(p.connectivity).weight;
    std::vector<double> values(200000);
    network::draw(weight, core::RandomStream(3, core::Purpose::test, 1), values);
    double error = 0, shift = 0, squares = 0, rounded_squares = 0;
    const double n = static_cast<double>(values.size());
    for (const double w : values) {
      const double rounded = std::nearbyint(w / chosen.unit) * chosen.unit;
      error = std::max(error, std::abs(rounded - w));
      shift += (rounded - w) / n;
      squares += std::pow(w - weight.mean, 2) / n;
      rounded_squares += std::pow(rounded - weight.mean, 2) / n;
      ASSERT_LE(std::abs(rounded / chosen.unit), pointneuron::kLargestNarrow + 0.5);
    }
    EXPECT_LE(error, pointneuron::kLargestRelativeError * weight.mean);
    // Rounding errors are uniform within half a unit: five standard errors of their mean.
    EXPECT_NEAR(shift, 0, 5 * chosen.unit / std::sqrt(12 * n));
    EXPECT_NEAR(rounded_squares / squares, 1, pointneuron::kLargestRelativeError);
  }
}

TEST(WeightUnit, WeightsThatThirteenBitsCannotHoldAreLeftToWideWords) {
  // One projection a thousand times weaker than the other; constants without a common unit.
  EXPECT_EQ(pointneuron::weight_unit(std::vector<pointneuron::WeightRange>{{1, 0.1, 1.6}, {1e-3, 1e-4, 1.6e-3}}).fits,
            (std::vector<bool>{true, false}));
  EXPECT_EQ(pointneuron::weight_unit(std::vector<pointneuron::WeightRange>{{1, 0, 1}, {M_PI, 0, M_PI}}).fits,
            (std::vector<bool>{false, false}));
}

// -------------------------------------------------------------------------------------------------- networks ---------

/// Two populations of leaky neurons with the given weights (nA) and delays, driven by constant current.
network::Circuit network_of(Distribution weight, Distribution delay, std::size_t cells = 200, double duration_ms = 80) {
  network::Circuit circuit = testing::cells_of(network::LifModel{}, cells, duration_ms, 0.1);
  circuit.populations.push_back(circuit.populations[0]);
  circuit.populations[1].name = "inhibitory";
  circuit.populations[1].size = cells / 4;
  for (std::size_t p = 0; p < 2; ++p) {
    circuit.populations[p].V_init_mV = Distribution{Kind::uniform, 0, 0, -65, -50};
    testing::add_step_current(circuit, 0, 1e9, 0.45, p);
  }
  const struct {
    Shape shape;
    double tau;
    int sign;
  } types[] = {
      {Shape::exponential, 0.5, 1}, {Shape::exponential, 0.5, -1}, {Shape::alpha, 1.5, -1}, {Shape::delta, 0, 1}};
  for (const auto& t : types) {
    network::SynapseType type;
    type.name = "type" + std::to_string(circuit.synapse_types.size());
    type.point = network::CurrentSynapse{t.shape, t.tau, t.sign};
    circuit.synapse_types.push_back(type);
  }
  const auto connect = [&](std::size_t source, std::size_t target, std::size_t type, std::uint64_t number) {
    network::ConnectionRule rule;
    rule.kind = network::ConnectionRule::Kind::fixed_total_number;
    rule.number = number;
    rule.autapses = true;
    rule.weight = weight;
    rule.delay_ms = delay;
    network::Projection p;
    p.name = std::to_string(circuit.projections.size());
    p.source = source;
    p.target = target;
    p.synapse_type = type;
    p.connectivity = rule;
    circuit.projections.push_back(p);
  };
  connect(0, 0, 0, cells * 20);
  connect(0, 1, 0, cells * 6);
  connect(1, 0, 1, cells * 18);
  connect(1, 1, 2, cells * 5);
  connect(0, 1, 3, cells * 4);
  return circuit;
}

/// The same network, cell by cell and event by event, in doubles. Weights must be whole multiples of a power of two, so
/// that sums are exact.
std::vector<testing::Spike> plain_simulation(const network::Circuit& circuit) {
  const network::LifModel m;
  const double h = circuit.run.dt_ms, b = m.g_L_uS / m.C_m_nF;
  struct Event {
    std::size_t type;
    double weight;
  };
  struct Cell {
    double V, I_fast = 0, I_slow = 0, x = 0;
    int held = 0;
    std::vector<std::vector<Event>> arriving;
  };
  const std::int64_t steps = std::llround(circuit.run.duration_ms / h);
  std::vector<std::vector<Cell>> cells(2);
  for (std::size_t p = 0; p < 2; ++p) {
    std::vector<double> V(circuit.populations[p].size);
    network::draw(*circuit.populations[p].V_init_mV,
                  core::RandomStream(circuit.run.seed, core::Purpose::initial_state, p << 32), V);
    for (const double v : V) cells[p].push_back({v, 0, 0, 0, 0, std::vector<std::vector<Event>>(steps + 2)});
  }
  std::vector<network::EdgeList> edges;
  for (std::size_t p = 0; p < circuit.projections.size(); ++p) edges.push_back(network::edges_of(circuit, p));
  const auto decay = [&](double tau) { return std::exp(-h / tau); };
  // exp(A h) for I = exp(-a t): (exp(-a h) - exp(-b h)) / (b - a), and for t exp(-a t)
  const auto V_from_I = [&](double tau) { return (decay(tau) - std::exp(-b * h)) / (b - 1 / tau) / m.C_m_nF; };
  const auto V_from_x = [&](double tau) {
    const double d = b - 1 / tau;
    return (h * decay(tau) / d - (decay(tau) - std::exp(-b * h)) / (d * d)) / m.C_m_nF;
  };
  std::vector<testing::Spike> spikes;
  for (std::int64_t step = 0; step < steps; ++step) {
    for (std::uint32_t p = 0; p < 2; ++p) {
      for (std::uint32_t c = 0; c < cells[p].size(); ++c) {
        Cell& cell = cells[p][c];
        double jump = 0;
        for (const Event& e : cell.arriving[step]) {
          if (e.type == 0) cell.I_fast += e.weight;
          if (e.type == 1) cell.I_fast -= e.weight;
          if (e.type == 2) cell.x -= e.weight * M_E / 1.5;
        }
        for (const Event& e : cell.arriving[step + 1]) jump += e.type == 3 ? e.weight : 0;
        cell.V = m.E_L_mV + (cell.V - m.E_L_mV) * std::exp(-b * h) + 0.45 / m.g_L_uS * (1 - std::exp(-b * h)) +
                 V_from_I(0.5) * cell.I_fast + V_from_I(1.5) * cell.I_slow + V_from_x(1.5) * cell.x + jump;
        cell.I_fast *= decay(0.5);
        cell.I_slow = cell.I_slow * decay(1.5) + h * decay(1.5) * cell.x;
        cell.x *= decay(1.5);
        if (cell.held > 0) {
          --cell.held;
          cell.V = m.V_reset_mV;
        } else if (cell.V >= m.V_threshold_mV) {
          cell.V = m.V_reset_mV;
          cell.held = 20;
          spikes.push_back({p, static_cast<double>(step + 1) * h, c});
          for (std::size_t q = 0; q < edges.size(); ++q) {
            if (circuit.projections[q].source != p) continue;
            for (std::size_t e = 0; e < edges[q].size(); ++e) {
              if (edges[q].sources[e] != c) continue;
              const std::int64_t arrival =
                  step + 1 + std::max<std::int64_t>(1, std::llround(edges[q].delays_ms[e] / h));
              if (arrival <= steps)
                cells[circuit.projections[q].target][edges[q].targets[e]].arriving[arrival].push_back(
                    {circuit.projections[q].synapse_type, edges[q].weights[e]});
            }
          }
        }
      }
    }
  }
  return spikes;
}

TEST(PackedDelivery, ANetworkSpikesExactlyLikeOneSimulatedEventByEvent) {
  const network::Circuit circuit =
      network_of({Kind::constant, 0.03125, 0, 0, 0}, {Kind::uniform, 0, 0, 0.1, 3.0}, 80, 120);
  const auto expected = plain_simulation(circuit);
  ASSERT_GT(expected.size(), 100u);
  EXPECT_EQ(testing::run(circuit, 2).spikes, expected);
}

std::vector<testing::Spike> run_with(const network::Circuit& circuit, std::size_t threads,
                                     pointneuron::Options options) {
  testing::KeepingRecorder recorder;
  core::NoProgress progress;
  pointneuron::simulate(circuit, threads, recorder, progress, options);
  return recorder.spikes;
}

TEST(PackedDelivery, SpikesAreTheSameForAnyThreadsHorizonBlocksAndInstructionSet) {
  const struct {
    const char* what;
    Distribution weight, delay;
  } cases[] = {
      {"narrow words, delays from one step on", {Kind::normal, 0.03, 0.003, 0, 1}, {Kind::normal, 1.5, 0.75, 0.1, 20}},
      {"outliers in wide words", {Kind::lognormal, 0.02, 0.02, 0, 0}, {Kind::uniform, 0, 0, 0.3, 4}},
      {"delays longer than narrow words take", {Kind::normal, 0.03, 0.003, 0, 1}, {Kind::uniform, 0, 0, 1.0, 40}},
  };
  for (const auto& c : cases) {
    network::Circuit circuit = network_of(c.weight, c.delay);
    const std::size_t poisson = testing::add_spikes(circuit, 200, network::PoissonTrains{{0}, {8000}, 0.1});
    network::ConnectionRule rule;
    rule.kind = network::ConnectionRule::Kind::one_to_one;
    rule.weight.mean = 0.02;
    rule.delay_ms.mean = 1.5;
    network::Projection p;
    p.name = "drive";
    p.source = poisson;
    p.connectivity = rule;
    circuit.projections.push_back(p);
    const auto one = run_with(circuit, 1, {1, 1, core::Isa::baseline});
    ASSERT_GT(one.size(), 200u) << c.what;
    for (const std::size_t threads : {1u, 2u, 3u, 4u}) {
      for (const std::uint32_t horizon : {1u, 2u, 4u, 8u}) {
        const std::size_t blocks = 1 + (threads + horizon) % 5;
        EXPECT_TRUE(run_with(circuit, threads, {horizon, blocks, core::best_isa()}) == one)
            << c.what << ": " << threads << " threads, horizon " << horizon << ", blocks " << blocks;
      }
    }
  }
}

}  // namespace
}  // namespace triscale

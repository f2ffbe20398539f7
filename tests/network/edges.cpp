#include "network/edges.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <numbers>
#include <set>
#include <thread>

#include "core/error.hpp"
#include "tests/network/sample_circuit.hpp"

namespace triscale::network {
namespace {

using Kind = ConnectionRule::Kind;

/// Two point populations of the given sizes (or one, connected to itself) under a rule.
Circuit pair_circuit(std::size_t sources, std::size_t targets, const ConnectionRule& rule, bool recurrent = false) {
  Circuit c = sample::circuit();
  c.cell_types[0].detailed.reset();
  c.projections.resize(1);
  c.projections[0].source = 0;
  c.projections[0].target = recurrent ? 0 : 1;
  c.projections[0].connectivity = rule;
  c.populations[1].cell_type = 0;
  c.populations[0].size = sources;
  c.populations[1].size = targets;
  return c;
}

std::vector<std::size_t> in_degrees(const EdgeList& edges, std::size_t targets) {
  std::vector<std::size_t> degrees(targets, 0);
  for (const auto target : edges.targets) ++degrees[target];
  return degrees;
}

bool has_multapses(const EdgeList& edges) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> pairs;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (!pairs.insert({edges.sources[i], edges.targets[i]}).second) return true;
  }
  return false;
}

bool has_autapses(const EdgeList& edges) {
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges.sources[i] == edges.targets[i]) return true;
  }
  return false;
}

void expect_same(const EdgeList& a, const EdgeList& b) {
  EXPECT_EQ(a.sources, b.sources);
  EXPECT_EQ(a.targets, b.targets);
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.delays_ms, b.delays_ms);
  ASSERT_EQ(a.sites.size(), b.sites.size());
  for (std::size_t i = 0; i < a.sites.size(); ++i) {
    EXPECT_EQ(a.sites[i].section, b.sites[i].section);
    EXPECT_EQ(a.sites[i].position, b.sites[i].position);
  }
}

TEST(Edges, AllToAllLeavesOutOnlyAutapses) {
  const ConnectionRule rule = sample::rule(Kind::all_to_all, 0, 0);
  EXPECT_EQ(edges_of(pair_circuit(7, 5, rule), 0).size(), 35u);
  const EdgeList recurrent = edges_of(pair_circuit(7, 5, rule, true), 0);
  EXPECT_EQ(recurrent.size(), 42u);
  EXPECT_FALSE(has_autapses(recurrent));
  ConnectionRule with = rule;
  with.autapses = true;
  EXPECT_EQ(edges_of(pair_circuit(7, 5, with, true), 0).size(), 49u);
}

TEST(Edges, OneToOneConnectsEqualIndices) {
  const EdgeList edges = edges_of(pair_circuit(6, 6, sample::rule(Kind::one_to_one, 0, 0)), 0);
  ASSERT_EQ(edges.size(), 6u);
  EXPECT_EQ(edges.sources, edges.targets);
}

TEST(Edges, OneToOneMayGiveSeveralPrivateSources) {
  const EdgeList edges = edges_of(pair_circuit(6, 3, sample::rule(Kind::one_to_one, 0, 2)), 0);
  EXPECT_EQ(edges.sources, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(edges.targets, (std::vector<std::uint32_t>{0, 0, 1, 1, 2, 2}));
}

TEST(Edges, BernoulliHasBinomialDegreesAndEverySourceIsEquallyLikely) {
  const double p = 0.07;
  const std::size_t n = 500, m = 400;
  const EdgeList edges = edges_of(pair_circuit(n, m, sample::rule(Kind::pairwise_bernoulli, p, 0)), 0);
  EXPECT_FALSE(has_multapses(edges));
  const double mean = n * p, variance = n * p * (1 - p);
  double sum = 0, squares = 0;
  for (const auto degree : in_degrees(edges, m)) {
    sum += static_cast<double>(degree);
    squares += (static_cast<double>(degree) - mean) * (static_cast<double>(degree) - mean);
  }
  EXPECT_NEAR(sum / m, mean, 5 * std::sqrt(variance / m));
  EXPECT_NEAR(squares / m, variance, 5 * variance * std::sqrt(2.0 / m));
  std::vector<double> out(n, 0);
  for (const auto source : edges.sources) out[source] += 1;
  double chi2 = 0;
  for (const double count : out) chi2 += (count - m * p) * (count - m * p) / (m * p * (1 - p));
  EXPECT_NEAR(chi2, n, 5 * std::sqrt(2.0 * n));
}

TEST(Edges, BernoulliOfProbabilityZeroAndOneIsNoneAndAll) {
  EXPECT_EQ(edges_of(pair_circuit(9, 4, sample::rule(Kind::pairwise_bernoulli, 0, 0)), 0).size(), 0u);
  EXPECT_EQ(edges_of(pair_circuit(9, 4, sample::rule(Kind::pairwise_bernoulli, 1, 0)), 0).size(), 36u);
}

TEST(Edges, FixedInDegreeIsExactWithAndWithoutMultapses) {
  EXPECT_TRUE(rc::check("fixed in-degree", [] {
    const auto n = *rc::gen::inRange<std::size_t>(2, 60);
    const bool multapses = *rc::gen::arbitrary<bool>();
    const bool recurrent = *rc::gen::arbitrary<bool>();
    const auto k = *rc::gen::inRange<std::size_t>(0, n);
    ConnectionRule rule = sample::rule(Kind::fixed_in_degree, 0, k);
    rule.multapses = multapses;
    const EdgeList edges = edges_of(pair_circuit(n, n, rule, recurrent), 0);
    for (const auto degree : in_degrees(edges, n)) RC_ASSERT(degree == k);
    if (recurrent) RC_ASSERT(!has_autapses(edges));
    if (!multapses) RC_ASSERT(!has_multapses(edges));
  }));
}

TEST(Edges, FixedTotalNumberIsExactWithAndWithoutMultapses) {
  EXPECT_TRUE(rc::check("fixed total number", [] {
    const auto n = *rc::gen::inRange<std::size_t>(2, 30);
    const bool multapses = *rc::gen::arbitrary<bool>();
    const bool recurrent = *rc::gen::arbitrary<bool>();
    const auto total = *rc::gen::inRange<std::size_t>(0, n * (n - 1) + 1);
    ConnectionRule rule = sample::rule(Kind::fixed_total_number, 0, total);
    rule.multapses = multapses;
    const EdgeList edges = edges_of(pair_circuit(n, n, rule, recurrent), 0);
    RC_ASSERT(edges.size() == total);
    if (recurrent) RC_ASSERT(!has_autapses(edges));
    if (!multapses) RC_ASSERT(!has_multapses(edges));
  }));
}

TEST(Edges, FixedTotalNumberSpreadsLikeIndependentDraws) {
  const std::size_t n = 300;
  const EdgeList edges = edges_of(pair_circuit(n, n, sample::rule(Kind::fixed_total_number, 0, 30000)), 0);
  double chi2 = 0;
  for (const auto degree : in_degrees(edges, n)) chi2 += std::pow(static_cast<double>(degree) - 100.0, 2) / 100.0;
  EXPECT_NEAR(chi2, n, 5 * std::sqrt(2.0 * n));
}

TEST(Edges, ATargetsEdgesDoNotDependOnTheOtherTargets) {
  for (const Kind kind : {Kind::pairwise_bernoulli, Kind::fixed_in_degree}) {
    ConnectionRule rule = sample::rule(kind, 0.3, 5);
    rule.weight = {Distribution::Kind::lognormal, 0.002, 0.001, 0, 0};
    const EdgeList few = edges_of(pair_circuit(50, 10, rule), 0), many = edges_of(pair_circuit(50, 90, rule), 0);
    ASSERT_LT(few.size(), many.size());
    for (std::size_t i = 0; i < few.size(); ++i) {
      EXPECT_EQ(few.sources[i], many.sources[i]);
      EXPECT_EQ(few.targets[i], many.targets[i]);
      EXPECT_EQ(few.weights[i], many.weights[i]);
    }
  }
}

TEST(Edges, AreTheSameInEveryThreadAndOrderOfAsking) {
  const Circuit c = sample::circuit();
  std::vector<EdgeList> forwards(c.projections.size());
  for (std::size_t p = 0; p < forwards.size(); ++p) forwards[p] = edges_of(c, p);
  std::vector<EdgeList> threaded(c.projections.size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t p = threaded.size(); p-- > 0;) threads.emplace_back([&, p] { threaded[p] = edges_of(c, p); });
  }
  for (std::size_t p = 0; p < forwards.size(); ++p) expect_same(forwards[p], threaded[p]);
}

TEST(Edges, SeedAndProjectionChangeThem) {
  Circuit c = sample::circuit();
  const EdgeList first = edges_of(c, 0);
  c.run.seed = 2;
  EXPECT_NE(edges_of(c, 0).sources, first.sources);
  c.run.seed = 1;
  c.projections.push_back(c.projections[0]);
  EXPECT_NE(edges_of(c, 4).sources, first.sources);
}

TEST(Edges, WeightsFollowTheirDistribution) {
  ConnectionRule rule = sample::rule(Kind::all_to_all, 0, 0);
  rule.weight = {Distribution::Kind::lognormal, 0.002, 0.001, 0, 0};
  rule.delay_ms = {Distribution::Kind::normal, 1.5, 0.5, 0.1, 2.9};
  const EdgeList edges = edges_of(pair_circuit(200, 200, rule), 0);
  const auto n = static_cast<double>(edges.size());
  double mean = 0, square = 0, delay = 0;
  for (const double w : edges.weights) mean += w / n;
  for (const double w : edges.weights) square += (w - mean) * (w - mean) / n;
  EXPECT_NEAR(mean, 0.002, 5 * 0.001 / std::sqrt(n));
  EXPECT_NEAR(std::sqrt(square), 0.001, 0.00005);
  for (const double d : edges.delays_ms) {
    EXPECT_GE(d, 0.1);
    EXPECT_LE(d, 2.9);
    delay += d / n;
  }
  EXPECT_NEAR(delay, 1.5, 5 * 0.5 / std::sqrt(n)) << "cut symmetrically, so the mean stays";
}

TEST(Edges, UniformDistributionFillsItsRange) {
  ConnectionRule rule = sample::rule(Kind::all_to_all, 0, 0);
  rule.weight = {Distribution::Kind::uniform, 0, 0, 0.001, 0.003};
  const EdgeList edges = edges_of(pair_circuit(100, 100, rule), 0);
  double mean = 0;
  for (const double w : edges.weights) {
    ASSERT_TRUE(w > 0.001 && w < 0.003);
    mean += w / static_cast<double>(edges.size());
  }
  EXPECT_NEAR(mean, 0.002, 5 * 0.002 / std::sqrt(12.0 * static_cast<double>(edges.size())));
}

TEST(Edges, PlacesFollowTheMembraneArea) {
  Circuit c = sample::circuit();
  c.projections[0].connectivity = sample::rule(Kind::all_to_all, 0, 0);
  c.projections[0].placement.kinds = {SectionKind::basal, SectionKind::apical};
  const EdgeList edges = edges_of(c, 0);
  ASSERT_EQ(edges.sites.size(), edges.size());
  const double first = std::numbers::pi * 3 * std::hypot(1, 100);
  const double second = std::numbers::pi * 2 * 50 + std::numbers::pi * 1.5 * std::hypot(0.5, 50);
  const double third = std::numbers::pi * 2 * std::hypot(1, 200);
  const auto n = static_cast<double>(edges.size());
  std::array<double, 4> share{};
  for (const Site& site : edges.sites) share[site.section] += 1 / n;
  EXPECT_EQ(share[0], 0);
  EXPECT_NEAR(share[1], first / (first + second + third), 5 * 0.5 / std::sqrt(n));
  EXPECT_NEAR(share[2], second / (first + second + third), 5 * 0.5 / std::sqrt(n));
}

TEST(Edges, ExplicitEdgesAreSortedByTargetKeepingTheirOrder) {
  Circuit c = sample::circuit();
  ExplicitEdges given{
      {3, 1, 2, 0}, {5, 0, 5, 0}, {0.1, 0.2, 0.3, 0.4}, {1, 2, 3, 4}, {{1, 0.1}, {1, 0.2}, {1, 0.3}, {1, 0.4}}};
  c.projections[0].connectivity = given;
  const EdgeList edges = edges_of(c, 0);
  EXPECT_EQ(edges.targets, (std::vector<std::uint32_t>{0, 0, 5, 5}));
  EXPECT_EQ(edges.sources, (std::vector<std::uint32_t>{1, 0, 3, 2}));
  EXPECT_EQ(edges.weights, (std::vector<double>{0.2, 0.4, 0.1, 0.3}));
  EXPECT_EQ(edges.delays_ms, (std::vector<double>{2, 4, 1, 3}));
  EXPECT_DOUBLE_EQ(edges.sites[2].position, 0.1);
}

TEST(Edges, MissingPlacesOfExplicitEdgesAreDrawn) {
  Circuit c = sample::circuit();
  c.projections[0].connectivity = ExplicitEdges{{0, 1, 2}, {2, 1, 2}, {1, 1, 1}, {1, 1, 1}, {}};
  const EdgeList edges = edges_of(c, 0);
  ASSERT_EQ(edges.sites.size(), 3u);
  EXPECT_NE(edges.sites[1].position, edges.sites[2].position);
  c.cell_types[1].detailed.reset();
  EXPECT_TRUE(edges_of(c, 0).sites.empty()) << "a cell without morphology has no places";
}

TEST(Edges, ImpossibleRulesAreInputErrorsWithAHint) {
  ConnectionRule rule = sample::rule(Kind::fixed_in_degree, 0, 10);
  rule.multapses = false;
  for (const Circuit& c : {pair_circuit(9, 5, rule), pair_circuit(10, 5, rule, true),
                           pair_circuit(9, 5, sample::rule(Kind::one_to_one, 0, 0)),
                           pair_circuit(9, 5, sample::rule(Kind::pairwise_bernoulli, 1.5, 0))}) {
    try {
      edges_of(c, 0);
      ADD_FAILURE() << "no error";
    } catch (const core::InputError& e) {
      EXPECT_FALSE(e.problems()[0].hint.empty());
    }
  }
}

TEST(Edges, EmptyPlacementIsAnInputErrorWithAHint) {
  Circuit c = sample::circuit();
  c.projections[0].placement.min_distance_um = 5000;
  try {
    edges_of(c, 0);
    ADD_FAILURE() << "no error";
  } catch (const core::InputError& e) {
    EXPECT_FALSE(e.problems()[0].hint.empty());
  }
}

TEST(PointEdges, CarryWeightAndDelayToTheSoma) {
  Circuit c = sample::circuit();
  PointSynapse synapse;
  synapse.receptors = {BiexponentialSynapse{0.5, 2, 0}, BiexponentialSynapse{1, 4, 0}};
  synapse.sites = {{1, 0, 0.5, 0.8, 10, 0.25, 0}, {1, 0.5, 1, 0.5, 50, 0.75, 1}};
  c.synapse_types[0].point = synapse;
  c.projections[0].connectivity = ExplicitEdges{{0, 1}, {0, 0}, {0.002, 0.004}, {1, 2}, {{1, 0.25}, {1, 0.75}}};
  const PointEdgeList edges = point_edges_of(c, 0, edges_of(c, 0));
  EXPECT_DOUBLE_EQ(edges.weights[0], 0.8 * 0.002 / (1 + 10 * 0.002));
  EXPECT_DOUBLE_EQ(edges.weights[1], 0.5 * 0.004 / (1 + 50 * 0.004));
  EXPECT_EQ(edges.delays_ms, (std::vector<double>{1.25, 2.75}));
  EXPECT_EQ(edges.receptors, (std::vector<std::uint32_t>{0, 1}));
}

TEST(PointEdges, OfSeveralReceptorsShareTheTable) {
  Circuit c = sample::circuit();
  ReceptorSynapse synapse;
  synapse.receptors = {{{0.5, 2, 0}, 1, 0}, {{2, 60, 0}, 0.5, 1}};
  synapse.sites = {{1, 0, 0.5, 0.8, 10, 0.25, 0}, {1, 0.5, 1, 0.5, 50, 0.75, 0}};
  c.synapse_types[0].point = synapse;
  c.projections[0].connectivity = ExplicitEdges{{0, 1}, {0, 0}, {0.002, 0.004}, {1, 2}, {{1, 0.25}, {1, 0.75}}};
  const PointEdgeList edges = point_edges_of(c, 0, edges_of(c, 0));
  EXPECT_DOUBLE_EQ(edges.weights[1], 0.5 * 0.004 / (1 + 50 * 0.004));
  EXPECT_EQ(edges.delays_ms, (std::vector<double>{1.25, 2.75}));
  EXPECT_EQ(edges.receptors, (std::vector<std::uint32_t>{0, 0}));
}

TEST(PointEdges, WithoutATableKeepWeightAndDelay) {
  const Circuit c = sample::circuit();
  const EdgeList edges = edges_of(c, 0);
  const PointEdgeList point = point_edges_of(c, 0, edges);
  EXPECT_EQ(point.weights, edges.weights);
  EXPECT_EQ(point.delays_ms, edges.delays_ms);
}

TEST(PointEdges, AMissingDescriptionOrRowIsAnInputError) {
  Circuit c = sample::circuit();
  const EdgeList inhibitory = edges_of(c, 1);
  EXPECT_THROW(point_edges_of(c, 1, inhibitory), core::InputError) << "no point description";
  auto& synapse = std::get<PointSynapse>(*c.synapse_types[0].point);
  synapse.sites = {{1, 0, 1, 0.8, 0, 0, 0}};
  EXPECT_THROW(point_edges_of(c, 0, edges_of(c, 0)), core::InputError) << "no row for sections 2 and 3";
}

TEST(HashEdges, DoesNotDependOnTheOrderInWhichEdgesAreMade) {
  EXPECT_EQ(hash_edges(kEdgeHashStart, 0, EdgeList{}), kEdgeHashStart);
  const EdgeList forth{{1, 2, 1}, {3, 4, 3}, {0.5, 0.25, 0.5}, {1, 2, 1}, {}};
  const EdgeList back{{1, 1, 2}, {3, 3, 4}, {0.5, 0.5, 0.25}, {1, 1, 2}, {}};
  const std::uint64_t all = hash_edges(kEdgeHashStart, 5, forth);
  EXPECT_EQ(hash_edges(kEdgeHashStart, 5, back), all);
  const TargetEdges three{{1, 1}, {0.5, 0.5}, {1, 1}, {}}, four{{2}, {0.25}, {2}, {}};
  EXPECT_EQ(hash_edges(hash_edges(kEdgeHashStart, 5, 4, four), 5, 3, three), all);
  EXPECT_NE(hash_edges(kEdgeHashStart, 5, EdgeList{{2}, {4}, {0.25}, {2}, {}}), all) << "a double synapse counts twice";
}

TEST(HashEdges, SeesEveryField) {
  const EdgeList base{{1, 2}, {3, 4}, {0.5, 0.25}, {1, 2}, {}};
  const auto hash = [](const EdgeList& e) { return hash_edges(kEdgeHashStart, 7, e); };
  std::set<std::uint64_t> hashes{hash(base), hash_edges(kEdgeHashStart, 8, base), hash_edges(1, 7, base)};
  EdgeList changed = base;
  changed.sources[1] = 3;
  hashes.insert(hash(changed));
  changed = base;
  changed.targets[0] = 4;
  hashes.insert(hash(changed));
  changed = base;
  changed.weights[0] = std::nextafter(0.5, 1.0);
  hashes.insert(hash(changed));
  changed = base;
  changed.delays_ms[1] = std::nextafter(2.0, 3.0);
  hashes.insert(hash(changed));
  changed = base;
  std::swap(changed.sources[0], changed.sources[1]);
  hashes.insert(hash(changed));
  EXPECT_EQ(hashes.size(), 8u);
}

}  // namespace
}  // namespace triscale::network

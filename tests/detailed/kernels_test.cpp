// The sets of kernels, and the independence of a cell's result from where it is computed.
#include "detailed/kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "detailed/cell_group.hpp"
#include "detailed/channels.hpp"
#include "detailed/nav.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::detailed {
namespace {

using network::SectionKind;

/// `nodes` nodes at potentials of a fine grid, with arrays for one mechanism of `n` states.
struct Membrane {
  Membrane(std::size_t nodes, int n) {
    for (auto* array : {&V, &G, &GE, &Ca, &E_Ca, &i_Ca, &g_Ca}) array->assign(nodes * kColumns, Lanes{});
    states.assign(nodes * n * kColumns, Lanes{});
    for (std::size_t i = 0; i < nodes; ++i) {
      places.push_back(static_cast<std::uint32_t>(i));
      conductances.push_back(0.3);
    }
    // Every half millivolt, the singular points of the rates among them.
    for (std::size_t i = 0; i < nodes * kColumns; ++i) {
      for (int lane = 0; lane < kLaneWidth; ++lane) {
        const double at = static_cast<double>(i * kLaneWidth) + lane;
        V[i][lane] = -160.0 + 0.5 * at;
        Ca[i][lane] = 1e-6 * std::exp(0.02 * at);
        E_Ca[i][lane] = 120;
      }
    }
  }
  MembraneView view() {
    return {V.data(), G.data(), GE.data(), Ca.data(), E_Ca.data(), i_Ca.data(), g_Ca.data(), GE.data()};
  }
  Instances all() { return {0, places.size(), places.data(), conductances.data(), conductances.data(), states.data()}; }
  LaneArray V, G, GE, Ca, E_Ca, i_Ca, g_Ca, states;
  std::vector<std::uint32_t> places;
  std::vector<double> conductances;
};

void expect_close(const LaneArray& a, const LaneArray& b, double relative, const char* what) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (int lane = 0; lane < kLaneWidth; ++lane) {
      ASSERT_TRUE(std::isfinite(a[i][lane])) << what << " at " << i;
      ASSERT_NEAR(a[i][lane], b[i][lane], relative * (std::abs(a[i][lane]) + 1e-30)) << what << " at " << i;
    }
  }
}

void expect_equal(const LaneArray& a, const LaneArray& b, const char* what) {
  ASSERT_EQ(a.size(), b.size());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), a.size() * sizeof(Lanes)), 0) << what;
}

/// To rounding, or (`exact`) bit by bit.
template <int n>
void compare_sets(const ChannelKernels& one, const ChannelKernels& other, const char* channel, bool exact) {
  Membrane a(64, n), b(64, n);
  const auto run = [](const ChannelKernels& kernels, Membrane& m) {
    kernels.initialise(m.all(), m.view(), 2.5);
    for (Lanes& V : m.V) V += 3.0;  // away from the steady state
    for (int step = 0; step < 20; ++step) kernels.advance(m.all(), m.view(), 2.5, 0.1);
    kernels.add(m.all(), m.view(), -85);
  };
  run(one, a);
  run(other, b);
  if (exact) {
    expect_equal(a.states, b.states, channel);
    expect_equal(a.G, b.G, channel);
    expect_equal(a.GE, b.GE, channel);
    return;
  }
  expect_close(a.states, b.states, 3e-13, channel);
  expect_close(a.G, b.G, 3e-12, channel);
}

void compare_all_channels(const Kernels& one, const Kernels& other, bool exact) {
#define TRISCALE_COMPARE(Channel) compare_sets<Channel::n_gates>(one.Channel, other.Channel, #Channel, exact);
  TRISCALE_FOR_ALL_CHANNELS(TRISCALE_COMPARE)
#undef TRISCALE_COMPARE
  const auto nav = [](const Kernels& k) { return ChannelKernels{k.nav_initialise, k.nav_advance, k.nav_add}; };
  compare_sets<NavScheme::kStates>(nav(one), nav(other), "NaV", exact);
  const auto second = [](const Kernels& k) {
    return ChannelKernels{k.nav_initialise, k.nav_advance_second_order, k.nav_add};
  };
  compare_sets<NavScheme::kStates>(second(one), second(other), "NaV, second order", exact);
}

TEST(Kernels, FusedAndBaselineAgreeToRoundingForEveryChannel) {
  if (!fused_kernels()) GTEST_SKIP() << "no fused multiply-add here";
  compare_all_channels(baseline_kernels(), *fused_kernels(), false);
}

TEST(Kernels, VectorsOf512BitsGiveTheBitsOf256ForEveryChannel) {
  if (!fused512_kernels()) GTEST_SKIP() << "no 512-bit vectors here";
  compare_all_channels(*fused_kernels(), *fused512_kernels(), true);
}

/// Synapses, tree and fields of a little tree with two branches.
struct Tree {
  static constexpr std::size_t kNodes = 7, kSlots = 5, kSamples = 11;
  Tree() : membrane(kNodes, 1), rise(kSlots * kColumns), decay(kSlots * kColumns) {
    membrane.G.assign(kNodes * kColumns, broadcast<Lanes>(0.7));
    membrane.GE.assign(kNodes * kColumns, broadcast<Lanes>(-40.0));
    for (std::size_t s = 0; s < kSlots; ++s) {
      const auto x = static_cast<double>(s);
      slots.push_back({static_cast<std::uint32_t>(s + 1), 0.3 + 0.1 * x, 0.9 - 0.1 * x, -70 + 20 * x, 0.2 * x, 1e-30});
      for (int c = 0; c < kColumns; ++c) {
        rise[s * kColumns + c] = Lanes{0.01, 0.02, 0, 0.03 * x};
        decay[s * kColumns + c] = Lanes{0.05, 0.04, 0, 0.06 * x + c};
      }
    }
  }
  void run(const Kernels& k, bool to_middle) {
    const SynapseView synapses{slots.data(), &active, rise.data(), decay.data()};
    Membrane& m = membrane;
    const TreeView tree{kNodes, parents, by_depth, g_axial, constants, constants, constants};
    k.start_step(tree, 0, kNodes, m.V.data(), m.G.data(), m.GE.data());
    k.constant_add(m.all(), m.view(), -60);
    k.calcium_prepare(m.all(), m.view(), pool, 0.01);
    k.add_synapses(synapses, 0, 3, m.G.data(), m.GE.data());
    k.add_blocked_synapses(synapses, 3, kSlots, m.V.data(), m.G.data(), m.GE.data());
    (to_middle ? k.solve_tree_to_middle : k.solve_tree)(tree, m.V.data(), m.G.data(), m.GE.data());
    k.calcium_advance(m.all(), m.view(), pool, 0.02);
    constexpr std::uint32_t up[] = {0, 1, 2, 3, 2, 5}, down[] = {1, 2, 3, 4, 5, 6};
    std::vector<FieldLanes, LaneAllocator<FieldLanes>> weights(6 * kFieldTile), currents(kSamples * 6);
    products.assign(kSamples * kFieldTile, FieldLanes{});
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = FieldLanes{} + 0.1f * static_cast<float>(i);
    for (std::size_t t = 0; t < kSamples; ++t) {
      k.add_differences(6, down, up, m.V.data(), currents.data() + t * 6, true);
      k.add_differences(6, down, up, m.V.data(), currents.data() + t * 6, false);
    }
    k.multiply_field(6, 1, weights.data(), currents.data(), kSamples, products.data());
  }
  Membrane membrane;
  std::vector<SynapseSlot> slots;
  std::uint64_t active = 0b11111;
  LaneArray rise, decay;
  std::vector<FieldLanes, LaneAllocator<FieldLanes>> products;
  CalciumPool pool{-0.1, 80, 1e-4, 13, 2, true};
  static constexpr std::int32_t parents[] = {-1, 0, 1, 2, 3, 2, 5};
  static constexpr std::uint32_t by_depth[] = {1, 2, 3, 5, 4, 6};
  static constexpr double g_axial[] = {0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6};
  static constexpr double constants[] = {2, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6};
};

TEST(Kernels, VectorsOf512BitsGiveTheBitsOf256ForTheTreeSynapsesCalciumAndFields) {
  if (!fused512_kernels()) GTEST_SKIP() << "no 512-bit vectors here";
  for (const bool to_middle : {false, true}) {
    Tree a, b;
    a.run(*fused_kernels(), to_middle);
    b.run(*fused512_kernels(), to_middle);
    for (LaneArray Membrane::*array : {&Membrane::V, &Membrane::G, &Membrane::GE, &Membrane::Ca, &Membrane::E_Ca}) {
      expect_equal(a.membrane.*array, b.membrane.*array, "membrane");
    }
    expect_equal(a.rise, b.rise, "rise");
    expect_equal(a.decay, b.decay, "decay");
    EXPECT_EQ(std::memcmp(a.products.data(), b.products.data(), a.products.size() * sizeof(FieldLanes)), 0);
    EXPECT_NE(a.products[0][0], 0);
  }
}

/// What is left of a conductance after a hundred time constants does not keep a slot at work, and NaN is not lost.
TEST(Kernels, ASlotRestsOnceItsConductancesAreNegligibleInEveryCell) {
  for (const Kernels* k : {&baseline_kernels(), fused_kernels(), fused512_kernels()}) {
    if (!k) continue;
    Tree tree;
    tree.slots[1].keep_decay = 1;  // does not decay
    tree.decay[2 * kColumns + 1][2] = std::numeric_limits<double>::quiet_NaN();
    const SynapseView synapses{tree.slots.data(), &tree.active, tree.rise.data(), tree.decay.data()};
    for (int step = 0; step < 400; ++step)
      k->add_synapses(synapses, 0, 4, tree.membrane.G.data(), tree.membrane.GE.data());
    EXPECT_EQ(tree.active, 0b10110u) << k->name;  // slot 4 was not asked for
    EXPECT_EQ(tree.decay[0][0], 0) << k->name;
    EXPECT_EQ(tree.decay[kColumns][0], 0.04 + 0.01) << k->name;
    EXPECT_TRUE(std::isnan(tree.decay[2 * kColumns + 1][2])) << k->name;
  }
}

/// Gates beyond +-400 mV are those of +-400 mV, and a potential that is not a number is not hidden.
TEST(Kernels, RatesStayFiniteFarOutsideThePhysiologicalRange) {
  for (const Kernels* k : {&baseline_kernels(), fused_kernels(), fused512_kernels()}) {
    if (!k) continue;
    const auto check = [](const ChannelKernels& kernels, int n, bool by_voltage, const char* channel) {
      for (const double V : {-1e6, -400.0, 400.0, 1e6}) {
        Membrane m(1, n);
        for (Lanes& x : m.V) x = broadcast<Lanes>(V);
        kernels.initialise(m.all(), m.view(), 2.5);
        kernels.advance(m.all(), m.view(), 2.5, 0.1);
        for (const Lanes& x : m.states) ASSERT_TRUE(x[0] >= 0 && x[0] <= 1 + 1e-12) << channel << " at " << V;
      }
      if (!by_voltage) return;
      Membrane m(1, n);
      kernels.initialise(m.all(), m.view(), 2.5);
      m.V[0][2] = std::numeric_limits<double>::quiet_NaN();
      kernels.advance(m.all(), m.view(), 2.5, 0.1);
      EXPECT_TRUE(std::isnan(m.states[0][2])) << channel;
      EXPECT_FALSE(std::isnan(m.states[0][1])) << channel;
    };
#define TRISCALE_CHECK(Channel) check(k->Channel, Channel::n_gates, !Channel::needs_calcium, #Channel);
    TRISCALE_FOR_ALL_CHANNELS(TRISCALE_CHECK)
#undef TRISCALE_CHECK
  }
}

/// A cell with every channel, alone in a group and in any lane among others, gives the same bits.
TEST(Kernels, ACellsBitsDoNotDependOnItsLaneItsColumnOrItsNeighbours) {
  network::DetailedCell cell = test::passive_cell(
      {test::cylinder(20, 20, SectionKind::soma), test::cylinder(400, 2, SectionKind::basal, 0)}, 100, 5e-5, -80);
  for (const char* name : {"NaTs", "Nap", "K_T", "K_P", "Kv2like", "Kv3_1", "Kd", "Im", "Im_v2", "Ih", "Ca_HVA",
                           "Ca_LVA", "SK", "NaV", "hh", "CaDynamics"}) {
    cell.mechanisms.push_back({name, SectionKind::soma, {}});
    if (name != std::string("hh")) cell.mechanisms.push_back({name, SectionKind::basal, {}});
  }
  const CellTemplate type{cell, build_compartments(cell, {}), 34};
  const auto run = [&](std::size_t cells, std::size_t lane) {
    CellGroup group(type, cells, 0.025, -80, {});
    for (std::int64_t step = 0; step < 400; ++step) {
      for (std::size_t c = 0; c < cells; ++c) {
        group.inject(c, type.tree.soma(), c == lane ? 0.5 : 0.1 * static_cast<double>(c));
      }
      group.advance(step);
    }
    std::vector<double> V;
    for (std::size_t node = 0; node < type.tree.size(); ++node) V.push_back(group.V_mV(lane, node));
    return V;
  };
  const std::vector<double> alone = run(1, 0);
  for (std::size_t lane = 0; lane < kGroupCells; ++lane) EXPECT_EQ(run(kGroupCells, lane), alone) << lane;
}

}  // namespace
}  // namespace triscale::detailed

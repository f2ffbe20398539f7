// The two sets of kernels, and the independence of a cell's result from where it is computed.
#include "detailed/kernels.hpp"

#include <gtest/gtest.h>

#include <cmath>
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
  MembraneView view() { return {V.data(), G.data(), GE.data(), Ca.data(), E_Ca.data(), i_Ca.data(), g_Ca.data()}; }
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

template <int n>
void compare_sets(const ChannelKernels& one, const ChannelKernels& other, const char* channel) {
  Membrane a(64, n), b(64, n);
  const auto run = [](const ChannelKernels& kernels, Membrane& m) {
    kernels.initialise(m.all(), m.view(), 2.5);
    for (Lanes& V : m.V) V += 3.0;  // away from the steady state
    for (int step = 0; step < 20; ++step) kernels.advance(m.all(), m.view(), 2.5, 0.1);
    kernels.add(m.all(), m.view(), -85);
  };
  run(one, a);
  run(other, b);
  expect_close(a.states, b.states, 3e-13, channel);
  expect_close(a.G, b.G, 3e-12, channel);
}

TEST(Kernels, FusedAndBaselineAgreeToRoundingForEveryChannel) {
  const Kernels* fused = fused_kernels();
  if (!fused) GTEST_SKIP() << "no fused multiply-add here";
#define TRISCALE_COMPARE(Channel) compare_sets<Channel::n_gates>(baseline_kernels().Channel, fused->Channel, #Channel);
  TRISCALE_FOR_ALL_CHANNELS(TRISCALE_COMPARE)
#undef TRISCALE_COMPARE
  const auto nav = [](const Kernels& k) { return ChannelKernels{k.nav_initialise, k.nav_advance, k.nav_add}; };
  compare_sets<NavScheme::kStates>(nav(baseline_kernels()), nav(*fused), "NaV");
}

/// Gates beyond +-400 mV are those of +-400 mV, and a potential that is not a number is not hidden.
TEST(Kernels, RatesStayFiniteFarOutsideThePhysiologicalRange) {
  for (const Kernels* k : {&baseline_kernels(), fused_kernels()}) {
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

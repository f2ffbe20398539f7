#include "bridges/cable/impedance.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <numbers>

#include "bridges/cable/quasi_active.hpp"
#include "core/random.hpp"

namespace triscale::bridges {
namespace {

/// A random tree of n nodes with membranes of random conductance and capacitance at 50 Hz.
struct RandomTree {
  std::vector<std::int32_t> parents{-1};
  std::vector<double> g_axial{0.0};
  std::vector<Complex> y;
  explicit RandomTree(std::size_t n, std::uint64_t seed) {
    core::RandomStream random(seed, core::Purpose::test, 1);
    for (std::size_t i = 1; i < n; ++i) {
      parents.push_back(static_cast<std::int32_t>(random.next_below(i)));
      g_axial.push_back(0.01 + random.next_uniform());
    }
    for (std::size_t i = 0; i < n; ++i) y.emplace_back(0.001 * random.next_uniform(), 0.01 * random.next_uniform());
  }
};

TEST(TreeImpedance, SolvesTheEquationsOfTheTree) {
  const RandomTree tree(40, 3);
  const std::size_t target = 17;
  const TreeImpedance z = tree_impedance(tree.parents, tree.g_axial, tree.y, target);
  // Unit current into the target: currents of every node must add up to it.
  std::vector<Complex> current(40);
  for (std::size_t i = 0; i < 40; ++i) {
    current[i] += tree.y[i] * z.transfer_MOhm[i];
    if (i == 0) continue;
    const auto p = static_cast<std::size_t>(tree.parents[i]);
    const Complex flow = tree.g_axial[i] * (z.transfer_MOhm[i] - z.transfer_MOhm[p]);
    current[i] += flow;
    current[p] -= flow;
  }
  for (std::size_t i = 0; i < 40; ++i) EXPECT_NEAR(std::abs(current[i] - (i == target ? 1.0 : 0.0)), 0, 1e-11) << i;
}

TEST(TreeImpedance, IsReciprocal) {
  const RandomTree tree(60, 4);
  for (const std::size_t a : {0u, 7u, 33u}) {
    const TreeImpedance from_a = tree_impedance(tree.parents, tree.g_axial, tree.y, a);
    for (std::size_t b = 0; b < 60; b += 11) {
      const TreeImpedance from_b = tree_impedance(tree.parents, tree.g_axial, tree.y, b);
      EXPECT_LT(std::abs(from_a.transfer_MOhm[b] - from_b.transfer_MOhm[a]), 1e-12 * std::abs(from_a.transfer_MOhm[b]));
      EXPECT_LT(std::abs(from_a.input_MOhm[b] - from_b.transfer_MOhm[b]), 1e-12 * std::abs(from_a.input_MOhm[b]));
    }
  }
}

TEST(SolveTree, AgreesWithTheImpedanceAtZeroFrequency) {
  RandomTree tree(30, 5);
  std::vector<double> g(30), b(30, 0.0);
  for (std::size_t i = 0; i < 30; ++i) {
    g[i] = tree.y[i].real();
    tree.y[i] = g[i];
  }
  b[12] = 1;
  const std::vector<double> x = solve_tree(tree.parents, tree.g_axial, g, b);
  const TreeImpedance z = tree_impedance(tree.parents, tree.g_axial, tree.y, 12);
  for (std::size_t i = 0; i < 30; ++i) EXPECT_NEAR(x[i], z.transfer_MOhm[i].real(), 1e-9 * x[i]);
}

/// Soma of 20 um and one dendrite of 500 um x 2 um, passive.
network::DetailedCell ball_and_stick() {
  network::Morphology m;
  m.sections.push_back({network::SectionKind::soma, -1, 1, {{-10, 0, 0, 20}, {10, 0, 0, 20}}, {}});
  m.sections.push_back({network::SectionKind::basal, 0, 0.5, {{0, 0, 0, 2}, {500, 0, 0, 2}}, {}});
  network::DetailedCell cell;
  cell.morphology = std::make_shared<network::Morphology>(m);
  for (auto& region : cell.regions) {
    region.Ra_Ohm_cm = 150;
    region.C_m_uF_cm2 = 1;
    region.g_pas_S_cm2 = 1.0 / 20000;
    region.e_pas_mV = -70;
  }
  return cell;
}

TEST(QuasiActiveCell, BallAndStickHasItsClosedFormImpedance) {
  network::RunSettings run;
  run.compartments.max_length_um = 1;
  const QuasiActiveCell cell(ball_and_stick(), run);
  EXPECT_NEAR(cell.V_soma_mV(), -70, 1e-9);
  // Cable theory: Y = G_soma (1 + i w tau) + q tanh(q L)/r_inf, q = sqrt(1 + i w tau); transfer from the end: Z_00 /
  // cosh(q L).
  const double tau_ms = 20, d_cm = 2e-4, Rm = 20000, Ra = 150;
  const double lambda_um = 1e4 * std::sqrt(d_cm * Rm / (4 * Ra)), L = 500 / lambda_um;
  const double r_inf_MOhm = 1e-6 * 2 / std::numbers::pi * std::sqrt(Rm * Ra) * std::pow(d_cm, -1.5);
  const double g_soma_uS = std::numbers::pi * 20 * 20 * 1e-2 / Rm;
  for (const double f : {0.0, 10.0, 100.0}) {
    const Complex q = std::sqrt(Complex(1, 2e-3 * std::numbers::pi * f * tau_ms));
    const Complex Z_00 = 1.0 / (g_soma_uS * q * q + q * std::tanh(q * L) / r_inf_MOhm);
    const TreeImpedance z = cell.impedance(f, Channels::linearised);
    EXPECT_LT(std::abs(z.input_MOhm[cell.tree().soma()] - Z_00), 1e-4 * std::abs(Z_00)) << f;
    const Complex Z_end = Z_00 / std::cosh(q * L);
    EXPECT_LT(std::abs(z.transfer_MOhm[cell.tree().node_at({1, 1.0})] - Z_end), 1e-4 * std::abs(Z_end)) << f;
  }
}

TEST(QuasiActiveCell, SlopeOfTheHeldCurrentIsTheInverseImpedanceAtZeroFrequency) {
  network::DetailedCell cell = ball_and_stick();
  cell.mechanisms = {{"hh", network::SectionKind::soma, {}},
                     {"Ih", network::SectionKind::basal, {{"gbar", 1e-4}}},
                     {"NaV", network::SectionKind::soma, {{"gbar", 0.01}}}};
  network::RunSettings run;
  run.V_init_mV = -65;
  const double h = 0.01, V = -68;
  const double I_up = QuasiActiveCell(cell, run, V + h).holding_current_nA();
  const double I_down = QuasiActiveCell(cell, run, V - h).holding_current_nA();
  const QuasiActiveCell held(cell, run, V);
  const double Z = held.impedance(0, Channels::linearised).input_MOhm[held.tree().soma()].real();
  EXPECT_NEAR(2 * h / (I_up - I_down) / Z, 1, 1e-5);
  EXPECT_GT(std::abs(held.impedance(0, Channels::frozen).input_MOhm[0].real() / Z - 1), 0.01);
}

}  // namespace
}  // namespace triscale::bridges

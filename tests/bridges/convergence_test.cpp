// The convergence check on cells whose errors are known to fall in proportion to dt or dt^2.
#include "bridges/checks/convergence.hpp"

#include <gtest/gtest.h>

#include "detailed/simulate.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::bridges {
namespace {

using detailed::test::cylinder;
using network::SectionKind;

/// Three squid cells with a dendrite: a constant and a noise current, and excitatory events at times off the grid.
network::Circuit driven_cells(double dt_ms, network::TimeScheme scheme, double drive = 1.0) {
  network::DetailedCell cell = detailed::test::passive_cell(
      {cylinder(20, 20, SectionKind::soma), cylinder(300, 2, SectionKind::basal, 0, 1.0)}, 100, 1e-4, -65);
  cell.regions[0].g_pas_S_cm2 = 0;
  cell.mechanisms.push_back({"hh", SectionKind::soma, {}});
  network::Circuit circuit = detailed::test::one_population(std::move(cell), 3, dt_ms, 150);
  circuit.run.scheme = scheme;
  circuit.current_clamps.push_back(
      {"step", 0, {}, {0, 0.5}, network::CurrentSegment{10, 1e9, 0.15 * drive, 0.15 * drive}});
  circuit.current_clamps.push_back({"noise", 0, {1}, {0, 0.5}, network::NoiseCurrent{0, 1e300, 0.0, 0.02 * drive, 10}});
  circuit.synapse_types.push_back({"exc", network::BiexponentialSynapse{0.5, 2, 0}, {}, {}});
  network::Population source;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::PoissonTrains{{0}, {200}};
  circuit.populations.push_back(source);
  circuit.projections.push_back(
      {"drive",
       1,
       0,
       0,
       network::ExplicitEdges{{0, 0}, {0, 2}, {0.001 * drive, 0.002 * drive}, {1.0, 1.3}, {{1, 0.3}, {1, 0.7}}},
       {}});
  return circuit;
}

Convergence check(const network::Circuit& circuit) {
  core::NoProgress progress;
  return check_convergence(circuit, 1, progress);
}

TEST(Convergence, FirstOrderErrorsHalveWithTheStepAndSecondOrderOnesAreFarSmaller) {
  using Scheme = network::TimeScheme;
  const ConvergenceOfType coarse = check(driven_cells(0.05, Scheme::backward_euler)).time.types.at(0),
                          second = check(driven_cells(0.05, Scheme::second_order)).time.types.at(0);
  ASSERT_GT(coarse.spikes, 15u);
  EXPECT_EQ(coarse.spikes, coarse.matched);
  EXPECT_EQ(second.spikes, second.matched);
  EXPECT_GT(coarse.median_shift_ms, 0.02);
  EXPECT_LT(second.median_shift_ms, 0.2 * coarse.median_shift_ms);

  // Below threshold the potential shows the orders.
  const auto V_change = [](double dt_ms, Scheme scheme) {
    const ConvergenceOfType type = check(driven_cells(dt_ms, scheme, 0.05)).time.types.at(0);
    EXPECT_EQ(type.spikes, 0u);
    return type.V_rms_mV;
  };
  EXPECT_NEAR(V_change(0.1, Scheme::backward_euler) / V_change(0.05, Scheme::backward_euler), 2.0, 0.2);
  EXPECT_NEAR(V_change(0.1, Scheme::second_order) / V_change(0.05, Scheme::second_order), 4.0, 1.5);
}

TEST(Convergence, TheConfiguredRunIsTheBaseAlsoWithNoise) {
  const network::Circuit circuit = driven_cells(0.025, network::TimeScheme::backward_euler);
  detailed::test::Trace trace;
  core::NoProgress progress;
  detailed::simulate(circuit, 1, trace, progress);
  std::size_t spikes = 0;
  for (const auto& spike : trace.spikes) spikes += spike.population == 0;
  const Convergence result = check(circuit);
  EXPECT_EQ(result.time.types.at(0).spikes, spikes);
  EXPECT_EQ(result.space.types.at(0).spikes, spikes);
  EXPECT_EQ(result.time.compartments, result.time.refined_compartments);
  EXPECT_EQ(result.duration_ms, 150);
}

TEST(Convergence, CompartmentsAreHalvedUnderEitherRule) {
  network::Circuit circuit = driven_cells(0.025, network::TimeScheme::second_order);
  const ConvergenceRun by_length = check(circuit).space;
  EXPECT_EQ(by_length.compartments, 3u * (1 + 15));
  EXPECT_EQ(by_length.refined_compartments, 3u * (3 + 31));
  circuit.run.compartments.kind = network::CompartmentRule::Kind::d_lambda;
  const ConvergenceRun by_lambda = check(circuit).space;
  EXPECT_GT(by_lambda.refined_compartments, by_lambda.compartments);
  // With a tenth of the compartments the change is larger.
  circuit.run.compartments.d_lambda = 1.0;
  EXPECT_GT(check(circuit).space.types.at(0).V_rms_mV, by_lambda.types.at(0).V_rms_mV);
}

TEST(Convergence, RichardsonsRule) {
  EXPECT_DOUBLE_EQ(remaining_error(1.0, 1), 2.0);
  EXPECT_DOUBLE_EQ(remaining_error(3.0, 2), 4.0);
}

}  // namespace
}  // namespace triscale::bridges

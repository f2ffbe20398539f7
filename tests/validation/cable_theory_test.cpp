// The detailed tier against closed forms of cable theory, and its orders of convergence. Formulas: Rall 1977;
// Rallpacks: Bhalla, Bilitch & Bower 1992. Where NEURON 8.2.2 was measured on the same case, its error stands beside
// the bound.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <numbers>

#include "detailed/compartments.hpp"
#include "detailed/simulate.hpp"
#include "tests/detailed/circuits.hpp"

namespace triscale::detailed {
namespace {

using network::SectionKind;
using network::TimeScheme;
using test::cylinder;
using Samples = std::vector<std::pair<double, std::vector<double>>>;  // (time, potential of every compartment)

constexpr double kPi = std::numbers::pi;
constexpr double kE_mV = -65;

// Of Rallpacks 1 and 2: Ra (Ohm cm), Rm (Ohm cm2), current (nA); tau = Rm Cm.
constexpr double kRa = 100, kRm = 40000, kI_nA = 0.1, kTau_ms = 40;

network::Circuit circuit_of(network::DetailedCell cell, double dt_ms, double duration_ms, TimeScheme scheme,
                            double piece_um) {
  network::Circuit circuit = test::one_population(std::move(cell), 1, dt_ms, duration_ms);
  circuit.run.scheme = scheme;
  circuit.run.compartments.max_length_um = piece_um;
  network::Probe probe;
  probe.where = network::Probe::Where::all_compartments;
  circuit.probes.push_back(probe);
  return circuit;
}

void inject(network::Circuit& circuit, network::Site site, double I_nA) {
  circuit.current_clamps.push_back({"I", 0, {}, site, network::CurrentSegment{0, 1e9, I_nA, I_nA}});
}

Samples run(const network::Circuit& circuit) {
  test::Trace trace;
  core::NoProgress progress;
  simulate(circuit, 1, trace, progress);
  return trace.samples.at(0);
}

double length_constant_um(double diameter_um, double Rm = kRm) {
  return 1e4 * std::sqrt(diameter_um * 1e-4 * Rm / (4 * kRa));
}

/// Input resistance (MOhm) of a semi-infinite cylinder, (2/pi) sqrt(Rm Ra) d^(-3/2).
double semi_infinite_MOhm(double diameter_um, double Rm = kRm) {
  return 2 / kPi * std::sqrt(Rm * kRa) * std::pow(diameter_um * 1e-4, -1.5) * 1e-6;
}

/// Sealed cylinder, current step at x = 0 from t = 0: potential at x.
double sealed_cylinder_mV(double diameter_um, double length_um, double x_um, double t_ms) {
  const double lambda = length_constant_um(diameter_um), L = length_um / lambda;
  double v = std::cosh((length_um - x_um) / lambda) / std::sinh(L) - std::exp(-t_ms / kTau_ms) / L;
  for (int n = 1; n < 2000; ++n) {
    const double k = 1 + n * n * kPi * kPi / (L * L);
    const double term = std::exp(-k * t_ms / kTau_ms) / k;
    if (term < 1e-14) break;
    v -= 2 / L * std::cos(n * kPi * x_um / length_um) * term;
  }
  return kE_mV + kI_nA * semi_infinite_MOhm(diameter_um) * v;
}

/// Rms difference over the range of the expected values.
template <class Expected>
double relative_rms(const Samples& samples, std::size_t compartment, Expected expected) {
  double squares = 0, low = 1e9, high = -1e9;
  for (const auto& [t, V] : samples) {
    const double v = t == 0 ? kE_mV : expected(t);
    squares += (V[compartment] - v) * (V[compartment] - v);
    low = std::min(low, v);
    high = std::max(high, v);
  }
  return std::sqrt(squares / static_cast<double>(samples.size())) / (high - low);
}

// ------------------------------------------------------------------------------------------------- Rallpacks --------

struct Ends {
  double near_end, far_end;
};

/// Relative rms errors at both ends of the cable of Rallpack 1; compartments half a pair of `piece_um` long.
Ends rallpack_1(double dt_ms, TimeScheme scheme, double piece_um) {
  network::Circuit circuit = circuit_of(test::passive_cell({cylinder(1000, 1, SectionKind::soma)}, kRa, 1 / kRm, kE_mV),
                                        dt_ms, 250, scheme, piece_um);
  inject(circuit, {0, 0.0}, kI_nA);
  const Samples samples = run(circuit);
  const double n = static_cast<double>(samples[0].second.size()), half = 500 / n;
  // The current enters in the middle of the first compartment.
  const auto at = [&](double x_um) { return [=](double t_ms) { return sealed_cylinder_mV(1, 1000, x_um, t_ms); }; };
  return {relative_rms(samples, 0, at(half)), relative_rms(samples, samples[0].second.size() - 1, at(1000 - half))};
}

TEST(Rallpack1, SecondOrderIsAsExactAsNeuronsCrankNicolson) {
  const Ends error = rallpack_1(0.05, TimeScheme::second_order, 0.5);
  EXPECT_LT(error.far_end, 1e-6);
  EXPECT_LT(error.near_end, 5e-4);
  const Ends euler = rallpack_1(0.05, TimeScheme::backward_euler, 0.5);
  EXPECT_NEAR(euler.far_end, 1.5e-4, 0.1e-4);
}

TEST(Rallpack1, ErrorsFallWithTheSquareOfTheCompartmentLength) {
  const double coarse = rallpack_1(0.05, TimeScheme::second_order, 1000.0 / 20).far_end,
               medium = rallpack_1(0.05, TimeScheme::second_order, 1000.0 / 40).far_end,
               fine = rallpack_1(0.05, TimeScheme::second_order, 1000.0 / 80).far_end;
  EXPECT_NEAR(std::log2(coarse / medium) / std::log2(41.0 / 21.0), 2.0, 0.1);
  EXPECT_NEAR(std::log2(medium / fine) / std::log2(81.0 / 41.0), 2.0, 0.1);
}

TEST(Rallpack2, ABranchedTreeIsItsEquivalentCylinder) {
  std::vector<network::Section> sections;
  for (int level = 0, first = 0; level < 10; ++level) {
    const int count = 1 << level;
    for (int k = 0; k < count; ++k) {
      const int parent = level == 0 ? -1 : first - count / 2 + k / 2;
      sections.push_back(cylinder(32 * std::pow(2.0, -level / 3.0), 16 * std::pow(2.0, -2 * level / 3.0),
                                  level == 0 ? SectionKind::soma : SectionKind::basal, parent));
    }
    first += count;
  }
  for (const auto& [scheme, bound] :
       {std::pair{TimeScheme::backward_euler, 1.5e-4}, {TimeScheme::second_order, 5e-5}}) {
    network::Circuit circuit = circuit_of(test::passive_cell(sections, kRa, 1 / kRm, kE_mV), 0.05, 250, scheme, 100);
    inject(circuit, {0, 0.0}, kI_nA);
    const Samples samples = run(circuit);
    ASSERT_EQ(samples[0].second.size(), 1023u);
    const auto at = [](double x_um) { return [=](double t) { return sealed_cylinder_mV(16, 320, x_um, t); }; };
    const double root = relative_rms(samples, 0, at(16)), leaf = relative_rms(samples, 1022, at(304));
    EXPECT_LT(root, bound);  // NEURON: 1.2e-4 with backward Euler, 1.0e-5 with Crank-Nicolson
    EXPECT_LT(leaf, bound);
  }
}

/// Times at which a compartment passes -20 mV upwards, between samples.
std::vector<double> crossings(const Samples& samples, std::size_t compartment) {
  std::vector<double> times;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    const double before = samples[i - 1].second[compartment], after = samples[i].second[compartment];
    if (before <= -20 && after > -20) {
      const double part = (-20 - before) / (after - before);
      times.push_back(samples[i - 1].first + part * (samples[i].first - samples[i - 1].first));
    }
  }
  return times;
}

TEST(Rallpack3, SecondOrderMeetsTheConvergedSpikeTimesOfTheSquidCable) {
  network::DetailedCell cell = test::passive_cell({cylinder(1000, 1, SectionKind::soma)}, kRa, 1 / kRm, kE_mV);
  cell.mechanisms.push_back({"hh", SectionKind::soma, {{"gl", 0.0}}});
  for (auto& region : cell.regions) {
    region.E_Na_mV = 50;
    region.E_K_mV = -77;
  }
  network::Circuit circuit = circuit_of(cell, 0.05, 250, TimeScheme::second_order, 0.5);
  inject(circuit, {0, 0.0}, kI_nA);
  const Samples samples = run(circuit);
  const std::vector<double> near_end = crossings(samples, 0),
                            far_end = crossings(samples, samples[0].second.size() - 1);
  // Converged (Crank-Nicolson, dt 1 us): 18 spikes here, 17 there. NEURON's Crank-Nicolson at 0.05 ms: 14.541 ms
  // between spikes, its backward Euler 14.682 ms.
  ASSERT_EQ(near_end.size(), 18u);
  ASSERT_EQ(far_end.size(), 17u);
  EXPECT_NEAR(near_end.front(), 1.196, 0.01);
  EXPECT_NEAR(far_end.front(), 4.008, 0.02);
  EXPECT_NEAR(near_end.back(), 248.339, 0.2);
  EXPECT_NEAR(far_end.back(), 236.618, 0.2);
  EXPECT_NEAR((far_end.back() - far_end.front()) / 16, (236.618 - 4.008) / 16, 0.012);
}

// ---------------------------------------------------------------------------------------------- steady states --------

TEST(SteadyState, InputResistanceOfSealedAndKilledCylindersAndOfBallAndStick) {
  const double d = 2, length = 800, Rm = 10000, lambda = length_constant_um(d, Rm), L = length / lambda;
  const auto input_MOhm = [&](std::vector<network::Section> sections, double end_g_S_cm2) {
    network::DetailedCell cell = test::passive_cell(std::move(sections), kRa, 1 / Rm, kE_mV);
    cell.regions[static_cast<std::size_t>(SectionKind::axon)].g_pas_S_cm2 = end_g_S_cm2;
    network::Circuit circuit = circuit_of(cell, 20, 4000, TimeScheme::backward_euler, 1);
    circuit.probes[0].dt_ms = 4000;
    inject(circuit, {0, 0.0}, 1e-3);
    return (run(circuit).back().second.front() - kE_mV) / 1e-3;
  };
  const double r = semi_infinite_MOhm(d, Rm);
  // The current enters half a compartment (0.5 um of 707 um length constant) from the end, hence 1e-3.
  EXPECT_NEAR(input_MOhm({cylinder(length, d, SectionKind::soma)}, 0) / (r / std::tanh(L)), 1, 1e-3);
  // Killed: a leak of 1e4 S/cm2 at the far end holds it at rest.
  EXPECT_NEAR(input_MOhm({cylinder(length, d, SectionKind::soma), cylinder(1, d, SectionKind::axon, 0)}, 1e4) /
                  (r * std::tanh(L)),
              1, 1.5e-3);
  const double ball_uS = kPi * 20 * 20 * 1e-2 / Rm;
  EXPECT_NEAR(input_MOhm({cylinder(20, 20, SectionKind::soma), cylinder(length, d, SectionKind::basal, 0, 0.5)}, 0) *
                  (ball_uS + std::tanh(L) / r),
              1, 5e-4);
}

// ------------------------------------------------------------------------------------- alternating current, symmetry
/// Steady potential along a cone of diameter s y, y the distance from its apex, sealed at y = end: from
///   (y^2 V')' = kappa y V,   kappa = 4 Ra g sqrt(1 + s^2/4)/s,
/// V = y^(-1/2) (K2(z_end) I1(z) + I2(z_end) K1(z)), z = 2 sqrt(kappa y), modified Bessel functions.
double cone_potential(double kappa, double y, double end) {
  const double z = 2 * std::sqrt(kappa * y), z_end = 2 * std::sqrt(kappa * end);
  return (std::cyl_bessel_k(2, z_end) * std::cyl_bessel_i(1, z) +
          std::cyl_bessel_i(2, z_end) * std::cyl_bessel_k(1, z)) /
         std::sqrt(y);
}

TEST(SteadyState, AttenuationAlongATaperedCableIsThatOfBesselsFunctionsToSecondOrder) {
  const double wide = 6, narrow = 1, length = 800, Rm = 5000, s = (wide - narrow) / length;
  const double kappa = 4 * kRa / Rm * std::sqrt(1 + s * s / 4) / s * 1e-4;  // 1/um
  const auto error = [&](std::size_t pieces) {
    network::Section cone = cylinder(length, wide, SectionKind::soma);
    cone.points.back().diameter_um = narrow;
    network::DetailedCell cell = test::passive_cell({cone}, kRa, 1 / Rm, kE_mV);
    const double piece = length / static_cast<double>(pieces);
    network::Circuit circuit = circuit_of(cell, 10, 2000, TimeScheme::backward_euler, piece);
    circuit.probes[0].dt_ms = 2000;
    inject(circuit, {0, 0.0}, 1e-2);
    const std::vector<double> V = run(circuit).back().second;
    EXPECT_EQ(V.size(), pieces);
    double largest = 0;
    for (std::size_t i = 0; i < V.size(); ++i) {
      const auto y = [&](std::size_t k) { return wide / s - (static_cast<double>(k) + 0.5) * piece; };
      const double expected = cone_potential(kappa, y(i), narrow / s) / cone_potential(kappa, y(0), narrow / s);
      largest = std::max(largest, std::abs((V[i] - kE_mV) / (V[0] - kE_mV) / expected - 1));
    }
    return largest;
  };
  const double coarse = error(41), fine = error(123);
  EXPECT_LT(fine, 2e-4);
  EXPECT_NEAR(coarse / fine, 9, 1.5);
}

// --------

TEST(AlternatingCurrent, InputImpedanceOfASealedCylinderIsRInfinityCothQLOverQ) {
  const double d = 1, length = 1000, frequency_Hz = 50, dt = 0.05, duration = 800;
  network::Circuit circuit =
      circuit_of(test::passive_cell({cylinder(length, d, SectionKind::soma)}, kRa, 1 / kRm, kE_mV), dt, duration,
                 TimeScheme::second_order, 2.5);
  const double w = 2e-3 * kPi * frequency_Hz;
  network::SampledCurrent wave{0, dt, {}};
  for (double t = 0.5 * dt; t < duration; t += dt) wave.values_nA.push_back(1e-3 * std::sin(w * t));
  circuit.current_clamps.push_back({"I", 0, {}, {0, 0.0}, wave});
  const Samples samples = run(circuit);
  std::complex<double> response = 0;  // Fourier coefficient over the last five periods
  const std::size_t n = static_cast<std::size_t>(std::llround(5 * 1000 / frequency_Hz / dt));
  for (std::size_t i = samples.size() - n; i < samples.size(); ++i)
    response += 2.0 / static_cast<double>(n) * (samples[i].second[0] - kE_mV) *
                std::exp(std::complex<double>(0, -w * samples[i].first));
  const std::complex<double> q = std::sqrt(std::complex<double>(1, w * kTau_ms)), L = length / length_constant_um(d);
  const double near_end_um = length / static_cast<double>(samples[0].second.size()) / 2;
  // The current enters in the middle of the first compartment: the two parts of the cable act in parallel.
  const std::complex<double> one_side = std::tanh(q * (L - near_end_um / length_constant_um(d))),
                             other_side = std::tanh(q * near_end_um / length_constant_um(d));
  const std::complex<double> Z = semi_infinite_MOhm(d) / (q * (one_side + other_side));
  const std::complex<double> ours = response / std::complex<double>(0, -1e-3);
  EXPECT_LT(std::abs(ours / Z - 1.0), 1e-4);
}

network::DetailedCell branched_cell() {
  return test::passive_cell({cylinder(20, 15, SectionKind::soma), cylinder(200, 3, SectionKind::basal, 0, 1.0),
                             cylinder(150, 1, SectionKind::basal, 1), cylinder(90, 2, SectionKind::apical, 1),
                             cylinder(120, 1.5, SectionKind::apical, 0, 0.5)},
                            120, 5e-5, kE_mV);
}

TEST(Reciprocity, TransferIsTheSameInBothDirectionsAtEveryTime) {
  for (const TimeScheme scheme : {TimeScheme::backward_euler, TimeScheme::second_order}) {
    network::Circuit there = circuit_of(branched_cell(), 0.1, 20, scheme, 20), back = there;
    const CompartmentTree tree = build_compartments(*there.cell_types[0].detailed, there.run.compartments);
    const network::Site a{2, 0.9}, b{4, 0.9};
    inject(there, a, 0.05);
    inject(back, b, 0.05);
    const auto element = [&](const network::Site& site) {  // branch nodes are not recorded
      std::size_t index = 0;
      for (std::size_t node = 0; node < tree.node_at(site); ++node) index += tree.areas_um2[node] > 0;
      return index;
    };
    const Samples from_a = run(there), from_b = run(back);
    for (std::size_t i = 1; i < from_a.size(); ++i) {
      const double at_b = from_a[i].second[element(b)] - kE_mV, at_a = from_b[i].second[element(a)] - kE_mV;
      EXPECT_NEAR(at_b, at_a, 1e-12 * std::abs(kE_mV));
    }
  }
}

TEST(Charge, MembraneCurrentsAddUpToTheInjectedCurrentInEveryStep) {
  for (const TimeScheme scheme : {TimeScheme::backward_euler, TimeScheme::second_order}) {
    network::Circuit circuit = circuit_of(branched_cell(), 0.1, 20, scheme, 20);
    inject(circuit, {3, 0.5}, 0.05);
    const CompartmentTree tree = build_compartments(*circuit.cell_types[0].detailed, circuit.run.compartments);
    const Samples samples = run(circuit);
    for (std::size_t i = 1; i < samples.size(); ++i) {
      double total_nA = 0;
      for (std::size_t node = 0, e = 0; node < tree.size(); ++node) {
        if (!(tree.areas_um2[node] > 0)) continue;
        const double before = samples[i - 1].second[e], after = samples[i].second[e];
        const double V = scheme == TimeScheme::second_order ? 0.5 * (before + after) : after;
        total_nA += tree.C_nF[node] * (after - before) / 0.1 + tree.g_pas_uS[node] * (V - kE_mV);
        ++e;
      }
      EXPECT_NEAR(total_nA, 0.05, 1e-12);
    }
  }
}

// -------------------------------------------------------------------------------------------- order in time --------

/// The soma's potential every 1/80 ms, of a squid cell with a dendrite that fires: channels, calcium, a slowly rising
/// current, and an event a third of a step after a grid point of all the steps used.
std::vector<double> potential_of_active_cell(double dt_ms, TimeScheme scheme) {
  network::DetailedCell cell = test::passive_cell(
      {cylinder(20, 20, SectionKind::soma), cylinder(300, 2, SectionKind::basal, 0, 1.0)}, 100, 1e-4, kE_mV);
  cell.mechanisms.push_back({"hh", SectionKind::soma, {}});
  cell.mechanisms.push_back({"Ca_HVA", SectionKind::soma, {{"gbar", 1e-3}}});
  cell.mechanisms.push_back({"SK", SectionKind::soma, {{"gbar", 1e-2}}});
  cell.mechanisms.push_back({"CaDynamics", SectionKind::soma, {{"decay", 20.0}}});
  network::Circuit circuit = circuit_of(cell, dt_ms, 6, scheme, 20);
  circuit.current_clamps.push_back({"ramp", 0, {}, {0, 0.5}, network::CurrentSegment{0, 6, 0.0, 0.8}});
  circuit.synapse_types.push_back({"exc", network::BiexponentialSynapse{0, 2, 0}, {}, {}});
  network::Population source;
  source.name = "source";
  source.size = 1;
  source.is_virtual = true;
  source.source = network::SpikeTrains{{0.5 + 1.0 / 960}, {0}};
  circuit.populations.push_back(source);
  circuit.projections.push_back({"drive", 1, 0, 0, network::ExplicitEdges{{0}, {0}, {0.02}, {1.0}, {{1, 0.5}}}, {}});
  const auto every = static_cast<std::size_t>(std::llround(1.0 / 80 / dt_ms));
  const Samples samples = run(circuit);
  std::vector<double> V;
  for (std::size_t i = 0; i < samples.size(); i += every) V.push_back(samples[i].second[0]);
  return V;
}

TEST(OrderInTime, IsOneForBackwardEulerAndTwoForTheSecondOrderScheme) {
  // Its own error is 1/64 of the finest of those measured.
  const std::vector<double> limit = potential_of_active_cell(1.0 / 10240, TimeScheme::second_order);
  ASSERT_GT(*std::max_element(limit.begin(), limit.end()), 0.0);
  const auto largest_error = [&](double dt_ms, TimeScheme scheme) {
    const std::vector<double> V = potential_of_active_cell(dt_ms, scheme);
    EXPECT_EQ(V.size(), limit.size());
    double largest = 0;
    for (std::size_t i = 0; i < V.size(); ++i) largest = std::max(largest, std::abs(V[i] - limit[i]));
    return largest;
  };
  const auto order = [&](TimeScheme scheme) {
    return std::log2(largest_error(1.0 / 320, scheme) / largest_error(1.0 / 1280, scheme)) / 2;
  };
  EXPECT_NEAR(order(TimeScheme::backward_euler), 1.0, 0.05);
  EXPECT_NEAR(order(TimeScheme::second_order), 2.0, 0.25);
}

}  // namespace
}  // namespace triscale::detailed

#include "meanfield/lif_network.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "meanfield/spectra.hpp"
#include "meanfield/stability.hpp"
#include "meanfield/stationary_states.hpp"
#include "tests/meanfield/reference.hpp"
#include "tests/meanfield/reference_microcircuit.hpp"

namespace triscale::meanfield {
namespace {

using Complex = std::complex<double>;
using Eigen::MatrixXd;
using Eigen::VectorXd;

Complex lambda_of(double frequency_hz) {
  return {0, 2 * std::numbers::pi * frequency_hz / 1000};
}

/// Brunel's (2000) model A: excitatory and inhibitory cells alike.
LifNetwork brunel(double g, double external_ratio) {
  LifNetwork network;
  const double J = 0.1;
  for (const char* name : {"E", "I"}) {
    LifPopulation population;
    population.name = name;
    population.cells = name[0] == 'E' ? 10000 : 2500;
    population.cell = {20, 2, 20, 10, 0};
    add_poisson_input(population, 1000, J, J * J, 10 * external_ratio);
    network.populations.push_back(population);
  }
  network.in_degree = MatrixXd(2, 2);
  network.in_degree << 1000, 250, 1000, 250;
  network.psp_mV = MatrixXd(2, 2);
  network.psp_mV << J, -g * J, J, -g * J;
  network.psp2_mV2 = network.psp_mV.cwiseAbs2();
  network.delay_ms = MatrixXd::Constant(2, 2, 1.5);
  network.delay_sd_ms = MatrixXd::Zero(2, 2);
  return network;
}

/// Excitatory cells with delta synapses that can be silent or active.
LifNetwork bistable() {
  LifNetwork network;
  LifPopulation population;
  population.name = "E";
  population.cells = 1000;
  population.cell = {20, 2, 20, 10, 0};
  population.mu_external_mV = 12;
  population.sigma2_external_mV2 = 4;
  network.populations = {population};
  network.in_degree = MatrixXd::Constant(1, 1, 400);
  network.psp_mV = MatrixXd::Constant(1, 1, 0.08);
  network.psp2_mV2 = network.psp_mV.cwiseAbs2();
  network.delay_ms = MatrixXd::Constant(1, 1, 1.5);
  network.delay_sd_ms = MatrixXd::Zero(1, 1);
  return network;
}

TEST(LifNetwork, MicrocircuitFixedPointEqualsReferenceTo1em9) {
  TRISCALE_REFERENCE(reference);
  const LifTheory theory(reference_microcircuit(reference));
  const auto found = find_stationary_point(theory, VectorXd::Zero(8));
  ASSERT_TRUE(found.has_value());
  const auto& pd = reference.at("potjans_diesmann_2014");
  const std::vector<LifInput> inputs = inputs_at(theory.network(), found->rates_hz);
  for (Eigen::Index i = 0; i < 8; ++i) {
    const auto k = static_cast<std::size_t>(i);
    EXPECT_NEAR(found->rates_hz[i] / pd.at("nnmt_rates_Hz")[k].get<double>(), 1, 1e-9);
    EXPECT_NEAR(found->rates_hz[i] / pd.at("newton_rates_Hz")[k].get<double>(), 1, 1e-13);
    EXPECT_NEAR(inputs[k].mu_mV / (1000 * pd.at("mean_input_V")[k].get<double>()), 1, 1e-12);
    EXPECT_NEAR(inputs[k].sigma_mV / (1000 * pd.at("std_input_V")[k].get<double>()), 1, 1e-12);
    // The toolbox's nested quadrature is good to 1e-9.
    EXPECT_NEAR(lif_cv(theory.network().populations[k].cell, inputs[k]) / pd.at("cv_nnmt")[k].get<double>(), 1, 2e-9);
  }
  MatrixXd slope;
  theory.transfer_hz(found->rates_hz, &slope);
  for (Eigen::Index i = 0; i < 8; ++i) {
    for (Eigen::Index j = 0; j < 8; ++j) {
      const double expected =
          pd.at("static_jacobian_dPhi_dnu")[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
      EXPECT_NEAR(slope(i, j), expected, 1e-9 * (1 + std::abs(expected)));
    }
  }
}

TEST(LifNetwork, MicrocircuitWithSpreadWeightsEqualsReference) {
  TRISCALE_REFERENCE(reference);
  LifNetwork network = reference_microcircuit(reference);
  network.psp2_mV2 *= 1.01;
  const auto found = find_stationary_point(LifTheory(network), VectorXd::Constant(8, 3));
  ASSERT_TRUE(found.has_value());
  const auto& expected = reference.at("potjans_diesmann_2014").at("mf_with_10pct_weight_sd");
  for (Eigen::Index i = 0; i < 8; ++i) {
    // The reference stopped its relaxation at about this distance.
    EXPECT_NEAR(found->rates_hz[i] / expected[static_cast<std::size_t>(i)].get<double>(), 1, 1e-5);
  }
}

TEST(LifNetwork, AnalyticJacobianEqualsDifferencesAndTheStaticResponse) {
  const LifTheory theory(brunel(5, 2));
  const VectorXd nu = VectorXd::Constant(2, 30);
  MatrixXd slope;
  theory.transfer_hz(nu, &slope);
  for (Eigen::Index j = 0; j < 2; ++j) {
    VectorXd up = nu, down = nu;
    up[j] += 1e-4;
    down[j] -= 1e-4;
    const VectorXd difference = (theory.transfer_hz(up, nullptr) - theory.transfer_hz(down, nullptr)) / 2e-4;
    for (Eigen::Index i = 0; i < 2; ++i) EXPECT_NEAR(slope(i, j), difference[i], 1e-7 * std::abs(difference[i]));
  }
  const auto linear = theory.linearise(nu);
  EXPECT_LT((linear->connectivity(0) - slope.cast<Complex>()).norm(), 1e-12 * slope.norm());
  EXPECT_LT((linear->connectivity({0, 1e-8}).real() - slope).norm(), 1e-10 * slope.norm());
}

TEST(LifNetwork, BrunelsStatesHaveTheirRatesAndOscillationModes) {
  TRISCALE_REFERENCE(reference);
  const struct {
    const char* name;
    double g, ratio;
  } states[] = {{"A", 3, 2}, {"B", 6, 4}, {"C", 5, 2}, {"D", 4.5, 0.9}};
  for (const auto& state : states) {
    const auto& expected = reference.at("brunel2000_model_A").at("states").at(state.name);
    const LifTheory theory(brunel(state.g, state.ratio));
    const StationaryPoints found = find_stationary_points(theory);
    EXPECT_TRUE(found.degree_is_one) << state.name;
    const double target_hz = expected.at("mf_nu_Hz");
    const StationaryPoint* point = nullptr;
    for (const StationaryPoint& candidate : found.points) {
      if (std::abs(candidate.rates_hz[0] / target_hz - 1) < 1e-9) point = &candidate;
    }
    ASSERT_NE(point, nullptr) << state.name << ": " << found.points.size() << " states, first "
                              << found.points[0].rates_hz[0];
    EXPECT_NEAR(lif_cv({20, 2, 20, 10, 0}, inputs_at(theory.network(), point->rates_hz)[0]),
                expected.at("mf_CV").get<double>(), 1e-7);
    if (expected.at("rightmost_oscillatory_mode").is_null()) continue;
    const Stability result = stability(*theory.linearise(point->rates_hz));
    EXPECT_TRUE(result.roots_complete) << state.name;
    const auto oscillating = std::find_if(result.modes.begin(), result.modes.end(),
                                          [](const Mode& mode) { return mode.frequency_hz() > 1; });
    ASSERT_NE(oscillating, result.modes.end());
    const auto& mode = expected.at("rightmost_oscillatory_mode");
    EXPECT_NEAR(oscillating->frequency_hz(), mode.at("f_Hz").get<double>(), 1e-3) << state.name;
    EXPECT_NEAR(oscillating->growth_per_s(), mode.at("re_per_s").get<double>(), 1e-2) << state.name;
    EXPECT_EQ(result.stable, mode.at("re_per_s").get<double>() < 0) << state.name;
  }
}

TEST(StationaryStates, AllThreeStatesOfABistablePopulationAreFoundWithTheirStability) {
  const LifTheory theory(bistable());
  const StationaryPoints found = find_stationary_points(theory);
  ASSERT_EQ(found.points.size(), 3u);
  EXPECT_TRUE(found.degree_is_one);
  // One population: the states are the zeros of F(nu) - nu on a line, bracketed here by a scan.
  int zeros = 0;
  double before = theory.transfer_hz(VectorXd::Constant(1, 1e-9), nullptr)[0] - 1e-9;
  for (double nu = 1e-6; nu < 500; nu *= 1.002) {
    const double G = theory.transfer_hz(VectorXd::Constant(1, nu), nullptr)[0] - nu;
    if (G * before < 0) {
      ASSERT_LT(zeros, 3);
      EXPECT_NEAR(found.points[static_cast<std::size_t>(zeros)].rates_hz[0] / nu, 1, 2.1e-3);
      ++zeros;
    }
    before = G;
  }
  EXPECT_EQ(zeros, 3);
  EXPECT_EQ(found.points[1].index, -1);
  const bool expected[] = {true, false, true};
  LifNetwork spread = bistable();
  spread.delay_sd_ms.setConstant(1);
  const LifTheory spread_theory(spread);
  for (std::size_t k = 0; k < 3; ++k) {
    const Stability result = stability(*spread_theory.linearise(found.points[k].rates_hz));
    EXPECT_TRUE(result.roots_complete) << k;
    EXPECT_EQ(result.stable, expected[k]) << k;
    EXPECT_EQ(result.unstable_roots, k == 1 ? 1 : 0);
  }
  // With equal delays the active state oscillates near twice its rate; relaxation in pseudo-time would call it stable.
  const Stability equal_delays = stability(*theory.linearise(found.points[2].rates_hz));
  EXPECT_EQ(found.points[2].index, 1);
  EXPECT_EQ(equal_delays.unstable_roots, 2);
  ASSERT_FALSE(equal_delays.modes.empty());
  EXPECT_GT(equal_delays.modes.front().frequency_hz(), 500);
}

TEST(Stability, EveryListedModeIsARootOfTheDeterminant) {
  const LifTheory theory(brunel(6, 4));
  const auto point = find_stationary_point(theory, VectorXd::Constant(2, 50));
  ASSERT_TRUE(point.has_value());
  const auto linear = theory.linearise(point->rates_hz);
  const Stability result = stability(*linear);
  ASSERT_FALSE(result.modes.empty());
  for (const Mode& mode : result.modes) {
    const Eigen::MatrixXcd W = linear->connectivity(mode.lambda_per_ms);
    EXPECT_LT(std::abs((Eigen::MatrixXcd::Identity(2, 2) - W).determinant()), 1e-8);
    EXPECT_LT((W * mode.shape - mode.shape).norm(), 1e-6 * mode.shape.norm());
  }
}

TEST(Spectra, MicrocircuitPowerSpectraEqualReference) {
  TRISCALE_REFERENCE(reference);
  LifNetwork network = reference_microcircuit(reference);
  const auto& pd = reference.at("potjans_diesmann_2014");
  const LifTheory theory(network, {false, false, false, false});
  const auto point = find_stationary_point(theory, VectorXd::Zero(8));
  ASSERT_TRUE(point.has_value());
  const auto linear = theory.linearise(point->rates_hz);
  const auto& psd = pd.at("nnmt_power_spectra");
  for (std::size_t k = 0; k < psd.at("omega").size(); ++k) {
    const double f = psd.at("omega")[k].get<double>() / (2 * std::numbers::pi);
    const MatrixXd power = power_spectra(*linear, {f});
    for (Eigen::Index i = 0; i < 8; ++i) {
      EXPECT_NEAR(power(0, i) / psd.at("psd_Hz2s")[k][static_cast<std::size_t>(i)].get<double>(), 1, 1e-10) << f;
    }
  }
  const auto& transfer = pd.at("nnmt_transfer_function");
  for (std::size_t k = 0; k < psd.at("omega").size(); ++k) {
    const Complex lambda(0, psd.at("omega")[k].get<double>() / 1000);
    const Eigen::VectorXcd H = linear->input_response(lambda);
    for (std::size_t i = 0; i < 8; ++i) {
      const Complex value = 1000.0 * H[static_cast<Eigen::Index>(i)] / (1.0 + lambda * 0.5);
      const Complex expected(transfer.at("re")[k][i], transfer.at("im")[k][i]);
      EXPECT_LT(std::abs(value - expected), 1e-10 * std::abs(expected)) << k;
    }
  }
}

TEST(Spectra, CriticalModesOfTheMicrocircuitAreWhereTheReferenceHasThem) {
  TRISCALE_REFERENCE(reference);
  const auto& critical = reference.at("potjans_diesmann_2014").at("critical_modes_theory");
  const struct {
    const char* key;
    double delay_cv;
    LifResponseTerms terms;
  } cases[] = {{"delta_delays_no_ref", 0, {false, false, false, false}},
               {"truncgauss50pct_ref", 0.5, {false, true, false, false}}};
  for (const auto& c : cases) {
    const LifTheory theory(reference_microcircuit(reference, c.delay_cv), c.terms);
    const auto point = find_stationary_point(theory, VectorXd::Zero(8));
    ASSERT_TRUE(point.has_value());
    const auto linear = theory.linearise(point->rates_hz);
    for (const auto& mode : critical.at(c.key)) {
      // Tabulated on a 2 Hz grid: frequency and the least distance of an eigenvalue of W from 1.
      const double f = mode[0];
      const Sensitivity here = sensitivity(*linear, f);
      EXPECT_NEAR(std::abs(1.0 - here.eigenvalue), mode[1].get<double>(), 0.03 * mode[1].get<double>() + 2e-3)
          << c.key << f;
    }
  }
}

TEST(Spectra, CrossSpectrumIsHermitianAndPositive) {
  TRISCALE_REFERENCE(reference);
  const LifTheory theory(reference_microcircuit(reference, 0.5), {true, true, true});
  const auto point = find_stationary_point(theory, VectorXd::Zero(8));
  ASSERT_TRUE(point.has_value());
  const Eigen::MatrixXcd C = cross_spectrum(*theory.linearise(point->rates_hz), 80);
  EXPECT_LT((C - C.adjoint()).norm(), 1e-12 * C.norm());
  EXPECT_GT(Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd>(C).eigenvalues().minCoeff(), -1e-12 * C.norm());
}

TEST(Delays, TransformOfCutOffNormalEqualsQuadrature) {
  for (const double sd : {0.3, 0.75, 1.5, 3.0}) {
    for (const Complex lambda : {Complex(0, 0.5), Complex(0, 6), Complex(0.2, 1), Complex(-0.1, 2)}) {
      const double mean = 1.5, h = 1e-4;
      Complex sum = 0;
      double mass = 0;
      for (int k = 0; k < 300'000; ++k) {
        const double t = (k + 0.5) * h, p = std::exp(-0.5 * std::pow((t - mean) / sd, 2));
        sum += p * std::exp(-lambda * t);
        mass += p;
      }
      EXPECT_LT(std::abs(delay_transform(mean, sd, lambda) - sum / mass), 1e-7) << sd << lambda;
    }
  }
  EXPECT_EQ(delay_transform(1.5, 0, {0, 2}), std::exp(Complex(0, -3)));
}

TEST(Sensitivity, IsTheDerivativeOfTheEigenvalueAndSumsToIt) {
  TRISCALE_REFERENCE(reference);
  const LifTheory theory(reference_microcircuit(reference));
  const auto point = find_stationary_point(theory, VectorXd::Zero(8));
  ASSERT_TRUE(point.has_value());
  const auto linear = theory.linearise(point->rates_hz);
  const double f = 84;
  const Sensitivity result = sensitivity(*linear, f);
  const Complex k = (1.0 - result.eigenvalue) / std::abs(1.0 - result.eigenvalue);
  EXPECT_LT(std::abs(Complex(result.amplitude.sum(), result.frequency.sum()) * k - result.eigenvalue), 1e-10);
  Eigen::MatrixXcd W = linear->connectivity(lambda_of(f));
  const auto eigenvalue = [&](const Eigen::MatrixXcd& M) {
    const Eigen::ComplexEigenSolver<Eigen::MatrixXcd> solver(M, false);
    Eigen::Index best = 0;
    (solver.eigenvalues().array() - result.eigenvalue).abs().minCoeff(&best);
    return solver.eigenvalues()[best];
  };
  for (const auto& [i, j] : {std::pair{2, 3}, {3, 2}, {0, 1}, {6, 2}}) {
    Eigen::MatrixXcd up = W, down = W;
    up(i, j) *= 1 + 1e-6;
    down(i, j) *= 1 - 1e-6;
    const Complex slope = (eigenvalue(up) - eigenvalue(down)) / 2e-6;
    EXPECT_LT(std::abs(slope - Complex(result.amplitude(i, j), result.frequency(i, j)) * k), 1e-6);
  }
}

TEST(LifNetwork, UnusableValuesAreAllReported) {
  LifNetwork network = brunel(5, 2);
  network.populations[0].cell.tau_m_ms = -1;
  network.populations[1].cell.V_reset_mV = 30;
  network.in_degree.resize(2, 1);
  try {
    network.check();
    FAIL() << "no error";
  } catch (const core::InputError& error) {
    EXPECT_EQ(error.problems().size(), 3u);
  }
}

}  // namespace
}  // namespace triscale::meanfield

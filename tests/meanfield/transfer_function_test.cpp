#include "meanfield/transfer_function.hpp"

#include <ceres/jet.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "tests/paths.hpp"

namespace triscale::meanfield {
namespace {

using network::BiexponentialSynapse;
using network::TransferFunction;

const Membrane kMembrane{0.2, 0.01, -65};

/// Conductance of unit peak, straight from the definition.
double conductance(const BiexponentialSynapse& s, double t_ms) {
  if (s.tau_rise_ms == 0) return std::exp(-t_ms / s.tau_decay_ms);
  const double r = s.tau_rise_ms, d = s.tau_decay_ms;
  const double peak_ms = r * d / (d - r) * std::log(d / r);
  const double f = 1 / (std::exp(-peak_ms / d) - std::exp(-peak_ms / r));
  return f * (std::exp(-t_ms / d) - std::exp(-t_ms / r));
}

struct PspIntegrals {
  double first, second;  // of the PSP and of its square, unit weight
};

/// C dv/dt = -G v + g(t) (E - mu) by the implicit trapezoidal rule, independent of the closed form under test.
PspIntegrals integrate_psp(const BiexponentialSynapse& s, double C_nF, double G_uS, double force_mV) {
  const double dt = 2e-4;
  PspIntegrals sum{0, 0};
  double v = 0;
  for (int k = 0; k < 1'500'000; ++k) {
    const double drive = 0.5 * (conductance(s, k * dt) + conductance(s, (k + 1) * dt)) * force_mV;
    const double next = ((C_nF / dt - G_uS / 2) * v + drive) / (C_nF / dt + G_uS / 2);
    sum.first += dt * (v + next) / 2;
    sum.second += dt * (v * v + next * next) / 2;
    v = next;
  }
  return sum;
}

TEST(MembraneStatistics, EqualNumericalQuadratureOfThePsp) {
  const std::vector<BiexponentialSynapse> synapses{{0.5, 3, 0}, {2, 9, -80}, {0, 5, 0}};
  const std::vector<double> rate_per_ms{1.2, 0.7, 0.4}, weight_uS{0.0015, 0.002, 0.001}, cv2{0.3, 0.0, 1.0};
  std::vector<Receptor> receptors;
  std::vector<SpikeDrive<double>> drives;
  double G_uS = kMembrane.g_L_uS, weighted = kMembrane.g_L_uS * kMembrane.E_L_mV;
  for (std::size_t k = 0; k < synapses.size(); ++k) {
    receptors.emplace_back(synapses[k]);
    drives.push_back({rate_per_ms[k] * weight_uS[k], rate_per_ms[k] * weight_uS[k] * weight_uS[k] * (1 + cv2[k])});
    double area = 0;
    for (int i = 0; i < 400'000; ++i) area += 5e-4 * conductance(synapses[k], (i + 0.5) * 5e-4);
    EXPECT_NEAR(receptors[k].area_ms / area, 1, 1e-6);
    G_uS += area * rate_per_ms[k] * weight_uS[k];
    weighted += area * rate_per_ms[k] * weight_uS[k] * synapses[k].E_rev_mV;
  }
  const double mu = weighted / G_uS;
  double variance = 0, spectrum = 0;
  for (std::size_t k = 0; k < synapses.size(); ++k) {
    const PspIntegrals psp = integrate_psp(synapses[k], kMembrane.C_m_nF, G_uS, synapses[k].E_rev_mV - mu);
    variance += drives[k].rate_weight2_uS2_per_ms * psp.second;
    spectrum += drives[k].rate_weight2_uS2_per_ms * psp.first * psp.first;
  }
  const auto statistics = membrane_statistics<double>(kMembrane, receptors, drives, 0.0);
  EXPECT_NEAR(statistics.mu_mV, mu, 1e-5);
  EXPECT_NEAR(statistics.sigma_mV / std::sqrt(variance), 1, 1e-5);
  EXPECT_NEAR(statistics.tau_V_ms / (spectrum / (2 * variance)), 1, 1e-5);
}

TEST(MembraneStatistics, SingleExponentialsReproduceZerlautsFormula) {
  const double tau_e = 5, tau_i = 8, w_e = 0.0015, w_i = 0.005, nu_e = 1.6, nu_i = 0.6;
  const std::vector<Receptor> receptors{Receptor({0, tau_e, 0}), Receptor({0, tau_i, -80})};
  const std::vector<SpikeDrive<double>> drives{{nu_e * w_e, nu_e * w_e * w_e}, {nu_i * w_i, nu_i * w_i * w_i}};
  const auto s = membrane_statistics<double>(kMembrane, receptors, drives, 0.0);
  const double G = kMembrane.g_L_uS + nu_e * w_e * tau_e + nu_i * w_i * tau_i;
  const double mu = (kMembrane.g_L_uS * kMembrane.E_L_mV - 80 * nu_i * w_i * tau_i) / G;
  const double tau_m = kMembrane.C_m_nF / G;
  const double U_e = w_e * (0 - mu) / G, U_i = w_i * (-80 - mu) / G;
  const double A_e = nu_e * std::pow(U_e * tau_e, 2), A_i = nu_i * std::pow(U_i * tau_i, 2);
  const double variance = A_e / (2 * (tau_m + tau_e)) + A_i / (2 * (tau_m + tau_i));
  EXPECT_NEAR(s.mu_mV, mu, 1e-12);
  EXPECT_NEAR(s.sigma_mV, std::sqrt(variance), 1e-12);
  EXPECT_NEAR(s.tau_V_ms, (A_e + A_i) / (A_e / (tau_m + tau_e) + A_i / (tau_m + tau_i)), 1e-12);
}

TEST(MembraneStatistics, EqualSynapticTimeConstantsGiveTauSynPlusTauM) {
  const std::vector<Receptor> receptors{Receptor({0, 5, 0}), Receptor({0, 5, -80})};
  const std::vector<SpikeDrive<double>> drives{{0.002, 3e-6}, {0.003, 9e-6}};
  const auto s = membrane_statistics<double>(kMembrane, receptors, drives, 0.0);
  const double tau_m = kMembrane.C_m_nF / (kMembrane.g_L_uS + 5 * (0.002 + 0.003));
  EXPECT_NEAR(s.tau_V_ms, 5 + tau_m, 1e-12);
}

TEST(MembraneStatistics, CoincidingTimeConstantsAreNoSingularity) {
  // tau_rise = tau_decay is the alpha function; the values next to it must be its neighbours.
  const std::vector<SpikeDrive<double>> drives{{0.002, 3e-6}};
  const auto at = [&](double rise, double decay) {
    const std::vector<Receptor> receptor{Receptor({rise, decay, 0})};
    return membrane_statistics<double>(kMembrane, receptor, drives, 0.0);
  };
  EXPECT_NEAR(Receptor({3, 3, 0}).area_ms, 3 * std::exp(1.0), 1e-12);
  EXPECT_NEAR(at(3, 3).sigma_mV, at(3 - 1e-9, 3).sigma_mV, 1e-8);
  EXPECT_NEAR(at(3, 3).tau_V_ms, at(3 - 1e-9, 3).tau_V_ms, 1e-7);
  const double tau_m = kMembrane.C_m_nF / (kMembrane.g_L_uS + 0.002 * Receptor({2, 9.2, 0}).area_ms);
  EXPECT_TRUE(std::isfinite(at(2, tau_m).sigma_mV));
  EXPECT_TRUE(std::isfinite(at(tau_m, tau_m).sigma_mV));
}

TEST(MembraneStatistics, OrnsteinUhlenbeckCurrentFilteredByTheMembrane) {
  const std::vector<CurrentFluctuation> noise{{0.05, 4}};
  const auto s = membrane_statistics<double>(kMembrane, {}, {}, 0.1, noise);
  const double tau_m = 20;
  EXPECT_NEAR(s.mu_mV, -65 + 0.1 / 0.01, 1e-12);
  EXPECT_NEAR(s.sigma_mV, 0.05 / 0.01 * std::sqrt(4 / (4 + tau_m)), 1e-12);
  EXPECT_NEAR(s.tau_V_ms, 4 + tau_m, 1e-12);  // the autocorrelation of a cascade of two exponential filters
}

TransferFunction published() {
  TransferFunction transfer;
  transfer.t_ref_ms = 2;
  transfer.P_mV = {-49.8, 5.06, -23.5, 2.3, -0.41, 10.5, -36.6, 7.4, 1.3, -40.8};
  return transfer;
}

TEST(TransferRate, AutomaticDerivativeEqualsFiniteDifferences) {
  using Jet = ceres::Jet<double, 2>;
  const TransferFunction transfer = published();
  const std::vector<Receptor> receptors{Receptor({0.5, 5, 0}), Receptor({1, 5, -80})};
  const auto rate = [&](auto nu_e, auto nu_i) {
    using T = decltype(nu_e);
    const std::vector<SpikeDrive<T>> drives{{nu_e * 0.0015, nu_e * 2.5e-6}, {nu_i * 0.005, nu_i * 2.5e-5}};
    return transfer_rate(transfer, membrane_statistics<T>(kMembrane, receptors, drives, T(0.0)));
  };
  const double h = 1e-6;
  for (const auto& [e, i] : {std::pair{1.0, 0.3}, {1.6, 0.6}, {3.0, 1.0}}) {
    const Jet jet = rate(Jet(e, 0), Jet(i, 1));
    EXPECT_NEAR(jet.a, rate(e, i), 1e-12);
    const double de = (rate(e + h, i) - rate(e - h, i)) / (2 * h), di = (rate(e, i + h) - rate(e, i - h)) / (2 * h);
    EXPECT_GT(std::abs(de), 0);
    EXPECT_NEAR(jet.v[0], de, 1e-6 * std::abs(de) + 1e-7);
    EXPECT_NEAR(jet.v[1], di, 1e-6 * std::abs(di) + 1e-7);
  }
}

TEST(TransferRate, NeverExceedsTheInverseRefractoryTimeAndVanishesInTheDeepTail) {
  EXPECT_DOUBLE_EQ(transfer_rate(-60.0, MembraneStatistics<double>{-30, 2, 0.5}, 2.0), 500);
  EXPECT_GT(transfer_rate(-20.0, MembraneStatistics<double>{-60, 1.2, 10}, 2.0), 0);
  EXPECT_EQ(transfer_rate(-20.0, MembraneStatistics<double>{-60, 0.01, 10}, 2.0), 0);
  EXPECT_EQ(transfer_rate(-50.0, MembraneStatistics<double>{-60, 0, 10}, 2.0), 0);
  EXPECT_EQ(transfer_rate(-50.0, MembraneStatistics<double>{-40, 0, 10}, 2.0), 100);
}

TEST(TransferRate, InvertedThresholdGivesTheRateBack) {
  for (const double rate_Hz : {1e-6, 0.1, 7.0, 80.0}) {
    const MembraneStatistics<double> s{-57, 3.3, 8};
    EXPECT_NEAR(transfer_rate(inverted_threshold_mV(rate_Hz, s), s, 0.0) / rate_Hz, 1, 1e-10);
  }
  EXPECT_TRUE(std::isnan(inverted_threshold_mV(0, {-57, 3.3, 8})));
  EXPECT_TRUE(std::isnan(inverted_threshold_mV(1e4, {-57, 3.3, 8})));
}

TEST(TransferRate, OutsideTheFittedRangeTheThresholdKeepsItsBorderValue) {
  TransferFunction transfer = published();
  transfer.fitted_mu_mV = {-62, -48};
  transfer.fitted_sigma_mV = {2, 6};
  transfer.fitted_tau = {0.2, 0.8};
  const MembraneStatistics<double> border{-48, 6, 10}, beyond{-20, 30, 10};
  EXPECT_TRUE(inside_hull(transfer, border));
  EXPECT_FALSE(inside_hull(transfer, beyond));
  EXPECT_EQ(threshold_basis(transfer, border), threshold_basis(transfer, beyond));
}

/// Coefficients and cases with the defaults stored in TVB; values computed independently of this code.
TEST(TransferRate, ReproducesTheZerlautValuesOfTheReferenceFile) {
  const std::filesystem::path file = std::filesystem::path(tests::shared_dir()) / "reference/meanfield_reference.json";
  if (!std::filesystem::exists(file)) GTEST_SKIP() << file << " is absent";
  const nlohmann::json block = nlohmann::json::parse(std::ifstream(file)).at("zerlaut_tvb");
  TransferFunction excitatory, inhibitory;
  excitatory.t_ref_ms = inhibitory.t_ref_ms = 0;
  for (std::size_t k = 0; k < 10; ++k) {
    excitatory.P_mV[k] = 1000 * block.at("P_e_V").at(k).get<double>();
    inhibitory.P_mV[k] = 1000 * block.at("P_i_V").at(k).get<double>();
  }
  const std::vector<Receptor> receptors{Receptor({0, 5, 0}), Receptor({0, 5, -80})};
  for (const nlohmann::json& point : block.at("cases")) {
    const double background = 0.001;
    const double nu_e =
        ((point.at("nu_e").get<double>() + background) * 400 + point.at("nu_ext").get<double>() * 400) / 1000;
    const double nu_i = (point.at("nu_i").get<double>() + background) * 100 / 1000;
    const double current_nA = -1e9 * point.at("W_A").get<double>();
    const std::vector<SpikeDrive<double>> drives{{nu_e * 0.0015, nu_e * 0.0015 * 0.0015},
                                                 {nu_i * 0.005, nu_i * 0.005 * 0.005}};
    const auto s = membrane_statistics<double>(kMembrane, receptors, drives, current_nA);
    EXPECT_NEAR(s.mu_mV, 1000 * point.at("mu_V").get<double>(), 1e-9);
    EXPECT_NEAR(s.sigma_mV, 1000 * point.at("sigma_V").get<double>(), 1e-9);
    EXPECT_NEAR(s.tau_V_ms, 1000 * point.at("tau_V").get<double>(), 1e-9);
    EXPECT_NEAR(transfer_rate(excitatory, s) / point.at("F_e").get<double>(), 1, 1e-9);
    EXPECT_NEAR(transfer_rate(inhibitory, s) / point.at("F_i").get<double>(), 1, 1e-9);
  }
}

}  // namespace
}  // namespace triscale::meanfield

#include "meanfield/lif.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <random>

#include "meanfield/integrator.hpp"
#include "meanfield/lif_response.hpp"
#include "meanfield/special_functions.hpp"
#include "tests/meanfield/reference.hpp"

namespace triscale::meanfield {
namespace {

using Complex = std::complex<double>;

double number(const nlohmann::json& value) {
  return value.is_string() ? std::stod(value.get<std::string>()) : value.get<double>();
}

LifCell cell_of(const nlohmann::json& c) {
  LifCell cell;
  cell.tau_m_ms = 1000 * c.at("tau_m").get<double>();
  cell.t_ref_ms = 1000 * c.at("tau_ref").get<double>();
  cell.V_threshold_mV = 1000 * c.at("V_th").get<double>();
  cell.V_reset_mV = 1000 * c.at("V_r").get<double>();
  cell.tau_syn_ms = c.contains("tau_s") && !c.at("tau_s").is_null() ? 1000 * c.at("tau_s").get<double>() : 0;
  return cell;
}

LifInput input_of(const nlohmann::json& c) {
  return {1000 * c.at("mu").get<double>(), 1000 * c.at("sigma").get<double>()};
}

const LifCell kCell{10, 2, 15, 0, 0.5};

TEST(SpecialFunctions, EqualTheStandardLibraryWhereItHasThem) {
  for (double x = -5; x < 25; x += 0.0371) {
    const double expected = exp_square(x) * std::erfc(x);
    EXPECT_NEAR(erfcx(x) / expected, 1, 4e-15) << x;  // erfc itself is good to a few units in the last place
    EXPECT_NEAR(faddeeva({0, x}).real() / expected, 1, x < 0 ? 1e-13 : 4e-15) << x;
  }
}

TEST(SpecialFunctions, HaveTheirExpansionsForLargeAndSmallArguments) {
  for (const double x : {30.0, 1e3, 1e8}) {
    const double r = 1 / (2 * x * x);
    EXPECT_NEAR(erfcx(x) * x * std::sqrt(std::numbers::pi) / (1 - r + 3 * r * r - 15 * r * r * r + 105 * r * r * r * r),
                1, 1000 * std::pow(r, 5) + 5e-15);
    EXPECT_NEAR(2 * x * dawson(x) / (1 + r + 3 * r * r + 15 * r * r * r + 105 * r * r * r * r), 1,
                1000 * std::pow(r, 5) + 5e-15);
  }
  for (const double x : {1e-9, 1e-3}) EXPECT_NEAR(dawson(x) / (x - 2 * x * x * x / 3), 1, 1e-12);
  EXPECT_EQ(erfcx(0), 1);
  EXPECT_EQ(dawson(-0.7), -dawson(0.7));
}

TEST(SpecialFunctions, DawsonSolvesItsDifferentialEquation) {
  for (double x = 0.05; x < 12; x += 0.0931) {
    const double h = 1e-3;
    const double slope = (8 * (dawson(x + h) - dawson(x - h)) - (dawson(x + 2 * h) - dawson(x - 2 * h))) / (12 * h);
    EXPECT_NEAR(slope, 1 - 2 * x * dawson(x), 3e-12) << x;
  }
}

TEST(Faddeeva, SolvesItsDifferentialEquationInEveryQuadrant) {
  // w' = 2 i / sqrt(pi) - 2 z w
  for (double x = -6.3; x < 7; x += 0.61) {
    for (double y = -1.45; y < 7; y += 0.47) {
      const Complex z(x, y), h(2e-4, 1e-4);
      const Complex slope =
          (8.0 * (faddeeva(z + h) - faddeeva(z - h)) - (faddeeva(z + 2.0 * h) - faddeeva(z - 2.0 * h))) / (12.0 * h);
      const Complex expected = 2.0 * Complex(0, 1) / std::sqrt(std::numbers::pi) - 2.0 * z * faddeeva(z);
      EXPECT_LT(std::abs(slope - expected), 2e-10 * (1 + std::abs(faddeeva(z)) * (1 + std::abs(z)))) << z;
    }
  }
}

TEST(Siegert, EqualsHighPrecisionRatesTo1em14) {
  TRISCALE_REFERENCE(reference);
  int cases = 0;
  double worst = 0;
  for (const auto& c : reference.at("siegert").at("cases")) {
    const double expected = number(c.at("nu_mpmath"));
    const double error = std::abs(lif_rate(cell_of(c), input_of(c)).rate_hz / expected - 1);
    worst = std::max(worst, error);
    EXPECT_LE(error, 1e-14) << c.dump();
    ++cases;
  }
  EXPECT_EQ(cases, 48);
  RecordProperty("worst_relative_error", std::to_string(worst));
  std::printf("worst relative error of the rate: %.2g\n", worst);
}

TEST(Siegert, LogarithmOfTheRateIsRightWhereTheRateUnderflows) {
  TRISCALE_REFERENCE(reference);
  for (const auto& c : reference.at("siegert_extreme_log").at("cases")) {
    const double expected = number(c.at("ln_nu"));
    const double value = siegert_log_rate(number(c.at("y_th")), number(c.at("y_r")), 1000 * number(c.at("tau_m")),
                                          1000 * number(c.at("tau_ref")));
    EXPECT_LE(std::abs(value - expected), 1e-14 * std::max(1.0, std::abs(expected))) << c.dump();
  }
}

TEST(Siegert, DerivativesEqualFiniteDifferences) {
  for (const double mu : {-40.0, 0.0, 5.0, 14.0, 15.0, 16.0, 40.0}) {
    for (const double sigma : {0.8, 2.0, 6.0, 15.0}) {
      const double h = 1e-4;
      const auto log_rate = [&](double m, double s) { return lif_rate(kCell, {m, s}).log_rate; };
      const auto slope = [&](auto f) { return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h); };
      const LifRate rate = lif_rate(kCell, {mu, sigma});
      if (!(rate.rate_hz > 1e-300)) continue;
      const double d_mu = slope([&](double d) { return log_rate(mu + d, sigma); });
      const double d_sigma = slope([&](double d) { return log_rate(mu, sigma + d); });
      const double floor = 1e-11 * (1 + std::abs(rate.log_rate)) / h * 1e-3;
      EXPECT_NEAR(rate.d_mu_hz_per_mV / rate.rate_hz, d_mu, 1e-9 * std::abs(d_mu) + floor) << mu << ' ' << sigma;
      EXPECT_NEAR(rate.d_sigma_hz_per_mV / rate.rate_hz, d_sigma, 1e-9 * std::abs(d_sigma) + floor)
          << mu << ' ' << sigma;
    }
  }
}

TEST(Siegert, IsContinuousWhereTheBranchesMeet) {
  for (const double sigma : {1.0, 4.0}) {
    for (const double V : {15.0, 0.0}) {
      const double mu = V + sigma * siegert_bounds(kCell, {0, sigma}).shift;
      const LifRate below = lif_rate(kCell, {mu - 1e-13, sigma}), above = lif_rate(kCell, {mu + 1e-13, sigma});
      EXPECT_NEAR(below.rate_hz / above.rate_hz, 1, 1e-11);
      EXPECT_NEAR(below.d_mu_hz_per_mV / above.d_mu_hz_per_mV, 1, 1e-10);
      EXPECT_NEAR(below.d_sigma_hz_per_mV / above.d_sigma_hz_per_mV, 1, 1e-10);
    }
  }
}

TEST(Siegert, BecomesTheNoiseFreeCellAsTheNoiseVanishes) {
  const LifCell white{10, 2, 15, 0, 0};
  for (const double mu : {15.5, 20.0, 60.0}) {
    const double expected = 1000 / (2 + 10 * std::log(mu / (mu - 15)));
    EXPECT_NEAR(lif_rate(white, {mu, 0}).rate_hz / expected, 1, 1e-14);
    EXPECT_NEAR(lif_rate(white, {mu, 1e-6}).rate_hz / expected, 1, 1e-9);
    EXPECT_NEAR(lif_rate(white, {mu, 1e-6}).d_mu_hz_per_mV / lif_rate(white, {mu, 0}).d_mu_hz_per_mV, 1, 1e-6);
  }
  EXPECT_EQ(lif_rate(white, {14.9, 0}).rate_hz, 0);
  EXPECT_TRUE(std::isnan(lif_rate(white, {std::numeric_limits<double>::quiet_NaN(), 1}).rate_hz));
}

TEST(Siegert, ColouredNoiseShiftKeepsWithinItsStatedError) {
  TRISCALE_REFERENCE(reference);
  for (const auto& c : reference.at("colored_noise_shift_validity").at("cases")) {
    const double ratio = c.at("tau_s_over_tau_m");
    const LifCell cell{10, 2, 15, 0, 10 * ratio};
    const LifInput input{c.at("mu_mV"), c.at("sigma_mV")};
    const double rate = lif_rate(cell, input).rate_hz;
    EXPECT_NEAR(rate / c.at("rate_shift").get<double>(), 1, 1e-12);
    // Simulated values: error bound of the reference plus two standard errors.
    const double bound = ratio <= 0.1 ? 0.018 : ratio <= 0.2 ? 0.05 : 0.166;
    const double simulated = c.at("rate_sim"), sem = c.at("sem");
    EXPECT_LE(std::abs(rate - simulated), bound * simulated + 2 * sem) << c.dump();
  }
}

// ------------------------------------------------------------------------------------------------ linear response
// -----

void expect_close(Complex value, const nlohmann::json& expected, double tolerance, const char* what) {
  const Complex target(expected.at(0).get<double>(), expected.at(1).get<double>());
  EXPECT_LE(std::abs(value - target), tolerance * std::abs(target)) << what << ' ' << value << " instead of " << target;
}

TEST(LinearResponse, EqualsReferenceTo1em10) {
  TRISCALE_REFERENCE(reference);
  int frequencies = 0;
  for (const auto& c : reference.at("lif_linear_response").at("cases")) {
    const LifCell cell = cell_of(c);
    const LifInput input = input_of(c);
    const LifResponder responder(cell, input);
    EXPECT_NEAR(responder.rate().rate_hz / c.at("nu").get<double>(), 1, 1e-13);
    EXPECT_NEAR(responder.rate().d_mu_hz_per_mV * 1000 / c.at("dnu_dmu").get<double>(), 1, 1e-12);
    EXPECT_NEAR(responder.rate().d_sigma_hz_per_mV * 1000 / c.at("dnu_dsigma").get<double>(), 1, 1e-12);
    const double shift = siegert_bounds(cell, input).shift;
    for (const auto& r : c.at("response")) {
      const Complex lambda(0, 2 * std::numbers::pi * r.at("f").get<double>() / 1000);
      const LifResponse response = responder.at(lambda);
      expect_close(response.d_mu_hz_per_mV * 1000.0, r.at("n_mu_refractory"), 1e-10, "mean");
      // The reference holds the bounds fixed while sigma changes.
      const Complex fixed = response.d_sigma2_hz_per_mV2 + shift / (2 * input.sigma_mV) * response.d_mu_hz_per_mV;
      expect_close(fixed * 1e6, r.at("n_sigma2_refractory"), 1e-10, "variance");
      expect_close(response.interval_transform, r.at("fpt_laplace_incl_ref"), 1e-9, "interval");
      EXPECT_NEAR(renewal_spectrum_hz(responder.rate().rate_hz, response.interval_transform) /
                      r.at("S_renewal_Hz").get<double>(),
                  1, 1e-9);
      ++frequencies;
    }
  }
  EXPECT_GE(frequencies, 40);
}

TEST(LinearResponse, WithoutRefractoryTimeEqualsSchueckersFixture) {
  TRISCALE_REFERENCE(reference);
  for (const auto& c : reference.at("schuecker2015_fixture").at("cases")) {
    const LifCell cell{20, 0, 20, 15, 0.5};
    const LifResponder responder(cell, {c.at("mu_mV"), c.at("sigma_mV")});
    EXPECT_NEAR(responder.rate().rate_hz / c.at("nu0_shift_Hz").get<double>(), 1, 1e-12);
    for (std::size_t k = 0; k < c.at("f_Hz").size(); ++k) {
      const Complex lambda(0, 2 * std::numbers::pi * c.at("f_Hz")[k].get<double>() / 1000);
      const Complex value = responder.at(lambda).d_mu_hz_per_mV;  // the fixture leaves the synaptic filter out
      EXPECT_NEAR(std::abs(value) / c.at("abs_HzpermV")[k].get<double>(), 1, 1e-10);
      EXPECT_NEAR(std::arg(value) * 180 / std::numbers::pi, c.at("phase_deg")[k].get<double>(), 1e-8);
    }
  }
}

TEST(LinearResponse, StaticLimitIsTheSlopeOfTheRateTo1em10) {
  for (const double mu : {2.0, 10.0, 15.0, 30.0, 80.0}) {
    for (const double sigma : {0.5, 2.0, 6.0}) {
      const LifResponder responder(kCell, {mu, sigma});
      if (!(responder.rate().rate_hz > 1e-6)) continue;
      // The response is even in omega up to terms of first order in i omega: the real part has an error of omega^2.
      const LifResponse slow = responder.at({0, 1e-8});
      EXPECT_NEAR(slow.d_mu_hz_per_mV.real() / responder.rate().d_mu_hz_per_mV, 1, 1e-10) << mu << ' ' << sigma;
      const double d_sigma2 = responder.rate().d_sigma_hz_per_mV / (2 * sigma);
      const double scale = responder.rate().d_mu_hz_per_mV / sigma;
      EXPECT_NEAR(slow.d_sigma2_hz_per_mV2.real(), d_sigma2, 1e-10 * std::max(std::abs(d_sigma2), scale))
          << mu << ' ' << sigma;
    }
  }
}

TEST(LinearResponse, TaylorStepsAgreeWithTheRiccatiEquationAtComplexFrequencies) {
  const LifCell cell{20, 2, 20, 10, 0};
  const LifInput input{24, 11};
  const double x_r = std::numbers::sqrt2 * (10 - 24) / 11.0, x_th = std::numbers::sqrt2 * (20 - 24) / 11.0;
  for (const Complex lambda : {Complex(0, 0.02), Complex(0.05, 1.2), Complex(-0.03, 0.4), Complex(0.2, 0)}) {
    const Complex s = lambda * cell.tau_m_ms;
    const RightHandSide riccati = [&](const State& y, State& dy, double x) {
      const Complex w(y[0], y[1]);
      const Complex dw = s + x * w - w * w;
      dy = {dw.real(), dw.imag(), w.real(), w.imag()};
    };
    const double x0 = std::min(x_r, 0.0) - 12;
    const Complex w0 = (x0 + std::sqrt(x0 * x0 + 4.0 * s)) / 2.0;
    State y{w0.real(), w0.imag(), 0, 0};
    const ControlledOptions options{1e-13, 1e-13, 1e-3, 1'000'000};
    integrate_controlled(riccati, y, x0, x_r, options);
    const Complex w_r(y[0], y[1]);
    y[2] = y[3] = 0;
    integrate_controlled(riccati, y, x_r, x_th, options);
    const Complex w_th(y[0], y[1]), L(y[2], y[3]);
    const LifResponder responder(cell, input);
    const Complex expected = std::numbers::sqrt2 * responder.rate().rate_hz / input.sigma_mV / (1.0 + s) *
                             (w_th - w_r * std::exp(-L)) / (1.0 - std::exp(-(L + lambda * cell.t_ref_ms)));
    EXPECT_LT(std::abs(responder.at(lambda).d_mu_hz_per_mV - expected), 1e-9 * std::abs(expected)) << lambda;
  }
}

TEST(LinearResponse, SeriesFarFromThresholdAgreesWithSteppingThere) {
  // Weak noise far above threshold: x_reset on either side of the point from which on the asymptotic series is used.
  const LifCell cell{10, 2, 15, 0, 0};
  const auto value = [&](double sigma, double omega) { return LifResponder(cell, {22, sigma}).at({0, omega}); };
  for (const double omega : {1e-3, 0.1, 3.0}) {
    const double border = std::numbers::sqrt2 * 22 / 20;
    const Complex below = value(border * (1 - 1e-9), omega).d_mu_hz_per_mV;
    const Complex above = value(border * (1 + 1e-9), omega).d_mu_hz_per_mV;
    EXPECT_LT(std::abs(below - above), 1e-7 * std::abs(above)) << omega;
  }
}

// --------------------------------------------------------------------------------------------------------- renewal
// ----

TEST(Renewal, CvEqualsHighPrecisionValues) {
  TRISCALE_REFERENCE(reference);
  for (const auto& c : reference.at("cv_mpmath")) {
    EXPECT_NEAR(lif_cv(cell_of(c), input_of(c)) / number(c.at("CV")), 1, 1e-11);
  }
  for (const auto& c : reference.at("lif_linear_response").at("cases")) {
    EXPECT_NEAR(lif_cv(cell_of(c), input_of(c)) / c.at("CV_white_renewal").get<double>(), 1, 1e-9) << c.at("name");
  }
}

TEST(Renewal, MeanIntervalIsTheInverseOfSiegertsRate) {
  for (const double mu : {5.0, 14.0, 16.0, 40.0, 900.0}) {
    for (const double sigma : {0.3, 2.0, 6.0}) {
      const LifRate rate = lif_rate(kCell, {mu, sigma});
      if (!(rate.rate_hz > 1e-100)) continue;
      EXPECT_NEAR(interval_moments(kCell, {mu, sigma}).mean_ms * rate.rate_hz / 1000, 1, 1e-11) << mu << ' ' << sigma;
    }
  }
}

TEST(Renewal, CvIsOneFarBelowAndSmallFarAboveThreshold) {
  EXPECT_NEAR(lif_cv(kCell, {0, 2}), 1, 1e-6);
  EXPECT_EQ(lif_cv(kCell, {0, 0.5}), 1);
  // Weak noise around a ramp mu t / tau_m: the first-passage time of a drifted Wiener process has CV^2 ~ sigma^2.
  const double a = lif_cv({10, 0, 15, 0, 0}, {100, 0.1}), b = lif_cv({10, 0, 15, 0, 0}, {100, 0.2});
  EXPECT_NEAR(b / a, 2, 1e-4);
}

TEST(Renewal, SpectrumTendsToTheRateAtHighAndToRateTimesCvSquaredAtLowFrequency) {
  const LifInput input{10, 5};
  const LifResponder responder(kCell, input);
  const double nu = responder.rate().rate_hz, cv = lif_cv(kCell, input);
  EXPECT_NEAR(renewal_spectrum_hz(nu, responder.at({0, 100}).interval_transform) / nu, 1, 1e-6);
  EXPECT_NEAR(renewal_spectrum_hz(nu, responder.at({0, 1e-5}).interval_transform) / (nu * cv * cv), 1, 1e-5);
}

}  // namespace
}  // namespace triscale::meanfield

// The model of Wilson and Cowan at a working point of another theory.
#include "meanfield/wilson_cowan.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "meanfield/lif_network.hpp"
#include "meanfield/stationary_states.hpp"

namespace triscale::meanfield {
namespace {

using Complex = std::complex<double>;

/// One pole and one delay a connection, with known parameters.
struct Known {
  Eigen::Vector2d rates_hz{8, 20}, tau_ms{12, 4}, gain{3, 5};
  Eigen::Matrix2d coupling = (Eigen::Matrix2d() << 0.6, -1.2, 1.5, -0.4).finished();
  Eigen::Matrix2d delay_ms = (Eigen::Matrix2d() << 2, 1, 3.5, 0).finished();
};

class KnownLinearisation : public Linearisation {
 public:
  explicit KnownLinearisation(const Known& k) : k_(k) {}
  Eigen::MatrixXcd connectivity(Complex lambda) const override {
    Eigen::MatrixXcd W(2, 2);
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 2; ++j) {
        W(i, j) = k_.coupling(i, j) * std::exp(-lambda * k_.delay_ms(i, j)) / (1.0 + lambda * k_.tau_ms[i]);
      }
    }
    return W;
  }
  Eigen::VectorXcd input_response(Complex lambda) const override {
    return Eigen::Vector2cd(k_.gain[0] / (1.0 + lambda * k_.tau_ms[0]), k_.gain[1] / (1.0 + lambda * k_.tau_ms[1]));
  }
  Eigen::VectorXd noise_hz(Complex) const override { return Eigen::Vector2d(0.1, 0.2); }

 private:
  Known k_;
};

class KnownTheory : public RateTheory {
 public:
  std::size_t size() const override { return 2; }
  std::string name(std::size_t i) const override { return i == 0 ? "E" : "I"; }
  double highest_rate_hz(std::size_t) const override { return 200; }
  Eigen::VectorXd transfer_hz(const Eigen::VectorXd& nu, Eigen::MatrixXd*) const override { return nu; }
  std::unique_ptr<Linearisation> linearise(const Eigen::VectorXd&) const override {
    return std::make_unique<KnownLinearisation>(known);
  }
  Known known;
};

TEST(WilsonCowan, RecoversPolesDelaysAndCouplingsWhereTheTheoryHasThem) {
  const KnownTheory theory;
  const WilsonCowan model(theory, theory.known.rates_hz);
  EXPECT_LT((model.tau_ms - theory.known.tau_ms).cwiseAbs().maxCoeff(), 1e-3);
  EXPECT_LT((model.delay_ms - theory.known.delay_ms).cwiseAbs().maxCoeff(), 1e-3);
  EXPECT_LT((model.coupling - theory.known.coupling).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT((model.input_gain - theory.known.gain).cwiseAbs().maxCoeff(), 1e-12);
  EXPECT_LT(model.misfit.maxCoeff(), 1e-4);
}

TEST(WilsonCowan, RestsAtTheStateAndIsBoundedBySilenceAndTheHighestRate) {
  const KnownTheory theory;
  const WilsonCowan model(theory, theory.known.rates_hz);
  Eigen::MatrixXd slope;
  EXPECT_LT((model.transfer_hz(theory.known.rates_hz, &slope) - theory.known.rates_hz).norm(), 1e-12);
  EXPECT_LT((slope - theory.known.coupling).norm(), 1e-12);
  const Eigen::Vector2d away(30, 5);
  model.transfer_hz(away, &slope);
  constexpr double kStep_hz = 1e-4;
  for (int j = 0; j < 2; ++j) {
    const Eigen::Vector2d step = kStep_hz * Eigen::Vector2d::Unit(j);
    const Eigen::VectorXd change = model.transfer_hz(away + step, nullptr) - model.transfer_hz(away - step, nullptr);
    EXPECT_LT((change / (2 * kStep_hz) - slope.col(j)).norm(), 1e-6);
  }
  EXPECT_LT((model.linearise(away)->connectivity(0).real() - slope).norm(), 1e-12);
  for (int i = 0; i < 2; ++i) {
    const double relative = slope(i, 1) / theory.known.coupling(i, 1);
    EXPECT_NEAR(model.linearise(away)->input_response(0)[i].real(), relative * theory.known.gain[i], 1e-12);
    EXPECT_GT(std::abs(relative - 1), 0.1);
  }
  EXPECT_NEAR(model.transfer_hz(Eigen::Vector2d(1e5, 0), nullptr)[0], 200, 1e-6);
  EXPECT_NEAR(model.transfer_hz(Eigen::Vector2d(0, 1e5), nullptr)[0], 0, 1e-6);
}

LifNetwork balanced() {
  LifNetwork n;
  n.populations = {{"E", 800, {10, 2, 15, 0, 0.5}}, {"I", 200, {10, 2, 15, 0, 0.5}}};
  for (LifPopulation& p : n.populations) add_poisson_input(p, 1000, 0.2, 0.04, 8);
  n.in_degree = (Eigen::Matrix2d() << 100, 50, 100, 50).finished();
  n.psp_mV = (Eigen::Matrix2d() << 0.15, -0.6, 0.15, -0.6).finished();
  n.psp2_mV2 = n.psp_mV.cwiseProduct(n.psp_mV);
  n.delay_ms = Eigen::Matrix2d::Constant(1.5);
  n.delay_sd_ms = Eigen::Matrix2d::Zero();
  return n;
}

TEST(WilsonCowan, RespondsToSlowChangesAsTheTheoryItComesFrom) {
  const LifTheory theory(balanced());
  const Eigen::VectorXd rates = find_stationary_points(theory).points.front().rates_hz;
  const WilsonCowan model(theory, rates);
  const auto full = theory.linearise(rates), reduced = model.linearise(rates);
  const Complex lambda(0, 2e-3 * std::numbers::pi * 1);
  EXPECT_LT((full->connectivity(lambda) - reduced->connectivity(lambda)).norm(), 0.02 * full->connectivity(0).norm());
  // Delays are those of the synapses and what their filter adds.
  EXPECT_GT(model.delay_ms.minCoeff(), 1.4);
  EXPECT_LT(model.delay_ms.maxCoeff(), 2.5);
  EXPECT_LT(model.misfit.maxCoeff(), 0.2);  // the cells resonate near their rates
  EXPECT_EQ(find_stationary_points(model).points.size(), 1u);
}

TEST(WilsonCowan, ASilentPopulationHasNoSigmoid) {
  const KnownTheory theory;
  EXPECT_THROW(WilsonCowan(theory, Eigen::Vector2d(0, 20)), core::InputError);
  EXPECT_THROW(WilsonCowan(theory, Eigen::Vector2d(8, 200)), core::InputError);
}

}  // namespace
}  // namespace triscale::meanfield

#include "meanfield/wilson_cowan.hpp"

#include <fmt/format.h>

#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <numbers>
#include <utility>

#include "core/error.hpp"

namespace triscale::meanfield {

namespace {

using Complex = std::complex<double>;
using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

constexpr double kLowest_Hz = 1, kHighest_Hz = 200, kRatio = 1.2;
constexpr double kLeastTau_ms = 0.05, kMostTau_ms = 500, kMostDelay_ms = 50;

Complex low_pass(Complex lambda, double tau_ms) {
  return 1.0 / (1.0 + lambda * tau_ms);
}

/// Of a function of one variable between bounds.
template <class Function>
double minimum_of(const Function& f, double low, double high) {
  constexpr int kBits = 24, kPieces = 20;
  // The best of equal pieces first: a delay may have several minima.
  double best = low, least = f(low);
  for (int k = 1; k <= kPieces; ++k) {
    const double x = low + (high - low) * k / kPieces, value = f(x);
    if (value < least) best = x, least = value;
  }
  const double width = (high - low) / kPieces;
  const auto found =
      boost::math::tools::brent_find_minima(f, std::max(low, best - width), std::min(high, best + width), kBits);
  return found.second < least ? found.first : best;
}

/// A response relative to its slow limit, at several frequencies.
class Relative {
 public:
  template <class Values>
  Relative(const std::vector<Complex>& lambdas, const Values& value) : lambdas_(lambdas) {
    for (std::size_t k = 0; k < lambdas.size(); ++k) values_.push_back(value(k));
  }
  double error(double tau_ms, double delay_ms) const {
    double sum = 0;
    for (std::size_t k = 0; k < values_.size(); ++k) {
      sum += std::norm(values_[k] - std::exp(-lambdas_[k] * delay_ms) * low_pass(lambdas_[k], tau_ms));
    }
    return sum;
  }
  double best_delay_ms(double tau_ms) const {
    return minimum_of([&](double d_ms) { return error(tau_ms, d_ms); }, 0.0, kMostDelay_ms);
  }
  double power() const {
    double sum = 0;
    for (const Complex& value : values_) sum += std::norm(value);
    return sum;
  }

 private:
  const std::vector<Complex>& lambdas_;
  std::vector<Complex> values_;
};

class LinearWilsonCowan : public Linearisation {
 public:
  LinearWilsonCowan(const WilsonCowan& model, VectorXd slope, VectorXd noise_hz)
      : w_(slope.asDiagonal() * model.coupling),
        d_ms_(model.delay_ms),
        tau_ms_(model.tau_ms),
        h_(slope.cwiseProduct(model.input_gain)),
        noise_hz_(std::move(noise_hz)) {}

  MatrixXcd connectivity(Complex lambda) const override {
    MatrixXcd out(w_.rows(), w_.cols());
    for (Index i = 0; i < w_.rows(); ++i) {
      for (Index j = 0; j < w_.cols(); ++j) {
        out(i, j) = w_(i, j) * std::exp(-lambda * d_ms_(i, j)) * low_pass(lambda, tau_ms_[i]);
      }
    }
    return out;
  }
  VectorXcd input_response(Complex lambda) const override {
    VectorXcd out(h_.size());
    for (Index i = 0; i < h_.size(); ++i) out[i] = h_[i] * low_pass(lambda, tau_ms_[i]);
    return out;
  }
  VectorXd noise_hz(Complex /*lambda*/) const override { return noise_hz_; }

 private:
  MatrixXd w_, d_ms_;
  VectorXd tau_ms_, h_, noise_hz_;
};

}  // namespace

WilsonCowan::WilsonCowan(const RateTheory& theory, const VectorXd& rates)
    : rates_hz(rates), highest_hz(rates.size()), tau_ms(rates.size()), misfit(rates.size()) {
  const Index n = rates.size();
  core::Diagnostics problems;
  for (Index i = 0; i < n; ++i) {
    const auto population = static_cast<std::size_t>(i);
    names_.push_back(theory.name(population));
    highest_hz[i] = theory.highest_rate_hz(population);
    if (rates[i] > 0 && rates[i] < highest_hz[i]) continue;
    problems.error({"", names_.back(), fmt::format("{:.3g} Hz", rates[i]),
                    fmt::format("must fire above 0 and below {:.3g} Hz to have a sigmoid", highest_hz[i]), ""});
  }
  problems.throw_if_errors();

  const std::unique_ptr<Linearisation> linear = theory.linearise(rates);
  coupling = linear->connectivity(0).real();
  input_gain = linear->input_response(0).real();
  std::vector<Complex> lambdas;
  std::vector<MatrixXcd> W;
  std::vector<VectorXcd> H;
  for (double f = kLowest_Hz; f <= kHighest_Hz; f *= kRatio) {
    lambdas.emplace_back(0, 2e-3 * std::numbers::pi * f);
    W.push_back(linear->connectivity(lambdas.back()));
    H.push_back(linear->input_response(lambdas.back()));
  }
  noise_hz_ = linear->noise_hz(lambdas.front());
  delay_ms = MatrixXd::Zero(n, n);
  for (Index i = 0; i < n; ++i) {
    // Responses relative to their slow limit: to input first, then to the sources.
    std::vector<Relative> responses;
    std::vector<Index> sources;
    if (input_gain[i] != 0) responses.emplace_back(lambdas, [&](std::size_t k) { return H[k][i] / input_gain[i]; });
    const std::size_t inputs = responses.size();
    for (Index j = 0; j < n; ++j) {
      if (coupling(i, j) == 0) continue;
      responses.emplace_back(lambdas, [&](std::size_t k) { return W[k](i, j) / coupling(i, j); });
      sources.push_back(j);
    }
    const auto error_at = [&](double log_tau) {
      double sum = 0;
      for (std::size_t r = 0; r < responses.size(); ++r) {
        const double tau = std::exp(log_tau);
        sum += responses[r].error(tau, r < inputs ? 0.0 : responses[r].best_delay_ms(tau));
      }
      return sum;
    };
    tau_ms[i] = std::exp(minimum_of(error_at, std::log(kLeastTau_ms), std::log(kMostTau_ms)));
    double all = 0;
    for (const Relative& response : responses) all += response.power();
    for (std::size_t j = 0; j < sources.size(); ++j) {
      delay_ms(i, sources[j]) = responses[inputs + j].best_delay_ms(tau_ms[i]);
    }
    misfit[i] = all > 0 ? std::sqrt(error_at(std::log(tau_ms[i])) / all) : 0;
  }
}

WilsonCowan::Sigmoid WilsonCowan::sigmoid(const VectorXd& nu_hz) const {
  const VectorXd x = coupling * (nu_hz - rates_hz);
  Sigmoid out{VectorXd(x.size()), VectorXd(x.size())};
  for (Index i = 0; i < x.size(); ++i) {
    const double r = highest_hz[i], share = rates_hz[i] / r, scale_hz = rates_hz[i] * (1 - share);
    out.S_hz[i] = r / (1 + (1 / share - 1) * std::exp(-x[i] / scale_hz));
    out.slope[i] = out.S_hz[i] * (1 - out.S_hz[i] / r) / scale_hz;
  }
  return out;
}

VectorXd WilsonCowan::transfer_hz(const VectorXd& nu_hz, MatrixXd* slope) const {
  const Sigmoid s = sigmoid(nu_hz);
  if (slope) *slope = s.slope.asDiagonal() * coupling;
  return s.S_hz;
}

std::unique_ptr<Linearisation> WilsonCowan::linearise(const VectorXd& nu_hz) const {
  return std::make_unique<LinearWilsonCowan>(*this, sigmoid(nu_hz).slope, noise_hz_);
}

}  // namespace triscale::meanfield

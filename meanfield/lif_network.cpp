#include "meanfield/lif_network.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "meanfield/special_functions.hpp"

namespace triscale::meanfield {

namespace {

using Complex = std::complex<double>;

Eigen::Index index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}

void check_population(const LifPopulation& population, core::Diagnostics& problems) {
  const std::string place = fmt::format("populations.{}", population.name);
  const auto require = [&](bool good, const char* key, double value, const char* rule) {
    if (!good) problems.error({"", place + "." + key, fmt::format("{}", value), rule, ""});
  };
  const LifCell& cell = population.cell;
  require(cell.tau_m_ms > 0, "tau_m_ms", cell.tau_m_ms, "must be > 0");
  require(cell.t_ref_ms >= 0, "t_ref_ms", cell.t_ref_ms, "must be >= 0");
  require(cell.tau_syn_ms >= 0, "tau_syn_ms", cell.tau_syn_ms, "must be >= 0");
  require(cell.V_reset_mV < cell.V_threshold_mV, "V_reset_mV", cell.V_reset_mV, "must be below the threshold");
  require(population.cells > 0, "cells", population.cells, "must be > 0");
  require(std::isfinite(population.mu_external_mV), "mu_external_mV", population.mu_external_mV, "must be finite");
  require(population.sigma2_external_mV2 >= 0, "sigma2_external_mV2", population.sigma2_external_mV2, "must be >= 0");
}

/// The linear response of a network around given rates.
class LifLinearisation : public Linearisation {
 public:
  LifLinearisation(const LifNetwork& network, const LifResponseTerms& terms, const Eigen::VectorXd& rates_hz)
      : network_(network), terms_(terms) {
    const std::vector<LifInput> inputs = inputs_at(network, rates_hz);
    for (std::size_t i = 0; i < network.size(); ++i) {
      responders_.emplace_back(network.populations[i].cell, inputs[i], terms.refractory_factor);
    }
  }

  Eigen::MatrixXcd connectivity(Complex lambda) const override {
    const auto n = index(network_.size());
    Eigen::MatrixXcd W(n, n);
    for (Eigen::Index i = 0; i < n; ++i) {
      const LifCell& cell = network_.populations[static_cast<std::size_t>(i)].cell;
      const LifResponse response = responders_[static_cast<std::size_t>(i)].at(lambda);
      const Complex filter = 1.0 / (1.0 + lambda * cell.tau_syn_ms);
      const Complex to_mean = terms_.filtered_noise ? std::sqrt(filter) : filter;  // sqrt(1 + lambda tau_s) * filter
      for (Eigen::Index j = 0; j < n; ++j) {
        if (network_.in_degree(i, j) == 0) {
          W(i, j) = 0;
          continue;
        }
        Complex effect = response.d_mu_hz_per_mV * to_mean * network_.psp_mV(i, j);
        if (terms_.variance_modulation) effect += response.d_sigma2_hz_per_mV2 * filter * network_.psp2_mV2(i, j);
        // Rates in Hz drive per ms: tau_m in s.
        W(i, j) = cell.tau_m_ms / 1000 * network_.in_degree(i, j) * effect *
                  delay_transform(network_.delay_ms(i, j), network_.delay_sd_ms(i, j), lambda);
      }
    }
    return W;
  }

  Eigen::VectorXcd input_response(Complex lambda) const override {
    Eigen::VectorXcd H(index(network_.size()));
    for (std::size_t i = 0; i < responders_.size(); ++i) H[index(i)] = responders_[i].at(lambda).d_mu_hz_per_mV;
    return H;
  }

  Eigen::VectorXd noise_hz(Complex lambda) const override {
    Eigen::VectorXd S(index(network_.size()));
    for (std::size_t i = 0; i < responders_.size(); ++i) {
      const double rate_hz = responders_[i].rate().rate_hz;
      const bool renewal = terms_.renewal_noise && std::abs(lambda) > 0;
      const double spectrum_hz =
          renewal ? renewal_spectrum_hz(rate_hz, responders_[i].at(lambda).interval_transform) : rate_hz;
      S[index(i)] = spectrum_hz / network_.populations[i].cells;
    }
    return S;
  }

 private:
  const LifNetwork& network_;
  LifResponseTerms terms_;
  std::vector<LifResponder> responders_;
};

}  // namespace

void LifNetwork::check() const {
  core::Diagnostics problems;
  for (const LifPopulation& population : populations) check_population(population, problems);
  const auto n = index(size());
  const auto require = [&](const Eigen::MatrixXd& matrix, const char* name, bool not_negative) {
    if (matrix.rows() != n || matrix.cols() != n) {
      problems.error({"", name, fmt::format("{} x {}", matrix.rows(), matrix.cols()),
                      fmt::format("must be {} x {}, one row per target and one column per source", n, n), ""});
    } else if (!matrix.allFinite() || (not_negative && n > 0 && matrix.minCoeff() < 0)) {
      problems.error({"", name, "", not_negative ? "must be finite and not negative" : "must be finite", ""});
    }
  };
  require(in_degree, "in_degree", true);
  require(psp_mV, "psp_mV", false);
  require(psp2_mV2, "psp2_mV2", true);
  require(delay_ms, "delay_ms", true);
  require(delay_sd_ms, "delay_sd_ms", true);
  problems.throw_if_errors();
}

void add_poisson_input(LifPopulation& population, double synapses, double psp_mV, double psp2_mV2, double rate_hz) {
  const double events = population.cell.tau_m_ms * synapses * rate_hz / 1000;  // per membrane time constant
  population.mu_external_mV += events * psp_mV;
  population.sigma2_external_mV2 += events * psp2_mV2;
  population.jump3_external_mV3_per_ms += synapses * rate_hz / 1000 * psp_mV * psp2_mV2;
}

std::vector<LifInput> inputs_at(const LifNetwork& network, const Eigen::VectorXd& rates_hz) {
  std::vector<LifInput> inputs(network.size());
  for (std::size_t i = 0; i < network.size(); ++i) {
    const LifPopulation& target = network.populations[i];
    double mu = 0, sigma2 = 0;
    for (Eigen::Index j = 0; j < rates_hz.size(); ++j) {
      const double events = network.in_degree(index(i), j) * rates_hz[j];
      mu += events * network.psp_mV(index(i), j);
      sigma2 += events * network.psp2_mV2(index(i), j);
    }
    const double tau_s = target.cell.tau_m_ms / 1000;
    inputs[i] = {target.mu_external_mV + tau_s * mu,
                 std::sqrt(std::max(0.0, target.sigma2_external_mV2 + tau_s * sigma2))};
  }
  return inputs;
}

Complex delay_transform(double mean_ms, double sd_ms, Complex lambda) {
  if (!(sd_ms > 0)) return std::exp(-lambda * mean_ms);
  const double ratio = mean_ms / sd_ms;
  const double positive = 0.5 * std::erfc(-ratio / std::numbers::sqrt2);  // P(delay > 0) before cutting off
  const Complex z = (lambda * sd_ms - ratio) / std::numbers::sqrt2;
  return 0.5 * std::exp(-ratio * ratio / 2) * faddeeva(Complex(0, 1) * z) / positive;
}

LifTheory::LifTheory(LifNetwork network, const LifResponseTerms& terms) : network_(std::move(network)), terms_(terms) {
  network_.check();
}

double LifTheory::highest_rate_hz(std::size_t population) const {
  constexpr double kNoRefractoriness_Hz = 1000;
  const double t_ref_ms = network_.populations[population].cell.t_ref_ms;
  return t_ref_ms > 0 ? 1000 / t_ref_ms : kNoRefractoriness_Hz;
}

Eigen::VectorXd LifTheory::transfer_hz(const Eigen::VectorXd& rates_hz, Eigen::MatrixXd* slope) const {
  const auto n = index(size());
  const std::vector<LifInput> inputs = inputs_at(network_, rates_hz);
  Eigen::VectorXd F(n);
  if (slope != nullptr) slope->resize(n, n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto target = static_cast<std::size_t>(i);
    const LifCell& cell = network_.populations[target].cell;
    const LifRate rate = lif_rate(cell, inputs[target]);
    F[i] = rate.rate_hz;
    if (slope == nullptr) continue;
    const double tau_s = cell.tau_m_ms / 1000;
    const double d_sigma2 = inputs[target].sigma_mV > 0 ? rate.d_sigma_hz_per_mV / (2 * inputs[target].sigma_mV) : 0;
    for (Eigen::Index j = 0; j < n; ++j) {
      (*slope)(i, j) = tau_s * network_.in_degree(i, j) *
                       (rate.d_mu_hz_per_mV * network_.psp_mV(i, j) + d_sigma2 * network_.psp2_mV2(i, j));
    }
  }
  return F;
}

std::unique_ptr<Linearisation> LifTheory::linearise(const Eigen::VectorXd& rates_hz) const {
  return std::make_unique<LifLinearisation>(network_, terms_, rates_hz);
}

}  // namespace triscale::meanfield

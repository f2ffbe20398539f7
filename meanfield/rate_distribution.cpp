#include "meanfield/rate_distribution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "core/error.hpp"

namespace triscale::meanfield {

namespace {

using Eigen::VectorXd;

/// Standard normal in equal steps: for smooth functions the trapezium rule is exact to rounding here.
constexpr int kPoints = 161;
constexpr double kReach = 8;

struct Quadrature {
  std::vector<double> z, weight;
  Quadrature() {
    for (int k = 0; k < kPoints; ++k) {
      z.push_back(-kReach + 2 * kReach * k / (kPoints - 1));
      weight.push_back(std::exp(-z.back() * z.back() / 2));
    }
    const double sum = std::accumulate(weight.begin(), weight.end(), 0.0);
    for (double& w : weight) w /= sum;
  }
};

double spread_of_mean(const LifNetwork& network, std::size_t target, const VectorXd& nu, const VectorXd& q,
                      const HeterogeneityOptions& options) {
  const auto i = static_cast<Eigen::Index>(target);
  double sum = 0;
  for (Eigen::Index j = 0; j < nu.size(); ++j) {
    const double K = network.in_degree(i, j), J2 = network.psp_mV(i, j) * network.psp_mV(i, j);
    const double second = options.rates_of_sources_differ ? q[j] : nu[j] * nu[j];
    const double between_cells = std::max(0.0, second - nu[j] * nu[j]);
    sum += K * J2 * (options.in_degree_fano * nu[j] * nu[j] + between_cells);
    sum += K * std::max(0.0, network.psp2_mV2(i, j) - J2) * second;
  }
  return network.populations[target].cell.tau_m_ms / 1000 * std::sqrt(sum);
}

double normal_below(double z) {
  return 0.5 * std::erfc(-z / std::numbers::sqrt2);
}

/// z at which a share of the cells lies below.
double normal_quantile(double share) {
  double low = -10, high = 10;
  for (int step = 0; step < 80; ++step) {
    const double middle = 0.5 * (low + high);
    (normal_below(middle) < share ? low : high) = middle;
  }
  return 0.5 * (low + high);
}

RateDistribution describe(const LifCell& cell, const LifInput& input, double spread_mV) {
  const Quadrature quadrature;
  const auto rate_at = [&](double z) { return lif_rate(cell, {input.mu_mV + spread_mV * z, input.sigma_mV}).rate_hz; };
  RateDistribution result;
  result.spread_mV = spread_mV;
  double square = 0;
  for (std::size_t k = 0; k < quadrature.z.size(); ++k) {
    const double rate_hz = rate_at(quadrature.z[k]);
    result.mean_hz += quadrature.weight[k] * rate_hz;
    square += quadrature.weight[k] * rate_hz * rate_hz;
  }
  result.sd_hz = std::sqrt(std::max(0.0, square - result.mean_hz * result.mean_hz));
  for (int decile = 1; decile < 10; ++decile) result.deciles_hz.push_back(rate_at(normal_quantile(0.1 * decile)));
  // The rate grows with z: the shares are those of the normal distribution on one side of a z.
  double low = -kReach, high = kReach;
  for (int step = 0; step < 60; ++step) {
    const double middle = 0.5 * (low + high);
    (rate_at(middle) < kNearlySilent_Hz ? low : high) = middle;
  }
  result.nearly_silent = normal_below(0.5 * (low + high));
  const double first = normal_quantile(0.9);
  constexpr int kSteps = 400;
  double top = 0;
  for (int k = 0; k < kSteps; ++k) {
    const double z = first + (kReach - first) * (k + 0.5) / kSteps;
    top += rate_at(z) * std::exp(-z * z / 2) * (kReach - first) / kSteps;
  }
  result.top_tenth = result.mean_hz > 0 ? top / std::sqrt(2 * std::numbers::pi) / result.mean_hz : 0;
  return result;
}

}  // namespace

std::vector<RateDistribution> rate_distributions(const LifNetwork& network, const VectorXd& rates_hz,
                                                 const HeterogeneityOptions& options) {
  constexpr int kMaxSteps = 3000;
  constexpr double kStep = 0.1;
  const Quadrature quadrature;
  VectorXd nu = rates_hz, q = rates_hz.cwiseAbs2();
  bool converged = false;
  for (int step = 0; step < kMaxSteps && !converged; ++step) {
    const std::vector<LifInput> inputs = inputs_at(network, nu);
    VectorXd nu_next = VectorXd::Zero(nu.size()), q_next = VectorXd::Zero(nu.size());
    for (std::size_t i = 0; i < network.size(); ++i) {
      const double spread_mV = spread_of_mean(network, i, nu, q, options);
      for (std::size_t k = 0; k < quadrature.z.size(); ++k) {
        const LifInput input{inputs[i].mu_mV + spread_mV * quadrature.z[k], inputs[i].sigma_mV};
        const double rate_hz = lif_rate(network.populations[i].cell, input).rate_hz;
        nu_next[static_cast<Eigen::Index>(i)] += quadrature.weight[k] * rate_hz;
        q_next[static_cast<Eigen::Index>(i)] += quadrature.weight[k] * rate_hz * rate_hz;
      }
    }
    const double change =
        (nu_next - nu).lpNorm<Eigen::Infinity>() + (q_next - q).cwiseAbs().maxCoeff() / (1 + q.maxCoeff());
    converged = change < 1e-9 * std::max(1.0, nu.maxCoeff());
    nu += kStep * (nu_next - nu);
    q += kStep * (q_next - q);
  }
  if (!converged || !nu.allFinite()) {
    throw core::NumericalError("mean-field tier: the distribution of rates did not converge");
  }
  const std::vector<LifInput> inputs = inputs_at(network, nu);
  std::vector<RateDistribution> result;
  for (std::size_t i = 0; i < network.size(); ++i) {
    result.push_back(describe(network.populations[i].cell, inputs[i], spread_of_mean(network, i, nu, q, options)));
  }
  return result;
}

RateDistribution distribution_over(std::vector<double> shares, std::vector<double> rates_hz) {
  std::vector<std::size_t> order(shares.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rates_hz[a] < rates_hz[b]; });
  RateDistribution result;
  double square = 0, below = 0, top = 0;
  for (const std::size_t k : order) {
    result.mean_hz += shares[k] * rates_hz[k];
    square += shares[k] * rates_hz[k] * rates_hz[k];
    if (rates_hz[k] < kNearlySilent_Hz) result.nearly_silent += shares[k];
    const double above_90 = std::clamp(below + shares[k] - 0.9, 0.0, shares[k]);
    top += above_90 * rates_hz[k];
    below += shares[k];
    while (result.deciles_hz.size() < 9 && below >= 0.1 * static_cast<double>(result.deciles_hz.size() + 1) - 1e-12) {
      result.deciles_hz.push_back(rates_hz[k]);
    }
  }
  result.sd_hz = std::sqrt(std::max(0.0, square - result.mean_hz * result.mean_hz));
  result.top_tenth = result.mean_hz > 0 ? top / result.mean_hz : 0;
  return result;
}

}  // namespace triscale::meanfield

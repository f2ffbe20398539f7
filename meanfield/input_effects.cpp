#include "meanfield/input_effects.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "meanfield/lif_weak_input.hpp"
#include "meanfield/spectra.hpp"

namespace triscale::meanfield {

namespace {

constexpr double kCellsPerSigma = 12;   // relative effects are then right to 2 %
constexpr double kLargestEffect = 1.5;  // beyond, the expansion says nothing

Eigen::Index index(std::size_t i) {
  return static_cast<Eigen::Index>(i);
}

/// Where responses are computed, Hz; they are smooth in between.
std::vector<double> coarse_frequencies() {
  std::vector<double> f;
  for (double x = 0.5; x < 40; x += 4) f.push_back(x);
  for (double x = 42; x < 130; x += 8) f.push_back(x);
  for (double x = 140; x <= 600; x += 20) f.push_back(x);
  return f;
}

/// Spectra are summed on a fine grid, because peaks are narrow.
constexpr double kFine_Hz = 0.5, kHighest_Hz = 600;

/// Linear interpolation over the coarse frequencies: place and share of the right neighbour.
struct Place {
  std::size_t left;
  double share;
};
std::vector<Place> places(const std::vector<double>& coarse) {
  std::vector<Place> result;
  std::size_t left = 0;
  for (double f = kFine_Hz; f < kHighest_Hz; f += kFine_Hz) {
    while (left + 2 < coarse.size() && coarse[left + 1] < f) ++left;
    result.push_back({left, std::clamp((f - coarse[left]) / (coarse[left + 1] - coarse[left]), 0.0, 1.0)});
  }
  return result;
}

/// One group of cells of a population with the same mean input.
struct Group {
  double share = 0;
  LifInput input;
  double rate_hz = 0;
  WeakEffect jumps;
  std::vector<WeakSignal> signals;  // over the coarse frequencies
};

std::vector<Group> groups_of(const LifCell& cell, const LifInput& mean, double spread_mV,
                             const std::vector<double>& frequencies) {
  constexpr int kGroups = 9;
  constexpr double kReach = 3.2;
  const int count = spread_mV > 0 ? kGroups : 1;
  std::vector<Group> groups(static_cast<std::size_t>(count));
  double sum = 0;
  for (int k = 0; k < count; ++k) {
    const double z = count == 1 ? 0 : -kReach + 2 * kReach * k / (count - 1);
    Group& group = groups[static_cast<std::size_t>(k)];
    group.share = std::exp(-z * z / 2);
    group.input = {mean.mu_mV + spread_mV * z, mean.sigma_mV};
    group.rate_hz = lif_rate(cell, group.input).rate_hz;
    const LifWeakInput weak(cell, group.input, kCellsPerSigma);
    group.jumps = weak.jumps();
    for (const double f : frequencies) group.signals.push_back(weak.at(f));
    sum += group.share;
  }
  for (Group& group : groups) group.share /= sum;
  return groups;
}

/// Excess spectra of the input of every population on the fine grid, mV^2 ms.
struct Excess {
  Eigen::MatrixXd colour, fluctuations;
};

Excess excess_of(const LifNetwork& network, const std::vector<std::vector<Group>>& groups, const Linearisation* linear,
                 const std::vector<Place>& grid) {
  const auto n = index(network.size()), fine = index(grid.size());
  Excess excess{Eigen::MatrixXd::Zero(n, fine), Eigen::MatrixXd::Zero(n, fine)};
  for (Eigen::Index k = 0; k < fine; ++k) {
    const double f = kFine_Hz * static_cast<double>(k + 1);
    const std::complex<double> lambda(0, 2 * std::numbers::pi * f / 1000);
    const Place& place = grid[static_cast<std::size_t>(k)];
    Eigen::VectorXd regular(n);  // S - nu
    for (Eigen::Index j = 0; j < n; ++j) {
      regular[j] = 0;
      for (const Group& group : groups[static_cast<std::size_t>(j)]) {
        const auto S = [&](std::size_t c) {
          return renewal_spectrum_hz(group.rate_hz, group.signals[c].interval_transform) - group.rate_hz;
        };
        regular[j] += group.share * (S(place.left) * (1 - place.share) + S(place.left + 1) * place.share);
      }
    }
    Eigen::MatrixXcd C = Eigen::MatrixXcd::Zero(n, n);
    if (linear != nullptr) {
      C = cross_spectrum(*linear, f);
      C.diagonal() -= linear->noise_hz(lambda).cast<std::complex<double>>();
    }
    for (Eigen::Index i = 0; i < n; ++i) {
      const LifCell& cell = network.populations[static_cast<std::size_t>(i)].cell;
      const double gain = cell.tau_m_ms * cell.tau_m_ms / 1000 / std::norm(1.0 + lambda * cell.tau_syn_ms);
      Eigen::RowVectorXcd B(n);
      for (Eigen::Index j = 0; j < n; ++j) {
        excess.colour(i, k) += gain * network.in_degree(i, j) * network.psp2_mV2(i, j) * regular[j];
        B[j] = network.in_degree(i, j) * network.psp_mV(i, j) *
               delay_transform(network.delay_ms(i, j), network.delay_sd_ms(i, j), lambda);
      }
      excess.fluctuations(i, k) = gain * (B * C * B.adjoint())(0, 0).real();
    }
  }
  return excess;
}

/// Effect of an excess spectrum on a group: twice the integral over positive frequencies.
WeakEffect effect_of(const Eigen::MatrixXd& spectrum, Eigen::Index population, const Group& group,
                     const std::vector<Place>& grid) {
  WeakEffect sum;
  for (std::size_t k = 0; k < grid.size(); ++k) {
    const WeakEffect& left = group.signals[grid[k].left].per_mV2;
    const WeakEffect& right = group.signals[grid[k].left + 1].per_mV2;
    const double power = 2 * kFine_Hz / 1000 * spectrum(population, index(k));
    sum.rate += power * (left.rate + grid[k].share * (right.rate - left.rate));
    sum.forward_time += power * (left.forward_time + grid[k].share * (right.forward_time - left.forward_time));
  }
  return sum;
}

/// Probability of at least `least` spikes where `expected` are: normal, with Poisson variance.
double often_enough(double expected, double least) {
  return 0.5 * std::erfc((least - 0.5 - expected) / std::sqrt(2 * (expected + 0.1)));
}

}  // namespace

std::vector<InputEffects> input_effects(const LifNetwork& network, const std::vector<RateDistribution>& rates,
                                        const Linearisation* linear, const InputEffectOptions& options) {
  Eigen::VectorXd rates_hz(index(network.size()));
  for (std::size_t i = 0; i < network.size(); ++i) rates_hz[index(i)] = rates[i].mean_hz;
  const std::vector<LifInput> inputs = inputs_at(network, rates_hz);
  std::vector<InputEffects> result(network.size());
  if (std::any_of(inputs.begin(), inputs.end(), [](const LifInput& input) { return !(input.sigma_mV > 0); })) {
    return result;
  }
  const std::vector<double> frequencies = coarse_frequencies();
  const std::vector<Place> grid = places(frequencies);
  std::vector<std::vector<Group>> groups;
  for (std::size_t i = 0; i < network.size(); ++i) {
    groups.push_back(groups_of(network.populations[i].cell, inputs[i], rates[i].spread_mV, frequencies));
  }
  const Excess excess = excess_of(network, groups, linear, grid);
  for (std::size_t i = 0; i < network.size(); ++i) {
    double A3 = network.populations[i].jump3_external_mV3_per_ms;
    for (Eigen::Index j = 0; j < rates_hz.size(); ++j) {
      A3 += network.in_degree(index(i), j) * rates_hz[j] / 1000 * network.psp_mV(index(i), j) *
            network.psp2_mV2(index(i), j);
    }
    double spikes = 0, fluctuations = 0, counted = 0;
    for (const Group& group : groups[i]) {
      const WeakEffect colour = effect_of(excess.colour, index(i), group, grid);
      const double weight = group.share * group.rate_hz;  // effects on the population's rate
      spikes += weight;
      result[i].jumps += weight * A3 * group.jumps.rate;
      result[i].colour += weight * colour.rate;
      fluctuations += weight * effect_of(excess.fluctuations, index(i), group, grid).rate;
      const double change = std::clamp(colour.rate + A3 * group.jumps.rate, -kLargestEffect, kLargestEffect);
      const double later =
          std::clamp(colour.forward_time + A3 * group.jumps.forward_time, -kLargestEffect, kLargestEffect);
      const double cv = lif_cv(network.populations[i].cell, group.input);
      const double share = group.share * often_enough(group.rate_hz * options.observed_ms / 1000, options.least_spikes);
      counted += share;
      result[i].cv += share * std::sqrt(std::max(0.0, (1 + cv * cv) * std::exp(change + later) - 1));
    }
    if (counted > 0) result[i].cv /= counted;
    if (!(spikes > 0)) continue;
    result[i].jumps /= spikes;
    result[i].colour /= spikes;
    fluctuations /= spikes;
    if (linear != nullptr && std::abs(fluctuations) < kLargestEffect) result[i].fluctuations = fluctuations;
  }
  return result;
}

}  // namespace triscale::meanfield

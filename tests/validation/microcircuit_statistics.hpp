/// Single-neuron statistics of the cortical microcircuit and their distances to NEST's, as distributions that
/// benchmarks/nest/microcircuit_statistics.py writes.
#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/recorder.hpp"
#include "network/circuit.hpp"

namespace triscale::testing {

/// Distance of Kolmogorov and Smirnov between a sample and a distribution given by equally spaced quantiles, which is
/// linear between them; a value that many quantiles share is a jump.
inline double ks_distance_to_quantiles(std::vector<double> sample, const std::vector<double>& quantiles) {
  std::sort(sample.begin(), sample.end());
  const auto share = [](const auto first, const auto place, const auto last) {
    return static_cast<double>(place - first) / static_cast<double>(last - first);
  };
  double largest = 0;
  // Both distributions are compared at the reference's quantiles, from the left and from the right.
  const double step = 1.0 / static_cast<double>(quantiles.size() - 1);
  for (std::size_t k = 0; k < quantiles.size(); ++k) {
    const double q = quantiles[k];
    const auto [first, last] = std::equal_range(quantiles.begin(), quantiles.end(), q);
    const double below = std::max<double>(0, static_cast<double>(first - quantiles.begin()) * step);
    const double up_to = std::min<double>(1, static_cast<double>(last - quantiles.begin() - 1) * step);
    const double sample_below = share(sample.begin(), std::lower_bound(sample.begin(), sample.end(), q), sample.end());
    const double sample_up_to = share(sample.begin(), std::upper_bound(sample.begin(), sample.end(), q), sample.end());
    largest = std::max({largest, std::abs(sample_below - below), std::abs(sample_up_to - up_to)});
  }
  return largest;
}

/// Spike trains of a run after `discard_ms`, and what the script computes of them.
class SpikeTrainStatistics : public core::NullRecorder {
 public:
  SpikeTrainStatistics(const network::Circuit& circuit, double discard_ms) : discard_ms_(discard_ms) {
    for (const network::Population& p : circuit.populations) trains_.emplace_back(p.is_virtual ? 0 : p.size);
    end_ms_ = circuit.run.duration_ms;
  }
  void record_spikes(std::size_t p, double t_ms, std::span<const std::uint32_t> cells) override {
    if (t_ms <= discard_ms_) return;
    for (const std::uint32_t cell : cells) trains_[p][cell].push_back(t_ms);
  }

  std::vector<double> rates_hz(std::size_t p) const {
    std::vector<double> rates;
    for (const auto& train : trains_[p])
      rates.push_back(static_cast<double>(train.size()) / (end_ms_ - discard_ms_) * 1e3);
    return rates;
  }
  std::vector<double> cvs(std::size_t p, std::size_t min_intervals) const {
    std::vector<double> all;
    for (const auto& train : trains_[p]) {
      if (train.size() <= min_intervals) continue;
      const auto n = static_cast<double>(train.size() - 1);
      const double mean = (train.back() - train.front()) / n;
      double variance = 0;
      for (std::size_t i = 1; i < train.size(); ++i) {
        const double d = train[i] - train[i - 1] - mean;
        variance += d * d / n;
      }
      all.push_back(std::sqrt(variance) / mean);
    }
    return all;
  }
  /// Of the first `most` cells that fire.
  std::vector<double> correlations(std::size_t p, double bin_ms, std::size_t most) const {
    const auto bins = static_cast<std::size_t>(std::lround((end_ms_ - discard_ms_) / bin_ms));
    const auto n = static_cast<double>(bins);
    std::vector<std::vector<float>> counts;
    std::vector<double> mean, sd;
    for (const auto& train : trains_[p]) {
      if (train.empty() || counts.size() == most) continue;
      std::vector<float>& row = counts.emplace_back(bins, 0.0f);
      // Spikes lie on time steps; a small shift keeps those on a bin's edge in the bin that begins there.
      for (const double t : train)
        row[std::min(bins - 1, static_cast<std::size_t>((t - discard_ms_) / bin_ms + 1e-6))] += 1;
      double sum = 0, squares = 0;
      for (const float c : row) {
        sum += static_cast<double>(c);
        squares += static_cast<double>(c) * static_cast<double>(c);
      }
      mean.push_back(sum / n);
      sd.push_back(std::sqrt(squares / n - sum / n * sum / n));
    }
    std::vector<double> all;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        float products = 0;  // whole numbers far below 2^24: exact
        for (std::size_t k = 0; k < bins; ++k) products += counts[i][k] * counts[j][k];
        all.push_back((static_cast<double>(products) / n - mean[i] * mean[j]) / (sd[i] * sd[j]));
      }
    }
    return all;
  }

 private:
  double discard_ms_, end_ms_ = 0;
  std::vector<std::vector<std::vector<double>>> trains_;  ///< [population][cell]
};

/// One statistic of one population in one run of NEST.
struct ReferenceDistribution {
  double mean = 0;
  std::vector<double> quantiles;
};

/// The file of the script.
struct NestStatistics {
  explicit NestStatistics(const std::string& path) {
    std::ifstream file(path);
    json = nlohmann::json::parse(file);
    for (const auto& [seed, run] : json["runs"].items()) seeds.push_back(seed);
  }
  ReferenceDistribution of(const std::string& seed, const std::string& population, const std::string& statistic) const {
    const auto& entry = json["runs"][seed][population][statistic];
    return {entry["mean"].get<double>(), entry["quantiles"].get<std::vector<double>>()};
  }
  nlohmann::json json;
  std::vector<std::string> seeds;
};

}  // namespace triscale::testing

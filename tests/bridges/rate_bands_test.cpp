/// How well spike counts determine a transfer function, and what that means for the rates of a network: on counts that
/// are drawn from a known function.
#include "bridges/meanfield/rate_bands.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "bridges/meanfield/transfer_counts.hpp"
#include "core/random.hpp"
#include "meanfield/stationary.hpp"

namespace triscale::bridges {
namespace {

/// A function of an ordinary cell, without adaptation.
network::TransferFunction truth() {
  network::TransferFunction transfer;
  transfer.C_m_nF = 0.2;
  transfer.g_L_uS = 0.01;
  transfer.E_L_mV = -65;
  transfer.t_ref_ms = 3;
  transfer.mu_0_mV = -58;
  transfer.d_mu_mV = 6;
  transfer.sigma_0_mV = 4;
  transfer.d_sigma_mV = 2;
  transfer.tau_0 = 1.75;
  transfer.d_tau = 0.5;
  transfer.P_mV = {-52, 2, -1, 0.5, 0.5, -0.3, 0.2, 0.4, -0.2, 0.3};
  return transfer;
}

/// Cells and working points whose thresholds differ from that of the function by a constant of their own.
struct Synthetic {
  std::size_t cells = 24, points = 24;
  double observed_ms = 4000, cells_sd_mV = 0, points_sd_mV = 0;
};

/// Spike counts of cells whose membrane statistics spread over the range of the function.
class Counts {
 public:
  explicit Counts(const Synthetic& what, std::uint64_t seed) {
    const core::RandomStream random(seed, core::Purpose::test, 1);
    core::RandomStream poisson(seed, core::Purpose::test, 2);
    std::uint64_t k = 0;
    const auto between = [&](double low, double high) { return low + (high - low) * random.uniform(k++); };
    model_.transfer = truth();
    for (std::size_t cell = 0; cell < what.cells; ++cell) {
      for (std::size_t i = 0; i < what.points; ++i) {
        meanfield::PopulationInput input;
        input.noise_tau_ms = {between(5, 25)};
        input.noise_sd_nA = {between(0.03, 0.09)};
        input.clamp_nA = {between(0.03, 0.12)};
        TransferPoint point{{}, {}, meanfield::StatisticsAtRate(with_clamp(), cell_, input), {}, what.observed_ms};
        point.cell = cell;
        point.point = i;
        if (i % 4 != 0) point.weight = kFarWeight;
        network::TransferFunction own = truth();
        own.P_mV[0] +=
            what.cells_sd_mV * random.normal(kOfCells + cell) + what.points_sd_mV * random.normal(kOfPoints + i);
        point.statistics = point.statistics_at(0);
        const double mean = meanfield::transfer_rate(own, point.statistics) * what.observed_ms / 1000;
        point.spikes.count = poisson.next_poisson(mean);
        points_.push_back(std::move(point));
      }
    }
  }
  Counts(const Counts&) = delete;
  Counts& operator=(const Counts&) = delete;

  const std::vector<TransferPoint>& points() const { return points_; }

 private:
  static constexpr double kFarWeight = 0.2;
  static constexpr std::uint64_t kOfCells = 1'000'000, kOfPoints = 2'000'000;  // places in the stream
  const meanfield::PopulationModel& with_clamp() {
    model_.clamps = {0};
    cell_.share = 1;
    cell_.clamp_share = {1};
    return model_;
  }
  meanfield::PopulationModel model_;
  meanfield::CellClass cell_;
  std::vector<TransferPoint> points_;
};

constexpr double kNoModelError = 1e-3;

/// Rate of the function at one working point, and its standard deviation by the covariance (linear).
struct Predicted {
  double rate_hz, sd_hz;
};
Predicted predicted(const network::TransferFunction& fitted, const TransferCovariance& covariance) {
  const meanfield::MembraneStatistics<double> at = {-56, 4, 35};
  const double step_mV = 1e-4;
  TransferCoefficients slope{};
  for (std::size_t k = 0; k < slope.size(); ++k) {
    network::TransferFunction up = fitted, down = fitted;
    up.P_mV[k] += step_mV;
    down.P_mV[k] -= step_mV;
    slope[k] = (meanfield::transfer_rate(up, at) - meanfield::transfer_rate(down, at)) / (2 * step_mV);
  }
  double variance = 0;
  for (std::size_t i = 0; i < slope.size(); ++i) {
    for (std::size_t j = 0; j < slope.size(); ++j) variance += slope[i] * covariance[i * slope.size() + j] * slope[j];
  }
  return {meanfield::transfer_rate(fitted, at), std::sqrt(variance)};
}

struct Coverage {
  int inside = 0, repeats = 0;
  double mean_sd_hz = 0, rms_error_hz = 0;
};
/// How often the interval of 95 % about the fitted rate holds the true one.
Coverage coverage(const Synthetic& what, double measured_share, int repeats) {
  constexpr double kTwoSided95 = 1.96;
  Coverage result;
  result.repeats = repeats;
  const Predicted exact = predicted(truth(), {});
  for (int repeat = 0; repeat < repeats; ++repeat) {
    const Counts counts(what, static_cast<std::uint64_t>(repeat));
    network::TransferFunction fitted = truth();
    const TransferCovariance covariance = fit_counts(fitted, counts.points(), {kNoModelError, 20, measured_share});
    const Predicted found = predicted(fitted, covariance);
    result.inside += std::abs(found.rate_hz - exact.rate_hz) < kTwoSided95 * found.sd_hz ? 1 : 0;
    result.mean_sd_hz += found.sd_hz / repeats;
    result.rms_error_hz += std::pow(found.rate_hz - exact.rate_hz, 2) / repeats;
  }
  result.rms_error_hz = std::sqrt(result.rms_error_hz);
  return result;
}

/// Of 100 intervals 95 hold the truth, with a standard deviation of 2.2; the rms of 100 errors is known to 7 %. With a
/// few clusters the intervals are a little narrow: 24 cells determine their variance to 15 %.
constexpr int kRepeats = 100;

TEST(TransferCounts, IntervalsOfThePredictedRateHoldTheTrueOneAsOftenAsTheySay) {
  const Coverage found = coverage({}, 1, kRepeats);
  EXPECT_GE(found.inside, 86);
  EXPECT_NEAR(found.mean_sd_hz / found.rms_error_hz, 1, 0.25);
}

/// The counts of such a cell, or point, are wrong in the same direction.
TEST(TransferCounts, IntervalsHoldTheTruthAlsoWhereCellsOrWorkingPointsHaveThresholdsOfTheirOwn) {
  Synthetic cells, points;
  cells.cells_sd_mV = 1;
  points.points_sd_mV = 1;
  for (const Synthetic& unequal : {cells, points}) {
    const Coverage found = coverage(unequal, 0, kRepeats);
    EXPECT_GE(found.inside, 82);
    EXPECT_NEAR(found.mean_sd_hz / found.rms_error_hz, 1, 0.3);
  }
}

TEST(TransferCounts, CellsThatWereAllMeasuredHaveNoSpreadOfOthers) {
  Synthetic unequal;
  unequal.cells_sd_mV = 1;
  const double all = coverage(unequal, 1, 5).mean_sd_hz, few = coverage(unequal, 0, 5).mean_sd_hz;
  EXPECT_LT(all, 0.8 * few);
  EXPECT_LT(coverage(unequal, 0.5, 5).mean_sd_hz, 0.95 * few);
}

/// With as many spikes as it takes for errors to be small.
TEST(TransferCounts, ErrorsShrinkWithTheRootOfTheTime) {
  constexpr int kFew = 20;  // each sd is known to 15 %, their mean to 3 %
  Synthetic shorter, longer;
  shorter.observed_ms *= 4;
  longer.observed_ms *= 36;
  const double ratio = coverage(shorter, 1, kFew).mean_sd_hz / coverage(longer, 1, kFew).mean_sd_hz;
  EXPECT_NEAR(ratio, 3, 0.35);
}

/// Excitatory cells of one type that drive each other, and external input.
network::Circuit network_of(double recurrent_weight_uS) {
  network::Circuit circuit;
  network::CellType type;
  type.name = "cell";
  type.meanfield = network::MeanfieldCell{};
  type.meanfield->transfer = truth();
  type.meanfield->time_constant_ms = 10;
  circuit.cell_types = {type};
  network::SynapseType synapse;
  synapse.name = "exc";
  synapse.point = network::PointSynapse{{{0.5, 4, 0}}, {}};
  circuit.synapse_types = {synapse};
  circuit.populations.resize(2);
  circuit.populations[0].name = "cells";
  circuit.populations[0].size = 50;
  circuit.populations[1].name = "external";
  circuit.populations[1].size = 400;
  circuit.populations[1].is_virtual = true;
  circuit.populations[1].source = network::PoissonTrains{{0}, {3.0}};
  const auto connect = [&](std::size_t source, std::uint64_t in_degree, double weight_uS) {
    network::ConnectionRule rule;
    rule.kind = network::ConnectionRule::Kind::fixed_in_degree;
    rule.number = in_degree;
    rule.weight.mean = weight_uS;
    rule.delay_ms.mean = 1.5;
    circuit.projections.push_back({"p" + std::to_string(source), source, 0, 0, rule, {}});
  };
  connect(1, 100, 0.0012);
  connect(0, 20, recurrent_weight_uS);
  circuit.run.duration_ms = 1000;
  return circuit;
}

/// Only the threshold's constant is uncertain, so that the band follows from two stationary states.
TEST(MeanfieldBands, AreTheSpreadOfTheStationaryStateNotOfTheFunctionAlone) {
  constexpr double kSd_mV = 0.2;
  TransferCovariance covariance{};
  covariance[0] = kSd_mV * kSd_mV;
  core::NoProgress progress;
  MeanfieldBandOptions options;
  options.sets = 200;
  double sd_hz[2];
  for (const bool recurrent : {false, true}) {
    network::Circuit circuit = network_of(recurrent ? 0.0012 : 0);
    const MeanfieldBands found = meanfield_rate_bands(circuit, {{0, covariance}}, options, progress);
    ASSERT_EQ(found.bands.size(), 1u);
    EXPECT_EQ(found.without_state, 0u);
    const auto rate_hz = [&](double shift_mV) {
      circuit.cell_types[0].meanfield->transfer.P_mV[0] = truth().P_mV[0] + shift_mV;
      return meanfield::stationary_state(meanfield::Model(circuit)).rates_hz[0];
    };
    const double expected_hz = (rate_hz(-kSd_mV) - rate_hz(kSd_mV)) / 2;
    sd_hz[recurrent] = found.bands[0].sd_hz;
    EXPECT_NEAR(found.bands[0].sd_hz / expected_hz, 1, 0.16);  // sd of 200 draws: 5 %, three of them
    EXPECT_NEAR(found.bands[0].mean_hz, rate_hz(0), 4 * expected_hz / std::sqrt(200.0));
  }
  EXPECT_GT(sd_hz[1], 1.2 * sd_hz[0]) << "cells that drive each other amplify an error of their function";
}

TEST(MeanfieldBands, OfFunctionsThatAreExactHaveNoWidth) {
  core::NoProgress progress;
  const MeanfieldBands found = meanfield_rate_bands(network_of(0.001), {{0, {}}}, {}, progress);
  ASSERT_EQ(found.bands.size(), 1u);
  EXPECT_NEAR(found.bands[0].sd_hz, 0, 1e-5);
}

TEST(MeanfieldBands, AreNotedTogetherWithThoseOfThePointCells) {
  network::Derivation derivation;
  derivation.meanfield_cells["cell"] = {};
  MeanfieldBands found;
  found.bands = {{0, 5, 6, 5.5, 0.3, 64}};
  note_meanfield_bands(network_of(0), found, derivation);
  const network::Provenance& p = derivation.meanfield_cells.at("cell");
  EXPECT_DOUBLE_EQ(p.uncertainty.at("network_rate_cells_hz"), 0.3);
  EXPECT_NE(p.notes.back().find("not known"), std::string::npos) << p.notes.back();
  derivation.point_cells["cell"].uncertainty["network_rate_cells_hz"] = 0.4;
  note_meanfield_bands(network_of(0), found, derivation);
  EXPECT_DOUBLE_EQ(p.uncertainty.at("network_rate_cells_hz"), 0.5);
  EXPECT_DOUBLE_EQ(p.uncertainty.at("sampling_network_rate_cells_hz"), 0.3);
}

}  // namespace
}  // namespace triscale::bridges

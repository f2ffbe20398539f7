// Potentials of point and line sources: closed forms, limits, symmetries.
#include "measure/extracellular.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "measure/vectors.hpp"

namespace triscale::measure {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kSigma = 0.3;
constexpr double kRounding = 1e-12;  // relative, of a few dozen operations

core::Segment segment(Vec3 start, Vec3 end, double diameter) {
  return {start, end, diameter};
}

/// Random segments and electrodes some ten um apart, from a fixed seed.
struct Draw {
  std::mt19937 random{7};
  std::uniform_real_distribution<double> uniform{-40, 40};
  Vec3 point() { return {uniform(random), uniform(random), uniform(random)}; }
};

TEST(PointSource, OneNanoampereFallsOffWithDistance) {
  const core::Segment source = segment({-5, 0, 0}, {5, 0, 0}, 2);
  // 1 / (4 pi 0.3 100) mV
  EXPECT_NEAR(point_source_mV({0, 100, 0}, source, Medium(kSigma)), 2.6525823848649224e-3, 1e-17);
  EXPECT_DOUBLE_EQ(point_source_mV({0, 0.5, 0}, source, Medium(kSigma)), 1 / (4 * kPi * kSigma * 1.0))
      << "inside the segment the distance is its radius";
}

TEST(LineSource, IsTheDifferenceOfTwoAsinhEverywhere) {
  Draw draw;
  for (int k = 0; k < 1000; ++k) {
    const core::Segment source = segment(draw.point(), draw.point(), 1e-6);
    const Vec3 r = draw.point();
    const Vec3 axis = source.end_um - source.start_um;
    const double L = norm(axis), l = dot(r - source.start_um, axis) / L, h = l - L;
    const double rho = norm(r - source.start_um - (l / L) * axis);
    const double expected = (std::asinh(l / rho) - std::asinh(h / rho)) / (4 * kPi * kSigma * L);
    // asinh(l/rho) - asinh(h/rho) itself loses digits where both are large.
    EXPECT_NEAR(line_source_mV(r, source, Medium(kSigma)), expected, 1e-11 * expected);
  }
}

TEST(LineSource, IsTheMeanOverItsPoints) {
  const core::Segment source = segment({0, 0, 0}, {30, 10, -20}, 1);
  const Vec3 r{10, 25, 5};
  double sum = 0;
  constexpr int kPieces = 20000;
  for (int i = 0; i < kPieces; ++i) {
    const Vec3 at = ((i + 0.5) / kPieces) * source.end_um;
    sum += 1 / (4 * kPi * kSigma * norm(r - at)) / kPieces;
  }
  EXPECT_NEAR(line_source_mV(r, source, Medium(kSigma)), sum, 1e-9 * sum) << "midpoint rule, error ~ 1/pieces^2";
}

TEST(LineSource, BecomesAPointFarAway) {
  const core::Segment source = segment({-1, 2, 3}, {4, -2, 1}, 1);
  const double L = norm(source.end_um - source.start_um);
  for (const double r : {100.0, 1000.0, 10000.0}) {
    const Vec3 at{0.6 * r, 0.8 * r, 0};
    const double line = line_source_mV(at, source, Medium(kSigma)), point = point_source_mV(at, source, Medium(kSigma));
    // The first term that differs is the quadrupole, (L/r)^2/12 at most.
    EXPECT_NEAR(line, point, point * (L / r) * (L / r));
  }
}

TEST(LineSource, IsFiniteOnItsAxisAndLimitedToItsSurface) {
  const core::Segment source = segment({0, 0, 0}, {10, 0, 0}, 2);
  const Medium medium(kSigma);
  EXPECT_DOUBLE_EQ(line_source_mV({5, 0, 0}, source, medium), line_source_mV({5, 1, 0}, source, medium));
  EXPECT_TRUE(std::isfinite(line_source_mV({20, 0, 0}, source, medium)));
  EXPECT_DOUBLE_EQ(line_source_mV({20, 0, 0}, source, medium), line_source_mV({-10, 0, 0}, source, medium));
  const core::Segment no_length = segment({1, 1, 1}, {1, 1, 1}, 2);
  EXPECT_DOUBLE_EQ(line_source_mV({9, 1, 1}, no_length, medium), point_source_mV({9, 1, 1}, no_length, medium));
}

TEST(LineSource, DoesNotChangeWhenEverythingIsRotatedAndMoved) {
  Draw draw;
  const double c = std::cos(0.7), s = std::sin(0.7);
  const auto moved = [&](const Vec3& p) { return Vec3{c * p[0] - s * p[1] + 11, s * p[0] + c * p[1] - 4, p[2] + 2}; };
  for (int k = 0; k < 100; ++k) {
    const core::Segment source = segment(draw.point(), draw.point(), 1);
    const Vec3 r = draw.point();
    const double before = line_source_mV(r, source, Medium(kSigma));
    EXPECT_NEAR(line_source_mV(moved(r), segment(moved(source.start_um), moved(source.end_um), 1), Medium(kSigma)),
                before, kRounding * before);
  }
}

TEST(AnisotropicMedium, EqualsTheIsotropicOneForEqualConductivities) {
  Draw draw;
  for (int k = 0; k < 100; ++k) {
    const core::Segment source = segment(draw.point(), draw.point(), 1);
    const Vec3 r = draw.point();
    const double rho = norm(r - middle(source));
    EXPECT_NEAR(point_source_mV(r, source, Medium({0.3, 0.3, 0.3})), 1 / (4 * kPi * 0.3 * rho), kRounding);
  }
}

TEST(AnisotropicMedium, FollowsTheFormulaOfAPointAndItsMeanAlongALine) {
  const Vec3 sigma{0.2, 0.3, 0.45};
  const core::Segment source = segment({0, 0, 0}, {10, 20, 30}, 1);
  const Vec3 r{-20, 15, 40};
  const auto phi = [&](const Vec3& at) {
    const Vec3 d = r - at;
    return 1 / (4 * kPi *
                std::sqrt(sigma[1] * sigma[2] * d[0] * d[0] + sigma[0] * sigma[2] * d[1] * d[1] +
                          sigma[0] * sigma[1] * d[2] * d[2]));
  };
  EXPECT_NEAR(point_source_mV(r, source, Medium(sigma)), phi({5, 10, 15}), kRounding);
  double mean = 0;
  constexpr int kPieces = 20000;
  for (int i = 0; i < kPieces; ++i) mean += phi(((i + 0.5) / kPieces) * source.end_um) / kPieces;
  EXPECT_NEAR(line_source_mV(r, source, Medium(sigma)), mean, 1e-9 * mean) << "midpoint rule, error ~ 1/pieces^2";
}

TEST(DiscElectrode, PointsLieInItsPlaneAndAverageToItsCentre) {
  const Vec3 centre{1, 2, 3}, normal{1, 1, 0};
  const auto points = points_on_disc(centre, normal, 10, 400);
  Vec3 mean{};
  double mean_square = 0;
  for (const Vec3& p : points) {
    EXPECT_NEAR(dot(p - centre, normal), 0, 1e-12);
    EXPECT_LE(norm(p - centre), 10);
    mean = mean + (1.0 / 400) * p;
    mean_square += dot(p - centre, p - centre) / 400;
  }
  EXPECT_NEAR(norm(mean - centre), 0, 0.05);
  EXPECT_NEAR(mean_square, 50, 1e-9) << "of an even disc: R^2/2";
}

TEST(DiscElectrode, OnItsAxisMeasuresTheKnownIntegral) {
  // Mean of 1/(4 pi sigma r) over a disc of radius R at height z: (sqrt(z^2 + R^2) - z) / (2 pi sigma R^2).
  const double R = 10, z = 8;
  const core::Segment source = segment({0, 0, -0.5}, {0, 0, 0.5}, 0.1);
  const ExtracellularModel model({points_on_disc({0, 0, z}, {0, 0, 1}, R, 2000)}, SourceModel::point, Medium(kSigma));
  double weight = 0;
  model.weights({std::span(&source, 1), 1, {}}, std::span(&weight, 1));
  const double expected = (std::sqrt(z * z + R * R) - z) / (2 * kPi * kSigma * R * R);
  EXPECT_NEAR(weight, expected, 1e-4 * expected) << "spread of 2000 points";
}

TEST(SomaAsPoint, OnlyTheSomaIsAPoint) {
  const core::Segment segments[] = {segment({-10, 0, 0}, {10, 0, 0}, 20), segment({10, 0, 0}, {60, 0, 0}, 2)};
  const core::PlacedCell cell{segments, 1, {}};
  const Medium medium(kSigma);
  const Vec3 r{0, 15, 0};
  EXPECT_DOUBLE_EQ(source_mV(SourceModel::soma_point, r, cell, 0, medium), point_source_mV(r, segments[0], medium));
  EXPECT_DOUBLE_EQ(source_mV(SourceModel::soma_point, r, cell, 1, medium), line_source_mV(r, segments[1], medium));
}

}  // namespace
}  // namespace triscale::measure

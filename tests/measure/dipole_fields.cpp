// Dipole moments, EEG, MEG, current source density: closed forms, identities, published values.
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "core/error.hpp"
#include "measure/current_source_density.hpp"
#include "measure/dipole.hpp"
#include "measure/extracellular.hpp"
#include "measure/head_model.hpp"
#include "measure/magnetic.hpp"
#include "measure/vectors.hpp"

namespace triscale::measure {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::array<double, 4> kRadii{79000, 80000, 85000, 90000}, kSigma{0.3, 1.5, 0.015, 0.3};

Vec3 draw(std::mt19937& random, double size) {
  std::uniform_real_distribution<double> uniform(-size, size);
  return {uniform(random), uniform(random), uniform(random)};
}

TEST(Dipole, MomentOfASourceAndASinkIsCurrentTimesDistance) {
  const core::Segment segments[] = {{{0, 0, -1}, {0, 0, 1}, 1}, {{0, 99, 0}, {0, 101, 0}, 1}};
  const core::PlacedCell cell{segments, 1, {3, 4, 5}};
  std::array<double, 6> w{};
  DipoleModel().weights(cell, w);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    EXPECT_DOUBLE_EQ(-2 * w[axis] + 2 * w[3 + axis], axis == 1 ? 200 : 0) << "2 nA over 100 um, wherever the origin is";
  }
}

TEST(Dipole, PotentialIsTheFarFieldOfASourceAndASink) {
  const core::Segment sink{{0, 0, -1}, {0, 0, 1}, 1}, source{{0, 0, 49}, {0, 0, 51}, 1};
  const Medium medium(0.3);
  const Vec3 P{0, 0, 50};
  for (const double r : {1000.0, 3000.0, 10000.0}) {
    const Vec3 at{0.6 * r, 0, 0.8 * r + 25};  // from the middle of the two
    const double both = line_source_mV(at, source, medium) - line_source_mV(at, sink, medium);
    const double dipole = dipole_potential_mV(P, at - Vec3{0, 0, 25}, 0.3);
    EXPECT_NEAR(both, dipole, std::abs(dipole) * (50 / r) * (50 / r)) << "the octupole is the next term";
  }
}

TEST(Magnetic, RadialDipoleMakesNoFieldOutsideASphere) {
  std::mt19937 random(3);
  for (int k = 0; k < 100; ++k) {
    const Vec3 dipole = draw(random, 50), sensor = 100.0 * draw(random, 1) + Vec3{200, 0, 0};
    const double tangential = norm(sphere_field_fT(cross(dipole, {1, 2, 3}), sensor, dipole));
    EXPECT_LT(norm(sphere_field_fT(2.0 * dipole, sensor, dipole)), 1e-12 * tangential + 1e-12);
  }
}

TEST(Magnetic, RadialFieldIsThatOfTheDipoleAlone) {
  std::mt19937 random(4);
  for (int k = 0; k < 100; ++k) {
    const Vec3 dipole = draw(random, 50), P = draw(random, 10), sensor = draw(random, 100) + Vec3{200, 0, 0};
    const double sphere = dot(sensor, sphere_field_fT(P, sensor, dipole));
    const Vec3 alone = dipole_field_fT(P, sensor - dipole);
    EXPECT_NEAR(sphere, dot(sensor, alone), 1e-12 * norm(sensor) * norm(alone));
  }
}

TEST(Magnetic, FieldIsWithoutDivergenceAndCurl) {
  // Outside the conductor flows nothing. Central differences: error ~ (h/r)^2.
  const Vec3 P{3, -1, 2}, dipole{10, 60, -5}, at{20, 90, 60};
  const double h = 0.01;
  std::array<Vec3, 3> gradient;
  for (std::size_t k = 0; k < 3; ++k) {
    Vec3 step{};
    step[k] = h;
    gradient[k] = (0.5 / h) * (sphere_field_fT(P, at + step, dipole) - sphere_field_fT(P, at - step, dipole));
  }
  const double scale = norm(sphere_field_fT(P, at, dipole)) / norm(at - dipole);
  EXPECT_NEAR(gradient[0][0] + gradient[1][1] + gradient[2][2], 0, 1e-5 * scale);
  EXPECT_NEAR(gradient[0][1] - gradient[1][0], 0, 1e-5 * scale);
  EXPECT_NEAR(gradient[1][2] - gradient[2][1], 0, 1e-5 * scale);
  EXPECT_NEAR(gradient[2][0] - gradient[0][2], 0, 1e-5 * scale);
}

TEST(Magnetic, FieldOfADipoleHasItsPublishedSize) {
  // mu_0 p / (4 pi R^2): 10 nA m = 1e7 nA um at 10 cm makes 100 fT.
  EXPECT_NEAR(norm(dipole_field_fT({1e7, 0, 0}, {0, 0, 1e5})), 100, 1e-10);
}

TEST(FourSphere, HasTheValuesOfThePublishedImplementation) {
  const FourSphereHead head(kRadii, kSigma);
  const Vec3 P{10, 10, 10}, dipole{0, 0, 78000};
  const double top = dot(P, head.lead_field_mV({0, 0, 90000}, dipole)),
               side = dot(P, head.lead_field_mV({0, 85000, 0}, dipole));
  // The documentation of LFPykit (FourSphereVolumeConductor), whose series ends early: it is 1.3e-7 and 1.1e-6 away
  // from its own limit.
  EXPECT_NEAR(top, 1.06247669e-8, 2e-6 * 1.06247669e-8);
  EXPECT_NEAR(side, 2.39290752e-10, 2e-6 * 2.39290752e-10);
  // The limit: the closed recursion of Naess et al. 2017 with 400 terms.
  EXPECT_NEAR(top, 1.062476831307312e-8, 1e-11 * top);
  EXPECT_NEAR(side, 2.392910242942186e-10, 1e-11 * side);
}

TEST(FourSphere, OfOneConductivityIsAHomogeneousSphere) {
  // A radial dipole at b R, on the surface: sum (2n+1) b^(n-1) P_n / (4 pi sigma R^2), Poisson's kernel.
  const double sigma = 0.3, R = 90000;
  const FourSphereHead head(kRadii, {sigma, sigma, sigma, sigma});
  for (const double b : {0.1, 0.5, 0.85}) {
    for (const double theta : {0.0, 0.3, 1.5, 3.0}) {
      const double x = std::cos(theta);
      const double kernel = ((1 - b * b) / std::pow(1 - 2 * b * x + b * b, 1.5) - 1) / b;
      const double expected = kernel / (4 * kPi * sigma * R * R);
      const Vec3 lead = head.lead_field_mV({R * std::sin(theta), 0, R * x}, {0, 0, b * R});
      EXPECT_NEAR(lead[2], expected, 1e-10 / (sigma * R * R)) << b << " " << theta;
    }
  }
}

TEST(FourSphere, OfADipoleAtTheCentreIsClosed) {
  const FourSphereHead head(kRadii, {0.3, 0.3, 0.3, 0.3});
  const Vec3 lead = head.lead_field_mV({54000, 0, 72000}, {0, 0, 0});
  const double factor = 3 / (4 * kPi * 0.3 * 90000.0 * 90000.0);
  EXPECT_NEAR(lead[0], 0.6 * factor, 1e-12 * factor);
  EXPECT_NEAR(lead[2], 0.8 * factor, 1e-12 * factor);
}

TEST(FourSphere, PotentialAndRadialCurrentAreContinuous) {
  const FourSphereHead head(kRadii, kSigma);
  const Vec3 dipole{20000, -30000, 50000}, P{1, 2, -3}, direction{0.36, 0.48, 0.8};
  const auto phi = [&](double r) { return dot(P, head.lead_field_mV(r * direction, dipole)); };
  const double h = 10, near = 1e-6;
  for (std::size_t s = 0; s < 3; ++s) {
    const double r = kRadii[s];
    EXPECT_NEAR(phi(r - near), phi(r + near), 1e-8 * std::abs(phi(r)));
    // One-sided differences of second order.
    const double in = kSigma[s] * (3 * phi(r - near) - 4 * phi(r - h) + phi(r - 2 * h)) / (2 * h);
    const double out = kSigma[s + 1] * (-3 * phi(r + near) + 4 * phi(r + h) - phi(r + 2 * h)) / (2 * h);
    EXPECT_NEAR(in, out, 1e-4 * std::abs(in)) << "boundary " << s;
  }
  const double leaving = (3 * phi(90000) - 4 * phi(90000 - h) + phi(90000 - 2 * h)) / (2 * h);
  EXPECT_NEAR(leaving, 0, 1e-4 * std::abs(phi(90000)) / 90000);
}

TEST(FourSphere, RefusesDipolesOutsideTheBrainAndElectrodesOutsideTheHead) {
  const FourSphereHead head(kRadii, kSigma);
  EXPECT_THROW(head.lead_field_mV({0, 0, 90000}, {0, 0, 79000}), core::InputError);
  EXPECT_THROW(head.lead_field_mV({0, 0, 91000}, {0, 0, 0}), core::InputError);
}

TEST(CurrentSourceDensity, SharesOfASegmentAddUpOverAPartition) {
  std::mt19937 random(5);
  for (int k = 0; k < 200; ++k) {
    const core::Segment segment{draw(random, 10), draw(random, 10), 1};
    const CsdVolume left{{-10, -10, -10}, {1, 10, 10}, -1}, right{{1, -10, -10}, {10, 10, 10}, -1};
    EXPECT_NEAR(fraction_inside(segment, left) + fraction_inside(segment, right), 1, 1e-12);
  }
}

TEST(CurrentSourceDensity, CylinderKeepsTheChord) {
  const CsdVolume cylinder{{-5, -5, 0}, {5, 5, 20}, 2};
  EXPECT_DOUBLE_EQ(cylinder.volume_um3(), kPi * 25 * 20);
  EXPECT_NEAR(fraction_inside({{-20, 3, 10}, {20, 3, 10}, 1}, cylinder), 8.0 / 40, 1e-12) << "chord at 3 of radius 5";
  EXPECT_NEAR(fraction_inside({{0, 0, -20}, {0, 0, 30}, 1}, cylinder), 20.0 / 50, 1e-12);
  EXPECT_EQ(fraction_inside({{-20, 6, 10}, {20, 6, 10}, 1}, cylinder), 0);
  EXPECT_EQ(fraction_inside({{1, 1, 1}, {1, 1, 1}, 1}, cylinder), 1) << "no length, inside";
}

TEST(CurrentSourceDensity, IsCurrentPerVolume) {
  const core::Segment segments[] = {{{0, 0, 0}, {10, 0, 0}, 1}};
  const CsdModel model({{{5, -1, -1}, {20, 1, 1}, -1}});
  double weight = 0;
  model.weights({segments, 1, {}}, std::span(&weight, 1));
  EXPECT_DOUBLE_EQ(weight, 0.5 / 60);
}

}  // namespace
}  // namespace triscale::measure

#include "network/morphology.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "network/dendritic_sites.hpp"
#include "network/synapse_models.hpp"
#include "tests/network/sample_circuit.hpp"

namespace triscale::network {
namespace {

TEST(Morphology, LengthIsTheSumOverThePoints) {
  EXPECT_DOUBLE_EQ(sample::morphology()->sections[2].length_um(), 100.0);
}

TEST(Morphology, PathDistanceStartsInTheMiddleOfTheSoma) {
  const auto m = sample::morphology();
  EXPECT_DOUBLE_EQ(m->path_distance_um(0, 0.5), 0);
  EXPECT_DOUBLE_EQ(m->path_distance_um(0, 0.25), 5);
  EXPECT_DOUBLE_EQ(m->path_distance_um(0, 1.0), 10);
  EXPECT_DOUBLE_EQ(m->path_distance_um(1, 0.0), 10) << "connected to the end of the soma";
  EXPECT_DOUBLE_EQ(m->path_distance_um(1, 0.5), 60);
  EXPECT_DOUBLE_EQ(m->path_distance_um(2, 0.25), 135);
  EXPECT_DOUBLE_EQ(m->path_distance_um(3, 0.5), 100) << "connected to the middle of the soma";
}

TEST(Morphology, PathDistanceHonoursTheParentPosition) {
  Morphology m = *sample::morphology();
  m.sections[2].parent_position = 0.25;
  EXPECT_DOUBLE_EQ(m.path_distance_um(2, 0.5), 10 + 25 + 50);
}

TEST(DendriticSites, AreaIsThatOfTruncatedCones) {
  DendriticPlacement placement;
  placement.kinds = {SectionKind::basal};
  placement.max_distance_um = 110;  // the first basal section only
  EXPECT_NEAR(DendriticSites(*sample::morphology(), placement).area_um2(), std::numbers::pi * 3 * std::hypot(1, 100),
              1e-9);
}

TEST(DendriticSites, SomaRangeCutsBothHalves) {
  DendriticPlacement placement;
  placement.min_distance_um = 2;
  placement.max_distance_um = 6;
  const DendriticSites sites(*sample::morphology(), placement);
  EXPECT_NEAR(sites.area_um2(), std::numbers::pi * 20 * 8, 1e-9);
  EXPECT_NEAR(sites.at(0.0).position, 0.2, 1e-12);
  EXPECT_NEAR(sites.at(0.25).position, 0.3, 1e-12);
  EXPECT_NEAR(sites.at(0.75).position, 0.7, 1e-12);
}

TEST(DendriticSites, PlacesAreUniformInMembraneArea) {
  // A cone from 4 to 2 um: half of its area lies before f with 4 f - f^2 = 1.5.
  DendriticPlacement placement;
  placement.kinds = {SectionKind::basal};
  placement.max_distance_um = 110;
  const Site middle = DendriticSites(*sample::morphology(), placement).at(0.5);
  EXPECT_EQ(middle.section, 1u);
  EXPECT_NEAR(middle.position, 2 - std::sqrt(4 - 1.5), 1e-12);
}

TEST(DendriticSites, EveryPlaceObeysKindAndDistance) {
  const auto m = sample::morphology();
  DendriticPlacement placement;
  placement.kinds = {SectionKind::basal, SectionKind::apical};
  placement.min_distance_um = 50;
  placement.max_distance_um = 150;
  const DendriticSites sites(*m, placement);
  for (int i = 0; i <= 1000; ++i) {
    const Site site = sites.at(i / 1000.0);
    EXPECT_NE(m->sections[site.section].kind, SectionKind::soma);
    const double distance_um = m->path_distance_um(site.section, site.position);
    EXPECT_GE(distance_um, 50 - 1e-9);
    EXPECT_LE(distance_um, 150 + 1e-9);
  }
}

TEST(DendriticSites, NoMembraneIsReported) {
  DendriticPlacement placement;
  placement.kinds = {SectionKind::axon};
  EXPECT_EQ(DendriticSites(*sample::morphology(), placement).area_um2(), 0);
}

TEST(PointSynapse, FindsTheRowThatHoldsThePlace) {
  PointSynapse synapse;
  synapse.sites = {{1, 0, 0.5, 0.9, 0, 0, 0}, {1, 0.5, 1, 0.8, 0, 0, 0}, {4, 0, 1, 0.7, 0, 0, 0}};
  EXPECT_DOUBLE_EQ(synapse.find({1, 0})->attenuation, 0.9);
  EXPECT_DOUBLE_EQ(synapse.find({1, 0.5})->attenuation, 0.8);
  EXPECT_DOUBLE_EQ(synapse.find({1, 1})->attenuation, 0.8);
  EXPECT_DOUBLE_EQ(synapse.find({4, 0.3})->attenuation, 0.7);
  EXPECT_EQ(synapse.find({0, 0.5}), nullptr);
  EXPECT_EQ(synapse.find({2, 0.5}), nullptr);
  EXPECT_EQ(synapse.find({5, 0.5}), nullptr);
  EXPECT_EQ(PointSynapse{}.find({0, 0.5}), nullptr);
}

}  // namespace
}  // namespace triscale::network

#include "io/swc.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numbers>

#include "io/allen_cell.hpp"
#include "tests/paths.hpp"

namespace triscale::io {
namespace {

using network::Morphology;
using network::Section;
using network::SectionKind;

double area_um2(const Section& section) {
  double area = 0;
  for (std::size_t i = 1; i < section.points.size(); ++i) {
    const auto &a = section.points[i - 1], &b = section.points[i];
    const double x = b.x_um - a.x_um, y = b.y_um - a.y_um, z = b.z_um - a.z_um;
    const double taper = (b.diameter_um - a.diameter_um) / 2;
    area += std::numbers::pi * (a.diameter_um + b.diameter_um) / 2 * std::sqrt(x * x + y * y + z * z + taper * taper);
  }
  return area;
}

/// What NEURON 8.2.2 makes of a file: number of sections, sums of length and area, and the same sums weighted with the
/// number of the section (from 1, in SONATA order), which change if two sections change places.
struct Golden {
  std::size_t sections;
  double area_um2, length_um, weighted_area, weighted_length;
};

void expect_equal(const Morphology& morphology, const Golden& golden) {
  ASSERT_EQ(morphology.sections.size(), golden.sections);
  Golden sums{morphology.sections.size(), 0, 0, 0, 0};
  for (std::size_t i = 0; i < morphology.sections.size(); ++i) {
    const double area = area_um2(morphology.sections[i]);
    const double length = morphology.sections[i].length_um();
    sums.area_um2 += area;
    sums.length_um += length;
    sums.weighted_area += static_cast<double>(i + 1) * area;
    sums.weighted_length += static_cast<double>(i + 1) * length;
  }
  constexpr double kRelative = 1e-12;
  EXPECT_NEAR(sums.area_um2, golden.area_um2, kRelative * golden.area_um2);
  EXPECT_NEAR(sums.length_um, golden.length_um, kRelative * golden.length_um);
  EXPECT_NEAR(sums.weighted_area, golden.weighted_area, kRelative * golden.weighted_area);
  EXPECT_NEAR(sums.weighted_length, golden.weighted_length, kRelative * golden.weighted_length);
}

std::filesystem::path write(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "triscale_test.swc";
  std::ofstream(path) << text;
  return path;
}

Morphology read(const std::string& text) {
  core::Diagnostics diagnostics;
  Morphology morphology = read_swc(write(text), diagnostics);
  for (const auto& problem : diagnostics.errors()) ADD_FAILURE() << core::to_string(problem);
  return morphology;
}

core::Problem first_error(const std::string& text) {
  core::Diagnostics diagnostics;
  EXPECT_TRUE(read_swc(write(text), diagnostics).sections.empty());
  EXPECT_FALSE(diagnostics.ok());
  return diagnostics.ok() ? core::Problem() : diagnostics.errors().front();
}

class PublicMorphology : public testing::TestWithParam<std::pair<const char*, Golden>> {};

TEST_P(PublicMorphology, HasNeuronsSectionsLengthsAndAreas) {
  const auto& [name, golden] = GetParam();
  const auto path = std::filesystem::path(tests::shared_dir()) / "data/bmtk/examples" / name;
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  core::Diagnostics diagnostics;
  const Morphology morphology = read_swc(path, diagnostics);
  EXPECT_TRUE(diagnostics.ok());
  expect_equal(morphology, golden);
}

INSTANTIATE_TEST_SUITE_P(
    Cells, PublicMorphology,
    testing::Values(std::pair("bio_components/morphologies/Nr5a1_471087815_m.swc",
                              Golden{38, 3725.57437259411, 1902.47870863034, 71977.2984176799, 42445.0412671189}),
                    std::pair("bio_components/morphologies/Pvalb_469628681_m.swc",
                              Golden{42, 2642.5629880928, 1515.36859578309, 45459.9651110161, 30137.6561209998}),
                    std::pair("bio_components/morphologies/Pvalb_470522102_m.swc",
                              Golden{38, 3205.15243931207, 2420.36918182633, 59694.9850515739, 51841.5500285357}),
                    std::pair("bio_components/morphologies/Rorb_325404214_m.swc",
                              Golden{64, 4889.95643399754, 2637.5037963071, 172190.170169617, 99170.3898953888}),
                    std::pair("bio_components/morphologies/Scnn1a_473845048_m.swc",
                              Golden{123, 7114.84931968843, 4725.88625024932, 429192.042527959, 299018.679133614}),
                    std::pair("bio_all_active_sweep/models/neuronal_model_491766131/reconstruction.swc",
                              Golden{103, 8630.57747979986, 5561.48426829786, 408109.633237582, 296971.97399382})));

// ------------------------------------------------------------------------------- what is said about the rules --------

/// Notes and warnings about a file, without its name.
std::string said_about(const std::string& text, Morphology* morphology = nullptr) {
  core::Diagnostics diagnostics;
  const Morphology made = read_swc(write(text), diagnostics);
  if (morphology) *morphology = made;
  std::string said;
  for (const auto& note : diagnostics.notes()) said += "note " + note.place + ": " + note.rule + "\n";
  for (const auto& warning : diagnostics.warnings()) said += "warning " + warning.place + ": " + warning.rule + "\n";
  return said;
}

TEST(SwcReport, NamesTheRuleForTheSomaAndForEveryWayANeuriteStarts) {
  const std::string one = said_about(
      "1 1 0 0 0 5 -1\n2 3 0 8 0 1 1\n3 3 0 20 0 1 2\n4 3 0 -9 0 1 1\n5 4 9 0 0 1 1\n"
      "6 4 30 0 0 1 5\n7 4 9 20 0 1 5\n");
  EXPECT_NE(one.find("one sample, read as a cylinder of length and diameter 10 um"), std::string::npos) << one;
  EXPECT_NE(one.find("2 start at their own first sample; the way there from the soma (8.5 um"), std::string::npos)
      << one;
  EXPECT_NE(one.find("1 start at a soma sample"), std::string::npos) << one;
  EXPECT_NE(one.find("1 leave from the first own sample"), std::string::npos) << one;
  EXPECT_EQ(one.find("warning"), std::string::npos) << one;
  const std::string three =
      said_about("1 1 0 0 0 5 -1\n2 1 0 -5 0 5 1\n3 1 0 5 0 5 1\n4 3 0 8 0 1 1\n5 3 0 20 0 1 4\n");
  EXPECT_NE(three.find("three samples of a sphere, read as a cylinder"), std::string::npos) << three;
  const std::string chain =
      said_about("1 1 0 0 0 5 -1\n2 1 0 6 0 6 1\n3 1 0 12 0 5 2\n4 3 0 18 0 1 3\n5 3 0 40 0 1 4\n");
  EXPECT_NE(chain.find("3 samples read as a chain of truncated cones of 12 um"), std::string::npos) << chain;
}

TEST(SwcReport, AnOutlineBecomesASphereOfItsMeanRadiusWithAWarning) {
  // Sixteen thin samples on a circle of 8 um about (20, 10, 5); a dendrite leaves from the fifth.
  std::string text;
  for (int k = 0; k < 16; ++k) {
    const double angle = 2 * std::numbers::pi * k / 16;
    text += std::to_string(k + 1) + " 1 " + std::to_string(20 + 8 * std::cos(angle)) + " " +
            std::to_string(10 + 8 * std::sin(angle)) + " 5 0.2 " + std::to_string(k == 0 ? -1 : k) + "\n";
  }
  text += "17 3 20 20 5 1 5\n18 3 20 60 5 1 17\n";
  Morphology morphology;
  const std::string said = said_about(text, &morphology);
  EXPECT_NE(said.find("warning soma: is an outline of 16 samples; it stands for a sphere of diameter 16 um"),
            std::string::npos)
      << said;
  ASSERT_EQ(morphology.sections.size(), 2u);
  EXPECT_NEAR(area_um2(morphology.sections[0]), std::numbers::pi * 16 * 16, 1e-3);
  EXPECT_NEAR(morphology.sections[0].points[1].x_um, 20, 1e-5);
  EXPECT_EQ(morphology.sections[1].parent, 0);
  EXPECT_EQ(morphology.sections[1].parent_position, 0.5);
  EXPECT_NEAR(morphology.sections[1].length_um(), 40, 1e-5);
  // Four thick samples in a row are no outline.
  EXPECT_EQ(
      said_about("1 1 0 0 0 5 -1\n2 1 0 6 0 6 1\n3 1 0 12 0 5 2\n4 1 0 15 0 4 3\n5 3 0 18 0 1 4\n6 3 0 40 0 1 5\n")
          .find("outline"),
      std::string::npos);
}

// ------------------------------------------------------------- rules, one at a time; sums from NEURON again
// -----------

TEST(Swc, SingleSampleSomaIsACylinderWithTheAreaOfTheSphere) {
  const Morphology morphology = read("1 1 100 50 20 5 -1\n2 3 100 58 20 1 1\n3 3 100 78 20 1 2\n");
  const Section& soma = morphology.sections[0];
  ASSERT_EQ(soma.points.size(), 3u);
  EXPECT_DOUBLE_EQ(soma.points[0].x_um, 95);
  EXPECT_DOUBLE_EQ(soma.points[2].x_um, 105);
  EXPECT_DOUBLE_EQ(area_um2(soma), std::numbers::pi * 100);
  EXPECT_EQ(soma.swc_ids, (std::vector<std::int32_t>{-1, 1, -1}));
  const Section& dendrite = morphology.sections[1];
  EXPECT_EQ(dendrite.parent, 0);
  EXPECT_DOUBLE_EQ(dendrite.parent_position, 0.5);
  EXPECT_DOUBLE_EQ(dendrite.length_um(), 20);  // without the wire from the soma
  EXPECT_EQ(dendrite.swc_ids, (std::vector<std::int32_t>{2, 3}));
}

TEST(Swc, NeuriteOfOneSampleStartsInTheSomaWithItsOwnDiameter) {
  const Morphology morphology = read("1 1 0 0 0 5 -1\n2 3 0 8 0 1 1\n");
  const Section& dendrite = morphology.sections[1];
  EXPECT_DOUBLE_EQ(dendrite.length_um(), 8);
  EXPECT_DOUBLE_EQ(dendrite.points[0].diameter_um, 2);
}

TEST(Swc, ChangesOfTypeBranchesAndJumpsInTheNumberingEndSections) {
  const Morphology morphology = read(R"(# comment
1 1 0 0 0 5 -1
2 3 0 6 0 1 1
3 3 0 20 0 0.8 2
4 3 5 30 0 0.5 3
5 3 -5 30 0 0.5 3
6 4 6 0 0 1.2 1
7 4 16 0 0 1.0 6
8 4 26 3 0 0.9 7
9 4 10 -9 0 0.7 6
10 4 11 -19 0 0.6 9
11 3 -8 0 0 0.4 1
12 4 36 6 0 0.9 8
13 4 46 6 0 0.9 12
14 4 36 16 0 0.3 12
15 4 36 16 0 0.4 14
16 4 46 26 0 0.4 15
17 4 26 36 0 0.4 15
18 2 0 -6 0 0.5 1
19 2 0 -26 0 0.5 18
)");
  expect_equal(morphology, {13, 1044.30500979096, 181.642841614465, 5624.1440258057, 1375.60945345867});
  EXPECT_EQ(morphology.sections.back().kind, SectionKind::axon);
  // Sample 9 leaves from sample 6, the first of its dendrite: connected to that dendrite's beginning.
  for (const Section& section : morphology.sections) {
    if (section.swc_ids.back() != 10) continue;
    EXPECT_DOUBLE_EQ(section.parent_position, 0);
    EXPECT_EQ(morphology.sections[static_cast<std::size_t>(section.parent)].swc_ids.front(), 6);
  }
}

TEST(Swc, SomaOfSeveralSamplesKeepsItsShape) {
  expect_equal(read("1 1 0 0 0 5 -1\n2 1 0 5 0 6 1\n3 1 0 10 0 4 2\n4 3 0 15 0 1 3\n5 3 0 30 0 1 4\n6 3 8 5 0 1 2\n"
                    "7 3 20 5 0 0.7 6\n8 3 -8 0 0 1 1\n9 3 -20 0 0 0.7 8\n10 4 0 -8 0 1 1\n"),
               {5, 699.801106131856, 70, 1497.86576052799, 206});
}

TEST(Swc, BranchedSomaBecomesSeveralSections) {
  expect_equal(read("1 1 0 0 0 5 -1\n2 1 0 5 0 5 1\n3 1 0 10 0 4 2\n4 1 5 5 0 3 2\n5 1 9 5 0 2 4\n6 3 0 20 0 1 3\n"
                    "7 3 0 40 0 1 6\n8 3 20 5 0 1 5\n9 3 40 5 0 1 8\n10 3 -9 5 0 1 2\n11 3 -29 5 0 1 10\n"),
               {6, 1010.29856804955, 100, 3527.60922528125, 437});
}

TEST(Swc, ThreeSampleSomaOfNeuromorphoIsASphere) {
  expect_equal(read("1 1 10.1 0 0 5 -1\n2 1 10.1 5 0 5 1\n3 1 10.1 -5 0 5 1\n4 3 20.3 0 0 1 1\n5 3 40.7 1 0 0.5 4\n"
                    "6 2 1.5 0 0 1 1\n7 2 -20 1 0 0.5 6\n"),
               {3, 511.889532796139, 51.9477398718784, 811.073058878776, 115.418722993788});
}

TEST(Swc, SectionWithoutLengthIsLeftOutWithAWarning) {
  core::Diagnostics diagnostics;
  const Morphology morphology = read_swc(
      write("1 1 0 0 0 5 -1\n2 3 0 6 0 1 1\n3 3 0 20 0 0.8 2\n4 3 0 20 0 0.5 3\n5 3 5 30 0 0.5 4\n6 3 -5 30 0 0.5 4\n"
            "7 3 10 20 0 0.5 3\n"),
      diagnostics);
  ASSERT_EQ(diagnostics.warnings().size(), 1u);
  EXPECT_EQ(diagnostics.warnings()[0].place, "line 4");
  ASSERT_EQ(morphology.sections.size(), 5u);
  for (std::size_t s = 2; s < 5; ++s) EXPECT_EQ(morphology.sections[s].parent, 1);
}

TEST(Swc, PerisomaticAxonIsTwoStubsAtTheEnd) {
  const Morphology with_axon = read(
      "1 1 0 0 0 5 -1\n2 2 -6 0 0 1 1\n3 2 -26 0 0 1 2\n4 3 0 6 0 1 1\n5 3 0 26 0 1 4\n6 4 6 0 0 1 1\n7 4 16 0 0 1 "
      "6\n");
  ASSERT_EQ(with_axon.sections.size(), 4u);
  const Morphology stubbed = replace_axon_perisomatic(with_axon);
  ASSERT_EQ(stubbed.sections.size(), 5u);
  EXPECT_EQ(stubbed.sections[2].kind, SectionKind::apical);
  for (std::size_t s = 3; s < 5; ++s) {
    const Section& stub = stubbed.sections[s];
    EXPECT_EQ(stub.kind, SectionKind::axon);
    EXPECT_DOUBLE_EQ(stub.length_um(), 30);
    EXPECT_DOUBLE_EQ(stub.points[0].diameter_um, 1);
    EXPECT_DOUBLE_EQ(stub.points[1].diameter_um, 1);
  }
  EXPECT_EQ(stubbed.sections[3].parent, 0);
  EXPECT_DOUBLE_EQ(stubbed.sections[3].parent_position, 0.5);
  EXPECT_LT(stubbed.sections[3].points[1].x_um, -20);  // where the axon was
  EXPECT_EQ(stubbed.sections[4].parent, 3);
  EXPECT_DOUBLE_EQ(stubbed.sections[4].parent_position, 1);
}

TEST(Swc, AllActiveAxonTakesItsDiametersFromTheReconstruction) {
  const Morphology stubbed =
      replace_axon_allactive(read("1 1 0 0 0 5 -1\n2 2 -6 0 0 1 1\n3 2 -26 0 0 2 2\n4 3 0 6 0 1 1\n5 3 0 26 0 1 4\n"));
  ASSERT_EQ(stubbed.sections.size(), 4u);
  EXPECT_DOUBLE_EQ(stubbed.sections[2].points[0].diameter_um, 3);
  EXPECT_DOUBLE_EQ(stubbed.sections[2].parent_position, 1);
}

// ------------------------------------------------------------------------------------------------- malformed files
// ----

TEST(Swc, NamesTheLineAndTheRuleItBreaks) {
  EXPECT_EQ(first_error("1 1 0 0 0 5\n").place, "line 1");
  EXPECT_EQ(first_error("1 1 0 0 0 5 -1\n2 3 0 0 x 1 1\n").place, "line 2");
  EXPECT_NE(first_error("1 1 0 0 0 0 -1\n").rule.find("radius > 0"), std::string::npos);
  EXPECT_NE(first_error("1 1 0 0 0 nan -1\n").rule.find("seven numbers"), std::string::npos);
  EXPECT_NE(first_error("1 1 0 0 0 5 -1\n2 7 0 0 9 1 1\n").rule.find("type"), std::string::npos);
  EXPECT_EQ(first_error("1 1 0 0 0 5 -1\n2 3 0 9 0 1 3\n").value, "3");
  EXPECT_NE(first_error("1 1 0 0 0 5 -1\n1 3 0 9 0 1 1\n").rule.find("repeat"), std::string::npos);
  EXPECT_NE(first_error("1 1 0 0 0 5 -1\n2 3 0 9 0 1 -1\n").rule.find("one tree"), std::string::npos);
  EXPECT_NE(first_error("1 3 0 0 0 5 -1\n").rule.find("soma"), std::string::npos);
  EXPECT_NE(first_error("# nothing\n").rule.find("at least one sample"), std::string::npos);
}

TEST(Swc, AbsentFileIsAnError) {
  core::Diagnostics diagnostics;
  read_swc("/nowhere/cell.swc", diagnostics);
  ASSERT_EQ(diagnostics.errors().size(), 1u);
  EXPECT_EQ(diagnostics.errors()[0].file, "/nowhere/cell.swc");
}

}  // namespace
}  // namespace triscale::io

/// Cell files of the Allen Cell Types Database, as JSON fits and as NeuroML.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "io/allen_cell.hpp"
#include "io/allen_fit.hpp"
#include "io/neuroml_cell.hpp"
#include "tests/paths.hpp"

namespace triscale::io {
namespace {

using network::DetailedCell;
using network::SectionKind;

const std::filesystem::path kTemplates =
    std::filesystem::path(tests::shared_dir()) / "data/bmtk/examples/bio_components/biophysical_neuron_templates";

std::filesystem::path write(const std::string& text) {
  const auto path = std::filesystem::path(testing::TempDir()) / "triscale_cell.txt";
  std::ofstream(path) << text;
  return path;
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

const network::MechanismPlacement& mechanism(const DetailedCell& cell, const std::string& name, SectionKind region) {
  for (const auto& placement : cell.mechanisms) {
    if (placement.mechanism == name && placement.region == region) return placement;
  }
  ADD_FAILURE() << "no " << name;
  static const network::MechanismPlacement none;
  return none;
}

/// NeuroML files were written with 12 digits.
constexpr double kFilePrecision = 1e-11;
void expect_close(double a, double b) {
  EXPECT_NEAR(a, b, kFilePrecision * std::abs(b));
}

class SameCell : public testing::TestWithParam<const char*> {};

TEST_P(SameCell, ReadsTheSameFromJsonAndFromNeuroMl) {
  const std::string id = GetParam();
  if (!std::filesystem::exists(kTemplates)) GTEST_SKIP() << kTemplates << " is absent";
  core::Diagnostics diagnostics;
  const DetailedCell json = read_allen_fit(kTemplates / "ctdb" / (id + "_fit.json"), diagnostics);
  const DetailedCell xml = read_neuroml_cell(kTemplates / "nml" / ("Cell_" + id + ".cell.nml"), diagnostics);
  for (const auto& problem : diagnostics.errors()) ADD_FAILURE() << core::to_string(problem);
  for (const auto& problem : diagnostics.warnings()) ADD_FAILURE() << core::to_string(problem);
  for (std::size_t r = 0; r < network::kSectionKinds; ++r) {
    expect_close(xml.regions[r].Ra_Ohm_cm, json.regions[r].Ra_Ohm_cm);
    expect_close(xml.regions[r].C_m_uF_cm2, json.regions[r].C_m_uF_cm2);
    expect_close(xml.regions[r].g_pas_S_cm2, json.regions[r].g_pas_S_cm2);
    expect_close(xml.regions[r].E_Na_mV, json.regions[r].E_Na_mV);
    expect_close(xml.regions[r].E_K_mV, json.regions[r].E_K_mV);
    // A fit gives e_pas for the whole cell, NeuroML for each kind of section that has a leak.
    if (xml.regions[r].g_pas_S_cm2 > 0) expect_close(xml.regions[r].e_pas_mV, json.regions[r].e_pas_mV);
  }
  EXPECT_DOUBLE_EQ(xml.Ca_out_mM, json.Ca_out_mM);
  ASSERT_EQ(xml.mechanisms.size(), json.mechanisms.size());
  for (std::size_t m = 0; m < xml.mechanisms.size(); ++m) {
    EXPECT_EQ(xml.mechanisms[m].mechanism, json.mechanisms[m].mechanism);
    EXPECT_EQ(xml.mechanisms[m].region, json.mechanisms[m].region);
    ASSERT_EQ(xml.mechanisms[m].parameters.size(), json.mechanisms[m].parameters.size());
    for (const auto& [name, value] : json.mechanisms[m].parameters) {
      expect_close(xml.mechanisms[m].parameters.at(name), value);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(V1, SameCell,
                         testing::Values("472363762", "472912177", "473862421", "473863035", "473863510"));

TEST(AllenFit, Scnn1aHasThePublishedParameters) {
  if (!std::filesystem::exists(kTemplates)) GTEST_SKIP() << kTemplates << " is absent";
  core::Diagnostics diagnostics;
  const DetailedCell cell = read_allen_fit(kTemplates / "ctdb/472363762_fit.json", diagnostics);
  const auto& soma = cell.regions[static_cast<std::size_t>(SectionKind::soma)];
  const auto& apical = cell.regions[static_cast<std::size_t>(SectionKind::apical)];
  EXPECT_DOUBLE_EQ(soma.Ra_Ohm_cm, 138.28);
  EXPECT_DOUBLE_EQ(soma.C_m_uF_cm2, 1.0);
  EXPECT_DOUBLE_EQ(apical.C_m_uF_cm2, 2.12);
  EXPECT_DOUBLE_EQ(apical.g_pas_S_cm2, 9.5861855476200007e-05);
  EXPECT_DOUBLE_EQ(soma.e_pas_mV, -92.49911499023438);
  EXPECT_DOUBLE_EQ(soma.E_Na_mV, 53);
  EXPECT_DOUBLE_EQ(soma.E_K_mV, -107);
  EXPECT_EQ(cell.mechanisms.size(), 11u);
  EXPECT_DOUBLE_EQ(mechanism(cell, "NaTs", SectionKind::soma).parameters.at("gbar"), 0.98228995892999993);
  EXPECT_DOUBLE_EQ(mechanism(cell, "CaDynamics", SectionKind::soma).parameters.at("decay"), 717.91660042899991);
  EXPECT_DOUBLE_EQ(mechanism(cell, "CaDynamics", SectionKind::soma).parameters.at("depth"), 0.1);
}

TEST(AllenFit, AllActiveFitsSetEveryKindOfSection) {
  const auto path = std::filesystem::path(tests::shared_dir()) /
                    "data/bmtk/examples/bio_all_active_sweep/models/neuronal_model_491766131/fit_parameters.json";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << path << " is absent";
  core::Diagnostics diagnostics;
  const DetailedCell cell = read_allen_fit(path, diagnostics);
  for (const auto& problem : diagnostics.errors()) ADD_FAILURE() << core::to_string(problem);
  for (std::size_t r = 0; r < network::kSectionKinds; ++r) {
    EXPECT_TRUE(std::any_of(cell.mechanisms.begin(), cell.mechanisms.end(), [&](const auto& m) {
      return m.mechanism == "NaV" && m.region == static_cast<SectionKind>(r);
    }));
    EXPECT_GT(cell.regions[r].g_pas_S_cm2, 0);
  }
  EXPECT_DOUBLE_EQ(cell.regions[0].g_pas_S_cm2, 0.000119174);  // written as a text in the file
  EXPECT_NE(cell.regions[0].C_m_uF_cm2, cell.regions[1].C_m_uF_cm2);
}

const char* const kFit = R"({
  "passive": [{"ra": 100, "cm": [{"section": "soma", "cm": 1.0}], "e_pas": -80}],
  "conditions": [{"celsius": 34, "erev": [{"section": "soma", "ena": 53, "ek": -107}]}],
  "genome": [{"section": "soma", "name": "gbar_NaTs", "mechanism": "NaTs", "value": 0.5},
             {"section": "dend", "name": "g_pas", "mechanism": "", "value": 1e-5}]
})";

core::Problem first_fit_error(const std::string& what, const std::string& by) {
  core::Diagnostics diagnostics;
  read_allen_fit(write(replaced(kFit, what, by)), diagnostics);
  EXPECT_FALSE(diagnostics.ok());
  return diagnostics.ok() ? core::Problem() : diagnostics.errors().front();
}

TEST(AllenFit, NothingUnknownPassesInSilence) {
  core::Diagnostics sound;
  EXPECT_EQ(read_allen_fit(write(kFit), sound).mechanisms.size(), 1u);
  EXPECT_TRUE(sound.ok() && sound.warnings().empty());

  const auto channel = first_fit_error("\"mechanism\": \"NaTs\"", "\"mechanism\": \"NaX\"");
  EXPECT_EQ(channel.place, "genome[0].mechanism");
  EXPECT_EQ(channel.value, "NaX");
  EXPECT_EQ(first_fit_error("gbar_NaTs", "vshift_NaTs").place, "genome[0].name");
  EXPECT_EQ(first_fit_error("g_pas", "g_leak").place, "genome[1].name");
  EXPECT_EQ(first_fit_error("\"section\": \"dend\"", "\"section\": \"tuft\"").value, "tuft");
  EXPECT_EQ(first_fit_error("0.5", "\"half\"").place, "genome[0].value");

  core::Diagnostics unknown;
  read_allen_fit(write(replaced(kFit, "\"passive\"", "\"colour\": 1, \"passive\"")), unknown);
  ASSERT_EQ(unknown.warnings().size(), 1u);
  EXPECT_EQ(unknown.warnings()[0].place, "colour");
}

const char* const kNeuroMl = R"(<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="x">
  <concentrationModel id="CaDynamics" type="CaDynamics" segmentGroup="soma" minCai="1e-4 mM" decay="0.5 s" depth="0.1 um" gamma="0.01" ion="ca"/>
  <cell id="1"><biophysicalProperties id="b">
    <membraneProperties>
      <channelDensity id="gbar_Im" segmentGroup="soma" ion="k" ionChannel="Im" erev="-0.107 V" condDensity="1 mS_per_cm2"/>
      <channelDensity id="g_pas" segmentGroup="all" ion="non_specific" ionChannel="pas" erev="-90 mV" condDensity="1e-5 S_per_cm2"/>
      <specificCapacitance segmentGroup="all" value="0.02 F_per_m2"/>
    </membraneProperties>
    <intracellularProperties><resistivity segmentGroup="all" value="1.5 ohm_m"/></intracellularProperties>
  </biophysicalProperties></cell>
</neuroml>)";

TEST(NeuroMl, ConvertsUnits) {
  core::Diagnostics diagnostics;
  const DetailedCell cell = read_neuroml_cell(write(kNeuroMl), diagnostics);
  for (const auto& problem : diagnostics.errors()) ADD_FAILURE() << core::to_string(problem);
  EXPECT_DOUBLE_EQ(cell.regions[0].E_K_mV, -107);
  EXPECT_DOUBLE_EQ(cell.regions[2].C_m_uF_cm2, 2);
  EXPECT_DOUBLE_EQ(cell.regions[3].Ra_Ohm_cm, 150);
  EXPECT_DOUBLE_EQ(mechanism(cell, "Im", SectionKind::soma).parameters.at("gbar"), 1e-3);
  EXPECT_DOUBLE_EQ(mechanism(cell, "CaDynamics", SectionKind::soma).parameters.at("decay"), 500);
}

core::Problem first_xml_error(const std::string& what, const std::string& by) {
  core::Diagnostics diagnostics;
  read_neuroml_cell(write(replaced(kNeuroMl, what, by)), diagnostics);
  EXPECT_FALSE(diagnostics.ok()) << what;
  return diagnostics.ok() ? core::Problem() : diagnostics.errors().front();
}

TEST(NeuroMl, NothingUnknownPassesInSilence) {
  EXPECT_EQ(first_xml_error("ionChannel=\"Im\"", "ionChannel=\"ImX\"").value, "ImX");
  EXPECT_EQ(first_xml_error("1 mS_per_cm2", "1 pS_per_um2").value, "1 pS_per_um2");
  EXPECT_EQ(first_xml_error("\"soma\" ion=\"k\"", "\"tuft\" ion=\"k\"").value, "tuft");
  EXPECT_NE(
      first_xml_error("<specificCapacitance", "<channelPopulation/><specificCapacitance").rule.find("not supported"),
      std::string::npos);
  EXPECT_NE(first_xml_error("</cell>", "").rule.find("XML"), std::string::npos);
  const auto conflict = first_xml_error(
      "<specificCapacitance",
      R"(<channelDensity segmentGroup="soma" ion="k" ionChannel="K_T" erev="-90 mV" condDensity="1 S_per_cm2"/>
         <specificCapacitance)");
  EXPECT_EQ(conflict.value, "-90 mV");
  EXPECT_NE(conflict.rule.find("agree"), std::string::npos);
  core::Diagnostics diagnostics;
  read_neuroml_cell("/nowhere/cell.nml", diagnostics);
  EXPECT_EQ(diagnostics.errors().at(0).rule, "must be an existing NeuroML file");
}

}  // namespace
}  // namespace triscale::io

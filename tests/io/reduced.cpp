#include "io/reduced.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "core/random.hpp"
#include "io/atomic_file.hpp"

namespace triscale::io {
namespace {

namespace fs = std::filesystem;
using network::Circuit;
using network::Derivation;

class Reduced : public testing::Test {
 protected:
  Reduced() {
    path_ = fs::path(testing::TempDir()) / "triscale_reduced" /
            (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".json");
    fs::create_directories(path_.parent_path());
  }
  std::string text() const {
    std::ifstream file(path_);
    std::ostringstream all;
    all << file.rdbuf();
    return all.str();
  }
  /// Replaces text in the file, as a person would.
  void edit(const std::string& from, const std::string& to) {
    std::string all = text();
    const std::size_t at = all.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write_text_file(path_, all.replace(at, from.size(), to));
  }
  fs::path path_;
};

/// Doubles of all sizes, with every bit of the mantissa in use.
class Awkward {
 public:
  double next() { return std::exp(20 * random_.next_normal()); }
  double signed_next() { return random_.next_uniform() < 0.5 ? -next() : next(); }

 private:
  core::RandomStream random_{3, core::Purpose::test, 0};
};

/// Names only, as a circuit is before it was reduced; every type is in use.
Circuit bare() {
  Circuit c;
  c.cell_types.resize(3);
  c.synapse_types.resize(3);
  const char* names[] = {"gif type", "adex type", "intfire type"};
  for (std::size_t i = 0; i < 3; ++i) {
    c.cell_types[i].name = names[i];
    network::Population population;
    population.name = names[i];
    population.size = 1;
    population.cell_type = i;
    c.populations.push_back(population);
  }
  c.synapse_types[0].name = "conductance type";
  c.synapse_types[1].name = "instantaneous type";
  c.synapse_types[2].name = "several receptors";
  c.projections.resize(3);
  c.projections[1].synapse_type = 1;
  c.projections[2].synapse_type = 2;
  return c;
}

network::MeanfieldCell meanfield(Awkward& x) {
  network::MeanfieldCell cell;
  network::TransferFunction& f = cell.transfer;
  f = {x.next(),
       x.next(),
       x.signed_next(),
       x.next(),
       x.next(),
       x.next(),
       {},
       x.signed_next(),
       x.next(),
       x.next(),
       x.next(),
       x.next(),
       x.next(),
       {x.signed_next(), 1},
       {2, x.next()},
       {3, x.next()},
       {{x.next(), x.next()}}};
  for (double& p : f.P_mV) p = x.signed_next();
  cell.time_constant_ms = x.next();
  return cell;
}

network::Provenance provenance(Awkward& x) {
  return {"method \"quoted\"",
          "0.1.0",
          {{"rate_hz", x.next()}},
          {{"rate", x.next()}, {"unknown", NAN}},
          {{"rate", x.next()}},
          {{"C_m_nF", x.next()}},
          {{"V_mV", {x.signed_next(), x.next()}}},
          {"first note", "second note"}};
}

Circuit derived(Derivation& derivation) {
  Awkward x;
  Circuit c = bare();
  network::GifModel gif{x.next(),
                        x.next(),
                        x.signed_next(),
                        x.signed_next(),
                        x.next(),
                        x.signed_next(),
                        x.next(),
                        x.next(),
                        {{x.signed_next(), x.next()}, {x.next(), x.next()}},
                        {{x.next(), x.next()}},
                        {{x.next(), x.next()}},
                        {{x.signed_next(), x.signed_next(), x.next()}, {x.next(), x.signed_next(), 0}},
                        {{x.signed_next(), x.signed_next(), x.next()}},
                        x.next(),
                        network::GifModel::Dendrite{x.next(), x.next(), x.next(), x.next(), x.signed_next()}};
  c.cell_types[0].point = network::PointCell{gif};
  network::AdExModel adex{x.next(),        x.next(), x.signed_next(), x.signed_next(), x.next(), x.next(),
                          x.signed_next(), x.next(), x.next(),        x.next(),        x.next()};
  c.cell_types[1].point = network::PointCell{adex};
  c.cell_types[2].point = network::PointCell{network::IntFire1Model{x.next(), x.next()}};
  c.cell_types[0].meanfield = meanfield(x);
  network::PointSynapse synapse;
  synapse.receptors = {{x.next(), x.next(), x.signed_next(), true}, {x.next(), x.next(), x.signed_next()}};
  for (std::uint32_t i = 0; i < 50; ++i) synapse.sites.push_back({i, 0, x.next(), x.next(), x.next(), x.next(), i % 2});
  c.synapse_types[0].point = synapse;
  c.synapse_types[0].meanfield = network::MeanfieldSynapse{x.next()};
  c.synapse_types[1].point = network::InstantaneousSynapse{-1};
  network::ReceptorSynapse several;
  several.receptors = {{{x.next(), x.next(), x.signed_next()}, x.next(), 0},
                       {{x.next(), x.next(), x.signed_next()}, x.next(), x.next()}};
  several.sites = {{3, 0, 1, x.next(), x.next(), x.next(), 0}};
  c.synapse_types[2].point = several;
  for (std::size_t i = 0; i < 3; ++i) derivation.point_cells[c.cell_types[i].name] = provenance(x);
  derivation.meanfield_cells["gif type"] = provenance(x);
  derivation.point_synapses["conductance type"] = provenance(x);
  derivation.point_synapses["instantaneous type"] = provenance(x);
  derivation.point_synapses["several receptors"] = provenance(x);
  derivation.meanfield_synapses["conductance type"] = provenance(x);
  return c;
}

std::string problems(const core::Diagnostics& diagnostics) {
  std::string all;
  for (const auto& problem : diagnostics.errors()) all += core::to_string(problem) + "\n";
  return all;
}

void expect_equal(const std::vector<network::ExponentialKernel>& a, const std::vector<network::ExponentialKernel>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].amplitude, b[i].amplitude);
    EXPECT_EQ(a[i].tau_ms, b[i].tau_ms);
  }
}

TEST(Provenance, TellsWhichErrorsAreBeyondTheirToleranceWhateverTheirSign) {
  network::Provenance p;
  p.fit_error = {{"cv", -0.12}, {"peak", 0.04}, {"rate", 0.06}, {"V_rms_mV", 3}};
  p.tolerance = {{"cv", 0.1}, {"peak", 0.05}, {"rate", 0.05}, {"rise", 0.05}};
  EXPECT_EQ(network::beyond_tolerance(p), (std::vector<std::string>{"cv", "rate"}));
}

TEST_F(Reduced, ComesBackToTheLastBit) {
  Derivation written;
  const Circuit original = derived(written);
  write_reduced(path_, original, written);
  Circuit c = bare();
  core::Diagnostics diagnostics;
  const Derivation read = apply_reduced(path_, c, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << problems(diagnostics);

  const auto& gif = std::get<network::GifModel>(c.cell_types[0].point->model);
  const auto& gif0 = std::get<network::GifModel>(original.cell_types[0].point->model);
  EXPECT_EQ(gif.C_m_nF, gif0.C_m_nF);
  EXPECT_EQ(gif.E_L_mV, gif0.E_L_mV);
  EXPECT_EQ(gif.lambda_0_Hz, gif0.lambda_0_Hz);
  expect_equal(gif.eta_nA, gif0.eta_nA);
  ASSERT_FALSE(gif0.eta_uS.empty());
  expect_equal(gif.eta_uS, gif0.eta_uS);
  expect_equal(gif.gamma_mV, gif0.gamma_mV);
  ASSERT_EQ(gif.currents.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(gif.currents[i].g_uS, gif0.currents[i].g_uS);
    EXPECT_EQ(gif.currents[i].above_mV, gif0.currents[i].above_mV);
    EXPECT_EQ(gif.currents[i].tau_ms, gif0.currents[i].tau_ms);
  }
  ASSERT_EQ(gif.threshold_follows.size(), 1u);
  EXPECT_EQ(gif.threshold_follows[0].slope, gif0.threshold_follows[0].slope);
  EXPECT_EQ(gif.threshold_follows[0].above_mV, gif0.threshold_follows[0].above_mV);
  EXPECT_EQ(gif.threshold_follows[0].tau_ms, gif0.threshold_follows[0].tau_ms);
  EXPECT_EQ(gif.V_filter_ms, gif0.V_filter_ms);
  const auto& adex = std::get<network::AdExModel>(c.cell_types[1].point->model);
  const auto& adex0 = std::get<network::AdExModel>(original.cell_types[1].point->model);
  EXPECT_EQ(adex.tau_w_ms, adex0.tau_w_ms);
  EXPECT_EQ(adex.V_peak_mV, adex0.V_peak_mV);
  EXPECT_EQ(std::get<network::IntFire1Model>(c.cell_types[2].point->model).tau_m_ms,
            std::get<network::IntFire1Model>(original.cell_types[2].point->model).tau_m_ms);
  const auto& f = c.cell_types[0].meanfield->transfer;
  const auto& f0 = original.cell_types[0].meanfield->transfer;
  EXPECT_EQ(f.P_mV, f0.P_mV);
  EXPECT_EQ(f.d_tau, f0.d_tau);
  EXPECT_EQ(f.fitted_mu_mV, f0.fitted_mu_mV);
  expect_equal(f.adaptation_nA, f0.adaptation_nA);
  const auto& synapse = std::get<network::PointSynapse>(*c.synapse_types[0].point);
  const auto& synapse0 = std::get<network::PointSynapse>(*original.synapse_types[0].point);
  ASSERT_EQ(synapse.sites.size(), synapse0.sites.size());
  for (std::size_t i = 0; i < synapse.sites.size(); ++i) {
    EXPECT_EQ(synapse.sites[i].section, synapse0.sites[i].section);
    EXPECT_EQ(synapse.sites[i].attenuation, synapse0.sites[i].attenuation);
    EXPECT_EQ(synapse.sites[i].extra_delay_ms, synapse0.sites[i].extra_delay_ms);
    EXPECT_EQ(synapse.sites[i].receptor, synapse0.sites[i].receptor);
  }
  EXPECT_EQ(synapse.receptors[1].E_rev_mV, synapse0.receptors[1].E_rev_mV);
  EXPECT_TRUE(synapse.receptors[0].at_soma);
  EXPECT_FALSE(synapse.receptors[1].at_soma);
  EXPECT_EQ(c.synapse_types[0].meanfield->gain, original.synapse_types[0].meanfield->gain);
  EXPECT_EQ(std::get<network::InstantaneousSynapse>(*c.synapse_types[1].point).sign, -1);
  const auto& several = std::get<network::ReceptorSynapse>(*c.synapse_types[2].point);
  const auto& several0 = std::get<network::ReceptorSynapse>(*original.synapse_types[2].point);
  ASSERT_EQ(several.receptors.size(), 2u);
  EXPECT_EQ(several.receptors[1].Mg_mM, several0.receptors[1].Mg_mM);
  EXPECT_EQ(several.receptors[1].weight_factor, several0.receptors[1].weight_factor);
  ASSERT_EQ(several.sites.size(), 1u);
  EXPECT_EQ(several.sites[0].attenuation, several0.sites[0].attenuation);

  const network::Provenance& p = read.point_cells.at("gif type");
  const network::Provenance& p0 = written.point_cells.at("gif type");
  EXPECT_EQ(p.method, p0.method);
  EXPECT_EQ(p.operating_point, p0.operating_point);
  EXPECT_EQ(p.fit_error.at("rate"), p0.fit_error.at("rate"));
  EXPECT_EQ(p.tolerance, p0.tolerance);
  EXPECT_TRUE(std::isnan(p.fit_error.at("unknown"))) << "an error that could not be determined stays so";
  EXPECT_EQ(p.uncertainty, p0.uncertainty);
  EXPECT_EQ(p.validity_range, p0.validity_range);
  EXPECT_EQ(p.notes, p0.notes);

  // Whatever the comparisons above leave out shows in the text of a second writing.
  const std::string first = text();
  write_reduced(path_, c, read);
  EXPECT_EQ(text(), first);
}

TEST_F(Reduced, HoldsOnlyWhatWasDerived) {
  Derivation derivation;
  const Circuit c = derived(derivation);
  derivation = {};
  write_reduced(path_, c, derivation);
  EXPECT_EQ(text().find("gif type"), std::string::npos);
}

TEST_F(Reduced, TakesAnEditedValue) {
  Derivation derivation;
  write_reduced(path_, derived(derivation), derivation);
  edit("\"sign\":-1", "\"sign\": 1");
  Circuit c = bare();
  core::Diagnostics diagnostics;
  apply_reduced(path_, c, diagnostics);
  ASSERT_TRUE(diagnostics.ok()) << problems(diagnostics);
  EXPECT_EQ(std::get<network::InstantaneousSynapse>(*c.synapse_types[1].point).sign, 1);
}

TEST_F(Reduced, ReportsEveryEditThatMakesNoSense) {
  Derivation derivation;
  write_reduced(path_, derived(derivation), derivation);
  edit("adex type", "another type");
  edit("\"lambda_0_Hz\"", "\"lamda_0_Hz\"");
  edit("\"P_mV\"", "\"P\"");
  Circuit c = bare();
  core::Diagnostics diagnostics;
  apply_reduced(path_, c, diagnostics);
  const std::string all = problems(diagnostics);
  EXPECT_NE(all.find("another type"), std::string::npos) << "unknown name\n" << all;
  EXPECT_NE(all.find("'adex type' must have a point description"), std::string::npos) << "missing name\n" << all;
  EXPECT_NE(all.find("did you mean lambda_0_Hz?"), std::string::npos) << all;
  EXPECT_NE(all.find("P_mV"), std::string::npos) << all;
}

TEST_F(Reduced, DamagedFilesAreErrors) {
  for (const char* bad : {"", "[]", "{\"triscale_reduced\": 2}", "{\"cell_types\": []}",
                          "{\"triscale_reduced\": 1, \"cell_types\": [{\"name\": \"gif type\", \"point\": 3}]}"}) {
    write_text_file(path_, bad);
    Circuit c = bare();
    core::Diagnostics diagnostics;
    apply_reduced(path_, c, diagnostics);
    EXPECT_FALSE(diagnostics.ok()) << bad;
  }
}

}  // namespace
}  // namespace triscale::io

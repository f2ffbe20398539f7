#include "network/validate.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tests/network/sample_circuit.hpp"

namespace triscale::network {
namespace {

core::Diagnostics check(const Circuit& circuit) {
  core::Diagnostics diagnostics;
  validate(circuit, "file.json", diagnostics);
  return diagnostics;
}

std::string text(const core::Diagnostics& diagnostics) {
  std::string all;
  for (const auto& problem : diagnostics.errors()) all += core::to_string(problem) + "\n";
  return all;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

GifModel& gif(Circuit& c) {
  return std::get<GifModel>(c.cell_types[0].point->model);
}
AdExModel& adex(Circuit& c) {
  return std::get<AdExModel>(c.cell_types[1].point->model);
}
ConnectionRule& rule(Circuit& c, std::size_t p) {
  return std::get<ConnectionRule>(c.projections[p].connectivity);
}
PointSynapse& point_synapse(Circuit& c) {
  return std::get<PointSynapse>(*c.synapse_types[0].point);
}
BiexponentialSynapse& ampa(Circuit& c) {
  return std::get<BiexponentialSynapse>(*c.synapse_types[0].detailed);
}
/// A release with every process, which has no problem.
Release& release(Circuit& c) {
  return c.synapse_types[0].release.emplace(Release{0.5, 200, 50, 0, 0.2, 0.7, 0.3, 400, 0.1, 90, 0.4, 100});
}
PoissonTrains& poisson(Circuit& c) {
  return std::get<PoissonTrains>(c.populations[2].source);
}
void change_morphology(Circuit& c, const std::function<void(Morphology&)>& change) {
  auto m = std::make_shared<Morphology>(*c.cell_types[0].detailed->morphology);
  change(*m);
  c.cell_types[0].detailed->morphology = m;
}
ExplicitEdges& make_explicit(Circuit& c) {
  c.projections[0].connectivity = ExplicitEdges{{0, 1}, {0, 1}, {0.1, 0.1}, {1, 1}, {{0, 0.5}, {1, 0.5}}};
  return std::get<ExplicitEdges>(c.projections[0].connectivity);
}

/// One way to break one rule, and a word that must stand in the place of the problem.
struct Breakage {
  const char* name;
  const char* place;
  std::function<void(Circuit&)> apply;
};

void PrintTo(const Breakage& breakage, std::ostream* out) {
  *out << breakage.name;
}

const std::vector<Breakage>& breakages() {
  using D = Distribution::Kind;
  static const std::vector<Breakage> all = {
      {"duration_zero", "run.duration_ms", [](Circuit& c) { c.run.duration_ms = 0; }},
      {"duration_nan", "run.duration_ms", [](Circuit& c) { c.run.duration_ms = kNan; }},
      {"dt_negative", "run.dt_ms", [](Circuit& c) { c.run.dt_ms = -0.1; }},
      {"celsius", "run.celsius", [](Circuit& c) { c.run.celsius = 310; }},
      {"v_init", "run.V_init_mV", [](Circuit& c) { c.run.V_init_mV = kNan; }},
      {"threshold", "run.spike_threshold_mV", [](Circuit& c) { c.run.spike_threshold_mV = kNan; }},
      {"max_length", "max_length_um", [](Circuit& c) { c.run.compartments.max_length_um = 0; }},
      {"d_lambda", "d_lambda",
       [](Circuit& c) {
         c.run.compartments.kind = CompartmentRule::Kind::d_lambda;
         c.run.compartments.d_lambda = 0;
       }},
      {"cell_type_without_name", "cell_types[0].name", [](Circuit& c) { c.cell_types[0].name = ""; }},
      {"cell_type_twice", "cell_types[1].name", [](Circuit& c) { c.cell_types[1].name = "Exc"; }},
      {"no_morphology", "morphology",
       [](Circuit& c) {
         c.cell_types[0].detailed->morphology.reset();
         c.current_clamps.clear();
       }},
      {"parent_later", "sections[1].parent",
       [](Circuit& c) { change_morphology(c, [](Morphology& m) { m.sections[1].parent = 2; }); }},
      {"root_not_soma", "sections[0]",
       [](Circuit& c) { change_morphology(c, [](Morphology& m) { m.sections[0].kind = SectionKind::apical; }); }},
      {"parent_position", "parent_position",
       [](Circuit& c) { change_morphology(c, [](Morphology& m) { m.sections[2].parent_position = 1.5; }); }},
      {"one_point", "sections[3].points",
       [](Circuit& c) { change_morphology(c, [](Morphology& m) { m.sections[3].points[1].y_um = 0; }); }},
      {"diameter_zero", "sections[3].points",
       [](Circuit& c) { change_morphology(c, [](Morphology& m) { m.sections[3].points[1].diameter_um = 0; }); }},
      {"coordinate_nan", "sections[3].points",
       [](Circuit& c) { change_morphology(c, [](Morphology& m) { m.sections[3].points[1].z_um = kNan; }); }},
      {"swc_ids", "swc_ids",
       [](Circuit& c) { change_morphology(c, [](Morphology& m) { m.sections[3].swc_ids = {1}; }); }},
      {"Ra", "Ra_Ohm_cm", [](Circuit& c) { c.cell_types[0].detailed->regions[2].Ra_Ohm_cm = 0; }},
      {"C_m", "C_m_uF_cm2", [](Circuit& c) { c.cell_types[0].detailed->regions[0].C_m_uF_cm2 = -1; }},
      {"g_pas", "g_pas_S_cm2", [](Circuit& c) { c.cell_types[0].detailed->regions[0].g_pas_S_cm2 = -1; }},
      {"e_pas", "e_pas_mV", [](Circuit& c) { c.cell_types[0].detailed->regions[0].e_pas_mV = kNan; }},
      {"Ca_out", "Ca_out_mM", [](Circuit& c) { c.cell_types[0].detailed->Ca_out_mM = 0; }},
      {"mechanism_without_name", "mechanisms[0]",
       [](Circuit& c) {
         c.cell_types[0].detailed->mechanisms = {{"", SectionKind::soma, {}}};
       }},
      {"mechanism_nan", "gbar",
       [](Circuit& c) {
         c.cell_types[0].detailed->mechanisms = {{"hh", SectionKind::soma, {{"gbar", kNan}}}};
       }},
      {"gif_C", "C_m_nF", [](Circuit& c) { gif(c).C_m_nF = 0; }},
      {"gif_g", "g_L_uS", [](Circuit& c) { gif(c).g_L_uS = kNan; }},
      {"gif_reset", "V_reset_mV", [](Circuit& c) { gif(c).V_reset_mV = gif(c).V_threshold_mV; }},
      {"gif_t_ref", "t_ref_ms", [](Circuit& c) { gif(c).t_ref_ms = -1; }},
      {"gif_softness", "Delta_V_mV", [](Circuit& c) { gif(c).Delta_V_mV = -1; }},
      {"gif_lambda", "lambda_0_Hz", [](Circuit& c) { gif(c).lambda_0_Hz = 0; }},
      {"gif_kernel", "eta_nA[0].tau_ms",
       [](Circuit& c) {
         gif(c).eta_nA = {{0.1, 0}};
       }},
      {"gif_gamma", "gamma_mV[0].amplitude",
       [](Circuit& c) {
         gif(c).gamma_mV = {{kNan, 10}};
       }},
      {"adex_tau_w", "tau_w_ms", [](Circuit& c) { adex(c).tau_w_ms = 0; }},
      {"adex_peak", "V_peak_mV", [](Circuit& c) { adex(c).V_peak_mV = -55; }},
      {"adex_reset", "V_reset_mV", [](Circuit& c) { adex(c).V_reset_mV = 10; }},
      {"meanfield_T", "time_constant_ms", [](Circuit& c) { c.cell_types[0].meanfield->time_constant_ms = 0; }},
      {"meanfield_P", "P_mV[9]", [](Circuit& c) { c.cell_types[0].meanfield->transfer.P_mV[9] = kNan; }},
      {"meanfield_scale", "d_mu_mV", [](Circuit& c) { c.cell_types[0].meanfield->transfer.d_mu_mV = 0; }},
      {"synapse_twice", "synapse_types[1].name", [](Circuit& c) { c.synapse_types[1].name = "ampa"; }},
      {"synapse_empty", "synapse_types.gaba", [](Circuit& c) { c.synapse_types[1].detailed.reset(); }},
      {"tau_decay", "tau_decay_ms",
       [](Circuit& c) {
         ampa(c) = {0, 0, 0};
       }},
      {"tau_rise", "tau_rise_ms", [](Circuit& c) { ampa(c).tau_rise_ms = 2; }},
      {"E_rev", "E_rev_mV", [](Circuit& c) { ampa(c).E_rev_mV = kNan; }},
      {"signs_differ", "synapse_types.ampa", [](Circuit& c) { point_synapse(c).receptors[0].E_rev_mV = -80; }},
      {"no_receptor", "receptors", [](Circuit& c) { point_synapse(c).receptors.clear(); }},
      {"sites_of_a_detailed_synapse", "detailed.sites",
       [](Circuit& c) {
         c.synapse_types[0].detailed = ReceptorSynapse{{{{0.5, 2, 0}, 1, 0}}, {{0, 0, 1, 1, 0, 0, 0}}};
       }},
      {"sites_of_several_receptors_have_a_gap", "point.sites",
       [](Circuit& c) {
         c.synapse_types[0].point = ReceptorSynapse{{{{0.5, 2, 0}, 1, 0}}, {{0, 0, 0.5, 1, 0, 0, 0}}};
       }},
      {"site_gap", "sites[0]",
       [](Circuit& c) {
         point_synapse(c).sites = {{0, 0, 0.9, 1, 0, 0, 0}};
       }},
      {"site_receptor", "sites[0].receptor",
       [](Circuit& c) {
         point_synapse(c).sites = {{0, 0, 1, 1, 0, 0, 1}};
       }},
      {"site_order", "sites[1]",
       [](Circuit& c) {
         point_synapse(c).sites = {{1, 0, 1, 1, 0, 0, 0}, {0, 0, 1, 1, 0, 0, 0}};
       }},
      {"site_attenuation", "attenuation",
       [](Circuit& c) {
         point_synapse(c).sites = {{0, 0, 1, -1, 0, 0, 0}};
       }},
      {"gain", "gain", [](Circuit& c) { c.synapse_types[0].meanfield = MeanfieldSynapse{-1}; }},
      {"population_twice", "populations[1].name", [](Circuit& c) { c.populations[1].name = "E"; }},
      {"population_empty", "populations.I.size",
       [](Circuit& c) {
         c.populations[1].size = 0;
         c.projections.resize(1);
       }},
      {"population_type", "populations.I.cell_type", [](Circuit& c) { c.populations[1].cell_type = 2; }},
      {"type_without_description", "populations.I.cell_type",
       [](Circuit& c) {
         c.cell_types[1] = {"Inh", Dale::inhibitory, {}, {}, {}};
       }},
      {"placements", "populations.E.placements", [](Circuit& c) { c.populations[0].placements.resize(3); }},
      {"placement_nan", "populations.E.placements",
       [](Circuit& c) {
         c.populations[0].placements.resize(100);
         c.populations[0].placements[7].rotation_y_rad = kNan;
       }},
      {"file_ids", "populations.E.file_ids",
       [](Circuit& c) {
         c.populations[0].file_ids = {1, 2};
       }},
      {"file_ids_shared", "populations.I.file_ids",
       [](Circuit& c) { c.populations[0].file_population = c.populations[1].file_population = "v1"; }},
      {"source_of_real", "populations.E.source", [](Circuit& c) { c.populations[0].source = PoissonTrains{}; }},
      {"poisson_rate", "rates_hz", [](Circuit& c) { poisson(c).rates_hz[1] = -1; }},
      {"poisson_times", "times_ms", [](Circuit& c) { poisson(c).times_ms[1] = 0; }},
      {"poisson_lengths", "source", [](Circuit& c) { poisson(c).rates_hz.pop_back(); }},
      {"trains_order", "times_ms",
       [](Circuit& c) {
         c.populations[2].source = SpikeTrains{{2, 1}, {0, 0}};
       }},
      {"trains_cell", "cells",
       [](Circuit& c) {
         c.populations[2].source = SpikeTrains{{1, 2}, {0, 100}};
       }},
      {"trains_lengths", "source",
       [](Circuit& c) {
         c.populations[2].source = SpikeTrains{{1, 2}, {0}};
       }},
      {"projection_twice", "projections[1].name", [](Circuit& c) { c.projections[1].name = "E->I"; }},
      {"projection_source", "source", [](Circuit& c) { c.projections[0].source = 9; }},
      {"projection_target", "target", [](Circuit& c) { c.projections[0].target = 9; }},
      {"projection_synapse", "synapse_type", [](Circuit& c) { c.projections[0].synapse_type = 9; }},
      {"target_virtual", "target", [](Circuit& c) { c.projections[2].target = 2; }},
      {"explicit_lengths", "edges", [](Circuit& c) { make_explicit(c).weights.pop_back(); }},
      {"explicit_source", "edges.sources[1]", [](Circuit& c) { make_explicit(c).sources[1] = 100; }},
      {"explicit_target", "edges.targets[1]", [](Circuit& c) { make_explicit(c).targets[1] = 40; }},
      {"explicit_weight", "edges.weights[0]", [](Circuit& c) { make_explicit(c).weights[0] = -1; }},
      {"explicit_delay", "edges.delays_ms[1]", [](Circuit& c) { make_explicit(c).delays_ms[1] = 0.09; }},
      {"explicit_section", "edges.sites[1]", [](Circuit& c) { make_explicit(c).sites[1].section = 4; }},
      {"explicit_position", "edges.sites[1]", [](Circuit& c) { make_explicit(c).sites[1].position = 1.1; }},
      {"probability", "rule", [](Circuit& c) { rule(c, 0).probability = 1.1; }},
      {"in_degree", "rule",
       [](Circuit& c) {
         rule(c, 1).number = 41;
         rule(c, 1).multapses = false;
       }},
      {"total_number", "rule",
       [](Circuit& c) {
         rule(c, 2).number = 9901;
         rule(c, 2).multapses = false;
       }},
      {"one_to_one_sizes", "rule", [](Circuit& c) { c.populations[2].size = 99; }},
      {"weight_negative", "weight", [](Circuit& c) { rule(c, 0).weight.mean = -0.1; }},
      {"weight_normal_unbounded", "weight",
       [](Circuit& c) {
         rule(c, 0).weight = {D::normal, 1, 1, 0, 0};
       }},
      {"weight_sd", "weight.sd",
       [](Circuit& c) {
         rule(c, 0).weight = {D::lognormal, 1, -1, 0, 0};
       }},
      {"weight_lognormal_mean", "weight.mean",
       [](Circuit& c) {
         rule(c, 0).weight = {D::lognormal, 0, 1, 0, 0};
       }},
      {"weight_uniform", "weight.high",
       [](Circuit& c) {
         rule(c, 0).weight = {D::uniform, 0, 0, 2, 1};
       }},
      {"weight_mean_outside", "weight.mean",
       [](Circuit& c) {
         rule(c, 0).weight = {D::normal, 9, 1, 0, 1};
       }},
      {"delay_below_dt", "delay_ms", [](Circuit& c) { rule(c, 0).delay_ms.mean = 0.05; }},
      {"delay_lognormal_unbounded", "delay_ms",
       [](Circuit& c) {
         rule(c, 0).delay_ms = {D::lognormal, 2, 1, 0, 0};
       }},
      {"delay_normal_low", "delay_ms.low",
       [](Circuit& c) {
         rule(c, 0).delay_ms = {D::normal, 2, 1, 0, 4};
       }},
      {"placement_range", "placement", [](Circuit& c) { c.projections[0].placement.min_distance_um = -1; }},
      {"placement_empty", "placement", [](Circuit& c) { c.projections[0].placement.kinds = {SectionKind::axon}; }},
      {"conductance_onto_intfire", "synapse_type", [](Circuit& c) { c.cell_types[1].point->model = IntFire1Model{}; }},
      {"dale_excitatory", "projections.E->I.synapse_type", [](Circuit& c) { c.projections[0].synapse_type = 1; }},
      {"dale_inhibitory", "projections.I->E.synapse_type", [](Circuit& c) { c.projections[1].synapse_type = 0; }},
      {"dale_virtual", "projections.external->E.synapse_type", [](Circuit& c) { c.projections[3].synapse_type = 1; }},
      {"clamp_population", "population", [](Circuit& c) { c.current_clamps[0].population = 3; }},
      {"clamp_virtual", "population", [](Circuit& c) { c.current_clamps[0].population = 2; }},
      {"clamp_cell", "cells", [](Circuit& c) { c.current_clamps[0].cells[0] = 100; }},
      {"clamp_section", "site", [](Circuit& c) { c.current_clamps[0].site.section = 4; }},
      {"clamp_interval", "waveform",
       [](Circuit& c) {
         c.current_clamps[0].waveform = CurrentSegment{20, 10, 0, 0};
       }},
      {"clamp_noise", "tau_ms",
       [](Circuit& c) {
         c.current_clamps[0].waveform = NoiseCurrent{0, 10, 0, 0.1, 0};
       }},
      {"clamp_sampled", "values_nA",
       [](Circuit& c) {
         c.current_clamps[0].waveform = SampledCurrent{0, 0.1, {}};
       }},
      {"release_U", "release.U", [](Circuit& c) { release(c).U = 0; }},
      {"release_facilitation", "release.facilitation", [](Circuit& c) { release(c).facilitation = 1.1; }},
      {"release_start", "release.p_start", [](Circuit& c) { release(c).p_start = kNan; }},
      {"release_facilitates_without_time", "release.facilitation",
       [](Circuit& c) {
         release(c).tau_facilitation_ms = 0;
         c.synapse_types[0].release->p_start.reset();
       }},
      {"release_start_without_time", "release.p_start",
       [](Circuit& c) {
         release(c).tau_facilitation_ms = 0;
         c.synapse_types[0].release->facilitation.reset();
       }},
      {"release_speedup_whole", "release.recovery_speedup", [](Circuit& c) { release(c).recovery_speedup = 1; }},
      {"release_speedup_time", "release.tau_speedup_ms", [](Circuit& c) { release(c).tau_speedup_ms = 0; }},
      {"release_speedup_of_nothing", "release.recovery_speedup", [](Circuit& c) { release(c).tau_recovery_ms = 0; }},
      {"release_baseline_time", "release.tau_baseline_ms", [](Circuit& c) { release(c).baseline_drop = 0; }},
      {"release_desensitisation", "release.desensitisation", [](Circuit& c) { release(c).desensitisation = -0.1; }},
      {"release_desensitised_sites", "release.desensitisation", [](Circuit& c) { release(c).sites = 2; }},
      {"probe_cell", "cells", [](Circuit& c) { c.probes[0].cells[0] = 100; }},
      {"probe_twice", "probes[1].name", [](Circuit& c) { c.probes.push_back(c.probes[0]); }},
      {"probe_variable", "variable", [](Circuit& c) { c.probes[0].variable = ""; }},
      {"probe_interval", "probes.v", [](Circuit& c) { c.probes[0].end_ms = 0; }},
      {"probe_dt", "dt_ms", [](Circuit& c) { c.probes[0].dt_ms = 0.25; }},
  };
  return all;
}

TEST(Validate, ASoundCircuitHasNoProblems) {
  const core::Diagnostics diagnostics = check(sample::circuit());
  EXPECT_TRUE(diagnostics.ok()) << text(diagnostics);
  EXPECT_TRUE(diagnostics.warnings().empty());
}

class BrokenRule : public testing::TestWithParam<Breakage> {};

TEST_P(BrokenRule, IsReportedAloneAtItsPlace) {
  Circuit c = sample::circuit();
  GetParam().apply(c);
  const core::Diagnostics diagnostics = check(c);
  ASSERT_EQ(diagnostics.errors().size(), 1u) << text(diagnostics);
  const core::Problem& problem = diagnostics.errors()[0];
  EXPECT_NE(problem.place.find(GetParam().place), std::string::npos) << text(diagnostics);
  EXPECT_EQ(problem.file, "file.json");
  EXPECT_FALSE(problem.rule.empty());
}

INSTANTIATE_TEST_SUITE_P(Validate, BrokenRule, testing::ValuesIn(breakages()),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(Validate, AReleaseWithEveryProcessIsSound) {
  Circuit circuit = sample::circuit();
  release(circuit);
  EXPECT_EQ(text(check(circuit)), "");
}

TEST(Validate, ReportsSeveralProblemsTogether) {
  Circuit c = sample::circuit();
  c.run.dt_ms = 0;
  c.projections[0].synapse_type = 1;
  gif(c).C_m_nF = kNan;
  c.populations[1].name = "E";
  const core::Diagnostics diagnostics = check(c);
  EXPECT_GE(diagnostics.errors().size(), 4u) << text(diagnostics);
  for (const char* part : {"run.dt_ms", "Dale", "C_m_nF", "unique"}) {
    EXPECT_NE(text(diagnostics).find(part), std::string::npos) << part;
  }
}

TEST(Validate, CountsBadEdgesInsteadOfListingThem) {
  Circuit c = sample::circuit();
  make_explicit(c).delays_ms = {0, 0};
  const core::Diagnostics diagnostics = check(c);
  ASSERT_EQ(diagnostics.errors().size(), 1u);
  EXPECT_NE(diagnostics.errors()[0].hint.find("2 edges"), std::string::npos);
}

TEST(Validate, SilentVirtualPopulationIsAWarning) {
  Circuit c = sample::circuit();
  c.populations[2].source = std::monostate{};
  EXPECT_TRUE(check(c).ok());
  EXPECT_EQ(check(c).warnings().size(), 1u);
}

TEST(Validate, SharedFilePopulationWithDifferentIdsIsSound) {
  Circuit c = sample::circuit();
  c.populations[0].file_population = c.populations[1].file_population = "v1";
  for (std::uint64_t i = 0; i < 40; ++i) c.populations[1].file_ids.push_back(100 + i);
  EXPECT_TRUE(check(c).ok()) << text(check(c));
}

TEST(SynapseSign, FollowsReversalPotentialOrSign) {
  SynapseType type;
  EXPECT_EQ(synapse_sign(type), 0);
  type.detailed = BiexponentialSynapse{0.5, 2, 0};
  EXPECT_EQ(synapse_sign(type), 1);
  type.detailed = BiexponentialSynapse{0.5, 2, -70};
  EXPECT_EQ(synapse_sign(type), -1);
  EXPECT_EQ(synapse_sign(type, -75), 1);
  type.detailed = InstantaneousSynapse{-1};
  EXPECT_EQ(synapse_sign(type), -1);
  type.detailed.reset();
  type.point = PointSynapse{{{0.5, 2, 0}, {0.5, 2, -80}}, {}};
  EXPECT_EQ(synapse_sign(type), 0) << "receptors of both signs";
}

}  // namespace
}  // namespace triscale::network

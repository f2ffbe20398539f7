// Synapse files of SONATA circuits: what each template becomes.
#include "io/sonata_synapses.hpp"

#include <gtest/gtest.h>

#include "io/sonata.hpp"
#include "tests/io/tiny_sonata.hpp"

namespace triscale::io {
namespace {

/// The detailed description of the synapse type that inh.json of the tiny circuit makes.
network::SynapseType inhibitory_type(const LoadedCircuit& loaded) {
  for (const network::SynapseType& type : loaded.circuit.synapse_types) {
    if (type.name.starts_with("inh>")) return type;
  }
  ADD_FAILURE() << "no inhibitory synapse type";
  return {};
}

TEST(SonataSynapses, ExpSynAndStp1synMapOntoASingleExponentialAndShortTermDepression) {
  TinySonata single("expsyn");
  single.replace("network/edge_types.csv", "inh.json 1.0 exp2syn", "inh.json 1.0 ExpSyn");
  single.replace("components/inh.json", R"("exp2syn", "tau1": 2.7, "tau2": 15.0)", R"("expsyn", "tau": 6.0)");
  const network::SynapseType expsyn = inhibitory_type(load_sonata(single.write()));
  const auto& exponential = std::get<network::BiexponentialSynapse>(*expsyn.detailed);
  EXPECT_EQ(exponential.tau_rise_ms, 0);
  EXPECT_EQ(exponential.tau_decay_ms, 6);
  EXPECT_EQ(exponential.E_rev_mV, -80);
  EXPECT_FALSE(expsyn.release);

  TinySonata depressing("stp1syn");
  depressing.replace("network/edge_types.csv", "inh.json 1.0 exp2syn", "inh.json 1.0 stp1syn");
  depressing.replace("components/inh.json", R"("exp2syn", "tau1": 2.7, "tau2": 15.0)", R"("model_1", "tau_1": 4.0)");
  const network::SynapseType stp1 = inhibitory_type(load_sonata(depressing.write()));
  EXPECT_EQ(std::get<network::BiexponentialSynapse>(*stp1.detailed).tau_decay_ms, 4);
  ASSERT_TRUE(stp1.release);
  EXPECT_EQ(stp1.release->U, 0.5);  // BMTK's p0 and tau_r
  EXPECT_EQ(stp1.release->tau_recovery_ms, 200);
  EXPECT_EQ(stp1.release->tau_facilitation_ms, 0);
  EXPECT_EQ(stp1.release->sites, 0u);

  TinySonata fourth("stp4syn");
  fourth.replace("network/edge_types.csv", "inh.json 1.0 exp2syn", "inh.json 1.0 stp4syn");
  fourth.replace("components/inh.json", R"("exp2syn", "tau1": 2.7, "tau2": 15.0)", R"("model_4", "tau_r": 300.0)");
  const network::SynapseType stp4 = inhibitory_type(load_sonata(fourth.write()));
  EXPECT_EQ(std::get<network::BiexponentialSynapse>(*stp4.detailed).tau_decay_ms, 5);
  ASSERT_TRUE(stp4.release);
  EXPECT_EQ(stp4.release->U, 0.6);
  EXPECT_EQ(stp4.release->tau_recovery_ms, 300);
}

/// inh.json as a synapse of BMTK's `model_template` with these parameters beside erev.
TinySonata with_stp(const std::string& model_template, const std::string& parameters) {
  TinySonata tiny(model_template);
  tiny.replace("network/edge_types.csv", "inh.json 1.0 exp2syn", "inh.json 1.0 " + model_template);
  tiny.replace("components/inh.json", R"("exp2syn", "tau1": 2.7, "tau2": 15.0)", R"("model")" + parameters);
  return tiny;
}

TEST(SonataSynapses, Stp2synRecoversFasterWithUse) {
  const TinySonata tiny = with_stp("stp2syn", R"(, "p0": 0.4, "tau_r0": 500, "tau_FDR": 800, "tau_1": 6)");
  const network::SynapseType type = inhibitory_type(load_sonata(tiny.write()));
  EXPECT_EQ(std::get<network::BiexponentialSynapse>(*type.detailed).tau_rise_ms, 0);
  EXPECT_EQ(std::get<network::BiexponentialSynapse>(*type.detailed).tau_decay_ms, 6);
  EXPECT_EQ(std::get<network::BiexponentialSynapse>(*type.detailed).E_rev_mV, -80);
  ASSERT_TRUE(type.release);
  EXPECT_EQ(type.release->U, 0.4);
  EXPECT_EQ(type.release->tau_recovery_ms, 500);
  EXPECT_EQ(type.release->recovery_speedup, 0.5);  // of the mechanism
  EXPECT_EQ(type.release->tau_speedup_ms, 800);
  EXPECT_EQ(type.release->tau_facilitation_ms, 0);
  EXPECT_EQ(type.release->desensitisation, 0);
  const std::string missing = errors_of(with_stp("stp2syn", ""));
  for (const char* key : {"p0", "tau_r0", "tau_FDR", "tau_1"}) EXPECT_PIECE(missing, std::string("inh.json: ") + key);
}

TEST(SonataSynapses, Stp3synDesensitisesAndHasBmtksDefaults) {
  const network::SynapseType type = inhibitory_type(load_sonata(with_stp("stp3syn", R"(, "a_D": 0.25)").write()));
  EXPECT_EQ(std::get<network::BiexponentialSynapse>(*type.detailed).tau_decay_ms, 5);
  ASSERT_TRUE(type.release);
  EXPECT_EQ(type.release->U, 0.6);
  EXPECT_EQ(type.release->tau_recovery_ms, 200);
  EXPECT_EQ(type.release->recovery_speedup, 0.5);
  EXPECT_EQ(type.release->tau_speedup_ms, 2000);
  EXPECT_EQ(type.release->desensitisation, 0.25);
  EXPECT_EQ(type.release->tau_desensitisation_ms, 500);
}

TEST(SonataSynapses, Stp5synHasAllProcessesAndStartsAtOne) {
  const std::string all =
      R"(, "tau_1": 4, "tau_r0": 300, "tau_FDR": 700, "a_FDR": 0.3, "a_D": 0.4, "a_i": 0.2, "a_f": 0.25, "pbtilde": 0.35)";
  const network::SynapseType type = inhibitory_type(load_sonata(with_stp("stp5syn", all).write()));
  EXPECT_EQ(std::get<network::BiexponentialSynapse>(*type.detailed).tau_decay_ms, 4);
  ASSERT_TRUE(type.release);
  EXPECT_EQ(type.release->U, 0.35);
  EXPECT_EQ(type.release->p_start, 1);
  EXPECT_EQ(type.release->tau_recovery_ms, 300);
  EXPECT_EQ(type.release->facilitation, 0.25);
  EXPECT_EQ(type.release->tau_facilitation_ms, 10);
  EXPECT_EQ(type.release->recovery_speedup, 0.3);
  EXPECT_EQ(type.release->tau_speedup_ms, 700);
  EXPECT_EQ(type.release->desensitisation, 0.4);
  EXPECT_EQ(type.release->tau_desensitisation_ms, 100);
  EXPECT_EQ(type.release->baseline_drop, 0.2);
  EXPECT_EQ(type.release->tau_baseline_ms, 100);

  // What is switched off needs no time constant and has none.
  TinySonata off = with_stp("stp5syn", all);
  off.replace("components/inh.json", R"("a_D": 0.4, "a_i": 0.2)", R"("a_D": 0, "a_i": 0)");
  const network::SynapseType fewer = inhibitory_type(load_sonata(off.write()));
  EXPECT_EQ(fewer.release->tau_desensitisation_ms, 0);
  EXPECT_EQ(fewer.release->tau_baseline_ms, 0);
  off.replace("components/inh.json", R"("a_f": 0.25)", R"("a_f": 1.25)");
  EXPECT_PIECE(errors_of(off), "facilitation");
}

TEST(SonataSynapses, StochasticSynapsesOfTheBlueBrainProjectKeepTheirReceptorsAndTheirRelease) {
  TinySonata tiny("probgabaab");
  tiny.replace("network/edge_types.csv", "inh.json 1.0 exp2syn", "inh.json 1.0 ProbGABAAB_EMS");
  tiny.replace("components/inh.json", R"("level_of_detail": "exp2syn", "tau1": 2.7, "tau2": 15.0, "erev": -80.0)",
               R"("Use": 0.25, "Dep": 706.0, "Fac": 21.0, "Nrrp": 3, "GABAB_ratio": 0.5, "tau_d_GABAA": 8.5)");
  const network::SynapseType type = inhibitory_type(load_sonata(tiny.write()));
  const auto& receptors = std::get<network::ReceptorSynapse>(*type.detailed).receptors;
  ASSERT_EQ(receptors.size(), 2u);
  EXPECT_EQ(receptors[0].kinetics.tau_rise_ms, 0.2);
  EXPECT_EQ(receptors[0].kinetics.tau_decay_ms, 8.5);
  EXPECT_EQ(receptors[0].kinetics.E_rev_mV, -80);
  EXPECT_EQ(receptors[0].weight_factor, 1e-3);  // weights are in nS
  EXPECT_EQ(receptors[1].kinetics.tau_decay_ms, 260.9);
  EXPECT_EQ(receptors[1].kinetics.E_rev_mV, -97);
  EXPECT_EQ(receptors[1].weight_factor, 5e-4);
  ASSERT_TRUE(type.release);
  EXPECT_EQ(type.release->U, 0.25);
  EXPECT_EQ(type.release->tau_recovery_ms, 706);
  EXPECT_EQ(type.release->tau_facilitation_ms, 21);
  EXPECT_EQ(type.release->sites, 3u);

  EXPECT_FALSE(type.release->p_start);

  tiny.replace("components/inh.json", R"("Use": 0.25)", R"("Use": 0.25, "u0": 0.5)");
  // u falls from u0 with Fac, and a spike uses u + Use (1 - u).
  EXPECT_DOUBLE_EQ(inhibitory_type(load_sonata(tiny.write())).release->p_start.value(), 0.5 + 0.25 * 0.5);
  tiny.replace("components/inh.json", R"("Use": 0.25, )", "");
  EXPECT_PIECE(errors_of(tiny), "Use");
}

TEST(SonataSynapses, AmpaAndNmdaStandBehindOneReleaseAndNmdaHasItsRatioAndItsMagnesiumBlock) {
  TinySonata tiny("probampanmda");
  tiny.replace("network/edge_types.csv", "inh.json 1.0 exp2syn", "inh.json 1.0 ProbAMPANMDA_EMS");
  tiny.replace("components/inh.json", R"("level_of_detail": "exp2syn", "tau1": 2.7, "tau2": 15.0, "erev": -80.0)",
               R"("Use": 0.5, "Dep": 671.0, "Fac": 17.0, "NMDA_ratio": 0.8, "tau_d_NMDA": 40.0, "e": -75.0)");
  const network::SynapseType type = inhibitory_type(load_sonata(tiny.write()));
  const auto& receptors = std::get<network::ReceptorSynapse>(*type.detailed).receptors;
  ASSERT_EQ(receptors.size(), 2u);
  EXPECT_EQ(receptors[0].kinetics.tau_rise_ms, 0.2);  // the file's defaults
  EXPECT_EQ(receptors[0].kinetics.tau_decay_ms, 1.7);
  EXPECT_EQ(receptors[0].kinetics.E_rev_mV, -75);
  EXPECT_EQ(receptors[0].weight_factor, 1e-3);
  EXPECT_EQ(receptors[0].Mg_mM, 0);
  EXPECT_EQ(receptors[1].kinetics.tau_rise_ms, 0.29);
  EXPECT_EQ(receptors[1].kinetics.tau_decay_ms, 40);
  EXPECT_EQ(receptors[1].kinetics.E_rev_mV, -75);
  EXPECT_DOUBLE_EQ(receptors[1].weight_factor, 0.8e-3);
  EXPECT_EQ(receptors[1].Mg_mM, 1);
  ASSERT_TRUE(type.release);
  EXPECT_EQ(type.release->U, 0.5);
  EXPECT_EQ(type.release->tau_recovery_ms, 671);
  EXPECT_EQ(type.release->tau_facilitation_ms, 17);
  EXPECT_EQ(type.release->sites, 1u);

  tiny.replace("components/inh.json", R"("NMDA_ratio": 0.8)", R"("NMDA_ratio": 0, "mg": 2)");
  const network::SynapseType ampa = inhibitory_type(load_sonata(tiny.write()));
  EXPECT_EQ(std::get<network::ReceptorSynapse>(*ampa.detailed).receptors.size(), 1u);
}

}  // namespace
}  // namespace triscale::io

/// The keys of every structure of the JSON form of models (io/model_json.hpp), listed once a structure in fields();
/// io/model_visitors.hpp walks these lists to read, to write and to name them. optional() marks what may be left out
/// when it has its default.
#pragma once

#include <vector>

#include "network/cell_models.hpp"
#include "network/synapse_models.hpp"

namespace triscale::io {

/// Models of point cells list theirs themselves (network/point_models.hpp).
template <class V, class Model>
auto fields(V& v, Model& m) -> decltype(m.fields(v)) {
  m.fields(v);
}

template <class V>
void fields(V& v, network::MeanfieldCell& cell) {
  network::TransferFunction& f = cell.transfer;
  v("C_m_nF", f.C_m_nF);
  v("g_L_uS", f.g_L_uS);
  v("E_L_mV", f.E_L_mV);
  v("t_ref_ms", f.t_ref_ms);
  v.optional("dead_time_ms", f.dead_time_ms);
  v.optional("dead_time_at_hz", f.dead_time_at_hz);
  v.list("P_mV", f.P_mV);
  v("mu_0_mV", f.mu_0_mV);
  v("d_mu_mV", f.d_mu_mV);
  v("sigma_0_mV", f.sigma_0_mV);
  v("d_sigma_mV", f.d_sigma_mV);
  v("tau_0", f.tau_0);
  v("d_tau", f.d_tau);
  v.optional_list("fitted_mu_mV", f.fitted_mu_mV);
  v.optional_list("fitted_sigma_mV", f.fitted_sigma_mV);
  v.optional_list("fitted_tau", f.fitted_tau);
  v.kernels("adaptation", "amplitude_nA", f.adaptation_nA);
  v("time_constant_ms", cell.time_constant_ms);
}

template <class V>
void fields(V& v, network::BiexponentialSynapse& s) {
  v.optional("tau_rise_ms", s.tau_rise_ms);
  v("tau_decay_ms", s.tau_decay_ms);
  v("E_rev_mV", s.E_rev_mV);
}

template <class V>
void fields(V& v, network::Receptor& r) {
  fields(v, r.kinetics);
  v.optional("weight_factor", r.weight_factor);
  v.optional("Mg_mM", r.Mg_mM);
}

template <class V>
void fields(V&, network::GapJunction&) {}

template <class V>
void fields_beside_U(V& v, network::Release& r) {
  v.optional("tau_recovery_ms", r.tau_recovery_ms);
  v.optional("tau_facilitation_ms", r.tau_facilitation_ms);
  v.optional_whole("sites", r.sites);
  v.optional("facilitation", r.facilitation);
  v.optional("p_start", r.p_start);
  v.optional("recovery_speedup", r.recovery_speedup);
  v.optional("tau_speedup_ms", r.tau_speedup_ms);
  v.optional("baseline_drop", r.baseline_drop);
  v.optional("tau_baseline_ms", r.tau_baseline_ms);
  v.optional("desensitisation", r.desensitisation);
  v.optional("tau_desensitisation_ms", r.tau_desensitisation_ms);
}

template <class V>
void fields(V& v, network::Release& r) {
  v("U", r.U);
  fields_beside_U(v, r);
}

/// With N sites a first spike fails with probability (1 - U)^N, which stands in place of U.
struct UnreliableRelease : network::Release {
  UnreliableRelease() { sites = 1; }
  double failure_probability = 0.5;
};
template <class V>
void fields(V& v, UnreliableRelease& r) {
  v("failure_probability", r.failure_probability);
  fields_beside_U(v, r);
}

template <class V>
void fields(V& v, network::InstantaneousSynapse& s) {
  v.whole("sign", s.sign);
}

/// A current synapse of a given shape; "model" says which.
struct ExponentialCurrent : network::CurrentSynapse {
  ExponentialCurrent() { shape = Shape::exponential; }
};
struct AlphaCurrent : network::CurrentSynapse {
  AlphaCurrent() { shape = Shape::alpha; }
};
struct DeltaCurrent : network::CurrentSynapse {
  DeltaCurrent() { shape = Shape::delta; }
};

template <class V>
void fields(V& v, network::CurrentSynapse& s) {
  if (s.shape != network::CurrentSynapse::Shape::delta) v("tau_ms", s.tau_ms);
  v.whole("sign", s.sign);
}

template <class V>
void fields(V& v, network::SiteTransfer& row) {
  v.whole("section", row.section);
  v("begin", row.begin);
  v("end", row.end);
  v("attenuation", row.attenuation);
  v("shunt_per_uS", row.shunt_per_uS);
  v("extra_delay_ms", row.extra_delay_ms);
  v.whole("receptor", row.receptor);
}

template <class V>
void fields(V& v, network::ReceptorSynapse& s) {
  v.objects("receptors", s.receptors);
  v.optional_objects("sites", s.sites);
}

/// A receptor of a point neuron, where alone at_soma has a meaning.
struct PlacedReceptor : network::BiexponentialSynapse {
  PlacedReceptor() = default;
  explicit PlacedReceptor(const network::BiexponentialSynapse& receptor) : network::BiexponentialSynapse(receptor) {}
};
template <class V>
void fields(V& v, PlacedReceptor& r) {
  fields(v, static_cast<network::BiexponentialSynapse&>(r));
  v.optional_flag("at_soma", r.at_soma);
}

template <class V>
void fields(V& v, network::PointSynapse& s) {
  std::vector<PlacedReceptor> receptors(s.receptors.begin(), s.receptors.end());
  v.objects("receptors", receptors);
  s.receptors.assign(receptors.begin(), receptors.end());
  v.optional_objects("sites", s.sites);
}

template <class V>
void fields(V& v, network::MeanfieldSynapse& s) {
  v("gain", s.gain);
}

}  // namespace triscale::io

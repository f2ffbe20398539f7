#include "pointneuron/receptors.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

namespace {
/// (1 - exp(-r t)) / r, the integral of exp(-r s) over [0, t], also for r = 0.
double integral_of_decay(double r, double t) {
  return r == 0 ? t : -std::expm1(-r * t) / r;
}
/// B(V) of network::Receptor.
double magnesium_block(double V_mV, double Mg_mM) {
  return 1 / (1 + std::exp(-0.062 * V_mV) * Mg_mM / 3.57);
}
/// Receptors without magnesium block.
TRISCALE_ALWAYS_INLINE void step_receptor(const ReceptorPropagator& p, std::size_t begin, std::size_t end,
                                          const double* __restrict events, double* __restrict x, double* __restrict g,
                                          double* __restrict G, double* __restrict GE) {
  for (std::size_t i = begin; i < end; ++i) {
    const double x_now = x[i] + p.kick_x * events[i];
    const double g_now = g[i] + p.kick_g * events[i];
    const double mean = p.mean_from_g * g_now + p.mean_from_x * x_now;
    G[i] += mean;
    GE[i] += mean * p.E_rev_mV;
    x[i] = p.x_from_x * x_now;
    g[i] = p.g_from_g * g_now + p.g_from_x * x_now;
  }
}
}  // namespace

ReceptorPropagator::ReceptorPropagator(const network::Receptor& receptor, double dt_ms)
    : E_rev_mV(receptor.kinetics.E_rev_mV), Mg_mM(receptor.Mg_mM), at_soma(receptor.kinetics.at_soma) {
  const double tau_r = receptor.kinetics.tau_rise_ms;
  const double tau_d = receptor.kinetics.tau_decay_ms;
  const double mean_of_decay = integral_of_decay(1 / tau_d, dt_ms) / dt_ms;
  g_from_g = std::exp(-dt_ms / tau_d);
  mean_from_g = mean_of_decay;
  if (tau_r == 0) {
    kick_g = receptor.weight_factor;
    return;
  }
  // t_peak = ln(tau_d / tau_r) / (1/tau_r - 1/tau_d), with its limit tau at tau_r = tau_d.
  const double difference = 1 / tau_r - 1 / tau_d;
  const double t_peak = difference == 0 ? tau_d : std::log(tau_d / tau_r) / difference;
  kick_x = receptor.weight_factor * std::exp(t_peak / tau_d) / tau_r;
  x_from_x = std::exp(-dt_ms / tau_r);
  // g after t from x = 1, g = 0:  exp(-t/tau_d) int_0^t exp(-difference s) ds
  g_from_x = g_from_g * integral_of_decay(difference, dt_ms);
  // Its integral follows from dg/dt = -g/tau_d + x:  int g = tau_d (int x - g(t)).
  mean_from_x = tau_d * (integral_of_decay(1 / tau_r, dt_ms) - g_from_x) / dt_ms;
}

std::vector<std::vector<network::Receptor>> groups_of(const network::SynapseType& type) {
  if (!type.point) return {};
  std::vector<std::vector<network::Receptor>> groups;
  if (const auto* synapse = std::get_if<network::PointSynapse>(&*type.point)) {
    for (const network::BiexponentialSynapse& receptor : synapse->receptors) groups.push_back({{receptor}});
  } else if (const auto* several = std::get_if<network::ReceptorSynapse>(&*type.point)) {
    groups.push_back(several->receptors);
  }
  return groups;
}

Receptors::Receptors(const std::vector<std::vector<network::Receptor>>& groups, std::size_t cells, double dt_ms,
                     core::Isa isa)
    : cells_(cells), isa_(isa) {
  for (std::size_t row = 0; row < groups.size(); ++row) {
    for (const network::Receptor& receptor : groups[row]) {
      propagators_.emplace_back(receptor, dt_ms);
      rows_.push_back(row);
    }
  }
  x_.assign(propagators_.size() * cells, 0.0);
  g_ = x_;
}

void Receptors::step(std::size_t begin, std::size_t end, std::span<double> arrivals_uS, std::span<const double> V_mV,
                     const Conductances& means) {
  for (const std::span<double> sum : {means.G_uS, means.GE_nA, means.G_soma_uS, means.GE_soma_nA}) {
    if (!sum.empty()) std::fill_n(sum.data() + begin, end - begin, 0.0);
  }
  for (std::size_t r = 0; r < propagators_.size(); ++r) {
    const ReceptorPropagator p = propagators_[r];
    double* x = x_.data() + r * cells_;
    double* g = g_.data() + r * cells_;
    double* events = arrivals_uS.data() + rows_[r] * cells_;
    const bool last_of_row = r + 1 == propagators_.size() || rows_[r + 1] != rows_[r];
    const bool apart = p.at_soma && !means.G_soma_uS.empty();
    double* G = (apart ? means.G_soma_uS : means.G_uS).data();
    double* GE = (apart ? means.GE_soma_nA : means.GE_nA).data();
    if (p.Mg_mM > 0) {
      for (std::size_t i = begin; i < end; ++i) {
        const double x_now = x[i] + p.kick_x * events[i];
        const double g_now = g[i] + p.kick_g * events[i];
        const double mean = (p.mean_from_g * g_now + p.mean_from_x * x_now) * magnesium_block(V_mV[i], p.Mg_mM);
        G[i] += mean;
        GE[i] += mean * p.E_rev_mV;
        x[i] = p.x_from_x * x_now;
        g[i] = p.g_from_g * g_now + p.g_from_x * x_now;
      }
    } else {
      core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA { step_receptor(p, begin, end, events, x, g, G, GE); });
    }
    if (last_of_row) std::fill(events + begin, events + end, 0.0);
  }
}

bool Receptors::some_at_soma() const {
  return std::any_of(propagators_.begin(), propagators_.end(), [](const auto& p) { return p.at_soma; });
}

double Receptors::total_uS(std::size_t cell) const {
  double sum = 0;
  for (std::size_t r = 0; r < propagators_.size(); ++r) sum += g_[r * cells_ + cell];
  return sum;
}

}  // namespace triscale::pointneuron

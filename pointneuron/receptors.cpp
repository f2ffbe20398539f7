#include "pointneuron/receptors.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

namespace {
/// (1 - exp(-r t)) / r, the integral of exp(-r s) over [0, t], also for r = 0.
double integral_of_decay(double r, double t) {
  return r == 0 ? t : -std::expm1(-r * t) / r;
}
}  // namespace

ReceptorPropagator::ReceptorPropagator(const network::BiexponentialSynapse& receptor, double dt_ms)
    : E_rev_mV(receptor.E_rev_mV) {
  const double tau_r = receptor.tau_rise_ms;
  const double tau_d = receptor.tau_decay_ms;
  const double mean_of_decay = integral_of_decay(1 / tau_d, dt_ms) / dt_ms;
  g_from_g = std::exp(-dt_ms / tau_d);
  mean_from_g = mean_of_decay;
  if (tau_r == 0) {
    kick_g = 1;
    return;
  }
  // t_peak = ln(tau_d / tau_r) / (1/tau_r - 1/tau_d), with its limit tau at tau_r = tau_d.
  const double difference = 1 / tau_r - 1 / tau_d;
  const double t_peak = difference == 0 ? tau_d : std::log(tau_d / tau_r) / difference;
  kick_x = std::exp(t_peak / tau_d) / tau_r;
  x_from_x = std::exp(-dt_ms / tau_r);
  // g after t from x = 1, g = 0:  exp(-t/tau_d) int_0^t exp(-difference s) ds
  g_from_x = g_from_g * integral_of_decay(difference, dt_ms);
  // Its integral follows from dg/dt = -g/tau_d + x:  int g = tau_d (int x - g(t)).
  mean_from_x = tau_d * (integral_of_decay(1 / tau_r, dt_ms) - g_from_x) / dt_ms;
}

Receptors::Receptors(const std::vector<network::BiexponentialSynapse>& receptors, std::size_t cells, double dt_ms)
    : cells_(cells), x_(receptors.size() * cells, 0.0), g_(receptors.size() * cells, 0.0) {
  for (const network::BiexponentialSynapse& receptor : receptors) propagators_.emplace_back(receptor, dt_ms);
}

void Receptors::step(std::size_t begin, std::size_t end, std::span<double> arrivals_uS, std::span<double> G_uS,
                     std::span<double> GE_nA) {
  std::fill(G_uS.begin() + static_cast<std::ptrdiff_t>(begin), G_uS.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
  std::fill(GE_nA.begin() + static_cast<std::ptrdiff_t>(begin), GE_nA.begin() + static_cast<std::ptrdiff_t>(end), 0.0);
  for (std::size_t r = 0; r < propagators_.size(); ++r) {
    const ReceptorPropagator p = propagators_[r];
    double* x = x_.data() + r * cells_;
    double* g = g_.data() + r * cells_;
    double* events = arrivals_uS.data() + r * cells_;
    double* G = G_uS.data();
    double* GE = GE_nA.data();
    for (std::size_t i = begin; i < end; ++i) {
      const double x_now = x[i] + p.kick_x * events[i];
      const double g_now = g[i] + p.kick_g * events[i];
      events[i] = 0;
      const double mean = p.mean_from_g * g_now + p.mean_from_x * x_now;
      G[i] += mean;
      GE[i] += mean * p.E_rev_mV;
      x[i] = p.x_from_x * x_now;
      g[i] = p.g_from_g * g_now + p.g_from_x * x_now;
    }
  }
}

double Receptors::total_uS(std::size_t cell) const {
  double sum = 0;
  for (std::size_t r = 0; r < propagators_.size(); ++r) sum += g_[r * cells_ + cell];
  return sum;
}

}  // namespace triscale::pointneuron

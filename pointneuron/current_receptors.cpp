#include "pointneuron/current_receptors.hpp"

#include <cmath>

#include "pointneuron/lif.hpp"

namespace triscale::pointneuron {

using Shape = network::CurrentSynapse::Shape;

namespace {
template <class Propagator>
TRISCALE_ALWAYS_INLINE void step_exponential(const Propagator& p, std::size_t begin, std::size_t end,
                                             double* __restrict events, double* __restrict I, double* __restrict sum) {
  for (std::size_t i = begin; i < end; ++i) {
    const double I_now = I[i] + events[i];
    events[i] = 0;
    sum[i] += p.mean_from_I * I_now;
    I[i] = p.I_from_I * I_now;
  }
}
template <class Propagator>
TRISCALE_ALWAYS_INLINE void step_alpha(const Propagator& p, std::size_t begin, std::size_t end,
                                       double* __restrict events, double* __restrict I, double* __restrict x,
                                       double* __restrict sum) {
  for (std::size_t i = begin; i < end; ++i) {
    const double x_now = x[i] + p.kick * events[i];
    events[i] = 0;
    sum[i] += p.mean_from_I * I[i] + p.mean_from_x * x_now;
    I[i] = p.I_from_I * I[i] + p.I_from_x * x_now;
    x[i] = p.I_from_I * x_now;
  }
}
}  // namespace

CurrentReceptors::CurrentReceptors(std::span<const network::CurrentSynapse> synapses, std::size_t cells, double dt_ms,
                                   double membrane_rate_per_ms, core::Isa isa)
    : cells_(cells), isa_(isa), I_(synapses.size() * cells, 0.0), x_(synapses.size() * cells, 0.0) {
  // What a membrane with C_m = 1 makes of the current, over what it makes of a constant current of 1.
  network::LifModel membrane;
  membrane.C_m_nF = 1;
  membrane.g_L_uS = membrane_rate_per_ms;
  const double b = membrane_rate_per_ms;
  const double from_constant = b == 0 ? dt_ms : -std::expm1(-b * dt_ms) / b;
  for (const network::CurrentSynapse& synapse : synapses) {
    Propagator p;
    p.alpha = synapse.shape == Shape::alpha;
    p.delta = synapse.shape == Shape::delta;
    if (!p.delta) {
      const CurrentPropagator exact(synapse, membrane, dt_ms);
      p.kick = exact.kick;
      p.I_from_I = exact.I_from_I;
      p.I_from_x = exact.I_from_x;
      p.mean_from_I = exact.V_from_I / from_constant;
      p.mean_from_x = exact.V_from_x / from_constant;
    }
    propagators_.push_back(p);
  }
}

void CurrentReceptors::step(std::size_t begin, std::size_t end, std::span<double> arrivals_nA, std::span<double> I_nA) {
  for (std::size_t s = 0; s < propagators_.size(); ++s) {
    const Propagator p = propagators_[s];
    if (p.delta) continue;
    double* events = arrivals_nA.data() + s * cells_;
    double* I = I_.data() + s * cells_;
    double* x = x_.data() + s * cells_;
    double* sum = I_nA.data();
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      if (p.alpha) {
        step_alpha(p, begin, end, events, I, x, sum);
      } else {
        step_exponential(p, begin, end, events, I, sum);
      }
    });
  }
}

double CurrentReceptors::total_nA(std::size_t cell) const {
  double sum = 0;
  for (std::size_t s = 0; s < propagators_.size(); ++s) sum += I_[s * cells_ + cell];
  return sum;
}

}  // namespace triscale::pointneuron

#include "pointneuron/gif.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/elementary.hpp"
#include "core/random_batch.hpp"
#include "pointneuron/marks.hpp"

namespace triscale::pointneuron {

namespace {
/// Smallest uniform number of core::RandomStream is 2^-54, so a probability below exp(kNeverFires) cannot fire.
constexpr double kNeverFires = -37.5;

TRISCALE_ALWAYS_INLINE void hold(std::size_t n, const std::int32_t* __restrict left, double V_reset,
                                 double* __restrict V) {
  for (std::size_t i = 0; i < n; ++i) V[i] = left[i] > 0 ? V_reset : V[i];
}
/// Marks the cells that fire or are refractory.
TRISCALE_ALWAYS_INLINE void mark_busy(std::size_t n, const std::int32_t* __restrict left,
                                      const double* __restrict fires, std::uint8_t* __restrict busy) {
  for (std::size_t i = 0; i < n; ++i) busy[i] = (left[i] > 0) | (fires[i] != 0) ? 1 : 0;
}
}  // namespace

GifNeurons::Kernels GifNeurons::make_kernels(const std::vector<network::ExponentialKernel>& kernels, std::size_t cells,
                                             double dt_ms) {
  Kernels made;
  for (const network::ExponentialKernel& kernel : kernels) {
    made.steps.push_back({kernel.amplitude, std::exp(-dt_ms / kernel.tau_ms),
                          -std::expm1(-dt_ms / kernel.tau_ms) * kernel.tau_ms / dt_ms});
  }
  made.state.assign(kernels.size() * cells, 0.0);
  return made;
}

GifNeurons::GifNeurons(const network::GifModel& model, const NeuronSetup& setup)
    : model_(model),
      dt_ms_(setup.dt_ms),
      cells_(setup.cells),
      refractory_steps_(refractory_steps(model.t_ref_ms, setup.dt_ms)),
      V_mV_(setup.cells, model.E_L_mV),
      threshold_mV_(setup.cells, model.V_threshold_mV),
      I_eta_nA_(setup.cells, 0.0),
      I_eta_mean_nA_(setup.cells, 0.0),
      refractory_(setup.cells, 0),
      eta_(make_kernels(model.eta_nA, setup.cells, setup.dt_ms)),
      eta_conductance_(make_kernels(model.eta_uS, setup.cells, setup.dt_ms)),
      gamma_(make_kernels(model.gamma_mV, setup.cells, setup.dt_ms)),
      is_bent_(!model.currents.empty() || !model.eta_uS.empty() || !model.threshold_follows.empty() ||
               model.V_filter_ms > 0 || model.dendrite),
      membrane_(model.C_m_nF, model.currents),
      filter_(model.V_filter_ms, setup.dt_ms),
      random_(setup.random),
      isa_(setup.isa) {
  for (const auto& current : model.currents) {
    if (current.tau_ms > 0) {
      slow_currents_.steps.push_back({{current.g_uS, current.above_mV}, {current.tau_ms, setup.dt_ms}});
    }
  }
  for (const auto& movement : model.threshold_follows) {
    threshold_.steps.push_back({{movement.slope, movement.above_mV}, {movement.tau_ms, setup.dt_ms}});
  }
  if (model.dendrite) dendrite_ = DendriteStep(*model.dendrite, model.C_m_nF, model.E_L_mV, setup.dt_ms);
  settle();
  if (model.Delta_V_mV == 0) return;
  log_rate_per_step_ = std::log(model.lambda_0_Hz * 1e-3 * setup.dt_ms);
}

void GifNeurons::decay_kernels(std::size_t begin, std::size_t end) {
  const std::size_t n = end - begin;
  double *I_eta = I_eta_nA_.data() + begin, *I_mean = I_eta_mean_nA_.data() + begin;
  double* threshold = threshold_mV_.data() + begin;
  std::fill_n(I_eta, n, 0.0);
  std::fill_n(I_mean, n, 0.0);
  for (std::size_t k = 0; k < eta_.steps.size(); ++k) {
    const Kernels::Step s = eta_.steps[k];
    double* state = eta_.state.data() + k * cells_ + begin;
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) {
        I_mean[i] += s.mean * state[i];
        state[i] *= s.decay;
        I_eta[i] += state[i];
      }
    });
  }
  std::fill_n(threshold, n, model_.V_threshold_mV);
  for (std::size_t k = 0; k < gamma_.steps.size(); ++k) {
    const Kernels::Step s = gamma_.steps[k];
    double* state = gamma_.state.data() + k * cells_ + begin;
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) {
        state[i] *= s.decay;
        threshold[i] += state[i];
      }
    });
  }
}

void GifNeurons::integrate(std::size_t begin, std::size_t end, const StepInput& input) {
  const std::size_t n = end - begin;
  const double g_L = model_.g_L_uS;
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  const double h_over_C = dt_ms_ / model_.C_m_nF;
  double* V = V_mV_.data() + begin;
  const double *I = input.I_nA.data() + begin, *I_eta = I_eta_mean_nA_.data() + begin;
  if (input.G_uS.empty()) {
    const double kept = std::exp(-h_over_C * g_L), from_J = -std::expm1(-h_over_C * g_L) / g_L;
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) V[i] = kept * V[i] + from_J * (I_L + I[i] - I_eta[i]);
    });
    return;
  }
  const double *G_syn = input.G_uS.data() + begin, *GE = input.GE_nA.data() + begin;
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) {
      // C dV/dt = J - G V with constant G, J:  V(t+h) = V + (J - G V) (1 - exp(-h G / C)) / G
      const double G = g_L + G_syn[i];
      const double J = I_L + GE[i] + I[i] - I_eta[i];
      V[i] += (J - G * V[i]) * (-core::expm1_of(-h_over_C * G) / G);
    }
  });
}

void GifNeurons::settle() {
  for (Followers* followers : {&slow_currents_, &threshold_}) {
    followers->state.resize(followers->steps.size() * cells_);
    for (std::size_t k = 0; k < followers->steps.size(); ++k) {
      for (std::size_t i = 0; i < cells_; ++i)
        followers->state[k * cells_ + i] = followers->steps[k].target.of(V_mV_[i]);
    }
  }
  if (model_.V_filter_ms > 0) F_mV_ = V_mV_;
  if (model_.dendrite) D_mV_ = V_mV_;
}

void GifNeurons::set_potential(std::span<const double> V_mV) {
  V_mV_.assign(V_mV.begin(), V_mV.end());
  settle();
}

void GifNeurons::integrate_bent(std::size_t begin, std::size_t end, const StepInput& input) {
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  const bool has_conductances = !input.G_uS.empty(), has_dendrite = !D_mV_.empty();
  const bool some_at_soma = !input.G_soma_uS.empty();
  for (std::size_t i = begin; i < end; ++i) {
    const double V_begin = V_mV_[i];
    double G_spike = 0;  // mean over the step
    for (std::size_t k = 0; k < eta_conductance_.steps.size(); ++k) {
      double& state = eta_conductance_.state[k * cells_ + i];
      G_spike += eta_conductance_.steps[k].mean * state;
      state *= eta_conductance_.steps[k].decay;
    }
    const double G = has_conductances ? input.G_uS[i] : 0.0, GE = has_conductances ? input.GE_nA[i] : 0.0;
    if (refractory_[i] > 0) {
      V_mV_[i] = model_.V_reset_mV;
      if (has_dendrite) D_mV_[i] = dendrite_.refractory_step(D_mV_[i], G, GE);
    } else {
      double J = I_L + input.I_nA[i] - I_eta_mean_nA_[i] + G_spike * model_.V_reset_mV;
      for (std::size_t k = 0; k < slow_currents_.steps.size(); ++k) {
        const Followers::Step& s = slow_currents_.steps[k];
        J -= s.low_pass.mean(slow_currents_.state[k * cells_ + i], s.target.of(V_begin));
      }
      if (has_dendrite) {
        const double G_soma = some_at_soma ? input.G_soma_uS[i] : 0.0;
        if (some_at_soma) J += input.GE_soma_nA[i];
        const auto p = dendrite_.free(model_.g_L_uS + membrane_.extra_slope_uS(V_begin) + G_soma + G_spike, G);
        const double D = D_mV_[i], J_V = J + membrane_.extra_current_nA(V_begin), J_D = dendrite_.J_free_nA(GE);
        V_mV_[i] = p.V(V_begin, D, J_V, J_D);
        D_mV_[i] = p.D(V_begin, D, J_V, J_D);
      } else {
        V_mV_[i] = membrane_.advance(V_begin, J + GE, model_.g_L_uS + G + G_spike, dt_ms_);
      }
    }
    const double V_end = V_mV_[i];
    for (Followers* followers : {&slow_currents_, &threshold_}) {
      for (std::size_t k = 0; k < followers->steps.size(); ++k) {
        const Followers::Step& s = followers->steps[k];
        double& state = followers->state[k * cells_ + i];
        state = s.low_pass.next(state, s.target.of(V_begin), s.target.of(V_end));
      }
    }
    for (std::size_t k = 0; k < threshold_.steps.size(); ++k) threshold_mV_[i] += threshold_.state[k * cells_ + i];
    if (!F_mV_.empty()) F_mV_[i] = filter_.next(F_mV_[i], V_begin, V_end);
  }
}

void GifNeurons::leave_refractoriness(std::size_t cell) {
  for (std::size_t k = 0; k < eta_.steps.size(); ++k) {
    eta_.state[k * cells_ + cell] += eta_.steps[k].amplitude;
    I_eta_nA_[cell] += eta_.steps[k].amplitude;
  }
  for (std::size_t k = 0; k < eta_conductance_.steps.size(); ++k) {
    eta_conductance_.state[k * cells_ + cell] += eta_conductance_.steps[k].amplitude;
  }
  for (std::size_t k = 0; k < gamma_.steps.size(); ++k) {
    gamma_.state[k * cells_ + cell] += gamma_.steps[k].amplitude;
    threshold_mV_[cell] += gamma_.steps[k].amplitude;
  }
}

/// fires[i] is not 0 where cell from + i fires unless it is refractory.
void GifNeurons::find_firing(std::size_t from, std::size_t n, std::int64_t step, double* fires) const {
  const double* V = (F_mV_.empty() ? V_mV_.data() : F_mV_.data()) + from;
  const double* threshold = threshold_mV_.data() + from;
  if (model_.Delta_V_mV == 0) {
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
      for (std::size_t i = 0; i < n; ++i) fires[i] = V[i] - threshold[i] >= 0 ? 1.0 : 0.0;
    });
    return;
  }
  // lambda dt = exp(x);  p = 1 - exp(-lambda dt)
  std::array<double, kBlock> x_of, p_of, uniforms;
  double *x = x_of.data(), *p = p_of.data();
  const double log_rate = log_rate_per_step_, Delta_V = model_.Delta_V_mV;
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    for (std::size_t i = 0; i < n; ++i) {
      x[i] = log_rate + (V[i] - threshold[i]) / Delta_V;
      p[i] = -core::expm1_of(-core::exp_of(x[i]));
      fires[i] = 0;
    }
  });
  std::array<std::uint64_t, kBlock> entities, counters;
  std::array<std::uint32_t, kBlock> which;
  std::size_t some = 0;
  for (std::size_t i = 0; i < n; ++i) {
    which[some] = static_cast<std::uint32_t>(i);
    entities[some] = (static_cast<std::uint64_t>(random_.population) << 32) | (from + i);
    counters[some] = static_cast<std::uint64_t>(step);
    some += (x[i] >= kNeverFires) & (refractory_[from + i] == 0) ? 1 : 0;
  }
  core::fill_uniforms(random_.seed, core::Purpose::escape_noise, std::span(entities).first(some),
                      std::span(counters).first(some), std::span(uniforms).first(some), isa_);
  for (std::size_t j = 0; j < some; ++j) fires[which[j]] = uniforms[j] < p[which[j]] ? 1.0 : 0.0;
}

void GifNeurons::hold_refractory(std::size_t begin, std::size_t end) {
  const std::size_t n = end - begin;
  const std::int32_t* left = refractory_.data() + begin;
  double* V = V_mV_.data() + begin;
  const double V_reset = model_.V_reset_mV;
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA { hold(n, left, V_reset, V); });
}

void GifNeurons::check_finite(std::size_t begin, std::size_t end) const {
  std::size_t finite = 0;
  std::size_t* found = &finite;
  const double *V = V_mV_.data(), *threshold = threshold_mV_.data();
  core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA {
    std::size_t number = 0;
    for (std::size_t i = begin; i < end; ++i) number += (V[i] - V[i] == 0) & (threshold[i] - threshold[i] == 0) ? 1 : 0;
    *found = number;
  });
  if (finite == end - begin) return;
  for (std::size_t i = begin; i < end; ++i) {
    if (!std::isfinite(V_mV_[i])) throw NonFinite{i, "v"};
    if (!std::isfinite(threshold_mV_[i])) throw NonFinite{i, "threshold"};
  }
}

void GifNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  decay_kernels(begin, end);
  if (is_bent_) {
    integrate_bent(begin, end, input);
  } else {
    integrate(begin, end, input);
  }
  if (!input.arrivals_at_end.empty()) {
    for (std::size_t i = begin; i < end; ++i) V_mV_[i] += input.arrivals_at_end[i];
  }
  hold_refractory(begin, end);
  check_finite(begin, end);
  std::array<double, kBlock> fires;
  for (std::size_t from = begin; from < end; from += kBlock) {
    const std::size_t n = std::min(end, from + kBlock) - from;
    find_firing(from, n, input.step, fires.data());
    Marks marks;
    std::uint8_t* marked = marks.of.data();
    const std::int32_t* left = refractory_.data() + from;
    const double* firing = fires.data();
    core::compiled_for(isa_, [=]() TRISCALE_INLINE_LAMBDA { mark_busy(n, left, firing, marked); });
    marks.for_each(n, [&](std::size_t k) {
      const std::size_t i = from + k;
      if (refractory_[i] > 0) {
        if (--refractory_[i] == 0) leave_refractoriness(i);
        return;
      }
      spikes.push_back(static_cast<std::uint32_t>(i));
      V_mV_[i] = model_.V_reset_mV;
      if (!F_mV_.empty()) F_mV_[i] = model_.V_reset_mV;
      refractory_[i] = refractory_steps_;
      if (refractory_steps_ == 0) leave_refractoriness(i);
    });
  }
}

std::span<const double> GifNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "v_dendrite") return synaptic_potential();
  if (name == "threshold") return threshold_mV_;
  if (name == "i_eta") return I_eta_nA_;
  return {};
}

}  // namespace triscale::pointneuron

#include "pointneuron/gif.hpp"

#include <algorithm>
#include <cmath>

namespace triscale::pointneuron {

namespace {
/// Smallest uniform number of core::RandomStream is 2^-54, so a probability below exp(kNeverFires) cannot fire.
constexpr double kNeverFires = -37.5;
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
      gamma_(make_kernels(model.gamma_mV, setup.cells, setup.dt_ms)),
      has_followers_(!model.currents.empty() || !model.threshold_follows.empty() || model.V_filter_ms > 0),
      membrane_(model.C_m_nF, model.currents),
      filter_(model.V_filter_ms, setup.dt_ms) {
  for (const auto& current : model.currents) {
    if (current.tau_ms > 0) {
      slow_currents_.steps.push_back({{current.g_uS, current.above_mV}, {current.tau_ms, setup.dt_ms}});
    }
  }
  for (const auto& movement : model.threshold_follows) {
    threshold_.steps.push_back({{movement.slope, movement.above_mV}, {movement.tau_ms, setup.dt_ms}});
  }
  settle_followers();
  if (model.Delta_V_mV == 0) return;
  log_rate_per_step_ = std::log(model.lambda_0_Hz * 1e-3 * setup.dt_ms);
  streams_.reserve(setup.cells);
  for (std::size_t cell = 0; cell < setup.cells; ++cell) {
    streams_.emplace_back(setup.random.seed, core::Purpose::escape_noise,
                          (static_cast<std::uint64_t>(setup.random.population) << 32) | cell);
  }
}

void GifNeurons::decay_kernels(std::size_t begin, std::size_t end) {
  for (std::size_t i = begin; i < end; ++i) I_eta_nA_[i] = I_eta_mean_nA_[i] = 0;
  for (std::size_t k = 0; k < eta_.steps.size(); ++k) {
    const Kernels::Step s = eta_.steps[k];
    double* state = eta_.state.data() + k * cells_;
    for (std::size_t i = begin; i < end; ++i) {
      I_eta_mean_nA_[i] += s.mean * state[i];
      state[i] *= s.decay;
      I_eta_nA_[i] += state[i];
    }
  }
  for (std::size_t i = begin; i < end; ++i) threshold_mV_[i] = model_.V_threshold_mV;
  for (std::size_t k = 0; k < gamma_.steps.size(); ++k) {
    const Kernels::Step s = gamma_.steps[k];
    double* state = gamma_.state.data() + k * cells_;
    for (std::size_t i = begin; i < end; ++i) {
      state[i] *= s.decay;
      threshold_mV_[i] += state[i];
    }
  }
}

void GifNeurons::integrate(std::size_t begin, std::size_t end, const StepInput& input) {
  const double g_L = model_.g_L_uS;
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  const double h_over_C = dt_ms_ / model_.C_m_nF;
  if (input.G_uS.empty()) {
    const double kept = std::exp(-h_over_C * g_L), from_J = -std::expm1(-h_over_C * g_L) / g_L;
    for (std::size_t i = begin; i < end; ++i)
      V_mV_[i] = kept * V_mV_[i] + from_J * (I_L + input.I_nA[i] - I_eta_mean_nA_[i]);
    return;
  }
  for (std::size_t i = begin; i < end; ++i) {
    // C dV/dt = J - G V with constant G, J:  V(t+h) = V + (J - G V) (1 - exp(-h G / C)) / G
    const double G = g_L + input.G_uS[i];
    const double J = I_L + input.GE_nA[i] + input.I_nA[i] - I_eta_mean_nA_[i];
    V_mV_[i] += (J - G * V_mV_[i]) * (-std::expm1(-h_over_C * G) / G);
  }
}

void GifNeurons::settle_followers() {
  for (Followers* followers : {&slow_currents_, &threshold_}) {
    followers->state.resize(followers->steps.size() * cells_);
    for (std::size_t k = 0; k < followers->steps.size(); ++k) {
      for (std::size_t i = 0; i < cells_; ++i)
        followers->state[k * cells_ + i] = followers->steps[k].target.of(V_mV_[i]);
    }
  }
  if (model_.V_filter_ms > 0) F_mV_ = V_mV_;
}

void GifNeurons::set_potential(std::span<const double> V_mV) {
  V_mV_.assign(V_mV.begin(), V_mV.end());
  settle_followers();
}

void GifNeurons::integrate_with_followers(std::size_t begin, std::size_t end, const StepInput& input) {
  const double I_L = model_.g_L_uS * model_.E_L_mV;
  const bool has_conductances = !input.G_uS.empty();
  for (std::size_t i = begin; i < end; ++i) {
    const double V_begin = V_mV_[i];
    if (refractory_[i] > 0) {
      V_mV_[i] = model_.V_reset_mV;
    } else {
      double J = I_L + input.I_nA[i] - I_eta_mean_nA_[i] + (has_conductances ? input.GE_nA[i] : 0.0);
      for (std::size_t k = 0; k < slow_currents_.steps.size(); ++k) {
        const Followers::Step& s = slow_currents_.steps[k];
        J -= s.low_pass.mean(slow_currents_.state[k * cells_ + i], s.target.of(V_begin));
      }
      V_mV_[i] = membrane_.advance(V_begin, J, model_.g_L_uS + (has_conductances ? input.G_uS[i] : 0.0), dt_ms_);
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
  for (std::size_t k = 0; k < gamma_.steps.size(); ++k) {
    gamma_.state[k * cells_ + cell] += gamma_.steps[k].amplitude;
    threshold_mV_[cell] += gamma_.steps[k].amplitude;
  }
}

bool GifNeurons::fires(std::size_t cell, std::int64_t step) const {
  const double distance_mV = (F_mV_.empty() ? V_mV_[cell] : F_mV_[cell]) - threshold_mV_[cell];
  if (model_.Delta_V_mV == 0) return distance_mV >= 0;
  // lambda dt = exp(x);  p = 1 - exp(-lambda dt)
  const double x = log_rate_per_step_ + distance_mV / model_.Delta_V_mV;
  if (x < kNeverFires) return false;
  const double p = -std::expm1(-std::exp(x));
  return streams_[cell].uniform(static_cast<std::uint64_t>(step)) < p;
}

void GifNeurons::check_finite(std::size_t begin, std::size_t end) const {
  bool finite = true;
  for (std::size_t i = begin; i < end; ++i) finite &= std::isfinite(V_mV_[i]) && std::isfinite(threshold_mV_[i]);
  if (finite) return;
  for (std::size_t i = begin; i < end; ++i) {
    if (!std::isfinite(V_mV_[i])) throw NonFinite{i, "v"};
    if (!std::isfinite(threshold_mV_[i])) throw NonFinite{i, "threshold"};
  }
}

void GifNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  decay_kernels(begin, end);
  if (has_followers_) {
    integrate_with_followers(begin, end, input);
  } else {
    integrate(begin, end, input);
  }
  if (!input.arrivals_at_end.empty()) {
    for (std::size_t i = begin; i < end; ++i) V_mV_[i] += input.arrivals_at_end[i];
  }
  for (std::size_t i = begin; i < end; ++i) {
    if (refractory_[i] > 0) V_mV_[i] = model_.V_reset_mV;
  }
  check_finite(begin, end);
  for (std::size_t i = begin; i < end; ++i) {
    if (refractory_[i] > 0) {
      if (--refractory_[i] == 0) leave_refractoriness(i);
      continue;
    }
    if (!fires(i, input.step)) continue;
    spikes.push_back(static_cast<std::uint32_t>(i));
    V_mV_[i] = model_.V_reset_mV;
    if (!F_mV_.empty()) F_mV_[i] = model_.V_reset_mV;
    refractory_[i] = refractory_steps_;
    if (refractory_steps_ == 0) leave_refractoriness(i);
  }
}

std::span<const double> GifNeurons::variable(std::string_view name) const {
  if (name == "v") return V_mV_;
  if (name == "threshold") return threshold_mV_;
  if (name == "i_eta") return I_eta_nA_;
  return {};
}

}  // namespace triscale::pointneuron

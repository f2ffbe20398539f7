#include "pointneuron/lif.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace triscale::pointneuron {

namespace {

constexpr std::size_t kBlock = 256;       ///< cells whose intermediate values stay in the first-level cache
constexpr std::int64_t kCheckEvery = 64;  ///< steps between full looks for values that are not finite
using Shape = network::CurrentSynapse::Shape;

// Loops over `n` cells; every pointer is to an array of its own.

TRISCALE_ALWAYS_INLINE void add_events(std::size_t n, std::int32_t* __restrict sums, double unit,
                                       double* __restrict events) {
  for (std::size_t i = 0; i < n; ++i) {
    events[i] += static_cast<double>(sums[i]) * unit;
    sums[i] = 0;
  }
}
TRISCALE_ALWAYS_INLINE void step_exponential(std::size_t n, const CurrentPropagator& p, const double* __restrict events,
                                             double* __restrict I, double* __restrict V_input) {
  for (std::size_t i = 0; i < n; ++i) {
    const double I_now = I[i] + events[i];
    V_input[i] += p.V_from_I * I_now;
    I[i] = p.I_from_I * I_now;
  }
}
/// What the loop for cells with one exponential current needs.
struct SimpleStep {
  const CurrentPropagator* p;
  std::int32_t* sums;  ///< of events, in units
  double unit;
  const std::uint16_t* counts;  ///< of a private drive; null: none
  double drive_weight;
  double V_from_V, constant, threshold;
};
/// All of the step in one go. Returns whether a cell is not below threshold (or not a number).
template <bool kDriven>
TRISCALE_ALWAYS_INLINE bool step_simple(std::size_t n, const SimpleStep& s, double* __restrict I,
                                        double* __restrict V) {
  std::int32_t* __restrict sums = s.sums;
  const std::uint16_t* __restrict counts = s.counts;
  const double unit = s.unit, drive_weight = s.drive_weight, V_from_V = s.V_from_V, constant = s.constant;
  const double threshold = s.threshold, V_from_I = s.p->V_from_I, I_from_I = s.p->I_from_I;
  std::int64_t below = 0;
  for (std::size_t i = 0; i < n; ++i) {
    double events = 0;
    if (kDriven) events += drive_weight * static_cast<double>(static_cast<std::int32_t>(counts[i]));
    events += static_cast<double>(sums[i]) * unit;
    sums[i] = 0;
    const double I_now = I[i] + events;
    I[i] = I_from_I * I_now;
    const double V_next = V_from_V * V[i] + constant + V_from_I * I_now;
    V[i] = V_next;
    below += V_next < threshold ? 1 : 0;
  }
  return below != static_cast<std::int64_t>(n);
}
TRISCALE_ALWAYS_INLINE void step_alpha(std::size_t n, const CurrentPropagator& p, const double* __restrict events,
                                       double* __restrict I, double* __restrict x, double* __restrict V_input) {
  for (std::size_t i = 0; i < n; ++i) {
    const double x_now = x[i] + p.kick * events[i];
    V_input[i] += p.V_from_I * I[i] + p.V_from_x * x_now;
    I[i] = p.I_from_I * I[i] + p.I_from_x * x_now;
    x[i] = p.I_from_I * x_now;
  }
}
/// Returns whether a cell is not below threshold (or not a number).
TRISCALE_ALWAYS_INLINE bool step_potential(std::size_t n, double V_from_V, double constant, double threshold,
                                           const double* __restrict V_input, double* __restrict V) {
  std::int64_t below = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const double V_next = V_from_V * V[i] + constant + V_input[i];
    V[i] = V_next;
    below += V_next < threshold ? 1 : 0;
  }
  return below != static_cast<std::int64_t>(n);
}

/// The loops compiled for one instruction set.
struct Loops {
  void (*add_events)(std::size_t, std::int32_t*, double, double*);
  void (*exponential)(std::size_t, const CurrentPropagator&, const double*, double*, double*);
  bool (*simple)(std::size_t, const SimpleStep&, double*, double*);
  void (*alpha)(std::size_t, const CurrentPropagator&, const double*, double*, double*, double*);
  bool (*potential)(std::size_t, double, double, double, const double*, double*);
};

#define TRISCALE_LIF_LOOPS(NAME, TARGET)                                                                            \
  struct NAME {                                                                                                     \
    TARGET static void add(std::size_t n, std::int32_t* sums, double unit, double* events) {                        \
      add_events(n, sums, unit, events);                                                                            \
    }                                                                                                               \
    TARGET static void exponential(std::size_t n, const CurrentPropagator& p, const double* events, double* I,      \
                                   double* V_input) {                                                               \
      step_exponential(n, p, events, I, V_input);                                                                   \
    }                                                                                                               \
    TARGET static bool simple(std::size_t n, const SimpleStep& s, double* I, double* V) {                           \
      return s.counts != nullptr ? step_simple<true>(n, s, I, V) : step_simple<false>(n, s, I, V);                  \
    }                                                                                                               \
    TARGET static void alpha(std::size_t n, const CurrentPropagator& p, const double* events, double* I, double* x, \
                             double* V_input) {                                                                     \
      step_alpha(n, p, events, I, x, V_input);                                                                      \
    }                                                                                                               \
    TARGET static bool potential(std::size_t n, double V_from_V, double constant, double threshold,                 \
                                 const double* V_input, double* V) {                                                \
      return step_potential(n, V_from_V, constant, threshold, V_input, V);                                          \
    }                                                                                                               \
    static constexpr Loops loops{add, exponential, simple, alpha, potential};                                       \
  }

#define TRISCALE_ANY_TARGET
TRISCALE_LIF_LOOPS(BaselineLoops, TRISCALE_ANY_TARGET);
TRISCALE_LIF_LOOPS(Avx2Loops, TRISCALE_AVX2);
TRISCALE_LIF_LOOPS(Avx512Loops, TRISCALE_AVX512);

const Loops& loops_for(core::Isa isa) {
  if (isa == core::Isa::avx512) return Avx512Loops::loops;
  return isa == core::Isa::avx2 ? Avx2Loops::loops : BaselineLoops::loops;
}

/// (1 - exp(-x)) / x
double relative_decay(double x) {
  return x == 0 ? 1 : -std::expm1(-x) / x;
}

/// int_0^1 s exp(-d s) ds = (1 - (1 + d) exp(-d)) / d^2, by its series where the difference would lose digits.
double ramp_integral(double d) {
  if (std::abs(d) > 0.5) return (1 - (1 + d) * std::exp(-d)) / (d * d);
  double term = 1, sum = 0;
  for (int k = 0; k < 20; ++k) {
    sum += term / (k + 2);
    term *= -d / (k + 1);
  }
  return sum;
}

}  // namespace

double difference_of_decays(double a, double b, double t) {
  // exp(-b t) int_0^t exp((b - a) s) ds
  return b >= a ? std::exp(-a * t) * t * relative_decay((b - a) * t)
                : std::exp(-b * t) * t * relative_decay((a - b) * t);
}

CurrentPropagator::CurrentPropagator(const network::CurrentSynapse& synapse, const network::LifModel& model,
                                     double dt_ms)
    : shape(synapse.shape) {
  if (shape == Shape::delta) return;
  const double a = 1 / synapse.tau_ms;
  const double b = model.g_L_uS / model.C_m_nF;
  I_from_I = std::exp(-a * dt_ms);
  // dV/dt = -b V + I / C with I = exp(-a t)
  V_from_I = difference_of_decays(a, b, dt_ms) / model.C_m_nF;
  if (shape != Shape::alpha) return;
  kick = std::numbers::e / synapse.tau_ms;
  I_from_x = dt_ms * I_from_I;
  // I = t exp(-a t):  V = exp(-b t) int_0^t s exp((b - a) s) ds / C = t^2 exp(-b t) R((a - b) t) / C
  V_from_x = dt_ms * dt_ms * std::exp(-b * dt_ms) * ramp_integral((a - b) * dt_ms) / model.C_m_nF;
}

LifNeurons::LifNeurons(const network::LifModel& model, const NeuronSetup& setup)
    : model_(model),
      cells_(setup.cells),
      isa_(setup.isa),
      refractory_steps_(refractory_steps(model.t_ref_ms, setup.dt_ms)),
      V_from_V_(std::exp(-setup.dt_ms * model.g_L_uS / model.C_m_nF)),
      V_from_current_(-std::expm1(-setup.dt_ms * model.g_L_uS / model.C_m_nF) / model.g_L_uS),
      V_mV_(setup.cells, model.E_L_mV),
      I_nA_(setup.currents.size() * setup.cells, 0.0),
      held_until_(setup.cells, -1),
      queues_(setup.parts) {
  for (const network::CurrentSynapse& synapse : setup.currents) synapses_.emplace_back(synapse, model, setup.dt_ms);
  const bool any_alpha =
      std::any_of(synapses_.begin(), synapses_.end(), [](const auto& p) { return p.shape == Shape::alpha; });
  if (any_alpha) x_.assign(setup.currents.size() * setup.cells, 0.0);
}

void LifNeurons::set_potential(std::span<const double> V_mV) {
  std::copy(V_mV.begin(), V_mV.end(), V_mV_.begin());
}

/// Moves the cells [begin, end), at most kBlock of them, over the step as if none were refractory.
void LifNeurons::run_block(std::size_t begin, std::size_t end, const StepInput& input, double* V_input) {
  const Loops& loops = loops_for(isa_);
  const std::size_t n = end - begin;
  std::array<double, kBlock> events;
  for (std::size_t s = 0; s < synapses_.size(); ++s) {
    const CurrentPropagator& p = synapses_[s];
    const Arrivals& arrivals = input.arrivals[s];
    std::fill_n(events.begin(), n, 0.0);
    arrivals.add_doubles(begin, end, input.range_begin, events.data());
    double* I = I_nA_.data() + s * cells_ + begin;
    std::int32_t* sums = arrivals.narrow != nullptr ? arrivals.narrow + (begin - input.range_begin) : nullptr;
    if (sums != nullptr) loops.add_events(n, sums, arrivals.narrow_unit, events.data());
    if (p.shape == Shape::exponential) {
      loops.exponential(n, p, events.data(), I, V_input);
    } else if (p.shape == Shape::alpha) {
      loops.alpha(n, p, events.data(), I, x_.data() + s * cells_ + begin, V_input);
    } else {
      for (std::size_t i = 0; i < n; ++i) V_input[i] += events[i];
    }
  }
}

/// The common case, which has a loop of its own: one exponential current, at most one private drive.
bool LifNeurons::is_simple(const StepInput& input) const {
  if (synapses_.size() != 1 || synapses_[0].shape != Shape::exponential || !input.I_nA.empty()) return false;
  const Arrivals& arrivals = input.arrivals[0];
  return arrivals.narrow != nullptr && arrivals.wide == nullptr && arrivals.doubles == nullptr &&
         arrivals.drives.size() <= 1;
}

void LifNeurons::collect_spikes(std::size_t begin, std::size_t end, std::int64_t step,
                                std::vector<std::uint32_t>& spikes) const {
  // Few cells fire: groups of cells that are all below are passed over at once.
  constexpr std::size_t kGroup = 16;
  const double threshold = model_.V_threshold_mV;
  for (std::size_t from = begin; from < end; from += kGroup) {
    const std::size_t to = std::min(end, from + kGroup);
    unsigned below = 0;
    for (std::size_t i = from; i < to; ++i) below += V_mV_[i] < threshold ? 1 : 0;
    if (below == to - from) continue;
    for (std::size_t i = from; i < to; ++i) {
      if (V_mV_[i] < threshold) continue;
      if (std::isnan(V_mV_[i])) throw NonFinite{i, "v"};
      if (held_until_[i] < step) spikes.push_back(static_cast<std::uint32_t>(i));
    }
  }
}

void LifNeurons::check_finite(std::size_t begin, std::size_t end) const {
  for (std::size_t i = begin; i < end; ++i) {
    if (!std::isfinite(V_mV_[i])) throw NonFinite{i, "v"};
  }
}

void LifNeurons::step(std::size_t begin, std::size_t end, const StepInput& input, std::vector<std::uint32_t>& spikes) {
  const Loops& loops = loops_for(isa_);
  Queue& held = queues_[input.part];
  const std::size_t first_spike = spikes.size();
  const double constant =
      model_.E_L_mV * (1 - V_from_V_) + (input.I_nA.empty() ? V_from_current_ * input.uniform_I_nA : 0.0);
  std::array<double, kBlock> V_input;
  const bool simple = is_simple(input);
  for (std::size_t from = begin; from < end; from += kBlock) {
    const std::size_t to = std::min(end, from + kBlock);
    const std::size_t n = to - from;
    if (simple) {
      const Arrivals& arrivals = input.arrivals[0];
      const std::size_t at = from - input.range_begin;
      const bool driven = !arrivals.drives.empty();
      const SimpleStep s{&synapses_[0],
                         arrivals.narrow + at,
                         arrivals.narrow_unit,
                         driven ? arrivals.drives[0].counts + at : nullptr,
                         driven ? arrivals.drives[0].weight : 0.0,
                         V_from_V_,
                         constant,
                         model_.V_threshold_mV};
      if (loops.simple(n, s, I_nA_.data() + from, V_mV_.data() + from)) collect_spikes(from, to, input.step, spikes);
      continue;
    }
    if (input.I_nA.empty()) {
      std::fill_n(V_input.begin(), n, 0.0);
    } else {
      for (std::size_t i = 0; i < n; ++i) V_input[i] = V_from_current_ * input.I_nA[from + i];
    }
    run_block(from, to, input, V_input.data());
    if (loops.potential(n, V_from_V_, constant, model_.V_threshold_mV, V_input.data(), V_mV_.data() + from))
      collect_spikes(from, to, input.step, spikes);
  }
  while (held.first < held.cells.size() && held.cells[held.first].last_step < input.step) ++held.first;
  for (std::size_t h = held.first; h < held.cells.size(); ++h) V_mV_[held.cells[h].cell] = model_.V_reset_mV;
  if (held.first > held.cells.size() / 2) {
    held.cells.erase(held.cells.begin(), held.cells.begin() + static_cast<std::ptrdiff_t>(held.first));
    held.first = 0;
  }
  for (std::size_t s = first_spike; s < spikes.size(); ++s) {
    const std::uint32_t cell = spikes[s];
    V_mV_[cell] = model_.V_reset_mV;
    held_until_[cell] = input.step + refractory_steps_;
    held.cells.push_back({cell, held_until_[cell]});
  }
  if (input.step % kCheckEvery == 0) check_finite(begin, end);
}

double LifNeurons::synaptic_current_nA(std::size_t cell) const {
  double sum = 0;
  for (std::size_t s = 0; s < synapses_.size(); ++s) sum += I_nA_[s * cells_ + cell];
  return sum;
}

std::span<const double> LifNeurons::variable(std::string_view name) const {
  return name == "v" ? std::span<const double>(V_mV_) : std::span<const double>();
}

}  // namespace triscale::pointneuron

#include "meanfield/mesoscopic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"

namespace triscale::meanfield {

namespace {

constexpr double kMemory = 5;  // time constants after which a potential has forgotten its spike, besides t_ref

/// Binomial number by inversion; the mean is at most a few hundred per part.
std::uint64_t binomial(core::RandomStream& random, std::uint64_t n, double p) {
  constexpr double kLargestMean = 300;
  if (!(p > 0)) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  if (static_cast<double>(n) * p > kLargestMean) {
    const std::uint64_t half = n / 2;
    const std::uint64_t first = binomial(random, half, p);
    return first + binomial(random, n - half, p);
  }
  const double odds = p / (1 - p);
  double probability = std::exp(static_cast<double>(n) * std::log1p(-p));
  double u = random.next_uniform();
  std::uint64_t k = 0;
  while (u > probability && k < n) {
    u -= probability;
    probability *= odds * static_cast<double>(n - k) / static_cast<double>(k + 1);
    ++k;
  }
  return k;
}

double memory_ms(const MesoPopulation& p) {
  constexpr double kForgotten = 0.1;  // of Delta_u
  double memory = kMemory * p.tau_m_ms;
  for (const std::vector<MesoKernel>* kernels : {&p.eta_mV, &p.gamma_mV}) {
    for (const MesoKernel& kernel : *kernels) {
      const double ratio = std::abs(kernel.amplitude_mV) / (kForgotten * p.Delta_u_mV);
      if (ratio > 1) memory = std::max(memory, kernel.tau_ms * std::log(ratio));
    }
  }
  return std::min(memory, kLongestMemory_ms);
}

/// What cells still feel of their spikes, by class: of the last one, from the age of the class; of those before, the
/// mean over the cells of the class, which decays. Classes stand in a ring, the oldest at `next`.
class Adaptation {
 public:
  Adaptation(const MesoPopulation& p, double dt_ms, std::size_t classes) {
    for (const auto* kernels : {&p.eta_mV, &p.gamma_mV}) {
      for (const MesoKernel& from : *kernels) {
        Kernel& kernel = kernels_.emplace_back();
        kernel.is_current = kernels == &p.eta_mV;
        kernel.decay = std::exp(-dt_ms / from.tau_ms);
        for (std::size_t age = classes; age > 0; --age) {
          const double since_ms = static_cast<double>(age) * dt_ms - p.t_ref_ms;
          kernel.own.push_back(since_ms >= 0 ? from.amplitude_mV * std::exp(-since_ms / from.tau_ms) : 0.0);
        }
        kernel.before.assign(classes, 0.0);
      }
    }
  }

  bool any() const { return !kernels_.empty(); }

  /// Takes all classes over one step and adds up, by place in the ring, currents and threshold shifts.
  void step(std::size_t next, std::vector<double>& current, std::vector<double>& threshold) {
    std::fill(current.begin(), current.end(), 0.0);
    std::fill(threshold.begin(), threshold.end(), 0.0);
    for (Kernel& kernel : kernels_) {
      kernel.free *= kernel.decay;
      kernel.fired = 0;
      std::vector<double>& sum = kernel.is_current ? current : threshold;
      const std::size_t classes = sum.size();
      const auto run = [&](std::size_t begin, std::size_t end, const double* own) {
        for (std::size_t k = begin; k < end; ++k) {
          kernel.before[k] *= kernel.decay;
          sum[k] += own[k - begin] + kernel.before[k];
        }
      };
      run(next, classes, kernel.own.data());
      run(0, next, kernel.own.data() + (classes - next));
    }
  }
  double free_current() const { return free_sum(true); }
  double free_threshold() const { return free_sum(false); }

  /// Cells [begin, end) of the ring fire, in numbers `weights`; `order` is how far begin is from the oldest.
  void fire(std::size_t begin, std::size_t end, std::size_t order, const std::vector<double>& weights) {
    for (Kernel& kernel : kernels_) {
      const double* own = kernel.own.data() + order;
      double sum = 0;
      for (std::size_t k = begin; k < end; ++k) sum += weights[k] * (own[k - begin] + kernel.before[k]);
      kernel.fired += sum;
    }
  }
  /// `free` of the free cells fire too; `all` have fired in this step. The class at `next`, with `oldest` cells, joins
  /// the `rest` of the free ones, and those that have fired take its place.
  void renew(std::size_t next, double free, double all, double oldest, double rest) {
    for (Kernel& kernel : kernels_) {
      const double fired = all > 0 ? (kernel.fired + free * kernel.free) / all : kernel.free;
      if (oldest + rest > 0) {
        kernel.free = (rest * kernel.free + oldest * (kernel.own[0] + kernel.before[next])) / (oldest + rest);
      }
      kernel.before[next] = fired;
    }
  }

 private:
  struct Kernel {
    bool is_current = false;
    double decay = 1, free = 0, fired = 0;
    std::vector<double> own;     ///< of the last spike, from the oldest class on
    std::vector<double> before;  ///< of earlier spikes, by place in the ring
  };
  double free_sum(bool current) const {
    double sum = 0;
    for (const Kernel& kernel : kernels_) sum += kernel.is_current == current ? kernel.free : 0;
    return sum;
  }
  std::vector<Kernel> kernels_;
};

/// One population: classes of cells by the step in which they fired last, in a ring, one array per quantity so that the
/// loop over classes vectorises as far as exp allows.
class Population {
 public:
  Population(const MesoPopulation& parameters, double dt_ms, std::uint64_t seed, std::uint64_t index)
      : p_(parameters),
        dt_ms_(dt_ms),
        decay_(std::exp(-dt_ms / parameters.tau_m_ms)),
        c_per_ms_(parameters.c_Hz / 1000),
        refractory_(static_cast<std::size_t>(std::lround(parameters.t_ref_ms / dt_ms))),
        classes_(refractory_ + static_cast<std::size_t>(std::ceil(memory_ms(parameters) / dt_ms)) + 1),
        adaptation_(parameters, dt_ms, classes_),
        m_(classes_, 0.0),
        v_(classes_, 0.0),
        u_(classes_, parameters.u_reset_mV),
        lambda_(classes_, 0.0),
        current_(classes_, 0.0),
        shift_(classes_, 0.0),
        fired_(classes_, 0.0),
        free_m_(static_cast<double>(parameters.cells)),
        free_lambda_(intensity(0, 0)),
        random_(seed, core::Purpose::escape_noise, index) {}

  /// One step at constant input (mu and synapses, mV); returns the number of spikes.
  double step(double input_mV, bool noise) {
    const double N = static_cast<double>(p_.cells);
    double X = 0, A = 0, B = 0, W = 0;
    for (std::size_t k = 0; k < classes_; ++k) X += m_[k];
    if (adaptation_.any()) adaptation_.step(next_, current_, shift_);
    free_u_ = (1 - decay_) * (input_mV - adaptation_.free_current()) + decay_ * free_u_;
    const double P_free = firing_probability(intensity(free_u_, adaptation_.free_threshold()), free_lambda_);
    relax(input_mV);
    // Classes by position in the ring; those of the last t_ref are refractory and frozen.
    const auto run = [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        const double P = firing_probability(intensity(u_[k], shift_[k]), lambda_[k]);
        A += P * v_[k];
        B += v_[k];
        fired_[k] = P * m_[k];
        W += fired_[k];
        v_[k] = (1 - P) * (1 - P) * v_[k] + P * m_[k];
        m_[k] *= 1 - P;
      }
    };
    // next_ is the oldest class and will be overwritten; then come ever younger ones.
    const std::size_t active = classes_ - refractory_;
    const std::size_t first = std::min(active, classes_ - next_);
    run(next_, next_ + first);
    run(0, active - first);
    adaptation_.fire(next_, next_ + first, 0, fired_);
    adaptation_.fire(0, active - first, first, fired_);
    const double P_lost = B + free_v_ > 0 ? (A + P_free * free_v_) / (B + free_v_) : 0;
    const double expected = std::clamp(W + P_free * free_m_ + P_lost * (N - X - free_m_), 0.0, N);
    const double spikes = noise ? static_cast<double>(binomial(random_, p_.cells, expected / N)) : expected;
    // The oldest class becomes free.
    free_v_ = (1 - P_free) * (1 - P_free) * free_v_ + P_free * free_m_ + v_[next_];
    adaptation_.renew(next_, P_free * free_m_, W + P_free * free_m_, m_[next_], (1 - P_free) * free_m_);
    free_m_ = (1 - P_free) * free_m_ + m_[next_];
    m_[next_] = spikes;
    v_[next_] = 0;
    u_[next_] = p_.u_reset_mV;
    lambda_[next_] = 0;
    next_ = next_ + 1 == classes_ ? 0 : next_ + 1;
    return spikes;
  }

 private:
  /// Potentials of all classes; those of the last t_ref stay at the reset.
  void relax(double input_mV) {
    const double drive = (1 - decay_) * input_mV;
    for (std::size_t k = 0; k < classes_; ++k) u_[k] = drive - (1 - decay_) * current_[k] + decay_ * u_[k];
    for (std::size_t a = 0, k = (next_ + classes_ - refractory_) % classes_; a < refractory_; ++a) {
      u_[k] = p_.u_reset_mV;
      k = k + 1 == classes_ ? 0 : k + 1;
    }
  }
  double intensity(double u_mV, double shift_mV) const {
    return c_per_ms_ * std::exp((u_mV - p_.u_threshold_mV - shift_mV) / p_.Delta_u_mV);
  }
  /// Probability of firing in the step; `before` becomes the new intensity.
  double firing_probability(double now, double& before) const {
    const double mean = 0.5 * (before + now);
    before = now;
    return -std::expm1(-mean * dt_ms_);
  }

  MesoPopulation p_;
  double dt_ms_, decay_, c_per_ms_;
  std::size_t refractory_, classes_;
  Adaptation adaptation_;
  std::vector<double> m_, v_, u_, lambda_, current_, shift_, fired_;
  std::size_t next_ = 0;
  double free_m_, free_v_ = 0, free_u_ = 0, free_lambda_;
  core::RandomStream random_;
};

void check(const MesoNetwork& network, double duration_ms, const MesoOptions& options) {
  core::Diagnostics problems;
  for (const MesoConnection& c : network.connections) {
    const std::size_t n = network.populations.size();
    const bool good = c.target < n && c.source < n && std::isfinite(c.in_degree * c.psp_mV) && c.in_degree >= 0 &&
                      c.tau_syn_ms >= 0 && c.delay_ms >= 0;
    if (!good) {
      problems.error({"", fmt::format("connections {} -> {}", c.source, c.target), "",
                      "must join two populations, with finite K J, tau_syn >= 0 and delay >= 0", ""});
    }
  }
  for (const MesoPopulation& p : network.populations) {
    const std::string place = fmt::format("populations.{}", p.name);
    if (!(p.cells > 0)) problems.error({"", place + ".cells", "0", "must be > 0", ""});
    bool good = p.tau_m_ms > 0 && p.t_ref_ms >= 0 && p.Delta_u_mV > 0 && p.c_Hz > 0 && std::isfinite(p.mu_mV);
    for (const std::vector<MesoKernel>* kernels : {&p.eta_mV, &p.gamma_mV}) {
      for (const MesoKernel& kernel : *kernels) good = good && kernel.tau_ms > 0 && std::isfinite(kernel.amplitude_mV);
    }
    if (!good) problems.error({"", place, "", "needs positive tau_m, Delta_u, c and kernel tau, and t_ref >= 0", ""});
  }
  if (!(options.dt_ms > 0)) problems.error({"", "dt_ms", fmt::format("{}", options.dt_ms), "must be > 0", ""});
  if (!(duration_ms >= 0)) problems.error({"", "duration_ms", fmt::format("{}", duration_ms), "must be >= 0", ""});
  problems.throw_if_errors();
}

/// What one connection does to its target: the source's delayed activity (per ms), filtered by the synapses.
class Link {
 public:
  Link(const MesoConnection& c, double dt_ms, double tau_m_ms)
      : target(c.target),
        source(c.source),
        gain_mV_ms_(tau_m_ms * c.in_degree * c.psp_mV),
        decay_(c.tau_syn_ms > 0 ? std::exp(-dt_ms / c.tau_syn_ms) : 0.0),
        past_(static_cast<std::size_t>(std::max(1l, std::lround(c.delay_ms / dt_ms))), 0.0) {}

  double input_mV() const { return gain_mV_ms_ * filtered_; }
  void push(double activity_per_ms) {
    filtered_ = decay_ * filtered_ + (1 - decay_) * past_[at_];
    past_[at_] = activity_per_ms;
    at_ = at_ + 1 == past_.size() ? 0 : at_ + 1;
  }

  const std::size_t target, source;

 private:
  double gain_mV_ms_, decay_, filtered_ = 0;
  std::vector<double> past_;
  std::size_t at_ = 0;
};

}  // namespace

void simulate_mesoscopic(const MesoNetwork& network, double duration_ms, const MesoOptions& options,
                         const MesoObserver& observe, const MesoInput& input) {
  check(network, duration_ms, options);
  std::vector<Population> populations;
  std::vector<Link> links;
  for (std::size_t i = 0; i < network.populations.size(); ++i) {
    populations.emplace_back(network.populations[i], options.dt_ms, options.seed, i);
  }
  for (const MesoConnection& c : network.connections) {
    links.emplace_back(c, options.dt_ms, network.populations[c.target].tau_m_ms);
  }
  std::vector<double> activity_hz(populations.size()), input_mV(populations.size());
  const auto steps = static_cast<std::uint64_t>(std::llround(duration_ms / options.dt_ms));
  for (std::uint64_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < populations.size(); ++i) input_mV[i] = network.populations[i].mu_mV;
    if (input) input(static_cast<double>(step) * options.dt_ms, input_mV);
    for (const Link& link : links) input_mV[link.target] += link.input_mV();
    for (std::size_t i = 0; i < populations.size(); ++i) {
      const double spikes = populations[i].step(input_mV[i], options.finite_size_noise);
      activity_hz[i] = 1000 * spikes / (static_cast<double>(network.populations[i].cells) * options.dt_ms);
    }
    for (Link& link : links) link.push(activity_hz[link.source] / 1000);
    observe(static_cast<double>(step + 1) * options.dt_ms, activity_hz);
  }
}

double stationary_rate_hz(const MesoPopulation& p, double input_mV) {
  constexpr double kStep_ms = 0.01;
  constexpr double kSurvivors = 1e-14;
  double hazard = 0, integral_ms = 0, before = 1;
  for (double age_ms = 0; before > kSurvivors; age_ms += kStep_ms) {
    const double u = input_mV + (p.u_reset_mV - input_mV) * std::exp(-(age_ms + kStep_ms / 2) / p.tau_m_ms);
    hazard += kStep_ms * p.c_Hz / 1000 * std::exp((u - p.u_threshold_mV) / p.Delta_u_mV);
    const double now = std::exp(-hazard);
    integral_ms += kStep_ms * (before + now) / 2;
    before = now;
    if (age_ms > 1e6) return 0;  // practically never fires
  }
  return 1000 / (p.t_ref_ms + integral_ms);
}

}  // namespace triscale::meanfield

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
        classes_(refractory_ + static_cast<std::size_t>(std::ceil(kMemory * parameters.tau_m_ms / dt_ms)) + 1),
        m_(classes_, 0.0),
        v_(classes_, 0.0),
        u_(classes_, parameters.u_reset_mV),
        lambda_(classes_, 0.0),
        free_m_(static_cast<double>(parameters.cells)),
        free_lambda_(intensity(0)),
        random_(seed, core::Purpose::escape_noise, index) {}

  /// One step at constant input (mu and synapses, mV); returns the number of spikes.
  double step(double input_mV, bool noise) {
    const double N = static_cast<double>(p_.cells);
    const double drive = (1 - decay_) * input_mV;
    free_u_ = drive + decay_ * free_u_;
    const double P_free = firing_probability(intensity(free_u_), free_lambda_);
    double X = 0, A = 0, B = 0, W = 0;
    for (std::size_t k = 0; k < classes_; ++k) X += m_[k];
    // Classes by position in the ring; those of the last t_ref are refractory and frozen.
    const auto run = [&](std::size_t begin, std::size_t end) {
      for (std::size_t k = begin; k < end; ++k) {
        u_[k] = drive + decay_ * u_[k];
        const double P = firing_probability(intensity(u_[k]), lambda_[k]);
        A += P * v_[k];
        B += v_[k];
        W += P * m_[k];
        v_[k] = (1 - P) * (1 - P) * v_[k] + P * m_[k];
        m_[k] *= 1 - P;
      }
    };
    // next_ is the oldest class and will be overwritten; then come ever younger ones.
    const std::size_t active = classes_ - refractory_;
    const std::size_t first = std::min(active, classes_ - next_);
    run(next_, next_ + first);
    run(0, active - first);
    const double P_lost = B + free_v_ > 0 ? (A + P_free * free_v_) / (B + free_v_) : 0;
    const double expected = std::clamp(W + P_free * free_m_ + P_lost * (N - X - free_m_), 0.0, N);
    const double spikes = noise ? static_cast<double>(binomial(random_, p_.cells, expected / N)) : expected;
    // The oldest class becomes free.
    free_v_ = (1 - P_free) * (1 - P_free) * free_v_ + P_free * free_m_ + v_[next_];
    free_m_ = (1 - P_free) * free_m_ + m_[next_];
    m_[next_] = spikes;
    v_[next_] = 0;
    u_[next_] = p_.u_reset_mV;
    lambda_[next_] = 0;
    next_ = next_ + 1 == classes_ ? 0 : next_ + 1;
    return spikes;
  }

 private:
  double intensity(double u_mV) const { return c_per_ms_ * std::exp((u_mV - p_.u_threshold_mV) / p_.Delta_u_mV); }
  /// Probability of firing in the step; `before` becomes the new intensity.
  double firing_probability(double now, double& before) const {
    const double mean = 0.5 * (before + now);
    before = now;
    return -std::expm1(-mean * dt_ms_);
  }

  MesoPopulation p_;
  double dt_ms_, decay_, c_per_ms_;
  std::size_t refractory_, classes_;
  std::vector<double> m_, v_, u_, lambda_;
  std::size_t next_ = 0;
  double free_m_, free_v_ = 0, free_u_ = 0, free_lambda_;
  core::RandomStream random_;
};

void check(const MesoNetwork& network, double duration_ms, const MesoOptions& options) {
  core::Diagnostics problems;
  const auto n = static_cast<Eigen::Index>(network.populations.size());
  for (const Eigen::MatrixXd* matrix : {&network.in_degree, &network.psp_mV}) {
    if (matrix->rows() != n || matrix->cols() != n || !matrix->allFinite()) {
      problems.error({"", "in_degree, psp_mV", "", "must be finite, with one row and one column per population", ""});
    }
  }
  for (const MesoPopulation& p : network.populations) {
    const std::string place = fmt::format("populations.{}", p.name);
    if (!(p.cells > 0)) problems.error({"", place + ".cells", "0", "must be > 0", ""});
    const bool good = p.tau_m_ms > 0 && p.t_ref_ms >= 0 && p.Delta_u_mV > 0 && p.c_Hz > 0 && p.tau_syn_ms > 0 &&
                      p.delay_ms >= 0 && std::isfinite(p.mu_mV);
    if (!good)
      problems.error({"", place, "", "needs positive tau_m, Delta_u, c, tau_syn and no negative t_ref or delay", ""});
  }
  if (!(options.dt_ms > 0)) problems.error({"", "dt_ms", fmt::format("{}", options.dt_ms), "must be > 0", ""});
  if (!(duration_ms >= 0)) problems.error({"", "duration_ms", fmt::format("{}", duration_ms), "must be >= 0", ""});
  problems.throw_if_errors();
}

/// What one population sends: its delayed activity (per ms), filtered by its synapses.
class Output {
 public:
  Output(const MesoPopulation& p, double dt_ms)
      : decay_(std::exp(-dt_ms / p.tau_syn_ms)),
        past_(static_cast<std::size_t>(std::max(1l, std::lround(p.delay_ms / dt_ms))), 0.0) {}

  double filtered() const { return filtered_; }
  void push(double activity_per_ms) {
    filtered_ = decay_ * filtered_ + (1 - decay_) * past_[at_];
    past_[at_] = activity_per_ms;
    at_ = at_ + 1 == past_.size() ? 0 : at_ + 1;
  }

 private:
  double decay_, filtered_ = 0;
  std::vector<double> past_;
  std::size_t at_ = 0;
};

}  // namespace

void simulate_mesoscopic(const MesoNetwork& network, double duration_ms, const MesoOptions& options,
                         const MesoObserver& observe) {
  check(network, duration_ms, options);
  std::vector<Population> populations;
  std::vector<Output> outputs;
  for (std::size_t i = 0; i < network.populations.size(); ++i) {
    populations.emplace_back(network.populations[i], options.dt_ms, options.seed, i);
    outputs.emplace_back(network.populations[i], options.dt_ms);
  }
  std::vector<double> activity_hz(populations.size());
  const auto steps = static_cast<std::uint64_t>(std::llround(duration_ms / options.dt_ms));
  for (std::uint64_t step = 0; step < steps; ++step) {
    for (std::size_t i = 0; i < populations.size(); ++i) {
      const MesoPopulation& target = network.populations[i];
      double input_mV = target.mu_mV;
      for (std::size_t j = 0; j < outputs.size(); ++j) {
        const auto row = static_cast<Eigen::Index>(i), column = static_cast<Eigen::Index>(j);
        input_mV +=
            target.tau_m_ms * network.in_degree(row, column) * network.psp_mV(row, column) * outputs[j].filtered();
      }
      const double spikes = populations[i].step(input_mV, options.finite_size_noise);
      activity_hz[i] = 1000 * spikes / (static_cast<double>(target.cells) * options.dt_ms);
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i].push(activity_hz[i] / 1000);
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

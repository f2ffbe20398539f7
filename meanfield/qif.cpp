#include "meanfield/qif.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"

namespace triscale::meanfield {

namespace {

using std::numbers::pi;

/// Positive real roots of sum_k c_k x^k, polished by Newton's method; a root of even multiplicity may be lost to
/// rounding.
std::vector<double> positive_roots(const std::array<double, 5>& c) {
  Eigen::Matrix4d companion = Eigen::Matrix4d::Zero();
  for (Eigen::Index i = 0; i < 4; ++i) companion(i, 3) = -c[static_cast<std::size_t>(i)] / c[4];
  for (Eigen::Index i = 1; i < 4; ++i) companion(i, i - 1) = 1;
  const Eigen::EigenSolver<Eigen::Matrix4d> solver(companion, false);
  std::vector<double> roots;
  for (Eigen::Index i = 0; i < 4; ++i) {
    const std::complex<double> root = solver.eigenvalues()[i];
    if (!(root.real() > 0) || std::abs(root.imag()) > 1e-7 * std::abs(root)) continue;
    double x = root.real();
    for (int step = 0; step < 3; ++step) {
      const double value = c[0] + x * (c[1] + x * (c[2] + x * (c[3] + x * c[4])));
      const double slope = c[1] + x * (2 * c[2] + x * (3 * c[3] + x * 4 * c[4]));
      if (slope != 0 && std::isfinite(value / slope)) x -= value / slope;
    }
    roots.push_back(x);
  }
  std::sort(roots.begin(), roots.end());
  return roots;
}

constexpr std::size_t kBlock = 64;  // steps whose coupling is summed together

/// Delayed coupling. Rates are kept one row per population, oldest first; the coupling of a block of steps depends only
/// on rates before the block, because no delay is shorter than it.
class DelayedCoupling {
 public:
  DelayedCoupling(const QifNetwork& network, const QifState& start, double dt_ms) : n_(start.rate_per_ms.size()) {
    // By source: one row of past rates and all sums stay in the cache.
    std::size_t longest = 0;
    for (std::size_t j = 0; j < n_; ++j) {
      for (std::size_t i = 0; i < n_; ++i) {
        const double J = network.coupling(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
        if (J == 0) continue;
        const double delay = network.delay_ms(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) / dt_ms;
        const auto steps = static_cast<std::size_t>(std::max(1.0, std::round(delay)));
        links_.push_back({j, i, steps, J * network.populations[i].tau_ms});
        longest = std::max(longest, steps);
        shortest_ = std::min(shortest_, steps);
      }
    }
    past_ = longest + kBlock;
    row_ = past_ + kRoom;
    now_ = past_;
    rates_.assign(n_ * row_, 0.0);
    for (std::size_t j = 0; j < n_; ++j)
      std::fill_n(rates_.begin() + static_cast<std::ptrdiff_t>(j * row_), past_ + 1, start.rate_per_ms[j]);
    sums_.assign(n_ * kBlock, 0.0);
  }

  bool any() const { return !links_.empty(); }
  /// Steps that may be taken before the coupling has to be summed again.
  std::size_t block() const { return shortest_; }

  /// Coupling of the times now + 1 ... now + block().
  void sum_block() {
    std::fill(sums_.begin(), sums_.end(), 0.0);
    const std::size_t steps = block();
    for (const Link& link : links_) {
      const double* rate = rates_.data() + link.source * row_ + now_ + 1 - link.steps;
      double* sum = sums_.data() + link.target * kBlock;
      if (steps == kBlock) {
        for (std::size_t k = 0; k < kBlock; ++k) sum[k] += link.weight * rate[k];
      } else {
        for (std::size_t k = 0; k < steps; ++k) sum[k] += link.weight * rate[k];
      }
    }
  }
  double at(std::size_t i, std::size_t step_in_block) const { return sums_[i * kBlock + step_in_block]; }

  void push(const std::vector<double>& rates) {
    if (++now_ + kBlock >= row_) rewind();
    for (std::size_t j = 0; j < n_; ++j) rates_[j * row_ + now_] = rates[j];
  }

 private:
  static constexpr std::size_t kRoom = 4096;

  struct Link {
    std::size_t source, target, steps;
    double weight;
  };

  /// Moves the past that is still needed to the front of every row.
  void rewind() {
    for (std::size_t j = 0; j < n_; ++j) {
      double* row = rates_.data() + j * row_;
      std::copy(row + now_ - past_, row + now_, row);
    }
    now_ = past_;
  }

  std::size_t n_, past_ = 0, row_ = 0, now_ = 0, shortest_ = kBlock;
  std::vector<Link> links_;
  std::vector<double> rates_, sums_;
};

void check(const QifNetwork& network, const QifState& state, double dt_ms) {
  core::Diagnostics problems;
  const std::size_t n = network.populations.size();
  const auto rows = static_cast<Eigen::Index>(n);
  if (network.coupling.rows() != rows || network.coupling.cols() != rows || network.delay_ms.rows() != rows ||
      network.delay_ms.cols() != rows) {
    problems.error({"", "coupling, delay_ms", "", "must have one row and one column per population", ""});
  } else if (!network.coupling.allFinite() || !(network.delay_ms.array() >= 0).all()) {
    problems.error({"", "coupling, delay_ms", "", "must be finite, delays not negative", ""});
  }
  if (state.rate_per_ms.size() != n || state.v.size() != n) {
    problems.error({"", "state", "", "must have one rate and one potential per population", ""});
  }
  if (!(dt_ms > 0)) problems.error({"", "dt_ms", fmt::format("{}", dt_ms), "must be > 0", ""});
  for (std::size_t i = 0; i < n; ++i) {
    if (!(network.populations[i].tau_ms > 0) || !(network.populations[i].Delta >= 0)) {
      problems.error({"", fmt::format("populations.{}", i), "", "needs tau_ms > 0 and Delta >= 0", ""});
    }
  }
  problems.throw_if_errors();
}

/// Parameters in the form in which the right-hand side uses them, one array each so that the loop vectorises.
struct Arrays {
  std::vector<double> inverse_tau, source, eta, J, pi_tau;

  explicit Arrays(const QifNetwork& network) {
    for (const QifPopulation& p : network.populations) {
      inverse_tau.push_back(1 / p.tau_ms);
      source.push_back(p.Delta / (pi * p.tau_ms));
      eta.push_back(p.eta);
      J.push_back(p.J * p.tau_ms);
      pi_tau.push_back(pi * p.tau_ms);
    }
  }
};

struct HeunWork {
  std::vector<double> drive, next_drive, r_trial, v_trial, r_slope, v_slope;
  explicit HeunWork(std::size_t n) : drive(n), next_drive(n), r_trial(n), v_trial(n), r_slope(n), v_slope(n) {}
};

/// One Heun step: slope at the start, slope at the Euler point, their mean.
void heun_step(const Arrays& a, double dt, QifState& state, HeunWork& work) {
  const std::size_t n = state.v.size();
  double* r = state.rate_per_ms.data();
  double* v = state.v.data();
  for (std::size_t i = 0; i < n; ++i) {
    const double x = a.pi_tau[i] * r[i];
    work.r_slope[i] = (a.source[i] + 2 * r[i] * v[i]) * a.inverse_tau[i];
    work.v_slope[i] = (v[i] * v[i] + a.eta[i] + a.J[i] * r[i] + work.drive[i] - x * x) * a.inverse_tau[i];
    work.r_trial[i] = r[i] + dt * work.r_slope[i];
    work.v_trial[i] = v[i] + dt * work.v_slope[i];
  }
  for (std::size_t i = 0; i < n; ++i) {
    const double rt = work.r_trial[i], vt = work.v_trial[i], x = a.pi_tau[i] * rt;
    r[i] += 0.5 * dt * (work.r_slope[i] + (a.source[i] + 2 * rt * vt) * a.inverse_tau[i]);
    v[i] += 0.5 * dt *
            (work.v_slope[i] + (vt * vt + a.eta[i] + a.J[i] * rt + work.next_drive[i] - x * x) * a.inverse_tau[i]);
  }
}

void require_finite(const QifState& state, double t_ms) {
  for (std::size_t i = 0; i < state.v.size(); ++i) {
    if (std::isfinite(state.rate_per_ms[i]) && std::isfinite(state.v[i])) continue;
    throw core::NumericalError(fmt::format("mean-field tier: QIF population {} became r = {}, v = {} before t = {} ms",
                                           i, state.rate_per_ms[i], state.v[i], t_ms));
  }
}

}  // namespace

QifPopulation to_population(const PhysicalQif& cell) {
  const double rate = cell.k_uS_per_mV / cell.C_nF;  // 1/(ms mV)
  const double half = rate * (cell.V_threshold_mV - cell.V_rest_mV) / 2;
  return {1, rate * cell.Delta_I_nA / cell.C_nF, rate * cell.I_nA / cell.C_nF - half * half, 0};
}

std::vector<QifFixedPoint> fixed_points(const QifPopulation& p, double I) {
  std::vector<QifFixedPoint> points;
  const double c0 = p.Delta * p.Delta / (4 * pi * pi);
  for (const double rho : positive_roots({c0, 0, p.eta + I, p.J, -pi * pi})) {
    QifFixedPoint& point = points.emplace_back();
    point.rate_per_ms = rho / p.tau_ms;
    point.v = -p.Delta / (2 * pi * rho);
    const std::complex<double> split = std::sqrt(std::complex<double>(2 * rho * (p.J - 2 * pi * pi * rho)));
    point.eigenvalues_per_ms = {(2 * point.v + split) / p.tau_ms, (2 * point.v - split) / p.tau_ms};
  }
  return points;
}

std::vector<QifFold> folds(const QifPopulation& p) {
  std::vector<QifFold> result;
  for (const double rho : positive_roots({p.Delta * p.Delta / (2 * pi * pi), 0, 0, -p.J, 2 * pi * pi})) {
    result.push_back({rho / p.tau_ms, -pi * pi * rho * rho - 3 * p.Delta * p.Delta / (4 * pi * pi * rho * rho)});
  }
  return result;
}

QifCusp cusp(const QifPopulation& p) {
  const double rho = std::pow(3 * p.Delta * p.Delta / (4 * std::pow(pi, 4)), 0.25);
  const double J = 2 * pi * pi * rho + p.Delta * p.Delta / (2 * pi * pi * rho * rho * rho);
  return {rho / p.tau_ms, J, -pi * pi * rho * rho - 3 * p.Delta * p.Delta / (4 * pi * pi * rho * rho)};
}

std::complex<double> order_parameter(const QifPopulation& p, double rate_per_ms, double v) {
  const std::complex<double> W(pi * p.tau_ms * rate_per_ms, v);
  return (1.0 - std::conj(W)) / (1.0 + std::conj(W));
}

void integrate(const QifNetwork& network, QifState& state, double dt_ms, std::size_t steps, const QifInput& input,
               std::size_t observe_every, const QifObserver& observe) {
  check(network, state, dt_ms);
  const std::size_t n = network.populations.size();
  const Arrays arrays(network);
  DelayedCoupling coupling(network, state, dt_ms);
  HeunWork work(n);
  std::vector<double> I(n, 0.0);
  // Coupling and input at the time just reached; at t = 0 the past was constant.
  const auto drive_at = [&](double t_ms, std::size_t in_block, std::vector<double>& drive) {
    if (input) input(t_ms, I);
    for (std::size_t i = 0; i < n; ++i) drive[i] = I[i] + (coupling.any() ? coupling.at(i, in_block) : 0.0);
  };
  if (coupling.any()) coupling.sum_block();
  drive_at(0, 0, work.drive);  // constant past: the first sums also hold at t = 0
  if (observe && observe_every > 0) observe(0, state);
  std::size_t in_block = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    if (coupling.any() && in_block == coupling.block()) {
      coupling.sum_block();
      in_block = 0;
    }
    const double next_ms = static_cast<double>(step + 1) * dt_ms;
    drive_at(next_ms, in_block, work.next_drive);
    heun_step(arrays, dt_ms, state, work);
    std::swap(work.drive, work.next_drive);
    if (coupling.any()) coupling.push(state.rate_per_ms);
    ++in_block;
    if ((step + 1) % 1000 == 0 || step + 1 == steps) require_finite(state, next_ms);
    if (observe && observe_every > 0 && (step + 1) % observe_every == 0) observe(next_ms, state);
  }
}

}  // namespace triscale::meanfield

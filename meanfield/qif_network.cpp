/// The time course of a network of QIF populations. The sums over the delayed rates of all pairs are nearly all of the
/// work; they and the Heun step are compiled for every instruction set of core/isa.hpp, with the same bits.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "core/isa.hpp"
#include "meanfield/qif.hpp"

namespace triscale::meanfield {

namespace {

using core::Isa;
using std::numbers::pi;

constexpr std::size_t kBlock = 64;  // steps whose coupling is summed together

/// Coupling from `source` onto `target`, which sees the source's rate of `steps` ago.
struct Link {
  std::size_t source, target, steps;
  double weight;
};

/// sums[target][k] += weight * rates[source][now + 1 + k - steps] for a whole block of times k.
TRISCALE_ALWAYS_INLINE void add_block_body(const Link* links, std::size_t count, const double* rates, std::size_t row,
                                           std::size_t now, double* sums) {
  for (std::size_t n = 0; n < count; ++n) {
    const Link& link = links[n];
    const double* __restrict rate = rates + link.source * row + now + 1 - link.steps;
    double* __restrict sum = sums + link.target * kBlock;
    for (std::size_t k = 0; k < kBlock; ++k) sum[k] += link.weight * rate[k];
  }
}
#define TRISCALE_ADD_BLOCK(name, target)                                                                        \
  target void name(const Link* links, std::size_t count, const double* rates, std::size_t row, std::size_t now, \
                   double* sums) {                                                                              \
    add_block_body(links, count, rates, row, now, sums);                                                        \
  }
TRISCALE_ADD_BLOCK(add_block_baseline, )
TRISCALE_ADD_BLOCK(add_block_avx2, TRISCALE_AVX2)
TRISCALE_ADD_BLOCK(add_block_avx512, TRISCALE_AVX512)
#undef TRISCALE_ADD_BLOCK

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

/// One Heun step of populations [begin, end): slope at the start, slope at the Euler point, their mean.
TRISCALE_ALWAYS_INLINE void heun_body(std::size_t begin, std::size_t end, const Arrays& a, double dt,
                                      const double* __restrict drive, const double* __restrict next_drive,
                                      double* __restrict r, double* __restrict v) {
  const double *inverse_tau = a.inverse_tau.data(), *source = a.source.data(), *eta = a.eta.data(), *J = a.J.data(),
               *pi_tau = a.pi_tau.data();
  for (std::size_t i = begin; i < end; ++i) {
    const double x = pi_tau[i] * r[i];
    const double r_slope = (source[i] + 2 * r[i] * v[i]) * inverse_tau[i];
    const double v_slope = (v[i] * v[i] + eta[i] + J[i] * r[i] + drive[i] - x * x) * inverse_tau[i];
    const double rt = r[i] + dt * r_slope, vt = v[i] + dt * v_slope, xt = pi_tau[i] * rt;
    r[i] += 0.5 * dt * (r_slope + (source[i] + 2 * rt * vt) * inverse_tau[i]);
    v[i] += 0.5 * dt * (v_slope + (vt * vt + eta[i] + J[i] * rt + next_drive[i] - xt * xt) * inverse_tau[i]);
  }
}
/// In pieces of a fixed length, which the compiler turns into vectors, and a rest.
TRISCALE_ALWAYS_INLINE void heun_all(std::size_t n, const Arrays& a, double dt, const double* drive,
                                     const double* next_drive, double* r, double* v) {
  constexpr std::size_t kPiece = 8;
  std::size_t i = 0;
  for (; i + kPiece <= n; i += kPiece) heun_body(i, i + kPiece, a, dt, drive, next_drive, r, v);
  heun_body(i, n, a, dt, drive, next_drive, r, v);
}
#define TRISCALE_HEUN(name, target)                                                                          \
  target void name(std::size_t n, const Arrays& a, double dt, const double* drive, const double* next_drive, \
                   double* r, double* v) {                                                                   \
    heun_all(n, a, dt, drive, next_drive, r, v);                                                             \
  }
TRISCALE_HEUN(heun_baseline, )
TRISCALE_HEUN(heun_avx2, TRISCALE_AVX2)
TRISCALE_HEUN(heun_avx512, TRISCALE_AVX512)
#undef TRISCALE_HEUN

/// Delayed coupling. Rates are kept one row per population, oldest first; the coupling of a block of steps depends only
/// on rates before the block, because no delay is shorter than it. Within a block, rates and sums lie step by step.
class DelayedCoupling {
 public:
  DelayedCoupling(const QifNetwork& network, const QifState& start, double dt_ms, Isa isa)
      : n_(start.rate_per_ms.size()),
        add_block_(isa == Isa::avx512 ? add_block_avx512
                   : isa == Isa::avx2 ? add_block_avx2
                                      : add_block_baseline) {
    // By source: one row of past rates stays in the cache.
    std::size_t longest = 0;
    for (std::size_t j = 0; j < n_; ++j) {
      for (std::size_t i = 0; i < n_; ++i) {
        const double J = network.coupling(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j));
        if (J == 0) continue;
        const double delay = network.delay_ms(static_cast<Eigen::Index>(i), static_cast<Eigen::Index>(j)) / dt_ms;
        const auto steps = static_cast<std::size_t>(std::max(1.0, std::round(delay)));
        links_.push_back({j, i, steps, J * network.populations[i].tau_ms});
        longest = std::max(longest, steps);
        block_ = std::min(block_, steps);
      }
    }
    past_ = longest + kBlock;
    row_ = past_ + kRoom;
    now_ = past_;
    rates_.assign(n_ * row_, 0.0);
    for (std::size_t j = 0; j < n_; ++j)
      std::fill_n(rates_.begin() + static_cast<std::ptrdiff_t>(j * row_), past_ + 1, start.rate_per_ms[j]);
    sums_.assign(n_ * kBlock, 0.0);
    drives_.assign(n_ * kBlock, 0.0);
    fresh_.assign(n_ * kBlock, 0.0);
  }

  bool any() const { return !links_.empty(); }
  /// Steps that may be taken before the coupling has to be summed again.
  std::size_t block() const { return block_; }

  /// Coupling of the times now + 1 ... now + block().
  void sum_block() {
    store_fresh();
    std::fill(sums_.begin(), sums_.end(), 0.0);
    if (block_ == kBlock) {
      add_block_(links_.data(), links_.size(), rates_.data(), row_, now_, sums_.data());
    } else {
      for (const Link& link : links_) {
        const double* rate = rates_.data() + link.source * row_ + now_ + 1 - link.steps;
        for (std::size_t k = 0; k < block_; ++k) sums_[link.target * kBlock + k] += link.weight * rate[k];
      }
    }
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t k = 0; k < block_; ++k) drives_[k * n_ + i] = sums_[i * kBlock + k];
    }
  }
  /// Coupling of all populations at a step of the block.
  const double* at(std::size_t step_in_block) const { return drives_.data() + step_in_block * n_; }

  void push(const std::vector<double>& rates) {
    std::copy(rates.begin(), rates.end(), fresh_.begin() + static_cast<std::ptrdiff_t>(fresh_steps_++ * n_));
  }

 private:
  static constexpr std::size_t kRoom = 4096;

  /// Rates of the steps since the last block, into the rows.
  void store_fresh() {
    if (now_ + 2 * kBlock >= row_) rewind();
    for (std::size_t j = 0; j < n_; ++j) {
      double* row = rates_.data() + j * row_ + now_ + 1;
      for (std::size_t k = 0; k < fresh_steps_; ++k) row[k] = fresh_[k * n_ + j];
    }
    now_ += fresh_steps_;
    fresh_steps_ = 0;
  }

  /// Moves the past that is still needed to the front of every row.
  void rewind() {
    for (std::size_t j = 0; j < n_; ++j) {
      double* row = rates_.data() + j * row_;
      std::copy(row + now_ - past_, row + now_ + 1, row);
    }
    now_ = past_;
  }

  std::size_t n_, past_ = 0, row_ = 0, now_ = 0, block_ = kBlock, fresh_steps_ = 0;
  void (*add_block_)(const Link*, std::size_t, const double*, std::size_t, std::size_t, double*);
  std::vector<Link> links_;
  std::vector<double> rates_, sums_, drives_, fresh_;
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

void require_finite(const QifState& state, double t_ms) {
  for (std::size_t i = 0; i < state.v.size(); ++i) {
    if (std::isfinite(state.rate_per_ms[i]) && std::isfinite(state.v[i])) continue;
    throw core::NumericalError(fmt::format("mean-field tier: QIF population {} became r = {}, v = {} before t = {} ms",
                                           i, state.rate_per_ms[i], state.v[i], t_ms));
  }
}

}  // namespace

void integrate(const QifNetwork& network, QifState& state, double dt_ms, std::size_t steps, const QifInput& input,
               std::size_t observe_every, const QifObserver& observe) {
  integrate(network, state, dt_ms, steps, core::best_isa(), input, observe_every, observe);
}

void integrate(const QifNetwork& network, QifState& state, double dt_ms, std::size_t steps, Isa isa,
               const QifInput& input, std::size_t observe_every, const QifObserver& observe) {
  check(network, state, dt_ms);
  const std::size_t n = network.populations.size();
  const Arrays arrays(network);
  DelayedCoupling coupling(network, state, dt_ms, isa);
  const auto heun = isa == Isa::avx512 ? heun_avx512 : isa == Isa::avx2 ? heun_avx2 : heun_baseline;
  std::vector<double> I(n, 0.0), drive(n, 0.0), next_drive(n, 0.0);
  // Coupling and input at the time just reached; at t = 0 the past was constant.
  const auto drive_at = [&](double t_ms, std::size_t in_block, std::vector<double>& to) {
    if (input) input(t_ms, I);
    if (!coupling.any()) {
      to = I;
      return;
    }
    const double* sums = coupling.at(in_block);
    for (std::size_t i = 0; i < n; ++i) to[i] = I[i] + sums[i];
  };
  if (coupling.any()) coupling.sum_block();
  drive_at(0, 0, drive);  // constant past: the first sums also hold at t = 0
  if (observe && observe_every > 0) observe(0, state);
  std::size_t in_block = 0;
  for (std::size_t step = 0; step < steps; ++step) {
    if (coupling.any() && in_block == coupling.block()) {
      coupling.sum_block();
      in_block = 0;
    }
    const double next_ms = static_cast<double>(step + 1) * dt_ms;
    drive_at(next_ms, in_block, next_drive);
    heun(n, arrays, dt_ms, drive.data(), next_drive.data(), state.rate_per_ms.data(), state.v.data());
    std::swap(drive, next_drive);
    if (coupling.any()) coupling.push(state.rate_per_ms);
    ++in_block;
    if ((step + 1) % 1000 == 0 || step + 1 == steps) require_finite(state, next_ms);
    if (observe && observe_every > 0 && (step + 1) % observe_every == 0) observe(next_ms, state);
  }
}

}  // namespace triscale::meanfield

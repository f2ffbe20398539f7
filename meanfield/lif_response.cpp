#include "meanfield/lif_response.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace triscale::meanfield {

namespace {

using Complex = std::complex<double>;

constexpr int kTerms = 34;        // terms of one Taylor step: kGrowth^34 / 34! is far below rounding
constexpr double kGrowth = 3;     // (|x| or sqrt|s|) * step
constexpr double kFarLeft = -20;  // left of it the asymptotic series is worth trying
constexpr double kRunIn = 13;     // the transient of a wrong start value decays like e^(-kRunIn^2 / 2)

/// c_0 + c_1 s + c_2 s^2 around s = 0, to carry the first two cumulants of the interval through the same recursion.
struct Jet {
  double c0 = 0, c1 = 0, c2 = 0;

  Jet& operator+=(const Jet& b) {
    c0 += b.c0;
    c1 += b.c1;
    c2 += b.c2;
    return *this;
  }
  friend Jet operator+(Jet a, const Jet& b) { return a += b; }
  friend Jet operator*(const Jet& a, double b) { return {a.c0 * b, a.c1 * b, a.c2 * b}; }
  friend Jet operator*(const Jet& a, const Jet& b) {
    return {a.c0 * b.c0, a.c0 * b.c1 + a.c1 * b.c0, a.c0 * b.c2 + a.c1 * b.c1 + a.c2 * b.c0};
  }
  friend Jet operator/(const Jet& a, const Jet& b) {
    const double q0 = a.c0 / b.c0, q1 = (a.c1 - q0 * b.c1) / b.c0;
    return {q0, q1, (a.c2 - q0 * b.c2 - q1 * b.c1) / b.c0};
  }
};

/// ln(1 + delta); for jets delta.c0 = 0.
Complex log_one_plus(const Complex& delta) {
  const double re = delta.real(), im = delta.imag();
  if (std::norm(delta) > 0.25) return std::log(1.0 + delta);
  return {0.5 * std::log1p(2 * re + std::norm(delta)), std::atan2(im, 1 + re)};
}
Jet log_one_plus(const Jet& delta) {
  return {0, delta.c1, delta.c2 - delta.c1 * delta.c1 / 2};
}

double magnitude(const Complex& s) {
  return std::abs(s);
}
double magnitude(const Jet&) {
  return 0;
}
Complex constant(const Complex&, double value) {
  return value;
}
Jet constant(const Jet&, double value) {
  return {value, 0, 0};
}
/// s / (growth rate of the slow solution at x < 0): the logarithmic derivative far to the left.
Complex start_slope(const Complex& s, double x) {
  return 2.0 * s / (std::sqrt(x * x + 4.0 * s) - x);
}
Jet start_slope(const Jet&, double x) {
  return {0, -1 / x, 1 / (x * x * x)};
}

template <typename T>
struct Solution {
  T slope;   // w = Psi'/Psi
  T growth;  // ln Psi since the last reset of it
};

/// Carries the solution from x to x + h by one Taylor series.
template <typename T>
void taylor_step(const T& s, double x, double h, Solution<T>& solution) {
  T a = constant(s, 1), b = solution.slope;  // a_n, a_{n+1}
  T delta = b * h, slope = b;
  double power = h;
  for (int n = 0; n < kTerms; ++n) {
    const T next = (b * (x * (n + 1)) + (constant(s, n) + s) * a) * (1.0 / ((n + 1.0) * (n + 2.0)));
    slope += next * ((n + 2) * power);
    power *= h;
    delta += next * power;
    a = b;
    b = next;
  }
  solution.growth += log_one_plus(delta);
  solution.slope = slope / (constant(s, 1) + delta);
}

template <typename T>
void advance(const T& s, double from, double to, Solution<T>& solution) {
  const double root = std::sqrt(magnitude(s));
  for (double x = from; x < to;) {
    double h = kGrowth / std::max({1.0, root, std::abs(x)});
    h = kGrowth / std::max({1.0, root, std::abs(x), std::abs(x + h)});
    if (to - x < 1.5 * h) h = to - x > h ? (to - x) / 2 : to - x;
    taylor_step(s, x, h, solution);
    x = to - x <= h ? to : x + h;
  }
}

double size_of(const Complex& value) {
  return std::abs(value);
}
double size_of(const Jet& value) {
  return std::max({std::abs(value.c0), std::abs(value.c1), std::abs(value.c2)});
}

/// w and ln Psi (up to one constant for all x) for x far to the left, by the asymptotic series
///   Psi = (-x)^(-s) sum_k (-1)^k (s)_{2k} / (k! (2 x^2)^k);   false where it does not converge to rounding errors.
template <typename T>
bool asymptotic(const T& s, double x, Solution<T>& solution) {
  constexpr int kMost = 30;
  constexpr double kEnough = 1e-17;
  if (!(x <= kFarLeft)) return false;
  // Psi = (-x)^(-s) (1 + P): P and its derivative are summed term by term.
  T term = constant(s, 1), sum = constant(s, 0), derivative = constant(s, 0);
  for (int k = 1; k <= kMost; ++k) {
    term = term * (s + constant(s, 2.0 * k - 2)) * (s + constant(s, 2.0 * k - 1)) * (-1 / (2.0 * k * x * x));
    sum += term;
    derivative += term * (-2.0 * k / x);
    if (size_of(term) > 1) return false;
    if (size_of(term) < kEnough * size_of(s)) {
      solution.slope = s * (-1 / x) + derivative / (constant(s, 1) + sum);
      solution.growth = s * -std::log(-x) + log_one_plus(sum);
      return true;
    }
  }
  return false;
}

template <typename T>
struct Ends {
  T w_threshold, w_reset, L;
};

/// w at both ends and L = ln Psi(x_threshold) / Psi(x_reset).
template <typename T>
Ends<T> solve(const T& s, double x_threshold, double x_reset) {
  Ends<T> ends{};
  Solution<T> left{}, at{};
  if (!asymptotic(s, x_reset, left)) {
    const double start = std::min(x_reset, 0.0) - kRunIn;
    at.slope = start_slope(s, start);
    advance(s, start, x_reset, at);
    ends.w_reset = at.slope;
    at.growth = constant(s, 0);
    advance(s, x_reset, x_threshold, at);
  } else {
    ends.w_reset = left.slope;
    // Jump as far to the right as the series reaches, and step from there.
    double from = x_threshold;
    if (!asymptotic(s, from, at)) {
      for (from = kFarLeft; from > x_reset && !asymptotic(s, from, at);) from *= 1.5;
      if (from <= x_reset) {
        from = x_reset;
        at = left;
      }
    }
    at.growth += left.growth * -1.0;
    advance(s, from, x_threshold, at);
  }
  ends.w_threshold = at.slope;
  ends.L = at.growth;
  return ends;
}

/// 1 - e^(-z) without cancellation at small z.
Complex one_minus_exp(const Complex& z) {
  const double half = std::sin(z.imag() / 2);
  const double decay = std::exp(-z.real());
  return {-std::expm1(-z.real()) + 2 * decay * half * half, decay * std::sin(z.imag())};
}

}  // namespace

LifResponder::LifResponder(const LifCell& cell, const LifInput& input, bool refractory_factor)
    : cell_(cell), input_(input), rate_(lif_rate(cell, input)), t_ref_ms_(refractory_factor ? cell.t_ref_ms : 0) {
  const SiegertBounds bounds = siegert_bounds(cell, input);
  x_threshold_ = std::numbers::sqrt2 * bounds.y_threshold;
  x_reset_ = std::numbers::sqrt2 * bounds.y_reset;
  shift_ = bounds.shift;
}

LifResponse LifResponder::at(Complex lambda_per_ms) const {
  LifResponse response;
  const double sigma = input_.sigma_mV;
  const Complex s = lambda_per_ms * cell_.tau_m_ms;
  if (std::abs(s) < 1e-14) {
    response.d_mu_hz_per_mV = rate_.d_mu_hz_per_mV;
    response.d_sigma2_hz_per_mV2 = rate_.d_sigma_hz_per_mV / (2 * sigma);
    response.interval_transform = 1;
    return response;
  }
  const Ends<Complex> ends = solve(s, x_threshold_, x_reset_);
  const Complex refractory = lambda_per_ms * t_ref_ms_;
  const Complex inverse = std::exp(-ends.L);  // Psi(x_r) / Psi(x_th)
  const Complex denominator = one_minus_exp(ends.L + refractory);
  response.interval_transform = std::exp(-ends.L - lambda_per_ms * cell_.t_ref_ms);
  response.d_mu_hz_per_mV = std::numbers::sqrt2 * rate_.rate_hz / sigma / (1.0 + s) *
                            (ends.w_threshold - ends.w_reset * inverse) / denominator;
  // Psi'' = x Psi' + s Psi
  const Complex curvature =
      x_threshold_ * ends.w_threshold - x_reset_ * ends.w_reset * inverse + s * one_minus_exp(ends.L);
  response.d_sigma2_hz_per_mV2 = rate_.rate_hz / (sigma * sigma) / (2.0 + s) * curvature / denominator -
                                 shift_ / (2 * sigma) * response.d_mu_hz_per_mV;
  return response;
}

double renewal_spectrum_hz(double rate_hz, Complex f) {
  return rate_hz * (1 - std::norm(f)) / std::norm(1.0 - f);
}

IntervalMoments interval_moments(const LifCell& cell, const LifInput& input) {
  // ln f(lambda) = -lambda t_ref - L(lambda tau_m): the expansion of L to second order gives mean and variance.
  const SiegertBounds bounds = siegert_bounds(cell, input);
  const double x_threshold = std::numbers::sqrt2 * bounds.y_threshold, x_reset = std::numbers::sqrt2 * bounds.y_reset;
  const Jet L = solve(Jet{0, 1, 0}, x_threshold, x_reset).L;
  return {cell.t_ref_ms + cell.tau_m_ms * L.c1, -2 * cell.tau_m_ms * cell.tau_m_ms * L.c2};
}

double lif_cv(const LifCell& cell, const LifInput& input) {
  constexpr double kFarBelow = 18;  // e^(y^2) squared still fits a double; 1 - CV is far below rounding
  if (!(input.sigma_mV > 0)) return 0;
  const double y_threshold = siegert_bounds(cell, input).y_threshold;
  if (y_threshold > kFarBelow) return 1;
  const IntervalMoments moments = interval_moments(cell, input);
  return std::sqrt(std::max(0.0, moments.variance_ms2)) / moments.mean_ms;
}

}  // namespace triscale::meanfield

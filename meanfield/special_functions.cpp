#include "meanfield/special_functions.hpp"

#include <algorithm>
#include <array>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>

namespace triscale::meanfield {

namespace {

using std::numbers::pi;

constexpr int kNodes = 12;
const double kStep = std::sqrt(pi / kNodes);

/// Nodes t_k^2 and weights e^(-t_k^2) of both grids.
struct Grids {
  std::array<double, kNodes> half_t2, half_weight;    // t = (k + 1/2) h, k = 0...
  std::array<double, kNodes> whole_t2, whole_weight;  // t = k h, k = 1...

  Grids() {
    for (int k = 0; k < kNodes; ++k) {
      const double half = (k + 0.5) * kStep, whole = (k + 1) * kStep;
      const auto i = static_cast<std::size_t>(k);
      half_t2[i] = half * half;
      half_weight[i] = std::exp(-half * half);
      whole_t2[i] = whole * whole;
      whole_weight[i] = std::exp(-whole * whole);
    }
  }
};

const Grids& grids() {
  static const Grids instance;
  return instance;
}

/// Whether real x lies in the middle half between two neighbours of the grid k h.
bool between_whole_nodes(double x) {
  const double cell = x / kStep;
  const double fraction = cell - std::floor(cell);
  return fraction >= 0.25 && fraction <= 0.75;
}

/// Sum over one grid of weight / (z^2 - t^2).
template <typename T>
T pole_sum(const T& z2, const std::array<double, kNodes>& t2, const std::array<double, kNodes>& weight) {
  T sum = weight[0] / (z2 - t2[0]);
  for (std::size_t k = 1; k < kNodes; ++k) sum += weight[k] / (z2 - t2[k]);
  return sum;
}

/// w in the quadrant Re z >= 0, Im z >= 0.
std::complex<double> faddeeva_first_quadrant(std::complex<double> z) {
  using Complex = std::complex<double>;
  const Complex i(0, 1);
  const Complex z2 = z * z;
  const bool far = z.imag() >= pi / kStep;
  const bool whole = !far && z.imag() < z.real() && between_whole_nodes(z.real());
  if (whole) {
    const Complex sum =
        i * kStep / (pi * z) + 2.0 * i * kStep * z / pi * pole_sum(z2, grids().whole_t2, grids().whole_weight);
    // e^(-2 i pi z / h) is large where Im z is, so that the correction never overflows as written.
    return sum + 2.0 * std::exp(-z2) / (1.0 - std::exp(-2.0 * i * pi * z / kStep));
  }
  const Complex sum = 2.0 * i * kStep * z / pi * pole_sum(z2, grids().half_t2, grids().half_weight);
  if (far || z.imag() >= std::max(z.real(), pi / kStep)) return sum;
  return sum + 2.0 * std::exp(-z2) / (1.0 + std::exp(-2.0 * i * pi * z / kStep));
}

}  // namespace

std::complex<double> faddeeva(std::complex<double> z) {
  const double x = z.real(), y = z.imag();
  if (y < 0) return 2.0 * std::exp(-z * z) - faddeeva(-z);
  if (x < 0) return std::conj(faddeeva_first_quadrant({-x, y}));
  return faddeeva_first_quadrant(z);
}

double exp_square(double x) {
  const double square = x * x;
  return std::exp(square) * (1 + std::fma(x, x, -square));
}

double exp_minus_square(double x) {
  const double square = x * x;
  return std::exp(-square) * (1 - std::fma(x, x, -square));
}

double erfcx(double x) {
  if (x < 0) return 2 * exp_square(x) - erfcx(-x);
  double sum = 0;
  for (std::size_t k = 0; k < kNodes; ++k) sum += grids().half_weight[k] / (x * x + grids().half_t2[k]);
  const double rule = 2 * kStep * x / pi * sum;
  if (x >= pi / kStep) return rule;
  return rule + 2 * exp_square(x) / (1 + std::exp(2 * pi * x / kStep));
}

double dawson(double x) {
  if (x < 0) return -dawson(-x);
  const double half_root_pi = std::sqrt(pi) / 2;
  const double decay = exp_minus_square(x);
  const double angle = pi * x / kStep;
  if (between_whole_nodes(x)) {
    const double sum = pole_sum(x * x, grids().whole_t2, grids().whole_weight);
    return half_root_pi * (kStep / (pi * x) + 2 * kStep * x / pi * sum - decay / std::tan(angle));
  }
  const double sum = pole_sum(x * x, grids().half_t2, grids().half_weight);
  return half_root_pi * (2 * kStep * x / pi * sum + decay * std::tan(angle));
}

double erfcx_integral(double a, double b) {
  // erfcx is smooth on the scale 1 + x: 20 Gauss-Legendre points on panels of that length leave only rounding errors.
  double sum = 0;
  for (double from = a; from < b;) {
    const double length = 1 + from / 2;
    const double to = b - from <= 1.5 * length ? b : from + length;
    sum += boost::math::quadrature::gauss<double, 20>::integrate([](double t) { return erfcx(t); }, from, to);
    from = to;
  }
  return sum;
}

}  // namespace triscale::meanfield

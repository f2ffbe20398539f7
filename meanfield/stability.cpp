#include "meanfield/stability.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace triscale::meanfield {

namespace {

using Complex = std::complex<double>;
using std::numbers::pi;

constexpr double kPerMsOfHz = 2 * pi / 1000;

Complex determinant(const Linearisation& linear, Complex lambda) {
  const Eigen::MatrixXcd W = linear.connectivity(lambda);
  return (Eigen::MatrixXcd::Identity(W.rows(), W.cols()) - W).determinant();
}

struct Sample {
  double omega;
  Complex D;
};

/// D along the positive imaginary axis, close enough together that its phase can be followed.
class Contour {
 public:
  Contour(const Linearisation& linear, const StabilityOptions& options) : linear_(linear) {
    const double last = options.highest_frequency_hz * kPerMsOfHz, step = options.step_hz * kPerMsOfHz;
    samples_.push_back({0, determinant(linear, 0)});
    const auto count = static_cast<int>(std::ceil(last / step));
    for (int k = 1; k <= count; ++k) extend({last * k / count, determinant(linear, Complex(0, last * k / count))}, 0);
  }

  const std::vector<Sample>& samples() const { return samples_; }
  /// Change of arg D from omega = 0 to the end.
  double turned() const { return turned_; }

 private:
  void extend(const Sample& next, int depth) {
    constexpr int kDeepest = 24;
    constexpr double kLargestTurn = pi / 5;
    const Sample last = samples_.back();
    const double turn = std::arg(next.D / last.D);
    const double ratio = std::abs(next.D / last.D);
    if (depth < kDeepest && (std::abs(turn) > kLargestTurn || ratio > 2 || ratio < 0.5)) {
      const double middle = 0.5 * (last.omega + next.omega);
      extend({middle, determinant(linear_, Complex(0, middle))}, depth + 1);
      extend(next, depth + 1);
      return;
    }
    turned_ += turn;
    samples_.push_back(next);
  }

  const Linearisation& linear_;
  std::vector<Sample> samples_;
  double turned_ = 0;
};

double spectral_radius(const Linearisation& linear, double omega) {
  const Eigen::ComplexEigenSolver<Eigen::MatrixXcd> solver(linear.connectivity(Complex(0, omega)), false);
  return solver.eigenvalues().cwiseAbs().maxCoeff();
}

/// Collects different roots in the wanted region.
class RootList {
 public:
  RootList(const Linearisation& linear, const StabilityOptions& options) : linear_(linear), options_(options) {}

  void try_from(Complex guess) {
    if (!refine_root(linear_, guess)) return;
    if (guess.imag() < 0) guess = std::conj(guess);
    if (guess.imag() < 1e-9) guess = guess.real();
    if (1000 * guess.real() < options_.lowest_growth_per_s) return;
    if (guess.imag() > options_.highest_frequency_hz * kPerMsOfHz * 1.0001) return;
    const bool known = std::any_of(roots_.begin(), roots_.end(), [&](const Complex& root) {
      return std::abs(root - guess) < 1e-7 * std::max(0.01, std::abs(root));
    });
    if (!known) roots_.push_back(guess);
  }

  int unstable() const {
    int count = 0;
    for (const Complex& root : roots_) count += root.real() > 0 ? (root.imag() > 0 ? 2 : 1) : 0;
    return count;
  }
  const std::vector<Complex>& roots() const { return roots_; }

 private:
  const Linearisation& linear_;
  const StabilityOptions& options_;
  std::vector<Complex> roots_;
};

void seed_from_axis(const std::vector<Sample>& samples, RootList& roots) {
  for (std::size_t k = 0; k < samples.size(); ++k) {
    const double here = std::abs(samples[k].D);
    const bool minimum = (k == 0 || here <= std::abs(samples[k - 1].D)) &&
                         (k + 1 == samples.size() || here <= std::abs(samples[k + 1].D));
    if (!minimum) continue;
    for (const double offset : {0.0, 0.02, -0.02, 0.1, -0.08}) roots.try_from(Complex(offset, samples[k].omega));
  }
}

void seed_from_real_axis(const Linearisation& linear, RootList& roots) {
  double before = 0, D_before = determinant(linear, 0).real();
  roots.try_from(-0.01);
  for (double lambda = 1e-4; lambda < 30; lambda *= 1.6) {
    const double D = determinant(linear, lambda).real();
    if (D * D_before <= 0) roots.try_from(0.5 * (before + lambda));
    before = lambda;
    D_before = D;
  }
}

void seed_from_half_plane(const StabilityOptions& options, int wanted, RootList& roots) {
  for (const int per_axis : {6, 12, 24}) {
    for (int i = 1; i <= per_axis; ++i) {
      for (int k = 0; k <= 4 * per_axis; ++k) {
        if (roots.unstable() >= wanted) return;
        const double omega = options.highest_frequency_hz * kPerMsOfHz * k / (4.0 * per_axis);
        roots.try_from(Complex(std::pow(10.0, -3 + 4.0 * i / per_axis), omega));
      }
    }
  }
}

/// The eigenvalue of W nearest 1 with its eigenvectors.
struct NearestEigenvalue {
  Complex value;
  Eigen::VectorXcd right, left;  // left: u with u^H W = value u^H
};

NearestEigenvalue nearest_one(const Eigen::MatrixXcd& W) {
  const Eigen::ComplexEigenSolver<Eigen::MatrixXcd> right(W);
  Eigen::Index best = 0;
  (right.eigenvalues().array() - Complex(1)).abs().minCoeff(&best);
  NearestEigenvalue result;
  result.value = right.eigenvalues()[best];
  result.right = right.eigenvectors().col(best);
  const Eigen::ComplexEigenSolver<Eigen::MatrixXcd> left(W.adjoint());
  Eigen::Index match = 0;
  (left.eigenvalues().array() - std::conj(result.value)).abs().minCoeff(&match);
  result.left = left.eigenvectors().col(match);
  return result;
}

}  // namespace

double Mode::frequency_hz() const {
  return lambda_per_ms.imag() / kPerMsOfHz;
}

bool refine_root(const Linearisation& linear, Complex& lambda) {
  constexpr int kMaxSteps = 60;
  const double scale = std::max(0.05, std::abs(lambda));
  Complex x0 = lambda - 0.02 * scale, x1 = lambda + Complex(0.01, 0.01) * scale, x2 = lambda;
  Complex f0 = determinant(linear, x0), f1 = determinant(linear, x1), f2 = determinant(linear, x2);
  for (int step = 0; step < kMaxSteps; ++step) {
    if (std::abs(f2) == 0) break;
    // Parabola through three points; the root nearer to the newest.
    const Complex h1 = x1 - x0, h2 = x2 - x1;
    const Complex d1 = (f1 - f0) / h1, d2 = (f2 - f1) / h2;
    const Complex curvature = (d2 - d1) / (h2 + h1);
    const Complex b = d2 + h2 * curvature;
    const Complex root = std::sqrt(b * b - 4.0 * f2 * curvature);
    const Complex denominator = std::abs(b + root) > std::abs(b - root) ? b + root : b - root;
    if (std::abs(denominator) == 0) return false;
    Complex move = -2.0 * f2 / denominator;
    const double longest = 0.5 * std::max(0.1, std::abs(x2));
    if (std::abs(move) > longest) move *= longest / std::abs(move);
    const Complex next = x2 + move;
    if (!std::isfinite(next.real()) || !std::isfinite(next.imag()) || next.real() < -2 || std::abs(next) > 100)
      return false;
    x0 = x1, x1 = x2, x2 = next;
    f0 = f1, f1 = f2, f2 = determinant(linear, x2);
    if (!std::isfinite(std::abs(f2))) return false;
    if (std::abs(move) < 1e-12 * std::max(0.01, std::abs(x2))) break;
    if (x2 == x1 || x1 == x0) break;
  }
  lambda = x2;
  return std::abs(f2) < 1e-8;
}

Mode mode_at(const Linearisation& linear, Complex lambda) {
  Mode mode;
  mode.lambda_per_ms = lambda;
  mode.shape = nearest_one(linear.connectivity(lambda)).right;
  Eigen::Index largest = 0;
  mode.shape.cwiseAbs().maxCoeff(&largest);
  mode.shape /= mode.shape[largest];
  return mode;
}

Stability stability(const Linearisation& linear, const StabilityOptions& options) {
  const Contour contour(linear, options);
  Stability result;
  // D(-i omega) = conj D(i omega): the whole axis turns twice as far. Up the axis, the right half plane lies to the
  // right, so roots there turn D backwards. Where |W| < 1 beyond the end, D stays near 1 and turns back to phase 0 on
  // the way.
  const double end_phase = std::arg(contour.samples().back().D);
  const double turned = contour.turned() - end_phase;
  result.unstable_roots = static_cast<int>(std::lround(-turned / pi));
  const double last = contour.samples().back().omega;
  result.bounded_above = true;
  for (const double factor : {1.0, 1.07, 1.19, 1.5, 2.3}) {
    result.bounded_above = result.bounded_above && spectral_radius(linear, factor * last) < 1;
  }
  RootList roots(linear, options);
  seed_from_axis(contour.samples(), roots);
  seed_from_real_axis(linear, roots);
  if (roots.unstable() < result.unstable_roots) seed_from_half_plane(options, result.unstable_roots, roots);
  result.roots_complete = roots.unstable() == result.unstable_roots;
  result.stable = result.unstable_roots == 0 && roots.unstable() == 0;
  for (const Complex& root : roots.roots()) result.modes.push_back(mode_at(linear, root));
  std::sort(result.modes.begin(), result.modes.end(),
            [](const Mode& a, const Mode& b) { return a.lambda_per_ms.real() > b.lambda_per_ms.real(); });
  return result;
}

Sensitivity sensitivity(const Linearisation& linear, double frequency_hz) {
  const Eigen::MatrixXcd W = linear.connectivity(Complex(0, frequency_hz * kPerMsOfHz));
  const NearestEigenvalue nearest = nearest_one(W);
  Sensitivity result;
  result.frequency_hz = frequency_hz;
  result.eigenvalue = nearest.value;
  const Complex product = nearest.left.dot(nearest.right);  // conjugates the first
  const Complex to_one = (1.0 - nearest.value) / std::abs(1.0 - nearest.value);
  result.amplitude.resize(W.rows(), W.cols());
  result.frequency.resize(W.rows(), W.cols());
  for (Eigen::Index i = 0; i < W.rows(); ++i) {
    for (Eigen::Index j = 0; j < W.cols(); ++j) {
      const Complex T = std::conj(nearest.left[i]) * W(i, j) * nearest.right[j] / product;
      const Complex rotated = T * std::conj(to_one);
      result.amplitude(i, j) = rotated.real();
      result.frequency(i, j) = rotated.imag();
    }
  }
  return result;
}

}  // namespace triscale::meanfield

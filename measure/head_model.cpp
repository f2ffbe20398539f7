#include "measure/head_model.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "measure/dipole.hpp"
#include "measure/vectors.hpp"

namespace triscale::measure {

namespace {

/// Enough for an electrode on the surface of the brain and a dipole 1 % of the radius below it.
constexpr int kMostTerms = 5000;
constexpr double kTolerance = 1e-12;
/// An electrode on the scalp may lie outside it by rounding.
constexpr double kOnTheScalp = 1 + 1e-9;

}  // namespace

FourSphereHead::FourSphereHead(const std::array<double, 4>& radii_um, const std::array<double, 4>& conductivities_S_m)
    : radii_um_(radii_um), sigma_S_m_(conductivities_S_m) {
  for (int n = 1; n <= kMostTerms; ++n) coefficients_.push_back(solve(n));
}

FourSphereHead::Coefficients FourSphereHead::solve(int n) const {
  // Unknowns A_1, A_2, B_2, A_3, B_3, A_4, B_4; two rows a boundary, potential and current (divided by n), then the
  // scalp.
  Eigen::Matrix<double, 7, 7> M = Eigen::Matrix<double, 7, 7>::Zero();
  Eigen::Matrix<double, 7, 1> y = Eigen::Matrix<double, 7, 1>::Zero();
  const double k = (n + 1.0) / n;
  const auto ratio = [&](int shell) {
    const auto s = static_cast<std::size_t>(shell);
    return radii_um_[s - 1] / radii_um_[s];
  };
  const auto sigma = [&](int shell) { return sigma_S_m_[static_cast<std::size_t>(shell)]; };
  for (int inner = 0; inner < 3; ++inner) {
    const int outer = inner + 1, row = 2 * inner;
    const int A_inner = inner == 0 ? 0 : 2 * inner - 1, A_outer = 2 * outer - 1;
    const double fall = std::pow(ratio(outer), n);
    M(row, A_inner) = 1;
    M(row + 1, A_inner) = sigma(inner);
    if (inner == 0) {  // the dipole's own term, 1 at r_1
      y(row) = -1;
      y(row + 1) = k * sigma(0);
    } else {
      const double grow = std::pow(ratio(inner), n + 1);
      M(row, A_inner + 1) = grow;
      M(row + 1, A_inner + 1) = -k * sigma(inner) * grow;
    }
    M(row, A_outer) = -fall;
    M(row + 1, A_outer) = -sigma(outer) * fall;
    M(row, A_outer + 1) = -1;
    M(row + 1, A_outer + 1) = k * sigma(outer);
  }
  M(6, 5) = 1;
  M(6, 6) = -k * std::pow(ratio(3), n + 1);
  const Eigen::Matrix<double, 7, 1> x = M.partialPivLu().solve(y);
  return {{x(0), x(1), x(3), x(5)}, {0, x(2), x(4), x(6)}};
}

double FourSphereHead::radial_part(int n, std::size_t shell, double r_um) const {
  const Coefficients& c = coefficients_[static_cast<std::size_t>(n - 1)];
  const double regular = c.A[shell] * std::pow(r_um / radii_um_[shell], n);
  return shell == 0 ? regular : regular + c.B[shell] * std::pow(radii_um_[shell - 1] / r_um, n + 1);
}

Vec3 FourSphereHead::lead_field_mV(const Vec3& electrode_um, const Vec3& dipole_um) const {
  const double r = norm(electrode_um), r_z = norm(dipole_um);
  if (!(r <= radii_um_[3] * kOnTheScalp)) {
    throw core::InputError({"", "electrode", fmt::format("{} um from the centre", r),
                            fmt::format("must not be outside the scalp, at {} um", radii_um_[3]), ""});
  }
  if (!(r_z < radii_um_[0])) {
    throw core::InputError({"", "current dipole", fmt::format("{} um from the centre", r_z),
                            fmt::format("must be inside the brain, whose radius is {} um", radii_um_[0]),
                            "place the head's centre so that the cells are in its brain"});
  }
  std::size_t shell = 0;
  while (shell < 3 && r > radii_um_[shell]) ++shell;

  // Unit vectors along the dipole's position and, orthogonal to it, towards the electrode.
  const Vec3 radial = r_z > 0 ? (1 / r_z) * dipole_um : Vec3{0, 0, 1};
  const Vec3 across = electrode_um - dot(electrode_um, radial) * radial;
  const double across_um = norm(across);
  const Vec3 tangential = across_um > 0 ? (1 / across_um) * across : Vec3{};
  const double x = r > 0 ? dot(electrode_um, radial) / r : 0, sine = r > 0 ? across_um / r : 0;

  double P_before = 1, P = x, P1_before = 0, P1 = sine;  // P_(n-1), P_n, P_(n-1)^1, P_n^1
  double S = 1 / (radii_um_[0] * radii_um_[0]);
  double radial_sum = 0, tangential_sum = 0, largest = 0;
  for (int n = 1;; ++n) {
    const double term = S * radial_part(n, shell, r);
    radial_sum += n * term * P;
    tangential_sum += term * P1;
    // |P_n| <= 1 and |P_n^1| <= n; terms fall at least geometrically once n is a few times 1/(1 - ratio).
    largest = std::max(largest, n * std::abs(term));
    if (n * n * std::abs(term) <= kTolerance * largest || term == 0) break;
    if (n == kMostTerms) {
      throw core::NumericalError(fmt::format(
          "four-sphere head: the sum of {} terms has not converged for a dipole {} um and an electrode {} um "
          "from the centre, both close to the surface of the brain",
          n, r_z, r));
    }
    const double next = ((2 * n + 1) * x * P - n * P_before) / (n + 1);
    const double next1 = ((2 * n + 1) * x * P1 - (n + 1) * P1_before) / n;
    P_before = P, P = next, P1_before = P1, P1 = next1;
    S *= r_z / radii_um_[0];
  }
  const double scale = 1 / (4 * std::numbers::pi * sigma_S_m_[0]);
  Vec3 lead = (scale * radial_sum) * radial + (scale * tangential_sum) * tangential;
  if (shell == 0) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      Vec3 unit{};
      unit[axis] = 1;
      lead[axis] += dipole_potential_mV(unit, electrode_um - dipole_um, sigma_S_m_[0]);
    }
  }
  return lead;
}

}  // namespace triscale::measure

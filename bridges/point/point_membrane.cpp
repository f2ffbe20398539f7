#include "bridges/point/point_membrane.hpp"

#include <ceres/ceres.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numbers>

#include "bridges/point/synapse_reduction.hpp"
#include "core/error.hpp"

namespace triscale::bridges {

namespace {

constexpr double kTwoPiPerMs = 2e-3 * std::numbers::pi;  // f in Hz to angular frequency in 1/ms

/// The differences of the two impedances at the soma, real and imaginary part of every frequency.
struct Difference {
  const ImpedanceSpectrum& spectrum;
  double E_L_mV;

  /// Logarithms of C, g_L, C_d / C and g_c.
  PassiveMembrane membrane(const double* x) const {
    PassiveMembrane out{std::exp(x[0]), std::exp(x[1]), E_L_mV};
    network::GifModel::Dendrite& d = out.dendrite.emplace();
    d.C_nF = std::exp(x[2]) * out.C_m_nF;
    d.g_L_uS = std::exp(x[2]) * out.g_L_uS;
    d.coupling_uS = std::exp(x[3]);
    return out;
  }
  bool operator()(const double* const* x, double* residual) const {
    const PassiveMembrane trial = membrane(x[0]);
    for (std::size_t k = 0; k < spectrum.frequencies_Hz.size(); ++k) {
      const Complex difference =
          std::sqrt(spectrum.widths_Hz[k]) *
          (impedance_of(trial, spectrum.frequencies_Hz[k]).soma - spectrum.input[k][spectrum.soma]);
      *residual++ = difference.real();
      *residual++ = difference.imag();
    }
    return true;
  }
};

}  // namespace

PointImpedance impedance_of(const PassiveMembrane& m, double frequency_Hz) {
  const double w = kTwoPiPerMs * frequency_Hz;
  const Complex y(m.g_L_uS, w * m.C_m_nF);
  if (!m.dendrite) return {1.0 / y, 1.0 / y, 1.0 / y};
  const double g_c = m.dendrite->coupling_uS;
  const Complex soma = y + g_c, dendrite = Complex(m.dendrite->g_L_uS, w * m.dendrite->C_nF) + g_c;
  const Complex N = soma * dendrite - g_c * g_c;
  return {dendrite / N, g_c / N, soma / N};
}

double impedance_error(const PassiveMembrane& membrane, const ImpedanceSpectrum& spectrum) {
  double error = 0, all = 0;
  for (std::size_t k = 0; k < spectrum.frequencies_Hz.size(); ++k) {
    const Complex Z = spectrum.input[k][spectrum.soma];
    error += spectrum.widths_Hz[k] * std::norm(impedance_of(membrane, spectrum.frequencies_Hz[k]).soma - Z);
    all += spectrum.widths_Hz[k] * std::norm(Z);
  }
  return std::sqrt(error / all);
}

PassiveMembrane fit_one_compartment(const ImpedanceSpectrum& spectrum, double E_L_mV) {
  // Minimises int |Z - 1/(g + i w C)|^2 df over (g, C) by Gauss-Newton from the values at 1 and 30 Hz.
  const std::size_t n = spectrum.frequencies_Hz.size();
  const auto Z = [&](std::size_t k) { return spectrum.input[k][spectrum.soma]; };
  double g = std::max(1e-6, (1.0 / Z(0)).real());
  std::size_t middle = 0;
  while (middle + 1 < n && spectrum.frequencies_Hz[middle] < 30) ++middle;
  double C = std::max(1e-6, (1.0 / Z(middle)).imag() / (kTwoPiPerMs * spectrum.frequencies_Hz[middle]));
  for (int iteration = 0; iteration < 50; ++iteration) {
    double a = 0, b = 0, d = 0, x = 0, y = 0;
    for (std::size_t k = 0; k < n; ++k) {
      const double w = kTwoPiPerMs * spectrum.frequencies_Hz[k];
      const Complex model = 1.0 / Complex(g, w * C);
      const Complex dg = -model * model, dC = Complex(0, w) * dg, r = Z(k) - model;
      const double width = spectrum.widths_Hz[k];
      a += width * std::norm(dg);
      b += width * (std::conj(dg) * dC).real();
      d += width * std::norm(dC);
      x += width * (std::conj(dg) * r).real();
      y += width * (std::conj(dC) * r).real();
    }
    const double determinant = a * d - b * b;
    const double step_g = (d * x - b * y) / determinant, step_C = (a * y - b * x) / determinant;
    // A step never takes more than half of a parameter away.
    const double scale = std::min({1.0, 0.5 * g / std::max(1e-300, -step_g), 0.5 * C / std::max(1e-300, -step_C)});
    const double limited = scale > 0 ? scale : 1.0;
    g += limited * step_g;
    C += limited * step_C;
    if (std::abs(step_g) < 1e-10 * g && std::abs(step_C) < 1e-10 * C) break;
  }
  return {C, g, E_L_mV};
}

PassiveMembrane fit_two_compartments(const ImpedanceSpectrum& spectrum, double E_L_mV) {
  constexpr std::array kSomaShares{0.1, 0.3, 0.6};  // of the capacitance, to start from
  constexpr double kCouplingToLeak = 5;
  const PassiveMembrane one = fit_one_compartment(spectrum, E_L_mV);
  const Difference difference{spectrum, E_L_mV};
  PassiveMembrane best;
  double least = -1;
  for (const double share : kSomaShares) {
    std::array<double, 4> x{std::log(share * one.C_m_nF), std::log(share * one.g_L_uS), std::log((1 - share) / share),
                            std::log(kCouplingToLeak * one.g_L_uS)};
    ceres::Problem problem;
    auto cost =
        std::make_unique<ceres::DynamicNumericDiffCostFunction<Difference, ceres::CENTRAL>>(new Difference(difference));
    cost->AddParameterBlock(static_cast<int>(x.size()));
    cost->SetNumResiduals(static_cast<int>(2 * spectrum.frequencies_Hz.size()));
    problem.AddResidualBlock(cost.release(), nullptr, x.data());
    ceres::Solver::Options solver;
    solver.linear_solver_type = ceres::DENSE_QR;
    solver.logging_type = ceres::SILENT;
    solver.max_num_iterations = 200;
    solver.function_tolerance = 1e-10;
    ceres::Solver::Summary summary;
    ceres::Solve(solver, &problem, &summary);
    if (!summary.IsSolutionUsable() || (least >= 0 && !(summary.final_cost < least))) continue;
    least = summary.final_cost;
    best = difference.membrane(x.data());
  }
  if (!(least >= 0)) throw core::NumericalError("no two compartments found that have the impedance of the cell");
  return best;
}

PassiveMembrane fit_membrane(const ImpedanceSpectrum& spectrum, double E_L_mV) {
  constexpr double kGoodEnough = 0.05, kWorthIt = 0.5;
  const PassiveMembrane one = fit_one_compartment(spectrum, E_L_mV);
  const double error = impedance_error(one, spectrum);
  if (error < kGoodEnough) return one;
  const PassiveMembrane two = fit_two_compartments(spectrum, E_L_mV);
  return impedance_error(two, spectrum) < kWorthIt * error ? two : one;
}

}  // namespace triscale::bridges

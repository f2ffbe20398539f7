/// Exact mean field of a large population of quadratic integrate-and-fire cells, tau dV/dt = V^2 + eta + J tau r + I,
/// all coupled to all, whose eta is Lorentzian with centre eta and half width Delta, without noise (Montbrio, Pazo &
/// Roxin 2015, Phys. Rev. X 5:021028):
///
///   tau dr/dt = Delta / (pi tau) + 2 r v
///   tau dv/dt = v^2 + eta + J tau r + I - (pi tau r)^2
///
/// r: rate in 1/ms (kHz); v: mean potential, dimensionless. Fixed points, with rho = tau r and v = -Delta / (2 pi rho):
///   -pi^2 rho^4 + J rho^3 + (eta + I) rho^2 + Delta^2 / (4 pi^2) = 0.
/// Folds, as a curve over rho:  J = 2 pi^2 rho + Delta^2/(2 pi^2 rho^3),  eta = -pi^2 rho^2 - 3 Delta^2/(4 pi^2 rho^2),
/// which meet in a cusp at rho^4 = 3 Delta^2 / (4 pi^4).
///
/// Networks of such populations couple through sum_j J_ij tau_i r_j(t - d_ij). They are integrated by Heun's method;
/// delays are multiples of the step, so that coupling enters at grid points and the second order is kept.
#pragma once

#include <Eigen/Dense>
#include <array>
#include <complex>
#include <cstddef>
#include <functional>
#include <vector>

#include "core/isa.hpp"

namespace triscale::meanfield {

struct QifPopulation {
  double tau_ms = 10;
  double Delta = 1;
  double eta = -5;
  double J = 15;  ///< coupling onto itself without delay
};

/// A cell C dV/dt = k (V - V_rest)(V - V_threshold) + I with Lorentzian I of half width Delta_I, as a QifPopulation
/// with tau = 1 ms: x = (k/C)(V - (V_rest + V_threshold)/2).
struct PhysicalQif {
  double C_nF = 0.1;
  double k_uS_per_mV = 0.0007;
  double V_rest_mV = -60, V_threshold_mV = -40;
  double I_nA = 0, Delta_I_nA = 0.01;
};
QifPopulation to_population(const PhysicalQif& cell);

struct QifFixedPoint {
  double rate_per_ms = 0;
  double v = 0;
  std::array<std::complex<double>, 2> eigenvalues_per_ms;
  bool stable() const { return eigenvalues_per_ms[0].real() < 0 && eigenvalues_per_ms[1].real() < 0; }
};
/// All of them, ascending in rate; I adds to eta.
std::vector<QifFixedPoint> fixed_points(const QifPopulation& population, double I = 0);

struct QifFold {
  double rate_per_ms = 0;
  double eta = 0;
};
/// The values of eta at which two fixed points meet, ascending in rate: two above the cusp's J, else none.
std::vector<QifFold> folds(const QifPopulation& population);

struct QifCusp {
  double rate_per_ms = 0, J = 0, eta = 0;
};
QifCusp cusp(const QifPopulation& population);

/// Kuramoto's order parameter of the phases: Z = (1 - W*)/(1 + W*), W = pi tau r + i v.
std::complex<double> order_parameter(const QifPopulation& population, double rate_per_ms, double v);

struct QifNetwork {
  std::vector<QifPopulation> populations;
  Eigen::MatrixXd coupling;  ///< J_ij beyond the population's own J; row = target
  Eigen::MatrixXd delay_ms;  ///< rounded to steps; at least one step where coupling is not 0
};

struct QifState {
  std::vector<double> rate_per_ms, v;
};

/// Input I of all populations at time t.
using QifInput = std::function<void(double t_ms, std::vector<double>& I)>;
/// Called with time and state every `observe_every` steps.
using QifObserver = std::function<void(double t_ms, const QifState& state)>;

/// Integrates `state` over `steps` of dt. Before t = 0 the rates were those of the start state. Throws core::InputError
/// for a network that does not fit, core::NumericalError if a state stops being finite.
void integrate(const QifNetwork& network, QifState& state, double dt_ms, std::size_t steps, const QifInput& input = {},
               std::size_t observe_every = 0, const QifObserver& observe = {});
/// Same bits with a given instruction set.
void integrate(const QifNetwork& network, QifState& state, double dt_ms, std::size_t steps, core::Isa isa,
               const QifInput& input = {}, std::size_t observe_every = 0, const QifObserver& observe = {});

}  // namespace triscale::meanfield

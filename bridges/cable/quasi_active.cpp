#include "bridges/cable/quasi_active.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "core/error.hpp"
#include "detailed/mechanisms.hpp"
#include "network/density_profile.hpp"

namespace triscale::bridges {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {
constexpr double kMicrosiemensPerUm2 = 1e-2;  // of 1 S/cm2; likewise nA of 1 mA/cm2
}

/// The membrane at one place of a section of one kind: all its mechanisms, per unit of area.
class QuasiActiveCell::Patch {
 public:
  Patch(const network::DetailedCell& cell, network::SectionKind kind, double celsius, std::size_t section,
        double position)
      : celsius_(celsius), Ca_out_mM_(cell.Ca_out_mM) {
    const network::RegionProperties& region = cell.regions[static_cast<std::size_t>(kind)];
    const detailed::MechanismEnvironment environment{celsius, region.E_Na_mV, region.E_K_mV, cell.Ca_out_mM};
    for (const network::MechanismPlacement& placement : cell.mechanisms) {
      if (placement.region != kind) continue;
      const double factor =
          placement.density ? network::DensityFactors(*cell.morphology, placement).at(section, position) : 1.0;
      for (auto& mechanism : detailed::make_mechanisms(detailed::scaled(placement, factor), environment)) {
        if (mechanism->reads_calcium()) reads_calcium_ = true;
        if (mechanism->is_calcium_pool()) {
          pool_ = static_cast<Index>(n_states_);
          mechanism->steady_state(region.e_pas_mV, 0, &Ca_rest_mM_);
        }
        offsets_.push_back(n_states_);
        n_states_ += mechanism->n_states();
        mechanisms_.push_back(std::move(mechanism));
      }
    }
  }

  bool passive() const { return mechanisms_.empty(); }
  Index n_states() const { return static_cast<Index>(n_states_); }

  /// Current density (mA/cm2) and state derivatives (1/ms).
  double evaluate(double V_mV, const VectorXd& x, VectorXd* dx) const {
    const double Ca = pool_ >= 0 ? x[pool_] : detailed::kDefaultCa_mM;
    const double E_Ca = pool_ >= 0 ? detailed::nernst_Ca_mV(celsius_, Ca_out_mM_, Ca) : E_Ca_without_pool();
    double i = 0, i_Ca = 0;
    for (std::size_t m = 0; m < mechanisms_.size(); ++m) {
      const double part =
          mechanisms_[m]->conductance_S_cm2(V_mV, x.data() + offsets_[m]) * (V_mV - mechanisms_[m]->reversal_mV(E_Ca));
      i += part;
      if (mechanisms_[m]->carries_calcium()) i_Ca += part;
    }
    if (dx != nullptr) {
      for (std::size_t m = 0; m < mechanisms_.size(); ++m) {
        mechanisms_[m]->derivative(V_mV, Ca, i_Ca, x.data() + offsets_[m], dx->data() + offsets_[m]);
      }
    }
    return i;
  }

  /// All states at rest at a fixed potential. The calcium concentration solves d[Ca]/dt = 0 by the secant rule.
  VectorXd steady_state(double V_mV) const {
    VectorXd x(n_states());
    if (pool_ < 0) {
      set_gates(V_mV, detailed::kDefaultCa_mM, x);
      return x;
    }
    constexpr int kMaxIterations = 60;
    double Ca = Ca_rest_mM_, Ca_next = 1.001 * Ca;
    double rate = calcium_rate(V_mV, Ca, x);
    for (int k = 0; k < kMaxIterations && std::abs(Ca_next - Ca) > 1e-14 * Ca; ++k) {
      const double rate_next = calcium_rate(V_mV, Ca_next, x);
      if (rate_next == rate) break;
      const double guess = Ca_next - rate_next * (Ca_next - Ca) / (rate_next - rate);
      Ca = Ca_next;
      rate = rate_next;
      Ca_next = std::max(guess, 0.1 * Ca);
    }
    set_gates(V_mV, Ca_next, x);
    x[pool_] = Ca_next;
    return x;
  }

 private:
  double E_Ca_without_pool() const {
    return reads_calcium_ ? detailed::nernst_Ca_mV(celsius_, Ca_out_mM_, detailed::kDefaultCa_mM)
                          : detailed::kDefaultE_Ca_mV;
  }
  void set_gates(double V_mV, double Ca_mM, VectorXd& x) const {
    for (std::size_t m = 0; m < mechanisms_.size(); ++m) {
      if (mechanisms_[m]->is_calcium_pool()) continue;
      mechanisms_[m]->steady_state(V_mV, Ca_mM, x.data() + offsets_[m]);
    }
  }
  double calcium_rate(double V_mV, double Ca_mM, VectorXd& x) const {
    set_gates(V_mV, Ca_mM, x);
    x[pool_] = Ca_mM;
    VectorXd dx(n_states());
    evaluate(V_mV, x, &dx);
    return dx[pool_];
  }

  double celsius_, Ca_out_mM_;
  std::vector<std::unique_ptr<detailed::Mechanism>> mechanisms_;
  std::vector<std::size_t> offsets_;
  std::size_t n_states_ = 0;
  Index pool_ = -1;
  bool reads_calcium_ = false;
  double Ca_rest_mM_ = detailed::kDefaultCa_mM;  ///< without calcium current
};

/// di/dV, di/dx, df/dV, df/dx of one node, per unit of area.
struct QuasiActiveCell::Linearised {
  double di_dV = 0;
  VectorXd di_dx, df_dV;
  MatrixXd df_dx;
};

namespace {

// Central differences: the kinetics are smooth, so the error is of order step^2, far below what impedances need.
constexpr double kVoltageStep_mV = 1e-3;
constexpr double kRelativeStateStep = 1e-5;

}  // namespace

QuasiActiveCell::QuasiActiveCell(const network::DetailedCell& cell, const network::RunSettings& run,
                                 std::optional<double> V_hold_mV)
    : tree_(detailed::build_compartments(cell, run.compartments)) {
  make_patches(cell, run);
  find_rest(run.V_init_mV, V_hold_mV);
  linearise();
}

QuasiActiveCell::QuasiActiveCell(const network::DetailedCell& cell, const network::RunSettings& run,
                                 std::vector<double> V_mV)
    : tree_(detailed::build_compartments(cell, run.compartments)), V_mV_(std::move(V_mV)) {
  make_patches(cell, run);
  linearise();
}

void QuasiActiveCell::make_patches(const network::DetailedCell& cell, const network::RunSettings& run) {
  // One patch serves all nodes of a kind of section, unless densities vary there.
  std::array<bool, network::kSectionKinds> varies{};
  for (const network::MechanismPlacement& placement : cell.mechanisms) {
    if (placement.density) varies[static_cast<std::size_t>(placement.region)] = true;
  }
  std::array<std::int64_t, network::kSectionKinds> of_kind;
  of_kind.fill(-1);
  for (std::size_t i = 0; i < tree_.size(); ++i) {
    const auto kind = static_cast<std::size_t>(tree_.kinds[i]);
    if (of_kind[kind] < 0 || varies[kind]) {
      of_kind[kind] = static_cast<std::int64_t>(patches_.size());
      patches_.push_back(
          std::make_unique<Patch>(cell, tree_.kinds[i], run.celsius, tree_.sections[i], tree_.positions[i]));
    }
    patch_of_node_.push_back(static_cast<std::size_t>(of_kind[kind]));
  }
}

QuasiActiveCell::~QuasiActiveCell() = default;
QuasiActiveCell::QuasiActiveCell(QuasiActiveCell&&) noexcept = default;

const QuasiActiveCell::Patch& QuasiActiveCell::patch_of(std::size_t node) const {
  return *patches_[patch_of_node_[node]];
}

/// Implicit Euler steps of growing length on the membrane equation with all states at their steady values: first as
/// stable as the physical relaxation, in the end Newton's method on the resting state.
void QuasiActiveCell::find_rest(double V_init_mV, std::optional<double> V_hold_mV) {
  constexpr double kClamp_uS = 1e4;
  constexpr int kMaxSteps = 400;
  constexpr double kTolerance_mV = 1e-10;
  const std::size_t n = tree_.size();
  V_mV_.assign(n, V_init_mV);
  std::vector<double> slope(n), rhs(n);
  double dt_ms = 0.5;
  for (int step = 0; step < kMaxSteps; ++step) {
    for (std::size_t i = 0; i < n; ++i) {
      double g = tree_.g_pas_uS[i];
      double I = g * (V_mV_[i] - tree_.e_pas_mV[i]);
      const Patch& patch = patch_of(i);
      if (!patch.passive() && tree_.areas_um2[i] > 0) {
        const double scale = tree_.areas_um2[i] * kMicrosiemensPerUm2;
        const auto current = [&](double V) { return patch.evaluate(V, patch.steady_state(V), nullptr); };
        I += scale * current(V_mV_[i]);
        g +=
            scale * (current(V_mV_[i] + kVoltageStep_mV) - current(V_mV_[i] - kVoltageStep_mV)) / (2 * kVoltageStep_mV);
      }
      if (V_hold_mV && i == tree_.soma()) {
        I += kClamp_uS * (V_mV_[i] - *V_hold_mV);
        g += kClamp_uS;
      }
      slope[i] = g + tree_.C_nF[i] / dt_ms;
      rhs[i] = -I;
    }
    for (std::size_t i = 1; i < n; ++i) {
      const auto p = static_cast<std::size_t>(tree_.parents[i]);
      const double flow = tree_.g_axial_uS[i] * (V_mV_[i] - V_mV_[p]);
      rhs[i] -= flow;
      rhs[p] += flow;
    }
    const std::vector<double> dV = solve_tree(tree_.parents, tree_.g_axial_uS, slope, rhs);
    double largest = 0;
    for (std::size_t i = 0; i < n; ++i) {
      V_mV_[i] += dV[i];
      largest = std::max(largest, std::abs(dV[i]));
    }
    if (!std::isfinite(largest)) break;
    if (largest < kTolerance_mV && dt_ms > 1e6) {
      if (V_hold_mV) holding_current_nA_ = -kClamp_uS * (V_mV_[tree_.soma()] - *V_hold_mV);
      return;
    }
    if (largest < 5) dt_ms *= 1.5;
  }
  throw core::NumericalError("the cell has no resting state that can be found from its initial potential");
}

void QuasiActiveCell::linearise() {
  linear_.resize(tree_.size());
  for (std::size_t i = 0; i < tree_.size(); ++i) {
    const Patch& patch = patch_of(i);
    if (patch.passive() || !(tree_.areas_um2[i] > 0)) continue;
    const Index n = patch.n_states();
    const double V = V_mV_[i];
    VectorXd x = patch.steady_state(V), up(n), down(n);
    Linearised& l = linear_[i];
    l.di_dx.resize(n);
    l.df_dx.resize(n, n);
    l.di_dV = (patch.evaluate(V + kVoltageStep_mV, x, &up) - patch.evaluate(V - kVoltageStep_mV, x, &down)) /
              (2 * kVoltageStep_mV);
    l.df_dV = (up - down) / (2 * kVoltageStep_mV);
    for (Index k = 0; k < n; ++k) {
      const double x_k = x[k];
      const double h = kRelativeStateStep * std::max(std::abs(x_k), 1e-12);
      x[k] = x_k + h;
      const double i_up = patch.evaluate(V, x, &up);
      x[k] = x_k - h;
      const double i_down = patch.evaluate(V, x, &down);
      x[k] = x_k;
      l.di_dx[k] = (i_up - i_down) / (2 * h);
      l.df_dx.col(k) = (up - down) / (2 * h);
    }
  }
}

std::vector<Complex> QuasiActiveCell::membrane_admittance_uS(double frequency_Hz, Channels channels) const {
  // At exactly 0 Hz a kinetic scheme whose occupancies add up to 1 is singular; its limit is not.
  constexpr double kSmallest_per_ms = 1e-9;
  const double w = 2e-3 * std::numbers::pi * frequency_Hz;
  std::vector<Complex> y = membrane_admittance_at({0, std::max(w, kSmallest_per_ms)}, channels);
  if (frequency_Hz != 0) return y;
  for (Complex& admittance : y) admittance = admittance.real();
  return y;
}

std::vector<Complex> QuasiActiveCell::membrane_admittance_at(Complex s_per_ms, Channels channels) const {
  std::vector<Complex> y(tree_.size());
  for (std::size_t i = 0; i < tree_.size(); ++i) {
    y[i] = tree_.g_pas_uS[i] + s_per_ms * tree_.C_nF[i];
    const Linearised& l = linear_[i];
    if (l.di_dx.size() == 0 && l.di_dV == 0) continue;
    Complex density = l.di_dV;
    if (channels == Channels::linearised && l.di_dx.size() > 0) {
      Eigen::MatrixXcd M = -l.df_dx.cast<Complex>();
      M.diagonal().array() += s_per_ms;
      const Eigen::VectorXcd dx = M.partialPivLu().solve(l.df_dV.cast<Complex>());
      density += (l.di_dx.cast<Complex>().transpose() * dx)(0);
    }
    y[i] += tree_.areas_um2[i] * kMicrosiemensPerUm2 * density;
  }
  return y;
}

TreeImpedance QuasiActiveCell::impedance(double frequency_Hz, Channels channels) const {
  const std::vector<Complex> y = membrane_admittance_uS(frequency_Hz, channels);
  return tree_impedance(tree_.parents, tree_.g_axial_uS, y, tree_.soma());
}

}  // namespace triscale::bridges

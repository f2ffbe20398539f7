/// The mechanisms CaDynamics and CaDynamics_E2.
#pragma once

#include <cmath>

#include "detailed/kernels.hpp"
#include "detailed/mechanisms.hpp"
#include "detailed/placed.hpp"

namespace triscale::detailed {

inline constexpr double kFaraday = 96485.33212;      // C/mol
inline constexpr double kGasConstant = 8.314462618;  // J/(mol K)

inline double nernst_factor_mV(double celsius) {
  return 1e3 * kGasConstant * (celsius + 273.15) / (2.0 * kFaraday);
}

/// Calcium in a thin shell under the membrane (Destexhe et al. 1994):
///   d[Ca]/dt = -1e4 gamma i_Ca / (2 F depth) - ([Ca] - minCai)/decay,     E_Ca = RT/(2F) ln(Ca_out/[Ca]),
/// i_Ca in mA/cm2, depth in um, F = 96485 C/mol. Starts at minCai; CaDynamics_E2, which has no initial block, at
/// NEURON's default concentration. In the second-order scheme the concentration stands
/// at whole steps, moves with the current in the middle of the step, and E_Ca of the step is taken half a step ahead.
class CaDynamics final : public Mechanism {
 public:
  CaDynamics(double gamma, double decay_ms, double depth_um, double min_Ca_mM, double start_mM,
             const MechanismEnvironment& environment)
      : pool_{-1e4 * gamma / (2.0 * kFaraday * depth_um),
              decay_ms,
              min_Ca_mM,
              nernst_factor_mV(environment.celsius),
              environment.Ca_out_mM,
              environment.scheme == network::TimeScheme::second_order},
        start_mM_(start_mM) {}

  void place(const MechanismSite& site) override { placed_.place(site, 0, 0); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView& view, std::size_t block) override {
    const Instances at = placed_.in(block);
    for (std::size_t i = at.first; i < at.last; ++i) {
      for (int c = 0; c < kColumns; ++c) view.Ca_mM[at.nodes[i] * kColumns + c] = broadcast<Lanes>(start_mM_);
    }
    prepare(view, 0, block);
  }
  void prepare(const MembraneView& view, double dt_ms, std::size_t block) const override {
    const double ahead = pool_.second_order ? -std::expm1(-0.5 * dt_ms / pool_.decay_ms) : 0.0;
    kernels().calcium_prepare(placed_.in(block), view, pool_, ahead);
  }
  void add_currents(const MembraneView&, std::size_t) const override {}
  void advance(const MembraneView& view, double dt_ms, std::size_t block) override {
    kernels().calcium_advance(placed_.in(block), view, pool_, -std::expm1(-dt_ms / pool_.decay_ms));
  }
  std::size_t n_states() const override { return 1; }
  void steady_state(double, double, double* x) const override { x[0] = pool_.min_Ca_mM; }
  void start_state(double, double, double* x) const override { x[0] = start_mM_; }
  void derivative(double, double, double i_Ca_mA_cm2, const double* x, double* dx) const override {
    dx[0] = pool_.source * i_Ca_mA_cm2 - (x[0] - pool_.min_Ca_mM) / pool_.decay_ms;
  }
  double conductance_S_cm2(double, const double*) const override { return 0; }
  double reversal_mV(double E_Ca_mV) const override { return E_Ca_mV; }
  bool is_calcium_pool() const override { return true; }

 private:
  CalciumPool pool_;
  double start_mM_;
  Placed placed_;
};

}  // namespace triscale::detailed

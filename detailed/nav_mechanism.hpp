/// The mechanism NaV, whose twelve states move together (detailed/nav.hpp).
#pragma once

#include "detailed/kernels.hpp"
#include "detailed/mechanisms.hpp"
#include "detailed/nav.hpp"
#include "detailed/placed.hpp"

namespace triscale::detailed {

/// NaV (detailed/nav.hpp).
class Nav final : public Mechanism {
 public:
  Nav(double gbar_S_cm2, bool published_start, const MechanismEnvironment& environment)
      : gbar_(gbar_S_cm2),
        published_start_(published_start),
        k_(q10_factor(2.3, environment.celsius, 37)),
        E_mV_(environment.E_Na_mV),
        advance_(environment.scheme == network::TimeScheme::second_order ? kernels().nav_advance_second_order
                                                                         : kernels().nav_advance) {}

  void place(const MechanismSite& site) override { placed_.place(site, gbar_, NavScheme::kStates); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView& view, std::size_t block) override {
    const Instances at = placed_.in(block);
    kernels().nav_initialise(at, view, k_);
    if (!published_start_) return;
    for (std::size_t i = at.first; i < at.last; ++i) {
      for (int cell = 0; cell < kGroupCells; ++cell) {
        const int c = cell / kLaneWidth, lane = cell % kLaneWidth;
        double x[NavScheme::kStates];
        start_state(view.V_mV[at.nodes[i] * kColumns + c][lane], 0, x);
        for (int s = 0; s < NavScheme::kStates; ++s)
          at.states[(i * NavScheme::kStates + s) * kColumns + c][lane] = x[s];
      }
    }
  }
  void add_currents(const MembraneView& view, std::size_t block) const override {
    kernels().nav_add(placed_.in(block), view, E_mV_);
  }
  void advance(const MembraneView& view, double dt_ms, std::size_t block) override {
    advance_(placed_.in(block), view, k_, dt_ms);
  }

  std::size_t n_states() const override { return NavScheme::kStates; }
  void steady_state(double V_mV, double, double* x) const override {
    NavScheme::stationary(NavScheme::rates(V_mV, k_), x, 1);
  }
  void start_state(double V_mV, double Ca_mM, double* x) const override {
    if (!published_start_) return steady_state(V_mV, Ca_mM, x);
    NavScheme::published_start(NavScheme::rates(V_mV, k_), x);
  }
  void derivative(double V_mV, double, double, const double* x, double* dx) const override {
    NavScheme::derivative(NavScheme::rates(V_mV, k_), x, dx);
  }
  double conductance_S_cm2(double, const double* x) const override { return gbar_ * x[NavScheme::kOpen]; }
  double reversal_mV(double) const override { return E_mV_; }

 private:
  double gbar_;
  bool published_start_;
  double k_, E_mV_;
  void (*advance_)(const Instances&, const MembraneView&, double, double);
  Placed placed_;
};

}  // namespace triscale::detailed

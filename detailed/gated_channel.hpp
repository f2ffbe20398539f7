/// Mechanisms whose conductance comes from independent gates (detailed/channels.hpp), or does not change.
#pragma once

#include <algorithm>

#include "detailed/channels.hpp"
#include "detailed/kernels.hpp"
#include "detailed/mechanisms.hpp"
#include "detailed/placed.hpp"

namespace triscale::detailed {

inline constexpr double kE_h_mV = -45.0;

inline double reversal_of(Ion ion, const MechanismEnvironment& environment) {
  switch (ion) {
    case Ion::sodium:
      return environment.E_Na_mV;
    case Ion::potassium:
      return environment.E_K_mV;
    case Ion::hcn:
      return kE_h_mV;
    case Ion::calcium:
      return kDefaultE_Ca_mV;
  }
  return 0;
}

template <class Kinetics, ChannelKernels Kernels::*kSet>
class GatedChannel final : public Mechanism {
 public:
  static constexpr int n = Kinetics::n_gates;

  GatedChannel(double gbar_S_cm2, const MechanismEnvironment& environment)
      : gbar_(gbar_S_cm2),
        q_(Kinetics::q(environment.celsius)),
        E_mV_(reversal_of(Kinetics::ion, environment)),
        kernels_(kernels().*kSet) {}

  void place(const MechanismSite& site) override { placed_.place(site, gbar_, n); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView& view, std::size_t block) override {
    kernels_.initialise(placed_.in(block), view, q_);
  }
  void add_currents(const MembraneView& view, std::size_t block) const override {
    kernels_.add(placed_.in(block), view, E_mV_);
  }
  void advance(const MembraneView& view, double dt_ms, std::size_t block) override {
    kernels_.advance(placed_.in(block), view, q_, dt_ms);
  }

  std::size_t n_states() const override { return n; }
  void steady_state(double V_mV, double Ca_mM, double* x) const override {
    const Gates<double, n> gates = Kinetics::gates(clamped(V_mV), Ca_mM, q_);
    std::copy(gates.inf, gates.inf + n, x);
  }
  void derivative(double V_mV, double Ca_mM, double, const double* x, double* dx) const override {
    const Gates<double, n> gates = Kinetics::gates(clamped(V_mV), Ca_mM, q_);
    for (int k = 0; k < n; ++k) dx[k] = (gates.inf[k] - x[k]) * gates.rate[k];
  }
  double conductance_S_cm2(double V_mV, const double* x) const override { return gbar_ * Kinetics::open(x, V_mV); }
  double reversal_mV(double E_Ca_mV) const override { return carries_calcium() ? E_Ca_mV : E_mV_; }
  bool carries_calcium() const override { return Kinetics::ion == Ion::calcium; }
  bool reads_calcium() const override { return Kinetics::needs_calcium; }

 private:
  double gbar_, q_, E_mV_;
  ChannelKernels kernels_;
  Placed placed_;
};

/// A conductance without gates (the leak of hh).
class ConstantConductance final : public Mechanism {
 public:
  ConstantConductance(double g_S_cm2, double E_mV) : g_(g_S_cm2), E_mV_(E_mV) {}
  void place(const MechanismSite& site) override { placed_.place(site, g_, 0); }
  bool sits_in(std::size_t block) const override { return placed_.any_in(block); }
  void initialise(const MembraneView&, std::size_t) override {}
  void add_currents(const MembraneView& view, std::size_t block) const override {
    kernels().constant_add(placed_.in(block), view, E_mV_);
  }
  void advance(const MembraneView&, double, std::size_t) override {}
  std::size_t n_states() const override { return 0; }
  void steady_state(double, double, double*) const override {}
  void derivative(double, double, double, const double*, double*) const override {}
  double conductance_S_cm2(double, const double*) const override { return g_; }
  double reversal_mV(double) const override { return E_mV_; }

 private:
  double g_, E_mV_;
  Placed placed_;
};

}  // namespace triscale::detailed

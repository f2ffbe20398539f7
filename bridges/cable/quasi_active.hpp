/// A detailed cell at rest (or held at a potential at the soma) with its channels linearised there: the quasi-active
/// cable (Koch 1984, Biol Cybern 50:15). With membrane states x of a compartment, current density i(V, x) and dx/dt =
/// f(V, x),
///   y(w) = i w C + g_pas + A [ di/dV + (di/dx) (i w - df/dx)^-1 (df/dV) ],        A the membrane area,
/// where x includes the calcium concentration with its effect on the calcium reversal potential and on channels.
/// `frozen` leaves the second term in brackets out: the channels conduct as at rest and do not react.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "bridges/cable/impedance.hpp"
#include "detailed/compartments.hpp"
#include "network/circuit.hpp"

namespace triscale::bridges {

enum class Channels { frozen, linearised };

class QuasiActiveCell {
 public:
  /// Finds the resting state from run.V_init_mV on, with temperature and compartments of `run`. With V_hold the soma is
  /// clamped to it instead, and `holding_current_nA` is what that takes. NumericalError if no resting state is found.
  QuasiActiveCell(const network::DetailedCell& cell, const network::RunSettings& run,
                  std::optional<double> V_hold_mV = std::nullopt);
  /// Linearised about potentials that are given, one a node of the tree (a mean over time, say; it need not be a state
  /// of rest). Gates and concentrations are at their steady values there.
  QuasiActiveCell(const network::DetailedCell& cell, const network::RunSettings& run, std::vector<double> V_mV);
  ~QuasiActiveCell();
  QuasiActiveCell(QuasiActiveCell&&) noexcept;

  const detailed::CompartmentTree& tree() const { return tree_; }
  const std::vector<double>& V_mV() const { return V_mV_; }
  double V_soma_mV() const { return V_mV_[tree_.soma()]; }
  double holding_current_nA() const { return holding_current_nA_; }

  std::vector<Complex> membrane_admittance_uS(double frequency_Hz, Channels channels) const;
  /// The same at a complex frequency s (1/ms): i w becomes s. For Laplace transforms.
  std::vector<Complex> membrane_admittance_at(Complex s_per_ms, Channels channels) const;
  /// Impedances with respect to the soma.
  TreeImpedance impedance(double frequency_Hz, Channels channels) const;

 private:
  class Patch;
  struct Linearised;
  void make_patches(const network::DetailedCell& cell, const network::RunSettings& run);
  void find_rest(double V_init_mV, std::optional<double> V_hold_mV);
  void linearise();
  const Patch& patch_of(std::size_t node) const;

  detailed::CompartmentTree tree_;
  std::vector<std::unique_ptr<Patch>> patches_;  ///< one a section kind, or one a node where densities vary
  std::vector<std::size_t> patch_of_node_;
  std::vector<double> V_mV_;
  std::vector<Linearised> linear_;  ///< one a node
  double holding_current_nA_ = 0;
};

}  // namespace triscale::bridges

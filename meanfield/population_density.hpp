/// Density p(V, t) of the potentials of a population of leaky integrate-and-fire cells (meanfield/lif.hpp) under white
/// noise, jumps of finite size, or both (Omurtag, Knight & Sirovich 2000, J. Comput. Neurosci. 8:51; Iyer et al. 2013,
/// PLoS Comput. Biol. 9:e1003248; Fourcaud & Brunel 2002):
///
///   dp/dt = -d/dV [ (mu - V)/tau_m p - D dp/dV ] + sum_k r_k [ p(V - h_k) - p(V) ] + nu(t - t_ref) delta(V - V_r),
///
/// D = sigma^2 / (2 tau_m), nu the flux over the threshold by drift, diffusion and jumps. Where jumps are not small
/// against the distance from threshold in units of the noise, the diffusion approximation (Siegert's rate) fails in the
/// tail: by a factor of 1.8 for jumps of 0.5 mV at 0.06 Hz, 3.3 for 0.75 mV.
///
/// Finite volumes of equal width between a lowest potential and the threshold. Drift and diffusion by the flux of
/// Scharfetter & Gummel (1969), with a = v width / D at the drift v of the face,
///   J = v (p_k - p_(k+1) e^(-a)) / (1 - e^(-a)),
/// exact for constant drift, positive, and upwind where D = 0. A jump moves the mass of a volume to the two volumes
/// around its target, in proportion to their closeness. Implicit Euler in time: stable and positive for any step,
/// first order. Mass, refractory cells included, is conserved to rounding.
#pragma once

#include <Eigen/Sparse>
#include <Eigen/SparseLU>
#include <deque>
#include <memory>
#include <vector>

#include "meanfield/lif.hpp"

namespace triscale::meanfield {

/// Poisson input whose every event moves the potential by `size`.
struct JumpInput {
  double rate_hz = 0;
  double size_mV = 0;
  bool operator==(const JumpInput&) const = default;
};

struct DensityInput {
  LifInput white;                ///< sigma may be 0
  std::vector<JumpInput> jumps;  ///< their mean is not part of mu
};

struct DensityGrid {
  double width_mV = 0.1;   ///< rounded so that it divides threshold minus reset
  double lowest_mV = -20;  ///< relative to rest; nothing falls below it
};

class PopulationDensity {
 public:
  /// All cells at the reset potential. Throws core::InputError for a grid that does not fit.
  PopulationDensity(const LifCell& cell, const DensityGrid& grid = {});

  /// One step of dt; returns the rate in Hz over it. t_ref is rounded to steps. Cheap as long as input and dt stay the
  /// same: the system is factorised only when they change.
  double step(const DensityInput& input, double dt_ms);
  /// Makes the density stationary under the input; returns the rate in Hz.
  double settle(const DensityInput& input);

  double mass() const;                                      ///< refractory cells included: 1
  const Eigen::VectorXd& density() const { return mass_; }  ///< mass per volume
  double potential_mV(std::size_t volume) const { return lowest_mV_ + (static_cast<double>(volume) + 0.5) * width_mV_; }

 private:
  void build(const DensityInput& input);
  void add_drift(const LifInput& input, std::vector<Eigen::Triplet<double>>& entries);
  void add_jumps(const JumpInput& jump, std::vector<Eigen::Triplet<double>>& entries);

  LifCell cell_;
  double width_mV_, lowest_mV_;
  Eigen::VectorXd mass_, reset_;                                           // reset_: where reinjected mass goes
  Eigen::VectorXd escape_;                                                 // per ms, over the threshold
  Eigen::SparseMatrix<double> generator_;                                  // without reinjection
  std::deque<double> refractory_;                                          // mass by step of firing, oldest first
  std::shared_ptr<Eigen::SparseLU<Eigen::SparseMatrix<double>>> factors_;  // of 1 - dt generator ...
  DensityInput factored_input_;                                            // ... for this input
  double factored_dt_ms_ = 0;
};

}  // namespace triscale::meanfield

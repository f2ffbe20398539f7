/// The theory that a circuit's cells allow: Siegert's for leaky cells with current synapses, fitted transfer functions
/// for others; one interface for all analyses.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "meanfield/input_effects.hpp"
#include "meanfield/jump_density.hpp"
#include "meanfield/rate_distribution.hpp"
#include "meanfield/rate_theory.hpp"
#include "meanfield/second_order.hpp"
#include "meanfield/validity.hpp"
#include "network/circuit.hpp"

namespace triscale::meanfield {

struct CircuitTheory {
  std::unique_ptr<RateTheory> theory;
  std::string input_unit;  ///< of pulses: mV or nA
  /// What stands behind `theory`, one of the two.
  std::shared_ptr<const class LifCircuit> lif;
  std::shared_ptr<const class Model> model;
  std::vector<core::Problem> warnings;
};

/// Under input averaged over the run. The circuit must outlive the theory.
CircuitTheory theory_of(const network::Circuit& circuit);

/// Distribution of rates in every population at a stationary state.
std::vector<RateDistribution> distributions_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz);

/// Validity findings about the population dynamics at a stationary state, without those about stability.
std::vector<ValidityFinding> findings_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz);

/// Share of the cells, in the population where it is largest, that work outside the range on which their transfer
/// function was fitted; 0 for theories without a fit.
double extrapolated_share(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz);

/// Coefficients of variation of the intervals; empty where the theory has none.
std::vector<double> cv_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz);

/// What the theory leaves out of the cells' input at a state, and CVs with it; empty for cells that have no such
/// theory. `linear` as for input_effects().
std::vector<InputEffects> input_effects_at(const CircuitTheory& theory, const std::vector<RateDistribution>& rates,
                                           const Linearisation* linear);

/// Distributions of the potential of leaky cells; empty for others.
std::vector<JumpDensity> jump_densities_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz);

/// Rates and covariances of the second-order equations from a stationary state on, for fitted transfer functions with
/// one time constant in common; empty for others, and where the equations do not come to rest.
std::optional<SecondOrderState> second_order_at(const CircuitTheory& theory, const Eigen::VectorXd& rates_hz);

/// Multiplies all weights of a projection.
void scale_weights(network::Projection& projection, double factor);

}  // namespace triscale::meanfield

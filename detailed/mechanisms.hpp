/// Mechanisms: what sits in the membrane of a compartment besides leak and capacitance. A mechanism knows its
/// parameters, its states, the conductance it adds and how its states move; formulas of the channels stand in
/// detailed/channels.hpp.
///
/// A mechanism works on a group of cells at once: arrays are indexed [node * kColumns + column], each element a vector
/// of kLaneWidth cells. The same kinetics are available for one compartment in plain doubles (MembranePatch), for tests
/// and for linearisation.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "detailed/kernels.hpp"
#include "detailed/lanes.hpp"
#include "network/circuit.hpp"

namespace triscale::detailed {

/// Nodes that are worked on together, mechanism after mechanism: what they share stays in the first-level cache.
inline constexpr std::size_t kBlockNodes = 32;

struct ParameterInfo {
  std::string name;  ///< as in the field's files, e.g. "gbar"
  double default_value;
  std::string unit;
};

struct MechanismInfo {
  std::string name;
  std::vector<ParameterInfo> parameters;
  std::vector<std::string> states;
  std::string summary;
};

/// All mechanisms that exist.
const std::vector<MechanismInfo>& mechanism_catalogue();
/// Null if there is no such mechanism.
const MechanismInfo* find_mechanism(const std::string& name);

/// Where a mechanism sits and in what surroundings.
struct MechanismSite {
  std::vector<std::uint32_t> nodes;
  std::vector<double> areas_um2;
  std::vector<double> factors;  ///< of the conductance densities (network::DensityProfile); empty: 1 everywhere
};

/// Constants of a placement.
struct MechanismEnvironment {
  double celsius = 34;
  double E_Na_mV = 50, E_K_mV = -77;
  double Ca_out_mM = 2;
  network::TimeScheme scheme = network::TimeScheme::backward_euler;
};

class Mechanism {
 public:
  virtual ~Mechanism() = default;

  // --- a group of cells; all but place() work on the nodes of one block ---
  /// Allocates the states for the nodes of a group, in rising order.
  virtual void place(const MechanismSite& site) = 0;
  /// Whether any of its nodes is in the block.
  virtual bool sits_in(std::size_t block) const = 0;
  /// States at their steady values for the present V.
  virtual void initialise(const MembraneView& view, std::size_t block) = 0;
  /// Before the currents of a step: reversal potentials from concentrations.
  virtual void prepare(const MembraneView&, double /*dt_ms*/, std::size_t /*block*/) const {}
  /// Adds conductance and conductance times reversal potential at the present V and states.
  virtual void add_currents(const MembraneView& view, std::size_t block) const = 0;
  /// Moves the states over dt at the new V.
  virtual void advance(const MembraneView& view, double dt_ms, std::size_t block) = 0;

  // --- one compartment, plain doubles ---
  virtual std::size_t n_states() const = 0;
  virtual void steady_state(double V_mV, double Ca_mM, double* x) const = 0;
  /// Where a run starts; differs from the steady state only where a published file starts elsewhere.
  virtual void start_state(double V_mV, double Ca_mM, double* x) const { steady_state(V_mV, Ca_mM, x); }
  /// dx/dt per ms; `i_Ca_mA_cm2` is the calcium current density of the compartment.
  virtual void derivative(double V_mV, double Ca_mM, double i_Ca_mA_cm2, const double* x, double* dx) const = 0;
  /// Conductance density, S/cm2.
  virtual double conductance_S_cm2(double V_mV, const double* x) const = 0;
  /// Reversal potential; E_Ca for calcium channels.
  virtual double reversal_mV(double E_Ca_mV) const = 0;
  virtual bool carries_calcium() const { return false; }
  /// True if the kinetics depend on the internal calcium concentration.
  virtual bool reads_calcium() const { return false; }
  /// True for the mechanism whose state 0 is the internal calcium concentration.
  virtual bool is_calcium_pool() const { return false; }
};

/// Makes the mechanisms of a placement (one name may stand for several conductances, as in hh). Unknown names and
/// parameters are reported by check_mechanisms; here they are bugs.
std::vector<std::unique_ptr<Mechanism>> make_mechanisms(const network::MechanismPlacement& placement,
                                                        const MechanismEnvironment& environment);

/// The placement with its conductance densities times `factor`, for one place of a density that varies.
network::MechanismPlacement scaled(const network::MechanismPlacement& placement, double factor);

/// Reports unknown mechanisms, unknown parameters, values that are not finite and densities that a profile makes
/// negative; `place` names the cell type.
void check_mechanisms(const network::DetailedCell& cell, const std::string& place, core::Diagnostics& diagnostics);

/// Calcium reversal potential, Nernst: RT/(2F) ln(Ca_out/Ca_in).
double nernst_Ca_mV(double celsius, double Ca_out_mM, double Ca_in_mM);
/// Used where no mechanism reads or controls the internal calcium: RT/F-rounded 12.5 ln(2/5e-5), NEURON's default for
/// eca. Where one only reads it, E_Ca is computed once, from kDefaultCa_mM (NEURON's rule for ions).
inline constexpr double kDefaultE_Ca_mV = 132.4579341637009;
/// Internal calcium where no mechanism controls it, NEURON's default for cai.
inline constexpr double kDefaultCa_mM = 5e-5;

}  // namespace triscale::detailed

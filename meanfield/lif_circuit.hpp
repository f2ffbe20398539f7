/// Circuits of leaky integrate-and-fire cells with current synapses (network::LifModel) on the mean-field tier. Nothing
/// is fitted: the theory (meanfield/lif_network.hpp) takes the parameters of the point description as they are.
///
///   tau_m = C/g_L;  V relative to E_L;  mu += I/g_L for an injected current
///   J = w tau_s / C for an exponential current of peak w;  J = w for a jump of the potential
///
/// In-degrees, weights and delays are averages over the circuit's edges where there are at most `max_edges`, else over
/// the connection rules' distributions, which the edges are draws from. Synapses of different time constants on one
/// cell are replaced by one time constant, weighted with their shares of the variance at equal rates; a warning says
/// so.
///
/// The time course follows  T_i dnu_i/dt = Phi_i(mu_i(t), sigma_i(t)) - nu_i  with the rates of the sources delayed by
/// the mean delay. T_i is the time constant of the low-pass filter |n(0)| / |1 + i omega T| that fits the cell's linear
/// response at the stationary state under mean input best (Senk et al. 2020); the model of Wilson & Cowan (1972) with
/// derived parameters. It has no oscillations that need more than one pole per population; `stability` knows those.
#pragma once

#include <vector>

#include "core/error.hpp"
#include "core/recorder.hpp"
#include "meanfield/external_input.hpp"
#include "meanfield/lif_network.hpp"
#include "meanfield/projection_means.hpp"
#include "network/circuit.hpp"

namespace triscale::meanfield {

/// Whether any population that is not virtual consists of leaky cells with current synapses.
bool is_lif_circuit(const network::Circuit& circuit);
/// Why the theory cannot describe such a circuit.
std::vector<core::Problem> missing_for_lif(const network::Circuit& circuit);

struct LifCircuitOptions {
  std::uint64_t max_edges = kMostListedEdges;  ///< more are not listed one by one
  /// Synapses between one pair of cells act at once and add in amplitude: <J^2> grows by 1 + K/N. Off, as in the
  /// standard theory, which leaves out the correlations that counteract it; needed where K is not small compared with
  /// N.
  bool pairs_act_together = false;
  double bin_ms = 0;  ///< bin for external spike trains; 0: chosen from the data
};

/// Synapses from a virtual population.
struct LifExternalDrive {
  std::size_t target = 0;  ///< index into the network's populations
  std::size_t source = 0;  ///< population of the circuit
  double synapses = 0, psp_mV = 0, psp2_mV2 = 0, delay_ms = 0;
};

class LifCircuit {
 public:
  /// Throws core::InputError with everything that missing_for_lif() finds. The circuit must outlive it.
  explicit LifCircuit(const network::Circuit& circuit, const LifCircuitOptions& options = {});

  /// The network under external rates and currents averaged over [begin, end].
  LifNetwork network_during(double begin_ms, double end_ms) const;
  /// Same, written into a network that came from network_during().
  void set_external(LifNetwork& network, double begin_ms, double end_ms) const;

  const network::Circuit& circuit() const { return *circuit_; }
  /// Population of the circuit that population i of the network is.
  std::size_t population(std::size_t i) const { return populations_[i]; }
  const PiecewiseRate& external(std::size_t population) const { return external_[population]; }
  double longest_delay_ms() const;

  std::uint64_t cells() const { return cells_; }
  std::uint64_t synapses() const { return synapses_; }
  std::uint64_t edge_hash() const { return edge_hash_; }  ///< 0 if the edges were not listed
  const std::vector<core::Problem>& warnings() const { return warnings_; }

 private:
  ProjectionMeans means_of(std::size_t projection, const LifCircuitOptions& options, bool list_edges);
  void add_population(std::size_t index);
  void add_projection(std::size_t index, const LifCircuitOptions& options, bool list_edges);
  void set_synaptic_time_constants();

  const network::Circuit* circuit_;
  LifNetwork network_;  // without external input
  std::vector<std::size_t> populations_, index_of_;
  std::vector<LifExternalDrive> drives_;
  std::vector<PiecewiseRate> external_;
  struct SynapticShare {
    double tau_ms, power;
  };
  std::vector<std::vector<SynapticShare>> shares_;
  std::vector<core::Problem> warnings_;
  std::uint64_t cells_ = 0, synapses_ = 0, edge_hash_ = 0;
};

/// Time constant of the low-pass filter that fits a cell's response to a modulation of its mean input between 0 and 500
/// Hz best, synaptic filter included.
double low_pass_time_constant_ms(const LifCell& cell, const LifInput& input);

core::RunStatistics simulate_lif(const network::Circuit& circuit, double longest_step_ms, core::Recorder& recorder,
                                 core::Progress& progress, std::vector<core::Problem>& warnings);

}  // namespace triscale::meanfield

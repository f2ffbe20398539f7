/// Population rate equations of a circuit,
///
///   nu_p = <F_p(mu_i, sigma_i, tau_i)>_(i in p),      tau_k da_ik/dt = -a_ik + b_k tau_k nu_i,
///
/// with F of meanfield/transfer_function.hpp. The average runs over the cells i of population p, each with its own
/// summed weights sum_j w_ij and sum_j w_ij^2 of every projection, from exactly the edges that the finer tiers use: in
/// a network where cells receive unequal input, the rate of the average cell is not the average rate. Of a population
/// with more than `ModelOptions::max_classes` cells, cells with similar drive share one class, whose sums are averages
/// over its cells. Presynaptic cells of a recurrent projection all fire at their population's rate; of a virtual
/// population with given spike trains, each at its own share of it. Spikes are Poisson and independent; a projection
/// acts after its weight-averaged delay; how mu, sigma and tau follow in time is said in meanfield/membrane_course.hpp.
/// Adaptation a_ik (if the transfer function has any) follows the rate of the cell's own class.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "meanfield/external_input.hpp"
#include "meanfield/spike_trains.hpp"
#include "meanfield/transfer_function.hpp"
#include "network/circuit.hpp"

namespace triscale::meanfield {

struct ModelOptions {
  std::size_t max_classes = 400;  ///< cells per population that are told apart
  double bin_ms = 0;              ///< bin for external spike trains; 0: chosen from the data (external_input.hpp)
};

/// One way in which spikes of a source population act: a projection through one receptor.
struct Channel {
  std::size_t projection = 0;
  std::size_t source = 0;       ///< population
  std::size_t receptor = 0;     ///< index into PopulationModel::receptors
  double delay_ms = 0;          ///< weight-averaged
  DeadTime dead_time{};         ///< of the source's spike trains
  double in_degree = 0;         ///< synapses per target cell, averaged over the population
  double connections = 0;       ///< presynaptic cells per target cell: several synapses of a pair count once
  double mean_weight_uS = 0;    ///< of a connection: summed over the pair's synapses
  double mean_weight2_uS2 = 0;  ///< of a connection, with the pair's synapses on other receptors acting together
};

/// Cells that share one working point. Vectors over channels: sums over a cell's synapses of w and of w W, W the summed
/// weight of the pair (over all receptors of the projection), each counted with its presynaptic cell's rate relative to
/// the source population's mean. Where all of a pair's synapses use one receptor, the second is the sum over pairs of
/// W^2.
struct CellClass {
  double share = 0;  ///< of the population's cells
  std::vector<double> weight_uS;
  std::vector<double> weight2_uS2;
  std::vector<double> clamp_share;  ///< per clamp of the population: share of the class's cells that it drives
};

struct PopulationModel {
  std::size_t population = 0;
  network::TransferFunction transfer;
  double time_constant_ms = 5;
  DeadTime ready{};  ///< after a spike, besides adaptation (meanfield/ready_cells.hpp)
  std::vector<Receptor> receptors;
  std::vector<Channel> channels;
  std::vector<std::size_t> clamps;  ///< indices into Circuit::current_clamps
  std::vector<CellClass> classes;
  std::vector<std::size_t> class_of_cell;
};

/// Input of one population at one moment.
struct PopulationInput {
  std::vector<double> source_hz;                  ///< per channel
  std::vector<double> clamp_nA;                   ///< per clamp, deterministic part
  std::vector<double> noise_sd_nA, noise_tau_ms;  ///< per clamp; sd 0 where there is no noise
  double current_nA = 0;                          ///< into all cells
};

/// Input of a class by receptor: `mean_hz` and `variance_hz`, per channel, count for the first and the second moments,
/// `regular_hz` for how regular the trains are.
std::vector<SpikeDrive<double>> drives_of(const PopulationModel& model, const CellClass& cells,
                                          const std::vector<double>& mean_hz, const std::vector<double>& variance_hz,
                                          const std::vector<double>& regular_hz);
/// Drive of a class through one channel, with the regularity that the source's trains have at the rate `regular_hz`
/// as the population's time constant sees it.
SpikeDrive<double> drive_of(const PopulationModel& model, const CellClass& cells, std::size_t channel, double mean_hz,
                            double variance_hz, double regular_hz);
/// Constant current into a class, nA, clamps' deterministic part included; and the clamps' noise.
double current_of(const CellClass& cells, const PopulationInput& input);
std::vector<CurrentFluctuation> fluctuations_of(const CellClass& cells, const PopulationInput& input);

/// Membrane statistics of a class under an input that does not change, with adaptation at rest for any rate.
class StatisticsAtRate {
 public:
  StatisticsAtRate(const PopulationModel& model, const CellClass& cells, const PopulationInput& input);
  MembraneStatistics<double> operator()(double rate_hz) const;

 private:
  const PopulationModel* model_;
  double current_nA_, adaptation_nA_per_hz_;
  std::vector<SpikeDrive<double>> drives_;
  std::vector<CurrentFluctuation> fluctuations_;
};
/// Same with the adaptation that belongs to the class's own rate, nu = F; for one class or all of them.
MembraneStatistics<double> statistics_of(const PopulationModel& model, const CellClass& cells,
                                         const PopulationInput& input);
std::vector<MembraneStatistics<double>> statistics_of(const PopulationModel& model, const PopulationInput& input);

/// <F> in Hz over the classes of the population, from their statistics or at rest under an input.
double population_rate_hz(const PopulationModel& model, const std::vector<MembraneStatistics<double>>& statistics);
double population_rate_hz(const PopulationModel& model, const PopulationInput& input);

/// Share of the population's cells whose working point is outside the fitted range. Cells below the range that are
/// silent do not count: there is nothing to extrapolate.
double share_outside_hull(const PopulationModel& model, const std::vector<MembraneStatistics<double>>& statistics);

/// The equations of a whole circuit, without time stepping.
class Model {
 public:
  /// Throws InputError with everything that missing() finds. The circuit must outlive the model.
  explicit Model(const network::Circuit& circuit, const ModelOptions& options = {});

  const network::Circuit& circuit() const { return *circuit_; }
  const std::vector<PopulationModel>& populations() const { return populations_; }
  /// Index into populations() of a population of the circuit; the circuit's population must not be virtual.
  std::size_t index_of(std::size_t population) const { return index_of_[population]; }
  /// Rate of a virtual population.
  const PiecewiseRate& external(std::size_t population) const { return external_[population]; }
  /// All external rates (by population of the circuit; 0 for the others) averaged over an interval.
  std::vector<double> mean_external_hz(double begin_ms, double end_ms) const;

  /// Currents of the population's clamps, averaged over [begin, end], into `input`.
  void set_currents(const PopulationModel& model, double begin_ms, double end_ms, PopulationInput& input) const;
  /// Rate equation without delays: F of every population (order of populations()) at the given rates of all populations
  /// of the circuit, with currents and adaptation as they are in `inputs` (one per population).
  std::vector<double> transfer_hz(const std::vector<double>& rates_hz, std::vector<PopulationInput>& inputs) const;

  /// Other coefficients of the effective threshold for a population (index into populations()); all else stays.
  void set_threshold(std::size_t index, const std::array<double, 10>& P_mV) {
    populations_[index].transfer.P_mV = P_mV;
  }

  std::size_t cells() const { return cells_; }
  std::uint64_t synapses() const { return synapses_; }
  std::uint64_t edge_hash() const { return edge_hash_; }

 private:
  void add_projection(std::size_t projection);
  void add_clamps(PopulationModel& model) const;
  void merge_classes(PopulationModel& model, std::size_t max_classes) const;

  const network::Circuit* circuit_;
  std::vector<PopulationModel> populations_;
  std::vector<std::size_t> index_of_;
  std::vector<PiecewiseRate> external_;
  std::vector<std::vector<double>> relative_rates_;
  std::size_t cells_ = 0;
  std::uint64_t synapses_ = 0;
  std::uint64_t edge_hash_ = 0;
};

/// Why this circuit cannot run on the mean-field tier; empty if it can.
std::vector<core::Problem> missing(const network::Circuit& circuit);

/// What this tier will leave out of a run: probes, because a population has no variables besides its rate.
std::vector<core::Problem> left_out(const network::Circuit& circuit);

/// Warning that a population's cells work outside the fitted range of their transfer function.
core::Problem hull_warning(const std::string& population, double share, double t_ms);

}  // namespace triscale::meanfield

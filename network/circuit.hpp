/// network::Circuit is the one description of a neural circuit that every tier and every bridge works on: plain data,
/// no behaviour. Front ends in io/ make it from files; bridges fill in the coarser descriptions.
///
/// Units: ms, mV, nA, nF, uS, um, mM, Hz, degC.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "network/cell_models.hpp"
#include "network/field_probe.hpp"
#include "network/synapse_models.hpp"

namespace triscale::network {

/// Soma position and rotation of a cell: the morphology is moved to the origin, rotated about the world axes z, then y,
/// then x, and translated.
struct Placement {
  double x_um = 0, y_um = 0, z_um = 0;
  double rotation_x_rad = 0, rotation_y_rad = 0, rotation_z_rad = 0;
};

/// A distribution of a parameter over synapses or cells.
struct Distribution {
  enum class Kind { constant, normal, lognormal, uniform } kind = Kind::constant;
  double mean = 0;           ///< constant, normal, lognormal: mean of the distribution itself; uniform: unused
  double sd = 0;             ///< normal, lognormal
  double low = 0, high = 0;  ///< uniform: its range; normal, lognormal: redrawn until in it if low < high
};

// ------------------------------------------------------------------------------------------------- populations
// --------

/// Spike trains given as a list, ascending in time.
struct SpikeTrains {
  std::vector<double> times_ms;
  std::vector<std::uint32_t> cells;  ///< index within the population, same length
};

/// Every cell fires an independent Poisson train. The rate is piecewise constant: rates_hz[i] from times_ms[i] on.
struct PoissonTrains {
  std::vector<double> times_ms{0.0};
  std::vector<double> rates_hz{0.0};
  /// 0: spikes at any time. > 0: a Poisson number of spikes at the beginning of every bin of this length. The same
  /// process at the resolution of the bins, and much cheaper where the rate is high and the bins are the time steps: a
  /// rate of 16 kHz stands for 2000 sources of 8 Hz.
  double bin_ms = 0;
  /// Correlation of the spike counts of any two cells of the population, 0..1: each cell keeps every spike of one
  /// common train of rate / correlation with the probability `correlation` (multiple-interaction process; Kuhn, Aertsen
  /// & Rotter 2003, Neural Computation 15:67).
  double correlation = 0;
};

using SpikeSource = std::variant<std::monostate, SpikeTrains, PoissonTrains>;

/// A group of cells of one type. A virtual population has no dynamics: its cells fire what `source` says. Input that is
/// private to each cell is a virtual population of the same size connected one-to-one; shared input is all-to-all.
struct Population {
  std::string name;
  std::size_t size = 0;
  bool is_virtual = false;
  std::size_t cell_type = 0;  ///< index into Circuit::cell_types; for a virtual population only its Dale sign counts
  std::vector<Placement> placements;  ///< empty, or one per cell
  SpikeSource source;                 ///< virtual populations only
  /// Membrane potential at the start, drawn per cell; empty: the tier's own rule. Point tier only.
  std::optional<Distribution> V_init_mV{};

  /// Name and node ids in the file it came from; result files use them. Empty: the own name, ids 0..size-1.
  std::string file_population;
  std::vector<std::uint64_t> file_ids;
};

// ------------------------------------------------------------------------------------------------- projections
// --------

/// Where on the target's dendrites synapses may sit when the file does not say: uniform in membrane area over the
/// sections of the given kinds within a range of path distance from the soma.
struct DendriticPlacement {
  std::vector<SectionKind> kinds{SectionKind::soma};
  double min_distance_um = 0;
  double max_distance_um = 1e20;
};

/// Edges given one by one. Vectors have equal length, except `sites`, which is empty when the places are to be drawn
/// from Projection::placement. Order is kept.
struct ExplicitEdges {
  std::vector<std::uint32_t> sources, targets;  ///< cell index within the source / target population
  std::vector<double> weights;                  ///< uS (conductance synapse) or dimensionless (instantaneous)
  std::vector<double> delays_ms;
  std::vector<Site> sites;
};

/// Edges generated from a rule as a pure function of (seed, projection, target).
struct ConnectionRule {
  enum class Kind { all_to_all, one_to_one, pairwise_bernoulli, fixed_in_degree, fixed_total_number };
  Kind kind = Kind::all_to_all;
  double probability = 0;  ///< pairwise_bernoulli
  /// fixed_in_degree: synapses per target; fixed_total_number: synapses in all; one_to_one: private sources per target
  /// (0 means 1): target t has the sources t * number ... (t + 1) * number - 1.
  std::uint64_t number = 0;
  bool multapses = true;  ///< several synapses between one pair (fixed_in_degree, fixed_total_number)
  bool autapses = false;  ///< a cell onto itself, when source and target population are the same
  Distribution weight;
  Distribution delay_ms;
};

struct Projection {
  std::string name;
  std::size_t source = 0, target = 0;  ///< indices into Circuit::populations
  std::size_t synapse_type = 0;        ///< index into Circuit::synapse_types
  std::variant<ExplicitEdges, ConnectionRule> connectivity;
  DendriticPlacement placement;  ///< used where sites are not given
  Site source_site{};            ///< gap junctions only: their place on the source cell
};

// ----------------------------------------------------------------------------------------------- inputs, probes
// --------

/// Current between times t0 and t1 going linearly from a0 to a1 (a step if equal).
struct CurrentSegment {
  double begin_ms = 0, end_ms = 0;
  double begin_nA = 0, end_nA = 0;
};

/// Ornstein-Uhlenbeck current between begin and end: dI = -(I - mean)/tau dt + sd sqrt(2/tau) dW, independent per cell.
struct NoiseCurrent {
  double begin_ms = 0, end_ms = 1e300;
  double mean_nA = 0, sd_nA = 0, tau_ms = 3;
};

/// A waveform sampled every dt_ms from begin_ms; value k holds from begin + k dt to begin + (k+1) dt, zero outside.
struct SampledCurrent {
  double begin_ms = 0;
  double dt_ms = 0.1;
  std::vector<double> values_nA;
};

/// Current injected into cells of one population (all cells if `cells` is empty).
struct CurrentClamp {
  std::string name;
  std::size_t population = 0;
  std::vector<std::uint32_t> cells;
  Site site;  ///< the detailed tier's place of injection; point neurons have only one
  std::variant<CurrentSegment, NoiseCurrent, SampledCurrent> waveform;
};

/// A recorded variable: "v" (mV), "cai" (mM), or the name of another state that the tier documents.
struct Probe {
  std::string name;
  std::string variable = "v";
  std::size_t population = 0;
  std::vector<std::uint32_t> cells;  ///< all cells if empty
  enum class Where { soma, all_compartments } where = Where::soma;
  double begin_ms = 0, end_ms = 1e300;
  double dt_ms = 0;  ///< sampling interval; 0: every step
  /// Name of the report file, without extension; empty: the probe's name. Probes that share it and the population of
  /// the file that their cells come from stand in one report, one after the other; they share variable, place and
  /// times.
  std::string report{};
};

/// The weights of a projection over time; point tier.
struct WeightProbe {
  std::string name;
  std::size_t projection = 0;  ///< index into Circuit::projections
  double begin_ms = 0, end_ms = 1e300;
  double dt_ms = 1000;  ///< sampling interval
};

/// How the detailed tier advances time; see detailed/cell_group.hpp.
enum class TimeScheme {
  backward_euler,  ///< NEURON's default, first order: spikes fall on time steps
  second_order     ///< staggered Crank-Nicolson; spike times between steps
};
constexpr std::string_view to_string(TimeScheme scheme) {
  return scheme == TimeScheme::second_order ? "second_order" : "backward_euler";
}
constexpr std::optional<TimeScheme> time_scheme_of(std::string_view name) {
  for (const TimeScheme scheme : {TimeScheme::backward_euler, TimeScheme::second_order}) {
    if (to_string(scheme) == name) return scheme;
  }
  return std::nullopt;
}

struct RunSettings {
  double duration_ms = 1000;
  double dt_ms = 0.1;
  std::uint64_t seed = 1;
  double celsius = 34;
  double V_init_mV = -80;
  double spike_threshold_mV = -15;  ///< upward crossing at the soma is a spike of the detailed tier
  CompartmentRule compartments;
  TimeScheme scheme = TimeScheme::backward_euler;
};

// ------------------------------------------------------------------------------------------------------ circuit
// --------

struct Circuit {
  std::vector<CellType> cell_types;
  std::vector<SynapseType> synapse_types;
  std::vector<Population> populations;
  std::vector<Projection> projections;
  std::vector<CurrentClamp> current_clamps;
  std::vector<Probe> probes;
  std::vector<WeightProbe> weight_probes;
  std::vector<FieldProbe> field_probes;
  RunSettings run;
};

}  // namespace triscale::network

/// External spikes that are known one by one, and what they do to a mean field.
///
/// The spikes of virtual populations are the same in every tier, whether a file gives them or counter-based streams
/// draw them: when many of the sources happen to fire together, all cells of a spiking tier feel it. A mean field that
/// only takes their rate stays flat. Here the potential of every class of cells is split into what the known spikes do,
/// delta(t), and the rest, which stays noise:
///
///   tau_m d delta/dt = -delta + sum_k q_k y_k(t),    y_k: the known spikes minus their rate through receptor k's
///   filter,
///
/// with tau_m = C / mu_G and q_k of meanfield/transfer_function.hpp. The transfer function was fitted to input of which
/// nothing is known. Its form, erfc of a distance over a standard deviation, has the property that
///
///   < erfc((V_eff - mu - delta) / sqrt(2 (sigma^2 - s^2))) >_delta  =  erfc((V_eff - mu) / (sqrt2 sigma))
///
/// for Gaussian delta of variance s^2. So with V_eff and tau_V as they are for unknown input, the rate moves with
/// delta(t) and keeps the mean that was fitted. s^2 is the known spikes' part of sigma^2. Where few strong synapses
/// make delta, it is not Gaussian (strongly driven V1 interneurons lost a third of their rate), so the mean is held
/// explicitly: rates are multiplied by the ratio of the means, over the last seconds, of the rate without and with
/// known spikes.
///
/// Poisson sources that every cell has of its own are left out: what they do to a population is noise that vanishes
/// with its size, as the chance of its own spikes is, which a mean field has not either.
///
/// Approximations: a projection acts after its mean delay; the membrane filters with its mean conductance.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "meanfield/membrane_course.hpp"
#include "network/spike_source.hpp"

namespace triscale::meanfield {

class KnownInput {
 public:
  /// For the virtual populations of the model's circuit that fire and are shared. The model must outlive it.
  KnownInput(const Model& model, double step_ms);

  bool any() const { return !sources_.empty(); }

  /// Takes the spikes that arrive in [t_ms, t_ms + step); call once for every step, in order. `inputs`, one a
  /// population, is what arrives with them; `courses` the state at the end of the step.
  void advance(double t_ms, const std::vector<PopulationInput>& inputs, const std::vector<MembraneCourse>& courses);

  /// Deviation of the potential and its expected variance, for every class of a population.
  struct Deviation {
    double delta_mV = 0;
    double variance_mV2 = 0;
    double extra_hz = 0;                            ///< what the known spikes add now to the rate
    double mean_known_hz = 0, mean_unknown_hz = 0;  ///< of the last seconds
    bool started = false;
  };
  const std::vector<Deviation>& deviations(std::size_t population) const { return targets_[population].deviations; }

 private:
  struct Synapse {
    std::uint32_t target;  ///< class
    double weight_uS;      ///< of a cell of the source onto the class's cells, averaged over these
  };
  /// One channel from a source.
  struct Drive {
    std::size_t channel = 0;
    std::size_t source = 0;          ///< index into sources_
    std::vector<std::size_t> first;  ///< of every source cell: where its synapses begin, and where the last one's end
    std::vector<Synapse> synapses;
    std::vector<double> weight2_uS2;  ///< per class: sum over sources of relative rate w W, as in CellClass
    std::vector<double> x, y;         ///< per class: after one filter, after both
    network::SpikeSourceReader reader;
    std::vector<network::SourceSpike> spikes{};
  };
  struct Target {
    std::vector<Drive> drives;
    std::vector<Deviation> deviations;
  };

  void add_projection(const Model& model, std::size_t projection, Target& target, std::size_t population);
  void filter(const PopulationModel& population, Drive& drive, const std::vector<double>& mass_uS);
  void advance(const PopulationModel& population, Target& target, double t_ms, const PopulationInput& input);
  void deviate(const PopulationModel& population, Target& target, const MembraneCourse& course);

  const Model& model_;
  double step_ms_;
  std::vector<std::size_t> sources_;  ///< populations of the circuit
  std::vector<Target> targets_;       ///< order of Model::populations()
};

}  // namespace triscale::meanfield

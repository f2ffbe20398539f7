#include "bridges/point/cell_deriver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "bridges/cable/quasi_active.hpp"
#include "bridges/gif/gif_terms.hpp"
#include "bridges/point/cell_recording.hpp"
#include "bridges/point/circuit_synapses.hpp"
#include "bridges/point/point_membrane.hpp"
#include "bridges/point/psp_check.hpp"
#include "bridges/point/receptor_reduction.hpp"
#include "bridges/point/synapse_reduction.hpp"
#include "bridges/point/synaptic_drive.hpp"
#include "bridges/point/training_cells.hpp"
#include "core/error.hpp"

namespace triscale::bridges {

namespace {

constexpr std::size_t kCells = 16;       // in training and in test data; the detailed tier runs eight side by side
constexpr std::size_t kTimeCourses = 6;  // of a synapse type at most
constexpr double kSkip_ms = 500;  // at the beginning of each recording: the way from V_init to the operating range
constexpr double kMsPerS = 1000;
constexpr double kNoticedShare = 0.001;

/// Recordings of the detailed cell and how they were made.
struct Recordings {
  std::vector<GifSweep> training, test;
  std::string input;
  double highest_rate_hz = 0;  ///< of a cell in the training data, over windows of a second
};

double highest_rate(const std::vector<GifSweep>& sweeps) {
  double highest = 0;
  for (const GifSweep& sweep : sweeps) {
    std::vector<double> windows(
        static_cast<std::size_t>(static_cast<double>(sweep.V_mV.size()) * sweep.dt_ms / kMsPerS) + 1, 0.0);
    for (const double t : sweep.spikes_ms) {
      highest = std::max(highest, ++windows[static_cast<std::size_t>(t / kMsPerS)]);
    }
  }
  return highest;
}

/// Potentials that all but 0.1 % of the samples between spikes stay above, and below.
std::array<double, 2> range_between_spikes(const std::vector<GifSweep>& sweeps) {
  constexpr double kTail = 0.001, kEvery_ms = 1, kBefore_ms = 2, kAfter_ms = 5;
  std::vector<double> V;
  for (const GifSweep& sweep : sweeps) {
    const auto every = std::max<std::size_t>(1, static_cast<std::size_t>(kEvery_ms / sweep.dt_ms));
    std::size_t next = 0;  // the first spike that is not yet over
    for (auto k = static_cast<std::size_t>(kSkip_ms / sweep.dt_ms); k < sweep.V_mV.size(); k += every) {
      const double t = static_cast<double>(k) * sweep.dt_ms;
      while (next < sweep.spikes_ms.size() && sweep.spikes_ms[next] + kAfter_ms < t) ++next;
      const bool at_spike = next < sweep.spikes_ms.size() && sweep.spikes_ms[next] - kBefore_ms < t;
      if (!at_spike && (sweep.left_out.empty() || !sweep.left_out[k])) V.push_back(sweep.V_mV[k]);
    }
  }
  if (V.empty()) return {1, 0};
  std::sort(V.begin(), V.end());
  const auto tail = static_cast<std::size_t>(kTail * static_cast<double>(V.size()));
  return {V[tail], V[V.size() - 1 - tail]};
}

double mean_rate(const std::vector<GifSweep>& sweeps) {
  double spikes = 0, seconds = 0;
  for (const GifSweep& sweep : sweeps) {
    spikes += static_cast<double>(sweep.spikes_ms.size());
    seconds += static_cast<double>(sweep.V_mV.size()) * sweep.dt_ms / kMsPerS;
  }
  return seconds > 0 ? spikes / seconds : 0;
}

/// 4 ms as published, less for cells that fire faster: the model must be able to produce nearly all intervals.
double refractory_time(const std::vector<GifSweep>& sweeps) {
  constexpr double kUsual_ms = 4, kShare = 0.9, kQuantile = 0.01;
  std::vector<double> intervals;
  for (const GifSweep& sweep : sweeps) {
    for (std::size_t k = 1; k < sweep.spikes_ms.size(); ++k) {
      intervals.push_back(sweep.spikes_ms[k] - sweep.spikes_ms[k - 1]);
    }
  }
  if (intervals.empty()) return kUsual_ms;
  const auto rank = static_cast<std::ptrdiff_t>(kQuantile * static_cast<double>(intervals.size()));
  std::nth_element(intervals.begin(), intervals.begin() + rank, intervals.end());
  const double dt_ms = sweeps.front().dt_ms;
  const double longest = kShare * intervals[static_cast<std::size_t>(rank)];
  return std::max(dt_ms, std::floor(std::min(kUsual_ms, longest) / dt_ms + 1e-9) * dt_ms);
}

/// Derives the point description of one cell type and of the synapses on it.
class CellDeriver {
 public:
  CellDeriver(const network::Circuit& circuit, std::size_t cell_type, const OperatingPoint& state,
              const CellDerivationOptions& options, core::PartProgress& progress)
      : progress_(progress),
        circuit_(circuit),
        state_(state),
        index_(cell_type),
        type_(circuit.cell_types[cell_type]),
        options_(options),
        seed_(options.seed + cell_type),
        rest_(*type_.detailed, circuit.run),
        spectrum_(impedance_spectrum(rest_, Channels::linearised)),
        synapses_(options.synapse_types),
        point_(reduced_to(passive_membrane())) {}

  void run() {
    if (!type_.point) fit_cell();  // else only synapses are missing
    describe_synapses();
  }

  CellDerivation result;

 private:
  /// That of the point model that is given, or from the impedance.
  PassiveMembrane passive_membrane() const {
    if (type_.point) {
      if (const auto* gif = std::get_if<network::GifModel>(&type_.point->model)) {
        return {gif->C_m_nF, gif->g_L_uS, gif->E_L_mV, gif->dendrite};
      }
      if (const auto* adex = std::get_if<network::AdExModel>(&type_.point->model)) {
        return {adex->C_m_nF, adex->g_L_uS, adex->E_L_mV, {}};
      }
      return fit_one_compartment(spectrum_, rest_.V_soma_mV());
    }
    return fit_membrane(spectrum_, rest_.V_soma_mV());
  }

  /// The membrane of the point neuron, and the synapses carried to it.
  struct Passive {
    PassiveMembrane membrane;
    std::vector<network::SynapseType> synapse_types;
    std::vector<SynapseReduction> reductions;            ///< of synapses with one receptor
    std::vector<ReceptorReduction> receptor_reductions;  ///< of those with several
  };
  Passive reduced_to(const PassiveMembrane& membrane) const {
    Passive out{membrane, circuit_.synapse_types, std::vector<SynapseReduction>(synapses_.size()),
                std::vector<ReceptorReduction>(synapses_.size())};
    for (std::size_t i = 0; i < synapses_.size(); ++i) {
      network::SynapseType& type = out.synapse_types[synapses_[i]];
      if (const auto* kinetics = std::get_if<network::BiexponentialSynapse>(&*type.detailed)) {
        out.reductions[i] = reduce_synapse(*kinetics, rest_.tree(), spectrum_, membrane, kTimeCourses,
                                           site_statistics(circuit_, synapses_[i], rest_.tree()));
        type.point = out.reductions[i].synapse;
      } else {
        const ReducedCell cell{type_, rest_.tree(), spectrum_, membrane, rest_.V_soma_mV()};
        out.receptor_reductions[i] = reduce_receptors(circuit_, synapses_[i], cell);
        type.point = out.receptor_reductions[i].synapse;
      }
    }
    return out;
  }

  /// The part is done up to `share`; a chance to interrupt.
  void report(double share) {
    progress_.stage(share);
    progress_.advance(1, 1);
  }

  // ---------------------------------------------------------------------------------------------------- input --------
  /// Synaptic input if the cells have synapses that make them fire, else somatic current.
  void record() {
    const std::size_t population = largest_population(circuit_, index_);
    const std::vector<std::uint32_t> ranked =
        cells_by_drive(circuit_, population, state_.rates_hz, point_.synapse_types, point_.membrane);
    drive_.emplace(circuit_, population, spread_over(ranked, kCells, 0), state_.rates_hz);
    progress_.stage(kPilotsShare);
    levels_ = drive_->find_levels(seed_, progress_);
    if (levels_.empty()) {
      record_current();
      return;
    }
    recordings_.input = "Poisson spikes through the cell's own dendritic synapses";
    test_drive_.emplace(circuit_, population, spread_over(ranked, kCells, 1), state_.rates_hz);
    progress_.stage(kTrainingShare);
    recordings_.training = drive_->record(levels_, options_.level_ms, seed_ + kTraining, progress_);
    progress_.stage(kRecordingShare);
    recordings_.test = test_drive_->record(levels_, options_.level_ms, seed_ + kTest, progress_);
    report(kConductancesShare);
    add_conductances();
  }

  void add_conductances() {
    if (levels_.empty()) return;
    drive_->add_conductances(point_.synapse_types, point_.membrane, levels_, options_.level_ms, seed_ + kTraining,
                             recordings_.training);
    test_drive_->add_conductances(point_.synapse_types, point_.membrane, levels_, options_.level_ms, seed_ + kTest,
                                  recordings_.test);
  }

  void record_current() {
    constexpr double kRelativeSds[] = {0.5, 1.0}, kTau_ms = 3;
    constexpr double kTargets_hz[] = {2, 6, 12, 25};
    const auto steps = static_cast<std::size_t>(options_.current_sweep_ms / circuit_.run.dt_ms);
    std::vector<std::vector<double>> training, test;
    for (const double sd : kRelativeSds) {
      const CurrentScale scale = find_current_scale(type_, circuit_.run, sd, kTau_ms, seed_, progress_);
      for (const double target : kTargets_hz) {
        const FluctuatingCurrent current{scale.mean_for(target), sd * scale.threshold_nA, kTau_ms};
        const std::size_t entity = training.size();
        training.push_back(sample_current(current, circuit_.run.dt_ms, steps, seed_ + kTraining, entity));
        test.push_back(sample_current(current, circuit_.run.dt_ms, steps, seed_ + kTest, entity));
      }
    }
    recordings_.input = "fluctuating current into the soma";
    progress_.stage(kTrainingShare);
    recordings_.training = record_currents(type_, circuit_.run, std::move(training), progress_);
    progress_.stage(kRecordingShare);
    recordings_.test = record_currents(type_, circuit_.run, std::move(test), progress_);
  }

  // ------------------------------------------------------------------------------------------------------ fit --------
  void fit_cell() {
    record();
    const double blocked = leave_out_depolarisation_block(recordings_.training);
    leave_out_depolarisation_block(recordings_.test);
    recordings_.highest_rate_hz = highest_rate(recordings_.training);
    GifFitOptions published;
    published.skip_ms = kSkip_ms;
    published.t_ref_ms = refractory_time(recordings_.training);
    published.passive = point_.membrane;
    published.eta_tau_ms = {5, 25, 150, 700};  // the last one: calcium-dependent potassium channels
    report(kConductancesShare);
    // A quick round only asks for rates: the published model is enough.
    GifTermsFit chosen = options_.describe ? fit_with_terms(published)
                                           : GifTermsFit{fit_gif(recordings_.training, published), published, {}};
    GifFit& fit = chosen.fit;
    report(kFitShare);
    if (options_.describe) {
      GifFitOptions bootstrap = chosen.options;
      bootstrap.draws = options_.draws;
      bootstrap.seed = seed_;
      result.draws = bootstrap_gif(fit.model, recordings_.training, bootstrap);
    }
    report(kFitsShare);
    const double moved_mV = correct_rate(fit);
    for (network::GifModel& draw : result.draws) draw.V_threshold_mV += moved_mV;
    result.model = fit.model;
    if (blocked > kNoticedShare) {
      result.cell_provenance.notes.push_back(fmt::format(
          "{:.2g} of the training time is depolarisation block, which the point model does not have; left out. In a "
          "network, cells that fall into it pause where point cells fire on",
          blocked));
    }
    if (options_.describe) describe_cell(chosen, moved_mV);
  }

  /// Where the impedance asks for two compartments, one is fitted too, with the same terms, and with terms of its own
  /// if it then predicts spikes better. The better one is taken.
  GifTermsFit fit_with_terms(const GifFitOptions& options) {
    GifTermsFit two = fit_gif_with_terms(recordings_.training, options);
    if (!point_.membrane.dendrite || !two.held_out_Md) return two;
    report(kTwoShare);
    Passive with_two = std::move(point_);
    Recordings recordings = recordings_;
    point_ = reduced_to(fit_one_compartment(spectrum_, rest_.V_soma_mV()));
    add_conductances();
    GifFitOptions same_terms = two.options;
    same_terms.passive = point_.membrane;
    double gain = *two.held_out_Md - held_out_Md(recordings_.training, same_terms).value_or(0);
    GifTermsFit one;
    if (gain < -kWorthCoincidence) {
      GifFitOptions own_terms = options;
      own_terms.passive = point_.membrane;
      one = fit_gif_with_terms(recordings_.training, own_terms);
      gain = *two.held_out_Md - one.held_out_Md.value_or(0);
    }
    const bool keeps_two = gain >= -kWorthCoincidence;
    GifTermsFit& chosen = keeps_two ? two : one;
    chosen.notes.push_back(fmt::format("soma and dendrite: {:+.3f} of Md* on held-out sweeps over one compartment, {}",
                                       gain, keeps_two ? "kept" : "left out"));
    if (keeps_two) {
      point_ = std::move(with_two);
      recordings_ = std::move(recordings);
    }
    return std::move(chosen);
  }

  /// The likelihood looks at V with the spikes of the data; free-running, the model may fire more or less often. Moves
  /// the threshold if it does by more than the sampling error of the data's count, and returns by how much.
  double correct_rate(GifFit& fit) const {
    constexpr double kStandardErrors = 2;
    constexpr std::size_t kRepetitions = 2;
    const GifPrediction now = predict_gif(fit.model, recordings_.training, kSkip_ms, kRepetitions, seed_ + kTraining);
    const double error = kStandardErrors / std::sqrt(static_cast<double>(fit.training.spikes));
    if (std::abs(now.rate_model_hz / now.rate_data_hz - 1) < error) return 0;
    return match_rate(fit.model, recordings_.training, kSkip_ms, seed_ + kTraining);
  }

  // ----------------------------------------------------------------------------------------------- provenance --------
  void describe_cell(const GifTermsFit& chosen, double moved_mV) {
    const GifFit& fit = chosen.fit;
    const GifFitQuality unseen = evaluate_gif(fit.model, recordings_.test, chosen.options);
    const GifPrediction predicted =
        predict_gif(fit.model, recordings_.test, kSkip_ms, options_.repetitions, seed_ + kTest);
    network::Provenance& p = result.cell_provenance;
    p.method = fmt::format(
        "GIF, {}: membrane from the impedance at rest, currents by least squares on V, threshold by maximum likelihood",
        point_.membrane.dendrite ? "soma and dendrite" : "one compartment");
    p.fit_error["impedance"] = impedance_error(point_.membrane, spectrum_);
    p.operating_point["V_rest_mV"] = rest_.V_soma_mV();
    p.operating_point["Z_input_1Hz_MOhm"] = std::abs(spectrum_.input.front()[spectrum_.soma]);
    for (std::size_t k = 0; k < circuit_.populations.size(); ++k) {
      if (circuit_.populations[k].is_virtual) continue;
      p.operating_point["source_" + circuit_.populations[k].name + "_hz"] = state_.rates_hz[k];
    }
    p.operating_point["training_rate_hz"] = mean_rate(recordings_.training);
    p.operating_point["test_rate_hz"] = predicted.rate_data_hz;
    p.fit_error["rate_hz"] = predicted.rate_model_hz - predicted.rate_data_hz;
    p.fit_error["rate_relative"] = predicted.rate_model_hz / predicted.rate_data_hz - 1;
    p.fit_error["cv_isi"] = predicted.cv_model - predicted.cv_data;
    p.fit_error["V_rms_mV"] = unseen.voltage_rms_error_mV;
    p.fit_error["V_unexplained_variance"] = 1 - unseen.variance_explained_V;
    p.fit_error["missed_coincidence_4ms"] = 1 - predicted.coincidence;
    p.fit_error["missed_coincidence_of_the_model_with_itself"] = 1 - predicted.self_coincidence;
    p.fit_error["bits_per_spike_training_minus_unseen"] = fit.training.bits_per_spike - unseen.bits_per_spike;
    p.tolerance = {{"missed_coincidence_4ms", 0.15}, {"rate_relative", 0.05}, {"cv_isi", 0.1}};
    p.operating_point["V_threshold_moved_mV"] = moved_mV;
    p.uncertainty = spread_of(result.draws);
    for (const char* given : {"C_m_nF", "g_L_uS", "E_L_mV"}) p.uncertainty.erase(given);  // not from these data
    p.validity_range["rate_hz"] = {0, recordings_.highest_rate_hz};
    p.validity_range["V_mV"] = range_between_spikes(recordings_.training);
    p.notes.push_back("input: " + recordings_.input);
    if (point_.membrane.dendrite) {
      p.notes.push_back(
          fmt::format("two compartments: the impedance at the soma is off by {:.2g} % with them, by {:.2g} % with one",
                      100 * p.fit_error["impedance"],
                      100 * impedance_error(fit_one_compartment(spectrum_, rest_.V_soma_mV()), spectrum_)));
    }
    p.notes.insert(p.notes.end(), chosen.notes.begin(), chosen.notes.end());
    p.notes.push_back(fmt::format("{} training spikes, {} test spikes of other input; {:.3g} bits per spike unseen",
                                  fit.training.spikes, unseen.spikes, unseen.bits_per_spike));
  }

  /// The circuit's own synapses, one at a time and several at once.
  void check_psps_of(std::size_t i, network::Provenance& p) {
    constexpr double kLinear = 0.1;
    const std::size_t s = synapses_[i];
    const PspCheck check =
        check_psps(type_, point_.synapse_types[s], spread_sites(circuit_, s), circuit_.run, point_.membrane);
    if (check.sites == 0) return;
    p.fit_error["psp_peak"] = check.peak;
    p.fit_error["psp_rise"] = check.rise;
    p.fit_error["psp_half_width"] = check.half_width;
    p.fit_error["psp_area"] = check.area;
    for (const char* name : {"psp_peak", "psp_rise", "psp_half_width"}) p.tolerance[name] = 0.05;
    p.fit_error["psp_latency_ms"] = check.latency_ms;
    p.fit_error["psp_peak_spread"] = check.peak_spread;
    p.fit_error["summation_pair"] = check.summation_pair - check.summation_pair_point;
    p.fit_error["summation_cluster"] = check.summation_cluster - check.summation_cluster_point;
    p.notes.push_back(
        fmt::format("two synapses at one place add up to {:+.2g} % of linear summation in the dendrite, "
                    "{} to {:+.2g} % (point neuron: {:+.2g} and {:+.2g} %)",
                    100 * check.summation_pair, PspCheck::kCluster, 100 * check.summation_cluster,
                    100 * check.summation_pair_point, 100 * check.summation_cluster_point));
    if (std::abs(p.fit_error["summation_pair"]) > kLinear) {
      p.notes.push_back(
          "the dendrites do not add up as the reduction assumes: potentials of synapses that are active "
          "together are wrong by the figures in fit_error");
    }
  }

  void describe_synapses() {
    for (std::size_t i = 0; i < synapses_.size(); ++i) {
      const SynapseReduction& r = point_.reductions[i];
      const auto& reduced = point_.synapse_types[synapses_[i]].point;
      network::Provenance p;
      p.operating_point["V_rest_mV"] = rest_.V_soma_mV();
      p.operating_point["C_m_nF"] = point_.membrane.C_m_nF;
      p.operating_point["g_L_uS"] = point_.membrane.g_L_uS;
      if (std::holds_alternative<network::ReceptorSynapse>(*circuit_.synapse_types[synapses_[i]].detailed)) {
        describe(point_.receptor_reductions[i], p);
        if (options_.describe) check_psps_of(i, p);
        result.synapses.push_back({synapses_[i], reduced, std::move(p)});
        continue;
      }
      p.method = "transfer impedance at rest, matched in the postsynaptic potential";
      p.operating_point["mean_attenuation"] = r.mean_attenuation;
      p.fit_error["psp_shape_mean"] = r.mean_psp_error;
      p.fit_error["psp_shape_largest"] = r.largest_psp_error;
      if (options_.describe) check_psps_of(i, p);
      p.uncertainty["attenuation_spread"] = r.largest_attenuation - r.smallest_attenuation;
      // Beyond this weight the second order of the saturation is not enough: shunt times weight is 1.
      if (r.mean_shunt_per_uS > 0) p.validity_range["weight_uS"] = {0, 1 / r.mean_shunt_per_uS};
      if (!point_.membrane.dendrite) p.notes.push_back("soma and dendrite are taken to be at the same potential");
      result.synapses.push_back({synapses_[i], reduced, std::move(p)});
    }
  }

  static constexpr std::uint64_t kTraining = 1000003, kTest = 2000003;  // offsets of the seeds of input

  // How much of the work is done after the pilot runs, the training data, all recordings, the conductances there, the
  // fits with the membrane of the impedance, all fits, and the bootstrap; tests on unseen input are the rest.
  static constexpr double kPilotsShare = 0.1, kTrainingShare = 0.25, kRecordingShare = 0.4, kConductancesShare = 0.45,
                          kTwoShare = 0.65, kFitShare = 0.85, kFitsShare = 0.95;

  core::PartProgress& progress_;
  const network::Circuit& circuit_;
  const OperatingPoint& state_;
  std::size_t index_;
  const network::CellType& type_;
  const CellDerivationOptions& options_;
  std::uint64_t seed_;
  QuasiActiveCell rest_;
  ImpedanceSpectrum spectrum_;
  std::vector<std::size_t> synapses_;
  Passive point_;
  std::optional<SynapticDrive> drive_, test_drive_;
  std::vector<DriveLevel> levels_;
  Recordings recordings_;
};

}  // namespace

CellDerivation derive_cell(const network::Circuit& circuit, std::size_t cell_type, const OperatingPoint& state,
                           const CellDerivationOptions& options, core::PartProgress& progress) {
  CellDeriver deriver(circuit, cell_type, state, options, progress);
  deriver.run();
  return std::move(deriver.result);
}

}  // namespace triscale::bridges
